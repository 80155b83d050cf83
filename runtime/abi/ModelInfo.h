//===- ModelInfo.h - What a model.so says about itself ----------*- C++ -*-===//
//
// llama_info is a JSON object. Every key must be there unless it says
// otherwise; keys that are not listed here are ignored. Counts are at least 1.
//
//   name             string    for people
//   hidden           integer   elements of a row of the residual stream
//   ffn              integer   width of the feed-forward layers
//   vocab            integer   tokens
//   layers           integer
//   heads            object
//     query          integer   heads of queries
//     kv             integer   heads of keys and values
//     dim            integer   elements of a head
//   max_seq_len      integer   positions that a sequence may have
//   bos_token        integer   a token; null if there is none
//   eos_tokens       integers  tokens that end a reply
//   activations      string    "bf16" or "f32": type of what ops hand on
//   kv_type          string    "bf16", "f32" or "int8": CacheLayout.h
//   target           object    the code
//     triple         string    of LLVM
//     cpu            string    LLVM's name of the processor
//     features       strings   LLVM's names; the machine must have them all
//     steps          objects   the phases, by the numbers of barriers
//       name         string    of its fused ops: "linear+add_rms_norm"
//       bytes        integer   of weights of one layer, read once a call; or 0
//       row_bytes    integer   of weights read for every row; or 0
//       multiplies   integer   weights that every row is multiplied with; or 0
//       rows         string    the rows that it computes: "rows" (all),
//                              "prompt_rows" (prefill), "generated_rows"
//                              (decode) or "logit_rows"
//       cache        boolean   whether it reads keys and values
//     rows_alike     boolean   whether rows of prompts and decode rows go
//                              through the same kernels, so that it changes no
//                              bit which of them a row is; may be absent: false
//     stack_bytes    integer   of the stack that a call of llama_forward takes
//                              at most, without what barrier and take_share
//                              take; may be absent: 0, not known
//     others         objects   code for other processors, the best first: cpu,
//                              features, steps, rows_alike and stack_bytes as
//                              above, and
//       forward      string    the symbol that stands for llama_forward
//       workspace    string    ... and for llama_workspace_bytes
//   weights          object
//     storage        string    "embed" (symbol llama_weights) or "external"
//     file           string    external: name of a file beside the model; else
//                              ignored
//     bytes          integer   of the block that holds them all
//     tensors        objects
//       name         string    "layers.0.attention.wq"
//       dtype        string    ElementFormat.h: "bf16", "int4g32m"
//       layout       string    TensorLayout.h: "rows" or "panels16"; integers
//                              are in panels
//       shape        integers  [n] or [rows, columns]
//       offset       integer   in the block; or 0
//       bytes        integer   as dtype, layout and shape ask for; inside of
//                              the block
//       rotated      boolean   the input is to be Hadamard-transformed first;
//                              may be absent: false
//   chat_template    string    Jinja source; "" if there is none
//   chat_templates   object    name: Jinja source of others; may be absent
//   special_tokens   object    bos_token and so on: text; may be absent
//   chat_problem     string    why there is no template; may be absent
//   compiler         string    "llama-compile 0.1.0 (LLVM 22.1.8)"
//   fingerprint      string    64 hex digits: models with the same ones compute
//                              the same bits on one processor, of logits and of
//                              the cache; may be absent: ""
//
// Hashes of the tensors are in llama_hashes: LlamaABI.h.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ABI_MODELINFO_H
#define LLAMA_RUNTIME_ABI_MODELINFO_H

#include "runtime/abi/TensorLayout.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llamaabi {

enum class WeightStorage : uint8_t { Embed, External };

/// Which rows of a call a phase computes.
enum class PhaseRows : uint8_t { All, Prefill, Decode, Logits };

constexpr std::string_view getName(PhaseRows rows) {
  switch (rows) {
  case PhaseRows::All:
    return "rows";
  case PhaseRows::Prefill:
    return "prompt_rows";
  case PhaseRows::Decode:
    return "generated_rows";
  case PhaseRows::Logits:
    break;
  }
  return "logit_rows";
}

constexpr std::optional<PhaseRows> parsePhaseRows(std::string_view name) {
  for (PhaseRows rows : {PhaseRows::All, PhaseRows::Prefill, PhaseRows::Decode,
                         PhaseRows::Logits})
    if (name == getName(rows))
      return rows;
  return std::nullopt;
}

/// What the code does from one barrier to the next.
struct Phase {
  std::string name;       ///< of its ops
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
  bool hasRowsAlike = false; ///< prefill and decode rows give the same bits
  int64_t stackBytes = 0;    ///< of llama_forward; 0: not known
};

/// A tensor in the block of weights.
struct TensorEntry {
  std::string name;
  ElementFormat dtype;
  TensorLayout layout = TensorLayout::Rows;
  std::vector<int64_t> shape; ///< [n] or [rows, columns]
  int64_t offset = 0, bytes = 0;
  bool isRotated = false; ///< its input is to be Hadamard-transformed first
};

struct NamedText {
  std::string name, text;
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
  std::string activations;
  std::string kvType;
  std::string triple;
  std::vector<CodeVariant> variants; ///< at least one; the best comes first
  WeightStorage storage = WeightStorage::Embed;
  std::string weightsFile; ///< a name beside the model's; empty if embedded
  uint64_t weightsBytes = 0;
  std::vector<TensorEntry> tensors;
  std::string chatTemplate; ///< Jinja source, empty if there is none
  std::vector<NamedText> chatTemplates; ///< others, by name
  std::vector<NamedText>
      specialTokens;       ///< bos_token, ... as templates see them
  std::string chatProblem; ///< why the template was left out, or empty
  std::string compiler;
  std::string fingerprint; ///< 64 hex digits, or empty
};

/// Reads the text of llama_info. Returns "", or what is missing, of another
/// type or out of range: "target.steps.rows is 'x', expected ...". The message
/// is one printable line, whatever the text is.
std::string parseModelInfo(std::string_view text, ModelInfo &into);

/// What cannot be about a tensor of a block of so many bytes, or "":
/// "tensor 'norm': is [2] of f32 in 7 bytes, expected 8". parseModelInfo asks
/// this of every tensor.
std::string checkTensor(const TensorEntry &tensor, uint64_t blockBytes);

/// The text of llama_info. Strings that are not UTF-8 are mended.
std::string toJson(const ModelInfo &info);

} // namespace llamaabi

#endif // LLAMA_RUNTIME_ABI_MODELINFO_H
