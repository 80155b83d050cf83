// RUN: llama-opt %s --llama-fuse-qkv --split-input-file | FileCheck %s

// CHECK-LABEL: func @projections_rotated_and_appended_are_fused
// CHECK-SAME: (%[[X:[^ ,:)]*]]: tensor<?x64xf32>, %[[WQ:[^ ,:)]*]]: tensor<64x64xbf16>,
// CHECK-SAME: %[[WK:[^ ,:)]*]]: tensor<32x64xbf16>, %[[WV:[^ ,:)]*]]: tensor<32x64xbf16>,
// CHECK-SAME: %[[COS:[^ ,:)]*]]: tensor<?x4xf32>, %[[SIN:[^ ,:)]*]]: tensor<?x4xf32>,
// CHECK-SAME: %[[CACHE:[^ ,:)]*]]: memref<{{.*}}>, %[[LAYER:[^ ,:)]*]]: index, %[[P:[^ ,:)]*]]: tensor<?xi32>,
// CHECK-SAME: %[[S:[^ ,:)]*]]: tensor<?xi32>, %[[TABLES:[^ ,:)]*]]: tensor<?x?xi32>)
// CHECK-NEXT: %[[Q:[^ ,:)]*]] = llama.qkv_rope_append %[[X]], %[[WQ]], %[[WK]], %[[WV]] angles(%[[COS]],
// CHECK-SAME: %[[SIN]]) cache %[[CACHE]][%[[LAYER]]] rows(%[[P]], %[[S]], %[[TABLES]])
// CHECK-NEXT: return %[[Q]]
func.func @projections_rotated_and_appended_are_fused(
    %x: tensor<?x64xf32>, %wq: tensor<64x64xbf16>, %wk: tensor<32x64xbf16>,
    %wv: tensor<32x64xbf16>, %cos: tensor<?x4xf32>, %sin: tensor<?x4xf32>,
    %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) -> tensor<?x64xf32> {
  %q = llama.linear %x, %wq : tensor<?x64xf32>, tensor<64x64xbf16> -> tensor<?x64xf32>
  %qr = llama.rope %q, %cos, %sin : tensor<?x64xf32>, tensor<?x4xf32>
  %k = llama.linear %x, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  %kr = llama.rope %k, %cos, %sin : tensor<?x32xf32>, tensor<?x4xf32>
  %v = llama.linear %x, %wv : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  llama.cache_append %kr, %v cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x32xf32>, memref<?x5x2x4x64x8xbf16>
  return %qr : tensor<?x64xf32>
}

// -----

// The query may be projected last: its readers all come after the append.
// CHECK-LABEL: func @query_after_keys_and_values_is_fused
// CHECK: llama.qkv_rope_append %{{.*}}, %[[WQ:.*]], %{{.*}}, %{{.*}} angles
// CHECK-NOT: llama.linear
// CHECK-NOT: llama.cache_append
func.func @query_after_keys_and_values_is_fused(
    %x: tensor<?x64xf32>, %wq: tensor<64x64xbf16>, %wk: tensor<32x64xbf16>,
    %cos: tensor<?x4xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) -> tensor<?x64xf32> {
  %k = llama.linear %x, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  %kr = llama.rope %k, %cos, %cos : tensor<?x32xf32>, tensor<?x4xf32>
  %v = llama.linear %x, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  %q = llama.linear %x, %wq : tensor<?x64xf32>, tensor<64x64xbf16> -> tensor<?x64xf32>
  %qr = llama.rope %q, %cos, %cos : tensor<?x64xf32>, tensor<?x4xf32>
  llama.cache_append %kr, %v cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x32xf32>, memref<?x5x2x4x64x8xbf16>
  return %qr : tensor<?x64xf32>
}

// -----

// CHECK-LABEL: func @keys_that_are_not_rotated_are_left_alone
// CHECK-NOT: llama.qkv_rope_append
// CHECK: llama.cache_append
func.func @keys_that_are_not_rotated_are_left_alone(
    %x: tensor<?x64xf32>, %wq: tensor<64x64xbf16>, %wk: tensor<32x64xbf16>,
    %cos: tensor<?x4xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) -> tensor<?x64xf32> {
  %q = llama.linear %x, %wq : tensor<?x64xf32>, tensor<64x64xbf16> -> tensor<?x64xf32>
  %qr = llama.rope %q, %cos, %cos : tensor<?x64xf32>, tensor<?x4xf32>
  %k = llama.linear %x, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  %v = llama.linear %x, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  llama.cache_append %k, %v cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x32xf32>, memref<?x5x2x4x64x8xbf16>
  return %qr : tensor<?x64xf32>
}

// -----

// CHECK-LABEL: func @values_that_are_not_projected_are_left_alone
// CHECK-NOT: llama.qkv_rope_append
// CHECK: llama.cache_append
func.func @values_that_are_not_projected_are_left_alone(
    %x: tensor<?x64xf32>, %v: tensor<?x32xf32>, %wq: tensor<64x64xbf16>, %wk: tensor<32x64xbf16>,
    %cos: tensor<?x4xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) -> tensor<?x64xf32> {
  %q = llama.linear %x, %wq : tensor<?x64xf32>, tensor<64x64xbf16> -> tensor<?x64xf32>
  %qr = llama.rope %q, %cos, %cos : tensor<?x64xf32>, tensor<?x4xf32>
  %k = llama.linear %x, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  %kr = llama.rope %k, %cos, %cos : tensor<?x32xf32>, tensor<?x4xf32>
  llama.cache_append %kr, %v cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x32xf32>, memref<?x5x2x4x64x8xbf16>
  return %qr : tensor<?x64xf32>
}

// -----

// CHECK-LABEL: func @keys_and_values_of_different_rows_are_left_alone
// CHECK-NOT: llama.qkv_rope_append
// CHECK: llama.cache_append
func.func @keys_and_values_of_different_rows_are_left_alone(
    %x: tensor<?x64xf32>, %y: tensor<?x64xf32>, %wq: tensor<64x64xbf16>, %wk: tensor<32x64xbf16>,
    %cos: tensor<?x4xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) -> tensor<?x64xf32> {
  %q = llama.linear %x, %wq : tensor<?x64xf32>, tensor<64x64xbf16> -> tensor<?x64xf32>
  %qr = llama.rope %q, %cos, %cos : tensor<?x64xf32>, tensor<?x4xf32>
  %k = llama.linear %x, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  %kr = llama.rope %k, %cos, %cos : tensor<?x32xf32>, tensor<?x4xf32>
  %v = llama.linear %y, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  llama.cache_append %kr, %v cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x32xf32>, memref<?x5x2x4x64x8xbf16>
  return %qr : tensor<?x64xf32>
}

// -----

// CHECK-LABEL: func @rotated_keys_that_are_no_projection_are_left_alone
// CHECK-NOT: llama.qkv_rope_append
// CHECK: llama.cache_append
func.func @rotated_keys_that_are_no_projection_are_left_alone(
    %x: tensor<?x64xf32>, %k: tensor<?x32xf32>, %wq: tensor<64x64xbf16>, %wk: tensor<32x64xbf16>,
    %cos: tensor<?x4xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) -> tensor<?x64xf32> {
  %q = llama.linear %x, %wq : tensor<?x64xf32>, tensor<64x64xbf16> -> tensor<?x64xf32>
  %qr = llama.rope %q, %cos, %cos : tensor<?x64xf32>, tensor<?x4xf32>
  %kr = llama.rope %k, %cos, %cos : tensor<?x32xf32>, tensor<?x4xf32>
  %v = llama.linear %x, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  llama.cache_append %kr, %v cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x32xf32>, memref<?x5x2x4x64x8xbf16>
  return %qr : tensor<?x64xf32>
}

// -----

// CHECK-LABEL: func @keys_with_another_reader_are_left_alone
// CHECK-NOT: llama.qkv_rope_append
// CHECK: llama.cache_append
func.func @keys_with_another_reader_are_left_alone(
    %x: tensor<?x64xf32>, %wq: tensor<64x64xbf16>, %wk: tensor<32x64xbf16>,
    %cos: tensor<?x4xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>)
    -> (tensor<?x64xf32>, tensor<?x32xf32>) {
  %q = llama.linear %x, %wq : tensor<?x64xf32>, tensor<64x64xbf16> -> tensor<?x64xf32>
  %qr = llama.rope %q, %cos, %cos : tensor<?x64xf32>, tensor<?x4xf32>
  %k = llama.linear %x, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  %kr = llama.rope %k, %cos, %cos : tensor<?x32xf32>, tensor<?x4xf32>
  %v = llama.linear %x, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  llama.cache_append %kr, %v cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x32xf32>, memref<?x5x2x4x64x8xbf16>
  return %qr, %k : tensor<?x64xf32>, tensor<?x32xf32>
}

// -----

// CHECK-LABEL: func @values_with_another_reader_are_left_alone
// CHECK-NOT: llama.qkv_rope_append
// CHECK: llama.cache_append
func.func @values_with_another_reader_are_left_alone(
    %x: tensor<?x64xf32>, %wq: tensor<64x64xbf16>, %wk: tensor<32x64xbf16>,
    %cos: tensor<?x4xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>)
    -> (tensor<?x64xf32>, tensor<?x32xf32>) {
  %q = llama.linear %x, %wq : tensor<?x64xf32>, tensor<64x64xbf16> -> tensor<?x64xf32>
  %qr = llama.rope %q, %cos, %cos : tensor<?x64xf32>, tensor<?x4xf32>
  %k = llama.linear %x, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  %kr = llama.rope %k, %cos, %cos : tensor<?x32xf32>, tensor<?x4xf32>
  %v = llama.linear %x, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  llama.cache_append %kr, %v cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x32xf32>, memref<?x5x2x4x64x8xbf16>
  return %qr, %v : tensor<?x64xf32>, tensor<?x32xf32>
}

// -----

// CHECK-LABEL: func @keys_without_a_query_are_left_alone
// CHECK-NOT: llama.qkv_rope_append
// CHECK: llama.cache_append
func.func @keys_without_a_query_are_left_alone(
    %x: tensor<?x64xf32>, %wk: tensor<32x64xbf16>,
    %cos: tensor<?x4xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  %k = llama.linear %x, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  %kr = llama.rope %k, %cos, %cos : tensor<?x32xf32>, tensor<?x4xf32>
  %v = llama.linear %x, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  llama.cache_append %kr, %v cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x32xf32>, memref<?x5x2x4x64x8xbf16>
  return
}

// -----

// CHECK-LABEL: func @query_rotated_by_other_angles_is_left_alone
// CHECK-NOT: llama.qkv_rope_append
// CHECK: llama.cache_append
func.func @query_rotated_by_other_angles_is_left_alone(
    %x: tensor<?x64xf32>, %wq: tensor<64x64xbf16>, %wk: tensor<32x64xbf16>,
    %cos: tensor<?x4xf32>, %sin: tensor<?x4xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) -> tensor<?x64xf32> {
  %q = llama.linear %x, %wq : tensor<?x64xf32>, tensor<64x64xbf16> -> tensor<?x64xf32>
  %qr = llama.rope %q, %cos, %cos : tensor<?x64xf32>, tensor<?x4xf32>
  %k = llama.linear %x, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  %kr = llama.rope %k, %cos, %sin : tensor<?x32xf32>, tensor<?x4xf32>
  %v = llama.linear %x, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  llama.cache_append %kr, %v cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x32xf32>, memref<?x5x2x4x64x8xbf16>
  return %qr : tensor<?x64xf32>
}

// -----

// The fused op stands where the append stood.
// CHECK-LABEL: func @query_read_before_the_append_is_left_alone
// CHECK-NOT: llama.qkv_rope_append
// CHECK: llama.cache_append
func.func @query_read_before_the_append_is_left_alone(
    %x: tensor<?x64xf32>, %wq: tensor<64x64xbf16>, %wk: tensor<32x64xbf16>,
    %cos: tensor<?x4xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) -> tensor<?x64xf32> {
  %q = llama.linear %x, %wq : tensor<?x64xf32>, tensor<64x64xbf16> -> tensor<?x64xf32>
  %qr = llama.rope %q, %cos, %cos : tensor<?x64xf32>, tensor<?x4xf32>
  %k = llama.linear %x, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  %kr = llama.rope %k, %cos, %cos : tensor<?x32xf32>, tensor<?x4xf32>
  %v = llama.linear %x, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  %o = llama.fused_attention %qr cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x64xf32>
  llama.cache_append %kr, %v cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x32xf32>, memref<?x5x2x4x64x8xbf16>
  return %o : tensor<?x64xf32>
}

// -----

// The fused op would stand before the weight.
// CHECK-LABEL: func @query_with_a_weight_defined_after_the_append_is_left_alone
// CHECK-NOT: llama.qkv_rope_append
// CHECK: llama.cache_append
llama.weight @wq : tensor<64x64xbf16>
func.func @query_with_a_weight_defined_after_the_append_is_left_alone(
    %x: tensor<?x64xf32>, %wk: tensor<32x64xbf16>,
    %cos: tensor<?x4xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) -> tensor<?x64xf32> {
  %k = llama.linear %x, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  %kr = llama.rope %k, %cos, %cos : tensor<?x32xf32>, tensor<?x4xf32>
  %v = llama.linear %x, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  llama.cache_append %kr, %v cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x32xf32>, memref<?x5x2x4x64x8xbf16>
  %wq = llama.get_weight @wq : tensor<64x64xbf16>
  %q = llama.linear %x, %wq : tensor<?x64xf32>, tensor<64x64xbf16> -> tensor<?x64xf32>
  %qr = llama.rope %q, %cos, %cos : tensor<?x64xf32>, tensor<?x4xf32>
  return %qr : tensor<?x64xf32>
}

// -----

// The fused op has whole groups of query heads only.
// CHECK-LABEL: func @query_of_a_head_and_a_half_is_left_alone
// CHECK-NOT: llama.qkv_rope_append
// CHECK: llama.cache_append
func.func @query_of_a_head_and_a_half_is_left_alone(
    %x: tensor<?x64xf32>, %wq: tensor<48x64xbf16>, %wk: tensor<32x64xbf16>,
    %cos: tensor<?x4xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) -> tensor<?x48xf32> {
  %q = llama.linear %x, %wq : tensor<?x64xf32>, tensor<48x64xbf16> -> tensor<?x48xf32>
  %qr = llama.rope %q, %cos, %cos : tensor<?x48xf32>, tensor<?x4xf32>
  %k = llama.linear %x, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  %kr = llama.rope %k, %cos, %cos : tensor<?x32xf32>, tensor<?x4xf32>
  %v = llama.linear %x, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  llama.cache_append %kr, %v cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x32xf32>, memref<?x5x2x4x64x8xbf16>
  return %qr : tensor<?x48xf32>
}

// -----

// Here heads of 8 are rotated, but the cache has heads of 16.
// CHECK-LABEL: func @angles_of_other_heads_than_the_cache_has_are_left_alone
// CHECK-NOT: llama.qkv_rope_append
// CHECK: llama.cache_append
func.func @angles_of_other_heads_than_the_cache_has_are_left_alone(
    %x: tensor<?x64xf32>, %wq: tensor<64x64xbf16>, %wk: tensor<32x64xbf16>,
    %cos: tensor<?x4xf32>, %cache: memref<?x5x2x2x64x16xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) -> tensor<?x64xf32> {
  %q = llama.linear %x, %wq : tensor<?x64xf32>, tensor<64x64xbf16> -> tensor<?x64xf32>
  %qr = llama.rope %q, %cos, %cos : tensor<?x64xf32>, tensor<?x4xf32>
  %k = llama.linear %x, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  %kr = llama.rope %k, %cos, %cos : tensor<?x32xf32>, tensor<?x4xf32>
  %v = llama.linear %x, %wk : tensor<?x64xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  llama.cache_append %kr, %v cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x32xf32>, memref<?x5x2x2x64x16xbf16>
  return %qr : tensor<?x64xf32>
}
