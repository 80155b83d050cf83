// The boxes of attention have no lowering of their own; matrices must have names.
//
// RUN: llama-opt %s --convert-llama-to-linalg --verify-diagnostics --split-input-file

func.func @scores_alone_are_refused(
    %q: tensor<?x64xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) -> tensor<?x8x?xf32> {
  // expected-error @+1 {{failed to legalize operation 'llama.attention_scores' that was explicitly marked illegal}}
  %0 = llama.attention_scores %q cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x8x?xf32>
  return %0 : tensor<?x8x?xf32>
}

// -----

func.func @mask_alone_is_refused(%s: tensor<?x8x?xf32>, %p: tensor<?xi32>) -> tensor<?x8x?xf32> {
  // expected-error @+1 {{failed to legalize operation 'llama.causal_mask' that was explicitly marked illegal}}
  %0 = llama.causal_mask %s, %p : tensor<?x8x?xf32>
  return %0 : tensor<?x8x?xf32>
}

// -----

func.func @softmax_alone_is_refused(%s: tensor<?x8x?xf32>) -> tensor<?x8x?xf32> {
  // expected-error @+1 {{failed to legalize operation 'llama.softmax' that was explicitly marked illegal}}
  %0 = llama.softmax %s : tensor<?x8x?xf32>
  return %0 : tensor<?x8x?xf32>
}

// -----

func.func @mix_alone_is_refused(
    %w: tensor<?x8x?xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) -> tensor<?x64xbf16> {
  // expected-error @+1 {{failed to legalize operation 'llama.attention_output' that was explicitly marked illegal}}
  %0 = llama.attention_output %w cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x8x?xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x64xbf16>
  return %0 : tensor<?x64xbf16>
}

// -----

func.func @product_with_a_matrix_without_a_name(%x: tensor<?x64xbf16>, %w: tensor<56x64xbf16>) -> tensor<?x56xf32> {
  // expected-error @+1 {{expected matrices that llama.get_weight names, found another value of 'tensor<56x64xbf16>'}}
  %0 = llama.linear %x, %w : tensor<?x64xbf16>, tensor<56x64xbf16> -> tensor<?x56xf32>
  return %0 : tensor<?x56xf32>
}

// -----

func.func @embedding_from_a_table_without_a_name(%tokens: tensor<?xi32>, %table: tensor<512x64xbf16>)
    -> tensor<?x64xf32> {
  // expected-error @+1 {{expected matrices that llama.get_weight names, found another value of 'tensor<512x64xbf16>'}}
  %0 = llama.embed %tokens, %table : tensor<512x64xbf16> -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}

// -----

llama.weight @w : tensor<172x64xbf16>
func.func @matrix_that_something_else_reads(%x: tensor<?x64xbf16>) -> (tensor<?x172xf32>, tensor<172x64xbf16>) {
  // expected-error @+1 {{'@w' is stored in panels, which products and embeddings read, found another reader}}
  %w = llama.get_weight @w : tensor<172x64xbf16>
  %y = llama.linear %x, %w : tensor<?x64xbf16>, tensor<172x64xbf16> -> tensor<?x172xf32>
  // expected-note @+1 {{this one}}
  return %y, %w : tensor<?x172xf32>, tensor<172x64xbf16>
}
