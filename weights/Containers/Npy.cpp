//===- Npy.cpp - *.npy -----------------------------------------------------===//
//
// The dictionary is read by a parser for exactly the literals numpy writes:
// three keys, a string, True or False, a tuple of integers.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/Npy.h"

#include "weights/InputError.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Endian.h"

#include <algorithm>

using namespace llvm;

namespace llamaweights {
namespace {

// numpy itself reads at most 10000 characters of a file it does not trust.
constexpr uint64_t kLongestHeader = 10000;
constexpr size_t kMostDimensions = 8;

struct Header {
  std::optional<std::string> descr;
  std::optional<bool> fortranOrder;
  std::optional<std::vector<int64_t>> shape;
};

/// Walks over the text of the dictionary; each function is false if the text
/// does not go on as it should, and has otherwise consumed what it found.
class HeaderParser {
public:
  explicit HeaderParser(StringRef text) : rest(text) {}

  bool parse(Header &header) {
    if (!consume("{"))
      return false;
    while (!consume("}")) {
      std::string key;
      if (!parseString(key) || !consume(":") || !parseValue(key, header))
        return false;
      if (!consume(",") && !startsWith("}"))
        return false;
    }
    return rest.trim().empty();
  }

private:
  bool startsWith(StringRef token) {
    rest = rest.ltrim();
    return rest.starts_with(token);
  }

  bool consume(StringRef token) {
    return startsWith(token) && rest.consume_front(token);
  }

  bool parseString(std::string &out) {
    rest = rest.ltrim();
    if (rest.empty() || (rest[0] != '\'' && rest[0] != '"'))
      return false;
    size_t end = rest.find(rest[0], 1);
    if (end == StringRef::npos)
      return false;
    out = rest.slice(1, end).str();
    rest = rest.drop_front(end + 1);
    return out.find('\\') == out.npos;
  }

  bool parseValue(StringRef key, Header &header) {
    if (key == "descr")
      return !header.descr && parseString(header.descr.emplace());
    if (key == "fortran_order") {
      if (header.fortranOrder)
        return false;
      header.fortranOrder = consume("True");
      return *header.fortranOrder || consume("False");
    }
    return key == "shape" && !header.shape &&
           parseShape(header.shape.emplace());
  }

  bool parseShape(std::vector<int64_t> &shape) {
    if (!consume("("))
      return false;
    while (!consume(")")) {
      int64_t dim = 0;
      rest = rest.ltrim();
      if (shape.size() == kMostDimensions || rest.consumeInteger(10, dim))
        return false;
      rest.consume_front("L"); // Python 2's long integers
      shape.push_back(dim);
      if (!consume(",") && !startsWith(")"))
        return false;
    }
    return true;
  }

  StringRef rest;
};

/// Text of the dictionary; `dataOffset` is where the elements begin.
Expected<std::string> readHeader(const InputFile &file, uint64_t &dataOffset) {
  StringRef path = file.getPath();
  char preamble[12] = {};
  size_t available = std::min<uint64_t>(file.getSize(), sizeof(preamble));
  if (Error error = file.read(0, {preamble, available}))
    return std::move(error);
  if (available < 10 || !StringRef(preamble, 6).starts_with("\x93NUMPY"))
    return makeInputError(path, "is not a npy file");
  unsigned major = uint8_t(preamble[6]), minor = uint8_t(preamble[7]);
  if (major < 1 || major > 3 || minor != 0)
    return makeInputError(path, "npy version " + Twine(major) + "." +
                                    Twine(minor) +
                                    ", expected 1.0, 2.0 or 3.0");
  uint64_t start = major == 1 ? 10 : 12;
  uint64_t length = major == 1 ? support::endian::read16le(preamble + 8)
                               : support::endian::read32le(preamble + 8);
  if (length > kLongestHeader)
    return makeInputError(path, "the header has " + Twine(length) +
                                    " bytes, expected at most " +
                                    Twine(kLongestHeader));
  dataOffset = start + length;
  if (dataOffset > file.getSize())
    return makeInputError(path, "the header has " + Twine(length) +
                                    " bytes, but the file ends at byte " +
                                    Twine(file.getSize()));
  std::string text(length, '\0');
  if (Error error = file.read(start, {text.data(), text.size()}))
    return std::move(error);
  return text;
}

std::optional<DType> parseDType(StringRef descr) {
  return StringSwitch<std::optional<DType>>(descr)
      .Case("<f4", DType::F32)
      .Case("<f2", DType::F16)
      .Cases({"<V2", "|V2", "V2"}, DType::BF16)
      .Default(std::nullopt);
}

} // namespace

Expected<StoredTensor> readNpy(std::shared_ptr<InputFile> file) {
  StringRef path = file->getPath();
  StoredTensor tensor;
  Expected<std::string> text = readHeader(*file, tensor.offset);
  if (!text)
    return text.takeError();
  Header header;
  if (!HeaderParser(*text).parse(header) || !header.descr ||
      !header.fortranOrder || !header.shape)
    return makeInputError(path, "expected a header with descr, fortran_order "
                                "and shape, found " +
                                    quote(StringRef(*text).rtrim()));
  std::optional<DType> type = parseDType(*header.descr);
  if (!type)
    return makeInputError(path, "expected elements '<f4', '<f2' or 'V2', "
                                "found " +
                                    quote(*header.descr));
  bool isVector = std::count_if(header.shape->begin(), header.shape->end(),
                                [](int64_t dim) { return dim != 1; }) <= 1;
  if (*header.fortranOrder && !isVector)
    return makeInputError(path, "is in Fortran order, expected C order");

  std::optional<int64_t> bytes = getStoredBytes(*type, *header.shape);
  if (!bytes)
    return makeInputError(path, "shape " + formatShape(*header.shape) +
                                    " has a negative dimension or does not "
                                    "fit in 63 bits of bytes");
  uint64_t stored = file->getSize() - tensor.offset;
  if (stored != uint64_t(*bytes))
    return makeInputError(path, "holds " + Twine(stored) +
                                    " bytes of elements, but shape " +
                                    formatShape(*header.shape) + " of " +
                                    *header.descr + " has " + Twine(*bytes));
  tensor.dtype = *type;
  tensor.shape = std::move(*header.shape);
  tensor.file = std::move(file);
  return tensor;
}

} // namespace llamaweights
