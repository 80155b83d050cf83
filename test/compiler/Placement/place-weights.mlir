// RUN: llama-opt %s --llama-cpu-place-weights --canonicalize --cse --split-input-file --verify-diagnostics | FileCheck %s
// RUN: llama-opt %s --llama-cpu-place-weights=alignment=64 --split-input-file --verify-diagnostics \
// RUN:   | FileCheck %s --check-prefix=LINES

// @a has 24 bytes; @layers.b, 240 bytes, begins on the next page.
// CHECK: module attributes {
// CHECK-SAME: llama.weights = [
// CHECK-SAME: {name = "a", offset = 0 : i64, type = memref<3x4xbf16>},
// CHECK-SAME: {layered, name = "layers.b", offset = 4096 : i64, type = memref<5x3x4xf32>},
// CHECK-SAME: {name = "c", offset = 8192 : i64, type = memref<2xf16>},
// CHECK-SAME: {name = "d", offset = 12288 : i64, quantized = tensor<1x8x!llama.quantized<8, 64>>, rotated, type = memref<66xi8>}
// CHECK-SAME: ], llama.weights_bytes = 12354 : i64}
// CHECK-NOT: @a
// CHECK-NOT: @layers.b
// CHECK: memref.global "private" constant @table : memref<2xf64> = dense<[1.000000e+00, 2.000000e+00]>
// LINES: offset = 0 : i64
// LINES-SAME: offset = 64 : i64
// LINES-SAME: offset = 320 : i64
// LINES-SAME: offset = 384 : i64
// LINES-SAME: llama.weights_bytes = 450 : i64
memref.global "private" constant @a : memref<3x4xbf16>
memref.global "private" constant @layers.b : memref<5x3x4xf32> {llama.layered}
memref.global "private" constant @table : memref<2xf64> = dense<[1.0, 2.0]>
memref.global "private" constant @c : memref<2xf16>
memref.global "private" constant @d : memref<66xi8> {llama.quantized = tensor<1x8x!llama.quantized<8, 64>>, llama.rotated}

// CHECK-LABEL: func @weights_are_views_of_the_block
// CHECK-SAME: (%[[LAYER:.*]]: index, %[[BLOCK:.*]]: memref<?xi8> {llama.argument = "weights"})
// CHECK-DAG: %[[A:.*]] = memref.view %[[BLOCK]][%c0][] : memref<?xi8> to memref<3x4xbf16>
// CHECK-DAG: %[[B:.*]] = memref.view %[[BLOCK]][%c4096][] : memref<?xi8> to memref<5x3x4xf32>
// CHECK-DAG: %[[ONE:.*]] = memref.subview %[[B]][%[[LAYER]], 0, 0]
// CHECK-DAG: %[[TABLE:.*]] = memref.get_global @table
// CHECK: return %[[A]], %[[ONE]], %[[TABLE]]
func.func @weights_are_views_of_the_block(%layer: index)
    -> (memref<3x4xbf16>, memref<3x4xf32, strided<[4, 1], offset: ?>>, memref<2xf64>) {
  %a = memref.get_global @a : memref<3x4xbf16>
  %b = memref.get_global @layers.b : memref<5x3x4xf32>
  %one = memref.subview %b[%layer, 0, 0] [1, 3, 4] [1, 1, 1]
      : memref<5x3x4xf32> to memref<3x4xf32, strided<[4, 1], offset: ?>>
  %table = memref.get_global @table : memref<2xf64>
  return %a, %one, %table : memref<3x4xbf16>, memref<3x4xf32, strided<[4, 1], offset: ?>>, memref<2xf64>
}

// Whoever is called is given the block as well; whoever is not here is not.
// CHECK-LABEL: func @calls_hand_the_block_on
// CHECK-SAME: (%[[LAYER:.*]]: index, %[[BLOCK:.*]]: memref<?xi8> {llama.argument = "weights"})
// CHECK: call @weights_are_views_of_the_block(%[[LAYER]], %[[BLOCK]])
// CHECK: call @elsewhere() : () -> ()
func.func private @elsewhere()
func.func @calls_hand_the_block_on(%layer: index) {
  call @weights_are_views_of_the_block(%layer) : (index)
      -> (memref<3x4xbf16>, memref<3x4xf32, strided<[4, 1], offset: ?>>, memref<2xf64>)
  call @elsewhere() : () -> ()
  return
}

// -----

// CHECK: llama.weights = [], llama.weights_bytes = 0 : i64
// LINES: llama.weights = [], llama.weights_bytes = 0 : i64
module {
}

// -----

// expected-error @+1 {{'builtin.module' op has its weights placed already}}
module attributes {llama.weights = [], llama.weights_bytes = 0 : i64} {
}
