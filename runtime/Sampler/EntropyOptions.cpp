//===- EntropyOptions.cpp - Thresholds of V2, V3 and V4 -------------------===//

#include "runtime/Sampler/EntropySampler.h"

#include <array>
#include <vector>

namespace llamart {
namespace {

using Options = EntropyOptions;
using Field = OptionField<Options>;

constexpr double kMost = 1e6;

std::vector<Field> join(std::initializer_list<std::vector<Field>> lists) {
  std::vector<Field> all;
  for (const std::vector<Field> &list : lists)
    all.insert(all.end(), list.begin(), list.end());
  return all;
}

std::vector<Field> getDrawFields() {
  return {
      {"temperature", &Options::temperature, 1e-3, 100, "Base temperature"},
      {"top_p", &Options::topP, 0, 1, "Base nucleus"},
      {"top_k", &Options::topK, 1, 256, "Base number of tokens"},
      {"min_p", &Options::minP, 0, 1, "Base share of the best"},
      {"samples", &Options::samples, 1, 1000, "Draws of the adaptive state"},
      {"attention", &Options::attention, 0, 1, "Whether attention counts"},
      {"attention_slots", &Options::attentionSlots, 1, 1 << 24,
       "Positions of the cache that compat mode pretends"},
  };
}

std::vector<Field> getEntropyThresholds() {
  return {
      {"low_entropy", &Options::lowEntropy, 0, kMost, "H, bits"},
      {"medium_entropy", &Options::mediumEntropy, 0, kMost, "H, bits"},
      {"high_entropy", &Options::highEntropy, 0, kMost, "H, bits"},
      {"low_varentropy", &Options::lowVarentropy, 0, kMost, "V, bits squared"},
      {"high_varentropy", &Options::highVarentropy, 0, kMost,
       "V, bits squared"},
  };
}

std::vector<Field> getAttentionThresholds() {
  return {
      {"low_attention_entropy", &Options::lowAttentionEntropy, 0, kMost, "AE"},
      {"high_attention_entropy", &Options::highAttentionEntropy, 0, kMost,
       "AE"},
      {"low_attention_varentropy", &Options::lowAttentionVarentropy, 0, kMost,
       "AV"},
      {"high_attention_varentropy", &Options::highAttentionVarentropy, 0, kMost,
       "AV"},
  };
}

std::vector<Field> getInteractionThresholds() {
  return {
      {"low_agreement", &Options::lowAgreement, 0, kMost, "AG"},
      {"high_agreement", &Options::highAgreement, 0, kMost, "AG"},
      {"low_interaction_strength", &Options::lowInteraction, 0, kMost, "IS"},
      {"high_interaction_strength", &Options::highInteraction, 0, kMost, "IS"},
  };
}

std::vector<Field> getHighVarentropyFields() {
  return {
      {"hehv_attention_varentropy_offset", &Options::hehvOffset, -kMost, kMost,
       "HEHV: temperature * (offset + coefficient * AV)"},
      {"hehv_attention_varentropy_coefficient", &Options::hehvCoefficient,
       -kMost, kMost, "HEHV: see the offset"},
      {"hehv_attention_entropy_coefficient", &Options::hehvTopP, -kMost, kMost,
       "HEHV: top-p less this * AE"},
      {"adaptive_min_p_coefficient", &Options::adaptiveMinP, -kMost, kMost,
       "Adaptive: min-p * (1 - this * V)"},
  };
}

std::vector<Field> getClassicFields() {
  return {
      {"helv_attention_entropy_offset", &Options::helvOffset, -kMost, kMost,
       "HELV: temperature * (offset + coefficient * AE)"},
      {"helv_attention_entropy_coefficient", &Options::helvCoefficient, -kMost,
       kMost, "HELV: see the offset"},
      {"lehv_interaction_strength_offset", &Options::lehvOffset, -kMost, kMost,
       "LEHV: temperature * (offset + coefficient * IS)"},
      {"lehv_interaction_strength_coefficient", &Options::lehvCoefficient,
       -kMost, kMost, "LEHV: see the offset"},
      {"lehv_agreement_top_k", &Options::lehvTopK, -kMost, kMost,
       "LEHV: top-k * (1 + this * (1 - AG))"},
      {"adaptive_entropy_coefficient", &Options::adaptiveEntropy, -kMost, kMost,
       "Adaptive: temperature by H, in V2 H + V"},
      {"adaptive_attention_coefficient", &Options::adaptiveAttention, -kMost,
       kMost, "Adaptive: temperature by AE, in V2 AE + AV"},
      {"adaptive_agreement_coefficient", &Options::adaptiveAgreement, -kMost,
       kMost, "Adaptive: temperature less this * AG"},
      {"adaptive_top_p_coefficient", &Options::adaptiveTopP, -kMost, kMost,
       "Adaptive: top-p * (1 + this * AV)"},
      {"adaptive_top_k_interaction_coefficient",
       &Options::adaptiveTopKInteraction, -kMost, kMost,
       "Adaptive: top-k by IS"},
      {"adaptive_top_k_agreement_coefficient", &Options::adaptiveTopKAgreement,
       -kMost, kMost, "Adaptive: top-k less this * AG"},
  };
}

std::vector<Field> getEngineFields() {
  return {
      {"target_ce_alpha", &Options::targetAlpha, 0, kMost,
       "Adaptive: temperature * sqrt((alpha * H + beta) / H), H in nats"},
      {"target_ce_beta", &Options::targetBeta, 0, kMost, "Adaptive: see alpha"},
  };
}

} // namespace

std::span<const Field> getEntropyFields(EntropixVersion version) {
  static const std::vector<Field> v2 =
      join({getDrawFields(), getEntropyThresholds(), getClassicFields(),
            getHighVarentropyFields()});
  static const std::vector<Field> v3 =
      join({getDrawFields(), getEntropyThresholds(), getAttentionThresholds(),
            getInteractionThresholds(), getClassicFields(),
            getHighVarentropyFields()});
  static const std::vector<Field> v4 =
      join({getDrawFields(), getEntropyThresholds(), getAttentionThresholds(),
            getHighVarentropyFields(), getEngineFields()});
  return version == EntropixVersion::V2   ? v2
         : version == EntropixVersion::V3 ? v3
                                          : v4;
}

static EntropyOptions getFrogDefaults() {
  EntropyOptions o;
  o.lowEntropy = 0.01, o.mediumEntropy = 0.7, o.highEntropy = 2.1;
  o.lowVarentropy = 0.05, o.highVarentropy = 5.8;
  o.lowAttentionEntropy = 11.915, o.highAttentionEntropy = 11.926;
  o.lowAttentionVarentropy = 0.001, o.highAttentionVarentropy = 0.009;
  o.lowAgreement = 2e-6, o.highAgreement = 5e-6;
  o.lowInteraction = 0.2, o.highInteraction = 0.264;
  return o;
}

static EntropyOptions getEngineDefaults() {
  EntropyOptions o;
  o.temperature = 0.8, o.topK = 40, o.minP = 0.05;
  o.lowEntropy = 0.8, o.mediumEntropy = 1.7, o.highEntropy = 2.5;
  o.lowVarentropy = 0.4, o.highVarentropy = 1.2;
  o.lowAttentionEntropy = 1.0, o.highAttentionEntropy = 2.0;
  o.lowAttentionVarentropy = 0.3, o.highAttentionVarentropy = 0.8;
  o.hehvOffset = 0.3, o.hehvCoefficient = 0.25, o.hehvTopP = 0.3;
  o.adaptiveMinP = 0.2;
  return o;
}

EntropyOptions getEntropyDefaults(EntropixVersion version) {
  EntropyOptions options = version == EntropixVersion::V3 ? getFrogDefaults()
                           : version == EntropixVersion::V4
                               ? getEngineDefaults()
                               : EntropyOptions();
  options.version = version;
  return options;
}

} // namespace llamart
