//===- Frontend.h - Hyper-parameters to a module of llama ops ---*- C++ -*-===//
//
// ModelConfig + stored types  =>  @forward, @layer, one llama.weight per tensor
// of the paper's figure. No weight is read.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_FRONTEND_FRONTEND_H
#define LLAMA_COMPILER_FRONTEND_FRONTEND_H

#include "weights/Formats/OpenedModel.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <optional>

namespace mlir::llama {

/// Element type of what matmuls read.
enum class ActivationType { BF16, F32 };
/// Element type of the KV cache. Int8 has a scale for every key and value.
enum class CacheType { BF16, F32, Int8 };

/// How matrices are stored; see !llama.quantized.
struct Quantization {
  unsigned bits;  ///< 4 or 8
  unsigned group; ///< elements per scale: 32, 64, 128 or 256
  /// Whether groups have a minimum besides the scale, even where the checkpoint
  /// asks for none.
  bool asymmetric = false;
  unsigned rowBits = 8; ///< of what matrices are multiplied with: 8 or 16
};

struct FrontendOptions {
  ActivationType activations = ActivationType::BF16;
  CacheType kvType = CacheType::BF16;
  /// Of matrices; embeddings and output keep 8 bits at least.
  std::optional<Quantization> quantization;
  /// Positions a sequence may have; 0: as many as the model was made for.
  int64_t maxSeqLen = 0;
};

/// The model in llama ops, one op per box:
///
///   @forward(tokens, positions, sequences, tables, cache, logit rows, logits)
///   @layer(stream, layer number, angles, cache, rows) -> stream
llvm::Expected<OwningOpRef<ModuleOp>>
buildModule(MLIRContext &context, const llamaweights::OpenedModel &manifest,
            const FrontendOptions &options);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_FRONTEND_FRONTEND_H
