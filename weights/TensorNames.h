//===- TensorNames.h - What a Llama's tensors are called --------*- C++ -*-===//
//
//   canonical                    model.layers.3.self_attn.q_proj.weight   (HF)
//   layers.3.attention.wq   =>   layers.3.attention.wq.weight (Meta)
//                                blk.3.attn_q.weight (GGUF)
//
// Hyper-parameters determine the list of tensors and every shape in it.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_TENSORNAMES_H
#define LLAMA_WEIGHTS_TENSORNAMES_H

#include "weights/ModelConfig.h"

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>
#include <vector>

namespace llamaweights {

enum class Naming : uint8_t { Meta, HuggingFace, Gguf };

struct ExpectedTensor {
  std::string name;           ///< canonical
  std::vector<int64_t> shape; ///< [n] or [out, in]
  bool hasRopePairs = false;  ///< wq or wk: RoPE rotates pairs of rows
};

/// Every tensor a model of that shape consists of, in canonical order:
/// embeddings, layers, norm, and output unless it is tied.
std::vector<ExpectedTensor> getExpectedTensors(const ModelConfig &config);

/// How a file spells the canonical name.
std::string getSourceName(llvm::StringRef canonical, Naming naming);

/// A stored name without what wrappers of models put before it: "module.",
/// "_orig_mod.", "base_model.model.", any number of them.
llvm::StringRef dropWrappers(llvm::StringRef sourceName);

/// A stored name as getSourceName() spells it: without wrappers; Hugging Face's
/// with the "model." that a model without its head is saved without.
std::string getPlainName(llvm::StringRef sourceName, Naming naming);

/// Whether the tensor of a file, by its plain name, may be left unread: tables of rotary
/// frequencies, which follow from the hyper-parameters (GGUF's rope_freqs is
/// read as one of them).
bool isDerivedTensor(llvm::StringRef plainName, Naming naming);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_TENSORNAMES_H
