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
// CHECK: amx.tile_load %[[LEFT]]{{.*}} into !amx.tile<16x32xbf16>
// CHECK: amx.tile_load %[[RIGHT]]{{.*}} into !amx.tile<16x32xbf16>
// CHECK: amx.tile_load %[[LEFT]]
// CHECK: amx.tile_load %[[RIGHT]]
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
