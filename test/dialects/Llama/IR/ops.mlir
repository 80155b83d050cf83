// Every op of the dialect survives printing and parsing, as text, in its generic
// form and as bytecode.
//
// RUN: llama-opt %s | llama-opt | FileCheck %s
// RUN: llama-opt %s --mlir-print-op-generic | llama-opt | FileCheck %s
// RUN: llama-opt %s --emit-bytecode | llama-opt | FileCheck %s

// CHECK: llama.weight @tok_embeddings : tensor<512x64xbf16>
llama.weight @tok_embeddings : tensor<512x64xbf16>
// CHECK: llama.weight @layers.attention.wq layered : tensor<5x64x64xf16>
llama.weight @layers.attention.wq layered : tensor<5x64x64xf16>
// CHECK: llama.weight @layers.feed_forward.w2 layered rotated : tensor<5x64x128x!llama.quantized<4, 32>>
llama.weight @layers.feed_forward.w2 layered rotated : tensor<5x64x128x!llama.quantized<4, 32>>
// CHECK: llama.weight @norm {note = "kept"} : tensor<64xf32>
llama.weight @norm {note = "kept"} : tensor<64xf32>

// CHECK-LABEL: func @weight_of_the_model_and_of_a_layer
func.func @weight_of_the_model_and_of_a_layer(%layer: index) {
  // CHECK: llama.get_weight @tok_embeddings : tensor<512x64xbf16>
  %0 = llama.get_weight @tok_embeddings : tensor<512x64xbf16>
  // CHECK: llama.get_weight @layers.attention.wq[%{{.*}}] : tensor<64x64xf16>
  %1 = llama.get_weight @layers.attention.wq[%layer] : tensor<64x64xf16>
  return
}

// CHECK-LABEL: func @embed
func.func @embed(%tokens: tensor<?xi32>, %table: tensor<512x64xbf16>) {
  // CHECK: llama.embed %{{.*}}, %{{.*}} : tensor<512x64xbf16> -> tensor<?x64xf32>
  %0 = llama.embed %tokens, %table : tensor<512x64xbf16> -> tensor<?x64xf32>
  return
}

// CHECK-LABEL: func @rms_norm
func.func @rms_norm(%x: tensor<?x64xf32>, %w: tensor<64xf16>) {
  // CHECK: llama.rms_norm %{{.*}}, %{{.*}} eps 1.000000e-05 : tensor<?x64xf32>, tensor<64xf16> -> tensor<?x64xbf16>
  %0 = llama.rms_norm %x, %w eps 1.0e-05 : tensor<?x64xf32>, tensor<64xf16> -> tensor<?x64xbf16>
  // CHECK: llama.rms_norm %{{[^ ,:)]*}}, %{{[^ ,:)]*}} eps 9.9999999999999995E-7 : tensor<?x64xf32>, tensor<64xf16>
  // CHECK-SAME: -> tensor<?x64xf32>
  %1 = llama.rms_norm %x, %w eps 1.0e-06 : tensor<?x64xf32>, tensor<64xf16> -> tensor<?x64xf32>
  return
}

// CHECK-LABEL: func @linear_of_either_activation_type
func.func @linear_of_either_activation_type(%x: tensor<?x64xbf16>, %y: tensor<?x64xf32>,
                                            %w: tensor<172x64xbf16>) {
  // CHECK: llama.linear %{{.*}}, %{{.*}} : tensor<?x64xbf16>, tensor<172x64xbf16> -> tensor<?x172xf32>
  %0 = llama.linear %x, %w : tensor<?x64xbf16>, tensor<172x64xbf16> -> tensor<?x172xf32>
  // CHECK: llama.linear %{{.*}}, %{{.*}} : tensor<?x64xf32>, tensor<172x64xbf16> -> tensor<?x172xf32>
  %1 = llama.linear %y, %w : tensor<?x64xf32>, tensor<172x64xbf16> -> tensor<?x172xf32>
  return
}

// CHECK-LABEL: func @rope_angles
func.func @rope_angles(%positions: tensor<?xi32>) {
  // CHECK: %cosine, %sine = llama.rope_angles %{{.*}} frequencies [1.000000e+00, 0.12345678901234568] : tensor<?x2xf32>
  %cos, %sin = llama.rope_angles %positions frequencies [1.0, 0.12345678901234568] : tensor<?x2xf32>
  // CHECK: llama.rope_angles %{{.*}} frequencies [1.000000e+00] factor 1.250000e+00 : tensor<?x1xf32>
  %more_cos, %more_sin = llama.rope_angles %positions frequencies [1.0] factor 1.25 : tensor<?x1xf32>
  return
}

// CHECK-LABEL: func @rope
func.func @rope(%q: tensor<?x64xf32>, %cos: tensor<?x4xf32>, %sin: tensor<?x4xf32>) {
  // CHECK: llama.rope %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x64xf32>, tensor<?x4xf32>
  %0 = llama.rope %q, %cos, %sin : tensor<?x64xf32>, tensor<?x4xf32>
  return
}

// CHECK-LABEL: func @attention_over_the_cache
// CHECK-SAME: (%[[Q:[^ ,:)]*]]: tensor<?x64xf32>, %[[K:[^ ,:)]*]]: tensor<?x32xf32>, %[[V:[^ ,:)]*]]: tensor<?x32xf32>,
// CHECK-SAME: %[[CACHE:[^ ,:)]*]]: memref<?x5x2x4x64x8xbf16>, %[[LAYER:[^ ,:)]*]]: index,
// CHECK-SAME: %[[P:[^ ,:)]*]]: tensor<?xi32>, %[[S:[^ ,:)]*]]: tensor<?xi32>, %[[TABLES:[^ ,:)]*]]: tensor<?x?xi32>)
func.func @attention_over_the_cache(
    %q: tensor<?x64xf32>, %k: tensor<?x32xf32>, %v: tensor<?x32xf32>,
    %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // CHECK: llama.cache_append %[[K]], %[[V]] cache %[[CACHE]][%[[LAYER]]] rows(%[[P]], %[[S]], %[[TABLES]])
  // CHECK-SAME: : tensor<?x32xf32>, memref<?x5x2x4x64x8xbf16>
  llama.cache_append %k, %v cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x32xf32>, memref<?x5x2x4x64x8xbf16>
  // CHECK: %[[SCORES:[^ ,:)]*]] = llama.attention_scores %[[Q]] cache %[[CACHE]][%[[LAYER]]] rows(%[[P]], %[[S]],
  // CHECK-SAME: %[[TABLES]]) : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x8x?xf32>
  %scores = llama.attention_scores %q cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x8x?xf32>
  // CHECK: %[[MASKED:.*]] = llama.causal_mask %[[SCORES]], %[[P]] : tensor<?x8x?xf32>
  %masked = llama.causal_mask %scores, %p : tensor<?x8x?xf32>
  // CHECK: %[[WEIGHTS:.*]] = llama.softmax %[[MASKED]] : tensor<?x8x?xf32>
  %weights = llama.softmax %masked : tensor<?x8x?xf32>
  // CHECK: llama.attention_output %[[WEIGHTS]] cache %[[CACHE]][%[[LAYER]]] rows(%[[P]], %[[S]], %[[TABLES]])
  // CHECK-SAME: : tensor<?x8x?xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x64xbf16>
  %o = llama.attention_output %weights cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x8x?xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x64xbf16>
  return
}

// CHECK-LABEL: func @record_scores
// CHECK-SAME: (%[[Q:[^ ,:)]*]]: tensor<?x64xf32>, %[[CACHE:[^ ,:)]*]]: memref<?x5x2x4x64x8xbf16>,
// CHECK-SAME: %[[LAYER:[^ ,:)]*]]: index, %[[P:[^ ,:)]*]]: tensor<?xi32>, %[[S:[^ ,:)]*]]: tensor<?xi32>,
// CHECK-SAME: %[[TABLES:[^ ,:)]*]]: tensor<?x?xi32>, %[[LIST:[^ ,:)]*]]: tensor<?xi32>,
// CHECK-SAME: %[[INTO:[^ ,:)]*]]: memref<?x8x?xf32>)
func.func @record_scores(%q: tensor<?x64xf32>, %cache: memref<?x5x2x4x64x8xbf16>, %layer: index,
                         %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>,
                         %list: tensor<?xi32>, %into: memref<?x8x?xf32>) {
  // CHECK: llama.record_scores %[[Q]] cache %[[CACHE]][%[[LAYER]]] rows(%[[P]], %[[S]],
  // CHECK-SAME: %[[TABLES]]) of %[[LIST]] into %[[INTO]] : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16>,
  // CHECK-SAME: memref<?x8x?xf32>
  llama.record_scores %q cache %cache[%layer] rows(%p, %s, %tables) of %list into %into
      : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16>, memref<?x8x?xf32>
  return
}

// CHECK-LABEL: func @elementwise
func.func @elementwise(%a: tensor<?x172xf32>, %b: tensor<?x172xf32>) {
  // CHECK: llama.silu %{{.*}} : tensor<?x172xf32>
  %0 = llama.silu %a : tensor<?x172xf32>
  // CHECK: llama.mul %{{.*}}, %{{.*}} : tensor<?x172xf32> -> tensor<?x172xbf16>
  %1 = llama.mul %0, %b : tensor<?x172xf32> -> tensor<?x172xbf16>
  // CHECK: llama.add %{{.*}}, %{{.*}} : tensor<?x172xf32>
  %2 = llama.add %a, %b : tensor<?x172xf32>
  return
}

// CHECK-LABEL: func @logits
func.func @logits(%x: tensor<?x64xbf16>, %list: tensor<?xi32>, %w: tensor<512x64xbf16>) {
  // CHECK: llama.logits %{{.*}}[%{{.*}}], %{{.*}} : tensor<?x64xbf16>, tensor<512x64xbf16> -> tensor<?x512xf32>
  %0 = llama.logits %x[%list], %w : tensor<?x64xbf16>, tensor<512x64xbf16> -> tensor<?x512xf32>
  return
}

// CHECK-LABEL: func @hadamard
func.func @hadamard(%x: tensor<?x128xf32>) {
  // CHECK: llama.hadamard %{{.*}} : tensor<?x128xf32>
  %0 = llama.hadamard %x : tensor<?x128xf32>
  return
}

// CHECK-LABEL: func @scatter_logits
func.func @scatter_logits(%few: tensor<?x2xf32>) {
  // CHECK: llama.scatter_logits %{{.*}} to [7, 3] : tensor<?x2xf32> -> tensor<?x512xf32>
  %0 = llama.scatter_logits %few to [7, 3] : tensor<?x2xf32> -> tensor<?x512xf32>
  return
}

// CHECK-LABEL: func @qkv_rope_append
// CHECK-SAME: (%[[X:[^ ,:)]*]]: tensor<?x64xbf16>, %[[WQ:[^ ,:)]*]]: tensor<64x64xbf16>,
// CHECK-SAME: %[[WK:[^ ,:)]*]]: tensor<32x64xbf16>, %[[WV:[^ ,:)]*]]: tensor<32x64xf16>,
// CHECK-SAME: %[[COS:[^ ,:)]*]]: tensor<?x4xf32>, %[[SIN:[^ ,:)]*]]: tensor<?x4xf32>,
// CHECK-SAME: %[[CACHE:[^ ,:)]*]]: memref<?x5x2x4x64x8xf32>, %[[LAYER:[^ ,:)]*]]: index,
// CHECK-SAME: %[[P:[^ ,:)]*]]: tensor<?xi32>, %[[S:[^ ,:)]*]]: tensor<?xi32>, %[[TABLES:[^ ,:)]*]]: tensor<?x?xi32>)
func.func @qkv_rope_append(
    %x: tensor<?x64xbf16>, %wq: tensor<64x64xbf16>, %wk: tensor<32x64xbf16>,
    %wv: tensor<32x64xf16>, %cos: tensor<?x4xf32>, %sin: tensor<?x4xf32>,
    %cache: memref<?x5x2x4x64x8xf32>, %layer: index,
    %p: tensor<?xi32>, %s: tensor<?xi32>, %tables: tensor<?x?xi32>) {
  // CHECK: llama.qkv_rope_append %[[X]], %[[WQ]], %[[WK]], %[[WV]] angles(%[[COS]],
  // CHECK-SAME: %[[SIN]]) cache %[[CACHE]][%[[LAYER]]] rows(%[[P]], %[[S]], %[[TABLES]]) : tensor<?x64xbf16>,
  // CHECK-SAME: tensor<64x64xbf16>, tensor<32x64xbf16>, tensor<32x64xf16>, tensor<?x4xf32>, memref<?x5x2x4x64x8xf32>
  // CHECK-SAME: -> tensor<?x64xf32>
  %q = llama.qkv_rope_append %x, %wq, %wk, %wv angles(%cos, %sin) cache %cache[%layer] rows(%p, %s, %tables)
      : tensor<?x64xbf16>, tensor<64x64xbf16>, tensor<32x64xbf16>, tensor<32x64xf16>, tensor<?x4xf32>,
      memref<?x5x2x4x64x8xf32> -> tensor<?x64xf32>
  return
}

// CHECK-LABEL: func @fused_attention
func.func @fused_attention(%q: tensor<?x64xf32>, %cache: memref<?x5x2x4x64x8xbf16>,
                           %layer: index, %p: tensor<?xi32>, %s: tensor<?xi32>,
                           %tables: tensor<?x?xi32>) {
  // CHECK: llama.fused_attention %{{[^ ,:)]*}} cache %{{[^ ,:)]*}}[%{{[^ ,:)]*}}] rows(%{{[^ ,:)]*}}, %{{[^ ,:)]*}},
  // CHECK-SAME: %{{[^ ,:)]*}}) : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16> -> tensor<?x64xbf16>
  %o = llama.fused_attention %q cache %cache[%layer] rows(%p, %s, %tables) : tensor<?x64xf32>, memref<?x5x2x4x64x8xbf16>
      -> tensor<?x64xbf16>
  return
}

// CHECK-LABEL: func @swiglu
func.func @swiglu(%x: tensor<?x64xbf16>, %w1: tensor<172x64xbf16>, %w3: tensor<172x64xbf16>) {
  // CHECK: llama.swiglu %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x64xbf16>, tensor<172x64xbf16> -> tensor<?x172xbf16>
  %h = llama.swiglu %x, %w1, %w3 : tensor<?x64xbf16>, tensor<172x64xbf16> -> tensor<?x172xbf16>
  return
}

// CHECK-LABEL: func @add_rms_norm
func.func @add_rms_norm(%x: tensor<?x64xf32>, %o: tensor<?x64xf32>, %w: tensor<64xf32>) {
  // CHECK: %sum, %normed = llama.add_rms_norm %{{[^ ,:)]*}}, %{{[^ ,:)]*}}, %{{[^ ,:)]*}} eps 1.000000e-05
  // CHECK-SAME: : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x64xbf16>
  %s, %y = llama.add_rms_norm %x, %o, %w eps 1.0e-05 : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x64xbf16>
  return
}

// CHECK-LABEL: func @quantized_matrices
func.func @quantized_matrices(%tokens: tensor<?xi32>, %table: tensor<512x64x!llama.quantized<8, 128>>,
                              %w: tensor<172x64x!llama.quantized<4, 32>>,
                              %m: tensor<64x64x!llama.quantized<4, 32, minimum>>) -> tensor<?x172xf32> {
  // CHECK: llama.embed %{{.*}}, %{{.*}} : tensor<512x64x!llama.quantized<8, 128>> -> tensor<?x64xf32>
  %x = llama.embed %tokens, %table : tensor<512x64x!llama.quantized<8, 128>> -> tensor<?x64xf32>
  // CHECK: llama.linear %{{[^ ,:)]*}}, %{{[^ ,:)]*}} : tensor<?x64xf32>, tensor<64x64x!llama.quantized<4, 32, minimum>>
  // CHECK-SAME: -> tensor<?x64xf32>
  %z = llama.linear %x, %m : tensor<?x64xf32>, tensor<64x64x!llama.quantized<4, 32, minimum>> -> tensor<?x64xf32>
  // CHECK: llama.linear %{{[^ ,:)]*}}, %{{[^ ,:)]*}} : tensor<?x64xf32>, tensor<172x64x!llama.quantized<4, 32>>
  // CHECK-SAME: -> tensor<?x172xf32>
  %y = llama.linear %x, %w : tensor<?x64xf32>, tensor<172x64x!llama.quantized<4, 32>> -> tensor<?x172xf32>
  return %y : tensor<?x172xf32>
}
