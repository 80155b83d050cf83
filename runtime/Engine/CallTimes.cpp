//===- CallTimes.cpp - How long forward calls take ------------------------===//

#include "runtime/Engine/CallTimes.h"

using namespace llamart;

void CallTimes::add(int64_t callRows, double seconds) {
  constexpr double kOld = 0.8;
  auto n = double(callRows);
  auto update = [](double &sum, double value) { sum = kOld * sum + value; };
  update(calls, 1);
  update(rows, n);
  update(times, seconds);
  update(rowSquares, n * n);
  update(products, n * seconds);
  largest = std::max(largest, callRows);
}

int64_t CallTimes::getRows(double seconds) const {
  int64_t most = 4 * largest;
  if (times <= 0.0)
    return most;
  // Least squares. Calls of much the same size say nothing about the slope:
  // then the time is all the rows', which is too much rather than too little.
  double spread = calls * rowSquares - rows * rows;
  double perRow = times / rows, fixed = 0.0;
  if (spread > 0.01 * rows * rows) {
    double slope = (calls * products - rows * times) / spread;
    double start = (times - slope * rows) / calls;
    if (slope > 0.0 && start > 0.0) {
      perRow = slope;
      fixed = start;
    }
  }
  double result = (seconds - fixed) / perRow;
  return std::clamp<int64_t>(int64_t(std::min(result, double(most))), 1, most);
}
