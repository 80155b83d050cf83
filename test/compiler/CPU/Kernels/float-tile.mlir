// RUN: llama-opt %s --llama-cpu-lower-matmuls --canonicalize --cse --split-input-file --verify-diagnostics \
// RUN:   | FileCheck %s

// Two rows by the 16 lanes of a panel: two sums, in registers until the end. A line has
// one element of every lane, which meets that of the row.
// CHECK-LABEL: func @sums_stay_in_registers
// CHECK-SAME: (%[[X:.*]]: memref<2x64xf32>, %[[Y:.*]]: memref<2x16xf32>, %[[COLUMN:.*]]: index)
// CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<16xf32>
// CHECK-DAG: %[[PANELS:.*]] = kernel.stored_weight @w : memref<4x4096xi8>
// CHECK-DAG: %[[PANEL:.*]] = arith.divui %[[COLUMN]], %c16
// CHECK: %[[SUMS:[^ ,:)]*]]:2 = scf.for %[[LINE:[^ ,:)]*]] = %c0 to %c64 step %c4 iter_args(%[[S0:[^ ,:)]*]] =
// CHECK-SAME: %[[ZERO]], %[[S1:[^ ,:)]*]] = %[[ZERO]])
// CHECK:   %[[STORED:.*]] = vector.load %[[PANELS]][%[[PANEL]], %{{.*}}] : memref<4x4096xi8>, vector<64xi8>
// CHECK:   %[[W:.*]] = vector.bitcast %[[STORED]] : vector<64xi8> to vector<16xf32>
// CHECK:   %[[X0:.*]] = memref.load %[[X]][%c0, %[[LINE]]]
// CHECK:   %[[ALL:.*]] = vector.broadcast %[[X0]] : f32 to vector<16xf32>
// CHECK:   math.fma %[[W]], %[[ALL]], %[[S0]]
// CHECK:   memref.load %[[X]][%c1, %[[LINE]]]
// CHECK:   math.fma %[[W]], %{{.*}}, %[[S1]]
// CHECK-COUNT-6: math.fma
// CHECK-NOT: {{math.fma|vector.store|memref.store|kernel.matmul}}
// CHECK:   scf.yield
// CHECK: vector.store %[[SUMS]]#0, %[[Y]][%c0, %c0]
// CHECK: vector.store %[[SUMS]]#1, %[[Y]][%c1, %c0]
llama.weight @w layout "panels16" : tensor<64x64xf32>
func.func @sums_stay_in_registers(%x: memref<2x64xf32>, %y: memref<2x16xf32>, %column: index) {
  kernel.matmul rows(%x : memref<2x64xf32>) matrix(@w : tensor<64x64xf32>) from %column
    into(%y : memref<2x16xf32>) tile <"fma.512" 2 x 16>
  return
}

// -----

// Two panels: a line of each, before the row's element is asked for.
// CHECK-LABEL: func @two_panels
// CHECK: %[[PANEL:.*]] = arith.divui
// CHECK: scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>)
// CHECK:   vector.load %{{.*}}[%[[PANEL]], %[[BYTE:.*]]]
// CHECK:   %[[NEXT:.*]] = arith.addi %[[PANEL]], %c1
// CHECK:   vector.load %{{.*}}[%[[NEXT]], %[[BYTE]]]
// CHECK:   memref.load
// CHECK:   math.fma
// CHECK-NOT: memref.load
// CHECK:   math.fma
llama.weight @w layout "panels16" : tensor<64x64xf32>
func.func @two_panels(%x: memref<1x64xf32>, %y: memref<1x32xf32>, %column: index) {
  kernel.matmul rows(%x : memref<1x64xf32>) matrix(@w : tensor<64x64xf32>) from %column
    into(%y : memref<1x32xf32>) tile <"fma.512" 1 x 32>
  return
}

// -----

// Narrower vectors: of a panel two, of 8 lanes each.
// CHECK-LABEL: func @panel_of_two_vectors
// CHECK: scf.for {{.*}} -> (vector<8xf32>, vector<8xf32>)
// CHECK:   vector.load {{.*}} vector<32xi8>
// CHECK:   vector.load {{.*}} vector<32xi8>
// CHECK:   math.fma {{.*}} : vector<8xf32>
// CHECK: vector.store {{.*}}[%c0, %c0]
// CHECK: vector.store {{.*}}[%c0, %c8]
llama.weight @w layout "panels16" : tensor<64x64xf32>
func.func @panel_of_two_vectors(%x: memref<1x64xf32>, %y: memref<1x16xf32>, %column: index) {
  kernel.matmul rows(%x : memref<1x64xf32>) matrix(@w : tensor<64x64xf32>) from %column
    into(%y : memref<1x16xf32>) tile <"fma.256" 1 x 16>
  return
}

// -----

// Fewer columns than lanes: the others are zeros, and are not stored.
// CHECK-LABEL: func @fewer_columns_than_lanes
// CHECK: scf.for
// CHECK:   %[[FOUR:.*]] = vector.load {{.*}} vector<16xi8>
// CHECK:   vector.insert_strided_slice %[[FOUR]], %{{[^ ,:)]*}} {offsets = [0], strides = [1]}
// CHECK-SAME:   : vector<16xi8> into vector<64xi8>
// CHECK: %[[PART:.*]] = vector.extract_strided_slice %{{.*}} {offsets = [0], sizes = [4], strides = [1]}
// CHECK: vector.store %[[PART]], %{{.*}} : memref<1x4xf32>, vector<4xf32>
llama.weight @w layout "panels16" : tensor<8x64xf32>
func.func @fewer_columns_than_lanes(%x: memref<1x64xf32>, %y: memref<1x4xf32>, %column: index) {
  kernel.matmul rows(%x : memref<1x64xf32>) matrix(@w : tensor<8x64xf32>) from %column
    into(%y : memref<1x4xf32>) tile <"fma.512" 1 x 4>
  return
}

// -----

// A word of a line is a pair of bf16. The lower one becomes f32 by a shift, the upper
// one by a mask: of both the matrix and the row. Lower ones are added first.
// CHECK-LABEL: func @pairs_by_shift_and_mask
// CHECK-SAME: (%[[X:.*]]: memref<1x4xbf16>,
// CHECK-DAG: %[[UPPER:.*]] = arith.constant dense<-65536> : vector<16xi32>
// CHECK-DAG: %[[SIXTEEN:.*]] = arith.constant dense<16> : vector<16xi32>
// CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<16xf32>
// CHECK: %[[WORDS:.*]] = vector.bitcast %{{.*}} : vector<64xi8> to vector<16xi32>
// CHECK: %[[LOW:.*]] = arith.shli %[[WORDS]], %[[SIXTEEN]]
// CHECK: %[[W0:.*]] = arith.bitcast %[[LOW]] : vector<16xi32> to vector<16xf32>
// CHECK: vector.load %[[X]][%c0, %c0] : memref<1x4xbf16>, vector<2xbf16>
// CHECK: %[[PAIR:.*]] = vector.broadcast %{{.*}} : vector<1xi32> to vector<16xi32>
// CHECK: arith.shli %[[PAIR]], %[[SIXTEEN]]
// CHECK: %[[SUM:.*]] = math.fma %[[W0]], %{{.*}}, %[[ZERO]]
// CHECK: %[[HIGH:.*]] = arith.andi %[[WORDS]], %[[UPPER]]
// CHECK: %[[W1:.*]] = arith.bitcast %[[HIGH]]
// CHECK: arith.andi %[[PAIR]], %[[UPPER]]
// CHECK: math.fma %[[W1]], %{{.*}}, %[[SUM]]
// CHECK-COUNT-2: math.fma
// CHECK-NOT: math.fma
llama.weight @w layout "panels16" : tensor<16x4xbf16>
func.func @pairs_by_shift_and_mask(%x: memref<1x4xbf16>, %y: memref<1x16xf32>) {
  kernel.matmul rows(%x : memref<1x4xbf16>) matrix(@w : tensor<16x4xbf16>) into(%y
      : memref<1x16xf32>) tile <"fma.512" 1 x 16>
  return
}

// -----

// A sum of three ends with half of a pair: the row has one element for it, and no
// upper ones are added.
// CHECK-LABEL: func @odd_depth_ends_with_half_a_pair
// CHECK-SAME: (%[[X:.*]]: memref<1x3xbf16>,
// CHECK: vector.load %[[X]][%c0, %c0] : memref<1x3xbf16>, vector<2xbf16>
// CHECK-COUNT-2: math.fma
// CHECK: vector.load %[[X]][%c0, %c2] : memref<1x3xbf16>, vector<1xbf16>
// CHECK: arith.extui {{.*}} : vector<1xi16> to vector<1xi32>
// CHECK-NOT: arith.andi
// CHECK: math.fma
// CHECK-NOT: math.fma
llama.weight @w layout "panels16" : tensor<16x3xbf16>
func.func @odd_depth_ends_with_half_a_pair(%x: memref<1x3xbf16>, %y: memref<1x16xf32>) {
  kernel.matmul rows(%x : memref<1x3xbf16>) matrix(@w : tensor<16x3xbf16>) into(%y
      : memref<1x16xf32>) tile <"fma.512" 1 x 16>
  return
}

// -----

// Rows of f32 meet bf16 element by element: there is no pair of them.
// CHECK-LABEL: func @rows_of_f32_meet_bf16
// CHECK-SAME: (%[[X:.*]]: memref<1x2xf32>,
// CHECK: arith.shli
// CHECK: memref.load %[[X]][%c0, %c0]
// CHECK: math.fma
// CHECK: arith.andi
// CHECK: memref.load %[[X]][%c0, %c1]
// CHECK: math.fma
llama.weight @w layout "panels16" : tensor<16x2xbf16>
func.func @rows_of_f32_meet_bf16(%x: memref<1x2xf32>, %y: memref<1x16xf32>) {
  kernel.matmul rows(%x : memref<1x2xf32>) matrix(@w : tensor<16x2xbf16>) into(%y
      : memref<1x16xf32>) tile <"fma.512" 1 x 16>
  return
}

// -----

// A line of f16 is 32 bytes; its elements are widened one by one, and so are the row's.
// CHECK-LABEL: func @lines_of_f16
// CHECK: vector.load {{.*}} : memref<1x64xi8>, vector<32xi8>
// CHECK: arith.extf {{.*}} : vector<16xf16> to vector<16xf32>
// CHECK: %[[ONE:.*]] = memref.load {{.*}} : memref<1x2xbf16>
// CHECK: arith.extf %[[ONE]] : bf16 to f32
// CHECK: math.fma
// CHECK: vector.load {{.*}}, %c32] : memref<1x64xi8>, vector<32xi8>
llama.weight @w layout "panels16" : tensor<16x2xf16>
func.func @lines_of_f16(%x: memref<1x2xbf16>, %y: memref<1x16xf32>) {
  kernel.matmul rows(%x : memref<1x2xbf16>) matrix(@w : tensor<16x2xf16>) into(%y
      : memref<1x16xf32>) tile <"fma.512" 1 x 16>
  return
}

// -----

// An instruction that adds pairs takes them as they are; half a pair has a zero beside
// it.
// CHECK-LABEL: func @pairs_by_an_instruction
// CHECK-SAME: (%[[X:.*]]: memref<1x3xbf16>,
// CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<16xf32>
// CHECK-NOT: {{arith.shli|arith.andi|math.fma}}
// CHECK: %[[W:.*]] = vector.bitcast %{{.*}} : vector<64xi8> to vector<32xbf16>
// CHECK: vector.load %[[X]][%c0, %c0] : memref<1x3xbf16>, vector<2xbf16>
// CHECK: %[[PAIRS:.*]] = vector.bitcast %{{.*}} : vector<16xi32> to vector<32xbf16>
// CHECK: %[[SUM:.*]] = llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"(%[[ZERO]], %[[W]], %[[PAIRS]])
// CHECK: vector.load %[[X]][%c0, %c2] : memref<1x3xbf16>, vector<1xbf16>
// CHECK: arith.extui {{.*}} : vector<1xi16> to vector<1xi32>
// CHECK: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"(%[[SUM]],
// CHECK-NOT: {{arith.shli|arith.andi|math.fma}}
llama.weight @w layout "panels16" : tensor<16x3xbf16>
func.func @pairs_by_an_instruction(%x: memref<1x3xbf16>, %y: memref<1x16xf32>) {
  kernel.matmul rows(%x : memref<1x3xbf16>) matrix(@w : tensor<16x3xbf16>) into(%y
      : memref<1x16xf32>) tile <"vdpbf16ps.512" 1 x 16>
  return
}

// -----

// On aarch64 a panel is four vectors.
// CHECK-LABEL: func @pairs_on_aarch64
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.aarch64.neon.bfdot.v4f32.v8bf16"
// CHECK-NOT: llvm.call_intrinsic
llama.weight @w layout "panels16" : tensor<16x2xbf16>
func.func @pairs_on_aarch64(%x: memref<1x2xbf16>, %y: memref<1x16xf32>) {
  kernel.matmul rows(%x : memref<1x2xbf16>) matrix(@w : tensor<16x2xbf16>) into(%y
      : memref<1x16xf32>) tile <"bfdot.128" 1 x 16>
  return
}

// -----

// 32 columns further are two panels further: their lines are asked for one by one.
// CHECK-LABEL: func @lines_of_the_next_panels_are_prefetched
// CHECK: %[[PANELS:.*]] = kernel.stored_weight @w
// CHECK: %[[PANEL:.*]] = arith.divui
// CHECK: scf.for
// CHECK:   %[[ON:.*]] = arith.addi %[[PANEL]], %c2
// CHECK:   memref.prefetch %[[PANELS]][%[[ON]], %{{.*}}], read, locality<2>, data
// CHECK-COUNT-3: memref.prefetch
// CHECK-NOT: memref.prefetch
// CHECK:   scf.yield
llama.weight @w layout "panels16" : tensor<64x64xf32>
func.func @lines_of_the_next_panels_are_prefetched(%x: memref<2x64xf32>, %y: memref<2x16xf32>, %column: index) {
  kernel.matmul rows(%x : memref<2x64xf32>) matrix(@w : tensor<64x64xf32>) from %column
    into(%y : memref<2x16xf32>) tile <"fma.512" 2 x 16> prefetch 32
  return
}

// -----

// A line is asked for once, not by each vector of it; without the word, never.
// CHECK-LABEL: func @line_of_two_vectors_is_prefetched_once
// CHECK-COUNT-4: memref.prefetch
// CHECK-NOT: memref.prefetch
llama.weight @w layout "panels16" : tensor<64x64xf32>
func.func @line_of_two_vectors_is_prefetched_once(%x: memref<2x64xf32>, %y: memref<2x16xf32>, %column: index) {
  kernel.matmul rows(%x : memref<2x64xf32>) matrix(@w : tensor<64x64xf32>) from %column
    into(%y : memref<2x16xf32>) tile <"fma.256" 2 x 16> prefetch 32
  kernel.matmul rows(%x : memref<2x64xf32>) matrix(@w : tensor<64x64xf32>) from %column
    into(%y : memref<2x16xf32>) tile <"fma.256" 2 x 16>
  return
}

// -----

llama.weight @w layout "panels16" : tensor<64x64xf32>
func.func @product_that_nobody_tiled(%x: memref<2x64xf32>, %y: memref<2x64xf32>) {
  // expected-error @+1 {{'kernel.matmul' op has no tile: it was not tiled}}
  kernel.matmul rows(%x : memref<2x64xf32>) matrix(@w : tensor<64x64xf32>) into(%y : memref<2x64xf32>)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<64x64xf32>
func.func @tile_of_tensors(%x: tensor<?x64xf32>, %y: tensor<?x16xf32>) -> tensor<?x16xf32> {
  // expected-error @+1 {{'kernel.matmul' op expected buffers of a static size}}
  %0 = kernel.matmul rows(%x : tensor<?x64xf32>) matrix(@w : tensor<64x64xf32>) into(%y : tensor<?x16xf32>)
         tile <"fma.512" 1 x 16> -> tensor<?x16xf32>
  return %0 : tensor<?x16xf32>
}

// -----

llama.weight @w layout "panels16" : tensor<64x64xf32>
func.func @tile_of_unknown_height(%x: memref<?x64xf32>, %y: memref<?x16xf32>) {
  // expected-error @+1 {{'kernel.matmul' op expected buffers of a static size}}
  kernel.matmul rows(%x : memref<?x64xf32>) matrix(@w : tensor<64x64xf32>) into(%y
      : memref<?x16xf32>) tile <"fma.512" 1 x 16>
  return
}
