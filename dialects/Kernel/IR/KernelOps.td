//===- KernelOps.td - Ops of the Kernel dialect ------------*- tablegen -*-===//

#ifndef LLAMA_DIALECTS_KERNEL_IR_KERNELOPS
#define LLAMA_DIALECTS_KERNEL_IR_KERNELOPS

include "dialects/Kernel/IR/KernelAttributes.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/CommonTypeConstraints.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/TilingInterface.td"

// [rows, columns] of activations, or of a tile of them; also as a buffer.
class Kernel_Rows<list<Type> elements> : AnyTypeOf<[
    2DTensorOf<elements>, MemRefRankOf<elements, [2]>]>;

def Kernel_StoredWeightOp : Kernel_Op<"stored_weight", [
    Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the bytes of a weight, of one layer if it is layered";
  let description = [{
    As they are stored: a weight in panels as `memref<panels x bytes x i8>`, see
    `runtime/abi/PanelLayout.h`, any other with its own shape and type.

    Constraints:

    - (C1) the symbol is a `llama.weight`.
    - (C2) there is a layer number if and only if the weight is layered.
    - (C3) the result has the stored type of one layer.

    Example:

    ```mlir
    %w = kernel.stored_weight @layers.attention.wq[%layer] : memref<128x73728xi8>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$name, Optional<Index>:$layer);
  let results = (outs AnyStaticShapeMemRef:$result);
  let assemblyFormat = "$name (`[` $layer^ `]`)? attr-dict `:` type($result)";
}

def Kernel_PrefillRowsOp : Kernel_Op<"prefill_rows", [Pure]> {
  let summary = "how many rows of the call belong to prompts";
  let description = "These come first. It is `prompt_rows` of the call.";
  let results = (outs Index:$result);
  let assemblyFormat = "attr-dict";
}

def Kernel_MatmulOp : Kernel_Op<"matmul", [
    AttrSizedOperandSegments, DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    DeclareOpInterfaceMethods<TilingInterface, [
      "getLoopIteratorTypes", "getIterationDomain", "getTiledImplementation",
      "getResultTilePosition", "generateResultTileValue"]>]> {
  let summary = "multiplies rows of activations with rows of a matrix";
  let description = [{
    ```
    into[t, n] = sum over k of rows[t, k] * matrix[column + n, k]
    ```

    in f32, each element of the result in one fixed order of k. What was in
    `into` is not read. The loops are rows and columns of the result; the sum is
    the op's own.

    A matrix of integers meets rows of integers: `scales` has the scale of every
    group of a row, `sums` the sum of its integers. Rows of 16 bits come in
    bytes, 256 * rows + low.

    A tile with `prefetch` asks for the lines of panels so many columns further
    while it reads its own.

    `part_of` names the llama op that the product is a part of, `logits` says that
    its rows are each the last of another sequence.

    Constraints:

    - (C1) the matrix has two dimensions, and `rows` as many columns as it has,
      padded to whole groups if it is quantized.
    - (C2) a quantized matrix comes with `rows` of i8, `scales` and `sums`, any
      other with none of these and rows of f32 or bf16.
    - (C3) `scales` and `sums` have a column for every group, `low` is as `rows`.
    - (C4) `column` and the columns of `into` end within the matrix, where that
      is known.
    - (C5) instructions of `schedule` and `tile` take elements of the matrix and
      of the rows.
    - (C6) there is a result if and only if `into` is a tensor, of its type.
    - (C7) the symbol is a `llama.weight` in panels, of the matrix's type.
    - (C8) there is a layer number if and only if the weight is layered.
    - (C9) `into` is as high as `tile`, or less high if `tile` is a block, and at
      most as wide, for tile registers in whole panels, for a block in whole
      pairs of them, where that is known.

    Example:

    ```mlir
    %y = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@wq[%layer] : tensor<128x64xbf16>)
           into(%init : tensor<?x128xf32>) -> tensor<?x128xf32>
    ```
  }];
  let arguments = (ins
    Kernel_Rows<[F32, BF16, I8]>:$rows, Optional<Kernel_Rows<[F32]>>:$scales,
    Optional<Kernel_Rows<[I32]>>:$sums, Optional<Kernel_Rows<[I8]>>:$low,
    FlatSymbolRefAttr:$matrix, TypeAttrOf<AnyRankedTensor>:$matrix_type,
    Optional<Index>:$layer, Optional<Index>:$column, Kernel_Rows<[F32]>:$init,
    OptionalAttr<StrAttr>:$part_of, UnitAttr:$logits,
    OptionalAttr<Kernel_ScheduleAttr>:$schedule,
    OptionalAttr<Kernel_TileAttr>:$tile, OptionalAttr<I64Attr>:$prefetch);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    `rows` `(` $rows `:` type($rows) `)` (`scales` `(` $scales^ `:` type($scales) `)`)?
    (`sums` `(` $sums^ `:` type($sums) `)`)? (`low` `(` $low^ `:` type($low) `)`)?
    `matrix` `(` $matrix (`[` $layer^ `]`)? `:` $matrix_type `)` (`from` $column^)?
    `into` `(` $init `:` type($init) `)` (`part_of` $part_of^)? (`logits` $logits^)?
    (`schedule` $schedule^)? (`tile` $tile^)? (`prefetch` $prefetch^)?
    attr-dict (`->` type($result)^)?
  }];
  let builders = [
    OpBuilder<(ins "::mlir::ValueRange":$rows, "::mlir::FlatSymbolRefAttr":$matrix,
                   "::mlir::RankedTensorType":$type, "::mlir::Value":$layer,
                   "::mlir::Value":$init, "::llvm::StringRef":$partOf, "bool":$logits)>
  ];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    ::mlir::RankedTensorType getMatrixTensor() {
      return ::llvm::cast<::mlir::RankedTensorType>(getMatrixType());
    }
    /// Terms of the sum, without padding.
    int64_t getDepth() { return getMatrixTensor().getDimSize(1); }
    /// Of the result: -1 if that is not known.
    int64_t getRowCount() {
      return ::llvm::cast<::mlir::ShapedType>(getInit().getType()).getDimSize(0);
    }
    int64_t getColumnCount() {
      return ::llvm::cast<::mlir::ShapedType>(getInit().getType()).getDimSize(1);
    }
  }];
  let hasVerifier = 1; // C1 to C6, C9
}

def Kernel_BarrierOp : Kernel_Op<"barrier", [
    AttrSizedOperandSegments, MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "waits for what other threads have taken, before a phase";
  let description = [{
    All shares that were taken since the barrier before are done when a thread
    goes on, whether others have come here or not. `phase` says what they do then,
    and `layer` in which layer; `gathers` are the buffers that threads have
    written since the barrier before and that others may read from now on, each
    with the units in which the threads that wrote it shared it.

    Constraints:

    - (C1) there is a cut for every buffer.
    - (C2) a cut is along a dimension that its buffer has.

    Example:

    ```mlir
    kernel.barrier <ops = ["linear"], matrices = ["layers.attention.wo"], tables = [], rows = "rows">
      layer %layer gathers(%x : memref<?x64xbf16>) cut [<dim 0 by 1>]
    ```
  }];
  let arguments = (ins Kernel_PhaseAttr:$phase, Optional<Index>:$layer,
                       Variadic<AnyMemRef>:$gathers,
                       TypedArrayAttrBase<Kernel_CutAttr, "cuts">:$cuts);
  let assemblyFormat = [{
    $phase (`layer` $layer^)? (`gathers` `(` $gathers^ `:` type($gathers) `)`)?
    `cut` $cuts attr-dict
  }];
  let hasVerifier = 1; // C1, C2
}

def Kernel_TakeShareOp : Kernel_Op<"take_share", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "takes what no thread has taken of a parallel loop";
  let description = [{
    The number of a share, below `shares`; or one that is not, when all have been
    taken. From then on the thread's next `kernel.take_share` is of the next
    parallel loop: every thread comes by all of them in the same order, and
    takes from each until there is nothing left.

    Example:

    ```mlir
    %share = kernel.take_share of %shares
    ```
  }];
  let arguments = (ins Index:$shares);
  let results = (outs Index:$share);
  let assemblyFormat = "`of` $shares attr-dict";
}

#endif // LLAMA_DIALECTS_KERNEL_IR_KERNELOPS
