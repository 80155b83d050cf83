//===- LlamaAttributes.h - Discardable attributes of a model ----*- C++ -*-===//
//
// What travels with a module from stage to stage besides its ops. The dialect
// verifies each of them (LlamaDialect.cpp).
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_DIALECTS_LLAMA_IR_LLAMAATTRIBUTES_H
#define LLAMA_DIALECTS_LLAMA_IR_LLAMAATTRIBUTES_H

#include "mlir/Support/LLVM.h"

#include "llvm/ADT/StringRef.h"

namespace mlir::llama {

/// On the module, a string: path of the checkpoint that the weights come from.
inline constexpr StringLiteral kModelAttr = "llama.model";

/// On an argument of a function, a string: its name. Those of @forward are
/// fields of llama_call in runtime/abi/LlamaABI.h.
inline constexpr StringLiteral kArgumentAttr = "llama.argument";

/// On an argument of a function, a string: which number of rows its first
/// dimension is, "rows" or "logit_rows".
inline constexpr StringLiteral kRowCountAttr = "llama.row_count";

/// On the module, an i64: bytes of the block of weights.
inline constexpr StringLiteral kWeightsBytesAttr = "llama.weights_bytes";

/// On the module, types: of what matmuls read, and of the KV cache.
inline constexpr StringLiteral kActivationsAttr = "llama.activations";
inline constexpr StringLiteral kCacheTypeAttr = "llama.kv_type";

/// On the module, an i64: bits of the integers that rows become before they
/// meet a quantized matrix, 8 or 16; 8 if it is not there.
inline constexpr StringLiteral kRowBitsAttr = "llama.row_bits";

/// On the module, an i64: positions a sequence may have.
inline constexpr StringLiteral kMaxSeqLenAttr = "llama.max_seq_len";

/// On the module, a string: the stage that it has reached, of
/// compiler/Pipelines/Stages.def.
inline constexpr StringLiteral kStageAttr = "llama.stage";

/// On the module, a dictionary of strings: `triple`, `cpu`, `features`, for
/// which the kernels were made.
inline constexpr StringLiteral kTargetAttr = "llama.target";

/// On the module, a unit: its code is not told which rows are of prompts, so it
/// treats all alike.
inline constexpr StringLiteral kRowsAlikeAttr = "llama.rows_alike";

} // namespace mlir::llama

#endif // LLAMA_DIALECTS_LLAMA_IR_LLAMAATTRIBUTES_H
