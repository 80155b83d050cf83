//===- Gguf.cpp - Keys and tensors of a *.gguf file -----------------------===//
//
// One pass over the metadata through a window of 1 MiB. Every count and length
// is compared with the bytes that remain before anything is allocated for it.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/Gguf.h"

#include "weights/Containers/GgufKeys.h"
#include "weights/InputError.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <bit>
#include <cstring>

using namespace llvm;

namespace llamaweights {
namespace {

static_assert(std::endian::native == std::endian::little,
              "numbers are copied as they are stored");

// A vocabulary of a million tokens with its merges is some 40 MiB.
constexpr uint64_t kLongestMetadata = uint64_t(256) << 20;
constexpr uint64_t kLongestName = 65535;
constexpr uint32_t kMostDimensions = 4;
constexpr int64_t kLargestAlignment = 1 << 20;

/// Reads the file from its beginning. After the first failure every read fails,
/// and takeError() says what happened, in which part of the file.
class Cursor {
public:
  explicit Cursor(const InputFile &file)
      : file(file), end(std::min(file.getSize(), kLongestMetadata)) {}

  std::string part = "the header"; ///< for messages

  uint64_t getOffset() const { return windowStart + windowPosition; }

  bool fail(const Twine &message) {
    if (complaint.empty())
      complaint = (file.getPath() + ": " + part + ": " + message).str();
    return false;
  }

  /// Whether `count` things of at least `least` bytes each can follow.
  bool has(uint64_t count, uint64_t least) {
    if (!complaint.empty())
      return false;
    if (count <= (end - getOffset()) / least)
      return true;
    if (end < file.getSize())
      return fail(formatv("lies beyond byte {0} of the file, expected all "
                          "metadata before it",
                          end));
    std::string items =
        least > 1 ? formatv("items of at least {0} ", least).str() : "";
    return fail(formatv("expected {0} {1}bytes after byte {2} of the file, "
                        "found {3} bytes",
                        count, items, getOffset(), end - getOffset()));
  }

  bool bytes(MutableArrayRef<char> out) {
    if (!has(out.size(), 1))
      return false;
    while (!out.empty()) {
      if (windowPosition == window.size() && !refill())
        return false;
      size_t piece = std::min(out.size(), window.size() - windowPosition);
      std::memcpy(out.data(), window.data() + windowPosition, piece);
      windowPosition += piece;
      out = out.drop_front(piece);
    }
    return true;
  }

  template <typename T>
  bool number(T &out) {
    return bytes({reinterpret_cast<char *>(&out), sizeof(T)});
  }

  bool string(std::string &out, uint64_t limit = ~uint64_t(0)) {
    uint64_t length = 0;
    if (!number(length))
      return false;
    if (length > limit)
      return fail(
          formatv("a name of {0} bytes, expected at most {1}", length, limit));
    if (!has(length, 1))
      return false;
    out.resize(length);
    return bytes({out.data(), out.size()});
  }

  /// Fails if `error` is one, with its message.
  bool adopt(Error error) {
    complaint = toString(std::move(error));
    return complaint.empty();
  }

  Error takeError() const {
    assert(!complaint.empty() && "asked only after a failure");
    return createStringError(inconvertibleErrorCode(), complaint);
  }

private:
  bool refill() {
    windowStart += window.size();
    windowPosition = 0;
    window.resize(std::min<uint64_t>(1 << 20, end - windowStart));
    return adopt(file.read(windowStart, {window.data(), window.size()}));
  }

  const InputFile &file;
  uint64_t end;
  std::string window;
  uint64_t windowStart = 0, windowPosition = 0;
  std::string complaint;
};

/// Bytes of an element; a string begins with its length.
std::optional<uint64_t> getElementBytes(GgufType type) {
  switch (type) {
  case GgufType::U8:
  case GgufType::I8:
  case GgufType::Bool:
    return 1;
  case GgufType::U16:
  case GgufType::I16:
    return 2;
  case GgufType::U32:
  case GgufType::I32:
  case GgufType::F32:
    return 4;
  case GgufType::U64:
  case GgufType::I64:
  case GgufType::F64:
  case GgufType::String:
    return 8;
  case GgufType::Array:
    break;
  }
  return std::nullopt;
}

bool readValue(Cursor &cursor, GgufValue &value) {
  uint64_t count = 1;
  if (!cursor.number(value.type))
    return false;
  value.isArray = value.type == GgufType::Array;
  if (value.isArray && (!cursor.number(value.type) || !cursor.number(count)))
    return false;
  std::optional<uint64_t> size = getElementBytes(value.type);
  if (!size)
    return cursor.fail(formatv("values of type {0} are not supported{1}",
                               uint32_t(value.type),
                               value.isArray ? " in an array" : ""));
  if (!cursor.has(count, *size))
    return false;
  if (value.type != GgufType::String) {
    value.bytes.resize(count * *size);
    if (!cursor.bytes({value.bytes.data(), value.bytes.size()}))
      return false;
    if (value.type == GgufType::Bool &&
        any_of(value.bytes, [](char byte) { return uint8_t(byte) > 1; }))
      return cursor.fail("a truth value is neither 0 nor 1");
    return true;
  }
  value.strings.resize(count);
  return all_of(value.strings,
                [&](std::string &text) { return cursor.string(text); });
}

bool readKeys(Cursor &cursor, uint64_t count, GgufFile &result) {
  for (uint64_t i = 0; i < count; ++i) {
    std::string key;
    GgufValue value;
    cursor.part = formatv("key {0} of {1}", i + 1, count);
    if (!cursor.string(key, kLongestName))
      return false;
    cursor.part = "key " + quote(key);
    if (!readValue(cursor, value))
      return false;
    if (!result.keys.try_emplace(std::move(key), std::move(value)).second)
      return cursor.fail("is there twice");
  }
  return true;
}

struct TypeRow {
  StringLiteral name;
  uint32_t number;
  std::optional<DType> type; ///< none: known, but not supported
};

constexpr TypeRow kTypes[] = {
    {"F32", 0, DType::F32},        {"F16", 1, DType::F16},
    {"Q4_0", 2, DType::Q4_0},      {"Q4_1", 3, DType::Q4_1},
    {"Q5_0", 6, DType::Q5_0},      {"Q5_1", 7, DType::Q5_1},
    {"Q8_0", 8, DType::Q8_0},      {"Q8_1", 9, std::nullopt},
    {"Q2_K", 10, DType::Q2_K},     {"Q3_K", 11, DType::Q3_K},
    {"Q4_K", 12, DType::Q4_K},     {"Q5_K", 13, DType::Q5_K},
    {"Q6_K", 14, DType::Q6_K},     {"Q8_K", 15, std::nullopt},
    {"IQ2_XXS", 16, std::nullopt}, {"IQ2_XS", 17, std::nullopt},
    {"IQ3_XXS", 18, std::nullopt}, {"IQ1_S", 19, std::nullopt},
    {"IQ4_NL", 20, std::nullopt},  {"IQ3_S", 21, std::nullopt},
    {"IQ2_S", 22, std::nullopt},   {"IQ4_XS", 23, std::nullopt},
    {"I8", 24, std::nullopt},      {"I16", 25, std::nullopt},
    {"I32", 26, std::nullopt},     {"I64", 27, std::nullopt},
    {"F64", 28, std::nullopt},     {"IQ1_M", 29, std::nullopt},
    {"BF16", 30, DType::BF16},     {"TQ1_0", 34, std::nullopt},
    {"TQ2_0", 35, std::nullopt},   {"MXFP4", 39, std::nullopt},
};

std::optional<DType> parseType(Cursor &cursor, uint32_t number) {
  const auto *row =
      find_if(kTypes, [&](const TypeRow &row) { return row.number == number; });
  if (row == std::end(kTypes))
    cursor.fail(formatv("has the unknown type {0}", number));
  else if (!row->type)
    cursor.fail(formatv("type {0} ({1}) is not supported", row->name, number));
  else
    return row->type;
  return std::nullopt;
}

/// Name, dimensions, type; `offset` is still relative to the data section.
bool readTensor(Cursor &cursor, StoredTensor &tensor) {
  uint32_t dimensions = 0, type = 0;
  if (!cursor.string(tensor.name, kLongestName))
    return false;
  cursor.part = "tensor " + quote(tensor.name);
  if (!cursor.number(dimensions))
    return false;
  if (dimensions < 1 || dimensions > kMostDimensions)
    return cursor.fail(formatv("has {0} dimensions, expected 1 to {1}",
                               dimensions, kMostDimensions));
  tensor.shape.resize(dimensions);
  for (int64_t &dim : reverse(tensor.shape)) // stored fastest first
    if (!cursor.number(dim))
      return false;
  if (!cursor.number(type) || !cursor.number(tensor.offset))
    return false;
  std::optional<DType> dtype = parseType(cursor, type);
  if (!dtype)
    return false;
  tensor.dtype = *dtype;
  if (!getStoredBytes(*dtype, tensor.shape))
    return cursor.fail("shape " + formatShape(tensor.shape) + " of " +
                       getName(*dtype) +
                       " has a negative dimension, a row that is not whole "
                       "blocks, or does not fit in 63 bits of bytes");
  return true;
}

bool readTensors(Cursor &cursor, uint64_t count, GgufFile &result) {
  std::set<StringRef> names;
  result.tensors.resize(count);
  for (auto [i, tensor] : enumerate(result.tensors)) {
    cursor.part = formatv("tensor {0} of {1}", i + 1, count);
    if (!readTensor(cursor, tensor))
      return false;
    if (!names.insert(tensor.name).second)
      return cursor.fail("is there twice");
  }
  return true;
}

/// Bytes of a tensor that readTensor has let pass.
uint64_t getBytes(const StoredTensor &tensor) {
  return uint64_t(getStoredBytes(tensor.dtype, tensor.shape).value_or(0));
}

/// Compares the tensors' places with the data section and each other, and makes
/// their offsets those of the file.
bool placeTensors(Cursor &cursor, const std::shared_ptr<InputFile> &file,
                  int64_t alignment, GgufFile &result) {
  uint64_t dataOffset = alignTo(cursor.getOffset(), uint64_t(alignment));
  uint64_t dataBytes =
      file->getSize() > dataOffset ? file->getSize() - dataOffset : 0;
  std::vector<StoredTensor *> byOffset;
  for (StoredTensor &tensor : result.tensors) {
    uint64_t bytes = getBytes(tensor);
    cursor.part = "tensor " + quote(tensor.name);
    if (tensor.offset % uint64_t(alignment) != 0)
      return cursor.fail(formatv("begins at byte {0} of the data section, "
                                 "expected a multiple of {1}",
                                 tensor.offset, alignment));
    if (tensor.offset > dataBytes || bytes > dataBytes - tensor.offset)
      return cursor.fail(formatv("ends at byte {0} of the data section, which "
                                 "has {1} bytes",
                                 SaturatingAdd(tensor.offset, bytes),
                                 dataBytes));
    tensor.offset += dataOffset;
    tensor.file = file;
    byOffset.push_back(&tensor);
  }
  llvm::sort(byOffset, [](const StoredTensor *a, const StoredTensor *b) {
    return a->offset < b->offset;
  });
  for (size_t i = 1; i < byOffset.size(); ++i) {
    const StoredTensor &a = *byOffset[i - 1], &b = *byOffset[i];
    cursor.part = "tensor " + quote(b.name);
    if (b.offset - a.offset < getBytes(a))
      return cursor.fail("overlaps tensor " + quote(a.name));
  }
  return true;
}

bool readHeader(Cursor &cursor, uint64_t &tensorCount, uint64_t &keyCount) {
  char magic[4] = {};
  uint32_t version = 0;
  if (!cursor.bytes(magic) || !cursor.number(version))
    return false;
  if (StringRef(magic, 4) != "GGUF")
    return cursor.fail("is not that of a GGUF file");
  if (version != 2 && version != 3)
    return cursor.fail(formatv("GGUF version {0}, expected 2 or 3 in "
                               "little-endian order",
                               version));
  // The shortest key: an empty name, a type, one byte. The shortest tensor: an
  // empty name, one dimension, type, offset.
  return cursor.number(tensorCount) && cursor.number(keyCount) &&
         cursor.has(keyCount, 8 + 4 + 1) &&
         cursor.has(tensorCount, 8 + 4 + 8 + 4 + 8);
}

/// Keys about the file itself rather than the model.
bool checkContainer(Cursor &cursor, const GgufFile &result,
                    int64_t &alignment) {
  GgufKeys keys(result);
  int64_t parts = 1, quantization = 2;
  alignment = 32;
  keys.find("general.alignment", alignment);
  keys.find("split.count", parts);
  keys.find("general.quantization_version", quantization);
  if (alignment < 1 || alignment > kLargestAlignment ||
      !isPowerOf2_64(uint64_t(alignment)))
    keys.fail("general.alignment", "is " + Twine(alignment) +
                                       ", expected a power of two up to " +
                                       Twine(kLargestAlignment));
  if (parts > 1)
    keys.fail("split.count", "is " + Twine(parts) +
                                 ": files in several parts are not supported");
  if (quantization != 2)
    keys.fail("general.quantization_version",
              "is " + Twine(quantization) + ", expected 2");
  return cursor.adopt(keys.finish());
}

} // namespace

Expected<GgufFile> readGguf(const std::shared_ptr<InputFile> &file) {
  GgufFile result;
  result.path = file->getPath().str();
  Cursor cursor(*file);
  uint64_t tensorCount = 0, keyCount = 0;
  int64_t alignment = 0;
  if (!readHeader(cursor, tensorCount, keyCount) ||
      !readKeys(cursor, keyCount, result) ||
      !checkContainer(cursor, result, alignment) ||
      !readTensors(cursor, tensorCount, result) ||
      !placeTensors(cursor, file, alignment, result))
    return cursor.takeError();
  return result;
}

} // namespace llamaweights
