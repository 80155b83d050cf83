//===- LlamaFusedOps.td - What fusion makes of the boxes ---*- tablegen -*-===//
//
// Each op here equals a group of the ops in LlamaOps.td and is made by one pass
// of compiler/Transforms.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_DIALECTS_LLAMA_IR_LLAMAFUSEDOPS
#define LLAMA_DIALECTS_LLAMA_IR_LLAMAFUSEDOPS

def Llama_QKVRopeAppendOp : Llama_Op<"qkv_rope_append", [
    AllTypesMatch<["cosine", "sine"]>]> {
  let summary = "projects a row to query, key and value, rotates, appends to the cache";
  let description = [{
    The rotated query of

    ```
    query = rope(linear(input, query_weight))
    cache_append rope(linear(input, key_weight)), linear(input, value_weight)
    ```

    Constraints:

    - (C1) every weight has one column per column of `input`.
    - (C2) the weights of keys and values have `kvHeads * headDim` rows, in the
      cache's sizes.
    - (C3) the result has one column per row of the query's weight, a whole
      number of heads per KV head.
    - (C4) `cosine` and `sine` have half a head of columns.
    - (C5) a block of the cache is 2 (keys, values) by kvHeads by 64 by headDim.

    Example:

    ```mlir
    %q = llama.qkv_rope_append %x, %wq, %wk, %wv angles(%cos, %sin) cache %cache[%layer] rows(%p, %s, %tables)
        : tensor<?x64xbf16>, tensor<64x64xbf16>, tensor<32x64xbf16>, tensor<?x4xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Llama_Rows:$input, Llama_Matrix:$query_weight,
                       Llama_Matrix:$key_weight, Llama_Matrix:$value_weight,
                       Llama_F32Rows:$cosine, Llama_F32Rows:$sine,
                       Arg<Llama_Cache, "", [MemWrite]>:$cache, Index:$layer,
                       Llama_RowIndices:$positions, Llama_RowIndices:$sequences,
                       Llama_BlockTables:$tables);
  let results = (outs Llama_F32Rows:$query);
  let assemblyFormat = [{
    $input `,` $query_weight `,` $key_weight `,` $value_weight `angles` `(`
    $cosine `,` $sine `)` `cache` $cache `[` $layer `]` `rows` `(` $positions
    `,` $sequences `,` $tables `)` attr-dict `:` type($input) `,`
    type($query_weight) `,` type($key_weight) `,` type($value_weight) `,`
    type($cosine) `,` type($cache) `->` type($query)
  }];
  let hasVerifier = 1; // C1, C2, C3, C4, C5
}

def Llama_FusedAttentionOp : Llama_Op<"fused_attention"> {
  let summary = "attention over the pages of each row's sequence";
  let description = [{
    ```
    attention_output(softmax(causal_mask(attention_scores(query))))
    ```

    without the scores ever being stored: pages are visited in order, 64 keys at
    a time, with a running maximum and sum (the flash recurrence). The order of
    the sums depends on the row's position alone.

    Constraints:

    - (C1) the columns of `query` are `heads * headDim`, with the cache's
      headDim and a whole number of heads per KV head.
    - (C2) a block of the cache is 2 (keys, values) by kvHeads by 64 by headDim.
    - (C3) the result has the shape of `query`.

    Example:

    ```mlir
    %o = llama.fused_attention %q cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x64xbf16>
    ```
  }];
  let arguments = (ins Llama_F32Rows:$query,
                       Arg<Llama_Cache, "", [MemRead]>:$cache, Index:$layer,
                       Llama_RowIndices:$positions, Llama_RowIndices:$sequences,
                       Llama_BlockTables:$tables);
  let results = (outs Llama_Rows:$result);
  let assemblyFormat = [{
    $query `cache` $cache `[` $layer `]` `rows` `(` $positions `,` $sequences
    `,` $tables `)` attr-dict `:` type($query) `,` type($cache) `->`
    type($result)
  }];
  let hasVerifier = 1; // C1, C2, C3
}

def Llama_SwiGLUOp : Llama_Op<"swiglu", [
    Pure, AllTypesMatch<["gate_weight", "up_weight"]>]> {
  let summary = "the gated first half of the feed-forward network";
  let description = [{
    ```
    mul(silu(linear(input, gate_weight)), linear(input, up_weight))
    ```

    Constraints:

    - (C1) the weights have one column per column of `input`.
    - (C2) the result has one column per row of the weights.

    Example:

    ```mlir
    %h = llama.swiglu %x, %w1, %w3 : tensor<?x64xbf16>, tensor<172x64xbf16> -> tensor<?x172xbf16>
    ```
  }];
  let arguments = (ins Llama_Rows:$input, Llama_Matrix:$gate_weight,
                       Llama_Matrix:$up_weight);
  let results = (outs Llama_Rows:$result);
  let assemblyFormat = [{
    $input `,` $gate_weight `,` $up_weight attr-dict `:` type($input) `,`
    type($gate_weight) `->` type($result)
  }];
  let hasVerifier = 1; // C1, C2
}

def Llama_AddRMSNormOp : Llama_Op<"add_rms_norm", [
    Pure, AllTypesMatch<["stream", "branch", "sum"]>]> {
  let summary = "adds a branch to the residual stream and normalizes the sum";
  let description = [{
    ```
    sum    = add(stream, branch)
    normed = rms_norm(sum, weight)
    ```

    Constraints:

    - (C1) `weight` has one element per column of `stream`.
    - (C2) `eps` is greater than zero.
    - (C3) `normed` has the shape of `stream`.

    Example:

    ```mlir
    %s, %y = llama.add_rms_norm %x, %o, %w eps 1.0e-05 : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x64xbf16>
    ```
  }];
  let arguments = (ins Llama_F32Rows:$stream, Llama_F32Rows:$branch,
                       Llama_Vector:$weight, F64Attr:$eps);
  let results = (outs Llama_F32Rows:$sum, Llama_Rows:$normed);
  let assemblyFormat = [{
    $stream `,` $branch `,` $weight `eps` $eps attr-dict `:` type($stream) `,`
    type($weight) `->` type($normed)
  }];
  let hasVerifier = 1; // C1, C2, C3
}

#endif // LLAMA_DIALECTS_LLAMA_IR_LLAMAFUSEDOPS
