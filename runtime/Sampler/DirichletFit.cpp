//===- DirichletFit.cpp - The Dirichlet with given mean logarithms --------===//

#include "runtime/Sampler/DirichletFit.h"

#include "runtime/Sampler/GammaFunctions.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace llamart {

DirichletFit fitDirichlet(std::span<const double> targets, double near,
                          std::span<double> alpha) {
  constexpr double kMostSum = 1e6;
  constexpr double kEnough = 1e-10;
  constexpr int kMostPasses = 100;
  const InverseDigammaTable &table = InverseDigammaTable::get();
  double low = -std::numeric_limits<double>::infinity(); // f > 0 there
  double high = digamma(kMostSum);                       // f < 0, or the limit
  DirichletFit fit;
  fit.u = std::min(near, high);
  while (fit.passes < kMostPasses) {
    double slopes = 0.0;
    fit.sum = 0.0;
    for (size_t i = 0; i < targets.size(); ++i) {
      InverseDigammaTable::Value value = table.getValue(targets[i] + fit.u);
      alpha[i] = value.x;
      fit.sum += value.x;
      slopes += value.slope;
    }
    ++fit.passes;
    // f falls through 0: from minus infinity for small u, it goes like u.
    double f = digamma(fit.sum) - fit.u;
    fit.error = std::abs(f);
    if (fit.error < kEnough || (f > 0 && fit.u >= high))
      return fit;
    (f > 0 ? low : high) = fit.u;
    double slope = trigamma(fit.sum) * slopes - 1.0;
    double next = fit.u - f / slope;
    if (slope >= 0.0 || !(next > low && next < high))
      next = std::isinf(low) ? fit.u - 1.0 - std::abs(fit.u) : (low + high) / 2;
    if (next == fit.u)
      return fit;
    fit.u = next;
  }
  return fit;
}

} // namespace llamart
