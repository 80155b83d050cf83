// RUN: llama-opt %s --llama-fuse-residual --split-input-file | FileCheck %s

// CHECK-LABEL: func @add_feeding_norm_is_folded
// CHECK-SAME: (%[[X:.*]]: tensor<?x64xf32>, %[[O:.*]]: tensor<?x64xf32>, %[[W:.*]]: tensor<64xbf16>)
// CHECK-NEXT: %[[SUM:[^ ,:)]*]], %[[NORMED:[^ ,:)]*]] = llama.add_rms_norm %[[X]], %[[O]], %[[W]] eps 1.000000e-05
// CHECK-SAME: : {{.*}} -> tensor<?x64xbf16>
// CHECK-NEXT: return %[[SUM]], %[[NORMED]]
func.func @add_feeding_norm_is_folded(%x: tensor<?x64xf32>, %o: tensor<?x64xf32>, %w: tensor<64xbf16>)
    -> (tensor<?x64xf32>, tensor<?x64xbf16>) {
  %s = llama.add %x, %o : tensor<?x64xf32>
  %y = llama.rms_norm %s, %w eps 1.0e-05 : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xbf16>
  return %s, %y : tensor<?x64xf32>, tensor<?x64xbf16>
}

// -----

llama.weight @w : tensor<64xbf16>
// CHECK-LABEL: func @weight_defined_after_the_add_is_seen
// CHECK: %[[W:.*]] = llama.get_weight @w
// CHECK-NEXT: llama.add_rms_norm %{{.*}}, %{{.*}}, %[[W]]
// CHECK-NOT: llama.add
func.func @weight_defined_after_the_add_is_seen(%x: tensor<?x64xf32>, %o: tensor<?x64xf32>)
    -> tensor<?x64xbf16> {
  %s = llama.add %x, %o : tensor<?x64xf32>
  %w = llama.get_weight @w : tensor<64xbf16>
  %y = llama.rms_norm %s, %w eps 1.0e-05 : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xbf16>
  return %y : tensor<?x64xbf16>
}

// -----

// CHECK-LABEL: func @sum_read_after_the_norm_is_folded
// CHECK: %[[SUM:.*]], %{{.*}} = llama.add_rms_norm
// CHECK-NEXT: llama.add %[[SUM]]
func.func @sum_read_after_the_norm_is_folded(%x: tensor<?x64xf32>, %o: tensor<?x64xf32>, %w: tensor<64xbf16>)
    -> (tensor<?x64xf32>, tensor<?x64xbf16>) {
  %s = llama.add %x, %o : tensor<?x64xf32>
  %y = llama.rms_norm %s, %w eps 1.0e-05 : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xbf16>
  %t = llama.add %s, %o : tensor<?x64xf32>
  return %t, %y : tensor<?x64xf32>, tensor<?x64xbf16>
}

// -----

// CHECK-LABEL: func @norm_of_no_add_is_left_alone
// CHECK-NOT: llama.add_rms_norm
// CHECK: llama.rms_norm
func.func @norm_of_no_add_is_left_alone(%x: tensor<?x64xf32>, %w: tensor<64xbf16>) -> tensor<?x64xbf16> {
  %y = llama.rms_norm %x, %w eps 1.0e-05 : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xbf16>
  return %y : tensor<?x64xbf16>
}

// -----

// CHECK-LABEL: func @norm_in_a_loop_is_left_alone
// CHECK-NOT: llama.add_rms_norm
// CHECK: llama.rms_norm
func.func @norm_in_a_loop_is_left_alone(%x: tensor<?x64xf32>, %o: tensor<?x64xf32>, %w: tensor<64xbf16>,
                                        %y: tensor<?x64xbf16>, %a: index, %b: index)
    -> tensor<?x64xbf16> {
  %s = llama.add %x, %o : tensor<?x64xf32>
  %last = scf.for %i = %a to %b step %b iter_args(%before = %y) -> (tensor<?x64xbf16>) {
    %n = llama.rms_norm %s, %w eps 1.0e-05 : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xbf16>
    scf.yield %n : tensor<?x64xbf16>
  }
  return %last : tensor<?x64xbf16>
}

// -----

// The fused op stands where the norm stood: too late for the first reader.
// CHECK-LABEL: func @sum_read_before_the_norm_is_left_alone
// CHECK-NOT: llama.add_rms_norm
// CHECK: llama.rms_norm
func.func @sum_read_before_the_norm_is_left_alone(%x: tensor<?x64xf32>, %o: tensor<?x64xf32>, %w: tensor<64xbf16>)
    -> (tensor<?x64xf32>, tensor<?x64xbf16>) {
  %s = llama.add %x, %o : tensor<?x64xf32>
  %t = llama.silu %s : tensor<?x64xf32>
  %y = llama.rms_norm %s, %w eps 1.0e-05 : tensor<?x64xf32>, tensor<64xbf16> -> tensor<?x64xbf16>
  return %t, %y : tensor<?x64xf32>, tensor<?x64xbf16>
}
