// RUN: llama-opt %s --llama-cpu-lower-matmuls --canonicalize --cse --split-input-file --verify-diagnostics \
// RUN:   | FileCheck %s

// Two groups of 32, a step each: exact dots first, which start with what the zero point
// of 8 adds to them, then the scales. A line holds 8 elements of 16 rows: those of the
// lower halves meet the first 4 elements of the row, those of the upper halves the next.
// CHECK-LABEL: func @four_bits
// CHECK-SAME: (%[[X:[^ ,:)]*]]: memref<1x64xi8>, %[[SCALES:[^ ,:)]*]]: memref<1x2xf32>,
// CHECK-SAME: %[[SUMS:[^ ,:)]*]]: memref<1x2xi32>, %[[Y:[^ ,:)]*]]: memref<1x16xf32>)
// CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<16xf32>
// CHECK-DAG: %[[PANELS:.*]] = kernel.stored_weight @w : memref<1x576xi8>
// CHECK: %[[RESULT:[^ ,:)]*]] = scf.for %[[G:[^ ,:)]*]] = %c0 to %c2 step %c1 iter_args(%[[SUM:[^ ,:)]*]] = %[[ZERO]])
// CHECK-SAME: -> (vector<16xf32>)
// CHECK:   %[[K:.*]] = arith.muli %[[G]], %c32
// CHECK:   %[[BYTE:.*]] = arith.muli %[[G]], %c288
// CHECK:   %[[S:.*]] = memref.load %[[SUMS]][%c0, %[[G]]]
// CHECK:   %[[SHIFT:.*]] = arith.muli %[[S]], %c-8_i32
// CHECK:   %[[START:.*]] = vector.broadcast %[[SHIFT]] : i32 to vector<16xi32>
// CHECK:   %[[LINE:.*]] = vector.load %[[PANELS]][%c0, %[[BYTE]]] : memref<1x576xi8>, vector<64xi8>
// CHECK:   %[[LOW:.*]] = arith.andi %[[LINE]]
// CHECK:   %[[HIGH:.*]] = arith.shrui %[[LINE]]
// CHECK:   %[[FOUR:.*]] = vector.load %[[X]][%c0, %[[K]]] : memref<1x64xi8>, vector<4xi8>
// CHECK:   %[[WORD:.*]] = vector.bitcast %[[FOUR]] : vector<4xi8> to vector<1xi32>
// CHECK:   %[[ALL:.*]] = vector.broadcast %[[WORD]] : vector<1xi32> to vector<16xi32>
// CHECK:   %[[SAME:.*]] = vector.bitcast %[[ALL]] : vector<16xi32> to vector<64xi8>
// CHECK:   %[[DOTS:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[START]], %[[LOW]], %[[SAME]])
// CHECK:   llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[DOTS]], %[[HIGH]],
// CHECK-COUNT-6: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-NOT: {{llvm.call_intrinsic|store}}
// CHECK:   memref.load %[[SCALES]][%c0, %[[G]]]
// CHECK:   vector.load %[[PANELS]]{{.*}} vector<32xi8>
// CHECK:   arith.extf %{{.*}} : vector<16xf16> to vector<16xf32>
// CHECK:   %[[FACTOR:.*]] = arith.mulf
// CHECK:   %[[FLOATS:.*]] = arith.sitofp
// CHECK:   %[[NEXT:.*]] = math.fma %[[FLOATS]], %[[FACTOR]], %[[SUM]]
// CHECK:   scf.yield %[[NEXT]]
// CHECK: vector.store %[[RESULT]], %[[Y]][%c0, %c0]
llama.weight @w layout "panels16" : tensor<16x64x!llama.quantized<4, 32>>
func.func @four_bits(%x: memref<1x64xi8>, %scales: memref<1x2xf32>, %sums: memref<1x2xi32>, %y: memref<1x16xf32>) {
  kernel.matmul rows(%x : memref<1x64xi8>) scales(%scales : memref<1x2xf32>) sums(%sums : memref<1x2xi32>)
    matrix(@w : tensor<16x64x!llama.quantized<4, 32>>) into(%y : memref<1x16xf32>) tile <"vpdpbusd.512" 1 x 16>
  return
}

// -----

// A group of 128 is a loop of four steps, and dots are what it carries. A line holds 4
// elements of 16 rows, as they are.
// CHECK-LABEL: func @eight_bits_in_large_groups
// CHECK: scf.for %{{.*}} = %c0 to %c2 step %c1
// CHECK-DAG: arith.muli %{{.*}}, %c-128_i32
// CHECK: %[[DOTS:[^ ,:)]*]]:4 = scf.for %{{[^ ,:)]*}} = %c0 to %c128 step %c32 iter_args{{.*}} -> (vector<16xi32>,
// CHECK-SAME: vector<16xi32>, vector<16xi32>, vector<16xi32>)
// CHECK-NOT: {{arith.andi|arith.shrui|arith.xori}}
// CHECK-COUNT-32: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-NOT: {{llvm.call_intrinsic|store|sitofp}}
// CHECK:   scf.yield
// CHECK-COUNT-4: math.fma
// CHECK-NOT: math.fma
llama.weight @w layout "panels16" : tensor<32x256x!llama.quantized<8, 128>>
func.func @eight_bits_in_large_groups(%x: memref<2x256xi8>, %scales: memref<2x2xf32>, %sums: memref<2x2xi32>,
    %y: memref<2x32xf32>) {
  kernel.matmul rows(%x : memref<2x256xi8>) scales(%scales : memref<2x2xf32>) sums(%sums : memref<2x2xi32>)
    matrix(@w : tensor<32x256x!llama.quantized<8, 128>>) into(%y : memref<2x32xf32>) tile <"vpdpbusd.512" 2 x 32>
  return
}

// -----

// Without VNNI: bytes 0 and 2 of a word, then 1 and 3, as integers of 16 bits whose
// products are added in 32.
// CHECK-LABEL: func @eight_bits_without_vnni
// CHECK-DAG: %[[MASK:.*]] = arith.constant dense<255> : vector<16xi16>
// CHECK-DAG: %[[EIGHT:.*]] = arith.constant dense<8> : vector<16xi16>
// CHECK-NOT: {{vpdpbusd|pmadd.ub}}
// CHECK: %[[W:.*]] = vector.bitcast %{{.*}} : vector<32xi8> to vector<16xi16>
// CHECK: %[[X:.*]] = vector.bitcast %{{.*}} : vector<8xi32> to vector<16xi16>
// CHECK: %[[UP:.*]] = arith.shli %[[X]], %[[EIGHT]]
// CHECK-DAG: %[[WEVEN:.*]] = arith.andi %[[W]], %[[MASK]]
// CHECK-DAG: %[[XEVEN:.*]] = arith.shrsi %[[UP]], %[[EIGHT]]
// CHECK-DAG: %[[WODD:.*]] = arith.shrui %[[W]], %[[EIGHT]]
// CHECK-DAG: %[[XODD:.*]] = arith.shrsi %[[X]], %[[EIGHT]]
// CHECK-DAG: %[[EVEN:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"(%[[WEVEN]], %[[XEVEN]])
// CHECK-DAG: %[[ODD:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"(%[[WODD]], %[[XODD]])
// CHECK-NOT: {{vpdpbusd|pmadd.ub}}
llama.weight @w layout "panels16" : tensor<8x32x!llama.quantized<8, 32>>
func.func @eight_bits_without_vnni(%x: memref<1x32xi8>, %scales: memref<1x1xf32>, %sums: memref<1x1xi32>,
    %y: memref<1x8xf32>) {
  kernel.matmul rows(%x : memref<1x32xi8>) scales(%scales : memref<1x1xf32>) sums(%sums : memref<1x1xi32>)
    matrix(@w : tensor<8x32x!llama.quantized<8, 32>>) into(%y : memref<1x8xf32>) tile <"vpmaddwd.256" 1 x 8>
  return
}

// -----

// Products of 4 bits and bytes are small: 16 of them, two at a time, are added in 16
// bits, and only then to the dots.
// CHECK-LABEL: func @four_bits_are_added_in_16
// CHECK-DAG: %[[ONES:.*]] = arith.constant dense<1> : vector<16xi16>
// CHECK: %[[LOW:.*]] = arith.andi
// CHECK: %[[A:[^ ,:)]*]] = llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"(%[[LOW]], %{{[^ ,:)]*}}) : (vector<32xi8>,
// CHECK-SAME: vector<32xi8>) -> vector<16xi16>
// CHECK: %[[B:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"
// CHECK: arith.addi {{.*}}%[[B]]{{.*}} : vector<16xi16>
// CHECK-COUNT-6: llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"
// CHECK-NOT: pmadd.ub
// CHECK: %[[DOTS:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"(%{{.*}}, %[[ONES]])
// CHECK: arith.addi %{{.*}}, %[[DOTS]] : vector<8xi32>
// CHECK-NOT: llvm.call_intrinsic
llama.weight @w layout "panels16" : tensor<8x32x!llama.quantized<4, 32>>
func.func @four_bits_are_added_in_16(%x: memref<1x32xi8>, %scales: memref<1x1xf32>, %sums: memref<1x1xi32>,
    %y: memref<1x8xf32>) {
  kernel.matmul rows(%x : memref<1x32xi8>) scales(%scales : memref<1x1xf32>) sums(%sums : memref<1x1xi32>)
    matrix(@w : tensor<8x32x!llama.quantized<4, 32>>) into(%y : memref<1x8xf32>) tile <"vpmaddwd.256" 1 x 8>
  return
}

// -----

// With minimums no integer stands for zero: dots start with none, and a group's minimum
// meets the sum of its row.
// CHECK-LABEL: func @minimums_meet_sums
// CHECK-SAME: (%{{.*}}: memref<1x32xi8>, %[[SCALES:.*]]: memref<1x1xf32>, %[[SUMS:.*]]: memref<1x1xi32>,
// CHECK-NOT: arith.muli {{.*}} : i32
// CHECK-COUNT-8: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK: %[[SCALE:.*]] = memref.load %[[SCALES]]
// CHECK: %[[S:.*]] = memref.load %[[SUMS]]
// CHECK: %[[SUM:.*]] = arith.sitofp %[[S]] : i32 to f32
// CHECK: %[[SCALED:.*]] = arith.mulf %[[SCALE]], %[[SUM]]
// CHECK: %[[ALL:.*]] = vector.broadcast %[[SCALED]]
// CHECK: arith.extf
// CHECK: %[[MINIMUMS:.*]] = arith.extf
// CHECK: %[[FIRST:.*]] = math.fma
// CHECK: math.fma %[[MINIMUMS]], %[[ALL]], %[[FIRST]]
llama.weight @w layout "panels16" : tensor<16x32x!llama.quantized<4, 32, minimum>>
func.func @minimums_meet_sums(%x: memref<1x32xi8>, %scales: memref<1x1xf32>, %sums: memref<1x1xi32>,
    %y: memref<1x16xf32>) {
  kernel.matmul rows(%x : memref<1x32xi8>) scales(%scales : memref<1x1xf32>) sums(%sums : memref<1x1xi32>)
    matrix(@w : tensor<16x32x!llama.quantized<4, 32, minimum>>) into(%y : memref<1x16xf32>) tile <"vpdpbusd.512" 1 x 16>
  return
}

// -----

// Rows of 16 bits: dots of the low bytes, which start with the zero point, and dots of
// the high ones, which start with zeros; 256 times these are added.
// CHECK-LABEL: func @rows_of_16_bits
// CHECK-SAME: (%[[HIGH:[^ ,:)]*]]: memref<1x32xi8>, %{{[^ ,:)]*}}: memref<1x1xf32>, %{{[^ ,:)]*}}: memref<1x1xi32>,
// CHECK-SAME: %[[LOW:[^ ,:)]*]]: memref<1x32xi8>,
// CHECK-DAG: %[[ZEROS:.*]] = arith.constant dense<0> : vector<16xi32>
// CHECK-DAG: %[[BITS:.*]] = arith.constant dense<8> : vector<16xi32>
// CHECK: %[[START:.*]] = vector.broadcast %{{.*}} : i32 to vector<16xi32>
// CHECK: vector.load %[[LOW]]
// CHECK: vector.load %[[HIGH]]
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[START]],
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[ZEROS]],
// CHECK-COUNT-14: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-NOT: llvm.call_intrinsic
// CHECK: %[[UP:.*]] = arith.shli %{{.*}}, %[[BITS]]
// CHECK: %[[BOTH:.*]] = arith.addi %[[UP]], %{{.*}}
// CHECK: arith.sitofp %[[BOTH]]
llama.weight @w layout "panels16" : tensor<16x32x!llama.quantized<8, 32>>
func.func @rows_of_16_bits(%x: memref<1x32xi8>, %scales: memref<1x1xf32>, %sums: memref<1x1xi32>, %low: memref<1x32xi8>,
    %y: memref<1x16xf32>) {
  kernel.matmul rows(%x : memref<1x32xi8>) scales(%scales : memref<1x1xf32>) sums(%sums : memref<1x1xi32>) low(%low
      : memref<1x32xi8>)
    matrix(@w : tensor<16x32x!llama.quantized<8, 32>>) into(%y : memref<1x16xf32>) tile <"vpdpbusd.512" 1 x 16>
  return
}

// -----

// Where bytes of a matrix are signed they become so by a flip of their first bit, and
// then zero stands for zero: the dots start with none.
// CHECK-LABEL: func @signed_bytes
// CHECK-DAG: %[[FLIP:.*]] = arith.constant dense<-128> : vector<16xi8>
// CHECK-NOT: arith.muli {{.*}} : i32
// CHECK: arith.xori %{{.*}}, %[[FLIP]]
// CHECK-COUNT-8: llvm.call_intrinsic "llvm.aarch64.neon.sdot.v4i32.v16i8"
// CHECK-NOT: llvm.call_intrinsic
llama.weight @w layout "panels16" : tensor<4x32x!llama.quantized<8, 32>>
func.func @signed_bytes(%x: memref<1x32xi8>, %scales: memref<1x1xf32>, %sums: memref<1x1xi32>, %y: memref<1x4xf32>) {
  kernel.matmul rows(%x : memref<1x32xi8>) scales(%scales : memref<1x1xf32>) sums(%sums : memref<1x1xi32>)
    matrix(@w : tensor<4x32x!llama.quantized<8, 32>>) into(%y : memref<1x4xf32>) tile <"sdot.128" 1 x 4>
  return
}

// -----

// 4 bits are never negative: the zero point stays.
// CHECK-LABEL: func @four_bits_as_signed_bytes
// CHECK: arith.muli %{{.*}}, %c-8_i32
// CHECK-NOT: arith.xori
// CHECK-COUNT-8: llvm.call_intrinsic "llvm.aarch64.neon.sdot.v4i32.v16i8"
// CHECK-NOT: arith.xori
llama.weight @w layout "panels16" : tensor<4x32x!llama.quantized<4, 32>>
func.func @four_bits_as_signed_bytes(%x: memref<1x32xi8>, %scales: memref<1x1xf32>, %sums: memref<1x1xi32>,
    %y: memref<1x4xf32>) {
  kernel.matmul rows(%x : memref<1x32xi8>) scales(%scales : memref<1x1xf32>) sums(%sums : memref<1x1xi32>)
    matrix(@w : tensor<4x32x!llama.quantized<4, 32>>) into(%y : memref<1x4xf32>) tile <"sdot.128" 1 x 4>
  return
}

// -----

// An instruction of mixed signs takes them as they are.
// CHECK-LABEL: func @bytes_of_mixed_signs
// CHECK: arith.muli %{{.*}}, %c-128_i32
// CHECK-NOT: arith.xori
// CHECK-COUNT-8: llvm.call_intrinsic "llvm.aarch64.neon.usdot.v4i32.v16i8"
// CHECK-NOT: llvm.call_intrinsic
llama.weight @w layout "panels16" : tensor<4x32x!llama.quantized<8, 32>>
func.func @bytes_of_mixed_signs(%x: memref<1x32xi8>, %scales: memref<1x1xf32>, %sums: memref<1x1xi32>,
    %y: memref<1x4xf32>) {
  kernel.matmul rows(%x : memref<1x32xi8>) scales(%scales : memref<1x1xf32>) sums(%sums : memref<1x1xi32>)
    matrix(@w : tensor<4x32x!llama.quantized<8, 32>>) into(%y : memref<1x4xf32>) tile <"usdot.128" 1 x 4>
  return
}

// -----

// Without dots: products of 16 bits, of which two are added in 32, and two of these.
// CHECK-LABEL: func @bytes_without_dots
// CHECK: arith.xori
// CHECK: %[[P:.*]] = llvm.call_intrinsic "llvm.aarch64.neon.smull.v8i16"
// CHECK: %[[A:.*]] = llvm.call_intrinsic "llvm.aarch64.neon.saddlp.v4i32.v8i16"(%[[P]])
// CHECK: %[[Q:.*]] = llvm.call_intrinsic "llvm.aarch64.neon.smull.v8i16"
// CHECK: %[[B:.*]] = llvm.call_intrinsic "llvm.aarch64.neon.saddlp.v4i32.v8i16"(%[[Q]])
// CHECK: llvm.call_intrinsic "llvm.aarch64.neon.addp.v4i32"
llama.weight @w layout "panels16" : tensor<4x32x!llama.quantized<8, 32>>
func.func @bytes_without_dots(%x: memref<1x32xi8>, %scales: memref<1x1xf32>, %sums: memref<1x1xi32>,
    %y: memref<1x4xf32>) {
  kernel.matmul rows(%x : memref<1x32xi8>) scales(%scales : memref<1x1xf32>) sums(%sums : memref<1x1xi32>)
    matrix(@w : tensor<4x32x!llama.quantized<8, 32>>) into(%y : memref<1x4xf32>) tile <"smull.128" 1 x 4>
  return
}

// -----

// Four columns of 16 lanes: words and scales of as many are read, and stored.
// CHECK-LABEL: func @fewer_columns_than_lanes
// CHECK: vector.load {{.*}} vector<16xi8>
// CHECK: vector.insert_strided_slice {{.*}} : vector<16xi8> into vector<64xi8>
// CHECK: vector.load {{.*}} vector<8xi8>
// CHECK: vector.insert_strided_slice {{.*}} : vector<8xi8> into vector<32xi8>
// CHECK: vector.store {{.*}} : memref<1x4xf32>, vector<4xf32>
llama.weight @w layout "panels16" : tensor<8x32x!llama.quantized<8, 32>>
func.func @fewer_columns_than_lanes(%x: memref<1x32xi8>, %scales: memref<1x1xf32>, %sums: memref<1x1xi32>,
    %y: memref<1x4xf32>, %column: index) {
  kernel.matmul rows(%x : memref<1x32xi8>) scales(%scales : memref<1x1xf32>) sums(%sums : memref<1x1xi32>)
    matrix(@w : tensor<8x32x!llama.quantized<8, 32>>) from %column into(%y
        : memref<1x4xf32>) tile <"vpdpbusd.512" 1 x 4>
  return
}

// -----

llama.weight @w layout "panels16" : tensor<16x32x!llama.quantized<8, 32>>
func.func @product_that_nobody_tiled(%x: memref<1x32xi8>, %scales: memref<1x1xf32>, %sums: memref<1x1xi32>,
    %y: memref<1x16xf32>) {
  // expected-error @+1 {{'kernel.matmul' op has no tile: it was not tiled}}
  kernel.matmul rows(%x : memref<1x32xi8>) scales(%scales : memref<1x1xf32>) sums(%sums : memref<1x1xi32>)
    matrix(@w : tensor<16x32x!llama.quantized<8, 32>>) into(%y : memref<1x16xf32>)
  return
}
