// RUN: llama-opt %s --llama-add-call-arguments --llama-assign-weight-offsets --canonicalize --cse \
// RUN:   --split-input-file --verify-diagnostics | FileCheck %s

// @a has 24 bytes; @layers.b, 5 times 48, begins on the next page, and @unread has a
// place as well. A matrix in panels takes whole panels of 16 rows: 64 columns of 8
// bits are 1024 bytes and 16 scales of f16; 4 columns of bf16 are 128 bytes.
// CHECK: module attributes {llama.rows_alike, llama.weights_bytes = 16640 : i64}
// CHECK: llama.weight @a at 0 : tensor<3x4xbf16>
// CHECK: llama.weight @layers.b layered at 4096 : tensor<5x3x4xf32>
// CHECK: llama.weight @unread at 8192 : tensor<2xf16>
// CHECK: llama.weight @layers.d layered layout "panels16" at 12288 : tensor<2x3x60x!llama.quantized<8, 64>>
// CHECK: llama.weight @e layout "panels16" at 16384 : tensor<17x3xbf16>
llama.weight @a : tensor<3x4xbf16>
llama.weight @layers.b layered : tensor<5x3x4xf32>
llama.weight @unread : tensor<2xf16>
llama.weight @layers.d layered layout "panels16" : tensor<2x3x60x!llama.quantized<8, 64>>
llama.weight @e layout "panels16" : tensor<17x3xbf16>

// CHECK-LABEL: func @weights_are_views_of_the_block
// CHECK-SAME: (%[[LAYER:.*]]: index, %[[BLOCK:[a-z0-9]*]]: memref<?xi8> {llama.argument = "weights"}
// CHECK-DAG: %[[A:.*]] = memref.view %[[BLOCK]][%c0][] : memref<?xi8> to memref<3x4xbf16>
// CHECK-DAG: %[[BYTES:.*]] = arith.muli %[[LAYER]], %c48
// CHECK-DAG: %[[AT:.*]] = arith.addi %[[BYTES]], %c4096
// CHECK-DAG: %[[B:.*]] = memref.view %[[BLOCK]][%[[AT]]][] : memref<?xi8> to memref<3x4xf32>
// CHECK-DAG: %[[PANELS:.*]] = arith.muli %[[LAYER]], %c1056
// CHECK-DAG: %[[AT_PANELS:.*]] = arith.addi %[[PANELS]], %c12288
// CHECK-DAG: %[[D:.*]] = memref.view %[[BLOCK]][%[[AT_PANELS]]][] : memref<?xi8> to memref<1x1056xi8>
// CHECK-DAG: %[[E:.*]] = memref.view %[[BLOCK]][%c16384][] : memref<?xi8> to memref<2x128xi8>
// CHECK: return %[[A]], %[[B]], %[[D]], %[[E]]
func.func @weights_are_views_of_the_block(%layer: index)
    -> (memref<3x4xbf16>, memref<3x4xf32>, memref<1x1056xi8>, memref<2x128xi8>) {
  %a = kernel.stored_weight @a : memref<3x4xbf16>
  %b = kernel.stored_weight @layers.b[%layer] : memref<3x4xf32>
  %d = kernel.stored_weight @layers.d[%layer] : memref<1x1056xi8>
  %e = kernel.stored_weight @e : memref<2x128xi8>
  return %a, %b, %d, %e : memref<3x4xbf16>, memref<3x4xf32>, memref<1x1056xi8>, memref<2x128xi8>
}

// -----

// CHECK: module attributes {llama.rows_alike, llama.weights_bytes = 0 : i64}
module {
}

// -----

// expected-error @+1 {{'builtin.module' op has its weights placed already}}
module attributes {llama.rows_alike, llama.weights_bytes = 0 : i64} {
}
