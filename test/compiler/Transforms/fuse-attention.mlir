// RUN: llama-opt %s --llama-fuse-attention --split-input-file | FileCheck %s

// CHECK-LABEL: func @scores_mask_softmax_and_mix_are_fused
// CHECK-SAME: (%[[Q:[^ ,:)]*]]: tensor<?x64xf32>, %[[CACHE:[^ ,:)]*]]: memref<{{.*}}>, %[[LAYER:[^ ,:)]*]]: index,
// CHECK-SAME: %[[P:[^ ,:)]*]]: tensor<?xi32>, %[[S:[^ ,:)]*]]: tensor<?xi32>, %[[TABLES:[^ ,:)]*]]: tensor<?x?xi32>)
// CHECK-NEXT: %[[O:[^ ,:)]*]] = llama.fused_attention %[[Q]] cache %[[CACHE]][%[[LAYER]]] rows(%[[P]], %[[S]],
// CHECK-SAME: %[[TABLES]]) : {{.*}} -> tensor<?x64xbf16>
// CHECK-NEXT: return %[[O]]
func.func @scores_mask_softmax_and_mix_are_fused(
    %q: tensor<?x64xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) -> tensor<?x64xbf16> {
  %scores = llama.attention_scores %q cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x8x?xf32>
  %masked = llama.causal_mask %scores, %p : tensor<?x8x?xf32>
  %weights = llama.softmax %masked : tensor<?x8x?xf32>
  %o = llama.attention_output %weights cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x8x?xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x64xbf16>
  return %o : tensor<?x64xbf16>
}

// -----

// CHECK-LABEL: func @weights_that_are_no_softmax_are_left_alone
// CHECK-NOT: llama.fused_attention
// CHECK: llama.attention_output
func.func @weights_that_are_no_softmax_are_left_alone(
    %q: tensor<?x64xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) -> tensor<?x64xbf16> {
  %scores = llama.attention_scores %q cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x8x?xf32>
  %masked = llama.causal_mask %scores, %p : tensor<?x8x?xf32>
  %o = llama.attention_output %masked cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x8x?xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x64xbf16>
  return %o : tensor<?x64xbf16>
}

// -----

// CHECK-LABEL: func @softmax_without_a_mask_is_left_alone
// CHECK-NOT: llama.fused_attention
// CHECK: llama.attention_output
func.func @softmax_without_a_mask_is_left_alone(
    %q: tensor<?x64xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) -> tensor<?x64xbf16> {
  %scores = llama.attention_scores %q cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x8x?xf32>
  %weights = llama.softmax %scores : tensor<?x8x?xf32>
  %o = llama.attention_output %weights cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x8x?xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x64xbf16>
  return %o : tensor<?x64xbf16>
}

// -----

// CHECK-LABEL: func @masked_numbers_that_are_no_scores_are_left_alone
// CHECK-NOT: llama.fused_attention
// CHECK: llama.attention_output
func.func @masked_numbers_that_are_no_scores_are_left_alone(
    %scores: tensor<?x8x?xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) -> tensor<?x64xbf16> {
  %masked = llama.causal_mask %scores, %p : tensor<?x8x?xf32>
  %weights = llama.softmax %masked : tensor<?x8x?xf32>
  %o = llama.attention_output %weights cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x8x?xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x64xbf16>
  return %o : tensor<?x64xbf16>
}

// -----

// CHECK-LABEL: func @mix_of_another_layer_is_left_alone
// CHECK-NOT: llama.fused_attention
// CHECK: llama.attention_output
func.func @mix_of_another_layer_is_left_alone(
    %q: tensor<?x64xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index, %other: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) -> tensor<?x64xbf16> {
  %scores = llama.attention_scores %q cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x8x?xf32>
  %masked = llama.causal_mask %scores, %p : tensor<?x8x?xf32>
  %weights = llama.softmax %masked : tensor<?x8x?xf32>
  %o = llama.attention_output %weights cache %cache[%other] rows(%p, %s, %tables)
      : tensor<?x8x?xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x64xbf16>
  return %o : tensor<?x64xbf16>
}

// -----

// CHECK-LABEL: func @mix_from_another_cache_is_left_alone
// CHECK-NOT: llama.fused_attention
// CHECK: llama.attention_output
func.func @mix_from_another_cache_is_left_alone(
    %q: tensor<?x64xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %other: memref<?x5x2x4x64x8xbf16>,
    %layer: index, %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) -> tensor<?x64xbf16> {
  %scores = llama.attention_scores %q cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x8x?xf32>
  %masked = llama.causal_mask %scores, %p : tensor<?x8x?xf32>
  %weights = llama.softmax %masked : tensor<?x8x?xf32>
  %o = llama.attention_output %weights cache %other[%layer] rows(%p, %s, %tables)
      : tensor<?x8x?xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x64xbf16>
  return %o : tensor<?x64xbf16>
}

// -----

// CHECK-LABEL: func @mix_of_other_sequences_is_left_alone
// CHECK-NOT: llama.fused_attention
// CHECK: llama.attention_output
func.func @mix_of_other_sequences_is_left_alone(
    %q: tensor<?x64xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %other: tensor<?xi32>,
    %tables: tensor<?x?xi32>) -> tensor<?x64xbf16> {
  %scores = llama.attention_scores %q cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x8x?xf32>
  %masked = llama.causal_mask %scores, %p : tensor<?x8x?xf32>
  %weights = llama.softmax %masked : tensor<?x8x?xf32>
  %o = llama.attention_output %weights cache %cache[%layer] rows(%p, %other, %tables)
      : tensor<?x8x?xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x64xbf16>
  return %o : tensor<?x64xbf16>
}

// -----

// CHECK-LABEL: func @mask_at_other_positions_is_left_alone
// CHECK-NOT: llama.fused_attention
// CHECK: llama.attention_output
func.func @mask_at_other_positions_is_left_alone(
    %q: tensor<?x64xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %other: tensor<?xi32>, %s: tensor<?xi32>,
    %tables: tensor<?x?xi32>) -> tensor<?x64xbf16> {
  %scores = llama.attention_scores %q cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x8x?xf32>
  %masked = llama.causal_mask %scores, %other : tensor<?x8x?xf32>
  %weights = llama.softmax %masked : tensor<?x8x?xf32>
  %o = llama.attention_output %weights cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x8x?xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x64xbf16>
  return %o : tensor<?x64xbf16>
}

// -----

// CHECK-LABEL: func @scores_with_another_reader_are_left_alone
// CHECK-NOT: llama.fused_attention
// CHECK: llama.attention_output
func.func @scores_with_another_reader_are_left_alone(
    %q: tensor<?x64xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>)
    -> (tensor<?x64xbf16>, tensor<?x8x?xf32>) {
  %scores = llama.attention_scores %q cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x8x?xf32>
  %masked = llama.causal_mask %scores, %p : tensor<?x8x?xf32>
  %weights = llama.softmax %masked : tensor<?x8x?xf32>
  %o = llama.attention_output %weights cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x8x?xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x64xbf16>
  return %o, %scores : tensor<?x64xbf16>, tensor<?x8x?xf32>
}

// -----

// CHECK-LABEL: func @weights_with_another_reader_are_left_alone
// CHECK-NOT: llama.fused_attention
// CHECK: llama.attention_output
func.func @weights_with_another_reader_are_left_alone(
    %q: tensor<?x64xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>)
    -> (tensor<?x64xbf16>, tensor<?x8x?xf32>) {
  %scores = llama.attention_scores %q cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x8x?xf32>
  %masked = llama.causal_mask %scores, %p : tensor<?x8x?xf32>
  %weights = llama.softmax %masked : tensor<?x8x?xf32>
  %o = llama.attention_output %weights cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x8x?xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x64xbf16>
  return %o, %weights : tensor<?x64xbf16>, tensor<?x8x?xf32>
}

// -----

// CHECK-LABEL: func @cache_written_in_between_is_left_alone
// CHECK-NOT: llama.fused_attention
// CHECK: llama.attention_output
func.func @cache_written_in_between_is_left_alone(
    %q: tensor<?x64xf32>, %k: tensor<?x32xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) -> tensor<?x64xbf16> {
  %scores = llama.attention_scores %q cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x8x?xf32>
  %masked = llama.causal_mask %scores, %p : tensor<?x8x?xf32>
  llama.cache_append %k, %k cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x32xf32>, memref<?x5x2x4x64x8xbf16>
  %weights = llama.softmax %masked : tensor<?x8x?xf32>
  %o = llama.attention_output %weights cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x8x?xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x64xbf16>
  return %o : tensor<?x64xbf16>
}

// -----

// CHECK-LABEL: func @mix_in_a_loop_of_its_own_is_left_alone
// CHECK-NOT: llama.fused_attention
// CHECK: llama.attention_output
func.func @mix_in_a_loop_of_its_own_is_left_alone(
    %q: tensor<?x64xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index, %n: index,
    %o: tensor<?x64xbf16>,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) -> tensor<?x64xbf16> {
  %scores = llama.attention_scores %q cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x8x?xf32>
  %masked = llama.causal_mask %scores, %p : tensor<?x8x?xf32>
  %weights = llama.softmax %masked : tensor<?x8x?xf32>
  %last = scf.for %i = %layer to %n step %n iter_args(%before = %o) -> (tensor<?x64xbf16>) {
    %mixed = llama.attention_output %weights cache %cache[%layer] rows(%p, %s, %tables)
        : tensor<?x8x?xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x64xbf16>
    scf.yield %mixed : tensor<?x64xbf16>
  }
  return %last : tensor<?x64xbf16>
}

// -----

// CHECK-LABEL: func @mix_through_other_tables_is_left_alone
// CHECK-NOT: llama.fused_attention
// CHECK: llama.attention_output
func.func @mix_through_other_tables_is_left_alone(
    %q: tensor<?x64xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>,
    %other: tensor<?x?xi32>) -> tensor<?x64xbf16> {
  %scores = llama.attention_scores %q cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x8x?xf32>
  %masked = llama.causal_mask %scores, %p : tensor<?x8x?xf32>
  %weights = llama.softmax %masked : tensor<?x8x?xf32>
  %o = llama.attention_output %weights cache %cache[%layer] rows(%p, %s, %other)
      : tensor<?x8x?xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x64xbf16>
  return %o : tensor<?x64xbf16>
}
