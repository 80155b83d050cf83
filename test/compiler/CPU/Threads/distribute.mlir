// RUN: llama-opt %s --llama-cpu-distribute --canonicalize --cse --split-input-file --verify-diagnostics \
// RUN:   --allow-unregistered-dialect | FileCheck %s

// n * thread / threads to n * (thread + 1) / threads. What ran before the function
// is unknown: its first loop waits.
// CHECK-LABEL: func @loop_becomes_the_part_of_a_thread
// CHECK-SAME: (%[[X:.*]]: memref<?xf32>, %[[N:.*]]: index, %[[THREAD:.*]]: index {llama.argument = "thread"}, %[[THREADS:.*]]: index {llama.argument = "threads"}, %[[CALL:.*]]: !llvm.ptr {llama.argument = "call"})
// CHECK: call @llama_barrier(%[[CALL]], %c0, %c-1) : (!llvm.ptr, index, index) -> ()
// CHECK: %[[NEXT:.*]] = arith.addi %[[THREAD]], %c1
// CHECK: %[[A:.*]] = arith.muli %[[N]], %[[THREAD]]
// CHECK: %[[BEGIN:.*]] = arith.divui %[[A]], %[[THREADS]]
// CHECK: %[[B:.*]] = arith.muli %[[N]], %[[NEXT]]
// CHECK: %[[END:.*]] = arith.divui %[[B]], %[[THREADS]]
// CHECK: scf.for %[[I:.*]] = %[[BEGIN]] to %[[END]] step %c1
// CHECK:   memref.store %{{.*}}, %[[X]][%[[I]]]
// CHECK-NOT: scf.forall
// CHECK: func private @llama_barrier(!llvm.ptr, index, index)
func.func @loop_becomes_the_part_of_a_thread(%x: memref<?xf32>, %n: index) {
  %one = arith.constant 1.0 : f32
  scf.forall (%i) in (%n) {
    memref.store %one, %x[%i] : memref<?xf32>
  }
  return
}

// -----

// Steps are counted, not elements: 20 columns in panels of 8 are 3 steps.
// CHECK-LABEL: func @loop_of_panels_is_divided_by_panels
// CHECK-SAME: %[[THREAD:[a-z0-9]*]]: index {llama.argument = "thread"}, %[[THREADS:.*]]: index {llama.argument = "threads"}
// CHECK: %[[A:.*]] = arith.muli %[[THREAD]], %c3
// CHECK: %[[BEGIN:.*]] = arith.divui %[[A]], %[[THREADS]]
// CHECK: scf.for %[[I:.*]] = %[[BEGIN]]
// CHECK:   %[[COLUMN:.*]] = arith.muli %[[I]], %c8
// CHECK:   memref.store %{{.*}}, %{{.*}}[%[[COLUMN]]]
func.func @loop_of_panels_is_divided_by_panels(%x: memref<20xf32>) {
  %one = arith.constant 1.0 : f32
  scf.forall (%i) = (0) to (20) step (8) {
    memref.store %one, %x[%i] : memref<20xf32>
  }
  return
}

// -----

// Rows and heads together are divided: one row keeps four threads busy.
// CHECK-LABEL: func @several_dimensions_are_divided_by_their_product
// CHECK-SAME: (%[[X:.*]]: memref<?x4xf32>, %[[N:.*]]: index, %[[THREAD:.*]]: index {llama.argument = "thread"}, %[[THREADS:.*]]: index {llama.argument = "threads"}
// CHECK: %[[TOTAL:.*]] = arith.muli %[[N]], %c4
// CHECK: arith.muli %[[TOTAL]], %[[THREAD]]
// CHECK: scf.for %[[I:.*]] =
// CHECK:   %[[HEAD:.*]] = arith.remui %[[I]], %c4
// CHECK:   %[[ROW:.*]] = arith.divui %[[I]], %c4
// CHECK:   memref.store %{{.*}}, %[[X]][%[[ROW]], %[[HEAD]]]
func.func @several_dimensions_are_divided_by_their_product(%x: memref<?x4xf32>, %n: index) {
  %one = arith.constant 1.0 : f32
  scf.forall (%i, %h) in (%n, 4) {
    memref.store %one, %x[%i, %h] : memref<?x4xf32>
  }
  return
}

// -----

// CHECK-LABEL: func @reader_waits_for_the_writer
// CHECK: call @llama_barrier
// CHECK: scf.for
// CHECK: memref.store
// CHECK: call @llama_barrier
// CHECK: scf.for
// CHECK: memref.load
// CHECK-NOT: call @llama_barrier
func.func @reader_waits_for_the_writer(%x: memref<16xf32>, %y: memref<16xf32>) {
  %one = arith.constant 1.0 : f32
  scf.forall (%i) in (16) {
    memref.store %one, %x[%i] : memref<16xf32>
  }
  scf.forall (%i) in (16) {
    %v = memref.load %x[%i] : memref<16xf32>
    memref.store %v, %y[%i] : memref<16xf32>
  }
  return
}

// -----

// CHECK-LABEL: func @writer_waits_for_readers
// CHECK: call @llama_barrier
// CHECK: memref.load
// CHECK: call @llama_barrier
// CHECK: memref.store
// CHECK-NOT: call @llama_barrier
func.func @writer_waits_for_readers(%x: memref<16xf32>, %y: memref<16xf32>) {
  %one = arith.constant 1.0 : f32
  scf.forall (%i) in (16) {
    %v = memref.load %x[%i] : memref<16xf32>
    memref.store %v, %y[%i] : memref<16xf32>
  }
  scf.forall (%i) in (16) {
    memref.store %one, %x[%i] : memref<16xf32>
  }
  return
}

// -----

// CHECK-LABEL: func @writer_waits_for_the_writer
// CHECK-COUNT-2: call @llama_barrier
// CHECK-NOT: call @llama_barrier
func.func @writer_waits_for_the_writer(%x: memref<16xf32>) {
  %one = arith.constant 1.0 : f32
  scf.forall (%i) in (16) {
    memref.store %one, %x[%i] : memref<16xf32>
  }
  scf.forall (%i) = (0) to (16) step (8) {
    memref.store %one, %x[%i] : memref<16xf32>
  }
  return
}

// -----

// Both read %x, each writes its own buffer: the second does not wait. The third
// reads what the first has written, and then nothing is left to wait for.
// CHECK-LABEL: func @independent_loops_do_not_wait
// CHECK: call @llama_barrier
// CHECK: scf.for
// CHECK-NOT: call @llama_barrier
// CHECK: scf.for
// CHECK: call @llama_barrier
// CHECK: scf.for
// CHECK-NOT: call @llama_barrier
func.func @independent_loops_do_not_wait(%x: memref<16xf32>, %a: memref<16xf32>, %b: memref<16xf32>,
                                         %c: memref<16xf32>, %d: memref<16xf32>) {
  scf.forall (%i) in (16) {
    %v = memref.load %x[%i] : memref<16xf32>
    memref.store %v, %a[%i] : memref<16xf32>
  }
  scf.forall (%i) in (16) {
    %v = memref.load %x[%i] : memref<16xf32>
    memref.store %v, %b[%i] : memref<16xf32>
  }
  scf.forall (%i) in (16) {
    %v = memref.load %a[%i] : memref<16xf32>
    memref.store %v, %c[%i] : memref<16xf32>
  }
  scf.forall (%i) in (16) {
    %v = memref.load %b[%i] : memref<16xf32>
    memref.store %v, %d[%i] : memref<16xf32>
  }
  return
}

// -----

// A loop of scalars inside a generic is code like any other: the rotation reads
// what the product has written.
// CHECK-LABEL: func @loop_over_a_generic_waits
// CHECK: call @llama_barrier
// CHECK: vector.transfer_write
// CHECK: call @llama_barrier
// CHECK: linalg.generic
// CHECK-NOT: call @llama_barrier
func.func @loop_over_a_generic_waits(%x: memref<16x8xf32>, %y: memref<16x8xf32>) {
  %c0 = arith.constant 0 : index
  %zeros = arith.constant dense<0.0> : vector<8xf32>
  scf.forall (%i) in (16) {
    vector.transfer_write %zeros, %x[%i, %c0] {in_bounds = [true]} : vector<8xf32>, memref<16x8xf32>
  }
  scf.forall (%i) in (16) {
    %from = memref.subview %x[%i, 0] [1, 8] [1, 1] : memref<16x8xf32> to memref<8xf32, strided<[1], offset: ?>>
    %into = memref.subview %y[%i, 0] [1, 8] [1, 1] : memref<16x8xf32> to memref<8xf32, strided<[1], offset: ?>>
    linalg.generic {indexing_maps = [affine_map<(j) -> (j)>, affine_map<(j) -> (j)>], iterator_types = ["parallel"]}
        ins(%from : memref<8xf32, strided<[1], offset: ?>>) outs(%into : memref<8xf32, strided<[1], offset: ?>>) {
    ^bb0(%a: f32, %b: f32):
      linalg.yield %a : f32
    }
  }
  return
}

// -----

// Views of the workspace do not overlap; slices of one view do.
// CHECK-LABEL: func @views_are_buffers_of_their_own
// CHECK: call @llama_barrier
// CHECK: scf.for
// CHECK-NOT: call @llama_barrier
// CHECK: scf.for
// CHECK: call @llama_barrier
// CHECK: scf.for
func.func @views_are_buffers_of_their_own(%space: memref<?xi8>) {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %one = arith.constant 1.0 : f32
  %a = memref.view %space[%c0][] : memref<?xi8> to memref<16xf32>
  %b = memref.view %space[%c64][] : memref<?xi8> to memref<16xf32>
  %half = memref.subview %a[8] [8] [1] : memref<16xf32> to memref<8xf32, strided<[1], offset: 8>>
  scf.forall (%i) in (16) {
    memref.store %one, %a[%i] : memref<16xf32>
  }
  scf.forall (%i) in (16) {
    memref.store %one, %b[%i] : memref<16xf32>
  }
  scf.forall (%i) in (8) {
    memref.store %one, %half[%i] : memref<8xf32, strided<[1], offset: 8>>
  }
  return
}

// -----

// Constant bounds: in each pass a thread meets its own part again.
// CHECK-LABEL: func @loop_repeated_with_constant_bounds_does_not_wait_for_itself
// CHECK: call @llama_barrier
// CHECK: memref.store
// CHECK: scf.for
// CHECK-NOT: call @llama_barrier
// CHECK:   scf.for
// CHECK-NOT: call @llama_barrier
// CHECK: return
func.func @loop_repeated_with_constant_bounds_does_not_wait_for_itself(
    %x: memref<16xf32>, %y: memref<?x16xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %one = arith.constant 1.0 : f32
  scf.forall (%i) in (16) {
    memref.store %one, %x[%i] : memref<16xf32>
  }
  scf.for %pass = %c0 to %n step %c1 {
    scf.forall (%i) in (16) {
      memref.store %one, %y[%pass, %i] : memref<?x16xf32>
    }
  }
  return
}

// -----

// CHECK-LABEL: func @loop_repeated_with_other_bounds_waits
// CHECK: scf.for
// CHECK:   call @llama_barrier
// CHECK:   scf.for
func.func @loop_repeated_with_other_bounds_waits(%y: memref<?x16xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %one = arith.constant 1.0 : f32
  scf.forall (%i) in (16) {
    memref.store %one, %y[%c0, %i] : memref<?x16xf32>
  }
  scf.for %pass = %c0 to %n step %c1 {
    scf.forall (%i) in (%pass) {
      memref.store %one, %y[%pass, %i] : memref<?x16xf32>
    }
  }
  return
}

// -----

// CHECK-LABEL: func @loop_repeated_from_another_start_waits
// CHECK: memref.store %{{.*}}, %[[X:.*]][
// CHECK: scf.for
// CHECK:   call @llama_barrier
// CHECK:   scf.for
// CHECK:     memref.store
func.func @loop_repeated_from_another_start_waits(%x: memref<16xf32>, %y: memref<?x16xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %one = arith.constant 1.0 : f32
  scf.forall (%i) in (16) {
    memref.store %one, %x[%i] : memref<16xf32>
  }
  scf.for %pass = %c0 to %n step %c1 {
    scf.forall (%i) = (%pass) to (16) step (1) {
      memref.store %one, %y[%pass, %i] : memref<?x16xf32>
    }
  }
  return
}

// -----

// The first of two loops meets, in the next round, what the second has left.
// CHECK-LABEL: func @two_loops_repeated_together_wait_for_each_other
// CHECK: scf.for
// CHECK:   call @llama_barrier
// CHECK:   scf.for
// CHECK:   call @llama_barrier
// CHECK:   scf.for
func.func @two_loops_repeated_together_wait_for_each_other(%x: memref<16xf32>, %y: memref<16xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %round = %c0 to %n step %c1 {
    scf.forall (%i) in (16) {
      %v = memref.load %y[%i] : memref<16xf32>
      memref.store %v, %x[%i] : memref<16xf32>
    }
    scf.forall (%i) in (16) {
      %v = memref.load %x[%i] : memref<16xf32>
      memref.store %v, %y[%i] : memref<16xf32>
    }
  }
  return
}

// -----

// The wait for %x stands in front of the passes: if there are none, it happens
// all the same, and the last loop need not wait again.
// CHECK-LABEL: func @loop_after_passes_that_may_be_none_waits
// CHECK: call @llama_barrier
// CHECK: scf.for
// CHECK: call @llama_barrier
// CHECK: scf.for
// CHECK-NOT: call @llama_barrier
// CHECK:   scf.for
// CHECK-NOT: call @llama_barrier
// CHECK: return
func.func @loop_after_passes_that_may_be_none_waits(%x: memref<16xf32>, %y: memref<16xf32>, %z: memref<16xf32>,
                                                    %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %one = arith.constant 1.0 : f32
  scf.forall (%i) in (16) {
    memref.store %one, %x[%i] : memref<16xf32>
  }
  scf.for %pass = %c0 to %n step %c1 {
    scf.forall (%i) in (16) {
      %v = memref.load %x[%i] : memref<16xf32>
      memref.store %v, %y[%i] : memref<16xf32>
    }
  }
  scf.forall (%i) in (16) {
    %v = memref.load %x[%i] : memref<16xf32>
    memref.store %v, %z[%i] : memref<16xf32>
  }
  return
}

// -----

// Every thread reads the number, which one of them has written.
// CHECK-LABEL: func @read_outside_of_loops_waits
// CHECK: call @llama_barrier
// CHECK: memref.store
// CHECK: call @llama_barrier
// CHECK: memref.load
func.func @read_outside_of_loops_waits(%x: memref<16xindex>, %y: memref<?xindex>) {
  %c0 = arith.constant 0 : index
  scf.forall (%i) in (16) {
    memref.store %i, %x[%i] : memref<16xindex>
  }
  %n = memref.load %x[%c0] : memref<16xindex>
  scf.forall (%i) in (%n) {
    memref.store %i, %y[%i] : memref<?xindex>
  }
  return
}

// -----

// In every round all threads read what the round before has written.
// CHECK-LABEL: func @read_between_rounds_waits
// CHECK: scf.for
// CHECK:   call @llama_barrier
// CHECK:   memref.load
// CHECK:   scf.for
// CHECK:     memref.store
func.func @read_between_rounds_waits(%x: memref<16xindex>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %round = %c0 to %n step %c1 {
    %old = memref.load %x[%c0] : memref<16xindex>
    scf.forall (%i) in (16) {
      memref.store %old, %x[%i] : memref<16xindex>
    }
  }
  return
}

// -----

// What a callee does is unknown here; it is given thread, threads and call.
// CHECK-LABEL: func private @callee
// CHECK-SAME: (%{{.*}}: memref<16xf32>, %{{.*}}: index {{.*}}, %{{.*}}: index {{.*}}, %{{.*}}: !llvm.ptr
// CHECK: call @llama_barrier
// CHECK-LABEL: func @loop_after_a_call_waits
// CHECK-SAME: (%[[X:.*]]: memref<16xf32>, %[[Y:.*]]: memref<16xf32>, %[[THREAD:.*]]: index {{.*}}, %[[THREADS:.*]]: index {{.*}}, %[[CALL:.*]]: !llvm.ptr
// CHECK: call @callee(%[[X]], %[[THREAD]], %[[THREADS]], %[[CALL]])
// CHECK: call @llama_barrier
// CHECK: scf.for
// CHECK-LABEL: func @workspace_bytes
// CHECK-SAME: (%{{.*}}: index, %{{.*}}: index) -> index
func.func private @callee(%x: memref<16xf32>) {
  %one = arith.constant 1.0 : f32
  scf.forall (%i) in (16) {
    memref.store %one, %x[%i] : memref<16xf32>
  }
  return
}
func.func @loop_after_a_call_waits(%x: memref<16xf32>, %y: memref<16xf32>) {
  %one = arith.constant 1.0 : f32
  call @callee(%x) : (memref<16xf32>) -> ()
  scf.forall (%i) in (16) {
    memref.store %one, %y[%i] : memref<16xf32>
  }
  return
}
func.func @workspace_bytes(%rows: index, %logit_rows: index) -> index {
  return %rows : index
}

// -----

// CHECK-LABEL: func @loop_after_unknown_code_waits
// CHECK: call @llama_barrier
// CHECK: "test.unknown"
// CHECK: call @llama_barrier
// CHECK: memref.store
func.func @loop_after_unknown_code_waits(%y: memref<16xf32>) {
  %one = arith.constant 1.0 : f32
  scf.forall (%i) in (16) {
    "test.unknown"() : () -> ()
  }
  scf.forall (%i) in (16) {
    memref.store %one, %y[%i] : memref<16xf32>
  }
  return
}

// -----

func.func @store_outside_of_loops_is_refused(%x: memref<16xf32>) {
  %c0 = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  // expected-error @+1 {{'memref.store' op writes memory outside of a parallel loop}}
  memref.store %one, %x[%c0] : memref<16xf32>
  return
}

// -----

func.func @generic_outside_of_loops_is_refused(%x: memref<16xf32>) {
  %one = arith.constant 1.0 : f32
  // expected-error @+1 {{'linalg.fill' op writes memory outside of a parallel loop}}
  linalg.fill ins(%one : f32) outs(%x : memref<16xf32>)
  return
}

// -----

func.func @store_in_a_plain_loop_is_refused(%x: memref<16xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %one = arith.constant 1.0 : f32
  scf.for %i = %c0 to %n step %c1 {
    // expected-error @+1 {{'memref.store' op writes memory outside of a parallel loop}}
    memref.store %one, %x[%i] : memref<16xf32>
  }
  return
}

// -----

func.func @store_under_a_condition_is_refused(%x: memref<16xf32>, %yes: i1) {
  %c0 = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  // expected-error @+1 {{'scf.if' op writes memory outside of a parallel loop}}
  scf.if %yes {
    memref.store %one, %x[%c0] : memref<16xf32>
  }
  return
}

// -----

func.func @unknown_code_outside_of_loops_is_refused() {
  // expected-error @+1 {{'test.unknown' op writes memory outside of a parallel loop}}
  "test.unknown"() : () -> ()
  return
}

// -----

func.func @unknown_code_between_rounds_is_refused(%x: memref<16xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %one = arith.constant 1.0 : f32
  scf.for %round = %c0 to %n step %c1 {
    // expected-error @+1 {{'test.unknown' op writes memory outside of a parallel loop}}
    "test.unknown"() : () -> ()
    scf.forall (%i) in (16) {
      memref.store %one, %x[%i] : memref<16xf32>
    }
  }
  return
}

// -----

// What lies between a barrier and the next is a step: the ops that it comes from,
// the weights that it reads, whole in panels or in rows, and whose rows.
// Recording scores needs no barrier of its own, and is for few calls: it counts
// as no attention.
// CHECK: module attributes {llama.steps = [
// CHECK-SAME: {matrices = [], ops = ["embed"], rows = "rows", tables = ["table"]},
// CHECK-SAME: {matrices = ["layers.a"], ops = ["linear"], rows = "prompt_rows", tables = []},
// CHECK-SAME: {matrices = ["layers.a"], ops = ["linear", "add", "record_scores"], rows = "generated_rows", tables = []},
// CHECK-SAME: {cache, matrices = [], ops = ["fused_attention"], rows = "rows", tables = []},
// CHECK-SAME: {matrices = [], ops = ["record_scores"], rows = "rows", tables = []},
// CHECK-SAME: {matrices = ["layers.a"], ops = [], rows = "logit_rows", tables = []}]
// CHECK-LABEL: func @steps_say_what_barriers_stand_before
// CHECK-SAME: (%[[LAYER:[a-z0-9]*]]: index {llama.argument = "layer"}
// CHECK: call @llama_barrier(%{{.*}}, %c0, %[[LAYER]])
// CHECK: call @llama_barrier(%{{.*}}, %c1, %[[LAYER]])
// CHECK: scf.for
// CHECK: call @llama_barrier(%{{.*}}, %c2, %[[LAYER]])
// CHECK: scf.for
// CHECK: call @llama_barrier(%{{.*}}, %c3, %[[LAYER]])
// CHECK: call @llama_barrier(%{{.*}}, %c4, %[[LAYER]])
// CHECK: call @llama_barrier(%{{.*}}, %c5, %[[LAYER]])
// CHECK-NOT: call @llama_barrier
module attributes {llama.weights = [{name = "layers.a", offset = 0 : i64}, {name = "table", offset = 4096 : i64}]} {
  func.func @steps_say_what_barriers_stand_before(%layer: index {llama.argument = "layer"},
      %x: memref<?x8xf32> {llama.argument = "x", llama.extent = "rows"},
      %y: memref<?x8xf32> {llama.argument = "y", llama.extent = "logit_rows"},
      %kv: memref<?xf32> {llama.argument = "kv"}, %scores: memref<?xf32>,
      %weights: memref<?xi8> {llama.argument = "weights"},
      %prompt: index {llama.argument = "prompt_rows"}) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4096 = arith.constant 4096 : index
    %rows = memref.dim %x, %c0 : memref<?x8xf32>
    %logit_rows = memref.dim %y, %c0 : memref<?x8xf32>
    %a = memref.view %weights[%c0][] : memref<?xi8> to memref<8xf32>
    %bytes = memref.view %weights[%c4096][] : memref<?xi8> to memref<64xi8>
    %table = memref.view %bytes[%c0][] : memref<64xi8> to memref<16xf32>
    scf.forall (%i) in (%rows) {
      %v = memref.load %table[%i] : memref<16xf32> loc(#embed)
      memref.store %v, %x[%i, %c0] : memref<?x8xf32> loc(#embed)
    }
    scf.for %row = %c0 to %prompt step %c1 {
      scf.forall (%i) in (8) {
        %v = memref.load %a[%i] : memref<8xf32> loc(#linear)
        memref.store %v, %x[%row, %i] : memref<?x8xf32> loc(#linear)
      }
    }
    scf.for %row = %prompt to %rows step %c1 {
      scf.forall (%i) in (8) {
        %v = memref.load %a[%i] : memref<8xf32> loc(#linear)
        memref.store %v, %x[%row, %i] : memref<?x8xf32> loc(#add)
      }
    }
    scf.forall (%i) in (%rows) {
      %v = memref.load %kv[%i] : memref<?xf32> loc(#record)
      memref.store %v, %scores[%i] : memref<?xf32> loc(#record)
    }
    scf.forall (%i) in (%rows) {
      %v = memref.load %kv[%i] : memref<?xf32> loc(#attention)
      memref.store %v, %x[%i, %c0] : memref<?x8xf32> loc(#attention)
    }
    scf.forall (%i) in (%rows) {
      %v = memref.load %kv[%i] : memref<?xf32> loc(#record)
      memref.store %v, %x[%i, %c0] : memref<?x8xf32> loc(#record)
    }
    scf.for %row = %c0 to %logit_rows step %c1 {
      scf.forall (%i) in (8) {
        %v = memref.load %a[%i] : memref<8xf32>
        %w = memref.load %x[%row, %i] : memref<?x8xf32>
        %sum = arith.addf %v, %w : f32
        memref.store %sum, %y[%row, %i] : memref<?x8xf32>
      }
    }
    return
  }
}
#unknown = loc(unknown)
#embed = loc(fused<{op = "embed"}>[#unknown])
#linear = loc(fused<{weight = "layers.a"}>[fused<{op = "linear"}>["layers.a"(#unknown)]])
#add = loc(fused<{op = "add"}>[#unknown])
#record = loc(fused<{op = "record_scores"}>[#unknown])
#attention = loc(fused<{op = "fused_attention"}>[#unknown])
