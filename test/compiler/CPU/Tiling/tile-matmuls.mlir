// RUN: llama-opt %s --llama-cpu-tile-linears --canonicalize --cse --split-input-file | FileCheck %s
// RUN: llama-opt %s --llama-cpu-tile-linears="rows-per-pass=32 panel-columns=4 block-rows=2 block-columns=2" \
// RUN:   --canonicalize --split-input-file | FileCheck %s --check-prefix=SIZES

// Passes over the rows, a parallel loop over panels of 8 weight rows, then blocks
// of 4 by 4, the first four rows before the others, and, for the rows that are
// left, whole panels of 1 by 8. The sum, 64 columns, is never cut.
// CHECK-DAG: #[[PASS:.*]] = affine_map<(d0)[s0] -> (-d0 + s0, 128)>
// CHECK-DAG: #[[BLOCKED:.*]] = affine_map<(d0) -> ((d0 floordiv 4) * 4)>
// CHECK-LABEL: func @even_width_is_tiled
// CHECK-SAME: (%[[X:.*]]: tensor<?x64xf32>, %[[W:.*]]: tensor<16x64xf32>, %[[N:.*]]: index)
// CHECK: scf.for %[[FIRST:.*]] = %c0 to %[[N]] step %c128
// CHECK:   %[[ROWS:.*]] = affine.min #[[PASS]](%[[FIRST]])[%[[N]]]
// CHECK:   scf.forall (%[[COLUMN:.*]]) = (0) to (16) step (8)
// CHECK:     %[[BLOCKS:.*]] = affine.apply #[[BLOCKED]](%[[ROWS]])
// CHECK:     %[[ANY:.*]] = arith.cmpi ugt, %[[BLOCKS]], %c0
// CHECK:     scf.if %[[ANY]]
// CHECK:       tensor.extract_slice %[[X]][%[[FIRST]], 0] [4, 64]
// CHECK:       linalg.generic {{.*}}"reduction"{{.*}} outs(%{{.*}} : tensor<4x4xf32>)
// CHECK:       linalg.generic {{.*}}"reduction"{{.*}} outs(%{{.*}} : tensor<4x4xf32>)
// CHECK:     } else {
// CHECK-NOT: linalg.generic
// CHECK:     scf.for %[[R:.*]] = %c4 to %[[BLOCKS]] step %c4
// CHECK:       tensor.extract_slice %[[X]]{{.*}} to tensor<4x64xf32>
// CHECK:       tensor.extract_slice %[[W]][%[[COLUMN]], 0] [4, 64]
// CHECK:       linalg.fill {{.*}} -> tensor<4x4xf32>
// CHECK:       linalg.generic {{.*}}"reduction"{{.*}} ins(%{{.*}} : tensor<4x64xf32>, tensor<4x64xf32>) outs(%{{.*}} : tensor<4x4xf32>)
// CHECK:       linalg.generic {{.*}}"reduction"{{.*}} outs(%{{.*}} : tensor<4x4xf32>)
// CHECK:       scf.yield
// CHECK:     scf.for %[[R:.*]] = %[[BLOCKS]] to %[[ROWS]] step %c1
// CHECK:       tensor.extract_slice %[[X]]{{.*}} to tensor<1x64xf32>
// CHECK:       tensor.extract_slice %[[W]][%[[COLUMN]], 0] [8, 64]
// CHECK:       linalg.generic {{.*}}"reduction"{{.*}} ins(%{{.*}} : tensor<1x64xf32>, tensor<8x64xf32>) outs(%{{.*}} : tensor<1x8xf32>)
// CHECK-NOT: linalg.generic
// CHECK:     tensor.parallel_insert_slice

// SIZES-DAG: affine_map<(d0)[s0] -> (-d0 + s0, 32)>
// SIZES-DAG: affine_map<(d0) -> ((d0 floordiv 2) * 2)>
// SIZES-LABEL: func @even_width_is_tiled
// SIZES: scf.forall {{.*}} = (0) to (16) step (4)
// SIZES-COUNT-4: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x2xf32>)
// SIZES: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x4xf32>)
#rows = affine_map<(d0, d1, d2) -> (d0, d2)>
#matrix = affine_map<(d0, d1, d2) -> (d1, d2)>
#sums = affine_map<(d0, d1, d2) -> (d0, d1)>
func.func @even_width_is_tiled(%x: tensor<?x64xf32>, %w: tensor<16x64xf32>, %n: index) -> tensor<?x16xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty(%n) : tensor<?x16xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x16xf32>) -> tensor<?x16xf32>
  %y = linalg.generic {indexing_maps = [#rows, #matrix, #sums], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x64xf32>, tensor<16x64xf32>) outs(%zeros : tensor<?x16xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

// 19 is two panels of 8 and one of 3: a tile's shape is static, so the last panel
// has code of its own.
// CHECK-LABEL: func @odd_rest_has_its_own_branch
// CHECK: scf.forall (%[[COLUMN:.*]]) = (0) to (19) step (8)
// CHECK:   %[[WHOLE:.*]] = arith.cmpi ult, %[[COLUMN]], %c16
// CHECK:   scf.if %[[WHOLE]]
// CHECK-COUNT-4: linalg.generic {{.*}} outs(%{{.*}} : tensor<4x4xf32>)
// CHECK:     linalg.generic {{.*}} outs(%{{.*}} : tensor<1x8xf32>)
// CHECK:   } else {
// CHECK-COUNT-2: linalg.generic {{.*}} outs(%{{.*}} : tensor<4x3xf32>)
// CHECK:     linalg.generic {{.*}} outs(%{{.*}} : tensor<1x3xf32>)
// CHECK-NOT: linalg.generic
#rows = affine_map<(d0, d1, d2) -> (d0, d2)>
#matrix = affine_map<(d0, d1, d2) -> (d1, d2)>
#sums = affine_map<(d0, d1, d2) -> (d0, d1)>
func.func @odd_rest_has_its_own_branch(%x: tensor<?x64xf32>, %w: tensor<19x64xf32>, %n: index) -> tensor<?x19xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty(%n) : tensor<?x19xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x19xf32>) -> tensor<?x19xf32>
  %y = linalg.generic {indexing_maps = [#rows, #matrix, #sums], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x64xf32>, tensor<19x64xf32>) outs(%zeros : tensor<?x19xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<?x19xf32>
  return %y : tensor<?x19xf32>
}

// -----

// A panel is at most half the width: a parallel loop of one step would be folded
// away, and with it the promise that one thread alone does its work.
// CHECK-LABEL: func @narrow_width_is_two_panels
// CHECK: scf.forall {{.*}} = (0) to (6) step (3)
#rows = affine_map<(d0, d1, d2) -> (d0, d2)>
#matrix = affine_map<(d0, d1, d2) -> (d1, d2)>
#sums = affine_map<(d0, d1, d2) -> (d0, d1)>
func.func @narrow_width_is_two_panels(%x: tensor<?x64xf32>, %w: tensor<6x64xf32>, %n: index) -> tensor<?x6xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty(%n) : tensor<?x6xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x6xf32>) -> tensor<?x6xf32>
  %y = linalg.generic {indexing_maps = [#rows, #matrix, #sums], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x64xf32>, tensor<6x64xf32>) outs(%zeros : tensor<?x6xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<?x6xf32>
  return %y : tensor<?x6xf32>
}

// -----

// Gate and up meet in one op that reads both: one loop nest, both products in the
// same tile, and neither has a buffer of all rows.
// CHECK-LABEL: func @two_products_joined_by_one_root
// CHECK-SAME: (%[[X:.*]]: tensor<?x64xf32>, %[[W1:.*]]: tensor<16x64xf32>, %[[W3:.*]]: tensor<16x64xf32>, %{{.*}}: index)
// CHECK-COUNT-1: scf.forall
// CHECK: scf.for
// CHECK:   tensor.extract_slice %[[X]]
// CHECK:   tensor.extract_slice %[[W1]]
// CHECK:   %[[GATE:.*]] = linalg.generic {{.*}}"reduction"{{.*}} outs(%{{.*}} : tensor<4x4xf32>)
// CHECK:   tensor.extract_slice %[[W3]]
// CHECK:   %[[UP:.*]] = linalg.generic {{.*}}"reduction"{{.*}} outs(%{{.*}} : tensor<4x4xf32>)
// CHECK:   linalg.generic {{.*}} ins(%[[GATE]], %[[UP]] : tensor<4x4xf32>, tensor<4x4xf32>) outs(%{{.*}} : tensor<4x4xbf16>)
// CHECK: scf.for
// CHECK:   %[[GATE:.*]] = linalg.generic {{.*}}"reduction"{{.*}} outs(%{{.*}} : tensor<1x8xf32>)
// CHECK:   %[[UP:.*]] = linalg.generic {{.*}}"reduction"{{.*}} outs(%{{.*}} : tensor<1x8xf32>)
// CHECK:   linalg.generic {{.*}} ins(%[[GATE]], %[[UP]] : tensor<1x8xf32>, tensor<1x8xf32>) outs(%{{.*}} : tensor<1x8xbf16>)
// CHECK-NOT: scf.forall (
// CHECK-NOT: tensor<?x16xf32>
#rows = affine_map<(d0, d1, d2) -> (d0, d2)>
#matrix = affine_map<(d0, d1, d2) -> (d1, d2)>
#sums = affine_map<(d0, d1, d2) -> (d0, d1)>
#same = affine_map<(d0, d1) -> (d0, d1)>
func.func @two_products_joined_by_one_root(%x: tensor<?x64xf32>, %w1: tensor<16x64xf32>,
                                           %w3: tensor<16x64xf32>, %n: index) -> tensor<?x16xbf16> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty(%n) : tensor<?x16xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x16xf32>) -> tensor<?x16xf32>
  %gate = linalg.generic {indexing_maps = [#rows, #matrix, #sums], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w1 : tensor<?x64xf32>, tensor<16x64xf32>) outs(%zeros : tensor<?x16xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<?x16xf32>
  %up = linalg.generic {indexing_maps = [#rows, #matrix, #sums], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w3 : tensor<?x64xf32>, tensor<16x64xf32>) outs(%zeros : tensor<?x16xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<?x16xf32>
  %out = tensor.empty(%n) : tensor<?x16xbf16>
  %y = linalg.generic {indexing_maps = [#same, #same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%gate, %up : tensor<?x16xf32>, tensor<?x16xf32>) outs(%out : tensor<?x16xbf16>) {
  ^bb0(%a: f32, %b: f32, %before: bf16):
    %product = arith.mulf %a, %b : f32
    %rounded = arith.truncf %product : f32 to bf16
    linalg.yield %rounded : bf16
  } -> tensor<?x16xbf16>
  return %y : tensor<?x16xbf16>
}

// -----

// The sums of a tile begin at zero in a place of their own, then join the stream
// where it lies: the loops carry the stream itself.
// CHECK-LABEL: func @residual_add_is_in_place
// CHECK-SAME: (%[[X:.*]]: tensor<?x64xf32>, %[[W:.*]]: tensor<16x64xf32>, %[[STREAM:.*]]: tensor<?x16xf32>)
// CHECK-NOT: tensor.empty(%
// CHECK: scf.for {{.*}} iter_args(%[[WHOLE:.*]] = %[[STREAM]])
// CHECK:   %[[PASS:.*]] = tensor.extract_slice %[[WHOLE]]
// CHECK:   scf.forall {{.*}} shared_outs(%[[SHARED:.*]] = %[[PASS]])
// CHECK:     %[[PANEL:.*]] = tensor.extract_slice %[[SHARED]]
// CHECK:     %[[FIRST:.*]] = scf.if
// CHECK:       %[[OLD:.*]] = tensor.extract_slice %[[PANEL]]{{.*}} to tensor<4x4xf32>
// CHECK:       linalg.generic {{.*}} outs(%[[OLD]] : tensor<4x4xf32>)
// CHECK:     scf.for {{.*}} iter_args(%[[CARRIED:.*]] = %[[FIRST]])
// CHECK:       %[[OLD:.*]] = tensor.extract_slice %[[CARRIED]]{{.*}} to tensor<4x4xf32>
// CHECK:       %[[SUMS:.*]] = linalg.generic {{.*}}"reduction"
// CHECK:       linalg.generic {{.*}} ins(%[[SUMS]] : tensor<4x4xf32>) outs(%[[OLD]] : tensor<4x4xf32>)
#rows = affine_map<(d0, d1, d2) -> (d0, d2)>
#matrix = affine_map<(d0, d1, d2) -> (d1, d2)>
#sums = affine_map<(d0, d1, d2) -> (d0, d1)>
#same = affine_map<(d0, d1) -> (d0, d1)>
func.func @residual_add_is_in_place(%x: tensor<?x64xf32>, %w: tensor<16x64xf32>, %stream: tensor<?x16xf32>)
    -> tensor<?x16xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?x64xf32>
  %empty = tensor.empty(%n) : tensor<?x16xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x16xf32>) -> tensor<?x16xf32>
  %branch = linalg.generic {indexing_maps = [#rows, #matrix, #sums], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x64xf32>, tensor<16x64xf32>) outs(%zeros : tensor<?x16xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<?x16xf32>
  %y = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%branch : tensor<?x16xf32>) outs(%stream : tensor<?x16xf32>) {
  ^bb0(%a: f32, %old: f32):
    %new = arith.addf %old, %a : f32
    linalg.yield %new : f32
  } -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

// A product that two ops read is stored once; they read it from there.
// CHECK-LABEL: func @product_with_two_readers_stands_alone
// CHECK: %[[Y:.*]] = scf.for {{.*}} -> (tensor<?x16xf32>)
// CHECK-COUNT-5: linalg.generic {{.*}}"reduction"
// CHECK-NOT: "reduction"
// CHECK: %[[TWICE:.*]] = linalg.generic {{.*}} ins(%[[Y]] : tensor<?x16xf32>)
// CHECK: return %[[TWICE]], %[[Y]]
#rows = affine_map<(d0, d1, d2) -> (d0, d2)>
#matrix = affine_map<(d0, d1, d2) -> (d1, d2)>
#sums = affine_map<(d0, d1, d2) -> (d0, d1)>
#same = affine_map<(d0, d1) -> (d0, d1)>
func.func @product_with_two_readers_stands_alone(%x: tensor<?x64xf32>, %w: tensor<16x64xf32>, %n: index)
    -> (tensor<?x16xf32>, tensor<?x16xf32>) {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty(%n) : tensor<?x16xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x16xf32>) -> tensor<?x16xf32>
  %y = linalg.generic {indexing_maps = [#rows, #matrix, #sums], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x64xf32>, tensor<16x64xf32>) outs(%zeros : tensor<?x16xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<?x16xf32>
  %twice = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%y : tensor<?x16xf32>) outs(%empty : tensor<?x16xf32>) {
  ^bb0(%a: f32, %before: f32):
    %sum = arith.addf %a, %a : f32
    linalg.yield %sum : f32
  } -> tensor<?x16xf32>
  return %twice, %y : tensor<?x16xf32>, tensor<?x16xf32>
}

// -----

// A square sum over columns has one input and one parallel loop: not a product.
// CHECK-LABEL: func @sum_of_squares_is_left_alone
// CHECK-NOT: scf.for
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<?x64xf32>) outs(%{{.*}} : tensor<?xf32>)
func.func @sum_of_squares_is_left_alone(%x: tensor<?x64xf32>, %sums: tensor<?xf32>) -> tensor<?xf32> {
  %y = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>],
                       iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x64xf32>) outs(%sums : tensor<?xf32>) {
  ^bb0(%a: f32, %sum: f32):
    %square = arith.mulf %a, %a : f32
    %next = arith.addf %sum, %square : f32
    linalg.yield %next : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}
