//===- LlamaAttributes.h - Discardable attributes of a model ----*- C++ -*-===//
//
// What travels with a module from stage to stage besides its ops.
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
inline constexpr StringLiteral kExtentAttr = "llama.extent";

/// On a memref.global, a unit: the weight stacks one tensor per layer.
inline constexpr StringLiteral kLayeredAttr = "llama.layered";

/// On a memref.global, a unit: the weight is `rotated`, see llama.weight.
inline constexpr StringLiteral kRotatedAttr = "llama.rotated";

/// On a memref.global of bytes, a type: the weight's tensor of
/// !llama.quantized, of which each matrix is stored as all its integers, then
/// all its scales. On a linalg.generic, a type: the !llama.quantized of the
/// matrix that it multiplies with.
inline constexpr StringLiteral kQuantizedAttr = "llama.quantized";

/// On the module, an array: what the block of weights holds, in order. Each a
/// dictionary of `name`, `type` (memref), `offset` in bytes and, if it stacks
/// one tensor per layer, `layered`; if it is rotated, `rotated`; of a quantized
/// weight also `quantized`, as kQuantizedAttr.
inline constexpr StringLiteral kWeightsAttr = "llama.weights";

/// On the module, an i64: bytes of the block of weights.
inline constexpr StringLiteral kWeightsBytesAttr = "llama.weights_bytes";

/// On the module, an array: what threads do from one barrier to the next, by
/// the numbers that barriers are called with. Each a dictionary of arrays of
/// strings, `ops`: the llama ops that it is a part of, `matrices`: weights that
/// every row is multiplied with, `tables`: weights of which each row reads
/// some; a string `rows`: "prompt_rows", "generated_rows", both: "rows", or
/// "logit_rows"; and, if keys and values of the cache are read, `cache`.
inline constexpr StringLiteral kStepsAttr = "llama.steps";

/// On the module, types: of what matmuls read, and of the KV cache.
inline constexpr StringLiteral kActivationsAttr = "llama.activations";
inline constexpr StringLiteral kCacheTypeAttr = "llama.kv_type";

/// On the module, an i64: bits of the integers that rows become before they
/// meet a quantized matrix, 8 or 16; 8 if it is not there.
inline constexpr StringLiteral kRowBitsAttr = "llama.row_bits";

/// On the module, an i64: positions a sequence may have.
inline constexpr StringLiteral kMaxSeqLenAttr = "llama.max_seq_len";

/// On the module, a dictionary of strings: `triple`, `cpu`, `features`, for
/// which the kernels were made.
inline constexpr StringLiteral kTargetAttr = "llama.target";

} // namespace mlir::llama

#endif // LLAMA_DIALECTS_LLAMA_IR_LLAMAATTRIBUTES_H
