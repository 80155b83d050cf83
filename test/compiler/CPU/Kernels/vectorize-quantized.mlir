// RUN: llama-opt %s --llama-cpu-vectorize-quantized --canonicalize --cse --split-input-file | FileCheck %s
// RUN: llama-opt %s --llama-cpu-vectorize-quantized="lanes=8 dots=widen" --canonicalize --cse --split-input-file \
// RUN:   | FileCheck %s --check-prefixes=NARROW,WIDEN
// RUN: llama-opt %s --llama-cpu-vectorize-quantized="lanes=8 dots=vpmaddwd" --canonicalize --cse --split-input-file \
// RUN:   | FileCheck %s --check-prefixes=NARROW,VPMADDWD
// RUN: llama-opt %s --llama-cpu-vectorize-quantized="lanes=4 dots=sdot" --canonicalize --cse --split-input-file \
// RUN:   | FileCheck %s --check-prefix=SDOT
// RUN: llama-opt %s --llama-cpu-vectorize-quantized="lanes=4 dots=usdot" --canonicalize --cse --split-input-file \
// RUN:   | FileCheck %s --check-prefix=USDOT
// RUN: llama-opt %s --llama-cpu-vectorize-quantized="lanes=4 dots=smull" --canonicalize --cse --split-input-file \
// RUN:   | FileCheck %s --check-prefix=SMULL

// The dots of a row start with what the zero point of 8 adds to them. A line holds
// 8 elements of 16 rows: those of the low halves meet the first 4 elements of the row,
// those of the high halves the others. A group is one step: its dots, then its scales.
// CHECK-LABEL: func @four_bits
// CHECK-SAME: (%[[X:[^:]*]]: tensor<2x64xi8>, %[[XS:[^:]*]]: tensor<2x2xf32>, %[[XSUMS:[^:]*]]: tensor<2x2xi32>, %[[W:[^:]*]]: tensor<1x8x64xi8>, %[[WS:[^:]*]]: tensor<1x2x16xf16>, %[[INTO:[^:]*]]: tensor<2x16xf32>)
// CHECK-NOT: linalg.generic
// CHECK: scf.for %[[G:.*]] = %c0 to %c2 step %c1 iter_args(%[[SUM0:.*]] = {{.*}}, %[[SUM1:.*]] = {{.*}}) -> (vector<16xf32>, vector<16xf32>)
// CHECK: %[[K:.*]] = arith.muli %[[G]], %c32
// CHECK: %[[S:.*]] = tensor.extract %[[XSUMS]][%c0, %[[G]]]
// CHECK: %[[SHIFT:.*]] = arith.muli %[[S]], %c-8_i32
// CHECK: %[[START:.*]] = vector.broadcast %[[SHIFT]] : i32 to vector<16xi32>
// CHECK: %[[LINE:.*]] = arith.divui %[[K]], %c8
// CHECK: %[[BOTH:.*]] = vector.transfer_read %[[W]][%c0, %[[LINE]], %c0], {{.*}} vector<64xi8>
// CHECK: %[[LOW:.*]] = arith.andi %[[BOTH]]
// CHECK: arith.shrui %[[BOTH]]
// CHECK: %[[FOUR:.*]] = vector.transfer_read %[[X]][%c0, %[[K]]], {{.*}} vector<4xi8>
// CHECK: %[[WORD:.*]] = vector.bitcast %[[FOUR]] : vector<4xi8> to vector<1xi32>
// CHECK: %[[ALL:.*]] = vector.broadcast %[[WORD]] : vector<1xi32> to vector<16xi32>
// CHECK: %[[SAME:.*]] = vector.bitcast %[[ALL]] : vector<16xi32> to vector<64xi8>
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[START]], %[[LOW]], %[[SAME]])
// CHECK-COUNT-15: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-NOT: llvm.call_intrinsic
// CHECK: vector.transfer_read %[[WS]][%c0, %[[G]], %c0], {{.*}} vector<16xf16>
// CHECK: math.fma %{{.*}}, %{{.*}}, %[[SUM0]]
// CHECK: math.fma %{{.*}}, %{{.*}}, %[[SUM1]]
// CHECK: scf.yield
// CHECK: vector.transfer_write %{{.*}}, %[[INTO]][%c0, %c0]
// CHECK: vector.transfer_write %{{.*}}[%c1, %c0]

// Two vectors are the rows of a panel. Without the instruction: products of 16 bits,
// which are added as such until the group ends, or products as they are, added by neighbours.
// NARROW-LABEL: func @four_bits
// VPMADDWD: %[[ONES:.*]] = arith.constant dense<1> : vector<16xi16>
// NARROW: vector.transfer_read {{.*}} : tensor<1x8x64xi8>, vector<32xi8>
// NARROW: vector.transfer_read {{.*}}, %c32], {{.*}} : tensor<1x8x64xi8>, vector<32xi8>
// NARROW-NOT: vpdpbusd
// WIDEN: arith.extui
// WIDEN: arith.muli {{.*}} : vector<32xi32>
// WIDEN: vector.deinterleave {{.*}} : vector<32xi32>
// WIDEN: vector.deinterleave {{.*}} : vector<16xi32>
// VPMADDWD: %[[LOW:.*]] = arith.andi
// VPMADDWD: %[[A:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"(%[[LOW]], %{{.*}}) : (vector<32xi8>, vector<32xi8>) -> vector<16xi16>
// VPMADDWD: %[[B:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"
// VPMADDWD: arith.addi %[[A]], %{{.*}} : vector<16xi16>
// VPMADDWD-COUNT-24: llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"
// VPMADDWD-COUNT-4: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"(%{{.*}}, %[[ONES]])
// VPMADDWD-NOT: llvm.call_intrinsic
// NARROW: scf.yield {{.*}} : vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>
func.func @four_bits(%x: tensor<2x64xi8>, %xs: tensor<2x2xf32>, %sums: tensor<2x2xi32>, %w: tensor<1x8x64xi8>, %ws: tensor<1x2x16xf16>,
    %into: tensor<2x16xf32>) -> tensor<2x16xf32> {
  %zero = arith.constant 0.0 : f32
  %init = linalg.fill ins(%zero : f32) outs(%into : tensor<2x16xf32>) -> tensor<2x16xf32>
  %y = linalg.generic {
      indexing_maps = [affine_map<(t, n, k) -> (t, k)>, affine_map<(t, n, k) -> (t, k floordiv 32)>, affine_map<(t, n, k) -> (t, k floordiv 32)>,
                       affine_map<(t, n, k) -> (n floordiv 16, k floordiv 8, (n mod 16) * 4 + k mod 4)>,
                       affine_map<(t, n, k) -> (n floordiv 16, k floordiv 32, n mod 16)>,
                       affine_map<(t, n, k) -> (t, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %xs, %sums, %w, %ws : tensor<2x64xi8>, tensor<2x2xf32>, tensor<2x2xi32>, tensor<1x8x64xi8>, tensor<1x2x16xf16>)
      outs(%init : tensor<2x16xf32>) attrs = {llama.quantized = !llama.quantized<4, 32>} {
  ^bb0(%a: i8, %b: f32, %c: i32, %d: i8, %e: f16, %sum: f32):
    linalg.yield %sum : f32
  } -> tensor<2x16xf32>
  return %y : tensor<2x16xf32>
}

// -----

// A longer group is a loop of its own. Lines hold 4 elements.
// CHECK-LABEL: func @eight_bits
// CHECK: scf.for %[[G:.*]] = %c0 to %c2 step %c1 {{.*}} -> (vector<16xf32>, vector<16xf32>)
// CHECK: scf.for %[[I:.*]] = %c0 to %c128 step %c32 {{.*}} -> (vector<16xi32>, vector<16xi32>)
// CHECK-COUNT-16: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK: scf.yield {{.*}} : vector<16xi32>, vector<16xi32>
// CHECK-COUNT-2: math.fma
// CHECK: scf.yield {{.*}} : vector<16xf32>, vector<16xf32>

// Products of 8 bits leave no room for sums of 16: the even bytes, then the odd ones.
// VPMADDWD-LABEL: func @eight_bits
// VPMADDWD: %[[LEFT:.*]] = arith.shli %[[ROW:.*]], %[[EIGHT:.*]] : vector<16xi16>
// VPMADDWD: %[[EVENW:.*]] = arith.andi
// VPMADDWD: %[[EVEN:.*]] = arith.shrsi %[[LEFT]], %[[EIGHT]]
// VPMADDWD: %[[ODDW:.*]] = arith.shrui
// VPMADDWD: %[[ODD:.*]] = arith.shrsi %[[ROW]], %[[EIGHT]]
// VPMADDWD: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"(%[[EVENW]], %[[EVEN]])
// VPMADDWD: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"(%[[ODDW]], %[[ODD]])
// Weights become signed where the dots take only those, and the zero point is gone.
// SDOT-LABEL: func @eight_bits
// SDOT-NOT: arith.muli {{.*}}i32
// SDOT: %[[WEIGHTS:.*]] = arith.xori
// SDOT: llvm.call_intrinsic "llvm.aarch64.neon.sdot.v4i32.v16i8"(%{{.*}}, %[[WEIGHTS]], %{{.*}})
// USDOT-LABEL: func @eight_bits
// USDOT: arith.muli %{{.*}}, %c-128_i32
// USDOT-NOT: arith.xori
// USDOT-COUNT-64: llvm.call_intrinsic "llvm.aarch64.neon.usdot.v4i32.v16i8"
// SMULL-LABEL: func @eight_bits
// SMULL: arith.xori
// SMULL: %[[FIRST:.*]] = llvm.call_intrinsic "llvm.aarch64.neon.smull.v8i16"
// SMULL: %[[A:.*]] = llvm.call_intrinsic "llvm.aarch64.neon.saddlp.v4i32.v8i16"(%[[FIRST]])
// SMULL: %[[SECOND:.*]] = llvm.call_intrinsic "llvm.aarch64.neon.smull.v8i16"
// SMULL: %[[B:.*]] = llvm.call_intrinsic "llvm.aarch64.neon.saddlp.v4i32.v8i16"(%[[SECOND]])
// SMULL: llvm.call_intrinsic "llvm.aarch64.neon.addp.v4i32"(%[[A]], %[[B]])
func.func @eight_bits(%x: tensor<1x256xi8>, %xs: tensor<1x2xf32>, %sums: tensor<1x2xi32>, %w: tensor<2x64x64xi8>, %ws: tensor<2x2x16xf16>,
    %into: tensor<1x32xf32>) -> tensor<1x32xf32> {
  %zero = arith.constant 0.0 : f32
  %init = linalg.fill ins(%zero : f32) outs(%into : tensor<1x32xf32>) -> tensor<1x32xf32>
  %y = linalg.generic {
      indexing_maps = [affine_map<(t, n, k) -> (t, k)>, affine_map<(t, n, k) -> (t, k floordiv 128)>, affine_map<(t, n, k) -> (t, k floordiv 128)>,
                       affine_map<(t, n, k) -> (n floordiv 16, k floordiv 4, (n mod 16) * 4 + k mod 4)>,
                       affine_map<(t, n, k) -> (n floordiv 16, k floordiv 128, n mod 16)>,
                       affine_map<(t, n, k) -> (t, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %xs, %sums, %w, %ws : tensor<1x256xi8>, tensor<1x2xf32>, tensor<1x2xi32>, tensor<2x64x64xi8>, tensor<2x2x16xf16>)
      outs(%init : tensor<1x32xf32>) attrs = {llama.quantized = !llama.quantized<8, 128>} {
  ^bb0(%a: i8, %b: f32, %c: i32, %d: i8, %e: f16, %sum: f32):
    linalg.yield %sum : f32
  } -> tensor<1x32xf32>
  return %y : tensor<1x32xf32>
}

// -----

// With minimums there is no zero point: each group adds its minimum times the sum of
// the row's group.
// CHECK-LABEL: func @minimums
// CHECK-SAME: %[[XSUMS:[^:]*]]: tensor<1x2xi32>, %{{.*}}: tensor<1x8x64xi8>, %{{.*}}: tensor<1x2x16xf16>, %[[MINIMUMS:[^:]*]]: tensor<1x2x16xf16>
// CHECK: scf.for
// CHECK-NOT: arith.muli {{.*}}%c-8_i32
// CHECK: %[[S:.*]] = tensor.extract %[[XSUMS]]
// CHECK: %[[F:.*]] = arith.sitofp %[[S]] : i32 to f32
// CHECK: %[[SCALED:.*]] = arith.mulf %{{.*}}, %[[F]]
// CHECK: %[[ALL:.*]] = vector.broadcast %[[SCALED]]
// CHECK: %[[M:.*]] = vector.transfer_read %[[MINIMUMS]]
// CHECK: %[[WIDE:.*]] = arith.extf %[[M]]
// CHECK: %[[DOTS:.*]] = math.fma
// CHECK: math.fma %[[WIDE]], %[[ALL]], %[[DOTS]]
func.func @minimums(%x: tensor<1x64xi8>, %xs: tensor<1x2xf32>, %sums: tensor<1x2xi32>, %w: tensor<1x8x64xi8>, %ws: tensor<1x2x16xf16>, %minimums: tensor<1x2x16xf16>,
    %into: tensor<1x16xf32>) -> tensor<1x16xf32> {
  %zero = arith.constant 0.0 : f32
  %init = linalg.fill ins(%zero : f32) outs(%into : tensor<1x16xf32>) -> tensor<1x16xf32>
  %y = linalg.generic {
      indexing_maps = [affine_map<(t, n, k) -> (t, k)>, affine_map<(t, n, k) -> (t, k floordiv 32)>, affine_map<(t, n, k) -> (t, k floordiv 32)>,
                       affine_map<(t, n, k) -> (n floordiv 16, k floordiv 8, (n mod 16) * 4 + k mod 4)>,
                       affine_map<(t, n, k) -> (n floordiv 16, k floordiv 32, n mod 16)>,
                       affine_map<(t, n, k) -> (n floordiv 16, k floordiv 32, n mod 16)>,
                       affine_map<(t, n, k) -> (t, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %xs, %sums, %w, %ws, %minimums : tensor<1x64xi8>, tensor<1x2xf32>, tensor<1x2xi32>, tensor<1x8x64xi8>, tensor<1x2x16xf16>, tensor<1x2x16xf16>)
      outs(%init : tensor<1x16xf32>) attrs = {llama.quantized = !llama.quantized<4, 32, minimum>} {
  ^bb0(%a: i8, %b: f32, %c: i32, %d: i8, %e: f16, %f: f16, %sum: f32):
    linalg.yield %sum : f32
  } -> tensor<1x16xf32>
  return %y : tensor<1x16xf32>
}

// -----

// Fewer rows than a panel has fill some lanes.
// CHECK-LABEL: func @five_rows
// CHECK: %[[PART:.*]] = vector.transfer_read {{.*}} : tensor<1x8x20xi8>, vector<20xi8>
// CHECK: vector.insert_strided_slice %[[PART]], {{.*}} : vector<20xi8> into vector<64xi8>
// CHECK: %[[LANES:.*]] = vector.extract_strided_slice {{.*}} : vector<16xf32> to vector<5xf32>
// CHECK: vector.transfer_write %[[LANES]]
func.func @five_rows(%x: tensor<1x32xi8>, %xs: tensor<1x1xf32>, %sums: tensor<1x1xi32>, %w: tensor<1x8x20xi8>, %ws: tensor<1x1x5xf16>,
    %into: tensor<1x5xf32>) -> tensor<1x5xf32> {
  %zero = arith.constant 0.0 : f32
  %init = linalg.fill ins(%zero : f32) outs(%into : tensor<1x5xf32>) -> tensor<1x5xf32>
  %y = linalg.generic {
      indexing_maps = [affine_map<(t, n, k) -> (t, k)>, affine_map<(t, n, k) -> (t, k floordiv 32)>, affine_map<(t, n, k) -> (t, k floordiv 32)>,
                       affine_map<(t, n, k) -> (n floordiv 16, k floordiv 4, (n mod 16) * 4 + k mod 4)>,
                       affine_map<(t, n, k) -> (n floordiv 16, k floordiv 32, n mod 16)>,
                       affine_map<(t, n, k) -> (t, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %xs, %sums, %w, %ws : tensor<1x32xi8>, tensor<1x1xf32>, tensor<1x1xi32>, tensor<1x8x20xi8>, tensor<1x1x5xf16>)
      outs(%init : tensor<1x5xf32>) attrs = {llama.quantized = !llama.quantized<8, 32>} {
  ^bb0(%a: i8, %b: f32, %c: i32, %d: i8, %e: f16, %sum: f32):
    linalg.yield %sum : f32
  } -> tensor<1x5xf32>
  return %y : tensor<1x5xf32>
}

// -----

// Rows of 16 bits: 256 times the dots of their high bytes, and those of the low ones.
// CHECK-LABEL: func @two_bytes
// CHECK-SAME: (%[[HIGH:[^:]*]]: tensor<1x32xi8>, {{.*}}, %[[LOW:[^:]*]]: tensor<1x32xi8>, %{{[^:]*}}: tensor<1x16xf32>)
// CHECK-DAG: vector.transfer_read %[[HIGH]][
// CHECK-DAG: vector.transfer_read %[[LOW]][
// CHECK-COUNT-16: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-NOT: llvm.call_intrinsic
// CHECK: %[[UP:.*]] = arith.shli
// CHECK: %[[BOTH:.*]] = arith.addi %[[UP]]
// CHECK: arith.sitofp %[[BOTH]]
func.func @two_bytes(%x: tensor<1x32xi8>, %xs: tensor<1x1xf32>, %sums: tensor<1x1xi32>, %w: tensor<1x8x64xi8>,
                     %ws: tensor<1x1x16xf16>, %low: tensor<1x32xi8>, %into: tensor<1x16xf32>) -> tensor<1x16xf32> {
  %zero = arith.constant 0.0 : f32
  %init = linalg.fill ins(%zero : f32) outs(%into : tensor<1x16xf32>) -> tensor<1x16xf32>
  %y = linalg.generic {
      indexing_maps = [affine_map<(t, n, k) -> (t, k)>, affine_map<(t, n, k) -> (t, k floordiv 32)>, affine_map<(t, n, k) -> (t, k floordiv 32)>,
                       affine_map<(t, n, k) -> (n floordiv 16, k floordiv 4, (n mod 16) * 4 + k mod 4)>,
                       affine_map<(t, n, k) -> (n floordiv 16, k floordiv 32, n mod 16)>,
                       affine_map<(t, n, k) -> (t, k)>, affine_map<(t, n, k) -> (t, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %xs, %sums, %w, %ws, %low : tensor<1x32xi8>, tensor<1x1xf32>, tensor<1x1xi32>, tensor<1x8x64xi8>, tensor<1x1x16xf16>, tensor<1x32xi8>)
      outs(%init : tensor<1x16xf32>) attrs = {llama.quantized = !llama.quantized<8, 32>} {
  ^bb0(%a: i8, %b: f32, %c: i32, %d: i8, %e: f16, %f: i8, %sum: f32):
    linalg.yield %sum : f32
  } -> tensor<1x16xf32>
  return %y : tensor<1x16xf32>
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
