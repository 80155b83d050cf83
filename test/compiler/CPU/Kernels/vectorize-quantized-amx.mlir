// RUN: llama-opt %s --llama-cpu-vectorize-quantized="amx=true dots=vpdpbusd" --canonicalize --cse --split-input-file | FileCheck %s

// Weights of 8 bits are multiplied as they are stored: 128 elements of a row, 32 lines
// of two panels. Then each row's share of the zero point is added to its dots, and the
// scales of the group are applied; before that the dots of the next group are computed.
// CHECK-LABEL: func @eight_bits
// CHECK-SAME: (%[[X:[^:]*]]: tensor<32x384xi8>, %[[XS:[^:]*]]: tensor<32x3xf32>, %[[XSUMS:[^:]*]]: tensor<32x3xi32>, %[[W:[^:]*]]: tensor<2x96x64xi8>, %[[WS:[^:]*]]: tensor<2x3x16xf16>, %[[INTO:[^:]*]]: tensor<32x32xf32>)
// CHECK: linalg.fill {{.*}} -> tensor<32x32xf32>
// CHECK: %[[NONE:.*]] = bufferization.alloc_tensor() : tensor<2x32x2x16xi32>
// CHECK: tensor.extract_slice %[[X]][0, 0] [32, 128]
// CHECK: linalg.generic {{.*}} attrs = {llama.amx_tile}
// CHECK: %[[FIRST:.*]] = tensor.insert_slice {{.*}} into %[[NONE]][0, 0, 0, 0]
// CHECK: scf.for %[[G:.*]] = %c0 to %c2 step %c1 iter_args(%[[SUMS:.*]] = {{.*}}, %[[OLD:.*]] = %[[FIRST]]) -> (tensor<32x32xf32>, tensor<2x32x2x16xi32>)
// CHECK: %[[NEXT:.*]] = arith.addi %[[G]], %c1
// CHECK: %[[K:.*]] = arith.muli %[[NEXT]], %c128
// CHECK: tensor.extract_slice %[[X]][0, %[[K]]] [32, 128]
// CHECK: %[[LEFT:.*]] = tensor.expand_shape {{.*}} into tensor<32x32x4xi8>
// CHECK: %[[LINE:.*]] = arith.muli %[[NEXT]], %c32
// CHECK: tensor.extract_slice %[[W]][0, %[[LINE]], 0] [2, 32, 64]
// CHECK: %[[RIGHT:.*]] = tensor.expand_shape {{.*}} into tensor<2x32x16x4xi8>
// CHECK: %[[OTHER:.*]] = arith.remui %[[NEXT]], %c2
// CHECK: %[[PLACE:.*]] = tensor.extract_slice %[[OLD]][%[[OTHER]], 0, 0, 0]
// CHECK: %[[ZEROS:.*]] = linalg.fill {{.*}} outs(%[[PLACE]] : {{.*}}) -> tensor<32x2x16xi32>
// CHECK: linalg.generic {{.*}} ins(%[[LEFT]], %[[RIGHT]] : {{.*}}) outs(%[[ZEROS]] : {{.*}}) attrs = {llama.amx_tile}
// CHECK: arith.extsi
// CHECK: arith.extui
// CHECK: %[[DOTS:.*]] = tensor.insert_slice {{.*}} into %[[OLD]][%[[OTHER]], 0, 0, 0]
// CHECK: %[[TURN:.*]] = arith.remui %[[G]], %c2
// CHECK: vector.transfer_read %[[WS]][%c0, %[[G]], %c0]
// CHECK: vector.transfer_read %[[WS]][%c1, %[[G]], %c0]
// CHECK: scf.for %[[ROW:.*]] = %c0 to %c32 step %c1 iter_args(%{{.*}} = %[[SUMS]])
// CHECK: tensor.extract %[[XS]][%[[ROW]], %[[G]]]
// CHECK: tensor.extract %[[XSUMS]][%[[ROW]], %[[G]]]
// CHECK: arith.muli %{{.*}}, %c-128_i32
// CHECK: vector.transfer_read %[[DOTS]][%[[TURN]], %[[ROW]], %c0, %c0]
// CHECK: arith.addi
// CHECK: math.fma
// CHECK: vector.transfer_read %[[DOTS]][%[[TURN]], %[[ROW]], %c1, %c0]
// CHECK: math.fma
// CHECK: scf.yield
// CHECK: vector.transfer_read %[[WS]][%c0, %c2, %c0]
// CHECK: scf.for %[[ROW:.*]] = %c0 to %c32
// CHECK: tensor.extract %[[XS]][%[[ROW]], %c2]
// CHECK: scf.for
// CHECK: vector.transfer_write {{.*}} : vector<16xf32>, tensor<32x32xf32>
// CHECK-NOT: vpdpbusd
func.func @eight_bits(%x: tensor<32x384xi8>, %xs: tensor<32x3xf32>, %sums: tensor<32x3xi32>, %w: tensor<2x96x64xi8>, %ws: tensor<2x3x16xf16>,
    %into: tensor<32x32xf32>) -> tensor<32x32xf32> {
  %zero = arith.constant 0.0 : f32
  %init = linalg.fill ins(%zero : f32) outs(%into : tensor<32x32xf32>) -> tensor<32x32xf32>
  %y = linalg.generic {
      indexing_maps = [affine_map<(t, n, k) -> (t, k)>, affine_map<(t, n, k) -> (t, k floordiv 128)>, affine_map<(t, n, k) -> (t, k floordiv 128)>,
                       affine_map<(t, n, k) -> (n floordiv 16, k floordiv 4, (n mod 16) * 4 + k mod 4)>,
                       affine_map<(t, n, k) -> (n floordiv 16, k floordiv 128, n mod 16)>,
                       affine_map<(t, n, k) -> (t, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %xs, %sums, %w, %ws : tensor<32x384xi8>, tensor<32x3xf32>, tensor<32x3xi32>, tensor<2x96x64xi8>, tensor<2x3x16xf16>)
      outs(%init : tensor<32x32xf32>) attrs = {llama.quantized = !llama.quantized<8, 128>} {
  ^bb0(%a: i8, %b: f32, %c: i32, %d: i8, %e: f16, %sum: f32):
    linalg.yield %sum : f32
  } -> tensor<32x32xf32>
  return %y : tensor<32x32xf32>
}

// -----

// Weights of 4 bits are unpacked, less their zero point: nothing is left of it in the
// dots. Two groups of 32 are a step. Both are multiplied with the 64 elements of the rows,
// from lines 0 and 8 of what is unpacked on, where lines 8 .. 15 are zeros.
// CHECK-LABEL: func @four_bits
// CHECK-SAME: (%[[X:[^:]*]]: tensor<16x192xi8>, %{{.*}}: tensor<16x6xf32>, %[[XSUMS:[^:]*]]: tensor<16x6xi32>, %[[W:[^:]*]]: tensor<1x24x64xi8>, %[[WS:[^:]*]]: tensor<1x6x16xf16>,
// CHECK-DAG: %[[EIGHTS:.*]] = arith.constant dense<8> : vector<64xi8>
// CHECK-DAG: %[[NONE:.*]] = arith.constant dense<0> : vector<64xi8>
// CHECK-COUNT-8: vector.transfer_write %[[NONE]]
// CHECK-NOT: vector.transfer_write %[[NONE]]
// CHECK: scf.for %[[STEP:.*]] = %c0 to %c2 step %c1 iter_args({{.*}}) -> (tensor<16x16xf32>, tensor<1x24x64xi8>, tensor<4x16x1x16xi32>)
// CHECK: %[[NEXT:.*]] = arith.addi %[[STEP]], %c1
// CHECK: scf.for %[[I:.*]] = %c0 to %c4 step %c1
// CHECK: %[[BOTH:.*]] = vector.transfer_read %[[W]]
// CHECK: %[[LOW:.*]] = arith.andi %[[BOTH]]
// CHECK: %[[HIGH:.*]] = arith.shrui %[[BOTH]]
// CHECK: %[[LOW8:.*]] = arith.subi %[[LOW]], %[[EIGHTS]]
// CHECK: %[[EVEN:.*]] = arith.muli %[[I]], %c2
// CHECK: vector.transfer_write %[[LOW8]], %{{.*}}[%c0, %[[EVEN]], %c0]
// CHECK: %[[HIGH8:.*]] = arith.subi %[[HIGH]], %[[EIGHTS]]
// CHECK: %[[ODD:.*]] = arith.addi %[[EVEN]], %c1
// CHECK: vector.transfer_write %[[HIGH8]], %{{.*}}[%c0, %[[ODD]], %c0]
// CHECK: %[[WEIGHTS:.*]] = scf.for %{{.*}} = %c0 to %c4 step %c1
// CHECK: arith.addi %{{.*}}, %c16
// CHECK: arith.addi %{{.*}}, %c17
// CHECK: %[[K:.*]] = arith.muli %[[NEXT]], %c64
// CHECK: tensor.extract_slice %[[X]][0, %[[K]]] [16, 64]
// CHECK: tensor.extract_slice %[[WEIGHTS]][0, 0, 0] [1, 16, 64]
// CHECK: linalg.generic {{.*}} attrs = {llama.amx_tile}
// CHECK: arith.extsi
// CHECK-NEXT: arith.extsi
// CHECK: tensor.extract_slice %[[WEIGHTS]][0, 8, 0] [1, 16, 64]
// CHECK: linalg.generic {{.*}} attrs = {llama.amx_tile}
// CHECK: %[[FIRST:.*]] = arith.muli %[[STEP]], %c2
// CHECK: vector.transfer_read %[[WS]][%c0, %[[FIRST]], %c0]
// CHECK: %[[SECOND:.*]] = arith.addi %[[FIRST]], %c1
// CHECK: vector.transfer_read %[[WS]][%c0, %[[SECOND]], %c0]
// CHECK: scf.for
// CHECK-NOT: tensor.extract %[[XSUMS]]
// CHECK: %[[SUM:.*]] = math.fma
// CHECK: math.fma %{{.*}}, %{{.*}}, %[[SUM]]
func.func @four_bits(%x: tensor<16x192xi8>, %xs: tensor<16x6xf32>, %sums: tensor<16x6xi32>, %w: tensor<1x24x64xi8>, %ws: tensor<1x6x16xf16>,
    %into: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %zero = arith.constant 0.0 : f32
  %init = linalg.fill ins(%zero : f32) outs(%into : tensor<16x16xf32>) -> tensor<16x16xf32>
  %y = linalg.generic {
      indexing_maps = [affine_map<(t, n, k) -> (t, k)>, affine_map<(t, n, k) -> (t, k floordiv 32)>, affine_map<(t, n, k) -> (t, k floordiv 32)>,
                       affine_map<(t, n, k) -> (n floordiv 16, k floordiv 8, (n mod 16) * 4 + k mod 4)>,
                       affine_map<(t, n, k) -> (n floordiv 16, k floordiv 32, n mod 16)>,
                       affine_map<(t, n, k) -> (t, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %xs, %sums, %w, %ws : tensor<16x192xi8>, tensor<16x6xf32>, tensor<16x6xi32>, tensor<1x24x64xi8>, tensor<1x6x16xf16>)
      outs(%init : tensor<16x16xf32>) attrs = {llama.quantized = !llama.quantized<4, 32>} {
  ^bb0(%a: i8, %b: f32, %c: i32, %d: i8, %e: f16, %sum: f32):
    linalg.yield %sum : f32
  } -> tensor<16x16xf32>
  return %y : tensor<16x16xf32>
}

// -----

// With minimums weights stay unsigned. Rows of 16 bits are two products, and 256 times
// the second is added to the first.
// CHECK-LABEL: func @wide_rows_and_minimums
// CHECK-SAME: (%[[HIGH:[^:]*]]: tensor<16x64xi8>, %{{.*}}: tensor<16x1xf32>, %[[XSUMS:[^:]*]]: tensor<16x1xi32>, {{.*}}, %[[LOW:[^:]*]]: tensor<16x64xi8>, %{{[^:]*}}: tensor<16x16xf32>)
// CHECK: tensor.expand_shape %[[LOW]]
// CHECK: linalg.generic {{.*}} attrs = {llama.amx_tile}
// CHECK: arith.extui
// CHECK: tensor.expand_shape %[[HIGH]]
// CHECK: linalg.generic {{.*}} attrs = {llama.amx_tile}
// CHECK: %[[DOTS:.*]] = tensor.insert_slice {{.*}}[1, 0, 0, 0] [1, 16, 1, 16]
// CHECK: scf.for %[[ROW:.*]] = %c0 to %c16
// CHECK: tensor.extract %[[XSUMS]]
// CHECK: %[[LOWDOTS:.*]] = vector.transfer_read %[[DOTS]][%c0, %[[ROW]], %c0, %c0]
// CHECK: %[[HIGHDOTS:.*]] = vector.transfer_read %[[DOTS]][%c1, %[[ROW]], %c0, %c0]
// CHECK: %[[UP:.*]] = arith.shli %[[HIGHDOTS]]
// CHECK: arith.addi %[[UP]], %[[LOWDOTS]]
// CHECK-COUNT-2: math.fma
func.func @wide_rows_and_minimums(%x: tensor<16x64xi8>, %xs: tensor<16x1xf32>, %sums: tensor<16x1xi32>, %w: tensor<1x8x64xi8>, %ws: tensor<1x1x16xf16>,
    %minimums: tensor<1x1x16xf16>, %low: tensor<16x64xi8>, %into: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %zero = arith.constant 0.0 : f32
  %init = linalg.fill ins(%zero : f32) outs(%into : tensor<16x16xf32>) -> tensor<16x16xf32>
  %y = linalg.generic {
      indexing_maps = [affine_map<(t, n, k) -> (t, k)>, affine_map<(t, n, k) -> (t, k floordiv 64)>, affine_map<(t, n, k) -> (t, k floordiv 64)>,
                       affine_map<(t, n, k) -> (n floordiv 16, k floordiv 8, (n mod 16) * 4 + k mod 4)>,
                       affine_map<(t, n, k) -> (n floordiv 16, k floordiv 64, n mod 16)>,
                       affine_map<(t, n, k) -> (n floordiv 16, k floordiv 64, n mod 16)>,
                       affine_map<(t, n, k) -> (t, k)>,
                       affine_map<(t, n, k) -> (t, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %xs, %sums, %w, %ws, %minimums, %low : tensor<16x64xi8>, tensor<16x1xf32>, tensor<16x1xi32>, tensor<1x8x64xi8>, tensor<1x1x16xf16>, tensor<1x1x16xf16>, tensor<16x64xi8>)
      outs(%init : tensor<16x16xf32>) attrs = {llama.quantized = !llama.quantized<4, 64, minimum>} {
  ^bb0(%a: i8, %b: f32, %c: i32, %d: i8, %e: f16, %f: f16, %g: i8, %sum: f32):
    linalg.yield %sum : f32
  } -> tensor<16x16xf32>
  return %y : tensor<16x16xf32>
}

// -----

// Four rows are no tile.
// CHECK-LABEL: func @four_rows
// CHECK-NOT: llama.amx_tile
// CHECK: vpdpbusd
// CHECK-NOT: llama.amx_tile
func.func @four_rows(%x: tensor<4x128xi8>, %xs: tensor<4x1xf32>, %sums: tensor<4x1xi32>, %w: tensor<1x32x64xi8>, %ws: tensor<1x1x16xf16>,
    %into: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %zero = arith.constant 0.0 : f32
  %init = linalg.fill ins(%zero : f32) outs(%into : tensor<4x16xf32>) -> tensor<4x16xf32>
  %y = linalg.generic {
      indexing_maps = [affine_map<(t, n, k) -> (t, k)>, affine_map<(t, n, k) -> (t, k floordiv 128)>, affine_map<(t, n, k) -> (t, k floordiv 128)>,
                       affine_map<(t, n, k) -> (n floordiv 16, k floordiv 4, (n mod 16) * 4 + k mod 4)>,
                       affine_map<(t, n, k) -> (n floordiv 16, k floordiv 128, n mod 16)>,
                       affine_map<(t, n, k) -> (t, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %xs, %sums, %w, %ws : tensor<4x128xi8>, tensor<4x1xf32>, tensor<4x1xi32>, tensor<1x32x64xi8>, tensor<1x1x16xf16>)
      outs(%init : tensor<4x16xf32>) attrs = {llama.quantized = !llama.quantized<8, 128>} {
  ^bb0(%a: i8, %b: f32, %c: i32, %d: i8, %e: f16, %sum: f32):
    linalg.yield %sum : f32
  } -> tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}
