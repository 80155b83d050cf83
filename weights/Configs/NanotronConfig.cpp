//===- NanotronConfig.cpp - model_config.json -----------------------------===//
//
// Hugging Face's config.json with other keys besides.
//
//===----------------------------------------------------------------------===//

#include "weights/Configs/NanotronConfig.h"

#include "weights/Configs/HuggingFaceConfig.h"
#include "weights/Containers/JsonObject.h"
#include "weights/InputError.h"

using namespace llvm;
using nlohmann::json;

namespace llamaweights {

Expected<ModelConfig> parseNanotronConfig(StringRef text, StringRef where,
                                          RowOrder &order) {
  Expected<json> parsed = parseJson(text, where);
  if (!parsed)
    return parsed.takeError();
  if (!parsed->is_object())
    return makeInputError(where,
                          "expected an object, found " + describe(*parsed));
  // The rest is Hugging Face's, under its names. Keys that change what is
  // computed must have the value under which they do not.
  json &config = *parsed;
  auto interleaved = config.find("rope_interleaved");
  bool isInterleaved = interleaved != config.end() && *interleaved == true;
  order = isInterleaved ? RowOrder::Interleaved : RowOrder::HalfSplit;
  if (isInterleaved)
    config.erase("rope_interleaved");
  for (StringRef key : {"no_rope_layer", "moe_config", "sliding_window_size"}) {
    auto found = config.find(key.str());
    if (found == config.end())
      continue;
    if (!found->is_null())
      return makeInputError(where,
                            "key " + quote(key) + ": only null is supported");
    config.erase(found);
  }
  for (StringRef key :
       {"is_qwen2_config", "_fused_rms_norm", "_fused_rotary_emb",
        "_use_doc_masking", "_use_qkv_packed", "flex_attention_mask",
        "log_attn_probs", "ring_attn_heads_k_stride", "z_loss_coefficient",
        "z_loss_enabled"})
    config.erase(key.str());
  if (!config.contains("model_type"))
    config["model_type"] = "llama";
  return parseHuggingFaceConfig(config.dump(), where);
}
} // namespace llamaweights
