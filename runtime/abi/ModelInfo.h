//===- ModelInfo.h - What a model.so says about itself ----------*- C++ -*-===//
//
// The JSON in llama_info  =>  one struct with every relation checked.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ABI_MODELINFO_H
#define LLAMA_RUNTIME_ABI_MODELINFO_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llamart {

enum class WeightStorage : uint8_t { Embedded, External };

/// Which rows of a call a phase computes.
enum class PhaseRows : uint8_t { All, Prefill, Decode, Logits };

/// What the code does from one barrier to the next.
struct Phase {
  std::string name;       ///< of its ops: "linear+add_rms_norm"
  int64_t bytes = 0;      ///< of weights of one layer, read once
  int64_t rowBytes = 0;   ///< of weights read for every row
  int64_t multiplies = 0; ///< weights that every row is multiplied with
  PhaseRows rows = PhaseRows::All;
  bool readsCache = false; ///< attends to keys and values
};

/// Code for one CPU.
struct CodeVariant {
  std::string cpu;
  std::vector<std::string> features; ///< LLVM's names
  std::string forward, workspace;    ///< symbols
  std::vector<Phase> phases;         ///< by the numbers of barriers
};

struct ModelInfo {
  std::string name;
  int64_t hidden = 0;
  int64_t ffn = 0;
  int64_t vocab = 0;
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t kvHeads = 0;
  int64_t headDim = 0;
  int64_t maxSeqLen = 0; ///< positions a sequence may have
  std::optional<int32_t> bosToken;
  std::vector<int32_t> eosTokens;
  std::string activations; ///< "bf16" or "f32"
  std::string kvType;
  std::string triple;
  std::vector<CodeVariant> variants; ///< at least one; the best comes first
  WeightStorage storage = WeightStorage::Embedded;
  std::string weightsFile; ///< a name beside the model's; empty if embedded
  uint64_t weightsBytes = 0;
  std::string chatTemplate; ///< Jinja source, empty if there is none
  std::string compiler;

  /// Throws Error(Model), beginning with `where`, on anything that is missing,
  /// of another type or out of range.
  static ModelInfo parse(const std::string &where, std::string_view json);
};

} // namespace llamart

#endif // LLAMA_RUNTIME_ABI_MODELINFO_H
