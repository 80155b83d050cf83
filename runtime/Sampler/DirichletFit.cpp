//===- DirichletFit.cpp - The Dirichlet with given mean logarithms --------===//

#include "runtime/Sampler/DirichletFit.h"

#include "runtime/Sampler/Distribution.h"
#include "runtime/Sampler/GammaFunctions.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace llamart {
namespace {

/// Targets as weights of equidistant points. A target between two of them gives
/// weights to those and their neighbours, as cubic interpolation would take
/// values from them: the sum of weights times f is that of f over the targets,
/// to 1e-10 of f's fourth derivative.
class TargetGrid {
public:
  static constexpr double kPerUnit = 128.0;

  explicit TargetGrid(std::span<const double> targets) {
    Range range = findRange(targets);
    constexpr double kMostUnits = 64.0;
    if (!(range.high - range.low <= kMostUnits))
      return;
    lowest = range.low;
    weights.resize(size_t((range.high - lowest) * kPerUnit) + 4);
    size_t equal = 0; // to the lowest: a floor, where most targets lie
    for (double target : targets) {
      if (target == lowest)
        ++equal;
      else
        add((target - lowest) * kPerUnit);
    }
    weights[1] += double(equal);
  }

  /// Whether the targets are too far apart for a grid.
  bool isEmpty() const { return weights.empty(); }

  /// visit(point, weight) for all points, moved by u.
  template <typename Visit>
  void forEach(double u, Visit visit) const {
    for (size_t i = 0; i < weights.size(); ++i)
      if (weights[i] != 0.0)
        visit(lowest + (double(i) - 1.0) / kPerUnit + u, weights[i]);
  }

private:
  /// Point i + 1 stands for `at` = i.
  void add(double at) {
    auto i = static_cast<size_t>(at);
    double t = at - double(i), before = t + 1.0, after = 1.0 - t;
    double beyond = 2.0 - t;
    double *near = &weights[i];
    near[0] -= t * after * beyond * (1.0 / 6.0);
    near[1] += before * after * beyond * 0.5;
    near[2] += before * t * beyond * 0.5;
    near[3] -= before * t * after * (1.0 / 6.0);
  }

  double lowest = 0.0;
  std::vector<double> weights;
};

/// The sum of a(u), and its derivative.
struct Sums {
  double alpha = 0.0, slope = 0.0;

  void add(const InverseDigammaTable::Value &value, double weight) {
    alpha += weight * value.x;
    slope += weight * value.slope;
  }
};

/// Moves fit.u to where digamma(sum of a(u)) is u.
template <typename Evaluate>
void solve(DirichletFit &fit, Evaluate evaluate) {
  constexpr double kMostSum = 1e6;
  constexpr double kEnough = 1e-10; // the table is good to 1e-9
  constexpr int kMostSteps = 100;
  double low = -std::numeric_limits<double>::infinity(); // f > 0 there
  double high = digamma(kMostSum);                       // f < 0, or the limit
  fit.u = std::min(fit.u, high);
  for (int step = 0; step < kMostSteps; ++step) {
    Sums sums = evaluate(fit.u);
    fit.sum = sums.alpha;
    // f falls through 0: from minus infinity for small u, it goes like u.
    double f = digamma(fit.sum) - fit.u;
    fit.error = std::abs(f);
    if (fit.error < kEnough || (f > 0 && fit.u >= high))
      return;
    (f > 0 ? low : high) = fit.u;
    double slope = trigamma(fit.sum) * sums.slope - 1.0;
    double next = fit.u - f / slope;
    if (slope >= 0.0 || !(next > low && next < high))
      next = std::isinf(low) ? fit.u - 1.0 - std::abs(fit.u) : (low + high) / 2;
    if (next == fit.u)
      return;
    fit.u = next;
  }
}

} // namespace

DirichletFit fitDirichlet(std::span<const double> targets, double near,
                          std::span<double> alpha) {
  const InverseDigammaTable &table = InverseDigammaTable::get();
  DirichletFit fit;
  fit.u = near;
  TargetGrid grid(targets);
  if (grid.isEmpty()) { // many passes over the targets
    solve(fit, [&](double u) {
      Sums sums;
      for (double target : targets)
        sums.add(table.getValue(target + u), 1.0);
      return sums;
    });
    for (double target : targets)
      fit.logGammas += table.getLogGamma(target + fit.u);
  } else {
    solve(fit, [&](double u) {
      Sums sums;
      grid.forEach(u, [&](double point, double weight) {
        sums.add(table.getValue(point), weight);
      });
      return sums;
    });
    grid.forEach(fit.u, [&](double point, double weight) {
      fit.logGammas += weight * table.getLogGamma(point);
    });
  }
  table.getInverses(targets, fit.u, alpha);
  fit.sum = sumWeights(alpha);
  return fit;
}

} // namespace llamart
