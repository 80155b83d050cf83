// RUN: llama-opt %s --llama-cpu-outline-tiles | FileCheck %s
// RUN: llama-opt %s --llama-cpu-outline-tiles --duplicate-function-elimination | FileCheck %s --check-prefix=ONCE

// What a region uses from around it are arguments; constants are made again. The call
// stands where the region was.
// CHECK: func.func private @matmul_fma.512_1x16_0(%[[X:.*]]: memref<1x64xf32>, %{{.*}}: index, %[[Y:.*]]: memref<1x16xf32>)
// CHECK-SAME: passthrough = ["noinline"]
// CHECK: %[[ZERO:.*]] = arith.constant 0 : index
// CHECK: vector.load %[[X]][%[[ZERO]], %[[ZERO]]]
// CHECK: vector.store {{.*}}, %[[Y]][
// CHECK: return
// CHECK: func.func private @matmul_fma.512_1x16_1(
// CHECK: func.func private @matmul_fma.512_1x16_2(
// CHECK: func.func @products(%[[A:.*]]: memref<1x64xf32>, %[[B:.*]]: memref<1x16xf32>, %[[C:.*]]: memref<1x16xf32>)
// CHECK-NEXT: arith.constant
// CHECK-NEXT: call @matmul_fma.512_1x16_0(%[[A]], %{{.*}}, %[[B]])
// CHECK-NEXT: call @matmul_fma.512_1x16_1(%[[A]], %{{.*}}, %[[C]])
// CHECK-NEXT: call @matmul_fma.512_1x16_2(%[[A]], %{{.*}}, %[[C]])
// CHECK-NEXT: return

// The first two are equal.
// ONCE: func.func private @matmul_fma.512_1x16_[[SAME:0|1]](
// ONCE: func.func private @matmul_fma.512_1x16_2(
// ONCE-NOT: func.func private
// ONCE: func.func @products
// ONCE-COUNT-2: call @matmul_fma.512_1x16_[[SAME]](
// ONCE: call @matmul_fma.512_1x16_2(
func.func @products(%a: memref<1x64xf32>, %b: memref<1x16xf32>, %c: memref<1x16xf32>) {
  %zero = arith.constant 0 : index
  scf.execute_region {
    %x = vector.load %a[%zero, %zero] : memref<1x64xf32>, vector<16xf32>
    vector.store %x, %b[%zero, %zero] : memref<1x16xf32>, vector<16xf32>
    scf.yield
  } {kernel.tile = #kernel.tile<"fma.512" 1 x 16>}
  scf.execute_region {
    %x = vector.load %a[%zero, %zero] : memref<1x64xf32>, vector<16xf32>
    vector.store %x, %c[%zero, %zero] : memref<1x16xf32>, vector<16xf32>
    scf.yield
  } {kernel.tile = #kernel.tile<"fma.512" 1 x 16>}
  scf.execute_region {
    %x = vector.load %a[%zero, %zero] : memref<1x64xf32>, vector<16xf32>
    %y = arith.addf %x, %x : vector<16xf32>
    vector.store %y, %c[%zero, %zero] : memref<1x16xf32>, vector<16xf32>
    scf.yield
  } {kernel.tile = #kernel.tile<"fma.512" 1 x 16>}
  return
}
