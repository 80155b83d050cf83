// RUN: llama-opt %s --llama-cpu-lower-matmuls --canonicalize --cse | FileCheck %s
// RUN: llama-opt %s --llama-cpu-lower-matmuls --llama-add-call-arguments --llama-assign-weight-offsets \
// RUN:   --convert-scf-to-cf \
// RUN:   --expand-strided-metadata --lower-affine --convert-to-llvm --reconcile-unrealized-casts \
// RUN:   | sed -e '/llama.weight /d' -e 's/{llama.argument = "[a-z_]*"}//g' \
// RUN:   -e 's/attributes {llama.weights_bytes = [0-9]* : i64}//' \
// RUN:   | mlir-translate-22 --mlir-to-llvmir | llc-22 -O3 -mtriple=x86_64-linux-gnu -mcpu=sapphirerapids \
// RUN:   | FileCheck %s --check-prefix=CHECK-ASM

llama.weight @w layout "panels16" : tensor<64x64xbf16>

// Two tiles of rows by two panels: four sums, zeros at first, are carried; a step of 32
// elements has four loads and four products. 16 lines of a panel are a tile as they are.
// CHECK-LABEL: func @sums_stay_in_tile_registers
// CHECK-SAME: (%[[X:.*]]: memref<32x64xbf16>, %[[Y:.*]]: memref<32x32xf32>, %[[COLUMN:.*]]: index)
// CHECK: %[[PANELS:.*]] = kernel.stored_weight @w : memref<4x2048xi8>
// CHECK: %[[FIRST:.*]] = arith.divui %[[COLUMN]], %c16
// CHECK: %[[BYTES:.*]] = memref.collapse_shape %[[PANELS]]
// CHECK: %[[ZERO:.*]] = amx.tile_zero : !amx.tile<16x16xf32>
// CHECK-COUNT-3: amx.tile_zero
// CHECK: %[[SUMS:.*]]:4 = scf.for %[[K:.*]] = %c0 to %c64 step %c32 iter_args(%[[SUM:.*]] = %[[ZERO]],
// CHECK:   %[[LEFT:.*]] = amx.tile_load %[[X]][%c0, %[[K]]] : {{.*}} into !amx.tile<16x32xbf16>
// CHECK:   amx.tile_load %[[X]][%c16, %[[K]]]
// CHECK:   %[[PANEL:.*]] = arith.muli %[[FIRST]], %c2048
// CHECK:   %[[VIEW:.*]] = memref.view %[[BYTES]]{{.*}} to memref<16x32xbf16>
// CHECK:   %[[RIGHT:.*]] = amx.tile_load %[[VIEW]][%c0, %c0]
// CHECK:   amx.tile_load
// CHECK:   amx.tile_mulf %[[LEFT]], %[[RIGHT]], %[[SUM]]
// CHECK-COUNT-3: amx.tile_mulf
// CHECK-NOT: amx.tile_{{load|store|mulf}}
// CHECK:   scf.yield
// CHECK: amx.tile_store %[[Y]][%c0, %c0], %[[SUMS]]#0
// CHECK: amx.tile_store %[[Y]][%c0, %c16], %[[SUMS]]#1
// CHECK: amx.tile_store %[[Y]][%c16, %c0], %[[SUMS]]#2
// CHECK: amx.tile_store %[[Y]][%c16, %c16], %[[SUMS]]#3

// Of the machine, too: nothing is stored between the first product and the last.
// CHECK-ASM-LABEL: sums_stay_in_tile_registers:
// CHECK-ASM: ldtilecfg
// CHECK-ASM-COUNT-4: tilezero
// CHECK-ASM-NOT: tilestored
// CHECK-ASM-COUNT-4: tileloadd
// CHECK-ASM-COUNT-4: tdpbf16ps
// CHECK-ASM-NOT: {{tilestored|tileloadd|tdpbf16ps}}
// CHECK-ASM: j{{[a-z]+}}
// CHECK-ASM-COUNT-4: tilestored
// CHECK-ASM-NOT: tilestored
// CHECK-ASM: ret
func.func @sums_stay_in_tile_registers(%x: memref<32x64xbf16>, %y: memref<32x32xf32>, %column: index) {
  kernel.matmul rows(%x : memref<32x64xbf16>) matrix(@w : tensor<64x64xbf16>) from %column
    into(%y : memref<32x32xf32>) tile <"tdpbf16ps" 32 x 32>
  return
}

// One tile of rows by one panel.
// CHECK-LABEL: func @one_tile
// CHECK: scf.for {{.*}} iter_args(%[[SUM:.*]] = %{{.*}}) -> (!amx.tile<16x16xf32>)
// CHECK-COUNT-2: amx.tile_load
// CHECK:   amx.tile_mulf %{{.*}}, %{{.*}}, %[[SUM]]
// CHECK-NOT: amx.tile_{{load|mulf|store}}
// CHECK:   scf.yield
// CHECK: amx.tile_store
// CHECK-NOT: amx.tile_store
func.func @one_tile(%x: memref<16x64xbf16>, %y: memref<16x16xf32>, %column: index) {
  kernel.matmul rows(%x : memref<16x64xbf16>) matrix(@w : tensor<64x64xbf16>) from %column
    into(%y : memref<16x16xf32>) tile <"tdpbf16ps" 16 x 16>
  return
}

// Rows that remain: a copy of 32 elements of each is multiplied, in which the last row
// is repeated, and as many results are stored as there are rows.
// CHECK-LABEL: func @rows_that_remain
// CHECK-SAME: (%[[X:.*]]: memref<?x64xbf16>, %[[Y:.*]]: memref<?x32xf32>,
// CHECK-DAG: %[[RESULTS:.*]] = memref.alloca() {{.*}} : memref<16x32xf32>
// CHECK-DAG: %[[COPY:.*]] = memref.alloca() {{.*}} : memref<16x32xbf16>
// CHECK: %[[N:.*]] = memref.dim %[[X]], %c0
// CHECK: %[[LAST:.*]] = arith.subi %[[N]], %c1
// CHECK: scf.for %[[K:.*]] = %c0 to %c64 step %c32 iter_args{{.*}} -> (!amx.tile<16x16xf32>, !amx.tile<16x16xf32>)
// CHECK:   %[[ROW:.*]] = arith.minui %[[LAST]], %c15
// CHECK:   %[[PART:.*]] = vector.load %[[X]][%[[ROW]], %[[K]]] : {{.*}}, vector<32xbf16>
// CHECK:   vector.store %[[PART]], %[[COPY]][%c15, %c0]
// CHECK:   amx.tile_load %[[COPY]][%c0, %c0]
// CHECK-COUNT-2: amx.tile_mulf
// CHECK-NOT: amx.tile_mulf
// CHECK: amx.tile_store %[[RESULTS]][%c0, %c0]
// CHECK: amx.tile_store %[[RESULTS]][%c0, %c16]
// CHECK: %[[COUNT:.*]] = memref.dim %[[Y]], %c0
// CHECK: scf.for %[[I:.*]] = %c0 to %[[COUNT]] step %c1
// CHECK:   vector.load %[[RESULTS]][%[[I]], %c0]
// CHECK:   vector.store %{{.*}}, %[[Y]][%[[I]], %c0]
func.func @rows_that_remain(%x: memref<?x64xbf16>, %y: memref<?x32xf32>, %column: index) {
  kernel.matmul rows(%x : memref<?x64xbf16>) matrix(@w : tensor<64x64xbf16>) from %column
    into(%y : memref<?x32xf32>) tile <"tdpbf16ps" 0 x 32>
  return
}
