// RUN: llama-opt %s --llama-cpu-check-kernels --split-input-file --verify-diagnostics | FileCheck %s

// A sum over a row, and what is done element by element, are small: they may become
// scalar loops.
// CHECK-LABEL: func @small_ops_may_be_left
// CHECK-COUNT-2: linalg.generic
func.func @small_ops_may_be_left(%x: memref<4x64xf32>, %sums: memref<4xf32>) {
  linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>],
                  iterator_types = ["parallel", "reduction"]} ins(%x : memref<4x64xf32>) outs(%sums : memref<4xf32>) {
  ^bb0(%a: f32, %sum: f32):
    %next = arith.addf %sum, %a : f32
    linalg.yield %next : f32
  }
  linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
      outs(%x : memref<4x64xf32>) {
  ^bb0(%a: f32):
    %twice = arith.addf %a, %a : f32
    linalg.yield %twice : f32
  }
  return
}

// -----

func.func @product_that_was_left(%x: memref<4x64xf32>, %w: memref<8x64xf32>, %y: memref<4x8xf32>) {
  // expected-error @+1 {{'linalg.generic' op is a product that was not vectorized}}
  linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d1, d2)>,
      affine_map<(d0, d1, d2) -> (d0, d1)>],
                  iterator_types = ["parallel", "parallel", "reduction"]} ins(%x, %w : memref<4x64xf32>,
                      memref<8x64xf32>) outs(%y : memref<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  }
  return
}

// -----

// Each of them is an error, also one that has a name.
func.func @products_that_were_left(%x: memref<4x64xf32>, %w: memref<64x8xf32>, %y: memref<4x8xf32>) {
  // expected-error @+1 {{'linalg.matmul' op is a product that was not vectorized}}
  linalg.matmul ins(%x, %w : memref<4x64xf32>, memref<64x8xf32>) outs(%y : memref<4x8xf32>)
  // expected-error @+1 {{'linalg.matmul' op is a product that was not vectorized}}
  linalg.matmul ins(%x, %w : memref<4x64xf32>, memref<64x8xf32>) outs(%y : memref<4x8xf32>)
  return
}
