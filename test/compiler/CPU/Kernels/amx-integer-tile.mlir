// RUN: llama-opt %s --llama-cpu-lower-matmuls --canonicalize --cse --split-input-file | FileCheck %s

// Bytes of large groups are multiplied as they are stored. The dots of the next group
// are begun before the scales of this one are applied: two places for them take turns.
// Then each row's share of the zero point is added.
// CHECK-LABEL: func @eight_bits
// CHECK-SAME: (%[[X:[^ ,:)]*]]: memref<32x384xi8>, %[[SCALES:[^ ,:)]*]]: memref<32x3xf32>,
// CHECK-SAME: %[[SUMS:[^ ,:)]*]]: memref<32x3xi32>, %[[Y:[^ ,:)]*]]: memref<32x32xf32>)
// CHECK-DAG: %[[TOTALS:.*]] = memref.alloca() {{.*}} : memref<32x32xf32>
// CHECK-DAG: %[[DOTS:.*]] = memref.alloca() {{.*}} : memref<2x32x32xi32>
// CHECK-NOT: arith.subi
// CHECK-COUNT-4: amx.tile_store %[[DOTS]][%c0,
// CHECK: scf.for %[[G:.*]] = %c0 to %c2 step %c1
// CHECK:   %[[NEXT:.*]] = arith.addi %[[G]], %c1
// CHECK:   %[[K:.*]] = arith.muli %[[NEXT]], %c128
// CHECK:   %[[ZERO:.*]] = amx.tile_zero : !amx.tile<16x16xi32>
// CHECK-COUNT-3: amx.tile_zero
// CHECK:   %[[RESULT:.*]]:4 = scf.for %[[I:.*]] = %c0 to %c128 step %c64 iter_args(%[[SUM:.*]] = %[[ZERO]],
// CHECK:     %[[AT:.*]] = arith.addi %[[K]], %[[I]]
// CHECK:     %[[LEFT:.*]] = amx.tile_load %[[X]][%c0, %[[AT]]] : {{.*}} into !amx.tile<16x64xi8>
// CHECK:     %[[RIGHT:.*]] = amx.tile_load %{{.*}} : memref<16x64xi8> into !amx.tile<16x64xi8>
// CHECK:     amx.tile_muli %[[LEFT]], %[[RIGHT]] zext, %[[SUM]]
// CHECK-COUNT-3: amx.tile_muli
// CHECK-NOT: {{amx.tile_store|amx.tile_muli|vector.store}}
// CHECK:     scf.yield
// CHECK:   %[[OTHER:.*]] = arith.remui %[[NEXT]], %c2
// CHECK:   amx.tile_store %[[DOTS]][%[[OTHER]], %c0, %c0], %[[RESULT]]#0
// CHECK-COUNT-3: amx.tile_store
// CHECK:   %[[TURN:.*]] = arith.remui %[[G]], %c2
// CHECK:   scf.for %[[ROW:.*]] = %c0 to %c32 step %c1
// CHECK:     memref.load %[[SCALES]][%[[ROW]], %[[G]]]
// CHECK:     %[[S:.*]] = memref.load %[[SUMS]][%[[ROW]], %[[G]]]
// CHECK:     arith.muli %[[S]], %c-128_i32
// CHECK:     vector.load %[[TOTALS]][%[[ROW]], %c0]
// CHECK:     vector.load %[[DOTS]][%[[TURN]], %[[ROW]], %c0]
// CHECK:     arith.addi
// CHECK:     math.fma
// CHECK:     vector.store %{{.*}}, %[[TOTALS]][%[[ROW]], %c0]
// CHECK: scf.for %[[ROW:.*]] = %c0 to %c32
// CHECK:   memref.load %[[SCALES]][%[[ROW]], %c2]
// CHECK: vector.store %{{.*}}, %[[Y]]
// CHECK-NOT: vpdpbusd
llama.weight @w layout "panels16" : tensor<64x384x!llama.quantized<8, 128>>
func.func @eight_bits(%x: memref<32x384xi8>, %scales: memref<32x3xf32>, %sums: memref<32x3xi32>,
    %y: memref<32x32xf32>) {
  kernel.matmul rows(%x : memref<32x384xi8>) scales(%scales : memref<32x3xf32>) sums(%sums : memref<32x3xi32>)
    matrix(@w : tensor<64x384x!llama.quantized<8, 128>>) into(%y : memref<32x32xf32>) tile <"tdpbsud" 32 x 32>
  return
}

// -----

// Weights of 4 bits are unpacked, less their zero point: nothing is left of it in the
// dots. Two groups of 32 are a step. Both meet the 64 elements of the rows, from lines 0
// and 8 of what is unpacked on, where lines 8 .. 15 are zeros.
// CHECK-LABEL: func @four_bits
// CHECK-SAME: (%[[X:.*]]: memref<16x192xi8>, %[[SCALES:.*]]: memref<16x6xf32>, %[[SUMS:.*]]: memref<16x6xi32>,
// CHECK-DAG: %[[EIGHTS:.*]] = arith.constant dense<8> : vector<64xi8>
// CHECK-DAG: %[[NONE:.*]] = arith.constant dense<0> : vector<64xi8>
// CHECK-DAG: %[[DOTS:.*]] = memref.alloca() {{.*}} : memref<4x16x16xi32>
// CHECK-DAG: %[[UNPACKED:.*]] = memref.alloca() {{.*}} : memref<1x24x64xi8>
// CHECK-NOT: memref.load %[[SUMS]]
// CHECK: vector.store %[[NONE]], %[[UNPACKED]][%c0, %c8, %c0]
// CHECK-COUNT-6: vector.store %[[NONE]], %[[UNPACKED]]
// CHECK: vector.store %[[NONE]], %[[UNPACKED]][%c0, %c15, %c0]
// CHECK-NOT: vector.store %[[NONE]]
// CHECK: scf.for %[[STEP:.*]] = %c0 to %c2 step %c1
// CHECK:   %[[NEXT:.*]] = arith.addi %[[STEP]], %c1
// CHECK:   scf.for %[[I:.*]] = %c0 to %c4 step %c1
// CHECK:     %[[BOTH:.*]] = vector.load {{.*}}, vector<64xi8>
// CHECK:     %[[LOW:.*]] = arith.andi %[[BOTH]]
// CHECK:     %[[HIGH:.*]] = arith.shrui %[[BOTH]]
// CHECK:     %[[LOW8:.*]] = arith.subi %[[LOW]], %[[EIGHTS]]
// CHECK:     %[[EVEN:.*]] = arith.muli %[[I]], %c2
// CHECK:     vector.store %[[LOW8]], %[[UNPACKED]][%c0, %[[EVEN]], %c0]
// CHECK:     %[[HIGH8:.*]] = arith.subi %[[HIGH]], %[[EIGHTS]]
// CHECK:     %[[ODD:.*]] = arith.addi %[[EVEN]], %c1
// CHECK:     vector.store %[[HIGH8]], %[[UNPACKED]][%c0, %[[ODD]], %c0]
// CHECK:   scf.for %{{.*}} = %c0 to %c4 step %c1
// CHECK:     arith.addi %{{.*}}, %c16
// CHECK:     arith.addi %{{.*}}, %c17
// CHECK:   %[[K:.*]] = arith.muli %[[NEXT]], %c64
// CHECK:   amx.tile_load %[[X]][%c0, %[[K]]]
// CHECK:   amx.tile_load %[[UNPACKED]][%c0, %c0, %c0]
// CHECK:   amx.tile_muli %{{[0-9]+}}, %{{[0-9]+}}, %{{.*}} : !amx.tile<16x64xi8>
// CHECK:   amx.tile_load %[[X]][%c0, %[[K]]]
// CHECK:   amx.tile_load %[[UNPACKED]][%c0, %c8, %c0]
// CHECK:   amx.tile_muli
// CHECK:   %[[FIRST:.*]] = arith.muli %[[STEP]], %c2
// CHECK:   scf.for %[[ROW:.*]] = %c0 to %c16
// CHECK:     memref.load %[[SCALES]][%[[ROW]], %[[FIRST]]]
// CHECK:     %[[SUM:.*]] = math.fma
// CHECK:     math.fma %{{.*}}, %{{.*}}, %[[SUM]]
// CHECK-NOT: memref.load %[[SUMS]]
llama.weight @w layout "panels16" : tensor<16x192x!llama.quantized<4, 32>>
func.func @four_bits(%x: memref<16x192xi8>, %scales: memref<16x6xf32>, %sums: memref<16x6xi32>, %y: memref<16x16xf32>) {
  kernel.matmul rows(%x : memref<16x192xi8>) scales(%scales : memref<16x6xf32>) sums(%sums : memref<16x6xi32>)
    matrix(@w : tensor<16x192x!llama.quantized<4, 32>>) into(%y : memref<16x16xf32>) tile <"tdpbssd" 16 x 16>
  return
}

// -----

// With minimums weights stay unsigned. Rows of 16 bits are two products, and 256 times
// the second is added to the first.
// CHECK-LABEL: func @minimums_and_rows_of_16_bits
// CHECK-SAME: (%[[HIGH:[^ ,:)]*]]: memref<16x64xi8>, %{{[^ ,:)]*}}: memref<16x1xf32>,
// CHECK-SAME: %[[SUMS:[^ ,:)]*]]: memref<16x1xi32>, %[[LOW:[^ ,:)]*]]: memref<16x64xi8>,
// CHECK-DAG: %[[DOTS:.*]] = memref.alloca() {{.*}} : memref<4x16x16xi32>
// CHECK-NOT: arith.subi
// CHECK: amx.tile_load %[[LOW]]
// CHECK: amx.tile_muli {{.*}} zext
// CHECK: amx.tile_load %[[HIGH]]
// CHECK: amx.tile_muli {{.*}} zext
// CHECK: scf.for %[[ROW:.*]] = %c0 to %c16
// CHECK:   memref.load %[[SUMS]]
// CHECK:   %[[LOWDOTS:.*]] = vector.load %[[DOTS]][%c0, %[[ROW]], %c0]
// CHECK:   %[[HIGHDOTS:.*]] = vector.load %[[DOTS]][%c1, %[[ROW]], %c0]
// CHECK:   %[[UP:.*]] = arith.shli %[[HIGHDOTS]]
// CHECK:   arith.addi %[[UP]], %[[LOWDOTS]]
// CHECK-COUNT-2: math.fma
// CHECK-NOT: math.fma
llama.weight @w layout "panels16" : tensor<16x64x!llama.quantized<4, 64, minimum>>
func.func @minimums_and_rows_of_16_bits(%x: memref<16x64xi8>, %scales: memref<16x1xf32>, %sums: memref<16x1xi32>,
    %low: memref<16x64xi8>, %y: memref<16x16xf32>) {
  kernel.matmul rows(%x : memref<16x64xi8>) scales(%scales : memref<16x1xf32>) sums(%sums : memref<16x1xi32>) low(%low
      : memref<16x64xi8>)
    matrix(@w : tensor<16x64x!llama.quantized<4, 64, minimum>>) into(%y : memref<16x16xf32>) tile <"tdpbsud" 16 x 16>
  return
}

// -----

// Bytes of groups of 32 are unpacked as well, for half of a tile must be zeros.
// CHECK-LABEL: func @eight_bits_in_groups_of_32
// CHECK-DAG: %[[ZEROPOINT:.*]] = arith.constant dense<-128> : vector<64xi8>
// CHECK-DAG: %[[UNPACKED:.*]] = memref.alloca() {{.*}} : memref<1x24x64xi8>
// CHECK: scf.for %{{.*}} = %c0 to %c8 step %c1
// CHECK:   %[[STORED:.*]] = vector.load {{.*}}, vector<64xi8>
// CHECK:   %[[SIGNED:.*]] = arith.subi %[[STORED]], %[[ZEROPOINT]]
// CHECK:   vector.store %[[SIGNED]], %[[UNPACKED]]
// CHECK: amx.tile_muli %{{[0-9]+}}, %{{[0-9]+}}, %{{.*}} : !amx.tile<16x64xi8>
llama.weight @w layout "panels16" : tensor<16x64x!llama.quantized<8, 32>>
func.func @eight_bits_in_groups_of_32(%x: memref<16x64xi8>, %scales: memref<16x2xf32>, %sums: memref<16x2xi32>,
    %y: memref<16x16xf32>) {
  kernel.matmul rows(%x : memref<16x64xi8>) scales(%scales : memref<16x2xf32>) sums(%sums : memref<16x2xi32>)
    matrix(@w : tensor<16x64x!llama.quantized<8, 32>>) into(%y : memref<16x16xf32>) tile <"tdpbssd" 16 x 16>
  return
}
