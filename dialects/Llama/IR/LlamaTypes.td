//===- LlamaTypes.td - Type constraints of llama ops -------*- tablegen -*-===//

#ifndef LLAMA_DIALECTS_LLAMA_IR_LLAMATYPES
#define LLAMA_DIALECTS_LLAMA_IR_LLAMATYPES

include "dialects/Llama/IR/LlamaQuantizedType.td"
include "mlir/IR/CommonTypeConstraints.td"

// [T, columns]: what flows between ops. f32, or bf16 where a matmul reads it.
def Llama_HasColumns : CPred<
    "::llvm::cast<::mlir::RankedTensorType>($_self).isDynamicDim(0) && "
    "!::llvm::cast<::mlir::RankedTensorType>($_self).isDynamicDim(1) && "
    "::llvm::cast<::mlir::RankedTensorType>($_self).getDimSize(1) > 0">;
def Llama_Rows : ConfinedType<2DTensorOf<[BF16, F32]>, [Llama_HasColumns],
                              "tensor<? x columns> of bf16 or f32">;
def Llama_F32Rows : ConfinedType<2DTensorOf<[F32]>, [Llama_HasColumns],
                                 "tensor<? x columns> of f32">;

// [out, in] as stored.
def Llama_Matrix : StaticShapeTensorOf<[BF16, F16, F32, Llama_QuantizedType]>;
// [hidden]
def Llama_Vector : 1DTensorOf<[BF16, F16, F32]>;

// One number per row: tensor<?xi32>.
def Llama_RowIndices : Type<
    CPred<"$_self == ::mlir::RankedTensorType::get({::mlir::ShapedType::kDynamic}, "
          "::mlir::IntegerType::get($_self.getContext(), 32))">,
    "tensor<?xi32>">,
  BuildableType<
    "::mlir::RankedTensorType::get({::mlir::ShapedType::kDynamic}, "
    "$_builder.getI32Type())">;

// [sequences, blocks] tensor<?x?xi32>: the cache block that holds positions
// 64 * i, 64 * i + 1, .. of a sequence.
def Llama_BlockTables : Type<
    CPred<"$_self == ::mlir::RankedTensorType::get("
          "{::mlir::ShapedType::kDynamic, ::mlir::ShapedType::kDynamic}, "
          "::mlir::IntegerType::get($_self.getContext(), 32))">,
    "tensor<?x?xi32>">,
  BuildableType<
    "::mlir::RankedTensorType::get("
    "{::mlir::ShapedType::kDynamic, ::mlir::ShapedType::kDynamic}, "
    "$_builder.getI32Type())">;

// [blocks, layers, 2, kvHeads, 64, headDim]; of i8, headDim + 2: a key or value is
// headDim steps of a scale, and the two bytes of that scale (bf16). In which order
// elements lie within the last two dimensions is up to the lowering.
def Llama_Cache : MemRefRankOf<[BF16, F32, I8], [6]>;

// [T, heads, keys]
def Llama_Scores : ConfinedType<3DTensorOf<[F32]>, [Llama_HasColumns],
                                "tensor<? x heads x ?> of f32">;

// [rows, heads, keys] of the caller
def Llama_ScoreBuffer : MemRefRankOf<[F32], [3]>;

#endif // LLAMA_DIALECTS_LLAMA_IR_LLAMATYPES
