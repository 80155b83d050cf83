// RUN: llama-opt %s --llama-cpu-select-kernels="mtriple=x86_64-linux-gnu mcpu=x86-64-v4" --llama-cpu-vectorize \
// RUN:   --canonicalize --cse --split-input-file | FileCheck %s
// RUN: llama-opt %s --llama-cpu-select-kernels="mtriple=x86_64-linux-gnu mcpu=x86-64-v3" --llama-cpu-vectorize \
// RUN:   --canonicalize --cse --split-input-file \
// RUN:   | FileCheck %s --check-prefix=CHECK-NARROW

// Sixteen sums side by side; they are added up once, after the loop.
// CHECK-LABEL: func @sum_runs_in_partial_sums
// CHECK-SAME: (%[[X:.*]]: tensor<1x64xbf16>, %[[W:.*]]: tensor<8x64xbf16>, %[[SUMS:.*]]: tensor<1x8xf32>)
// CHECK: %[[PARTIAL:[^ ,:)]*]] = scf.for %[[K:[^ ,:)]*]] = %c0 to %c64 step %c16 iter_args(%[[OLD:[^ ,:)]*]] =
// CHECK-SAME: %{{[^ ,:)]*}}) -> (tensor<1x8x16xf32>)
// CHECK:   tensor.extract_slice %[[X]][0, %[[K]]] [1, 16]
// CHECK:   tensor.extract_slice %[[W]][0, %[[K]]] [8, 16]
// CHECK:   %[[SUM:.*]] = vector.transfer_read %[[OLD]]{{.*}} vector<1x8x16xf32>
// CHECK-NOT: vector.multi_reduction
// CHECK:   %[[PRODUCT:.*]] = arith.mulf {{.*}} : vector<1x8x16xf32>
// CHECK:   arith.addf %[[SUM]], %[[PRODUCT]] : vector<1x8x16xf32>
// CHECK-NOT: vector.multi_reduction
// CHECK:   scf.yield
// CHECK: }
// CHECK: %[[LAST:.*]] = vector.transfer_read %[[PARTIAL]]
// CHECK: %[[BEFORE:.*]] = vector.transfer_read %[[SUMS]]
// CHECK: vector.multi_reduction <add>, %[[LAST]], %[[BEFORE]] [2] : vector<1x8x16xf32> to vector<1x8xf32>
// CHECK-NOT: linalg
// CHECK-NARROW-LABEL: func @sum_runs_in_partial_sums
// CHECK-NARROW: scf.for {{.*}} step %c8 {{.*}} -> (tensor<1x8x8xf32>)
func.func @sum_runs_in_partial_sums(%x: tensor<1x64xbf16>, %w: tensor<8x64xbf16>, %sums: tensor<1x8xf32>)
    -> tensor<1x8xf32> {
  %y = linalg.generic {
      indexing_maps = [affine_map<(t, n, k) -> (t, k)>, affine_map<(t, n, k) -> (n, k)>, affine_map<(t, n, k)
          -> (t, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<1x64xbf16>, tensor<8x64xbf16>) outs(%sums : tensor<1x8xf32>) {
  ^bb0(%a: bf16, %b: bf16, %sum: f32):
    %a32 = arith.extf %a : bf16 to f32
    %b32 = arith.extf %b : bf16 to f32
    %product = arith.mulf %a32, %b32 : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<1x8xf32>
  return %y : tensor<1x8xf32>
}

// -----

// 60 is not a multiple of 16 lanes: pieces of gcd(60, 16), so that none is cut off.
// CHECK-LABEL: func @sum_of_uneven_length_uses_fewer_lanes
// CHECK: scf.for {{.*}} = %c0 to %c60 step %c4 {{.*}} -> (tensor<1x8x4xf32>)
// CHECK-NOT: linalg
func.func @sum_of_uneven_length_uses_fewer_lanes(%x: tensor<1x60xf32>, %w: tensor<8x60xf32>, %sums: tensor<1x8xf32>)
    -> tensor<1x8xf32> {
  %y = linalg.generic {
      indexing_maps = [affine_map<(t, n, k) -> (t, k)>, affine_map<(t, n, k) -> (n, k)>, affine_map<(t, n, k)
          -> (t, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<1x60xf32>, tensor<8x60xf32>) outs(%sums : tensor<1x8xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<1x8xf32>
  return %y : tensor<1x8xf32>
}

// -----

// CHECK-LABEL: func @sum_within_a_register_needs_no_loop
// CHECK-NOT: scf.for
// CHECK: vector.multi_reduction <add>, %{{.*}}, %{{.*}} [1] : vector<2x16xf32> to vector<2xf32>
// CHECK-NARROW-LABEL: func @sum_within_a_register_needs_no_loop
// CHECK-NARROW: scf.for {{.*}} -> (tensor<2x8xf32>)
func.func @sum_within_a_register_needs_no_loop(%x: tensor<2x16xf32>, %sums: tensor<2xf32>) -> tensor<2xf32> {
  %y = linalg.generic {indexing_maps = [affine_map<(t, k) -> (t, k)>, affine_map<(t, k) -> (t)>],
                       iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<2x16xf32>) outs(%sums : tensor<2xf32>) {
  ^bb0(%a: f32, %sum: f32):
    %next = arith.addf %sum, %a : f32
    linalg.yield %next : f32
  } -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// -----

// Partial maxima begin at the lowest number, not at zero.
// CHECK-LABEL: func @maximum_begins_at_minus_infinity
// CHECK: arith.constant dense<0xFF800000> : vector<2x16xf32>
// CHECK: scf.for
// CHECK:   arith.maximumf {{.*}} : vector<2x16xf32>
// CHECK: vector.multi_reduction <maximumf>
func.func @maximum_begins_at_minus_infinity(%x: tensor<2x64xf32>, %lowest: tensor<2xf32>) -> tensor<2xf32> {
  %y = linalg.generic {indexing_maps = [affine_map<(t, k) -> (t, k)>, affine_map<(t, k) -> (t)>],
                       iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<2x64xf32>) outs(%lowest : tensor<2xf32>) {
  ^bb0(%a: f32, %most: f32):
    %next = arith.maximumf %most, %a : f32
    linalg.yield %next : f32
  } -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// -----

// 160 elements in pieces of gcd(160, 64) = 32.
// CHECK-LABEL: func @long_row_is_cut
// CHECK: scf.for %[[K:.*]] = %c0 to %c160 step %c32 iter_args(%[[OUT:.*]] = %{{.*}}) -> (tensor<1x160xbf16>)
// CHECK:   %[[TRUNC:.*]] = arith.truncf {{.*}} : vector<1x32xf32> to vector<1x32xbf16>
// CHECK:   tensor.insert_slice {{.*}} into %[[OUT]][0, %[[K]]] [1, 32]
// CHECK-NOT: linalg
func.func @long_row_is_cut(%x: tensor<1x160xf32>, %out: tensor<1x160xbf16>) -> tensor<1x160xbf16> {
  %y = linalg.generic {indexing_maps = [affine_map<(t, k) -> (t, k)>, affine_map<(t, k) -> (t, k)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<1x160xf32>) outs(%out : tensor<1x160xbf16>) {
  ^bb0(%a: f32, %before: bf16):
    %b = arith.truncf %a : f32 to bf16
    linalg.yield %b : bf16
  } -> tensor<1x160xbf16>
  return %y : tensor<1x160xbf16>
}

// -----

// CHECK-LABEL: func @short_row_is_one_vector
// CHECK-NOT: scf.for
// CHECK: arith.addf {{.*}} : vector<1x64xf32>
// CHECK-NARROW-LABEL: func @short_row_is_one_vector
// CHECK-NARROW: scf.for
// CHECK-NARROW:   arith.addf {{.*}} : vector<1x32xf32>
func.func @short_row_is_one_vector(%x: tensor<1x64xf32>, %out: tensor<1x64xf32>) -> tensor<1x64xf32> {
  %y = linalg.generic {indexing_maps = [affine_map<(t, k) -> (t, k)>, affine_map<(t, k) -> (t, k)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<1x64xf32>) outs(%out : tensor<1x64xf32>) {
  ^bb0(%a: f32, %before: f32):
    %b = arith.addf %before, %a : f32
    linalg.yield %b : f32
  } -> tensor<1x64xf32>
  return %y : tensor<1x64xf32>
}

// -----

// CHECK-LABEL: func @unknown_number_of_rows_is_left_alone
// CHECK-NOT: vector
// CHECK: linalg.generic
func.func @unknown_number_of_rows_is_left_alone(%x: tensor<?x64xf32>, %out: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %y = linalg.generic {indexing_maps = [affine_map<(t, k) -> (t, k)>, affine_map<(t, k) -> (t, k)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x64xf32>) outs(%out : tensor<?x64xf32>) {
  ^bb0(%a: f32, %before: f32):
    %b = arith.addf %before, %a : f32
    linalg.yield %b : f32
  } -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// -----

// A rotation reads column 0 for both of a pair: no plain dimension.
// CHECK-LABEL: func @operand_at_a_constant_place_is_left_alone
// CHECK-NOT: vector
// CHECK: linalg.generic
func.func @operand_at_a_constant_place_is_left_alone(%x: tensor<4x2xf32>, %out: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, 0)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x2xf32>) outs(%out : tensor<4x2xf32>) {
  ^bb0(%a: f32, %before: f32):
    %b = arith.addf %a, %a : f32
    linalg.yield %b : f32
  } -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

// CHECK-LABEL: func @fill_is_a_vector_write
// CHECK-NOT: linalg.fill
// CHECK: vector.transfer_write
func.func @fill_is_a_vector_write(%value: f32, %out: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %y = linalg.fill ins(%value : f32) outs(%out : tensor<4x4xf32>) -> tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}

// -----

// Written out, 32 rows would be long: they are a loop.
// CHECK-LABEL: func @many_rows_are_a_loop
// CHECK: scf.for %[[ROW:.*]] = %c0 to %c32 step %c1
// CHECK: vector.transfer_read %{{.*}} : tensor<{{.*}}x32xf32>, vector<1x32xf32>
// CHECK: vector.transfer_write
// CHECK-NOT: linalg.generic
func.func @many_rows_are_a_loop(%x: tensor<32x32xf32>, %out: tensor<32x32xf32>) -> tensor<32x32xf32> {
  %y = linalg.generic {indexing_maps = [affine_map<(t, k) -> (t, k)>, affine_map<(t, k) -> (t, k)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<32x32xf32>) outs(%out : tensor<32x32xf32>) {
  ^bb0(%a: f32, %before: f32):
    %b = arith.addf %before, %a : f32
    linalg.yield %b : f32
  } -> tensor<32x32xf32>
  return %y : tensor<32x32xf32>
}
