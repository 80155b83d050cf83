//===- DirichletFit.h - The Dirichlet with given mean logarithms -*- C++ -*-==//
//
// Solves  digamma(a_i) - digamma(sum of a) = t_i,  the likeliest Dirichlet
// distribution whose samples have mean logarithms t.
//
// With u = digamma(sum of a) every a_i is inverseDigamma(t_i + u): what is left
// is one equation for the number u, digamma(sum of a(u)) = u, for Newton's
// method with a bracket. It needs sums of a function over all t_i + u, for
// several u. Targets are spread over a grid once, in such a way that the sum of
// any smooth function over them is one over the grid's points; so there is one
// pass over the targets to spread them and one to write a, where Newton's
// method for all a_i at once makes 140 passes with digamma, trigamma and
// tetragamma.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_SAMPLER_DIRICHLETFIT_H
#define LLAMA_RUNTIME_SAMPLER_DIRICHLETFIT_H

#include <span>

namespace llamart {

struct DirichletFit {
  double u = 0.0;         ///< digamma of the sum
  double sum = 0.0;       ///< of all a_i
  double logGammas = 0.0; ///< sum of ln gamma(a_i)
  double error = 0.0;     ///< of digamma(sum) - u
};

/// Writes a. `near` is a guess of u: that of targets a little different. There
/// is a solution if the sum of e^t is below 1; the sum of a is held to 1e6.
DirichletFit fitDirichlet(std::span<const double> targets, double near,
                          std::span<double> alpha);

} // namespace llamart

#endif // LLAMA_RUNTIME_SAMPLER_DIRICHLETFIT_H
