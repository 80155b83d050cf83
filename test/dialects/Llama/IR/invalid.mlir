// Each constraint (Cn) of each op, broken; then each kind of operand. `grep -rn
// "(C1)"` finds description, verifier and test of a constraint.
//
// RUN: llama-opt %s --verify-diagnostics --split-input-file

//===----------------------------------------------------------------------===//
// weight
//===----------------------------------------------------------------------===//

// expected-error @+1 {{'llama.weight' op must have a static shape, found 'tensor<?x64xbf16>'}}
llama.weight @w : tensor<?x64xbf16> // (C1)

// -----

// expected-error @+1 {{'llama.weight' op is layered but has 1 dimensions, expected at least 2}}
llama.weight @w layered : tensor<64xbf16> // (C2)

// -----

// expected-error @+1 {{'llama.weight' op is rotated, expected a quantized matrix, found 'tensor<8x64xbf16>'}}
llama.weight @w rotated : tensor<8x64xbf16> // (C3)

// -----

// expected-error @+1 {{'llama.weight' op has layout 'columns', expected 'rows' or 'panels16'}}
llama.weight @w layout "columns" : tensor<128x64xbf16> // (C4)

// -----

// expected-error @+1 {{'llama.weight' op is in panels, expected a matrix, found 'tensor<64xbf16>'}}
llama.weight @w layout "panels16" : tensor<64xbf16> // (C4)

// -----

// A stack of vectors is not a matrix.
// expected-error @+1 {{'llama.weight' op is in panels, expected a matrix, found 'tensor<5x64xbf16>'}}
llama.weight @w layered layout "panels16" : tensor<5x64xbf16> // (C4)

// -----

// expected-error @+1 {{'llama.weight' op is in panels, expected a matrix, found 'tensor<64x64xi32>'}}
llama.weight @w layout "panels16" : tensor<64x64xi32> // (C4)

// -----

// expected-error @+1 {{'llama.weight' op is at -64, expected a place in the block of weights}}
llama.weight @w at -64 : tensor<64xbf16> // (C5)

// -----

// The first byte is a place.
llama.weight @w at 0 : tensor<64xbf16> // (C5)

// -----

// expected-error @+1 {{attribute 'type' failed to satisfy constraint}}
llama.weight @w : memref<64xbf16>

// -----

// expected-error @+1 {{attribute 'type' failed to satisfy constraint}}
llama.weight @w : tensor<*xbf16>

// -----

//===----------------------------------------------------------------------===//
// get_weight
//===----------------------------------------------------------------------===//

func.func @weight_that_nobody_declares() {
  // expected-error @+1 {{'llama.get_weight' op 'w' is not a llama.weight}}
  %0 = llama.get_weight @w : tensor<64xbf16> // (C1)
  return
}

// -----

func.func private @w()
func.func @weight_that_is_a_function() {
  // expected-error @+1 {{'llama.get_weight' op 'w' is not a llama.weight}}
  %0 = llama.get_weight @w : tensor<64xbf16> // (C1)
  return
}

// -----

llama.weight @w layered : tensor<5x64xbf16>
func.func @layered_weight_without_a_number() {
  // expected-error @+1 {{'llama.get_weight' op 'w' is layered but there is no layer number}}
  %0 = llama.get_weight @w : tensor<64xbf16> // (C2)
  return
}

// -----

llama.weight @w : tensor<5x64xbf16>
func.func @plain_weight_with_a_number(%layer: index) {
  // expected-error @+1 {{'llama.get_weight' op 'w' is not layered but there is a layer number}}
  %0 = llama.get_weight @w[%layer] : tensor<64xbf16> // (C2)
  return
}

// -----

llama.weight @w layered : tensor<5x64xbf16>
func.func @weight_of_another_shape(%layer: index) {
  // expected-error @+1 {{'llama.get_weight' op result is 'tensor<5x64xbf16>' but 'w' is 'tensor<64xbf16>'}}
  %0 = llama.get_weight @w[%layer] : tensor<5x64xbf16> // (C3)
  return
}

// -----

llama.weight @w : tensor<64xbf16>
func.func @weight_of_another_element_type() {
  // expected-error @+1 {{'llama.get_weight' op result is 'tensor<64xf32>' but 'w' is 'tensor<64xbf16>'}}
  %0 = llama.get_weight @w : tensor<64xf32> // (C3)
  return
}

// -----

//===----------------------------------------------------------------------===//
// embed
//===----------------------------------------------------------------------===//

func.func @embedding_of_another_width(%tokens: tensor<?xi32>, %table: tensor<512x64xbf16>) {
  // expected-error @+1 {{'llama.embed' op the result's number of columns is 32 but the table's is 64}}
  %0 = llama.embed %tokens, %table : tensor<512x64xbf16> -> tensor<?x32xf32> // (C1)
  return
}

// -----

func.func @embedding_from_a_vector(%tokens: tensor<?xi32>, %table: tensor<64xbf16>) {
  // expected-error @+1 {{'llama.embed' op table must be a matrix, found rank 1}}
  %0 = llama.embed %tokens, %table : tensor<64xbf16> -> tensor<?x64xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// rms_norm
//===----------------------------------------------------------------------===//

func.func @norm_with_a_short_weight(%x: tensor<?x64xf32>, %w: tensor<32xf32>) {
  // expected-error @+1 {{'llama.rms_norm' op weight's number of elements is 32 but the number of columns is 64}}
  %0 = llama.rms_norm %x, %w eps 1.0e-05 : tensor<?x64xf32>, tensor<32xf32> -> tensor<?x64xf32> // (C1)
  return
}

// -----

func.func @norm_with_eps_zero(%x: tensor<?x64xf32>, %w: tensor<64xf32>) {
  // expected-error @+1 {{'llama.rms_norm' op eps must be greater than zero, found 0}}
  %0 = llama.rms_norm %x, %w eps 0.0 : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x64xf32> // (C2)
  return
}

// -----

func.func @norm_with_eps_that_is_no_number(%x: tensor<?x64xf32>, %w: tensor<64xf32>) {
  // expected-error @+1 {{'llama.rms_norm' op eps must be greater than zero, found nan}}
  %0 = llama.rms_norm %x, %w eps 0x7FF8000000000000 : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x64xf32> // (C2)
  return
}

// -----

func.func @norm_to_another_width(%x: tensor<?x64xf32>, %w: tensor<64xf32>) {
  // expected-error @+1 {{'llama.rms_norm' op the result's number of columns is 32 but the input's is 64}}
  %0 = llama.rms_norm %x, %w eps 1.0e-05 : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x32xf32> // (C3)
  return
}

// -----

//===----------------------------------------------------------------------===//
// linear
//===----------------------------------------------------------------------===//

func.func @linear_of_narrow_rows(%x: tensor<?x32xbf16>, %w: tensor<172x64xbf16>) {
  // expected-error @+1 {{'llama.linear' op weight's number of columns is 64 but the input's is 32}}
  %0 = llama.linear %x, %w : tensor<?x32xbf16>, tensor<172x64xbf16> -> tensor<?x172xf32> // (C1)
  return
}

// -----

func.func @linear_with_a_vector(%x: tensor<?x64xbf16>, %w: tensor<64xbf16>) {
  // expected-error @+1 {{'llama.linear' op weight must be a matrix, found rank 1}}
  %0 = llama.linear %x, %w : tensor<?x64xbf16>, tensor<64xbf16> -> tensor<?x64xf32> // (C1)
  return
}

// -----

func.func @linear_to_another_width(%x: tensor<?x64xbf16>, %w: tensor<172x64xbf16>) {
  // expected-error @+1 {{the result's number of columns is 171 but the weight's number of rows is 172}}
  %0 = llama.linear %x, %w : tensor<?x64xbf16>, tensor<172x64xbf16> -> tensor<?x171xf32> // (C2)
  return
}

// -----

func.func @linear_of_a_known_number_of_rows(%x: tensor<4x64xbf16>, %w: tensor<172x64xbf16>) {
  // expected-error @+1 {{operand #0 must be tensor<? x columns> of bf16 or f32, but got 'tensor<4x64xbf16>'}}
  %0 = llama.linear %x, %w : tensor<4x64xbf16>, tensor<172x64xbf16> -> tensor<?x172xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// rope_angles, rope
//===----------------------------------------------------------------------===//

func.func @angles_without_a_frequency(%positions: tensor<?xi32>) {
  // expected-error @+1 {{the results' number of columns is 3 but the number of frequencies is 2}}
  %cos, %sin = llama.rope_angles %positions frequencies [1.0, 0.01] : tensor<?x3xf32> // (C1)
  return
}

// -----

func.func @attention_factor_of_nothing(%positions: tensor<?xi32>) {
  // expected-error @+1 {{'llama.rope_angles' op factor must be finite and greater than zero}}
  %cos, %sin = llama.rope_angles %positions frequencies [1.0] factor 0.0 : tensor<?x1xf32> // (C2)
  return
}

// -----

func.func @sine_of_another_shape_than_cosine(%positions: tensor<?xi32>) {
  // expected-error @+1 {{'llama.rope_angles' op failed to verify that all of {cosine, sine} have same type}}
  %cos, %sin = "llama.rope_angles"(%positions) <{frequencies = [1.0, 0.01]}>
      : (tensor<?xi32>) -> (tensor<?x2xf32>, tensor<?x1xf32>)
  return
}

// -----

func.func @rotation_of_half_a_head(%q: tensor<?x60xf32>, %cos: tensor<?x4xf32>, %sin: tensor<?x4xf32>) {
  // expected-error @+1 {{'llama.rope' op input has 60 columns, not a multiple of heads of 8}}
  %0 = llama.rope %q, %cos, %sin : tensor<?x60xf32>, tensor<?x4xf32> // (C1)
  return
}

// -----

func.func @rotation_by_no_angles(%q: tensor<?x64xf32>, %cos: tensor<?x0xf32>, %sin: tensor<?x0xf32>) {
  // expected-error @+1 {{'llama.rope' op operand #1 must be tensor<? x columns> of f32, but got 'tensor<?x0xf32>'}}
  %0 = llama.rope %q, %cos, %sin : tensor<?x64xf32>, tensor<?x0xf32>
  return
}

// -----

func.func @rotation_to_another_shape(%q: tensor<?x64xf32>, %cos: tensor<?x4xf32>) {
  // expected-error @+1 {{'llama.rope' op failed to verify that all of {input, result} have same type}}
  %0 = "llama.rope"(%q, %cos, %cos) : (tensor<?x64xf32>, tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x32xf32>
  return
}

// -----

func.func @rotation_by_angles_that_differ(%q: tensor<?x64xf32>, %cos: tensor<?x4xf32>, %sin: tensor<?x8xf32>) {
  // expected-error @+1 {{'llama.rope' op failed to verify that all of {cosine, sine} have same type}}
  %0 = "llama.rope"(%q, %cos, %sin) : (tensor<?x64xf32>, tensor<?x4xf32>, tensor<?x8xf32>) -> tensor<?x64xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// cache_append
//===----------------------------------------------------------------------===//

func.func @keys_of_another_width_than_the_cache(
    %k: tensor<?x64xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{'llama.cache_append' op keys is 64 wide but the cache has 4 KV heads of 8}}
  llama.cache_append %k, %k cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16> // (C1)
  return
}

// -----

func.func @cache_without_values(
    %k: tensor<?x32xf32>, %cache: memref<?x5x1x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{cache must be [blocks, layers, 2, kvHeads, 64, headDim], found 'memref<?x5x1x4x64x8xbf16>'}}
  llama.cache_append %k, %k cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x32xf32>, memref<?x5x1x4x64x8xbf16> // (C2)
  return
}

// -----

func.func @cache_in_pages_of_32(
    %k: tensor<?x32xf32>, %cache: memref<?x5x2x4x32x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{cache must be [blocks, layers, 2, kvHeads, 64, headDim], found 'memref<?x5x2x4x32x8xbf16>'}}
  llama.cache_append %k, %k cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x32xf32>, memref<?x5x2x4x32x8xbf16> // (C2)
  return
}

// -----

func.func @cache_of_unknown_heads(
    %k: tensor<?x32xf32>, %cache: memref<?x5x2x?x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{cache must be [blocks, layers, 2, kvHeads, 64, headDim], found 'memref<?x5x2x?x64x8xbf16>'}}
  llama.cache_append %k, %k cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x32xf32>, memref<?x5x2x?x64x8xbf16> // (C2)
  return
}

// -----

// A cache of integers needs room for the scale.
func.func @cache_with_scales_of_nothing(
    %k: tensor<?x32xf32>, %cache: memref<?x5x2x4x64x2xi8>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{cache must be [blocks, layers, 2, kvHeads, 64, headDim + 2], found 'memref<?x5x2x4x64x2xi8>'}}
  llama.cache_append %k, %k cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x32xf32>, memref<?x5x2x4x64x2xi8> // (C2)
  return
}

// -----

func.func @cache_with_heads_of_nothing(
    %k: tensor<?x32xf32>, %cache: memref<?x5x2x4x64x0xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{cache must be [blocks, layers, 2, kvHeads, 64, headDim], found 'memref<?x5x2x4x64x0xbf16>'}}
  llama.cache_append %k, %k cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x32xf32>, memref<?x5x2x4x64x0xbf16> // (C2)
  return
}

// -----

func.func @values_of_another_shape_than_keys(
    %k: tensor<?x32xf32>, %v: tensor<?x16xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{'llama.cache_append' op failed to verify that all of {keys, values} have same type}}
  "llama.cache_append"(%k, %v, %cache, %layer, %p, %s, %tables)
      : (tensor<?x32xf32>, tensor<?x16xf32>, memref<?x5x2x4x64x8xbf16>, index,
         tensor<?xi32>, tensor<?xi32>, tensor<?x?xi32>) -> ()
  return
}

// -----

//===----------------------------------------------------------------------===//
// attention_scores, causal_mask, softmax, attention_output
//===----------------------------------------------------------------------===//

func.func @scores_of_a_head_and_a_half(
    %q: tensor<?x48xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{'llama.attention_scores' op query has 48 columns, not a multiple of 4 KV heads of 8}}
  %0 = llama.attention_scores %q cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x48xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x6x?xf32> // (C1)
  return
}

// -----

func.func @scores_over_a_cache_without_values(
    %q: tensor<?x64xf32>, %cache: memref<?x5x1x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{cache must be [blocks, layers, 2, kvHeads, 64, headDim], found 'memref<?x5x1x4x64x8xbf16>'}}
  %0 = llama.attention_scores %q cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xf32>, memref<?x5x1x4x64x8xbf16> -> tensor<?x8x?xf32> // (C2)
  return
}

// -----

func.func @scores_of_a_missing_head(
    %q: tensor<?x64xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{'llama.attention_scores' op the result's number of heads is 7 but the query's is 8}}
  %0 = llama.attention_scores %q cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x7x?xf32> // (C3)
  return
}

// -----

func.func @recorded_scores_of_a_head_and_a_half(
    %q: tensor<?x48xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>, %into: memref<?x6x?xf32>) {
  // expected-error @+1 {{'llama.record_scores' op query has 48 columns, not a multiple of 4 KV heads of 8}}
  llama.record_scores %q cache %cache[%layer] rows(%p, %s, %tables) of %p into %into
      : tensor<?x48xf32>, memref<?x5x2x4x64x8xbf16>, memref<?x6x?xf32> // (C1)
  return
}

// -----

func.func @recorded_scores_without_values(
    %q: tensor<?x64xf32>, %cache: memref<?x5x1x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>, %into: memref<?x8x?xf32>) {
  // expected-error @+1 {{cache must be [blocks, layers, 2, kvHeads, 64, headDim], found 'memref<?x5x1x4x64x8xbf16>'}}
  llama.record_scores %q cache %cache[%layer] rows(%p, %s, %tables) of %p into %into
      : tensor<?x64xf32>, memref<?x5x1x4x64x8xbf16>, memref<?x8x?xf32> // (C2)
  return
}

// -----

func.func @recorded_scores_of_a_missing_head(
    %q: tensor<?x64xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>, %into: memref<?x7x?xf32>) {
  // expected-error @+1 {{'llama.record_scores' op the buffer's number of heads is 7 but the query's is 8}}
  llama.record_scores %q cache %cache[%layer] rows(%p, %s, %tables) of %p into %into
      : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16>, memref<?x7x?xf32> // (C3)
  return
}

// -----

func.func @mask_to_another_shape(%s: tensor<?x8x?xf32>, %p: tensor<?xi32>) {
  // expected-error @+1 {{'llama.causal_mask' op failed to verify that all of {scores, result} have same type}}
  %0 = "llama.causal_mask"(%s, %p) : (tensor<?x8x?xf32>, tensor<?xi32>) -> tensor<?x4x?xf32>
  return
}

// -----

func.func @softmax_to_another_shape(%s: tensor<?x8x?xf32>) {
  // expected-error @+1 {{'llama.softmax' op failed to verify that all of {scores, result} have same type}}
  %0 = "llama.softmax"(%s) : (tensor<?x8x?xf32>) -> tensor<?x4x?xf32>
  return
}

// -----

func.func @mix_of_a_head_and_a_half(
    %w: tensor<?x6x?xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{'llama.attention_output' op result has 48 columns, not a multiple of 4 KV heads of 8}}
  %0 = llama.attention_output %w cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x6x?xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x48xbf16> // (C1)
  return
}

// -----

func.func @mix_of_a_missing_head(
    %w: tensor<?x7x?xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{'llama.attention_output' op the result's number of heads is 8 but the weights' is 7}}
  %0 = llama.attention_output %w cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x7x?xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x64xbf16> // (C1)
  return
}

// -----

func.func @mix_over_a_cache_in_pages_of_32(
    %w: tensor<?x8x?xf32>, %cache: memref<?x5x2x4x32x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{cache must be [blocks, layers, 2, kvHeads, 64, headDim], found 'memref<?x5x2x4x32x8xbf16>'}}
  %0 = llama.attention_output %w cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x8x?xf32>, memref<?x5x2x4x32x8xbf16> -> tensor<?x64xbf16> // (C2)
  return
}

// -----

//===----------------------------------------------------------------------===//
// silu, mul, add
//===----------------------------------------------------------------------===//

func.func @silu_to_another_shape(%x: tensor<?x64xf32>) {
  // expected-error @+1 {{'llama.silu' op failed to verify that all of {input, result} have same type}}
  %0 = "llama.silu"(%x) : (tensor<?x64xf32>) -> tensor<?x32xf32>
  return
}

// -----

func.func @product_of_another_width(%a: tensor<?x64xf32>, %b: tensor<?x64xf32>) {
  // expected-error @+1 {{'llama.mul' op the result's number of columns is 32 but the operands' is 64}}
  %0 = llama.mul %a, %b : tensor<?x64xf32> -> tensor<?x32xf32> // (C1)
  return
}

// -----

func.func @product_of_unlike_operands(%a: tensor<?x64xf32>, %b: tensor<?x32xf32>) {
  // expected-error @+1 {{'llama.mul' op failed to verify that all of {lhs, rhs} have same type}}
  %0 = "llama.mul"(%a, %b) : (tensor<?x64xf32>, tensor<?x32xf32>) -> tensor<?x64xf32>
  return
}

// -----

func.func @sum_of_unlike_operands(%a: tensor<?x64xf32>, %b: tensor<?x32xf32>) {
  // expected-error @+1 {{'llama.add' op failed to verify that all of {stream, branch, result} have same type}}
  %0 = "llama.add"(%a, %b) : (tensor<?x64xf32>, tensor<?x32xf32>) -> tensor<?x64xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// logits
//===----------------------------------------------------------------------===//

func.func @logits_of_narrow_rows(%x: tensor<?x32xbf16>, %list: tensor<?xi32>, %w: tensor<512x64xbf16>) {
  // expected-error @+1 {{'llama.logits' op weight's number of columns is 64 but the input's is 32}}
  %0 = llama.logits %x[%list], %w : tensor<?x32xbf16>, tensor<512x64xbf16> -> tensor<?x512xf32> // (C1)
  return
}

// -----

func.func @logits_of_a_missing_token(%x: tensor<?x64xbf16>, %list: tensor<?xi32>, %w: tensor<512x64xbf16>) {
  // expected-error @+1 {{the result's number of columns is 511 but the weight's number of rows is 512}}
  %0 = llama.logits %x[%list], %w : tensor<?x64xbf16>, tensor<512x64xbf16> -> tensor<?x511xf32> // (C2)
  return
}

// -----

//===----------------------------------------------------------------------===//
// hadamard
//===----------------------------------------------------------------------===//

func.func @hadamard_of_no_power_of_two(%x: tensor<?x96xf32>) {
  // expected-error @+1 {{'llama.hadamard' op expected a power of two of columns, found 96}}
  %0 = llama.hadamard %x : tensor<?x96xf32> // (C1)
  return
}

// -----

func.func @hadamard_of_bf16(%x: tensor<?x64xbf16>) {
  // expected-error @+1 {{operand #0 must be tensor<? x columns> of f32, but got 'tensor<?x64xbf16>'}}
  %0 = llama.hadamard %x : tensor<?x64xbf16>
  return
}

// -----

//===----------------------------------------------------------------------===//
// scatter_logits
//===----------------------------------------------------------------------===//

func.func @scatter_logits_without_a_token(%few: tensor<?x3xf32>) {
  // expected-error @+1 {{'llama.scatter_logits' op the number of tokens is 2 but the input's number of columns is 3}}
  %0 = llama.scatter_logits %few to [7, 3] : tensor<?x3xf32> -> tensor<?x512xf32> // (C1)
  return
}

// -----

func.func @scatter_logits_beyond_the_result(%few: tensor<?x2xf32>) {
  // expected-error @+1 {{'llama.scatter_logits' op token 512 is not a column of the result, which has 512}}
  %0 = llama.scatter_logits %few to [7, 512] : tensor<?x2xf32> -> tensor<?x512xf32> // (C2)
  return
}

// -----

func.func @scatter_logits_before_the_result(%few: tensor<?x2xf32>) {
  // expected-error @+1 {{'llama.scatter_logits' op token -1 is not a column of the result, which has 512}}
  %0 = llama.scatter_logits %few to [7, -1] : tensor<?x2xf32> -> tensor<?x512xf32> // (C2)
  return
}

// -----

func.func @scatter_logits_to_one_place(%few: tensor<?x2xf32>) {
  // expected-error @+1 {{'llama.scatter_logits' op token 7 is there twice}}
  %0 = llama.scatter_logits %few to [7, 7] : tensor<?x2xf32> -> tensor<?x512xf32> // (C2)
  return
}

// -----

//===----------------------------------------------------------------------===//
// Kinds of operands
//===----------------------------------------------------------------------===//

func.func @rows_are_a_matrix(%x: tensor<?x2x64xbf16>, %w: tensor<172x64xbf16>) {
  // expected-error-re @+1 {{'llama.linear' op operand #0 must be {{.*}}, but got 'tensor<?x2x64xbf16>'}}
  %0 = llama.linear %x, %w : tensor<?x2x64xbf16>, tensor<172x64xbf16> -> tensor<?x172xf32>
  return
}

// -----

func.func @rows_are_not_f16(%x: tensor<?x64xf16>, %w: tensor<172x64xbf16>) {
  // expected-error-re @+1 {{'llama.linear' op operand #0 must be {{.*}}, but got 'tensor<?x64xf16>'}}
  %0 = llama.linear %x, %w : tensor<?x64xf16>, tensor<172x64xbf16> -> tensor<?x172xf32>
  return
}

// -----

func.func @sums_are_f32(%x: tensor<?x64xbf16>, %w: tensor<172x64xbf16>) {
  // expected-error-re @+1 {{'llama.linear' op result #0 must be {{.*}}, but got 'tensor<?x172xbf16>'}}
  %0 = llama.linear %x, %w : tensor<?x64xbf16>, tensor<172x64xbf16> -> tensor<?x172xbf16>
  return
}

// -----

func.func @residual_stream_is_f32(%x: tensor<?x64xbf16>) {
  // expected-error-re @+1 {{'llama.add' op operand #0 must be {{.*}}, but got 'tensor<?x64xbf16>'}}
  %0 = llama.add %x, %x : tensor<?x64xbf16>
  return
}

// -----

func.func @columns_are_static(%x: tensor<?x?xf32>) {
  // expected-error-re @+1 {{'llama.silu' op operand #0 must be {{.*}}, but got 'tensor<?x?xf32>'}}
  %0 = llama.silu %x : tensor<?x?xf32>
  return
}

// -----

func.func @rows_are_dynamic(%x: tensor<4x64xf32>) {
  // expected-error-re @+1 {{'llama.silu' op operand #0 must be {{.*}}, but got 'tensor<4x64xf32>'}}
  %0 = llama.silu %x : tensor<4x64xf32>
  return
}

// -----

func.func @matrices_are_static(%x: tensor<?x64xbf16>, %w: tensor<?x64xbf16>) {
  // expected-error @+1 {{32-bit float or quantized integer values, but got 'tensor<?x64xbf16>'}}
  %0 = llama.linear %x, %w : tensor<?x64xbf16>, tensor<?x64xbf16> -> tensor<?x172xf32>
  return
}

// -----

func.func @matrices_are_of_floats(%x: tensor<?x64xbf16>, %w: tensor<172x64xi8>) {
  // expected-error @+1 {{32-bit float or quantized integer values, but got 'tensor<172x64xi8>'}}
  %0 = llama.linear %x, %w : tensor<?x64xbf16>, tensor<172x64xi8> -> tensor<?x172xf32>
  return
}

// -----

func.func @weight_of_a_norm_is_a_vector(%x: tensor<?x64xf32>, %w: tensor<1x64xf32>) {
  // expected-error @+1 {{1D tensor of bfloat16 type or 16-bit float or 32-bit float values, but got 'tensor<1x64xf32>}}
  %0 = llama.rms_norm %x, %w eps 1.0e-05 : tensor<?x64xf32>, tensor<1x64xf32> -> tensor<?x64xf32>
  return
}

// -----

func.func @weight_values_have_a_static_shape() {
  // expected-error @+1 {{result #0 must be statically shaped tensor of any type values, but got 'tensor<?xf32>'}}
  %0 = llama.get_weight @w : tensor<?xf32>
  return
}

// -----

llama.weight @w layered : tensor<5x64xbf16>
func.func @layer_numbers_are_indices(%layer: i32) {
  // expected-error @+1 {{'llama.get_weight' op operand #0 must be index, but got 'i32'}}
  %0 = "llama.get_weight"(%layer) <{name = @w}> : (i32) -> tensor<64xbf16>
  return
}

// -----

func.func @row_numbers_are_i32(%s: tensor<?x8x?xf32>, %positions: tensor<?xi64>) {
  // expected-error @+1 {{'llama.causal_mask' op operand #1 must be tensor<?xi32>, but got 'tensor<?xi64>'}}
  %0 = "llama.causal_mask"(%s, %positions) : (tensor<?x8x?xf32>, tensor<?xi64>) -> tensor<?x8x?xf32>
  return
}

// -----

func.func @row_numbers_are_as_many_as_there_are_rows(%s: tensor<?x8x?xf32>, %positions: tensor<4xi32>) {
  // expected-error @+1 {{'llama.causal_mask' op operand #1 must be tensor<?xi32>, but got 'tensor<4xi32>'}}
  %0 = "llama.causal_mask"(%s, %positions) : (tensor<?x8x?xf32>, tensor<4xi32>) -> tensor<?x8x?xf32>
  return
}

// -----

func.func @block_tables_have_two_dimensions(
    %q: tensor<?x64xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>) {
  // expected-error @+1 {{'llama.fused_attention' op operand #5 must be tensor<?x?xi32>, but got 'tensor<?xi32>'}}
  %0 = "llama.fused_attention"(%q, %cache, %layer, %p, %s, %p)
      : (tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16>, index, tensor<?xi32>, tensor<?xi32>,
         tensor<?xi32>) -> tensor<?x64xbf16>
  return
}

// -----

func.func @cache_has_six_dimensions(
    %q: tensor<?x64xf32>, %cache: memref<?x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{32-bit float or 8-bit signless integer values, but got 'memref<?x2x4x64x8xbf16>'}}
  %0 = llama.fused_attention %q cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x64xf32>, memref<?x2x4x64x8xbf16>
      -> tensor<?x64xbf16>
  return
}

// -----

func.func @cache_is_not_f16(
    %q: tensor<?x64xf32>, %cache: memref<?x5x2x4x64x8xf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // expected-error @+1 {{32-bit float or 8-bit signless integer values, but got 'memref<?x5x2x4x64x8xf16>'}}
  %0 = llama.fused_attention %q cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x64xf32>, memref<?x5x2x4x64x8xf16>
      -> tensor<?x64xbf16>
  return
}

// -----

func.func @scores_have_three_dimensions(%s: tensor<?x?xf32>) {
  // expected-error @+1 {{operand #0 must be tensor<? x heads x ?> of f32, but got 'tensor<?x?xf32>'}}
  %0 = llama.softmax %s : tensor<?x?xf32>
  return
}

// -----

func.func @eps_is_an_f64(%x: tensor<?x64xf32>, %w: tensor<64xf32>) {
  // expected-error @+1 {{'llama.rms_norm' op attribute 'eps' failed to satisfy constraint: 64-bit float attribute}}
  %0 = "llama.rms_norm"(%x, %w) <{eps = 1.0e-05 : f32}> : (tensor<?x64xf32>, tensor<64xf32>) -> tensor<?x64xf32>
  return
}

// -----

// expected-error @+1 {{expected 4 or 8 bits, found 5}}
llama.weight @w : tensor<8x64x!llama.quantized<5, 32>>

// -----

// expected-error @+1 {{expected a group of 32, 64, 128 or 256, found 48}}
llama.weight @w : tensor<8x64x!llama.quantized<4, 48>>

// -----

// expected-error @+1 {{expected 'minimum'}}
llama.weight @w : tensor<8x64x!llama.quantized<4, 32, maximum>>

// -----

func.func @embed_table_of_four_bits(%tokens: tensor<?xi32>, %table: tensor<512x64x!llama.quantized<4, 32>>) {
  // expected-error @+1 {{'llama.embed' op expected a table of 8 bits, found '!llama.quantized<4, 32>'}}
  %0 = llama.embed %tokens, %table : tensor<512x64x!llama.quantized<4, 32>> -> tensor<?x64xf32>
  return
}

// -----

//===----------------------------------------------------------------------===//
// Discardable attributes
//===----------------------------------------------------------------------===//

module attributes {
  llama.model = "model", llama.stage = "llama", llama.activations = bf16, llama.kv_type = i8,
  llama.row_bits = 16 : i64, llama.max_seq_len = 1 : i64, llama.weights_bytes = 0 : i64,
  llama.target = {triple = "t", cpu = "c", features = ""}
} {
  func.func private @each_as_it_should_be(
      memref<?xf32> {llama.argument = "tokens", llama.row_count = "rows"},
      memref<?xf32> {llama.row_count = "logit_rows"})
}

// -----

// expected-error @+1 {{attribute 'llama.model' is 1 : i64, expected a string}}
module attributes {llama.model = 1 : i64} {}

// -----

// expected-error @+1 {{attribute 'llama.stage' is 1 : i64, expected a string}}
module attributes {llama.stage = 1 : i64} {}

// -----

// expected-error @+1 {{attribute 'llama.activations' is "bf16", expected a type}}
module attributes {llama.activations = "bf16"} {}

// -----

// expected-error @+1 {{attribute 'llama.kv_type' is "bf16", expected a type}}
module attributes {llama.kv_type = "bf16"} {}

// -----

// expected-error @+1 {{attribute 'llama.row_bits' is 0 : i64, expected a positive i64}}
module attributes {llama.row_bits = 0 : i64} {}

// -----

// expected-error @+1 {{attribute 'llama.row_bits' is 8 : i32, expected a positive i64}}
module attributes {llama.row_bits = 8 : i32} {}

// -----

// expected-error @+1 {{attribute 'llama.max_seq_len' is -1 : i64, expected a positive i64}}
module attributes {llama.max_seq_len = -1 : i64} {}

// -----

// expected-error @+1 {{attribute 'llama.weights_bytes' is "many", expected an i64 of at least 0}}
module attributes {llama.weights_bytes = "many"} {}

// -----

// expected-error @+1 {{attribute 'llama.weights_bytes' is -1 : i8, expected an i64 of at least 0}}
module attributes {llama.weights_bytes = -1 : i8} {}

// -----

// expected-error @+1 {{attribute 'llama.weights_bytes' is -1 : i64, expected an i64 of at least 0}}
module attributes {llama.weights_bytes = -1 : i64} {}

// -----

// expected-error @+1 {{is {cpu = "c", triple = "t"}, expected strings 'triple', 'cpu' and 'features'}}
module attributes {llama.target = {triple = "t", cpu = "c"}} {}

// -----

// expected-error @+1 {{attribute 'llama.other' is not one of the llama dialect's here}}
module attributes {llama.other} {}

// -----

// expected-error @+1 {{attribute 'llama.argument' is 1 : i64, expected a string}}
func.func private @argument_named_by_a_number(memref<?xf32> {llama.argument = 1 : i64})

// -----

// expected-error @+1 {{attribute 'llama.row_count' is "columns", expected 'rows' or 'logit_rows'}}
func.func private @argument_of_another_row_count(memref<?xf32> {llama.row_count = "columns"})

// -----

// expected-error @+1 {{attribute 'llama.stage' is not one of the llama dialect's here}}
func.func private @argument_with_what_is_of_a_module(memref<?xf32> {llama.stage = "llama"})

// -----

// expected-error @+1 {{attribute 'llama.argument' is not one of the llama dialect's here}}
func.func private @result_with_what_is_of_an_argument() -> (memref<?xf32> {llama.argument = "tokens"})

// -----

// expected-error @+1 {{attribute 'llama.row_count' is not one of the llama dialect's here}}
func.func private @result_with_a_row_count() -> (memref<?xf32> {llama.row_count = "rows"})

// -----

// expected-error @+1 {{attribute 'llama.stage' is not one of the llama dialect's here}}
func.func private @function_with_what_is_of_a_module() attributes {llama.stage = "llama"}
