//===- StopFilter.cpp - Ends a text at a stop string ----------------------===//

#include "runtime/Generate/StopFilter.h"

#include <algorithm>
#include <utility>

using namespace llamart;

StopFilter::StopFilter(std::vector<std::string> strings)
    : stops(std::move(strings)) {
  std::erase(stops, "");
}

std::string StopFilter::push(std::string_view text) {
  if (stopped)
    return "";
  held += text;
  size_t stop = findStop();
  stopped = stop != std::string::npos;
  size_t safe = stopped ? stop : countSafe();
  std::string result = held.substr(0, safe);
  held.erase(0, safe);
  return result;
}

std::string StopFilter::finish() {
  return stopped ? "" : std::exchange(held, "");
}

size_t StopFilter::findStop() const {
  size_t first = std::string::npos;
  for (const std::string &stop : stops)
    first = std::min(first, held.find(stop));
  return first;
}

size_t StopFilter::countSafe() const {
  size_t longest = 0;
  for (const std::string &stop : stops)
    longest = std::max(longest, stop.size());
  size_t begin = held.size() - std::min(held.size(), longest);
  for (; begin < held.size(); ++begin) {
    std::string_view tail = std::string_view(held).substr(begin);
    bool mayStop =
        std::any_of(stops.begin(), stops.end(), [&](const std::string &stop) {
          return stop.starts_with(tail);
        });
    if (mayStop)
      break;
  }
  return begin;
}
