//===- ByteLevel.cpp - Bytes as printable characters ----------------------===//
//
// One table and its reverse.
//
//===----------------------------------------------------------------------===//

#include "weights/Tokenizers/ByteLevel.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ConvertUTF.h"

#include <array>

using namespace llvm;

namespace llamaweights {

/// The byte for each of the 256 characters of byte-level tokens: a printable
/// Latin-1 character is itself, the others follow from U+0100 on in order.
static std::array<int, 512> makeByteOfCharacter() {
  std::array<int, 512> bytes;
  bytes.fill(-1);
  int next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    bool printable = (byte >= '!' && byte <= '~') ||
                     (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    bytes[printable ? byte : next++] = byte;
  }
  return bytes;
}

std::optional<std::string> decodeByteLevel(StringRef token) {
  static const std::array<int, 512> byteOfCharacter = makeByteOfCharacter();
  std::string bytes;
  const auto *at = reinterpret_cast<const UTF8 *>(token.bytes_begin());
  const auto *end = reinterpret_cast<const UTF8 *>(token.bytes_end());
  while (at != end) {
    UTF32 character;
    if (convertUTF8Sequence(&at, end, &character, strictConversion) !=
            conversionOK ||
        character >= byteOfCharacter.size() || byteOfCharacter[character] < 0)
      return std::nullopt;
    bytes += char(byteOfCharacter[character]);
  }
  return bytes;
}

std::string encodeByteLevel(StringRef bytes) {
  static const auto characterOfByte = [] {
    std::array<int, 512> byteOfCharacter = makeByteOfCharacter();
    std::array<std::string, 256> characters;
    for (auto [character, byte] : enumerate(byteOfCharacter)) {
      char utf8[UNI_MAX_UTF8_BYTES_PER_CODE_POINT];
      char *end = utf8;
      if (byte >= 0 && ConvertCodePointToUTF8(unsigned(character), end))
        characters[size_t(byte)].assign(utf8, end);
    }
    return characters;
  }();
  std::string text;
  for (unsigned char byte : bytes)
    text += characterOfByte[byte];
  return text;
}
} // namespace llamaweights
