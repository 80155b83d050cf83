// RUN: llama-opt %s --llama-cpu-select-kernels="mtriple=x86_64-linux-gnu mcpu=x86-64-v4" \
// RUN:   --llama-cpu-tile-outer-products --canonicalize --split-input-file | FileCheck %s
// RUN: llama-opt %s --llama-cpu-select-kernels="mtriple=x86_64-linux-gnu mcpu=x86-64-v3" \
// RUN:   --llama-cpu-tile-outer-products --canonicalize \
// RUN:   --split-input-file | FileCheck %s --check-prefix=CHECK-NARROW

#left = affine_map<(g, n, d) -> (g, d)>
#right = affine_map<(g, n, d) -> (d, n)>
#sums = affine_map<(g, n, d) -> (g, n)>

// 4 rows of 64 columns are 16 registers of 16 lanes: one loop, over the sum.
// CHECK-LABEL: func @sums_of_all_columns_fit
// CHECK-SAME: (%[[A:.*]]: tensor<4x32xf32>, %[[B:.*]]: tensor<32x64xbf16>, %[[C:.*]]: tensor<4x64xf32>)
// CHECK: scf.for %[[D:.*]] = %c0 to %c32 step %c1 iter_args(%[[OLD:.*]] = %[[C]])
// CHECK-NOT: scf.for
// CHECK: tensor.extract_slice %[[A]][0, %[[D]]] [4, 1]
// CHECK: tensor.extract_slice %[[B]][%[[D]], 0] [1, 64]
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]} ins({{.*}} : tensor<4xf32>,
// CHECK-SAME: tensor<64xbf16>) outs(%[[OLD]]
// CHECK: return
// 8 registers of 8 lanes: 2 for each row.
// CHECK-NARROW-LABEL: func @sums_of_all_columns_fit
// CHECK-NARROW: scf.for {{.*}} = %c0 to %c64 step %c16
// CHECK-NARROW: scf.for {{.*}} = %c0 to %c32 step %c1
// CHECK-NARROW: linalg.generic {{.*}} : tensor<4xf32>, tensor<16xbf16>)
func.func @sums_of_all_columns_fit(%a: tensor<4x32xf32>, %b: tensor<32x64xbf16>, %c: tensor<4x64xf32>)
    -> tensor<4x64xf32> {
  %y = linalg.generic {indexing_maps = [#left, #right, #sums], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<4x32xf32>, tensor<32x64xbf16>) outs(%c : tensor<4x64xf32>) {
  ^bb0(%l: f32, %r: bf16, %sum: f32):
    %wide = arith.extf %r : bf16 to f32
    %product = arith.mulf %l, %wide : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<4x64xf32>
  return %y : tensor<4x64xf32>
}

// -----

#left = affine_map<(g, n, d) -> (g, d)>
#right = affine_map<(g, n, d) -> (d, n)>
#sums = affine_map<(g, n, d) -> (g, n)>

// 16 / 3 rows are 5 registers; 4 of them are 64 columns, twice.
// CHECK-LABEL: func @sum_of_unknown_length
// CHECK-SAME: (%[[A:.*]]: tensor<3x?xf32>, %[[B:.*]]: tensor<?x128xf32>, %[[C:.*]]: tensor<3x128xf32>)
// CHECK: %[[LENGTH:.*]] = tensor.dim %[[A]], %c1
// CHECK: scf.for {{.*}} = %c0 to %c128 step %c64
// CHECK: scf.for {{.*}} = %c0 to %[[LENGTH]] step %c1
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]} ins({{.*}} : tensor<3xf32>, tensor<64xf32>)
func.func @sum_of_unknown_length(%a: tensor<3x?xf32>, %b: tensor<?x128xf32>, %c: tensor<3x128xf32>)
    -> tensor<3x128xf32> {
  %y = linalg.generic {indexing_maps = [#left, #right, #sums], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<3x?xf32>, tensor<?x128xf32>) outs(%c : tensor<3x128xf32>) {
  ^bb0(%l: f32, %r: f32, %sum: f32):
    %product = arith.mulf %l, %r : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<3x128xf32>
  return %y : tensor<3x128xf32>
}

// -----

// No: weights are rows by rows; that is llama-cpu-vectorize's sum.
// CHECK-LABEL: func @rows_by_rows_stay
// CHECK-NOT: scf.for
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction"]
func.func @rows_by_rows_stay(%a: tensor<4x32xf32>, %b: tensor<64x32xf32>, %c: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %y = linalg.generic {
      indexing_maps = [affine_map<(g, n, d) -> (g, d)>, affine_map<(g, n, d) -> (n, d)>, affine_map<(g, n, d)
          -> (g, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<4x32xf32>, tensor<64x32xf32>) outs(%c : tensor<4x64xf32>) {
  ^bb0(%l: f32, %r: f32, %sum: f32):
    %product = arith.mulf %l, %r : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<4x64xf32>
  return %y : tensor<4x64xf32>
}

// -----

// No: how many columns there are is not known, nor whether they fit.
// CHECK-LABEL: func @unknown_columns_stay
// CHECK-NOT: scf.for
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction"]
func.func @unknown_columns_stay(%a: tensor<4x32xf32>, %b: tensor<32x?xf32>, %c: tensor<4x?xf32>) -> tensor<4x?xf32> {
  %y = linalg.generic {
      indexing_maps = [affine_map<(g, n, d) -> (g, d)>, affine_map<(g, n, d) -> (d, n)>, affine_map<(g, n, d)
          -> (g, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<4x32xf32>, tensor<32x?xf32>) outs(%c : tensor<4x?xf32>) {
  ^bb0(%l: f32, %r: f32, %sum: f32):
    %product = arith.mulf %l, %r : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<4x?xf32>
  return %y : tensor<4x?xf32>
}
