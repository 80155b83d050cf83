//===- SpecialTokens.cpp - Finding special tokens in a text ---------------===//
//
// Entries are sorted by their texts, so those that share a beginning are a
// range; reading on byte by byte narrows it.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Tokenizer/SpecialTokens.h"

#include "runtime/Text/Tokenizer/Splitter.h"
#include "runtime/Text/Tokenizer/Utf8.h"

#include <algorithm>

using namespace llamaabi;

namespace llamart {

void SpecialTokens::List::finish() {
  std::erase_if(entries, [](const Entry &entry) { return entry.text.empty(); });
  auto getKey = [](const Entry &entry) {
    return std::pair(entry.text, entry.id);
  };
  std::ranges::sort(entries, std::less<>(), getKey);
  auto doubles = std::ranges::unique(entries, std::equal_to<>(), &Entry::text);
  entries.erase(doubles.begin(), doubles.end());
  for (const Entry &entry : entries)
    firstBytes.set(static_cast<unsigned char>(entry.text[0]));
}

SpecialTokens::SpecialTokens(const TokenizerBlob &blob, const TextSteps &steps)
    : blob(blob) {
  for (uint32_t id : blob.specialTokens) {
    Entry entry = {blob.getBytes(id), id, blob.getSpecialFlags(id)};
    all.entries.push_back(entry);
    if (!(entry.flags & kNormalized)) {
      raw.entries.push_back(entry);
      continue;
    }
    texts.push_back(steps.run(TextPhase::Normalize, entry.text));
    entry.text = texts.back();
    normalized.entries.push_back(entry);
  }
  for (List *list : {&raw, &normalized, &all})
    list->finish();
}

const SpecialTokens::Entry *SpecialTokens::List::matchAt(std::string_view text,
                                                         size_t at) const {
  const Entry *longest = nullptr;
  std::span<const Entry> range = entries;
  for (size_t depth = 0; at + depth < text.size() && !range.empty(); ++depth) {
    // A text that ends before `depth` sorts first, below every byte.
    auto getByte = [&](const Entry &entry) {
      return depth < entry.text.size()
                 ? static_cast<unsigned char>(entry.text[depth])
                 : -1;
    };
    int wanted = static_cast<unsigned char>(text[at + depth]);
    auto [first, last] =
        std::ranges::equal_range(range, wanted, std::less<>(), getByte);
    range = {first, last};
    if (!range.empty() && range[0].text.size() == depth + 1)
      longest = range.data();
  }
  return longest;
}

bool SpecialTokens::isAllowed(const Entry &entry, bool allowControl) const {
  return allowControl || blob.getType(entry.id) == TokenClass::UserDefined;
}

/// Whether word characters stand next to [begin, end).
static bool isInsideWord(std::string_view text, size_t begin, size_t end) {
  return endsWithWord(text.substr(0, begin)) ||
         startsWithWord(text.substr(end));
}

void SpecialTokens::cut(std::string_view text, Pass pass, bool allowControl,
                        const std::function<void(TextPart)> &take) const {
  const List &list = getList(pass);
  if (blob.has(kLongestFirst))
    return cutByLength(text, list, allowControl, take);
  size_t done = 0; // everything before it has been given out
  for (size_t at = 0; at < text.size() && !list.entries.empty();) {
    const Entry *match = nullptr;
    if (list.firstBytes.test(static_cast<unsigned char>(text[at])))
      match = list.matchAt(text, at);
    if (!match) {
      ++at;
      continue;
    }
    size_t begin = at, end = at + match->text.size();
    at = end;
    if (!isAllowed(*match, allowControl) ||
        ((match->flags & kSingleWord) && isInsideWord(text, begin, end)))
      continue;
    if (match->flags & kStripLeft)
      begin = std::max(done, begin - countSpacesAtEnd(text.substr(0, begin)));
    if (match->flags & kStripRight)
      end += countSpacesInFront(text.substr(end));
    if (done < begin)
      take({text.substr(done, begin - done)});
    take({text.substr(begin, end - begin), match->id});
    done = end;
  }
  if (done < text.size())
    take({text.substr(done)});
}

void SpecialTokens::cutByLength(
    std::string_view text, const List &list, bool allowControl,
    const std::function<void(TextPart)> &take) const {
  std::vector<const Entry *> order;
  for (const Entry &entry : list.entries)
    if (isAllowed(entry, allowControl))
      order.push_back(&entry);
  std::ranges::sort(order, [](const Entry *a, const Entry *b) {
    return std::pair(b->text.size(), a->id) < std::pair(a->text.size(), b->id);
  });
  std::vector<TextPart> parts = {{text}};
  for (const Entry *entry : order) {
    if (text.find(entry->text) == std::string_view::npos)
      continue;
    std::vector<TextPart> cut;
    for (TextPart part : parts) {
      size_t begin;
      while (part.id == kNoToken &&
             (begin = part.text.find(entry->text)) != std::string_view::npos) {
        cut.push_back({part.text.substr(0, begin)});
        cut.push_back({part.text.substr(begin, entry->text.size()), entry->id});
        part.text.remove_prefix(begin + entry->text.size());
      }
      cut.push_back(part);
    }
    parts = std::move(cut);
  }
  for (const TextPart &part : parts)
    if (!part.text.empty())
      take(part);
}

std::string_view SpecialTokens::getDecoded(uint32_t id) const {
  auto found = std::ranges::find(normalized.entries, id, &Entry::id);
  return found == normalized.entries.end() ? blob.getBytes(id) : found->text;
}

uint32_t SpecialTokens::lookup(std::string_view bytes) const {
  auto found =
      std::ranges::lower_bound(all.entries, bytes, std::less<>(), &Entry::text);
  return found != all.entries.end() && found->text == bytes ? found->id
                                                            : kNoToken;
}

std::string_view SpecialTokens::find(std::string_view text) const {
  for (size_t at = 0; at < text.size(); ++at)
    if (const Entry *match = all.matchAt(text, at))
      return text.substr(at, match->text.size());
  return {};
}

} // namespace llamart
