//===- DirichletOptions.cpp - Constants of V5 -----------------------------===//

#include "runtime/Sampler/DirichletSampler.h"

#include <array>

namespace llamart {

using Options = DirichletOptions;
constexpr double kMost = 1e6;

static constexpr auto kDirichletFields = std::to_array<OptionField<Options>>({
    {"wild", &Options::wild, 0, 1,
     "Draws from the Dirichlet; 0: takes its mean"},
    {"noise_floor", &Options::noiseFloor, -700, 0,
     "Log probabilities below it are as good as none"},
    {"outlier_topk", &Options::topK, 1, 256, "Tokens an inlier chooses from"},
    {"argmax_weight", &Options::argmaxWeight, -kMost, kMost,
     "Best token if their entropy < weight * its mean + bias"},
    {"argmax_bias", &Options::argmaxBias, -kMost, kMost, "See the weight"},
    {"emwa_logp_base", &Options::logpBase, 1, kMost,
     "Mean log probabilities follow by base^(-factor / KL)"},
    {"emwa_logp_exp_factor", &Options::logpFactor, 0, kMost, "See the base"},
    {"emwa_temp_coeff", &Options::tempPart, 0, 1, "Part of a new step"},
    {"emwa_dir_ent_coeff", &Options::dirichletPart, 0, 1, "Part of a new step"},
    {"emwa_topk_ent_naked_coeff", &Options::topKPart, 0, 1,
     "Part of a new step"},
    {"emwa_ent_scaffold_coeff", &Options::entScaffoldPart, 0, 1,
     "Part of a new step"},
    {"emwa_ent_naked_coeff", &Options::entNakedPart, 0, 1,
     "Part of a new step"},
    {"emwa_varent_scaffold_coeff", &Options::varScaffoldPart, 0, 1,
     "Part of a new step"},
    {"emwa_varent_naked_coeff", &Options::varNakedPart, 0, 1,
     "Part of a new step"},
    {"token_cross_ent_scaffold_coeff", &Options::crossScaffoldPart, 0, 1,
     "Part of a new step"},
    {"token_cross_ent_naked_coeff", &Options::crossNakedPart, 0, 1,
     "Part of a new step"},
    {"token_cross_var_scaffold_coeff", &Options::crossVarScaffoldPart, 0, 1,
     "Part of a new step"},
    {"token_cross_var_naked_coeff", &Options::crossVarNakedPart, 0, 1,
     "Part of a new step"},
    {"outlier_bilinear", &Options::outlierBilinear, -kMost, kMost,
     "Outlier: entropies times deviations, all sixteen"},
    {"outlier_linear_ent", &Options::outlierEnt, -kMost, kMost,
     "Outlier: entropies"},
    {"outlier_linear_std", &Options::outlierStd, -kMost, kMost,
     "Outlier: deviations"},
    {"outlier_naked_ent", &Options::outlierNakedEnt, -kMost, kMost,
     "Outlier: the step's entropy"},
    {"outlier_naked_varent", &Options::outlierNakedVarent, -kMost, kMost,
     "Outlier: the step's varentropy"},
    {"outlier_bias", &Options::outlierBias, -kMost, kMost, "Outlier: more"},
    {"target_entropy_linear", &Options::targetLinear, -kMost, kMost,
     "Target: entropies"},
    {"target_entropy_inv_temp", &Options::targetInverseTemp, -kMost, kMost,
     "Target: one over the mean temperature"},
    {"target_entropy_bias", &Options::targetBias, -kMost, kMost,
     "Target: more"},
    {"dirichlet_weight", &Options::dirichletWeight, -kMost, kMost,
     "Likely enough if -LL < weight * its mean + bias"},
    {"dirichlet_bias", &Options::dirichletBias, -kMost, kMost,
     "See the weight"},
    {"perturb_base", &Options::perturbBase, 1, kMost,
     "Mixes 1 - base^(-factor / KL) of the Dirichlet"},
    {"perturb_exp_factor", &Options::perturbFactor, 0, kMost, "See the base"},
    {"low_entropy", &Options::lowEntropy, 0, kMost, "Nats"},
    {"medium_entropy", &Options::mediumEntropy, 0, kMost, "Nats"},
    {"high_entropy", &Options::highEntropy, 0, kMost, "Nats"},
    {"low_varentropy", &Options::lowVarentropy, 0, kMost, "Nats squared"},
    {"high_varentropy", &Options::highVarentropy, 0, kMost, "Nats squared"},
});

std::span<const OptionField<Options>> getDirichletFields() {
  return kDirichletFields;
}

} // namespace llamart
