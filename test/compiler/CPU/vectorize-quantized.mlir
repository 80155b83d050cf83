// RUN: llama-opt %s --llama-cpu-vectorize-quantized --canonicalize --cse --split-input-file | FileCheck %s
// RUN: llama-opt %s --llama-cpu-vectorize-quantized="lanes=8 vnni=false" --canonicalize --cse --split-input-file \
// RUN:   | FileCheck %s --check-prefix=NARROW

// The dots of a row start with what the zero point of 128 adds to them. A group of
// 128 is two vectors with one scale.
// CHECK-LABEL: func @eight_bits
// CHECK-SAME: (%[[X:[^:]*]]: tensor<2x256xi8>, %[[XS:[^:]*]]: tensor<2x2xf32>, %[[W:[^:]*]]: tensor<1x256xi8>, %[[WS:[^:]*]]: tensor<1x2xf16>, %[[INTO:[^:]*]]: tensor<2x1xf32>)
// CHECK-NOT: linalg.generic
// CHECK: scf.for %[[K:.*]] = %c0 to %c256 step %c128 iter_args(%[[SUM0:.*]] = {{.*}}, %[[SUM1:.*]] = {{.*}}) -> (vector<16xf32>, vector<16xf32>)
// CHECK-DAG: %[[X0:.*]] = vector.transfer_read %[[X]][%c0, %[[K]]], {{.*}} : tensor<2x256xi8>, vector<64xi8>
// CHECK-DAG: %[[ZERO0:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%{{.*}}, %{{.*}}, %[[X0]])
// CHECK-DAG: %[[ZERO1:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[ZERO0]], %{{.*}}, %[[X1:.*]])
// CHECK-DAG: %[[START:.*]] = arith.subi %{{.*}}, %[[ZERO1]]
// CHECK: %[[W0:.*]] = vector.transfer_read %[[W]][%c0, %[[K]]]
// CHECK: %[[W1:.*]] = vector.transfer_read %[[W]]
// CHECK: %[[DOT0:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[START]], %[[W0]], %[[X0]])
// CHECK: %[[DOT:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[DOT0]], %[[W1]], %[[X1]])
// CHECK: %[[FLOATS:.*]] = arith.sitofp %[[DOT]]
// CHECK: %[[SCALED:.*]] = arith.mulf %[[FLOATS]]
// CHECK: math.fma %[[SCALED]], %{{.*}}, %[[SUM0]]
// CHECK: math.fma %{{.*}}, %{{.*}}, %[[SUM1]]
// CHECK: scf.yield
// CHECK: vector.transfer_write %{{.*}}, %[[INTO]]

// Without the instruction: products as they are, added by neighbours. Half a vector
// holds half the elements.
// NARROW-LABEL: func @eight_bits
// NARROW: vector.transfer_read {{.*}} : tensor<2x256xi8>, vector<32xi8>
// NARROW-NOT: vpdpbusd
// NARROW: arith.extui
// NARROW: arith.muli {{.*}} : vector<32xi32>
// NARROW: vector.deinterleave {{.*}} : vector<32xi32>
// NARROW: vector.deinterleave {{.*}} : vector<16xi32>
// NARROW: scf.yield {{.*}} : vector<8xf32>, vector<8xf32>
func.func @eight_bits(%x: tensor<2x256xi8>, %xs: tensor<2x2xf32>, %w: tensor<1x256xi8>, %ws: tensor<1x2xf16>,
                      %into: tensor<2x1xf32>) -> tensor<2x1xf32> {
  %zero = arith.constant 0.0 : f32
  %init = linalg.fill ins(%zero : f32) outs(%into : tensor<2x1xf32>) -> tensor<2x1xf32>
  %y = linalg.generic {
      indexing_maps = [affine_map<(t, n, k) -> (t, k)>, affine_map<(t, n, k) -> (t, k floordiv 128)>,
                       affine_map<(t, n, k) -> (n, k)>, affine_map<(t, n, k) -> (n, k floordiv 128)>,
                       affine_map<(t, n, k) -> (t, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %xs, %w, %ws : tensor<2x256xi8>, tensor<2x2xf32>, tensor<1x256xi8>, tensor<1x2xf16>)
      outs(%init : tensor<2x1xf32>) attrs = {llama.quantized = !llama.quantized<8, 128>} {
  ^bb0(%a: i8, %b: f32, %c: i8, %d: f16, %sum: f32):
    linalg.yield %sum : f32
  } -> tensor<2x1xf32>
  return %y : tensor<2x1xf32>
}

// -----

// The 64 bytes of a step are 128 elements of four groups: the low halves have the
// first two scales by turns, the high halves the others.
// CHECK-LABEL: func @four_bits
// CHECK: scf.for %[[K:.*]] = %c0 to %c256 step %c128
// CHECK: vector.shuffle {{.*}} [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1] : vector<2xf32>, vector<2xf32>
// CHECK: %[[BYTE:.*]] = arith.divui %[[K]], %c2
// CHECK: %[[BOTH:.*]] = vector.transfer_read %{{.*}}[%c0, %[[BYTE]]], {{.*}} : tensor<1x128xi8>, vector<64xi8>
// CHECK: arith.andi %[[BOTH]]
// CHECK: arith.shrui %[[BOTH]]
func.func @four_bits(%x: tensor<1x256xi8>, %xs: tensor<1x8xf32>, %w: tensor<1x128xi8>, %ws: tensor<1x8xf16>,
                     %into: tensor<1x1xf32>) -> tensor<1x1xf32> {
  %zero = arith.constant 0.0 : f32
  %init = linalg.fill ins(%zero : f32) outs(%into : tensor<1x1xf32>) -> tensor<1x1xf32>
  %y = linalg.generic {
      indexing_maps = [affine_map<(t, n, k) -> (t, k)>, affine_map<(t, n, k) -> (t, (k floordiv 64) * 2 + (k floordiv 4) mod 2)>,
                       affine_map<(t, n, k) -> (n, (k floordiv 128) * 64 + k mod 64)>, affine_map<(t, n, k) -> (n, (k floordiv 64) * 2 + (k floordiv 4) mod 2)>,
                       affine_map<(t, n, k) -> (t, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %xs, %w, %ws : tensor<1x256xi8>, tensor<1x8xf32>, tensor<1x128xi8>, tensor<1x8xf16>)
      outs(%init : tensor<1x1xf32>) attrs = {llama.quantized = !llama.quantized<4, 32>} {
  ^bb0(%a: i8, %b: f32, %c: i8, %d: f16, %sum: f32):
    linalg.yield %sum : f32
  } -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// With minimums there is no zero point. What they add follows the dots, 16 groups at
// a time and then the last four.
// CHECK-LABEL: func @minimums
// CHECK-SAME: %[[SUMS:[^:]*]]: tensor<1x36xf32>, %[[MINIMUMS:[^:]*]]: tensor<1x36xf16>
// CHECK: %[[DOTS:.*]] = scf.for %{{.*}} = %c0 to %c1152 step %c128
// CHECK-NOT: arith.subi
// CHECK: scf.yield
// CHECK: %[[MOST:.*]] = scf.for %[[G:.*]] = %c0 to %c32 step %c16 iter_args(%[[TOTAL:.*]] = %[[DOTS]]) -> (vector<16xf32>)
// CHECK-DAG: %[[S:.*]] = vector.transfer_read %[[SUMS]][%c0, %[[G]]], {{.*}} vector<16xf32>
// CHECK-DAG: %[[M:.*]] = vector.transfer_read %[[MINIMUMS]][%c0, %[[G]]], {{.*}} vector<16xf16>
// CHECK: %[[WIDE:.*]] = arith.extf %[[M]]
// CHECK: math.fma %[[WIDE]], %[[S]], %[[TOTAL]]
// CHECK: vector.transfer_read %[[SUMS]][%c0, %c32], {{.*}} vector<4xf32>
// CHECK: math.fma %{{.*}}, %{{.*}}, %[[MOST]]
func.func @minimums(%x: tensor<1x1152xi8>, %xs: tensor<1x36xf32>, %w: tensor<1x576xi8>, %ws: tensor<1x36xf16>,
                    %sums: tensor<1x36xf32>, %minimums: tensor<1x36xf16>, %into: tensor<1x1xf32>) -> tensor<1x1xf32> {
  %zero = arith.constant 0.0 : f32
  %init = linalg.fill ins(%zero : f32) outs(%into : tensor<1x1xf32>) -> tensor<1x1xf32>
  %y = linalg.generic {
      indexing_maps = [affine_map<(t, n, k) -> (t, k)>, affine_map<(t, n, k) -> (t, (k floordiv 64) * 2 + (k floordiv 4) mod 2)>,
                       affine_map<(t, n, k) -> (n, (k floordiv 128) * 64 + k mod 64)>, affine_map<(t, n, k) -> (n, (k floordiv 64) * 2 + (k floordiv 4) mod 2)>,
                       affine_map<(t, n, k) -> (t, (k floordiv 64) * 2 + (k floordiv 4) mod 2)>, affine_map<(t, n, k) -> (n, (k floordiv 64) * 2 + (k floordiv 4) mod 2)>,
                       affine_map<(t, n, k) -> (t, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %xs, %w, %ws, %sums, %minimums : tensor<1x1152xi8>, tensor<1x36xf32>, tensor<1x576xi8>, tensor<1x36xf16>, tensor<1x36xf32>, tensor<1x36xf16>)
      outs(%init : tensor<1x1xf32>) attrs = {llama.quantized = !llama.quantized<4, 32, minimum>} {
  ^bb0(%a: i8, %b: f32, %c: i8, %d: f16, %e: f32, %f: f16, %sum: f32):
    linalg.yield %sum : f32
  } -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// Rows of 16 bits: the dots of their high bytes, times 256, are what those of the low
// bytes begin with.
// CHECK-LABEL: func @two_bytes
// CHECK-SAME: (%[[HIGH:[^:]*]]: tensor<1x128xi8>, %{{[^:]*}}: tensor<1x1xf32>, %[[WEIGHTS:[^:]*]]: tensor<1x128xi8>, %{{[^:]*}}: tensor<1x1xf16>, %[[LOW:[^:]*]]: tensor<1x128xi8>
// CHECK-DAG: %[[H:.*]] = vector.transfer_read %[[HIGH]][%c0, %c0]
// CHECK-DAG: %[[L:.*]] = vector.transfer_read %[[LOW]][%c0, %c0]
// CHECK: %[[W:.*]] = vector.transfer_read %[[WEIGHTS]][%c0, %c0]
// CHECK: %[[H0:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%{{.*}}, %[[W]], %[[H]])
// CHECK: %[[H1:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[H0]],
// CHECK: %[[UP:.*]] = arith.shli %[[H1]]
// CHECK: %[[START:.*]] = arith.addi %[[UP]]
// CHECK: %[[L0:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[START]], %[[W]], %[[L]])
// CHECK: %[[L1:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[L0]],
// CHECK: arith.sitofp %[[L1]]
func.func @two_bytes(%x: tensor<1x128xi8>, %xs: tensor<1x1xf32>, %w: tensor<1x128xi8>, %ws: tensor<1x1xf16>,
                     %low: tensor<1x128xi8>, %into: tensor<1x1xf32>) -> tensor<1x1xf32> {
  %zero = arith.constant 0.0 : f32
  %init = linalg.fill ins(%zero : f32) outs(%into : tensor<1x1xf32>) -> tensor<1x1xf32>
  %y = linalg.generic {
      indexing_maps = [affine_map<(t, n, k) -> (t, k)>, affine_map<(t, n, k) -> (t, k floordiv 128)>,
                       affine_map<(t, n, k) -> (n, k)>, affine_map<(t, n, k) -> (n, k floordiv 128)>,
                       affine_map<(t, n, k) -> (t, k)>, affine_map<(t, n, k) -> (t, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %xs, %w, %ws, %low : tensor<1x128xi8>, tensor<1x1xf32>, tensor<1x128xi8>, tensor<1x1xf16>, tensor<1x128xi8>)
      outs(%init : tensor<1x1xf32>) attrs = {llama.quantized = !llama.quantized<8, 128>} {
  ^bb0(%a: i8, %b: f32, %c: i8, %d: f16, %e: i8, %sum: f32):
    linalg.yield %sum : f32
  } -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// CHECK-LABEL: func @other_products_are_left_alone
// CHECK: linalg.generic
// CHECK-NOT: scf.for
func.func @other_products_are_left_alone(%x: tensor<1x64xf32>, %w: tensor<1x64xf32>, %into: tensor<1x1xf32>) -> tensor<1x1xf32> {
  %y = linalg.generic {
      indexing_maps = [affine_map<(t, n, k) -> (t, k)>, affine_map<(t, n, k) -> (n, k)>, affine_map<(t, n, k) -> (t, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<1x64xf32>, tensor<1x64xf32>) outs(%into : tensor<1x1xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %sum, %p : f32
    linalg.yield %s : f32
  } -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
