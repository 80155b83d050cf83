// RUN: llama-opt %s --llama-cpu-prefetch=rows=2 | FileCheck %s

// Two rows are read; the next two are asked for.
// CHECK-LABEL: func @rows_side_by_side_are_prefetched
// CHECK-SAME: %[[ROW:[^:]*]]: index, %[[NEXT:[^:]*]]: index
// CHECK: %[[TWO:.*]] = arith.constant 2 : index
// CHECK: scf.for %[[K:[^ ]*]] =
// CHECK: %[[AHEAD:.*]] = arith.addi %[[ROW]], %[[TWO]]
// CHECK-NEXT: memref.prefetch %[[VIEW:.*]][%[[AHEAD]], %[[K]]], read, locality<2>, data : memref<16x256xi8>
// CHECK-NEXT: vector.transfer_read %[[VIEW]][%[[ROW]], %[[K]]]
// CHECK: %[[AHEAD2:.*]] = arith.addi %[[NEXT]], %[[TWO]]
// CHECK-NEXT: memref.prefetch %[[VIEW]][%[[AHEAD2]], %[[K]]]
func.func @rows_side_by_side_are_prefetched(%row: index, %next: index, %block: memref<?xi8> {llama.argument = "weights"},
                                            %sum: vector<64xi8>) -> vector<64xi8> {
  %zero = arith.constant 0 : i8
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %c256 = arith.constant 256 : index
  %w = memref.view %block[%c64][] : memref<?xi8> to memref<16x256xi8>
  %r = scf.for %k = %c0 to %c256 step %c64 iter_args(%s = %sum) -> vector<64xi8> {
    %a = vector.transfer_read %w[%row, %k], %zero {in_bounds = [true]} : memref<16x256xi8>, vector<64xi8>
    %b = vector.transfer_read %w[%next, %k], %zero {in_bounds = [true]} : memref<16x256xi8>, vector<64xi8>
    %t = arith.addi %a, %b : vector<64xi8>
    %u = arith.addi %s, %t : vector<64xi8>
    scf.yield %u : vector<64xi8>
  }
  return %r : vector<64xi8>
}

// A tile that many rows of activations share has its weights in the cache.
// CHECK-LABEL: func @other_numbers_of_rows_are_not
// CHECK-NOT: memref.prefetch
func.func @other_numbers_of_rows_are_not(%row: index, %block: memref<?xi8> {llama.argument = "weights"},
                                         %sum: vector<64xi8>) -> vector<64xi8> {
  %zero = arith.constant 0 : i8
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %c256 = arith.constant 256 : index
  %w = memref.view %block[%c64][] : memref<?xi8> to memref<16x256xi8>
  %r = scf.for %k = %c0 to %c256 step %c64 iter_args(%s = %sum) -> vector<64xi8> {
    %a = vector.transfer_read %w[%row, %k], %zero {in_bounds = [true]} : memref<16x256xi8>, vector<64xi8>
    %u = arith.addi %s, %a : vector<64xi8>
    scf.yield %u : vector<64xi8>
  }
  return %r : vector<64xi8>
}

// The first of several blocks of rows asks for the others: the loop around it goes
// from weights to weights. That around the others goes from rows to rows.
// CHECK-LABEL: func @first_rows_ask_for_all
// CHECK: scf.for %[[PANEL:[^ ]*]] =
// CHECK:   %[[ROW:.*]] = arith.addi %[[PANEL]], %c1
// CHECK:   scf.for
// CHECK:     %[[AHEAD:.*]] = arith.addi %[[ROW]], %c2
// CHECK:     memref.prefetch %{{.*}}[%[[AHEAD]], %{{.*}}]
// CHECK:   scf.for
// CHECK-NOT: memref.prefetch
// CHECK: return
func.func @first_rows_ask_for_all(%block: memref<?xi8> {llama.argument = "weights"}, %sum: vector<64xi8>) -> vector<64xi8> {
  %zero = arith.constant 0 : i8
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c8 = arith.constant 8 : index
  %c64 = arith.constant 64 : index
  %c256 = arith.constant 256 : index
  %w = memref.view %block[%c64][] : memref<?xi8> to memref<16x256xi8>
  %r = scf.for %panel = %c0 to %c8 step %c2 iter_args(%all = %sum) -> vector<64xi8> {
    %row = arith.addi %panel, %c1 : index
    %first = scf.for %k = %c0 to %c256 step %c64 iter_args(%s = %all) -> vector<64xi8> {
      %a = vector.transfer_read %w[%row, %k], %zero {in_bounds = [true]} : memref<16x256xi8>, vector<64xi8>
      %u = arith.addi %s, %a : vector<64xi8>
      scf.yield %u : vector<64xi8>
    }
    %others = scf.for %x = %c0 to %c8 step %c2 iter_args(%t = %first) -> vector<64xi8> {
      %next = scf.for %k = %c0 to %c256 step %c64 iter_args(%s = %t) -> vector<64xi8> {
        %a = vector.transfer_read %w[%row, %k], %zero {in_bounds = [true]} : memref<16x256xi8>, vector<64xi8>
        %u = arith.addi %s, %a : vector<64xi8>
        scf.yield %u : vector<64xi8>
      }
      scf.yield %next : vector<64xi8>
    }
    scf.yield %others : vector<64xi8>
  }
  return %r : vector<64xi8>
}

// CHECK-LABEL: func @what_is_no_weight_is_not
// CHECK-NOT: memref.prefetch
func.func @what_is_no_weight_is_not(%row: index, %next: index, %w: memref<16x256xi8>,
                                    %block: memref<?xi8> {llama.argument = "weights"}, %sum: vector<64xi8>) -> vector<64xi8> {
  %zero = arith.constant 0 : i8
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %c256 = arith.constant 256 : index
  %r = scf.for %k = %c0 to %c256 step %c64 iter_args(%s = %sum) -> vector<64xi8> {
    %a = vector.transfer_read %w[%row, %k], %zero {in_bounds = [true]} : memref<16x256xi8>, vector<64xi8>
    %b = vector.transfer_read %w[%next, %k], %zero {in_bounds = [true]} : memref<16x256xi8>, vector<64xi8>
    %t = arith.addi %a, %b : vector<64xi8>
    %u = arith.addi %s, %t : vector<64xi8>
    scf.yield %u : vector<64xi8>
  }
  return %r : vector<64xi8>
}

// The same line of the panel that comes next; for one row, not for several.
// CHECK-LABEL: func @lines_of_panels_are_prefetched
// CHECK-SAME: %[[PANEL:[^:]*]]: index
// CHECK: %[[AHEAD:.*]] = arith.addi %[[PANEL]], %c1
// CHECK-NEXT: memref.prefetch %[[VIEW:.*]][%[[AHEAD]], %[[LINE:.*]], %c0], read, locality<2>, data : memref<16x8x64xi8>
// CHECK-NEXT: vector.transfer_read %[[VIEW]][%[[PANEL]], %[[LINE]], %c0]
// CHECK: scf.for
// CHECK-NOT: memref.prefetch
// CHECK: return
func.func @lines_of_panels_are_prefetched(%panel: index, %block: memref<?xi8> {llama.argument = "weights"}, %sum: vector<64xi8>)
    -> (vector<64xi8>, vector<64xi8>, vector<64xi8>) {
  %zero = arith.constant 0 : i8
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %w = memref.view %block[%c0][] : memref<?xi8> to memref<16x8x64xi8>
  %r = scf.for %k = %c0 to %c8 step %c1 iter_args(%s = %sum) -> vector<64xi8> {
    %a = vector.transfer_read %w[%panel, %k, %c0], %zero {in_bounds = [true]} : memref<16x8x64xi8>, vector<64xi8>
    %u = arith.addi %s, %a : vector<64xi8>
    scf.yield %u : vector<64xi8>
  }
  %two:2 = scf.for %k = %c0 to %c8 step %c1 iter_args(%s = %sum, %t = %sum) -> (vector<64xi8>, vector<64xi8>) {
    %a = vector.transfer_read %w[%panel, %k, %c0], %zero {in_bounds = [true]} : memref<16x8x64xi8>, vector<64xi8>
    %u = arith.addi %s, %a : vector<64xi8>
    %v = arith.addi %t, %a : vector<64xi8>
    scf.yield %u, %v : vector<64xi8>, vector<64xi8>
  }
  return %r, %two#0, %two#1 : vector<64xi8>, vector<64xi8>, vector<64xi8>
}
