// RUN: llama-opt %s --llama-cpu-tile-matmuls --canonicalize --cse --split-input-file | FileCheck %s

// Blocks of 256 rows, a parallel loop over blocks of 32 matrix rows, then tiles of 8
// by 32, the first apart from the others: it alone fetches ahead; rows that are left
// are tiles of 1. Sums are never cut.
// CHECK-DAG: #[[BLOCK:.*]] = affine_map<(d0)[s0] -> (-d0 + s0, 256)>
// CHECK-DAG: #[[WHOLE:.*]] = affine_map<(d0) -> ((d0 floordiv 8) * 8)>
// CHECK-LABEL: func @nest
// CHECK-SAME: (%[[X:.*]]: tensor<?x64xbf16>, %[[INTO:.*]]: tensor<?x64xf32>)
// CHECK: %[[N:.*]] = tensor.dim %[[INTO]]
// CHECK: scf.for %[[FIRST:.*]] = %c0 to %[[N]] step %c256 iter_args(%[[ALL:.*]] = %[[INTO]])
// CHECK:   %[[ROWS:.*]] = affine.min #[[BLOCK]](%[[FIRST]])[%[[N]]]
// CHECK:   scf.forall (%[[COLUMN:.*]]) = (0) to (64) step (32)
// CHECK:     %[[BLOCKS:.*]] = affine.apply #[[WHOLE]](%[[ROWS]])
// CHECK:     %[[ANY:.*]] = arith.cmpi ugt, %[[BLOCKS]], %c0
// CHECK:     scf.if %[[ANY]]
// CHECK:       %[[TILE:.*]] = tensor.extract_slice %[[X]][%[[FIRST]], 0] [8, 64]
// CHECK:       kernel.matmul rows(%[[TILE]] : {{.*}} from %[[COLUMN]] into(%{{.*}} : tensor<8x32xf32>) {{.*}} tile <"fma.512" 8 x 32> prefetch 32
// CHECK:     } else {
// CHECK-NOT: kernel.matmul
// CHECK:     scf.for %{{.*}} = %c8 to %[[BLOCKS]] step %c8
// CHECK-NOT: prefetch
// CHECK:       kernel.matmul {{.*}} from %[[COLUMN]] into(%{{.*}} : tensor<8x32xf32>) {{.*}} tile <"fma.512" 8 x 32> ->
// CHECK:     scf.for %{{.*}} = %[[BLOCKS]] to %[[ROWS]] step %c1
// CHECK:       kernel.matmul {{.*}} from %[[COLUMN]] into(%{{.*}} : tensor<1x32xf32>) {{.*}} tile <"fma.512" 1 x 32> ->
// CHECK-NOT: kernel.matmul
// CHECK:     tensor.parallel_insert_slice
llama.weight @w layout "panels16" : tensor<64x64xbf16>
func.func @nest(%x: tensor<?x64xbf16>, %into: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %y = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<64x64xbf16>) into(%into : tensor<?x64xf32>) part_of "linear" schedule <rows = 256 x 32 prefetch ["fma.512" 8 x 32, "fma.512" 1 x 32]> -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// -----

// 40 is two blocks of 16 and one of 8: a tile's shape is static, so the last block
// has code of its own.
// CHECK-LABEL: func @rest_has_its_own_branch
// CHECK: scf.forall (%[[COLUMN:.*]]) = (0) to (40) step (16)
// CHECK:   %[[WHOLE:.*]] = arith.cmpi ult, %[[COLUMN]], %c32
// CHECK:   scf.if %[[WHOLE]]
// CHECK:     kernel.matmul {{.*}}into(%{{.*}} : tensor<4x16xf32>)
// CHECK:     kernel.matmul {{.*}}into(%{{.*}} : tensor<1x16xf32>)
// CHECK:   } else {
// CHECK:     kernel.matmul {{.*}}into(%{{.*}} : tensor<4x8xf32>)
// CHECK:     kernel.matmul {{.*}}into(%{{.*}} : tensor<1x8xf32>)
// CHECK-NOT: kernel.matmul
llama.weight @w layout "panels16" : tensor<40x64xbf16>
func.func @rest_has_its_own_branch(%x: tensor<?x64xbf16>, %into: tensor<?x40xf32>) -> tensor<?x40xf32> {
  %y = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<40x64xbf16>) into(%into : tensor<?x40xf32>) part_of "linear" schedule <rows = 256 x 16 ["fma.256" 4 x 16, "fma.256" 1 x 16]> -> tensor<?x40xf32>
  return %y : tensor<?x40xf32>
}

// -----

// Gate and up meet in one op that reads both: one nest, both products in the same
// tile, and neither has a buffer of all rows. The op runs row by row.
// CHECK-LABEL: func @two_products_joined_by_one_epilogue
// CHECK-COUNT-1: scf.forall (
// CHECK:   %[[GATE:.*]] = kernel.matmul {{.*}}@w1 {{.*}} into(%{{.*}} : tensor<8x32xf32>)
// CHECK:   %[[UP:.*]] = kernel.matmul {{.*}}@w3 {{.*}} into(%{{.*}} : tensor<8x32xf32>)
// CHECK:   scf.for %[[ROW:.*]] = %c0 to %c8 step %c1
// CHECK:     tensor.extract_slice %[[GATE]][%[[ROW]], 0] [1, 32]
// CHECK:     tensor.extract_slice %[[UP]][%[[ROW]], 0] [1, 32]
// CHECK:     linalg.generic {{.*}} : tensor<1x32xf32>, tensor<1x32xf32>) outs(%{{.*}} : tensor<1x32xbf16>)
// CHECK-NOT: scf.forall (
#same = affine_map<(d0, d1) -> (d0, d1)>
llama.weight @w1 layout "panels16" : tensor<64x64xbf16>
llama.weight @w3 layout "panels16" : tensor<64x64xbf16>
func.func @two_products_joined_by_one_epilogue(%x: tensor<?x64xbf16>, %n: index) -> tensor<?x64xbf16> {
  %into = tensor.empty(%n) : tensor<?x64xf32>
  %gate = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w1 : tensor<64x64xbf16>) into(%into : tensor<?x64xf32>) part_of "swiglu" schedule <rows = 256 x 32 ["fma.512" 8 x 32, "fma.512" 1 x 32]> -> tensor<?x64xf32>
  %up = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w3 : tensor<64x64xbf16>) into(%into : tensor<?x64xf32>) part_of "swiglu" schedule <rows = 256 x 32 ["fma.512" 8 x 32, "fma.512" 1 x 32]> -> tensor<?x64xf32>
  %out = tensor.empty(%n) : tensor<?x64xbf16>
  %y = linalg.generic {indexing_maps = [#same, #same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%gate, %up : tensor<?x64xf32>, tensor<?x64xf32>) outs(%out : tensor<?x64xbf16>) {
  ^bb0(%a: f32, %b: f32, %before: bf16):
    %product = arith.mulf %a, %b : f32
    %rounded = arith.truncf %product : f32 to bf16
    linalg.yield %rounded : bf16
  } -> tensor<?x64xbf16>
  return %y : tensor<?x64xbf16>
}

// -----

// The sums of a tile are made in a place of their own, then join the stream where it
// lies: the loops carry the stream itself.
// CHECK-LABEL: func @residual_add_is_in_place
// CHECK-SAME: (%{{.*}}: tensor<?x64xbf16>, %[[STREAM:.*]]: tensor<?x64xf32>
// CHECK: scf.for {{.*}} iter_args(%[[ALL:.*]] = %[[STREAM]])
// CHECK:   %[[BLOCK:.*]] = tensor.extract_slice %[[ALL]]
// CHECK:   scf.forall {{.*}} shared_outs(%[[SHARED:.*]] = %[[BLOCK]])
// CHECK:     %[[SUMS:.*]] = kernel.matmul {{.*}} -> tensor<8x32xf32>
// CHECK:     scf.for {{.*}} iter_args(%[[CARRIED:.*]] = %{{.*}})
// CHECK:       %[[OLD:.*]] = tensor.extract_slice %[[CARRIED]]
// CHECK:       %[[NEW:.*]] = tensor.extract_slice %[[SUMS]]
// CHECK:       linalg.generic {{.*}} ins(%[[NEW]] : tensor<1x32xf32>) outs(%[[OLD]] : tensor<1x32xf32>)
#same = affine_map<(d0, d1) -> (d0, d1)>
llama.weight @w layout "panels16" : tensor<64x64xbf16>
func.func @residual_add_is_in_place(%x: tensor<?x64xbf16>, %stream: tensor<?x64xf32>, %n: index) -> tensor<?x64xf32> {
  %into = tensor.empty(%n) : tensor<?x64xf32>
  %branch = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<64x64xbf16>) into(%into : tensor<?x64xf32>) part_of "linear" schedule <rows = 256 x 32 ["fma.512" 8 x 32, "fma.512" 1 x 32]> -> tensor<?x64xf32>
  %y = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%branch : tensor<?x64xf32>) outs(%stream : tensor<?x64xf32>) {
  ^bb0(%a: f32, %before: f32):
    %sum = arith.addf %before, %a : f32
    linalg.yield %sum : f32
  } -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
