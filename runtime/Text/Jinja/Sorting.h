//===- Sorting.h - A stable sort by any order -------------------*- C++ -*-===//
//
// An order of values may be none (a NaN) and may throw: this stays in bounds
// then, which std::sort does not promise.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_JINJA_SORTING_H
#define LLAMA_RUNTIME_TEXT_JINJA_SORTING_H

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace llamart::jinja {

/// Merge sort from below.
template <typename T, typename Less>
void sortStably(std::vector<T> &items, Less less) {
  std::vector<T> merged;
  for (size_t width = 1; width < items.size(); width *= 2) {
    merged.clear();
    for (size_t begin = 0; begin < items.size(); begin += 2 * width) {
      size_t a = begin, middle = std::min(begin + width, items.size());
      size_t b = middle, end = std::min(begin + 2 * width, items.size());
      while (a < middle || b < end) {
        bool takeSecond = a == middle || (b < end && less(items[b], items[a]));
        merged.push_back(std::move(items[takeSecond ? b++ : a++]));
      }
    }
    items.swap(merged);
  }
}

} // namespace llamart::jinja

#endif // LLAMA_RUNTIME_TEXT_JINJA_SORTING_H
