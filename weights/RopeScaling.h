//===- RopeScaling.h - Rules for stretching RoPE ----------------*- C++ -*-===//
//
//   rotary frequencies theta ^ (-2 i / headDim)  =>  those of longer contexts
//
// Three rules: every wave is stretched (linear), long ones are (llama3, by
// wavelength; yarn, by a ramp over the index).
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_ROPESCALING_H
#define LLAMA_WEIGHTS_ROPESCALING_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace llamaweights {

enum class RopeRule : uint8_t { Linear, Llama3, Yarn };

/// "linear", "llama3", "yarn".
llvm::StringRef getName(RopeRule rule);
std::optional<RopeRule> findRopeRule(llvm::StringRef name);

struct RopeScaling {
  double factor = 32.0;
  double lowFreqFactor = 1.0;          ///< Llama3
  double highFreqFactor = 4.0;         ///< Llama3
  int64_t originalMaxPositions = 8192; ///< Llama3, Yarn
  RopeRule rule = RopeRule::Llama3;
  /// Yarn: waves that turn more often than betaFast times in the original
  /// positions stay, those that turn less often than betaSlow times are
  /// stretched by the whole factor.
  double betaFast = 32.0, betaSlow = 1.0;
  /// Yarn: whether the ends of the ramp between the two are whole indices.
  bool truncate = true;

  /// The index of the last wave that stays and of the first that is stretched
  /// by the whole factor.
  std::pair<double, double> getYarnRamp(int64_t headDim, double theta) const;
};

/// Rotary frequencies in radians per position, headDim / 2 of them: theta ^
/// (-2 i / headDim), and what the rule makes of it, if there is one.
std::vector<double>
computeRopeFrequencies(int64_t headDim, double theta,
                       const std::optional<RopeScaling> &scaling);

/// What YaRN multiplies cosines and sines by if nothing else is stated (the
/// paper's 0.1 ln(factor) + 1, the logarithm times `mscale`); 1 up to a factor
/// of 1.
double getYarnAttentionFactor(double factor, double mscale = 1.0);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_ROPESCALING_H
