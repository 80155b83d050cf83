//===- GammaFunctions.h - Digamma, its derivative and its inverse -*- C++ -*-=//

#ifndef LLAMA_RUNTIME_SAMPLER_GAMMAFUNCTIONS_H
#define LLAMA_RUNTIME_SAMPLER_GAMMAFUNCTIONS_H

#include "runtime/Sampler/Philox.h"

#include <vector>

namespace llamart {

/// The derivative of ln gamma, for x > 0. To about 1e-14 of its size.
double digamma(double x);

/// The derivative of digamma, for x > 0.
double trigamma(double x);

/// ln gamma without lgamma's global sign, for x > 0.
double logGamma(double x);

/// The x > 0 whose digamma is y. To about 1e-14 of its size.
double inverseDigamma(double y);

/// x(y) = inverseDigamma(y) and lnGamma(x(y)) from a table, cubic in pieces of
/// 1/64: to 1e-9 of their size between -64 and 20, computed elsewhere.
class InverseDigammaTable {
public:
  struct Value {
    double x = 0.0, slope = 0.0;
  };
  /// x and dx/dy.
  Value getValue(double y) const;
  double getLogGamma(double y) const;

  static const InverseDigammaTable &get();

private:
  InverseDigammaTable();
  struct Node {
    double x, slope, logGamma, logGammaSlope;
  };
  std::vector<Node> nodes;
};

/// A gamma variate of shape `alpha` > 0, as its logarithm, for small shapes
/// underflow (Marsaglia and Tsang, "A simple method for generating gamma
/// variables", 2000). `first` is the first of its random numbers.
double drawLogGamma(double alpha, const StepRandom &random, uint32_t first);

} // namespace llamart

#endif // LLAMA_RUNTIME_SAMPLER_GAMMAFUNCTIONS_H
