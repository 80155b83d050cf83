//===- DirichletSampler.h - entropix V5, the Dirichlet slider ---*- C++ -*-===//
//
// Keeps a moving picture of the sequence - mean log probabilities, entropies,
// surprises - and asks of every step whether it is an outlier. If not, it takes
// the best of the topK or draws from them at a temperature that gives them
// their usual entropy. If so, it draws a distribution from the Dirichlet that
// fits the picture, mixes it with the model's own and takes the best of that,
// or draws from it alone. Around it, four states as in the other versions. In
// nats.
//
// `compat`: the surprise is the logarithm of a negative number, so that from
// the second token on nothing is an outlier; no state is the first state; the
// normalizer of the Dirichlet's likelihood has the wrong sign.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_SAMPLER_DIRICHLETSAMPLER_H
#define LLAMA_RUNTIME_SAMPLER_DIRICHLETSAMPLER_H

#include "runtime/Sampler/OptionField.h"
#include "runtime/Sampler/Sampler.h"

#include <memory>
#include <span>
#include <vector>

namespace llamart {

struct DirichletOptions {
  bool compat = false;
  int32_t clarifyToken = -1; ///< -1: there is none
  uint64_t seed = 0;
  bool wild = true; ///< false: the Dirichlet's mean in place of a draw

  double noiseFloor = -12.0;
  int32_t topK = 6;
  double argmaxWeight = 0.1, argmaxBias = 1.2;

  // New picture = part * step + (1 - part) * old picture.
  double logpBase = 4.0, logpFactor = 3.0; ///< part = base^(-factor / KL)
  double tempPart = 0.7, dirichletPart = 0.7, topKPart = 0.7;
  double entScaffoldPart = 0.7, entNakedPart = 0.7;
  double varScaffoldPart = 0.7, varNakedPart = 0.7;
  double crossScaffoldPart = 0.65, crossNakedPart = 0.65;
  double crossVarScaffoldPart = 0.75, crossVarNakedPart = 0.65;

  // Outlier if the sum is above 0.
  double outlierBilinear = 1.3, outlierEnt = 0.8, outlierStd = 0.8;
  double outlierNakedEnt = 1.2, outlierNakedVarent = 1.2, outlierBias = 0.0;

  double targetLinear = 1.0, targetInverseTemp = 8.0, targetBias = 0.0;
  double dirichletWeight = 0.1, dirichletBias = 1.2;
  double perturbBase = 10.0, perturbFactor = 1.0;

  double lowEntropy = 0.3, mediumEntropy = 1.2, highEntropy = 2.5;
  double lowVarentropy = 1.2, highVarentropy = 2.5;
};

std::span<const OptionField<DirichletOptions>> getDirichletFields();

/// The picture of one sequence.
struct DirichletState : SamplerState {
  bool started = false;
  std::vector<double> logp;  ///< [vocab] mean log probabilities
  std::vector<double> alpha; ///< [vocab] the Dirichlet that fits them
  double alphaU = 0.0;       ///< digamma of alpha's sum
  double normalizer = 0.0;   ///< ln gamma of alpha's sum less the sum of theirs
  double temp = 1.0;
  double entScaffold = 0, entNaked = 0, varScaffold = 0, varNaked = 0;
  double crossScaffold = 0, crossNaked = 0;
  double crossVarScaffold = 0, crossVarNaked = 0;
  double dirichletEnt = 0, topKEnt = 0;

  // Sums over the rows of the prompt, until it is started.
  int64_t rows = 0, topKCount = 0;
  double sumEnt = 0, sumVar = 0, sumTopKEnt = 0, sumTop = 0, sumTopSquares = 0;

  std::unique_ptr<SamplerState> clone() const override;
  std::string save() const override;
  static std::unique_ptr<DirichletState> load(std::string_view saved);
};

/// Throws Error (Argument) if an option is out of range.
std::unique_ptr<Sampler>
createDirichletSampler(const DirichletOptions &options);

} // namespace llamart

#endif // LLAMA_RUNTIME_SAMPLER_DIRICHLETSAMPLER_H
