//===- LlamaOps.td - Ops of the Llama dialect --------------*- tablegen -*-===//
//
// The boxes of the figure first, in the order in which a token meets them; then
// the groups that fusion makes of them (LlamaFusedOps.td).
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_DIALECTS_LLAMA_IR_LLAMAOPS
#define LLAMA_DIALECTS_LLAMA_IR_LLAMAOPS

include "dialects/Llama/IR/LlamaDialect.td"
include "dialects/Llama/IR/LlamaTypes.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

def Llama_WeightOp : Llama_Op<"weight", [Symbol]> {
  let summary = "declares a tensor of the checkpoint";
  let description = [{
    A name and a type; the numbers stay in the checkpoint. A `layered` weight
    stands for one tensor per layer, stacked along its first dimension: the
    symbol `layers.attention.wq` holds `layers.0.attention.wq`,
    `layers.1.attention.wq`, and so on.

    A `rotated` weight is the matrix that a checkpoint means to be multiplied with
    rows after `llama.hadamard`. Without that word the transform is part of the
    matrix, if the checkpoint asks for one at all.

    Where the tensors are stored is decided on the way to a target: `layout` is one of
    `runtime/abi/TensorLayout.h`, "rows" unless it is said, `at` is where the first
    of them begins in the block of weights, in bytes; they follow each other.

    Constraints:

    - (C1) the shape is static.
    - (C2) a `layered` weight has a dimension besides that of layers.
    - (C3) a `rotated` weight is quantized.
    - (C4) `layout` is one that a model can have; panels are for matrices.
    - (C5) `at` is not negative.

    Example:

    ```mlir
    llama.weight @layers.attention.wq layered : tensor<16x2048x2048xbf16>
    llama.weight @norm at 4096 : tensor<2048xf32>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, UnitAttr:$layered,
                       UnitAttr:$rotated, OptionalAttr<StrAttr>:$layout,
                       OptionalAttr<I64Attr>:$offset,
                       TypeAttrOf<AnyRankedTensor>:$type);
  let assemblyFormat = [{
    $sym_name (`layered` $layered^)? (`rotated` $rotated^)? (`layout` $layout^)?
    (`at` $offset^)? attr-dict `:` $type
  }];
  let builders = [
    OpBuilder<(ins "::llvm::StringRef":$name, "bool":$layered, "bool":$rotated,
                   "::mlir::RankedTensorType":$type), [{
      build($_builder, $_state, name, layered, rotated, /*layout=*/StringAttr(),
            /*offset=*/IntegerAttr(), type);
    }]>
  ];
  let extraClassDeclaration = [{
    /// The type of one layer's tensor, or of the tensor itself.
    RankedTensorType getElementTensorType();
    int64_t getLayerCount();
    /// Name of the tensor of one layer, "layers.3.attention.wq" of
    /// "layers.attention.wq"; of a weight that is not layered, its own.
    std::string getTensorName(int64_t layer);
    ::llamaabi::TensorLayout getTensorLayout();
    bool isInPanels() {
      return getTensorLayout() == ::llamaabi::TensorLayout::Panels16;
    }
    /// Bytes of one layer's tensor as it is stored.
    int64_t getTensorBytes();
    /// One layer's tensor as it is stored: of panels memref<panels x bytes x i8>.
    MemRefType getStoredType();
  }];
  let hasVerifier = 1; // C1 to C5
}

def Llama_GetWeightOp : Llama_Op<"get_weight", [
    Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the value of a weight, of one layer if it is layered";
  let description = [{
    Constraints:

    - (C1) the symbol is a `llama.weight`.
    - (C2) there is a layer number if and only if the weight is layered.
    - (C3) the result has the type of the weight, without the dimension of
      layers.

    Example:

    ```mlir
    %w = llama.get_weight @layers.attention.wq[%layer] : tensor<2048x2048xbf16>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$name, Optional<Index>:$layer);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$name (`[` $layer^ `]`)? attr-dict `:` type($result)";
}

//===----------------------------------------------------------------------===//
// The boxes
//===----------------------------------------------------------------------===//

def Llama_EmbedOp : Llama_Op<"embed", [Pure]> {
  let summary = "looks up the embedding of each token";
  let description = [{
    ```
    result[t, i] = table[tokens[t], i]
    ```

    A token number outside the table is the caller's error.

    Constraints:

    - (C1) a row of the result is as long as a row of the table.
    - (C2) a quantized table has 8 bits.

    Example:

    ```mlir
    %x = llama.embed %tokens, %table : tensor<512x64xbf16> -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Llama_RowIndices:$tokens, Llama_Matrix:$table);
  let results = (outs Llama_F32Rows:$result);
  let assemblyFormat = [{
    $tokens `,` $table attr-dict `:` type($table) `->` type($result)
  }];
  let hasVerifier = 1; // C1, C2
}

def Llama_RMSNormOp : Llama_Op<"rms_norm", [Pure]> {
  let summary = "normalizes each row to unit root mean square";
  let description = [{
    ```
    result[t, i] = weight[i] * input[t, i] / sqrt(mean(input[t, :] ^ 2) + eps)
    ```

    Everything is computed in f32 and rounded to the result's element type at
    the end.

    Constraints:

    - (C1) `weight` has one element per column of `input`.
    - (C2) `eps` is greater than zero.
    - (C3) the result has the shape of `input`.

    Example:

    ```mlir
    %y = llama.rms_norm %x, %w eps 1.0e-05 : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x64xbf16>
    ```
  }];
  let arguments = (ins Llama_F32Rows:$input, Llama_Vector:$weight, F64Attr:$eps);
  let results = (outs Llama_Rows:$result);
  let assemblyFormat = [{
    $input `,` $weight `eps` $eps attr-dict `:` type($input) `,` type($weight)
    `->` type($result)
  }];
  let hasVerifier = 1; // C1, C2, C3
}

def Llama_LinearOp : Llama_Op<"linear", [Pure]> {
  let summary = "multiplies each row by a matrix";
  let description = [{
    ```
    result[t, n] = sum over k of weight[n, k] * input[t, k]
    ```

    Products and sums are f32.

    Constraints:

    - (C1) `weight` has one column per column of `input`.
    - (C2) the result has one column per row of `weight`.

    Example:

    ```mlir
    %y = llama.linear %x, %w : tensor<?x64xbf16>, tensor<172x64xbf16> -> tensor<?x172xf32>
    ```
  }];
  let arguments = (ins Llama_Rows:$input, Llama_Matrix:$weight);
  let results = (outs Llama_F32Rows:$result);
  let assemblyFormat = [{
    $input `,` $weight attr-dict `:` type($input) `,` type($weight) `->`
    type($result)
  }];
  let hasVerifier = 1; // C1, C2
}

def Llama_RopeAnglesOp : Llama_Op<"rope_angles", [
    Pure, AllTypesMatch<["cosine", "sine"]>]> {
  let summary = "cosine and sine of every rotary angle";
  let description = [{
    ```
    cosine[t, i] = factor * cos(positions[t] * frequencies[i])
    sine[t, i]   = factor * sin(positions[t] * frequencies[i])
    ```

    `frequencies` are in radians per position, `headDim / 2` of them, any
    scaling for long contexts already applied. `factor` is the attention factor
    of such a scaling: 1 unless it is given. All is computed in f64.

    Constraints:

    - (C1) both results have one column per frequency.
    - (C2) `factor` is greater than zero and finite.

    Example:

    ```mlir
    %cos, %sin = llama.rope_angles %positions frequencies [1.0, 0.01] factor 1.25 : tensor<?x2xf32>
    ```
  }];
  let arguments = (ins Llama_RowIndices:$positions,
                       F64ArrayAttr:$frequencies,
                       DefaultValuedAttr<F64Attr, "1.0">:$factor);
  let results = (outs Llama_F32Rows:$cosine, Llama_F32Rows:$sine);
  let assemblyFormat = [{
    $positions `frequencies` $frequencies (`factor` $factor^)? attr-dict `:`
    type($cosine)
  }];
  let hasVerifier = 1; // C1, C2
}

def Llama_RopeOp : Llama_Op<"rope", [
    Pure, AllTypesMatch<["input", "result"]>,
    AllTypesMatch<["cosine", "sine"]>]> {
  let summary = "rotates pairs of neighbouring columns by the row's angles";
  let description = [{
    With `a = input[t, h * headDim + 2 i]` and `b` its right neighbour:

    ```
    result[t, h * headDim + 2 i]     = a * cosine[t, i] - b * sine[t, i]
    result[t, h * headDim + 2 i + 1] = b * cosine[t, i] + a * sine[t, i]
    ```

    Constraints:

    - (C1) the columns of `input` are a whole number of heads, each twice as
      wide as `cosine`.

    Example:

    ```mlir
    %r = llama.rope %q, %cos, %sin : tensor<?x64xf32>, tensor<?x4xf32>
    ```
  }];
  let arguments = (ins Llama_F32Rows:$input, Llama_F32Rows:$cosine,
                       Llama_F32Rows:$sine);
  let results = (outs Llama_F32Rows:$result);
  let assemblyFormat = [{
    $input `,` $cosine `,` $sine attr-dict `:` type($input) `,` type($cosine)
  }];
  let hasVerifier = 1; // C1
}

//===----------------------------------------------------------------------===//
// The KV cache: [blocks, layers, 2, kvHeads, 64, headDim], pages of 64 positions
//
// Position p of sequence s is slot p mod 64 of block tables[s, p / 64]. Rows say
// where they stand with positions[t] and sequences[t]. A cache of i8 is headDim + 2
// wide: what is written becomes whole multiples of a bf16 scale of its own.
//===----------------------------------------------------------------------===//

def Llama_CacheAppendOp : Llama_Op<"cache_append", [AllTypesMatch<["keys", "values"]>]> {
  let summary = "writes the keys and values of each row into the KV cache";
  let description = [{
    Row `t` goes to position `positions[t]` of sequence `sequences[t]`, rounded
    to the cache's element type.

    Constraints:

    - (C1) keys and values are `kvHeads * headDim` wide, in the cache's sizes.
    - (C2) a block of the cache is 2 (keys, values) by kvHeads by 64 by headDim.

    Example:

    ```mlir
    llama.cache_append %k, %v cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x32xf32>, memref<?x5x2x4x64x8xbf16>
    ```
  }];
  let arguments = (ins Llama_F32Rows:$keys, Llama_F32Rows:$values,
                       Arg<Llama_Cache, "", [MemWrite]>:$cache, Index:$layer,
                       Llama_RowIndices:$positions, Llama_RowIndices:$sequences,
                       Llama_BlockTables:$tables);
  let assemblyFormat = [{
    $keys `,` $values `cache` $cache `[` $layer `]` `rows` `(` $positions `,`
    $sequences `,` $tables `)` attr-dict `:` type($keys) `,` type($cache)
  }];
  let hasVerifier = 1; // C1, C2
}

def Llama_AttentionScoresOp : Llama_Op<"attention_scores"> {
  let summary = "compares each head of each row with every key of its sequence";
  let description = [{
    ```
    result[t, h, p] = query[t, h, :] . key[p, h / (heads / kvHeads), :] / sqrt(headDim)
    ```

    for every position `p` that the block tables can hold; positions that were
    never written give numbers without meaning, which `llama.causal_mask` hides.

    Constraints:

    - (C1) the columns of `query` are `heads * headDim`, with the cache's
      headDim and a whole number of heads per KV head.
    - (C2) a block of the cache is 2 (keys, values) by kvHeads by 64 by headDim.
    - (C3) the result has one column of keys per head.

    Example:

    ```mlir
    %s = llama.attention_scores %q cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x8x?xf32>
    ```
  }];
  let arguments = (ins Llama_F32Rows:$query,
                       Arg<Llama_Cache, "", [MemRead]>:$cache, Index:$layer,
                       Llama_RowIndices:$positions, Llama_RowIndices:$sequences,
                       Llama_BlockTables:$tables);
  let results = (outs Llama_Scores:$result);
  let assemblyFormat = [{
    $query `cache` $cache `[` $layer `]` `rows` `(` $positions `,` $sequences
    `,` $tables `)` attr-dict `:` type($query) `,` type($cache) `->`
    type($result)
  }];
  let hasVerifier = 1; // C1, C2, C3
}

def Llama_RecordScoresOp : Llama_Op<"record_scores"> {
  let summary = "hands the last layer's attention scores to the caller";
  let description = [{
    ```
    t = list[l]
    into[l, h, p] = query[t, h, :] . key[p, h / (heads / kvHeads), :] / sqrt(headDim)
    ```

    for each row `l` of `into` and every position `p` up to that of row `t`;
    what follows it in the same 64 positions becomes negative infinity. Does
    nothing in layers before the cache's last. Samplers look at these scores.

    Constraints:

    - (C1) the columns of `query` are `heads * headDim`, with the cache's
      headDim and a whole number of heads per KV head.
    - (C2) a block of the cache is 2 (keys, values) by kvHeads by 64 by headDim.
    - (C3) `into` has one row of keys per head.

    Example:

    ```mlir
    llama.record_scores %q cache %cache[%layer] rows(%p, %s, %tables) of %list into %into : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16>, memref<?x8x?xf32>
    ```
  }];
  let arguments = (ins Llama_F32Rows:$query,
                       Arg<Llama_Cache, "", [MemRead]>:$cache, Index:$layer,
                       Llama_RowIndices:$positions, Llama_RowIndices:$sequences,
                       Llama_BlockTables:$tables, Llama_RowIndices:$list,
                       Arg<Llama_ScoreBuffer, "", [MemWrite]>:$into);
  let assemblyFormat = [{
    $query `cache` $cache `[` $layer `]` `rows` `(` $positions `,` $sequences
    `,` $tables `)` `of` $list `into` $into attr-dict `:` type($query) `,`
    type($cache) `,` type($into)
  }];
  let hasVerifier = 1; // C1, C2, C3
}

def Llama_CausalMaskOp : Llama_Op<"causal_mask", [
    Pure, AllTypesMatch<["scores", "result"]>]> {
  let summary = "hides the keys after each row's position";
  let description = [{
    `result[t, h, p]` is `scores[t, h, p]` for `p <= positions[t]`, else
    negative infinity.

    Example:

    ```mlir
    %m = llama.causal_mask %s, %positions : tensor<?x8x?xf32>
    ```
  }];
  let arguments = (ins Llama_Scores:$scores, Llama_RowIndices:$positions);
  let results = (outs Llama_Scores:$result);
  let assemblyFormat = "$scores `,` $positions attr-dict `:` type($scores)";
}

def Llama_SoftmaxOp : Llama_Op<"softmax", [
    Pure, AllTypesMatch<["scores", "result"]>]> {
  let summary = "turns the scores of each row and head into weights that sum to one";
  let description = [{
    ```
    result[t, h, p] = exp(scores[t, h, p]) / sum over j of exp(scores[t, h, j])
    ```

    Example:

    ```mlir
    %w = llama.softmax %m : tensor<?x8x?xf32>
    ```
  }];
  let arguments = (ins Llama_Scores:$scores);
  let results = (outs Llama_Scores:$result);
  let assemblyFormat = "$scores attr-dict `:` type($scores)";
}

def Llama_AttentionOutputOp : Llama_Op<"attention_output"> {
  let summary = "sums the values of each row's sequence by its weights";
  let description = [{
    ```
    result[t, h, :] = sum over p of weights[t, h, p] * value[p, h / (heads / kvHeads), :]
    ```

    A weight of zero takes nothing from its value, whatever that value is.

    Constraints:

    - (C1) the result's columns are `heads * headDim`, with the cache's headDim
      and a whole number of heads per KV head.
    - (C2) a block of the cache is 2 (keys, values) by kvHeads by 64 by headDim.

    Example:

    ```mlir
    %o = llama.attention_output %w cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x8x?xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x64xbf16>
    ```
  }];
  let arguments = (ins Llama_Scores:$weights,
                       Arg<Llama_Cache, "", [MemRead]>:$cache, Index:$layer,
                       Llama_RowIndices:$positions, Llama_RowIndices:$sequences,
                       Llama_BlockTables:$tables);
  let results = (outs Llama_Rows:$result);
  let assemblyFormat = [{
    $weights `cache` $cache `[` $layer `]` `rows` `(` $positions `,` $sequences
    `,` $tables `)` attr-dict `:` type($weights) `,` type($cache) `->`
    type($result)
  }];
  let hasVerifier = 1; // C1, C2
}

def Llama_SiluOp : Llama_Op<"silu", [Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "x / (1 + exp(-x)) of every element";
  let description = [{
    Example:

    ```mlir
    %a = llama.silu %g : tensor<?x172xf32>
    ```
  }];
  let arguments = (ins Llama_F32Rows:$input);
  let results = (outs Llama_F32Rows:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

def Llama_MulOp : Llama_Op<"mul", [Pure, Commutative,
                                  AllTypesMatch<["lhs", "rhs"]>]> {
  let summary = "product, element by element";
  let description = [{
    Computed in f32 and rounded to the result's element type.

    Constraints:

    - (C1) the result has the shape of the operands.

    Example:

    ```mlir
    %y = llama.mul %a, %u : tensor<?x172xf32> -> tensor<?x172xbf16>
    ```
  }];
  let arguments = (ins Llama_F32Rows:$lhs, Llama_F32Rows:$rhs);
  let results = (outs Llama_Rows:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs attr-dict `:` type($lhs) `->` type($result)
  }];
  let hasVerifier = 1; // C1
}

def Llama_HadamardOp : Llama_Op<"hadamard", [
    Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "multiplies each row by the Walsh-Hadamard matrix";
  let description = [{
    With n columns, in Sylvester's order:

    ```
    result[t, i] = 1 / sqrt(n) * sum over k of (-1)^(ones in i & k) * input[t, k]
    ```

    The matrix is symmetric and its own inverse. It spreads what is large in one
    column over all of them, so that little is lost when the row is rounded to
    integers.

    Constraints:

    - (C1) the number of columns is a power of two.

    Example:

    ```mlir
    %y = llama.hadamard %x : tensor<?x8192xf32>
    ```
  }];
  let arguments = (ins Llama_F32Rows:$input);
  let results = (outs Llama_F32Rows:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
  let hasVerifier = 1; // C1
}

def Llama_AddOp : Llama_Op<"add", [
    Pure, AllTypesMatch<["stream", "branch", "result"]>]> {
  let summary = "adds a branch to the residual stream";
  let description = [{
    Example:

    ```mlir
    %s = llama.add %x, %o : tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Llama_F32Rows:$stream, Llama_F32Rows:$branch);
  let results = (outs Llama_F32Rows:$result);
  let assemblyFormat = "$stream `,` $branch attr-dict `:` type($stream)";
}

def Llama_LogitsOp : Llama_Op<"logits", [Pure]> {
  let summary = "scores every token, for the rows that are asked for";
  let description = [{
    ```
    result[l, v] = sum over k of weight[v, k] * input[rows[l], k]
    ```

    Constraints:

    - (C1) `weight` has one column per column of `input`.
    - (C2) the result has one column per row of `weight`.

    Example:

    ```mlir
    %l = llama.logits %x[%list], %w : tensor<?x64xbf16>, tensor<512x64xbf16> -> tensor<?x512xf32>
    ```
  }];
  let arguments = (ins Llama_Rows:$input, Llama_RowIndices:$rows,
                       Llama_Matrix:$weight);
  let results = (outs Llama_F32Rows:$result);
  let assemblyFormat = [{
    $input `[` $rows `]` `,` $weight attr-dict `:` type($input) `,`
    type($weight) `->` type($result)
  }];
  let hasVerifier = 1; // C1, C2
}

def Llama_ScatterLogitsOp : Llama_Op<"scatter_logits", [Pure]> {
  let summary = "puts the scores of some tokens among those of all";
  let description = [{
    `result[l, tokens[i]]` is `input[l, i]`; every other column is negative
    infinity. Of models whose output matrix has rows for a few tokens only.

    Constraints:

    - (C1) there is one token per column of `input`.
    - (C2) tokens are columns of the result, no two of them equal.

    Example:

    ```mlir
    %all = llama.scatter_logits %few to [7, 3] : tensor<?x2xf32> -> tensor<?x512xf32>
    ```
  }];
  let arguments = (ins Llama_F32Rows:$input, DenseI32ArrayAttr:$tokens);
  let results = (outs Llama_F32Rows:$result);
  let assemblyFormat = [{
    $input `to` $tokens attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1; // C1, C2
}

include "dialects/Llama/IR/LlamaFusedOps.td"

#endif // LLAMA_DIALECTS_LLAMA_IR_LLAMAOPS
