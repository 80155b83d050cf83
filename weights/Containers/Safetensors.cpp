//===- Safetensors.cpp - *.safetensors ------------------------------------===//
//
// The header is parsed whole; of the data section only its length matters here.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/Safetensors.h"

#include "weights/Containers/JsonObject.h"
#include "weights/InputError.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Endian.h"

using namespace llvm;
using nlohmann::json;

namespace llamaweights {
namespace {

constexpr uint64_t kLongestHeader = 100000000; // the format's own limit
constexpr int64_t kMostDimensions = 8;

/// A tensor and the part of the data section it says it has.
struct Entry {
  StoredTensor tensor;
  int64_t begin = 0, end = 0;
};

std::string nameTensor(const Entry &entry) {
  return "tensor " + quote(entry.tensor.name);
}

std::optional<DType> parseDType(StringRef name) {
  return StringSwitch<std::optional<DType>>(name)
      .Case("F32", DType::F32)
      .Case("F16", DType::F16)
      .Case("BF16", DType::BF16)
      .Default(std::nullopt);
}

/// Reads dtype, shape and data_offsets of one tensor and compares them with
/// each other and with the length of the data section.
Error parseEntry(StringRef path, const json &value, int64_t dataBytes,
                 Entry &entry) {
  std::string where = (path + ": " + nameTensor(entry)).str();
  std::string dtype;
  std::vector<int64_t> offsets;
  JsonObject object(where, value);
  object.read("dtype", dtype);
  for (StringRef key : {"shape", "data_offsets"})
    if (const json *found = object.get(key); !found || !found->is_array())
      object.fail(key, "expected an array of integers");
  object.findIntegers("shape", entry.tensor.shape);
  object.findIntegers("data_offsets", offsets);
  if (Error error = object.finish())
    return error;

  std::optional<DType> type = parseDType(dtype);
  if (!type)
    return makeInputError(where, "expected type F32, F16 or BF16, found " +
                                     quote(dtype));
  entry.tensor.dtype = *type;
  if (entry.tensor.shape.size() > kMostDimensions)
    return makeInputError(where, "has " + Twine(entry.tensor.shape.size()) +
                                     " dimensions, expected at most " +
                                     Twine(kMostDimensions));
  std::optional<int64_t> bytes = getStoredBytes(*type, entry.tensor.shape);
  if (!bytes)
    return makeInputError(where, "shape " + formatShape(entry.tensor.shape) +

                                     " has a negative dimension or does not "
                                     "fit in 63 bits of bytes");
  if (offsets.size() != 2 || offsets[0] < 0 || offsets[0] > offsets[1])
    return makeInputError(where, "data_offsets are " + formatShape(offsets) +
                                     ", expected a begin and an end");
  std::tie(entry.begin, entry.end) = std::pair(offsets[0], offsets[1]);
  if (entry.end > dataBytes)
    return makeInputError(where, "ends at byte " + Twine(entry.end) +
                                     " of the data section, which has " +
                                     Twine(dataBytes) + " bytes");
  if (entry.end - entry.begin != *bytes)
    return makeInputError(
        where, "data_offsets span " + Twine(entry.end - entry.begin) +
                   " bytes, but shape " + formatShape(entry.tensor.shape) +
                   " of " + dtype + " has " + Twine(*bytes));
  return Error::success();
}

/// Every byte of the data section belongs to one tensor.
Error checkCoverage(StringRef path, std::vector<Entry> &entries,
                    int64_t dataBytes) {
  llvm::sort(entries, [](const Entry &a, const Entry &b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  int64_t covered = 0;
  const Entry *previous = nullptr;
  for (const Entry &entry : entries) {
    if (entry.begin < covered)
      return makeInputError(path, nameTensor(entry) + ": overlaps " +
                                      nameTensor(*previous));
    if (entry.begin > covered)
      return makeInputError(
          path, nameTensor(entry) + ": begins at byte " + Twine(entry.begin) +
                    " of the data section, expected " + Twine(covered));
    covered = entry.end;
    previous = &entry;
  }
  if (covered != dataBytes)
    return makeInputError(path, "the data section has " + Twine(dataBytes) +
                                    " bytes, but the tensors end at byte " +
                                    Twine(covered));
  return Error::success();
}

Error readMetadata(StringRef path, const json &value,
                   SafetensorsMetadata &metadata) {
  if (!value.is_object())
    return makeInputError(path, "__metadata__ is not an object");
  for (const auto &[key, text] : value.items()) {
    if (!text.is_string())
      return makeInputError(path,
                            "__metadata__: " + quote(key) + " is not a string");
    metadata[key] = text.get<std::string>();
  }
  return Error::success();
}

/// The header's text; `dataOffset` is where the data section begins.
Expected<std::string> readHeader(const InputFile &file, uint64_t &dataOffset) {
  char prefix[8];
  if (file.getSize() < sizeof(prefix))
    return makeInputError(file.getPath(), "has " + Twine(file.getSize()) +
                                              " bytes, which is too short for "
                                              "a safetensors file");
  if (Error error = file.read(0, prefix))
    return std::move(error);
  uint64_t length = support::endian::read64le(prefix);
  if (length > kLongestHeader)
    return makeInputError(file.getPath(), "the header has " + Twine(length) +
                                              " bytes, expected at most " +
                                              Twine(kLongestHeader));
  if (length > file.getSize() - sizeof(prefix))
    return makeInputError(
        file.getPath(), "the header has " + Twine(length) +
                            " bytes, but only " +
                            Twine(file.getSize() - sizeof(prefix)) + " follow");
  std::string text(length, '\0');
  if (Error error = file.read(sizeof(prefix),
                              MutableArrayRef<char>(text.data(), text.size())))
    return std::move(error);
  dataOffset = sizeof(prefix) + length;
  return text;
}

} // namespace

Expected<std::vector<StoredTensor>>
readSafetensors(const std::shared_ptr<InputFile> &file,
                SafetensorsMetadata *metadata) {
  StringRef path = file->getPath();
  uint64_t dataOffset = 0;
  Expected<std::string> text = readHeader(*file, dataOffset);
  if (!text)
    return text.takeError();
  int64_t dataBytes = int64_t(file->getSize() - dataOffset);
  Expected<json> header = parseJson(*text, path);
  if (!header)
    return header.takeError();
  if (!header->is_object())
    return makeInputError(path, "the header: expected an object, found " +
                                    describe(*header));

  std::vector<Entry> entries;
  for (const auto &[name, value] : header->items()) {
    if (name == "__metadata__") {
      if (metadata)
        if (Error error = readMetadata(path, value, *metadata))
          return std::move(error);
      continue;
    }
    Entry entry;
    entry.tensor.name = name;
    if (Error error = parseEntry(path, value, dataBytes, entry))
      return std::move(error);
    entry.tensor.file = file;
    entry.tensor.offset = dataOffset + uint64_t(entry.begin);
    entries.push_back(std::move(entry));
  }
  if (Error error = checkCoverage(path, entries, dataBytes))
    return std::move(error);
  std::vector<StoredTensor> tensors;
  tensors.reserve(entries.size());
  for (Entry &entry : entries)
    tensors.push_back(std::move(entry.tensor));
  return tensors;
}

} // namespace llamaweights
