//===- Text.cpp - A string that knows where it is from --------------------===//

#include "runtime/Text/Jinja/Text.h"

#include "runtime/Text/Jinja/Meter.h"

#include <algorithm>

namespace llamart::jinja {

void Text::append(std::string_view bytes, Origin origin) {
  if (bytes.empty())
    return;
  addBytes(bytes.size());
  string += bytes;
  if (runs.empty() || runs.back().origin != origin)
    runs.push_back({0, origin});
  runs.back().end = string.size();
}

void Text::append(const Text &text, size_t begin, size_t end) {
  auto run = std::ranges::upper_bound(text.runs, begin, {}, &TextRun::end);
  while (begin < end) {
    size_t stop = std::min(run->end, end);
    append(text.bytes().substr(begin, stop - begin), run->origin);
    begin = stop;
    ++run;
  }
}

Text Text::slice(size_t begin, size_t end) const {
  Text result;
  result.append(*this, begin, end);
  return result;
}

Origin Text::getOrigin(size_t offset) const {
  return std::ranges::upper_bound(runs, offset, {}, &TextRun::end)->origin;
}

Origin Text::getWeakestOrigin() const {
  Origin weakest = Origin::Literal;
  for (const TextRun &run : runs)
    weakest = std::max(weakest, run.origin);
  return weakest;
}

} // namespace llamart::jinja
