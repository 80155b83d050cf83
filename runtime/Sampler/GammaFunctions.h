//===- GammaFunctions.h - Digamma, its derivative and its inverse -*- C++ -*-=//

#ifndef LLAMA_RUNTIME_SAMPLER_GAMMAFUNCTIONS_H
#define LLAMA_RUNTIME_SAMPLER_GAMMAFUNCTIONS_H

#include <span>
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
  /// result[i] = x(values[i] + shift).
  void getInverses(std::span<const double> values, double shift,
                   std::span<double> result) const;
  double getLogGamma(double y) const;

  static const InverseDigammaTable &get();

private:
  InverseDigammaTable();

  /// c0 + t (c1 + t (c2 + t c3)), t from 0 to 1 in a piece.
  struct Cubic {
    double c0, c1, c2, c3;
    double getValue(double t) const {
      return c0 + t * (c1 + t * (c2 + t * c3));
    }
    double getSlope(double t) const { return c1 + t * (2 * c2 + t * 3 * c3); }
  };
  std::vector<Cubic> inverses, logs;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_SAMPLER_GAMMAFUNCTIONS_H
