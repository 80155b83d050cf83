//===- TensorNames.cpp - What a Llama's tensors are called ----------------===//
//
// Two tables: the tensors outside the layers, and those of one layer.
//
//===----------------------------------------------------------------------===//

#include "weights/TensorNames.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/ErrorHandling.h"

using namespace llvm;

namespace llamaweights {
namespace {

struct NameRow {
  StringLiteral canonical, huggingFace, gguf;
};

constexpr NameRow kGlobalNames[] = {
    {"tok_embeddings", "model.embed_tokens", "token_embd"},
    {"norm", "model.norm", "output_norm"},
    {"output", "lm_head", "output"},
};

// After "layers.N.", "model.layers.N." and "blk.N.".
constexpr NameRow kLayerNames[] = {
    {"attention_norm", "input_layernorm", "attn_norm"},
    {"attention.wq", "self_attn.q_proj", "attn_q"},
    {"attention.wk", "self_attn.k_proj", "attn_k"},
    {"attention.wv", "self_attn.v_proj", "attn_v"},
    {"attention.wo", "self_attn.o_proj", "attn_output"},
    {"ffn_norm", "post_attention_layernorm", "ffn_norm"},
    {"feed_forward.w1", "mlp.gate_proj", "ffn_gate"},
    {"feed_forward.w2", "mlp.down_proj", "ffn_down"},
    {"feed_forward.w3", "mlp.up_proj", "ffn_up"},
};

template <size_t N>
StringRef translate(const NameRow (&rows)[N], StringRef canonical,
                    Naming naming) {
  for (const NameRow &row : rows)
    if (row.canonical == canonical)
      return naming == Naming::HuggingFace ? row.huggingFace : row.gguf;
  llvm_unreachable("not a canonical name");
}

} // namespace

std::vector<ExpectedTensor> getExpectedTensors(const ModelConfig &config) {
  int64_t hidden = config.hidden, ffn = config.ffn;
  int64_t query = config.heads * config.headDim;
  int64_t kv = config.kvHeads * config.headDim;

  std::vector<ExpectedTensor> result;
  result.push_back({"tok_embeddings", {config.vocab, hidden}});
  for (int64_t i = 0; i < config.layers; ++i) {
    std::string layer = "layers." + itostr(i) + ".";
    result.push_back({layer + "attention_norm", {hidden}});
    result.push_back({layer + "attention.wq", {query, hidden}, true});
    result.push_back({layer + "attention.wk", {kv, hidden}, true});
    result.push_back({layer + "attention.wv", {kv, hidden}});
    result.push_back({layer + "attention.wo", {hidden, query}});
    result.push_back({layer + "ffn_norm", {hidden}});
    result.push_back({layer + "feed_forward.w1", {ffn, hidden}});
    result.push_back({layer + "feed_forward.w2", {hidden, ffn}});
    result.push_back({layer + "feed_forward.w3", {ffn, hidden}});
  }
  result.push_back({"norm", {hidden}});
  if (!config.tiedEmbeddings)
    result.push_back({"output", {config.getOutputRows(), hidden}});
  return result;
}

std::string getSourceName(StringRef canonical, Naming naming) {
  if (naming == Naming::Meta)
    return (canonical + ".weight").str();
  StringRef rest = canonical;
  if (!rest.consume_front("layers."))
    return (translate(kGlobalNames, canonical, naming) + ".weight").str();
  auto [index, name] = rest.split('.');
  StringRef prefix = naming == Naming::HuggingFace ? "model.layers." : "blk.";
  return (prefix + index + "." + translate(kLayerNames, name, naming) +
          ".weight")
      .str();
}

StringRef dropWrappers(StringRef sourceName) {
  while (sourceName.consume_front("module.") ||
         sourceName.consume_front("_orig_mod.") ||
         sourceName.consume_front("base_model.model."))
    ;
  return sourceName;
}

std::string getPlainName(StringRef sourceName, Naming naming) {
  StringRef name = dropWrappers(sourceName);
  bool isBare = name.starts_with("embed_tokens.") ||
                name.starts_with("layers.") || name.starts_with("norm.");
  if (naming == Naming::HuggingFace && isBare)
    return ("model." + name).str();
  return name.str();
}

bool isDerivedTensor(StringRef plainName, Naming naming) {
  switch (naming) {
  case Naming::Meta:
    return plainName == "rope.freqs";
  case Naming::HuggingFace:
    return plainName.starts_with("model.") &&
           plainName.ends_with("rotary_emb.inv_freq");
  case Naming::Gguf:
    return plainName == "rope_freqs.weight" ||
           (plainName.starts_with("blk.") &&
            plainName.ends_with(".attn_rot_embd.weight"));
  }
  llvm_unreachable("a naming");
}

} // namespace llamaweights
