// RUN: llama-opt %s --llama-cpu-lower-copies | FileCheck %s

// CHECK-DAG: #[[SAME:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-LABEL: func @copy_of_a_slice_is_a_generic
// CHECK-SAME: (%[[FROM:.*]]: memref<8x4xf32, strided<[16, 1], offset: ?>>, %[[TO:.*]]: memref<8x4xf32>)
// CHECK-NEXT: linalg.generic {indexing_maps = [#[[SAME]], #[[SAME]]], iterator_types = ["parallel",
// CHECK-SAME: "parallel"]} ins(%[[FROM]] : {{.*}}) outs(%[[TO]] : {{.*}})
// CHECK-NEXT: ^bb0(%[[IN:.*]]: f32, %{{.*}}: f32):
// CHECK-NEXT:   linalg.yield %[[IN]]
// CHECK-NOT: memref.copy
func.func @copy_of_a_slice_is_a_generic(%from: memref<8x4xf32, strided<[16, 1], offset: ?>>, %to: memref<8x4xf32>) {
  memref.copy %from, %to : memref<8x4xf32, strided<[16, 1], offset: ?>> to memref<8x4xf32>
  return
}

// CHECK-LABEL: func @copies_in_loops_are_found
// CHECK: scf.for
// CHECK-NOT: memref.copy
// CHECK: linalg.generic
func.func @copies_in_loops_are_found(%from: memref<?xbf16>, %to: memref<?xbf16>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    memref.copy %from, %to : memref<?xbf16> to memref<?xbf16>
  }
  return
}

// CHECK-LABEL: func @source_without_a_rank_is_left_alone
// CHECK: memref.copy
func.func @source_without_a_rank_is_left_alone(%from: memref<*xf32>, %to: memref<8xf32>) {
  memref.copy %from, %to : memref<*xf32> to memref<8xf32>
  return
}

// CHECK-LABEL: func @target_without_a_rank_is_left_alone
// CHECK: memref.copy
func.func @target_without_a_rank_is_left_alone(%from: memref<8xf32>, %to: memref<*xf32>) {
  memref.copy %from, %to : memref<8xf32> to memref<*xf32>
  return
}
