// RUN: llama-opt %s --llama-cpu-lower-amx-tiles | FileCheck %s
// RUN: llama-opt %s --llama-cpu-lower-amx-tiles --convert-linalg-to-loops --convert-scf-to-cf --expand-strided-metadata --lower-affine \
// RUN:   --convert-to-llvm --reconcile-unrealized-casts | mlir-translate-22 --mlir-to-llvmir \
// RUN:   | llc-22 -O3 -mtriple=x86_64-linux-gnu -mcpu=sapphirerapids | FileCheck %s --check-prefix=ASM

// Four sums are carried; four loads, four products a step.
// CHECK-LABEL: func @tile
// CHECK-SAME: %[[W:.*]]: memref<32x256x2xbf16>, %[[X:.*]]: memref<256x32x2xbf16>, %[[Y:.*]]: memref<32x32xf32>
// CHECK: %[[LEFT:.*]] = memref.collapse_shape %[[W]] {{.*}} into memref<32x512xbf16>
// CHECK: %[[RIGHT:.*]] = memref.collapse_shape %[[X]] {{.*}} into memref<256x64xbf16>
// CHECK-COUNT-4: amx.tile_load %[[Y]]{{.*}} into !amx.tile<16x16xf32>
// CHECK: scf.for %[[PAIR:.*]] = %{{.*}} to %c256{{.*}} step %c16{{.*}} iter_args
// CHECK-COUNT-2: amx.tile_load %[[LEFT]]{{.*}} into !amx.tile<16x32xbf16>
// CHECK-COUNT-2: amx.tile_load %[[RIGHT]]{{.*}} into !amx.tile<16x32xbf16>
// CHECK-COUNT-4: amx.tile_mulf
// CHECK: scf.yield
// CHECK-COUNT-4: amx.tile_store %[[Y]]
// CHECK-NOT: linalg.generic

// In the machine's loop the sums are registers: nothing is stored between the
// first product and the last.
// ASM-LABEL: tile:
// ASM: ldtilecfg
// ASM-COUNT-4: tileloadd
// ASM: tdpbf16ps
// ASM-NOT: tilestored
// ASM: j{{[a-z]+}}
// ASM-COUNT-4: tilestored
// ASM-NOT: tilestored
// ASM: ret
func.func @tile(%w: memref<32x256x2xbf16>, %x: memref<256x32x2xbf16>, %y: memref<32x32xf32>) {
  linalg.generic {
    indexing_maps = [affine_map<(w, t, k, pair) -> (w, k, pair)>, affine_map<(w, t, k, pair) -> (k, t, pair)>, affine_map<(w, t, k, pair) -> (w, t)>],
    iterator_types = ["parallel", "parallel", "reduction", "reduction"]
  } ins(%w, %x : memref<32x256x2xbf16>, memref<256x32x2xbf16>) outs(%y : memref<32x32xf32>) attrs = {llama.amx_tile} {
  ^bb0(%a: bf16, %b: bf16, %sum: f32):
    %wideA = arith.extf %a : bf16 to f32
    %wideB = arith.extf %b : bf16 to f32
    %product = arith.mulf %wideA, %wideB : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  }
  return
}

// Bytes of rows, signed, and of two panels of a matrix, unsigned: 128 elements are
// two steps. The zeros that the sums start with are not stored and loaded.
// CHECK-LABEL: func @bytes
// CHECK-SAME: %[[X:.*]]: memref<32x32x4xi8>, %[[W:.*]]: memref<2x32x16x4xi8>, %[[Y:.*]]: memref<32x2x16xi32>
// CHECK-NOT: linalg.fill
// CHECK: %[[LEFT:.*]] = memref.collapse_shape %[[X]] {{.*}} into memref<32x128xi8>
// CHECK: %[[RIGHT:.*]] = memref.collapse_shape %[[W]] {{.*}} into memref<2x32x64xi8>
// CHECK: %[[SUMS:.*]] = memref.collapse_shape %[[Y]] {{.*}} into memref<32x32xi32>
// CHECK: %[[ZERO:.*]] = amx.tile_zero : !amx.tile<16x16xi32>
// CHECK-COUNT-3: amx.tile_zero
// CHECK-NOT: amx.tile_load
// CHECK: scf.for %[[WORD:.*]] = %{{.*}} to %c32{{.*}} step %c16{{.*}} iter_args(%[[SUM:.*]] = %[[ZERO]],
// CHECK: %[[LEFT0:.*]] = amx.tile_load %[[LEFT]][%{{.*}}, %{{.*}}] {{.*}} into !amx.tile<16x64xi8>
// CHECK: amx.tile_load %[[LEFT]]
// CHECK: %[[RIGHT0:.*]] = amx.tile_load %[[RIGHT]][%c0{{.*}}, %[[WORD]], %c0{{.*}}] {{.*}} into !amx.tile<16x64xi8>
// CHECK: amx.tile_load %[[RIGHT]][%c1{{.*}}, %[[WORD]], %c0{{.*}}]
// CHECK: amx.tile_muli %[[LEFT0]], %[[RIGHT0]] zext, %[[SUM]]
// CHECK-COUNT-3: amx.tile_muli
// CHECK: scf.yield
// CHECK: amx.tile_store %[[SUMS]][%c0{{.*}}, %c0{{.*}}], %{{.*}}#0
// CHECK: amx.tile_store %[[SUMS]][%c0{{.*}}, %c16{{.*}}], %{{.*}}#1
// CHECK: amx.tile_store %[[SUMS]][%c16{{.*}}, %c0{{.*}}], %{{.*}}#2
// CHECK: amx.tile_store %[[SUMS]][%c16{{.*}}, %c16{{.*}}], %{{.*}}#3

// ASM-LABEL: bytes:
// ASM: ldtilecfg
// ASM-COUNT-4: tilezero
// ASM: tdpbsud
// ASM-NOT: tilestored
// ASM: j{{[a-z]+}}
// ASM-COUNT-4: tilestored
// ASM-NOT: tilestored
// ASM: ret
func.func @bytes(%x: memref<32x32x4xi8>, %w: memref<2x32x16x4xi8>, %y: memref<32x2x16xi32>) {
  %zero = arith.constant 0 : i32
  linalg.fill ins(%zero : i32) outs(%y : memref<32x2x16xi32>)
  linalg.generic {
    indexing_maps = [affine_map<(t, p, n, k, b) -> (t, k, b)>, affine_map<(t, p, n, k, b) -> (p, k, n, b)>, affine_map<(t, p, n, k, b) -> (t, p, n)>],
    iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]
  } ins(%x, %w : memref<32x32x4xi8>, memref<2x32x16x4xi8>) outs(%y : memref<32x2x16xi32>) attrs = {llama.amx_tile} {
  ^bb0(%a: i8, %b: i8, %sum: i32):
    %wideA = arith.extsi %a : i8 to i32
    %wideB = arith.extui %b : i8 to i32
    %product = arith.muli %wideA, %wideB : i32
    %next = arith.addi %sum, %product : i32
    linalg.yield %next : i32
  }
  return
}

// One tile by one, both signed. Zeros that something else is added to are no
// start: the sums are loaded.
// CHECK-LABEL: func @added_to_what_is_there
// CHECK-SAME: %[[Y:[^:]*]]: memref<16x1x16xi32>
// CHECK: linalg.fill
// CHECK: memref.store
// CHECK: amx.tile_load %{{.*}} : memref<16x16xi32> into !amx.tile<16x16xi32>
// CHECK: amx.tile_muli %{{[0-9]+}}, %{{[0-9]+}}, %{{.*}} : !amx.tile<16x64xi8>, !amx.tile<16x64xi8>, !amx.tile<16x16xi32>
// CHECK-NOT: amx.tile_muli
// CHECK: amx.tile_store
// CHECK-NOT: amx.tile_store
// ASM-LABEL: added_to_what_is_there:
// ASM: tdpbssd
func.func @added_to_what_is_there(%y: memref<16x1x16xi32>, %x: memref<16x16x4xi8>, %w: memref<1x16x16x4xi8>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  linalg.fill ins(%zero : i32) outs(%y : memref<16x1x16xi32>)
  memref.store %one, %y[%c0, %c0, %c0] : memref<16x1x16xi32>
  linalg.generic {
    indexing_maps = [affine_map<(t, p, n, k, b) -> (t, k, b)>, affine_map<(t, p, n, k, b) -> (p, k, n, b)>, affine_map<(t, p, n, k, b) -> (t, p, n)>],
    iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]
  } ins(%x, %w : memref<16x16x4xi8>, memref<1x16x16x4xi8>) outs(%y : memref<16x1x16xi32>) attrs = {llama.amx_tile} {
  ^bb0(%a: i8, %b: i8, %sum: i32):
    %wideA = arith.extsi %a : i8 to i32
    %wideB = arith.extsi %b : i8 to i32
    %product = arith.muli %wideA, %wideB : i32
    %next = arith.addi %sum, %product : i32
    linalg.yield %next : i32
  }
  return
}

// A product of that shape without the attribute is none of them.
// CHECK-LABEL: func @other
// CHECK: linalg.generic
// CHECK-NOT: amx.
func.func @other(%w: memref<32x256x2xbf16>, %x: memref<256x32x2xbf16>, %y: memref<32x32xf32>) {
  linalg.generic {
    indexing_maps = [affine_map<(w, t, k, pair) -> (w, k, pair)>, affine_map<(w, t, k, pair) -> (k, t, pair)>, affine_map<(w, t, k, pair) -> (w, t)>],
    iterator_types = ["parallel", "parallel", "reduction", "reduction"]
  } ins(%w, %x : memref<32x256x2xbf16>, memref<256x32x2xbf16>) outs(%y : memref<32x32xf32>) {
  ^bb0(%a: bf16, %b: bf16, %sum: f32):
    %wideA = arith.extf %a : bf16 to f32
    %wideB = arith.extf %b : bf16 to f32
    %product = arith.mulf %wideA, %wideB : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  }
  return
}
