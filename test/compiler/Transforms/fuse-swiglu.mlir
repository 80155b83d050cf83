// RUN: llama-opt %s --llama-fuse-swiglu --split-input-file | FileCheck %s

// CHECK-LABEL: func @gate_and_up_are_fused
// CHECK-SAME: (%[[X:.*]]: tensor<?x64xf32>, %[[W1:.*]]: tensor<172x64xbf16>, %[[W3:.*]]: tensor<172x64xbf16>)
// CHECK-NEXT: %[[Y:[^ ,:)]*]] = llama.swiglu %[[X]], %[[W1]], %[[W3]] : tensor<?x64xf32>, tensor<172x64xbf16>
// CHECK-SAME: -> tensor<?x172xbf16>
// CHECK-NEXT: return %[[Y]]
func.func @gate_and_up_are_fused(%x: tensor<?x64xf32>, %w1: tensor<172x64xbf16>,
                                 %w3: tensor<172x64xbf16>) -> tensor<?x172xbf16> {
  %g = llama.linear %x, %w1 : tensor<?x64xf32>, tensor<172x64xbf16> -> tensor<?x172xf32>
  %u = llama.linear %x, %w3 : tensor<?x64xf32>, tensor<172x64xbf16> -> tensor<?x172xf32>
  %a = llama.silu %g : tensor<?x172xf32>
  %y = llama.mul %a, %u : tensor<?x172xf32> -> tensor<?x172xbf16>
  return %y : tensor<?x172xbf16>
}

// -----

// The gate stays the operand that went through silu.
// CHECK-LABEL: func @product_the_other_way_round_is_fused
// CHECK-SAME: (%[[X:.*]]: tensor<?x64xf32>, %[[W1:.*]]: tensor<172x64xbf16>, %[[W3:.*]]: tensor<172x64xbf16>)
// CHECK-NEXT: llama.swiglu %[[X]], %[[W1]], %[[W3]]
func.func @product_the_other_way_round_is_fused(%x: tensor<?x64xf32>, %w1: tensor<172x64xbf16>,
                                                %w3: tensor<172x64xbf16>) -> tensor<?x172xbf16> {
  %u = llama.linear %x, %w3 : tensor<?x64xf32>, tensor<172x64xbf16> -> tensor<?x172xf32>
  %g = llama.linear %x, %w1 : tensor<?x64xf32>, tensor<172x64xbf16> -> tensor<?x172xf32>
  %a = llama.silu %g : tensor<?x172xf32>
  %y = llama.mul %u, %a : tensor<?x172xf32> -> tensor<?x172xbf16>
  return %y : tensor<?x172xbf16>
}

// -----

// CHECK-LABEL: func @product_without_silu_is_left_alone
// CHECK-NOT: llama.swiglu
// CHECK: llama.mul
func.func @product_without_silu_is_left_alone(%x: tensor<?x64xf32>, %w1: tensor<172x64xbf16>,
                                              %w3: tensor<172x64xbf16>) -> tensor<?x172xbf16> {
  %g = llama.linear %x, %w1 : tensor<?x64xf32>, tensor<172x64xbf16> -> tensor<?x172xf32>
  %u = llama.linear %x, %w3 : tensor<?x64xf32>, tensor<172x64xbf16> -> tensor<?x172xf32>
  %y = llama.mul %g, %u : tensor<?x172xf32> -> tensor<?x172xbf16>
  return %y : tensor<?x172xbf16>
}

// -----

// CHECK-LABEL: func @gate_that_is_no_product_is_left_alone
// CHECK-NOT: llama.swiglu
// CHECK: llama.mul
func.func @gate_that_is_no_product_is_left_alone(%x: tensor<?x64xf32>, %g: tensor<?x172xf32>,
                                                 %w3: tensor<172x64xbf16>) -> tensor<?x172xbf16> {
  %u = llama.linear %x, %w3 : tensor<?x64xf32>, tensor<172x64xbf16> -> tensor<?x172xf32>
  %a = llama.silu %g : tensor<?x172xf32>
  %y = llama.mul %a, %u : tensor<?x172xf32> -> tensor<?x172xbf16>
  return %y : tensor<?x172xbf16>
}

// -----

// CHECK-LABEL: func @up_that_is_no_product_is_left_alone
// CHECK-NOT: llama.swiglu
// CHECK: llama.mul
func.func @up_that_is_no_product_is_left_alone(%x: tensor<?x64xf32>, %u: tensor<?x172xf32>,
                                               %w1: tensor<172x64xbf16>) -> tensor<?x172xbf16> {
  %g = llama.linear %x, %w1 : tensor<?x64xf32>, tensor<172x64xbf16> -> tensor<?x172xf32>
  %a = llama.silu %g : tensor<?x172xf32>
  %y = llama.mul %a, %u : tensor<?x172xf32> -> tensor<?x172xbf16>
  return %y : tensor<?x172xbf16>
}

// -----

// CHECK-LABEL: func @gate_and_up_of_different_rows_are_left_alone
// CHECK-NOT: llama.swiglu
// CHECK: llama.mul
func.func @gate_and_up_of_different_rows_are_left_alone(
    %x: tensor<?x64xf32>, %z: tensor<?x64xf32>, %w1: tensor<172x64xbf16>,
    %w3: tensor<172x64xbf16>) -> tensor<?x172xbf16> {
  %g = llama.linear %x, %w1 : tensor<?x64xf32>, tensor<172x64xbf16> -> tensor<?x172xf32>
  %u = llama.linear %z, %w3 : tensor<?x64xf32>, tensor<172x64xbf16> -> tensor<?x172xf32>
  %a = llama.silu %g : tensor<?x172xf32>
  %y = llama.mul %a, %u : tensor<?x172xf32> -> tensor<?x172xbf16>
  return %y : tensor<?x172xbf16>
}

// -----

// CHECK-LABEL: func @gate_and_up_of_different_types_are_left_alone
// CHECK-NOT: llama.swiglu
// CHECK: llama.mul
func.func @gate_and_up_of_different_types_are_left_alone(
    %x: tensor<?x64xf32>, %w1: tensor<172x64xbf16>, %w3: tensor<172x64xf16>) -> tensor<?x172xbf16> {
  %g = llama.linear %x, %w1 : tensor<?x64xf32>, tensor<172x64xbf16> -> tensor<?x172xf32>
  %u = llama.linear %x, %w3 : tensor<?x64xf32>, tensor<172x64xf16> -> tensor<?x172xf32>
  %a = llama.silu %g : tensor<?x172xf32>
  %y = llama.mul %a, %u : tensor<?x172xf32> -> tensor<?x172xbf16>
  return %y : tensor<?x172xbf16>
}

// -----

// CHECK-LABEL: func @up_with_another_reader_is_left_alone
// CHECK-NOT: llama.swiglu
// CHECK: llama.mul
func.func @up_with_another_reader_is_left_alone(
    %x: tensor<?x64xf32>, %w1: tensor<172x64xbf16>, %w3: tensor<172x64xbf16>)
    -> (tensor<?x172xbf16>, tensor<?x172xf32>) {
  %g = llama.linear %x, %w1 : tensor<?x64xf32>, tensor<172x64xbf16> -> tensor<?x172xf32>
  %u = llama.linear %x, %w3 : tensor<?x64xf32>, tensor<172x64xbf16> -> tensor<?x172xf32>
  %a = llama.silu %g : tensor<?x172xf32>
  %y = llama.mul %a, %u : tensor<?x172xf32> -> tensor<?x172xbf16>
  return %y, %u : tensor<?x172xbf16>, tensor<?x172xf32>
}

// -----

// CHECK-LABEL: func @silu_with_another_reader_is_left_alone
// CHECK-NOT: llama.swiglu
// CHECK: llama.mul
func.func @silu_with_another_reader_is_left_alone(
    %x: tensor<?x64xf32>, %w1: tensor<172x64xbf16>, %w3: tensor<172x64xbf16>)
    -> (tensor<?x172xbf16>, tensor<?x172xf32>) {
  %g = llama.linear %x, %w1 : tensor<?x64xf32>, tensor<172x64xbf16> -> tensor<?x172xf32>
  %u = llama.linear %x, %w3 : tensor<?x64xf32>, tensor<172x64xbf16> -> tensor<?x172xf32>
  %a = llama.silu %g : tensor<?x172xf32>
  %y = llama.mul %a, %u : tensor<?x172xf32> -> tensor<?x172xbf16>
  return %y, %a : tensor<?x172xbf16>, tensor<?x172xf32>
}

// -----

// The product of one projection with its own silu has one projection, read twice.
// CHECK-LABEL: func @one_projection_for_both_is_left_alone
// CHECK-NOT: llama.swiglu
// CHECK: llama.mul
func.func @one_projection_for_both_is_left_alone(
    %x: tensor<?x64xf32>, %w: tensor<172x64xbf16>) -> tensor<?x172xbf16> {
  %g = llama.linear %x, %w : tensor<?x64xf32>, tensor<172x64xbf16> -> tensor<?x172xf32>
  %a = llama.silu %g : tensor<?x172xf32>
  %y = llama.mul %a, %g : tensor<?x172xf32> -> tensor<?x172xbf16>
  return %y : tensor<?x172xbf16>
}
