// Each constraint (Cn) of the ops that fusion makes, broken. The boxes and the
// kinds of operands are in invalid.mlir.
//
// RUN: llama-opt %s --verify-diagnostics --split-input-file

//===----------------------------------------------------------------------===//
// qkv_rope_append
//===----------------------------------------------------------------------===//

func.func @query_weight_of_another_width(
    %x: tensor<?x64xbf16>, %wq: tensor<64x32xbf16>, %wk: tensor<32x64xbf16>, %cos: tensor<?x4xf32>,
    %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{'llama.qkv_rope_append' op query_weight's number of columns is 32 but the input's is 64}}
  %0 = llama.qkv_rope_append %x, %wq, %wk, %wk angles(%cos, %cos) cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xbf16>, tensor<64x32xbf16>, tensor<32x64xbf16>, tensor<32x64xbf16>, tensor<?x4xf32>,
      memref<?x5x2x4x64x8xbf16> -> tensor<?x64xf32> // (C1)
  return
}

// -----

func.func @key_weight_of_another_width(
    %x: tensor<?x64xbf16>, %wq: tensor<64x64xbf16>, %wk: tensor<32x32xbf16>, %wv: tensor<32x64xbf16>,
    %cos: tensor<?x4xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{'llama.qkv_rope_append' op key_weight's number of columns is 32 but the input's is 64}}
  %0 = llama.qkv_rope_append %x, %wq, %wk, %wv angles(%cos, %cos) cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xbf16>, tensor<64x64xbf16>, tensor<32x32xbf16>, tensor<32x64xbf16>, tensor<?x4xf32>,
      memref<?x5x2x4x64x8xbf16> -> tensor<?x64xf32> // (C1)
  return
}

// -----

func.func @value_weight_of_another_width(
    %x: tensor<?x64xbf16>, %wq: tensor<64x64xbf16>, %wk: tensor<32x64xbf16>, %wv: tensor<32x32xbf16>,
    %cos: tensor<?x4xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{'llama.qkv_rope_append' op value_weight's number of columns is 32 but the input's is 64}}
  %0 = llama.qkv_rope_append %x, %wq, %wk, %wv angles(%cos, %cos) cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xbf16>, tensor<64x64xbf16>, tensor<32x64xbf16>, tensor<32x32xbf16>, tensor<?x4xf32>,
      memref<?x5x2x4x64x8xbf16> -> tensor<?x64xf32> // (C1)
  return
}

// -----

func.func @key_weight_of_too_many_heads(
    %x: tensor<?x64xbf16>, %wq: tensor<64x64xbf16>, %wk: tensor<40x64xbf16>, %wv: tensor<32x64xbf16>,
    %cos: tensor<?x4xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{'llama.qkv_rope_append' op key_weight is 40 wide but the cache has 4 KV heads of 8}}
  %0 = llama.qkv_rope_append %x, %wq, %wk, %wv angles(%cos, %cos) cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xbf16>, tensor<64x64xbf16>, tensor<40x64xbf16>, tensor<32x64xbf16>, tensor<?x4xf32>,
      memref<?x5x2x4x64x8xbf16> -> tensor<?x64xf32> // (C2)
  return
}

// -----

func.func @value_weight_of_too_few_heads(
    %x: tensor<?x64xbf16>, %wq: tensor<64x64xbf16>, %wk: tensor<32x64xbf16>, %wv: tensor<24x64xbf16>,
    %cos: tensor<?x4xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{'llama.qkv_rope_append' op value_weight is 24 wide but the cache has 4 KV heads of 8}}
  %0 = llama.qkv_rope_append %x, %wq, %wk, %wv angles(%cos, %cos) cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xbf16>, tensor<64x64xbf16>, tensor<32x64xbf16>, tensor<24x64xbf16>, tensor<?x4xf32>,
      memref<?x5x2x4x64x8xbf16> -> tensor<?x64xf32> // (C2)
  return
}

// -----

func.func @query_of_a_head_and_a_half(
    %x: tensor<?x64xbf16>, %wq: tensor<48x64xbf16>, %wk: tensor<32x64xbf16>,
    %cos: tensor<?x4xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{'llama.qkv_rope_append' op query has 48 columns, not a multiple of 4 KV heads of 8}}
  %0 = llama.qkv_rope_append %x, %wq, %wk, %wk angles(%cos, %cos) cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xbf16>, tensor<48x64xbf16>, tensor<32x64xbf16>, tensor<32x64xbf16>, tensor<?x4xf32>,
      memref<?x5x2x4x64x8xbf16> -> tensor<?x48xf32> // (C3)
  return
}

// -----

func.func @query_of_another_width_than_its_weight(
    %x: tensor<?x64xbf16>, %wq: tensor<64x64xbf16>, %wk: tensor<32x64xbf16>,
    %cos: tensor<?x4xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{the result's number of columns is 32 but the query weight's number of rows is 64}}
  %0 = llama.qkv_rope_append %x, %wq, %wk, %wk angles(%cos, %cos) cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xbf16>, tensor<64x64xbf16>, tensor<32x64xbf16>, tensor<32x64xbf16>, tensor<?x4xf32>,
      memref<?x5x2x4x64x8xbf16> -> tensor<?x32xf32> // (C3)
  return
}

// -----

func.func @angles_of_a_whole_head(
    %x: tensor<?x64xbf16>, %wq: tensor<64x64xbf16>, %wk: tensor<32x64xbf16>,
    %cos: tensor<?x8xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error-re @+1 {{'llama.qkv_rope_append' op {{.*}} angles is {{.*}}}}
  %0 = llama.qkv_rope_append %x, %wq, %wk, %wk angles(%cos, %cos) cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xbf16>, tensor<64x64xbf16>, tensor<32x64xbf16>, tensor<32x64xbf16>, tensor<?x8xf32>,
      memref<?x5x2x4x64x8xbf16> -> tensor<?x64xf32> // (C4)
  return
}

// -----

func.func @head_that_has_no_half(
    %x: tensor<?x64xbf16>, %wq: tensor<28x64xbf16>, %wk: tensor<28x64xbf16>,
    %cos: tensor<?x3xf32>, %cache: memref<?x5x2x4x64x7xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error-re @+1 {{'llama.qkv_rope_append' op {{.*}} angles is {{.*}}}}
  %0 = llama.qkv_rope_append %x, %wq, %wk, %wk angles(%cos, %cos) cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xbf16>, tensor<28x64xbf16>, tensor<28x64xbf16>, tensor<28x64xbf16>, tensor<?x3xf32>,
      memref<?x5x2x4x64x7xbf16> -> tensor<?x28xf32> // (C4)
  return
}

// -----

func.func @append_to_a_cache_in_pages_of_32(
    %x: tensor<?x64xbf16>, %wq: tensor<64x64xbf16>, %wk: tensor<32x64xbf16>,
    %cos: tensor<?x4xf32>, %cache: memref<?x5x2x4x32x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{cache must be [blocks, layers, 2, kvHeads, 64, headDim], found 'memref<?x5x2x4x32x8xbf16>'}}
  %0 = llama.qkv_rope_append %x, %wq, %wk, %wk angles(%cos, %cos) cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xbf16>, tensor<64x64xbf16>, tensor<32x64xbf16>, tensor<32x64xbf16>, tensor<?x4xf32>,
      memref<?x5x2x4x32x8xbf16> -> tensor<?x64xf32> // (C5)
  return
}

// -----

func.func @cosine_of_another_shape_than_sine(
    %x: tensor<?x64xbf16>, %wq: tensor<64x64xbf16>, %wk: tensor<32x64xbf16>,
    %cos: tensor<?x4xf32>, %sin: tensor<?x8xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{'llama.qkv_rope_append' op failed to verify that all of {cosine, sine} have same type}}
  %0 = "llama.qkv_rope_append"(%x, %wq, %wk, %wk, %cos, %sin, %cache, %layer, %p, %s, %tables)
      : (tensor<?x64xbf16>, tensor<64x64xbf16>, tensor<32x64xbf16>, tensor<32x64xbf16>,
         tensor<?x4xf32>, tensor<?x8xf32>, memref<?x5x2x4x64x8xbf16>, index,
         tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>) -> tensor<?x64xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// fused_attention
//===----------------------------------------------------------------------===//

func.func @attention_of_a_head_and_a_half(
    %q: tensor<?x48xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{'llama.fused_attention' op query has 48 columns, not a multiple of 4 KV heads of 8}}
  %0 = llama.fused_attention %q cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x48xf32>, memref<?x5x2x4x64x8xbf16>
      -> tensor<?x48xbf16> // (C1)
  return
}

// -----

func.func @attention_over_a_cache_without_values(
    %q: tensor<?x64xf32>, %cache: memref<?x5x1x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{cache must be [blocks, layers, 2, kvHeads, 64, headDim], found 'memref<?x5x1x4x64x8xbf16>'}}
  %0 = llama.fused_attention %q cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x64xf32>, memref<?x5x1x4x64x8xbf16>
      -> tensor<?x64xbf16> // (C2)
  return
}

// -----

func.func @attention_to_another_width(
    %q: tensor<?x64xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{'llama.fused_attention' op the result's number of columns is 32 but the query's is 64}}
  %0 = llama.fused_attention %q cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16>
      -> tensor<?x32xbf16> // (C3)
  return
}

// -----

//===----------------------------------------------------------------------===//
// swiglu
//===----------------------------------------------------------------------===//

func.func @gate_of_narrow_rows(%x: tensor<?x32xbf16>, %w: tensor<172x64xbf16>) {
  // expected-error @+1 {{'llama.swiglu' op gate_weight's number of columns is 64 but the input's is 32}}
  %0 = llama.swiglu %x, %w, %w : tensor<?x32xbf16>, tensor<172x64xbf16> -> tensor<?x172xbf16> // (C1)
  return
}

// -----

func.func @gate_to_another_width(%x: tensor<?x64xbf16>, %w: tensor<172x64xbf16>) {
  // expected-error @+1 {{the result's number of columns is 171 but the weights' number of rows is 172}}
  %0 = llama.swiglu %x, %w, %w : tensor<?x64xbf16>, tensor<172x64xbf16> -> tensor<?x171xbf16> // (C2)
  return
}

// -----

func.func @gate_of_another_type_than_up(%x: tensor<?x64xbf16>, %w1: tensor<172x64xbf16>, %w3: tensor<172x64xf32>) {
  // expected-error @+1 {{'llama.swiglu' op failed to verify that all of {gate_weight, up_weight} have same type}}
  %0 = "llama.swiglu"(%x, %w1, %w3) : (tensor<?x64xbf16>, tensor<172x64xbf16>, tensor<172x64xf32>) -> tensor<?x172xbf16>
  return
}

// -----

//===----------------------------------------------------------------------===//
// add_rms_norm
//===----------------------------------------------------------------------===//

func.func @sum_normed_with_a_short_weight(%x: tensor<?x64xf32>, %w: tensor<32xf32>) {
  // expected-error @+1 {{'llama.add_rms_norm' op weight's number of elements is 32 but the number of columns is 64}}
  %s, %y = llama.add_rms_norm %x, %x, %w eps 1.0e-05 : tensor<?x64xf32>, tensor<32xf32> -> tensor<?x64xf32> // (C1)
  return
}

// -----

func.func @sum_normed_with_negative_eps(%x: tensor<?x64xf32>, %w: tensor<64xf32>) {
  // expected-error @+1 {{'llama.add_rms_norm' op eps must be greater than zero, found -1.0}}
  %s, %y = llama.add_rms_norm %x, %x, %w eps -1.0 : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x64xf32> // (C2)
  return
}

// -----

func.func @sum_normed_to_another_width(%x: tensor<?x64xf32>, %w: tensor<64xf32>) {
  // expected-error @+1 {{'llama.add_rms_norm' op the result's number of columns is 32 but the input's is 64}}
  %s, %y = llama.add_rms_norm %x, %x, %w eps 1.0e-05 : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x32xf32> // (C3)
  return
}

// -----

func.func @sum_of_another_shape_than_its_parts(%x: tensor<?x64xf32>, %o: tensor<?x32xf32>, %w: tensor<64xf32>) {
  // expected-error @+1 {{'llama.add_rms_norm' op failed to verify that all of {stream, branch, sum} have same type}}
  %s, %y = "llama.add_rms_norm"(%x, %o, %w) <{eps = 1.0e-05 : f64}>
      : (tensor<?x64xf32>, tensor<?x32xf32>, tensor<64xf32>) -> (tensor<?x64xf32>, tensor<?x64xf32>)
  return
}
