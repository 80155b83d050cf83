//===- StopFilter.h - Ends a text at a stop string --------------*- C++ -*-===//
//
// stops {"\nUser:"}, pieces "Hi.", "\nUs", "er: x"  =>  "Hi.", "", "", stopped
//
// Text that may turn out to be the beginning of a stop string is held back.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_GENERATE_STOPFILTER_H
#define LLAMA_RUNTIME_GENERATE_STOPFILTER_H

#include <string>
#include <string_view>
#include <vector>

namespace llamart {

class StopFilter {
public:
  /// Empty strings are ignored.
  explicit StopFilter(std::vector<std::string> stops);

  /// Adds text; returns what is safe to show. After a stop: nothing.
  std::string push(std::string_view text);

  /// The end: what was held back.
  std::string finish();

  /// Whether a stop string was seen. What was returned ends before it.
  bool isStopped() const { return stopped; }

private:
  size_t findStop() const;  // where the first stop string begins, or npos
  size_t countSafe() const; // leading bytes that no stop string can begin in

  std::vector<std::string> stops;
  std::string held;
  bool stopped = false;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_GENERATE_STOPFILTER_H
