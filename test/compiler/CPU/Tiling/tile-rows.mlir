// RUN: llama-opt %s --llama-cpu-tile-rows --canonicalize --cse --split-input-file --verify-diagnostics | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// CHECK-LABEL: func @sum_joins_the_loop_of_its_reader
// CHECK-SAME: (%[[X:.*]]: tensor<?x64xf32>, %{{.*}}: index)
// CHECK: %[[N:.*]] = tensor.dim %[[X]], %c0
// CHECK: scf.forall (%[[T:.*]]) in (%[[N]]) shared_outs(%[[OUT:.*]] = %{{.*}})
// CHECK:   %[[ROW:.*]] = tensor.extract_slice %[[X]][%[[T]], 0] [1, 64]
// CHECK:   linalg.fill {{.*}} -> tensor<1xf32>
// CHECK:   %[[SUM:[^ ,:)]*]] = linalg.generic {{.*}}"reduction"{{.*}} ins(%[[ROW]]
// CHECK-SAME:   : tensor<1x64xf32>) outs(%{{[^ ,:)]*}} : tensor<1xf32>)
// CHECK:   %[[INTO:.*]] = tensor.extract_slice %[[OUT]][%[[T]], 0] [1, 64]
// CHECK:   linalg.generic {{.*}} ins(%[[ROW]], %[[SUM]] : tensor<1x64xf32>, tensor<1xf32>) outs(%[[INTO]]
// CHECK-SAME:   : tensor<1x64xf32>)
// CHECK:   tensor.parallel_insert_slice %{{.*}} into %[[OUT]][%[[T]], 0] [1, 64]
// CHECK-NOT: linalg.generic
func.func @sum_joins_the_loop_of_its_reader(%x: tensor<?x64xf32>, %n: index) -> tensor<?x64xf32> {
  %zero = arith.constant 0.0 : f32
  %places = tensor.empty(%n) : tensor<?xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%places : tensor<?xf32>) -> tensor<?xf32>
  %sums = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x64xf32>) outs(%zeros : tensor<?xf32>) {
  ^bb0(%a: f32, %sum: f32):
    %square = arith.mulf %a, %a : f32
    %next = arith.addf %sum, %square : f32
    linalg.yield %next : f32
  } -> tensor<?xf32>
  %out = tensor.empty(%n) : tensor<?x64xf32>
  %y = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %sums : tensor<?x64xf32>, tensor<?xf32>) outs(%out : tensor<?x64xf32>) {
  ^bb0(%a: f32, %sum: f32, %before: f32):
    %unit = arith.divf %a, %sum : f32
    linalg.yield %unit : f32
  } -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// -----

// Computing the doubled rows twice is cheaper than a loop and a buffer for them.
// CHECK-LABEL: func @producer_of_two_readers_is_computed_for_each
// CHECK: scf.forall
// CHECK:   arith.addf
// CHECK:   math.sqrt
// CHECK: scf.forall
// CHECK:   arith.addf
// CHECK:   arith.negf
// CHECK-NOT: linalg.generic
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @producer_of_two_readers_is_computed_for_each(%x: tensor<?x64xf32>, %n: index)
    -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %out = tensor.empty(%n) : tensor<?x64xf32>
  %doubled = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x64xf32>) outs(%out : tensor<?x64xf32>) {
  ^bb0(%a: f32, %before: f32):
    %b = arith.addf %a, %a : f32
    linalg.yield %b : f32
  } -> tensor<?x64xf32>
  %roots = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%doubled : tensor<?x64xf32>) outs(%out : tensor<?x64xf32>) {
  ^bb0(%a: f32, %before: f32):
    %b = math.sqrt %a : f32
    linalg.yield %b : f32
  } -> tensor<?x64xf32>
  %negated = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%doubled : tensor<?x64xf32>) outs(%out : tensor<?x64xf32>) {
  ^bb0(%a: f32, %before: f32):
    %b = arith.negf %a : f32
    linalg.yield %b : f32
  } -> tensor<?x64xf32>
  return %roots, %negated : tensor<?x64xf32>, tensor<?x64xf32>
}

// -----

// The rows of a rotation are the first of four dimensions.
// CHECK-LABEL: func @row_of_pairs_is_one_step
// CHECK: scf.forall (%[[T:.*]]) in (%{{.*}})
// CHECK:   linalg.generic {{.*}} outs(%{{.*}} : tensor<1x8x4x2xf32>)
// CHECK:   tensor.parallel_insert_slice %{{.*}}[%[[T]], 0, 0, 0] [1, 8, 4, 2]
func.func @row_of_pairs_is_one_step(%x: tensor<?x8x4x2xf32>, %cos: tensor<?x4xf32>, %n: index)
    -> tensor<?x8x4x2xf32> {
  %out = tensor.empty(%n) : tensor<?x8x4x2xf32>
  %y = linalg.generic {
      indexing_maps = [affine_map<(t, h, i, j) -> (t, h, i, 0)>, affine_map<(t, h, i, j) -> (t, i)>,
                       affine_map<(t, h, i, j) -> (t, h, i, j)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x, %cos : tensor<?x8x4x2xf32>, tensor<?x4xf32>) outs(%out : tensor<?x8x4x2xf32>) {
  ^bb0(%a: f32, %c: f32, %before: f32):
    %b = arith.mulf %a, %c : f32
    linalg.yield %b : f32
  } -> tensor<?x8x4x2xf32>
  return %y : tensor<?x8x4x2xf32>
}

// -----

// CHECK-LABEL: func @op_in_a_loop_is_left_alone
// CHECK-NOT: scf.forall
// CHECK: scf.for
// CHECK:   linalg.generic {{.*}} outs(%{{.*}} : tensor<?x64xf32>)
#id = affine_map<(d0, d1) -> (d0, d1)>
func.func @op_in_a_loop_is_left_alone(%x: tensor<?x64xf32>, %n: index) -> tensor<?x64xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %y = scf.for %i = %c0 to %n step %c1 iter_args(%old = %x) -> (tensor<?x64xf32>) {
    %new = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]}
        outs(%old : tensor<?x64xf32>) {
    ^bb0(%a: f32):
      %b = arith.addf %a, %a : f32
      linalg.yield %b : f32
    } -> tensor<?x64xf32>
    scf.yield %new : tensor<?x64xf32>
  }
  return %y : tensor<?x64xf32>
}

// -----

// A parallel loop over the rows would let threads add to the same sums.
func.func @sum_over_the_rows_is_refused(%x: tensor<?x64xf32>, %zeros: tensor<64xf32>) -> tensor<64xf32> {
  // expected-error @+1 {{'linalg.generic' op could not be tiled by rows}}
  %sums = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d1)>],
                          iterator_types = ["reduction", "parallel"]}
      ins(%x : tensor<?x64xf32>) outs(%zeros : tensor<64xf32>) {
  ^bb0(%a: f32, %sum: f32):
    %next = arith.addf %sum, %a : f32
    linalg.yield %next : f32
  } -> tensor<64xf32>
  return %sums : tensor<64xf32>
}

// -----

func.func @op_without_rows_is_refused(%value: f32, %place: tensor<f32>) -> tensor<f32> {
  // expected-error @+1 {{'linalg.fill' op could not be tiled by rows}}
  %filled = linalg.fill ins(%value : f32) outs(%place : tensor<f32>) -> tensor<f32>
  return %filled : tensor<f32>
}
