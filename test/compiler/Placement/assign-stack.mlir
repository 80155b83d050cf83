// RUN: llama-opt %s --llama-assign-stack --split-input-file --allow-unregistered-dialect | FileCheck %s

// A small buffer leaves the loop: not one for each step.
// CHECK-LABEL: func @small
// CHECK: %[[STACK:.*]] = memref.alloca() {alignment = 64 : i64} : memref<256xf32>
// CHECK: scf.for
// CHECK-NOT: memref.alloca
// CHECK: "test.use"(%[[STACK]])
func.func @small(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    %own = memref.alloca() {alignment = 64 : i64} : memref<256xf32>
    "test.use"(%own) : (memref<256xf32>) -> ()
  }
  return
}

// -----

// Large ones share places, each as large as the largest: with what lived in a loop
// before, not with what lives on around it.
// CHECK-LABEL: func @large
// CHECK-DAG: %[[A:.*]] = memref.alloca() {alignment = 64 : i64} : memref<8192xi8>
// CHECK-DAG: %[[B:.*]] = memref.alloca() {alignment = 64 : i64} : memref<4096xi8>
// CHECK-NOT: memref.alloca
// CHECK: scf.for
// CHECK:   %[[X:.*]] = memref.view %[[B]][%c0{{[_0-9]*}}][] : memref<4096xi8> to memref<32x32xf32>
// CHECK:   scf.for
// CHECK:     %[[Y:.*]] = memref.view %[[A]][%c0{{[_0-9]*}}][] : memref<8192xi8> to memref<64x32xf32>
// CHECK:     "test.use"(%[[X]], %[[Y]])
// CHECK:   %[[Z:.*]] = memref.view %[[A]][%c0{{[_0-9]*}}][] : memref<8192xi8> to memref<16x32xf32>
// CHECK:   scf.for
// CHECK:     "test.use"(%[[X]], %[[Z]])
// CHECK: scf.for
// CHECK:   %[[V:.*]] = memref.view %[[A]][%c0{{[_0-9]*}}][] : memref<8192xi8> to memref<2000xi8>
// CHECK:   "test.use"(%[[V]], %[[V]])
func.func @large(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    %x = memref.alloca() {alignment = 64 : i64} : memref<32x32xf32>
    scf.for %j = %c0 to %n step %c1 {
      %y = memref.alloca() {alignment = 64 : i64} : memref<64x32xf32>
      "test.use"(%x, %y) : (memref<32x32xf32>, memref<64x32xf32>) -> ()
    }
    %z = memref.alloca() {alignment = 64 : i64} : memref<16x32xf32>
    scf.for %j = %c0 to %n step %c1 {
      "test.use"(%x, %z) : (memref<32x32xf32>, memref<16x32xf32>) -> ()
    }
  }
  scf.for %i = %c0 to %n step %c1 {
    %v = memref.alloca() {alignment = 64 : i64} : memref<2000xi8>
    "test.use"(%v, %v) : (memref<2000xi8>, memref<2000xi8>) -> ()
  }
  return
}

// -----

// Side by side: what is used up leaves its place, but not while a view of it is used.
// CHECK-LABEL: func @side_by_side
// CHECK-DAG: %[[A:.*]] = memref.alloca() : memref<4096xi8>
// CHECK-DAG: %[[B:.*]] = memref.alloca() : memref<4000xi8>
// CHECK-NOT: memref.alloca
// CHECK: memref.view %[[A]][%{{.*}}][] : memref<4096xi8> to memref<4096xi8>
// CHECK: memref.view %[[B]][%{{.*}}][] : memref<4000xi8> to memref<4000xi8>
// CHECK: memref.view %[[A]][%{{.*}}][] : memref<4096xi8> to memref<3000xi8>
func.func @side_by_side() {
  %x = memref.alloca() : memref<4096xi8>
  %part = memref.subview %x[0] [64] [1] : memref<4096xi8> to memref<64xi8, strided<[1]>>
  "test.use"(%x) : (memref<4096xi8>) -> ()
  %y = memref.alloca() : memref<4000xi8>
  "test.use"(%y, %part) : (memref<4000xi8>, memref<64xi8, strided<[1]>>) -> ()
  %z = memref.alloca() : memref<3000xi8>
  "test.use"(%z) : (memref<3000xi8>) -> ()
  return
}
