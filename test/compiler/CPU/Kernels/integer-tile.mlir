// RUN: llama-opt %s --llama-cpu-lower-matmuls --canonicalize --cse --split-input-file | FileCheck %s

// A group of 32 is a step of the loop. 4 bits: both halves of a byte are weights,
// of the same line. Integers are summed exactly; the group's scales, of the row and
// of the matrix row, come in once.
// CHECK-LABEL: func @nibbles
// CHECK-SAME: (%[[X:.*]]: memref<1x64xi8>, %[[SCALES:.*]]: memref<1x2xf32>
// CHECK: scf.for %[[G:.*]] = %c0 to %c2 step %c1 {{.*}} -> (vector<16xf32>)
// CHECK:   arith.andi {{.*}} : vector<64xi8>
// CHECK:   arith.shrui {{.*}} : vector<64xi8>
// CHECK-COUNT-8: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-NOT: llvm.call_intrinsic
// CHECK:   memref.load %[[SCALES]][%c0, %[[G]]]
// CHECK:   arith.sitofp {{.*}} : vector<16xi32> to vector<16xf32>
// CHECK:   math.fma {{.*}} : vector<16xf32>
// CHECK:   scf.yield
// CHECK: vector.store
llama.weight @w layout "panels16" : tensor<64x64x!llama.quantized<4, 32>>
func.func @nibbles(%x: memref<1x64xi8>, %s: memref<1x2xf32>, %t: memref<1x2xi32>, %from: index, %into: memref<1x16xf32>) {
  kernel.matmul rows(%x : memref<1x64xi8>) scales(%s : memref<1x2xf32>) sums(%t : memref<1x2xi32>) matrix(@w : tensor<64x64x!llama.quantized<4, 32>>) from %from into(%into : memref<1x16xf32>) part_of "linear" tile <"vpdpbusd.512" 1 x 16>
  return
}

// -----

// AVX2 without VNNI multiplies 16 bits: even and odd bytes apart. The minimum of a
// matrix row's group is multiplied by the sum of the row's.
// CHECK-LABEL: func @bytes_with_minimums
// CHECK-SAME: (%{{.*}}: memref<1x64xi8>, %[[SCALES:.*]]: memref<1x2xf32>, %[[SUMS:.*]]: memref<1x2xi32>
// CHECK: scf.for %[[G:.*]] = %c0 to %c2 step %c1
// CHECK-COUNT-32: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// CHECK-NOT: llvm.call_intrinsic
// CHECK:   %[[SCALE:.*]] = memref.load %[[SCALES]][%c0, %[[G]]]
// CHECK:   %[[SUM:.*]] = memref.load %[[SUMS]][%c0, %[[G]]]
// CHECK:   %[[SUM32:.*]] = arith.sitofp %[[SUM]] : i32 to f32
// CHECK:   %[[FACTOR:.*]] = arith.mulf %[[SCALE]], %[[SUM32]]
// CHECK:   %[[FACTORS:.*]] = vector.broadcast %[[FACTOR]]
// CHECK:   math.fma %{{.*}}, %[[FACTORS]], %{{.*}} : vector<8xf32>
llama.weight @a layout "panels16" : tensor<64x64x!llama.quantized<8, 32, minimum>>
func.func @bytes_with_minimums(%x: memref<1x64xi8>, %s: memref<1x2xf32>, %t: memref<1x2xi32>, %from: index, %into: memref<1x16xf32>) {
  kernel.matmul rows(%x : memref<1x64xi8>) scales(%s : memref<1x2xf32>) sums(%t : memref<1x2xi32>) matrix(@a : tensor<64x64x!llama.quantized<8, 32, minimum>>) from %from into(%into : memref<1x16xf32>) part_of "linear" tile <"vpmaddwd.256" 1 x 16>
  return
}

// -----

// Bytes are stored with 128 added: 128 times the row's sum goes away again, exactly,
// before the sum of integers becomes a float.
// CHECK-LABEL: func @tiles
// CHECK-SAME: memref<32x1xf32>, %[[SUMS:.*]]: memref<32x1xi32>
// CHECK: %[[BIAS:.*]] = arith.constant -128 : i32
// CHECK-COUNT-4: amx.tile_muli {{.*}} !amx.tile<16x16xi32>
// CHECK: scf.for %[[ROW:.*]] = %c0 to %c32 step %c1
// CHECK:   %[[SUM:.*]] = memref.load %[[SUMS]][%[[ROW]], %c0]
// CHECK:   arith.muli %[[SUM]], %[[BIAS]]
// CHECK:   %[[EXACT:.*]] = arith.addi {{.*}} : vector<16xi32>
// CHECK:   arith.sitofp
llama.weight @q layout "panels16" : tensor<64x64x!llama.quantized<8, 64>>
func.func @tiles(%x: memref<32x64xi8>, %s: memref<32x1xf32>, %t: memref<32x1xi32>, %from: index, %into: memref<32x32xf32>) {
  kernel.matmul rows(%x : memref<32x64xi8>) scales(%s : memref<32x1xf32>) sums(%t : memref<32x1xi32>) matrix(@q : tensor<64x64x!llama.quantized<8, 64>>) from %from into(%into : memref<32x32xf32>) part_of "linear" tile <"tdpbsud" 32 x 32>
  return
}

// -----

// NEON: without dots bytes are widened by a multiplication.
// CHECK-LABEL: func @neon
// CHECK: llvm.call_intrinsic "llvm.aarch64.neon.sdot.v4i32.v16i8"
// CHECK-LABEL: func @neon_without_dots
// CHECK: llvm.call_intrinsic "llvm.aarch64.neon.smull.v8i16"
llama.weight @q layout "panels16" : tensor<64x64x!llama.quantized<8, 64>>
func.func @neon(%x: memref<1x64xi8>, %s: memref<1x1xf32>, %t: memref<1x1xi32>, %from: index, %into: memref<1x16xf32>) {
  kernel.matmul rows(%x : memref<1x64xi8>) scales(%s : memref<1x1xf32>) sums(%t : memref<1x1xi32>) matrix(@q : tensor<64x64x!llama.quantized<8, 64>>) from %from into(%into : memref<1x16xf32>) part_of "linear" tile <"sdot.128" 1 x 16>
  return
}
func.func @neon_without_dots(%x: memref<1x64xi8>, %s: memref<1x1xf32>, %t: memref<1x1xi32>, %from: index, %into: memref<1x16xf32>) {
  kernel.matmul rows(%x : memref<1x64xi8>) scales(%s : memref<1x1xf32>) sums(%t : memref<1x1xi32>) matrix(@q : tensor<64x64x!llama.quantized<8, 64>>) from %from into(%into : memref<1x16xf32>) part_of "linear" tile <"smull.128" 1 x 16>
  return
}
