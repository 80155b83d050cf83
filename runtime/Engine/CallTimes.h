//===- CallTimes.h - How long forward calls take ----------------*- C++ -*-===//
//
// (rows, time) of past calls  =>  rows of a call that ends in time
//
// A straight line through what was measured, in which each call counts four
// fifths of the one after it.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ENGINE_CALLTIMES_H
#define LLAMA_RUNTIME_ENGINE_CALLTIMES_H

#include <algorithm>
#include <cstdint>

namespace llamart {

class CallTimes {
public:
  void add(int64_t rows, double seconds);

  /// Rows of a call that is expected to take at most `seconds`, 1 or more; not
  /// many more than were ever measured, as the line may bend.
  int64_t getRows(double seconds) const;

private:
  double calls = 0, rows = 0, times = 0, rowSquares = 0, products = 0; // sums
  int64_t largest = 4; // rows of a call so far
};

} // namespace llamart

#endif // LLAMA_RUNTIME_ENGINE_CALLTIMES_H
