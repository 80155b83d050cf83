// RUN: llama-opt %s --llama-cpu-vectorize-bf16 --canonicalize --split-input-file | FileCheck %s
// RUN: llama-opt %s --llama-cpu-vectorize-bf16=lanes=8 --split-input-file | FileCheck %s --check-prefix=NARROW
// RUN: llama-opt %s --llama-cpu-vectorize-bf16=lanes=4 --split-input-file | FileCheck %s --check-prefix=NEON
// RUN: llama-opt %s --llama-cpu-vectorize-bf16="lanes=8 dots=false" --canonicalize --cse --split-input-file | FileCheck %s --check-prefix=HALVES

// Two by two elements: four sums, each a chain of its own; their lanes are added
// two sums at a time.
// CHECK-LABEL: func @tile
// CHECK-SAME: %[[X:.*]]: tensor<2x64xbf16>, %[[W:.*]]: tensor<2x64xbf16>, %[[Y:.*]]: tensor<2x2xf32>
// CHECK: %[[SUMS:.*]]:4 = scf.for %[[K:.*]] = %c0 to %c64 step %c32 iter_args
// CHECK-DAG: vector.transfer_read %[[X]][%c0, %[[K]]]{{.*}} vector<32xbf16>
// CHECK-DAG: vector.transfer_read %[[X]][%c1, %[[K]]]
// CHECK-DAG: vector.transfer_read %[[W]][%c0, %[[K]]]
// CHECK-DAG: vector.transfer_read %[[W]][%c1, %[[K]]]
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
// CHECK: scf.yield
// CHECK: %[[A:.*]] = vector.shuffle %[[SUMS]]#0, %[[SUMS]]#1 [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]
// CHECK: %[[B:.*]] = vector.shuffle %[[SUMS]]#0, %[[SUMS]]#1 [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31]
// CHECK: arith.addf %[[A]], %[[B]] : vector<16xf32>
// CHECK: vector.transfer_write %{{.*}}, %[[Y]][%c0, %c0] {in_bounds = [true, true]} : vector<2x2xf32>

// NARROW-LABEL: func @tile
// NARROW: scf.for {{.*}} step %c16
// NARROW-COUNT-4: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.256"

// NEON-LABEL: func @tile
// NEON: scf.for {{.*}} step %c8
// NEON-COUNT-4: llvm.call_intrinsic "llvm.aarch64.neon.bfdot.v4f32.v8bf16"

// Without an instruction: both halves of the rows, then one column after the other,
// its lower elements before its upper ones.
// HALVES-LABEL: func @tile
// HALVES-SAME: %[[X:.*]]: tensor<2x64xbf16>, %[[W:.*]]: tensor<2x64xbf16>
// HALVES-DAG: %[[UPPER:.*]] = arith.constant dense<-65536> : vector<8xi32>
// HALVES-DAG: %[[SIXTEEN:.*]] = arith.constant dense<16> : vector<8xi32>
// HALVES: scf.for {{.*}} step %c16{{.*}} iter_args(%[[S00:[^ ]*]] = %{{[^,]*}}, %{{[^,]*}}, %[[S10:[^ ]*]] =
// HALVES: %[[WORDS:.*]] = vector.bitcast %{{.*}} : vector<16xbf16> to vector<8xi32>
// HALVES: arith.shli %[[WORDS]], %[[SIXTEEN]]
// HALVES: arith.andi %[[WORDS]], %[[UPPER]]
// HALVES: %[[COLUMN:.*]] = vector.transfer_read %[[W]][%c0
// HALVES: %[[PAIRS:.*]] = vector.bitcast %[[COLUMN]]
// HALVES: %[[LOWER:.*]] = arith.shli %[[PAIRS]], %[[SIXTEEN]]
// HALVES: %[[RIGHT:.*]] = arith.bitcast %[[LOWER]] : vector<8xi32> to vector<8xf32>
// HALVES: %[[T00:.*]] = math.fma %[[RIGHT]], %{{.*}}, %[[S00]]
// HALVES: %[[T10:.*]] = math.fma %[[RIGHT]], %{{.*}}, %[[S10]]
// HALVES: arith.andi %[[PAIRS]], %[[UPPER]]
// HALVES: math.fma %{{.*}}, %{{.*}}, %[[T00]]
// HALVES: math.fma %{{.*}}, %{{.*}}, %[[T10]]
// HALVES: vector.transfer_read %[[W]][%c1
// HALVES-COUNT-4: math.fma
// HALVES-NOT: math.fma
// HALVES: scf.yield
#rows = affine_map<(d0, d1, d2) -> (d0, d2)>
#matrix = affine_map<(d0, d1, d2) -> (d1, d2)>
#sums = affine_map<(d0, d1, d2) -> (d0, d1)>
func.func @tile(%x: tensor<2x64xbf16>, %w: tensor<2x64xbf16>, %y: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %zero = arith.constant 0.0 : f32
  %zeros = linalg.fill ins(%zero : f32) outs(%y : tensor<2x2xf32>) -> tensor<2x2xf32>
  %r = linalg.generic {indexing_maps = [#rows, #matrix, #sums], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<2x64xbf16>, tensor<2x64xbf16>) outs(%zeros : tensor<2x2xf32>) {
  ^bb0(%a: bf16, %b: bf16, %sum: f32):
    %wideA = arith.extf %a : bf16 to f32
    %wideB = arith.extf %b : bf16 to f32
    %product = arith.mulf %wideA, %wideB : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<2x2xf32>
  return %r : tensor<2x2xf32>
}

// -----

// No whole number of vectors; sums that do not begin at zero: left alone.
// CHECK-LABEL: func @others
// CHECK-NOT: llvm.call_intrinsic
// CHECK: return
#rows = affine_map<(d0, d1, d2) -> (d0, d2)>
#matrix = affine_map<(d0, d1, d2) -> (d1, d2)>
#sums = affine_map<(d0, d1, d2) -> (d0, d1)>
func.func @others(%x: tensor<2x40xbf16>, %w: tensor<2x40xbf16>, %u: tensor<2x64xbf16>, %v: tensor<2x64xbf16>, %y: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %zero = arith.constant 0.0 : f32
  %zeros = linalg.fill ins(%zero : f32) outs(%y : tensor<2x2xf32>) -> tensor<2x2xf32>
  %r = linalg.generic {indexing_maps = [#rows, #matrix, #sums], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<2x40xbf16>, tensor<2x40xbf16>) outs(%zeros : tensor<2x2xf32>) {
  ^bb0(%a: bf16, %b: bf16, %sum: f32):
    %wideA = arith.extf %a : bf16 to f32
    %wideB = arith.extf %b : bf16 to f32
    %product = arith.mulf %wideA, %wideB : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<2x2xf32>
  %s = linalg.generic {indexing_maps = [#rows, #matrix, #sums], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%u, %v : tensor<2x64xbf16>, tensor<2x64xbf16>) outs(%r : tensor<2x2xf32>) {
  ^bb0(%a: bf16, %b: bf16, %sum: f32):
    %wideA = arith.extf %a : bf16 to f32
    %wideB = arith.extf %b : bf16 to f32
    %product = arith.mulf %wideA, %wideB : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<2x2xf32>
  return %r, %s : tensor<2x2xf32>, tensor<2x2xf32>
}
