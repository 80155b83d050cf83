//===- InputError.cpp - One line for whoever wrote the input --------------===//
//
// How every message of the room is formatted.
//
//===----------------------------------------------------------------------===//

#include "weights/InputError.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using namespace llvm;

namespace llamaweights {

Error makeInputError(const Twine &where, const Twine &message) {
  return createStringError(inconvertibleErrorCode(), where + ": " + message);
}

std::string quote(StringRef text) {
  constexpr size_t kLongest = 120;
  const auto *begin = reinterpret_cast<const UTF8 *>(text.data());
  bool isText = isLegalUTF8String(&begin, begin + text.size());
  size_t shown = std::min(text.size(), kLongest);
  while (isText && shown > 0 && shown < text.size() &&
         (uint8_t(text[shown]) & 0xc0) == 0x80)
    --shown; // not within a character

  std::string result;
  raw_string_ostream out(result);
  out << '\'';
  for (unsigned char c : text.take_front(shown)) {
    if (c >= 0x20 && c != 0x7f && (isText || c < 0x80))
      out << c;
    else
      out << '\\' << hexdigit(c >> 4) << hexdigit(c & 15);
  }
  if (shown < text.size())
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
