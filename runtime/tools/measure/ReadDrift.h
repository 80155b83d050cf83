//===- ReadDrift.h - Whether a machine stayed the same ----------*- C++ -*-===//
//
// Reads are measured before and after a measurement. Where they differ, someone
// else used the machine, and what lies between them says little.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TOOLS_MEASURE_READDRIFT_H
#define LLAMA_RUNTIME_TOOLS_MEASURE_READDRIFT_H

namespace llamart::tools {

/// The fastest reads of a pass before a measurement and of one after it.
struct ReadDrift {
  /// A difference above this share of the faster one is noise.
  static constexpr double kMost = 0.05;
  /// A noisy measurement is repeated until there are so many.
  static constexpr int kMostMeasurements = 3;

  double before = 0, after = 0; ///< bytes per second, above 0

  /// |before - after| as a share of the larger; 0: the same.
  double getShare() const;
  bool isNoise() const { return getShare() > kMost; }
  /// Whether to measure again after so many measurements.
  bool isRepeated(int measurements) const {
    return isNoise() && measurements < kMostMeasurements;
  }
};

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_MEASURE_READDRIFT_H
