// RUN: llama-opt %s --llama-cpu-lower-matmuls --canonicalize --cse --split-input-file | FileCheck %s

// Lines of a panel hold two numbers of each of 16 matrix rows: 32 matrix rows are
// two panels, and a dot of two numbers is one instruction. Four lines a step.
// CHECK-LABEL: func @dots_of_one_row
// CHECK-SAME: (%[[X:.*]]: memref<1x64xbf16>, %[[FROM:.*]]: index, %[[INTO:.*]]: memref<1x32xf32>)
// CHECK: %[[W:.*]] = kernel.stored_weight @w : memref<4x2048xi8>
// CHECK: %[[PANEL:.*]] = arith.divui %[[FROM]], %c16
// CHECK: %[[LANE:.*]] = arith.remui %[[FROM]], %c16
// CHECK: %[[SUMS:.*]]:2 = scf.for %[[K:.*]] = %c0 to %c32 step %c4 iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}}) -> (vector<16xf32>, vector<16xf32>)
// CHECK:   %[[LINE:.*]] = arith.muli %[[K]], %c64
// CHECK:   %[[IN_LINE:.*]] = arith.muli %[[LANE]], %c4
// CHECK:   %[[AT:.*]] = arith.addi %[[LINE]], %[[IN_LINE]]
// CHECK:   vector.load %[[W]][%[[PANEL]], %[[AT]]] : memref<4x2048xi8>, vector<64xi8>
// CHECK:   %[[NEXT:.*]] = arith.addi %[[PANEL]], %c1
// CHECK:   vector.load %[[W]][%[[NEXT]], %[[AT]]] : memref<4x2048xi8>, vector<64xi8>
// CHECK:   vector.load %[[X]][%c0, %{{.*}}] : memref<1x64xbf16>, vector<2xbf16>
// CHECK:   vector.broadcast {{.*}} : vector<1xi32> to vector<16xi32>
// CHECK:   llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"(%[[A]],
// CHECK:   llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"(%[[B]],
// CHECK-COUNT-6: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
// CHECK-NOT: call_intrinsic
// CHECK:   scf.yield
// CHECK: vector.store %[[SUMS]]#0, %[[INTO]][%c0, %c0]
// CHECK: vector.store %[[SUMS]]#1, %[[INTO]][%c0, %c16]
// CHECK-NOT: memref.prefetch
llama.weight @w layout "panels16" : tensor<64x64xbf16>
func.func @dots_of_one_row(%x: memref<1x64xbf16>, %from: index, %into: memref<1x32xf32>) {
  kernel.matmul rows(%x : memref<1x64xbf16>) matrix(@w : tensor<64x64xbf16>) from %from into(%into : memref<1x32xf32>) part_of "linear" tile <"vdpbf16ps.512" 1 x 32>
  return
}

// -----

// Without dots the even and the odd numbers of a line are widened apart: the upper
// half of 32 bits is a number of f32 already. Each weight meets both rows, and the
// line of the next panel is asked for.
// CHECK-LABEL: func @fma_of_two_rows
// CHECK-SAME: (%[[X:.*]]: memref<2x64xbf16>
// CHECK-DAG: %[[UPPER:.*]] = arith.constant dense<-65536> : vector<8xi32>
// CHECK-DAG: %[[SIXTEEN:.*]] = arith.constant dense<16> : vector<8xi32>
// CHECK: scf.for {{.*}} -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
// CHECK:   %[[NEXT:.*]] = arith.addi %{{.*}}, %c1
// CHECK:   memref.prefetch %{{.*}}[%[[NEXT]], %{{.*}}], read
// CHECK:   %[[EVEN:.*]] = arith.shli %{{.*}}, %[[SIXTEEN]]
// CHECK:   %[[W:.*]] = arith.bitcast %[[EVEN]] : vector<8xi32> to vector<8xf32>
// CHECK:   vector.load %[[X]][%c0,
// CHECK:   math.fma %[[W]],
// CHECK:   vector.load %[[X]][%c1,
// CHECK:   math.fma %[[W]],
// CHECK:   arith.andi %{{.*}}, %[[UPPER]]
// CHECK:   math.fma
llama.weight @w layout "panels16" : tensor<64x64xbf16>
func.func @fma_of_two_rows(%x: memref<2x64xbf16>, %from: index, %into: memref<2x16xf32>) {
  kernel.matmul rows(%x : memref<2x64xbf16>) matrix(@w : tensor<64x64xbf16>) from %from into(%into : memref<2x16xf32>) part_of "linear" tile <"fma.256" 2 x 16> prefetch 16
  return
}

// -----

// NEON: a register has four numbers.
// CHECK-LABEL: func @neon_dots
// CHECK: scf.for {{.*}} -> (vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>)
// CHECK: llvm.call_intrinsic "llvm.aarch64.neon.bfdot.v4f32.v8bf16"
// CHECK-LABEL: func @neon_fma_of_f32
// CHECK: math.fma {{.*}} : vector<4xf32>
llama.weight @w layout "panels16" : tensor<64x64xbf16>
llama.weight @wide layout "panels16" : tensor<64x64xf32>
func.func @neon_dots(%x: memref<1x64xbf16>, %from: index, %into: memref<1x16xf32>) {
  kernel.matmul rows(%x : memref<1x64xbf16>) matrix(@w : tensor<64x64xbf16>) from %from into(%into : memref<1x16xf32>) part_of "linear" tile <"bfdot.128" 1 x 16>
  return
}
func.func @neon_fma_of_f32(%x: memref<1x64xf32>, %from: index, %into: memref<1x16xf32>) {
  kernel.matmul rows(%x : memref<1x64xf32>) matrix(@wide : tensor<64x64xf32>) from %from into(%into : memref<1x16xf32>) part_of "linear" tile <"fmla.128" 1 x 16>
  return
}

// -----

// AMX: a panel's line is a tile's line, 32 by 32 are four accumulators.
// CHECK-LABEL: func @tiles
// CHECK: scf.for %{{.*}} = %c0 to %c64 step %c32
// CHECK-COUNT-2: amx.tile_load {{.*}} : memref<32x64xbf16>
// CHECK: memref.view {{.*}} to memref<16x32xbf16>
// CHECK-COUNT-4: amx.tile_mulf
// CHECK: scf.yield
// CHECK-COUNT-4: amx.tile_store
llama.weight @w layout "panels16" : tensor<64x64xbf16>
func.func @tiles(%x: memref<32x64xbf16>, %from: index, %into: memref<32x32xf32>) {
  kernel.matmul rows(%x : memref<32x64xbf16>) matrix(@w : tensor<64x64xbf16>) from %from into(%into : memref<32x32xf32>) part_of "linear" tile <"tdpbf16ps" 32 x 32>
  return
}
