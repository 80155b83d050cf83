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
// CHECK-SAME: (%[[X:.*]]: memref<?x64xbf16>, %[[Y:.*]]: memref<?x32xf32>, %[[COLUMN:.*]]: index)
// CHECK: %[[PANELS:.*]] = kernel.stored_weight @w : memref<4x2048xi8>
// CHECK: %[[FIRST:.*]] = arith.divui %[[COLUMN]], %c16
// CHECK: %[[BYTES:.*]] = memref.collapse_shape %[[PANELS]]
// CHECK: %[[COUNT:.*]] = memref.dim %[[Y]], %c0
// CHECK: %[[TWOS:.*]] = arith.divui %[[COUNT]], %c32
// CHECK: %[[WHOLE:.*]] = arith.muli %[[TWOS]], %c32
// CHECK: scf.for %[[ROW:.*]] = %c0 to %[[WHOLE]] step %c32
// CHECK:   %[[ZERO:.*]] = amx.tile_zero : !amx.tile<16x16xf32>
// CHECK-COUNT-3: amx.tile_zero
// CHECK:   %[[SUMS:.*]]:4 = scf.for %[[K:.*]] = %c0 to %c64 step %c32 iter_args(%[[SUM:.*]] = %[[ZERO]],
// CHECK:     %[[LEFT:.*]] = amx.tile_load %[[X]][%[[ROW]], %[[K]]] : {{.*}} into !amx.tile<16x32xbf16>
// CHECK:     %[[NEXT:.*]] = arith.addi %[[ROW]], %c16
// CHECK:     amx.tile_load %[[X]][%[[NEXT]], %[[K]]]
// CHECK:     arith.muli %[[FIRST]], %c2048
// CHECK:     %[[VIEW:.*]] = memref.view %[[BYTES]]{{.*}} to memref<16x32xbf16>
// CHECK:     %[[RIGHT:.*]] = amx.tile_load %[[VIEW]][%c0, %c0]
// CHECK:     amx.tile_load
// CHECK:     amx.tile_mulf %[[LEFT]], %[[RIGHT]], %[[SUM]]
// CHECK-COUNT-3: amx.tile_mulf
// CHECK-NOT: amx.tile_{{load|store|mulf}}
// CHECK-NOT: memref.prefetch
// CHECK:     scf.yield
// CHECK:   amx.tile_store %[[Y]][%[[ROW]], %c0], %[[SUMS]]#0
// CHECK:   amx.tile_store %[[Y]][%[[ROW]], %c16], %[[SUMS]]#1
// CHECK:   amx.tile_store %[[Y]][%{{.*}}, %c0], %[[SUMS]]#2
// CHECK:   amx.tile_store %[[Y]][%{{.*}}, %c16], %[[SUMS]]#3

// Rows that remain, 16 at a time: a copy of 32 elements of each is multiplied, in which the
// last row is repeated, and as many results are stored as there are rows.
// CHECK: scf.for %[[ROW:.*]] = %[[WHOLE]] to %[[COUNT]] step %c16
// CHECK:   scf.for %[[K:.*]] = %c0 to %c64 step %c32 iter_args{{.*}} -> (!amx.tile<16x16xf32>, !amx.tile<16x16xf32>)
// CHECK:     %[[LAST:.*]] = arith.subi %[[COUNT]], %c1
// CHECK:     %[[FROM:.*]] = arith.minui %[[ROW]], %[[LAST]]
// CHECK:     %[[PART:.*]] = vector.load %[[X]][%[[FROM]], %[[K]]] : {{.*}}, vector<32xbf16>
// CHECK:     vector.store %[[PART]], %[[COPY:.*]][%c0, %c0]
// CHECK:     amx.tile_load %[[COPY]][%c0, %c0]
// CHECK-COUNT-2: amx.tile_mulf
// CHECK-NOT: amx.tile_mulf
// CHECK:   amx.tile_store %[[RESULTS:.*]][%c0, %c0]
// CHECK:   amx.tile_store %[[RESULTS]][%c0, %c16]
// CHECK:   %[[LEFT:.*]] = arith.subi %[[COUNT]], %[[ROW]]
// CHECK:   %[[REST:.*]] = arith.minui %[[LEFT]], %c16
// CHECK:   scf.for %[[I:.*]] = %c0 to %[[REST]] step %c1
// CHECK:     vector.load %[[RESULTS]][%[[I]], %c0]
// CHECK:     vector.store %{{.*}}, %[[Y]][%{{.*}}, %c0]

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
// CHECK-ASM: ret
func.func @sums_stay_in_tile_registers(%x: memref<?x64xbf16>, %y: memref<?x32xf32>, %column: index) {
  kernel.matmul rows(%x : memref<?x64xbf16>) matrix(@w : tensor<64x64xbf16>) from %column
    into(%y : memref<?x32xf32>) tile <"tdpbf16ps" 128 x 32>
  return
}

// Part after part of k, and in each pair after pair of panels. Sums begin with zeros in the
// result's place and go on from there.
// CHECK-LABEL: func @parts_of_k
// CHECK-SAME: (%[[X:.*]]: memref<?x64xbf16>, %[[Y:.*]]: memref<?x64xf32>)
// CHECK: scf.for %[[R:.*]] = %c0 to %[[COUNT:.*]] step %c1
// CHECK:   scf.for %[[C:.*]] = %c0 to %c64 step %c16
// CHECK:     vector.store %{{.*}}, %[[Y]][%[[R]], %[[C]]]
// CHECK: scf.for %[[BEGIN:.*]] = %c0 to %c64 step %c32
// CHECK:   %[[THERE:.*]] = arith.addi %[[BEGIN]], %c32
// CHECK:   %[[END:.*]] = arith.minui %[[THERE]], %c64
// CHECK:   scf.for %[[COLUMN:.*]] = %c0 to %c64 step %c32
// CHECK:     scf.for %[[ROW:.*]] = %c0
// CHECK-NOT: amx.tile_zero
// CHECK:       amx.tile_load %[[Y]][%[[ROW]], %[[COLUMN]]] : {{.*}} into !amx.tile<16x16xf32>
// CHECK:       scf.for %{{.*}} = %[[BEGIN]] to %[[END]] step %c32
// CHECK:         amx.tile_mulf
// CHECK:       amx.tile_store %[[Y]][%[[ROW]], %[[COLUMN]]]
// CHECK:     scf.for %[[ROW:.*]] = %{{.*}} to %[[COUNT]] step %c16
// CHECK:       %[[OLD:.*]] = vector.load %[[Y]]
// CHECK:       vector.store %[[OLD]], %[[RESULTS:.*]][
// CHECK-NOT: amx.tile_zero
// CHECK:       amx.tile_load %[[RESULTS]][%c0, %c0] : {{.*}} into !amx.tile<16x16xf32>
func.func @parts_of_k(%x: memref<?x64xbf16>, %y: memref<?x64xf32>) {
  kernel.matmul rows(%x : memref<?x64xbf16>) matrix(@w : tensor<64x64xbf16>)
    into(%y : memref<?x64xf32>) tile <"tdpbf16ps" 256 x 64 by 32>
  return
}

// Each step asks for 8 of the 32 lines of the pair that comes next: beside this one, but after
// the last pair of a nest's columns the first one's next part.
// CHECK-LABEL: func @steps_ask_for_the_next_pair
// CHECK-SAME: %[[COLUMN:[^ ]*]]: index)
// CHECK: %[[FIRST:.*]] = arith.divui %[[COLUMN]], %c16
// CHECK: %[[IN:.*]] = arith.remui %[[COLUMN]], %c64
// CHECK: %[[ISLAST:.*]] = arith.cmpi uge, %[[IN]], %c32
// CHECK: %[[PAIR:.*]] = arith.addi %[[FIRST]], %c2
// CHECK: %[[BESIDE:.*]] = arith.muli %[[PAIR]], %c2048
// CHECK: %[[BACK:.*]] = arith.divui %[[IN]], %c16
// CHECK: %[[START:.*]] = arith.subi %[[FIRST]], %[[BACK]]
// CHECK: arith.select %[[ISLAST]], %{{.*}}, %[[BESIDE]]
// CHECK: scf.for
// CHECK:   scf.for
// CHECK-COUNT-8: memref.prefetch %{{.*}}, read, locality<2>, data
// CHECK-NOT: memref.prefetch
// CHECK: scf.for
// CHECK-NOT: memref.prefetch
func.func @steps_ask_for_the_next_pair(%x: memref<?x64xbf16>, %y: memref<?x32xf32>, %column: index) {
  kernel.matmul rows(%x : memref<?x64xbf16>) matrix(@w : tensor<64x64xbf16>) from %column
    into(%y : memref<?x32xf32>) tile <"tdpbf16ps" 128 x 32> prefetch 64
  return
}
