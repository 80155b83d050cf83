// RUN: llama-opt %s --llama-cpu-check-kernels --split-input-file --verify-diagnostics

// A sum of one dimension may stay a loop.
func.func @small(%x: memref<4x8xf32>, %sums: memref<4xf32>) {
  linalg.reduce ins(%x : memref<4x8xf32>) outs(%sums : memref<4xf32>) dimensions = [1]
    (%a: f32, %b: f32) {
      %sum = arith.addf %a, %b : f32
      linalg.yield %sum : f32
    }
  return
}

// -----

func.func @product(%a: memref<4x8xf32>, %b: memref<8x4xf32>, %c: memref<4x4xf32>) {
  // expected-error @+1 {{'linalg.matmul' op is a product that was not vectorized}}
  linalg.matmul ins(%a, %b : memref<4x8xf32>, memref<8x4xf32>) outs(%c : memref<4x4xf32>)
  return
}
