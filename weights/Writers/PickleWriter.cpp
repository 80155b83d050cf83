//===- PickleWriter.cpp - Pickled data without Python ---------------------===//
//
// Operations that exist since protocol 2; beginBytes needs protocol 4.
//
//===----------------------------------------------------------------------===//

#include "weights/Writers/PickleWriter.h"

#include "llvm/Support/Endian.h"

#include <cassert>
#include <limits>
#include <utility>

using namespace llvm;

namespace llamaweights {
namespace {

template <typename T>
std::string littleEndian(T value) {
  char text[sizeof(T)];
  support::endian::write<T, endianness::little>(text, value);
  return {text, sizeof(T)};
}

} // namespace

void PickleWriter::integer(int64_t value) {
  if (value >= 0 && value <= 0xff)
    bytes += "K" + littleEndian(uint8_t(value));
  else if (value >= std::numeric_limits<int32_t>::min() &&
           value <= std::numeric_limits<int32_t>::max())
    bytes += "J" + littleEndian(int32_t(value));
  else
    bytes += "\x8a\x08" + littleEndian(value);
}

void PickleWriter::string(StringRef text) {
  bytes += "X" + littleEndian(uint32_t(text.size())) + text.str();
}

void PickleWriter::global(StringRef module, StringRef name) {
  bytes += "c" + module.str() + "\n" + name.str() + "\n";
}

void PickleWriter::shape(ArrayRef<int64_t> dims) {
  mark();
  for (int64_t dim : dims)
    integer(dim);
  tuple();
}

void PickleWriter::shortBytes(StringRef value) {
  assert(value.size() < 256 && "has one byte for its length");
  bytes += "C" + littleEndian(uint8_t(value.size())) + value.str();
}

void PickleWriter::beginBytes(uint64_t length) {
  bytes += "\x8e" + littleEndian(length);
}

std::string PickleWriter::take() { return std::exchange(bytes, ""); }

} // namespace llamaweights
