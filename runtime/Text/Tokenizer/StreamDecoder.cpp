//===- StreamDecoder.cpp - Ids to valid UTF-8, one at a time --------------===//

#include "runtime/Text/Tokenizer/TokenizerImpl.h"
#include "runtime/Text/Tokenizer/Utf8.h"

using namespace llamaabi;

namespace llamart {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD"; // U+FFFD

void appendReplacement(std::string &text, size_t invalidBytes, bool perByte) {
  for (size_t n = perByte ? invalidBytes : 1; n > 0; --n)
    text += kReplacement;
}

} // namespace

StreamDecoder::StreamDecoder(const Tokenizer &tokenizer, StreamStart start,
                             SpecialText special)
    : impl(tokenizer.impl.get()), special(special),
      atStart(start == StreamStart::OfText) {}

std::string StreamDecoder::push(int32_t id) {
  const TokenizerBlob &blob = impl->blob;
  auto unsignedId = static_cast<uint32_t>(id);
  TokenClass type = blob.getType(unsignedId);
  if (type == TokenClass::Control && special == SpecialText::Hide)
    return {};

  std::string_view bytes = impl->specials.getDecoded(unsignedId);
  std::string spaceless;
  if (atStart && blob.has(kDropFirstSpaces)) {
    spaceless = bytes;
    if (type == TokenClass::Normal)
      std::erase(spaceless, ' ');
    bytes = spaceless;
    atStart = false;
  }
  // The library drops spaces of pieces only, `tokenizers` those of bytes too.
  if (atStart &&
      (!impl->isSentencePiece() || type == TokenClass::Normal ||
       type == TokenClass::UserDefined || type == TokenClass::Unused)) {
    if (blob.has(kStripLeadingSpaces)) {
      bytes.remove_prefix(std::min(bytes.find_first_not_of(' '), bytes.size()));
    } else if (blob.has(kStripFirstSpace) && bytes.starts_with(' ')) {
      bytes.remove_prefix(1);
      atStart = false;
    }
  }
  if (!bytes.empty())
    atStart = false;

  held += bytes;
  std::string text;
  std::string_view rest = held;
  while (!rest.empty()) {
    Utf8Step step = stepUtf8(rest);
    if (step.status == Utf8Status::Incomplete)
      break;
    if (step.status == Utf8Status::Valid)
      text += rest.substr(0, step.length);
    else
      appendReplacement(text, step.length, impl->isSentencePiece());
    rest.remove_prefix(step.length);
  }
  held = std::string(rest);
  return text;
}

std::string StreamDecoder::finish() {
  std::string text;
  if (!held.empty())
    appendReplacement(text, held.size(), impl->isSentencePiece());
  held.clear();
  return text;
}

} // namespace llamart
