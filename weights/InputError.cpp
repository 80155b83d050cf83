//===- InputError.cpp - One line for whoever wrote the input --------------===//
//
// The formatting behind every message of the room.
//
//===----------------------------------------------------------------------===//

#include "weights/InputError.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace llamaweights {

Error makeInputError(const Twine &where, const Twine &message) {
  return createStringError(inconvertibleErrorCode(), where + ": " + message);
}

std::string quote(StringRef text) {
  constexpr size_t kLongest = 120;
  std::string result;
  raw_string_ostream out(result);
  out << '\'';
  for (unsigned char c : text.take_front(kLongest)) {
    if (c >= 0x20 && c != 0x7f)
      out << c;
    else
      out << '\\' << hexdigit(c >> 4) << hexdigit(c & 15);
  }
  if (text.size() > kLongest)
    out << "...";
  out << '\'';
  return result;
}

std::string formatShape(ArrayRef<int64_t> shape) {
  std::string result;
  raw_string_ostream out(result);
  out << '[';
  interleaveComma(shape, out);
  out << ']';
  return result;
}

} // namespace llamaweights
