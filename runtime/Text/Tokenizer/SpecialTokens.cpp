//===- SpecialTokens.cpp - Finding special tokens in a text ---------------===//
//
// The ids are sorted by their bytes (rule F6), so those that share a beginning
// are a range; reading on byte by byte narrows it.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Tokenizer/SpecialTokens.h"

#include <algorithm>

using namespace llamaabi;

namespace llamart {

SpecialTokens::SpecialTokens(const TokenizerBlob &blob) : blob(blob) {
  for (uint32_t id : blob.specialTokens)
    if (std::string_view bytes = blob.getBytes(id); !bytes.empty())
      firstBytes.set(static_cast<unsigned char>(bytes[0]));
}

std::optional<SpecialMatch> SpecialTokens::matchAt(std::string_view text,
                                                   size_t at,
                                                   bool allowControl) const {
  std::optional<SpecialMatch> longest;
  std::span<const uint32_t> range = blob.specialTokens;
  for (size_t depth = 0; at + depth < text.size() && !range.empty(); ++depth) {
    // A token that ends before `depth` sorts first, below every byte.
    auto getByte = [&](uint32_t id) {
      std::string_view bytes = blob.getBytes(id);
      return depth < bytes.size() ? static_cast<unsigned char>(bytes[depth])
                                  : -1;
    };
    int wanted = static_cast<unsigned char>(text[at + depth]);
    auto [first, last] =
        std::ranges::equal_range(range, wanted, std::less<>(), getByte);
    range = {first, last};
    if (range.empty() || blob.getBytes(range[0]).size() != depth + 1)
      continue;
    if (allowControl || blob.getType(range[0]) == TokenClass::UserDefined)
      longest = {at, depth + 1, range[0]};
  }
  return longest;
}

std::optional<SpecialMatch> SpecialTokens::find(std::string_view text,
                                                size_t from,
                                                bool allowControl) const {
  if (firstBytes.none())
    return std::nullopt;
  for (size_t at = from; at < text.size(); ++at)
    if (firstBytes.test(static_cast<unsigned char>(text[at])))
      if (auto match = matchAt(text, at, allowControl))
        return match;
  return std::nullopt;
}

uint32_t SpecialTokens::lookup(std::string_view bytes) const {
  auto match = matchAt(bytes, 0, /*allowControl=*/true);
  return match && match->length == bytes.size() ? match->id : kNoToken;
}

} // namespace llamart
