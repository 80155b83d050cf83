// RUN: llama-opt %s --llama-add-call-arguments --llama-cpu-forall-to-threads --canonicalize --cse \
// RUN:   --split-input-file --verify-diagnostics --allow-unregistered-dialect | FileCheck %s

// 64 shares for each thread, or steps that are shares themselves. What ran before the
// function is unknown: its first loop waits.
// CHECK-LABEL: func @threads_take_shares_of_a_loop
// CHECK-SAME: (%[[X:.*]]: memref<?xf32>, %[[N:[a-z0-9]*]]: index,
// CHECK-SAME: %[[THREADS:[a-z0-9]*]]: index {llama.argument = "threads"}
// CHECK: kernel.barrier
// CHECK: %[[SHARES:.*]] = arith.muli %[[THREADS]], %c64
// CHECK: %[[EACH:.*]] = arith.divui %[[N]], %[[SHARES]]
// CHECK: %[[WIDTH:.*]] = arith.maxui %[[EACH]], %c1
// CHECK: %[[COUNT:.*]] = arith.ceildivui %[[N]], %[[WIDTH]]
// CHECK: scf.while
// CHECK:   %[[TAKEN:.*]] = kernel.take_share of %[[COUNT]]
// CHECK:   %[[ANY:.*]] = arith.cmpi ult, %[[TAKEN]], %[[COUNT]]
// CHECK:   scf.condition(%[[ANY]]) %[[TAKEN]]
// CHECK: ^bb0(%[[SHARE:.*]]: index):
// CHECK:   %[[BEGIN:.*]] = arith.muli %[[SHARE]], %[[WIDTH]]
// CHECK:   %[[NEXT:.*]] = arith.addi %[[BEGIN]], %[[WIDTH]]
// CHECK:   %[[END:.*]] = arith.minui %[[NEXT]], %[[N]]
// CHECK:   scf.for %[[I:.*]] = %[[BEGIN]] to %[[END]] step %c1
// CHECK:     memref.store %{{.*}}, %[[X]][%[[I]]]
// CHECK-NOT: scf.forall
func.func @threads_take_shares_of_a_loop(%x: memref<?xf32>, %n: index) {
  %one = arith.constant 1.0 : f32
  scf.forall (%i) in (%n) {
    memref.store %one, %x[%i] : memref<?xf32>
  }
  return
}

// -----

// Steps are counted, not elements: 20 columns in panels of 8 are 3 steps.
// CHECK-LABEL: func @loop_of_panels_is_divided_by_panels
// CHECK: %[[COUNT:.*]] = arith.ceildivui %c3, %{{.*}}
// CHECK: kernel.take_share of %[[COUNT]]
// CHECK: scf.for %[[I:.*]] =
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
// CHECK-SAME: (%[[X:.*]]: memref<?x4xf32>, %[[N:[a-z0-9]*]]: index,
// CHECK: %[[TOTAL:.*]] = arith.muli %[[N]], %c4
// CHECK: arith.divui %[[TOTAL]], %{{.*}}
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
// CHECK: kernel.barrier
// CHECK: scf.for
// CHECK: memref.store
// CHECK: kernel.barrier
// CHECK: scf.for
// CHECK: memref.load
// CHECK-NOT: kernel.barrier
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
// CHECK: kernel.barrier
// CHECK: memref.load
// CHECK: kernel.barrier
// CHECK: memref.store
// CHECK-NOT: kernel.barrier
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
// CHECK-COUNT-2: kernel.barrier
// CHECK-NOT: kernel.barrier
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
// CHECK: kernel.barrier
// CHECK: scf.for
// CHECK-NOT: kernel.barrier
// CHECK: scf.for
// CHECK: kernel.barrier
// CHECK: scf.for
// CHECK-NOT: kernel.barrier
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
// CHECK: kernel.barrier
// CHECK: vector.transfer_write
// CHECK: kernel.barrier
// CHECK: linalg.generic
// CHECK-NOT: kernel.barrier
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
// CHECK: kernel.barrier
// CHECK: scf.for
// CHECK-NOT: kernel.barrier
// CHECK: scf.for
// CHECK: kernel.barrier
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

// Who has no share of one round left may be in the next while another writes.
// CHECK-LABEL: func @loop_that_is_repeated_waits
// CHECK: scf.for
// CHECK:   kernel.barrier
// CHECK:   scf.while
func.func @loop_that_is_repeated_waits(%y: memref<?x16xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %one = arith.constant 1.0 : f32
  scf.for %pass = %c0 to %n step %c1 {
    scf.forall (%i) in (16) {
      memref.store %one, %y[%pass, %i] : memref<?x16xf32>
    }
  }
  return
}

// -----

// The first of two loops meets, in the next round, what the second has left.
// CHECK-LABEL: func @two_loops_repeated_together_wait_for_each_other
// CHECK: scf.for
// CHECK:   kernel.barrier
// CHECK:   scf.for
// CHECK:   kernel.barrier
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

// Whether the passes waited is not known: there may be none.
// CHECK-LABEL: func @loop_after_passes_that_may_be_none_waits
// CHECK: kernel.barrier
// CHECK: scf.while
// CHECK: scf.for
// CHECK:   kernel.barrier
// CHECK:   scf.while
// CHECK: kernel.barrier
// CHECK: scf.while
// CHECK-NOT: kernel.barrier
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

// A thread that is late would read what others have long overwritten.
func.func @read_outside_of_loops(%x: memref<16xindex>, %y: memref<?xindex>) {
  %c0 = arith.constant 0 : index
  scf.forall (%i) in (16) {
    memref.store %i, %x[%i] : memref<16xindex>
  }
  // expected-error @+1 {{reads memory outside of a parallel loop}}
  %n = memref.load %x[%c0] : memref<16xindex>
  scf.forall (%i) in (%n) {
    memref.store %i, %y[%i] : memref<?xindex>
  }
  return
}

// -----

// What a callee does is unknown here.
// CHECK-LABEL: func private @callee
// CHECK: kernel.barrier
// CHECK-LABEL: func @loop_after_a_call_waits
// CHECK: call @callee
// CHECK: kernel.barrier
// CHECK: scf.for
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

// -----

// CHECK-LABEL: func @loop_after_unknown_code_waits
// CHECK: kernel.barrier
// CHECK: "test.unknown"
// CHECK: kernel.barrier
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

// What lies between a barrier and the next is a phase: the ops that it comes from,
// the matrices that its rows are multiplied with, tables of which each row reads
// some, and whose rows. Recording scores needs no barrier of its own, and is for few
// calls: it counts as no attention. Buffers that were written are said with the
// units in which threads shared them.
// CHECK-LABEL: func @barriers_say_which_phase_begins
// CHECK-SAME: (%[[LAYER:[a-z0-9]*]]: index {llama.argument = "layer"}, %[[X:[a-z0-9]*]]: memref<?x32xf32>,
// CHECK-SAME: %[[Y:[a-z0-9]*]]: memref<?x64xf32>
// CHECK: kernel.barrier <ops = ["embed"], matrices = [], tables = ["table"], rows = "rows"> layer %[[LAYER]]
// CHECK: kernel.barrier <ops = ["linear"], matrices = ["layers.a"], tables = [],
// CHECK-SAME: rows = "prompt_rows"> layer %[[LAYER]] gathers(%[[X]] : memref<?x32xf32>) cut [#kernel.cut<dim 0 by 1>]
// CHECK: kernel.barrier <ops = ["linear", "record_scores"], matrices = ["layers.a"], tables = [],
// CHECK-SAME: rows = "generated_rows"> {{.*}} gathers(%[[Y]] : memref<?x64xf32>) cut [#kernel.cut<dim 1 by 32>]
// CHECK: kernel.barrier <ops = ["fused_attention"], matrices = [], tables = [], rows = "rows", cache = true>
// CHECK: kernel.barrier <ops = ["logits"], matrices = ["output"], tables = [],
// CHECK-SAME: rows = "logit_rows"> {{.*}} cut [#kernel.cut<dim 0 by 1>]
// CHECK-NOT: kernel.barrier
llama.weight @layers.a layered layout "panels16" : tensor<2x64x32xf32>
llama.weight @output layout "panels16" : tensor<64x32xf32>
llama.weight @table : tensor<16xf32>
func.func @barriers_say_which_phase_begins(%layer: index {llama.argument = "layer"},
    %x: memref<?x32xf32>, %y: memref<?x64xf32>, %logits: memref<?x64xf32>,
    %kv: memref<?xf32> {llama.argument = "kv"}, %scores: memref<?xf32>,
    %prompt: index {llama.argument = "prompt_rows"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rows = memref.dim %x, %c0 : memref<?x32xf32>
  %table = kernel.stored_weight @table : memref<16xf32>
  scf.forall (%i) in (%rows) {
    %v = memref.load %table[%i] : memref<16xf32> loc(#embed)
    %row = memref.subview %x[%i, 0] [1, 32] [1, 1] : memref<?x32xf32> to memref<32xf32, strided<[1], offset: ?>>
    memref.store %v, %row[%c0] : memref<32xf32, strided<[1], offset: ?>> loc(#embed)
  }
  scf.forall (%row, %j) = (0, 0) to (%prompt, 64) step (1, 32) {
    %from = memref.subview %x[%row, 0] [1, 32] [1, 1]
        : memref<?x32xf32> to memref<1x32xf32, strided<[32, 1], offset: ?>>
    %into = memref.subview %y[%row, %j] [1, 32] [1, 1]
        : memref<?x64xf32> to memref<1x32xf32, strided<[64, 1], offset: ?>>
    kernel.matmul rows(%from : memref<1x32xf32, strided<[32, 1], offset: ?>>) matrix(@layers.a[%layer]
        : tensor<64x32xf32>)
      from %j into(%into : memref<1x32xf32, strided<[64, 1], offset: ?>>) part_of "linear"
  }
  scf.forall (%row, %j) = (%prompt, 0) to (%rows, 64) step (1, 32) {
    %from = memref.subview %x[%row, 0] [1, 32] [1, 1]
        : memref<?x32xf32> to memref<1x32xf32, strided<[32, 1], offset: ?>>
    %into = memref.subview %y[%row, %j] [1, 32] [1, 1]
        : memref<?x64xf32> to memref<1x32xf32, strided<[64, 1], offset: ?>>
    kernel.matmul rows(%from : memref<1x32xf32, strided<[32, 1], offset: ?>>) matrix(@layers.a[%layer]
        : tensor<64x32xf32>)
      from %j into(%into : memref<1x32xf32, strided<[64, 1], offset: ?>>) part_of "linear"
  }
  scf.forall (%i) in (%rows) {
    %v = memref.load %kv[%i] : memref<?xf32> loc(#record)
    memref.store %v, %scores[%i] : memref<?xf32> loc(#record)
  }
  scf.forall (%i) in (%rows) {
    %v = memref.load %kv[%i] : memref<?xf32> loc(#attention)
    %own = memref.alloca() : memref<4xf32>
    memref.store %v, %own[%c0] : memref<4xf32>
    %part = memref.subview %x[%i, 0] [1, 32] [1, 1] : memref<?x32xf32> to memref<32xf32, strided<[1], offset: ?>>
    %heads = memref.expand_shape %part [[0, 1]] output_shape [2, 16]
      : memref<32xf32, strided<[1], offset: ?>> into memref<2x16xf32, strided<[16, 1], offset: ?>>
    memref.store %v, %heads[%c0, %c1] : memref<2x16xf32, strided<[16, 1], offset: ?>> loc(#attention)
  }
  scf.forall (%row, %j) = (0, 0) to (%rows, 64) step (1, 32) {
    %from = memref.subview %x[%row, 0] [1, 32] [1, 1]
        : memref<?x32xf32> to memref<1x32xf32, strided<[32, 1], offset: ?>>
    %into = memref.subview %logits[%row, %j] [1, 32] [1, 1]
        : memref<?x64xf32> to memref<1x32xf32, strided<[64, 1], offset: ?>>
    kernel.matmul rows(%from : memref<1x32xf32, strided<[32, 1], offset: ?>>) matrix(@output : tensor<64x32xf32>)
      from %j into(%into : memref<1x32xf32, strided<[64, 1], offset: ?>>) part_of "logits" logits
  }
  return
}
#unknown = loc(unknown)
#embed = loc("llama.embed"(#unknown))
#record = loc("llama.record_scores"(#unknown))
#attention = loc("llama.fused_attention"(#unknown))

// -----

// A row is a part of one, whatever its shape; a block of columns is as wide as a step.
// CHECK-LABEL: func @parts_are_rows_or_blocks_of_columns
// CHECK-SAME: (%[[X:[a-z0-9]*]]: memref<?x64xf32>, %[[Y:[a-z0-9]*]]: memref<4x?x64xf32>,
// CHECK-SAME: %[[Z:[a-z0-9]*]]: memref<?x64xf32>
// CHECK: kernel.barrier
// CHECK: kernel.barrier {{.*}} gathers(%[[X]], %[[Y]] : memref<?x64xf32>, memref<4x?x64xf32>)
// CHECK-SAME: cut [#kernel.cut<dim 0 by 1>, #kernel.cut<dim 2 by 32>]
// CHECK-NOT: kernel.barrier
func.func @parts_are_rows_or_blocks_of_columns(%x: memref<?x64xf32>, %y: memref<4x?x64xf32>, %z: memref<?x64xf32>,
                                               %n: index) {
  %c0 = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  scf.forall (%i) in (%n) {
    %row = memref.subview %x[%i, 0] [1, 64] [1, 1] : memref<?x64xf32> to memref<64xf32, strided<[1], offset: ?>>
    %heads = memref.expand_shape %row [[0, 1]] output_shape [4, 16]
      : memref<64xf32, strided<[1], offset: ?>> into memref<4x16xf32, strided<[16, 1], offset: ?>>
    memref.store %one, %heads[%c0, %c0] : memref<4x16xf32, strided<[16, 1], offset: ?>>
  }
  %last = memref.subview %y[3, 0, 0] [1, %n, 64] [1, 1, 1]
    : memref<4x?x64xf32> to memref<?x64xf32, strided<[64, 1], offset: ?>>
  scf.forall (%j) = (0) to (64) step (32) {
    %part = memref.subview %last[0, %j] [%n, 32] [1, 1]
      : memref<?x64xf32, strided<[64, 1], offset: ?>> to memref<?x32xf32, strided<[64, 1], offset: ?>>
    memref.store %one, %part[%c0, %c0] : memref<?x32xf32, strided<[64, 1], offset: ?>>
  }
  scf.forall (%i) in (%n) {
    %a = memref.load %x[%i, %c0] : memref<?x64xf32>
    %b = memref.load %last[%i, %c0] : memref<?x64xf32, strided<[64, 1], offset: ?>>
    %sum = arith.addf %a, %b : f32
    memref.store %sum, %z[%i, %c0] : memref<?x64xf32>
  }
  return
}

// -----

// Four heads of 16 columns: what is cut is the number times 16. Of several numbers it
// is the first that takes several values.
// CHECK-LABEL: func @heads_are_multiples_of_their_number
// CHECK-SAME: (%[[X:[a-z0-9]*]]: memref<?x64xf32>, %[[Y:[a-z0-9]*]]: memref<1x64xf32>
// CHECK: kernel.barrier
// CHECK: kernel.barrier {{.*}} gathers(%[[X]], %[[Y]] : memref<?x64xf32>, memref<1x64xf32>)
// CHECK-SAME: cut [#kernel.cut<dim 1 by 16>, #kernel.cut<dim 1 by 32>]
// CHECK-NOT: kernel.barrier
func.func @heads_are_multiples_of_their_number(%x: memref<?x64xf32>, %y: memref<1x64xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  scf.forall (%h, %i) in (4, %n) {
    %column = affine.apply affine_map<(d0) -> (d0 * 16)>(%h)
    %part = memref.subview %x[%i, %column] [1, 16] [1, 1] : memref<?x64xf32> to memref<16xf32, strided<[1], offset: ?>>
    memref.store %one, %part[%c0] : memref<16xf32, strided<[1], offset: ?>>
  }
  scf.forall (%i, %j) = (0, 0) to (1, 64) step (1, 32) {
    %part = memref.subview %y[%i, %j] [1, 32] [1, 1] : memref<1x64xf32> to memref<32xf32, strided<[1], offset: ?>>
    memref.store %one, %part[%c0] : memref<32xf32, strided<[1], offset: ?>>
  }
  scf.forall (%i) in (%n) {
    memref.store %one, %x[%i, %c0] : memref<?x64xf32>
    memref.store %one, %y[%c0, %i] : memref<1x64xf32>
  }
  return
}

// -----

// Blocks of a cache lie where a table says; and what was reshaped before it was cut
// has no parts that are known.
// CHECK-LABEL: func @other_places_are_scattered
// CHECK-SAME: (%[[KV:[a-z0-9]*]]: memref<?x64xf32>, %{{.*}}: memref<?xindex>, %[[Y:[a-z0-9]*]]: memref<16x64xf32>
// CHECK: kernel.barrier
// CHECK: kernel.barrier {{.*}} gathers(%[[KV]], %[[Y]] : memref<?x64xf32>, memref<16x64xf32>)
// CHECK-SAME: cut [#kernel.cut<scattered>, #kernel.cut<scattered>]
// CHECK-NOT: kernel.barrier
func.func @other_places_are_scattered(%kv: memref<?x64xf32>, %table: memref<?xindex>, %y: memref<16x64xf32>) {
  %c0 = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  scf.forall (%i) in (16) {
    %block = memref.load %table[%i] : memref<?xindex>
    %place = memref.subview %kv[%block, 0] [1, 64] [1, 1] : memref<?x64xf32> to memref<64xf32, strided<[1], offset: ?>>
    memref.store %one, %place[%c0] : memref<64xf32, strided<[1], offset: ?>>
  }
  %flat = memref.collapse_shape %y [[0, 1]] : memref<16x64xf32> into memref<1024xf32>
  scf.forall (%i) = (0) to (1024) step (64) {
    %part = memref.subview %flat[%i] [64] [1] : memref<1024xf32> to memref<64xf32, strided<[1], offset: ?>>
    memref.store %one, %part[%c0] : memref<64xf32, strided<[1], offset: ?>>
  }
  scf.forall (%i) in (16) {
    memref.store %one, %kv[%i, %c0] : memref<?x64xf32>
    memref.store %one, %y[%i, %c0] : memref<16x64xf32>
  }
  return
}

// -----

// Gathered is what was written since the barrier before, of the buffers that others
// see: a thread's own is not among them.
// CHECK-LABEL: func @own_buffers_are_not_gathered
// CHECK-SAME: (%[[X:[a-z0-9]*]]: memref<16xf32>, %[[Y:[a-z0-9]*]]: memref<16xf32>
// CHECK: kernel.barrier <{{[^>]*}}> cut []
// CHECK: kernel.barrier {{.*}} gathers(%[[X]] : memref<16xf32>)
// CHECK: kernel.barrier {{.*}} gathers(%[[Y]] : memref<16xf32>)
// CHECK-NOT: kernel.barrier
func.func @own_buffers_are_not_gathered(%x: memref<16xf32>, %y: memref<16xf32>) {
  %c0 = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  %own = memref.alloca() : memref<4xf32>
  scf.forall (%i) in (16) {
    memref.store %one, %own[%c0] : memref<4xf32>
    memref.store %one, %x[%i] : memref<16xf32>
  }
  scf.forall (%i) in (16) {
    memref.store %one, %own[%c0] : memref<4xf32>
    %v = memref.load %x[%i] : memref<16xf32>
    memref.store %v, %y[%i] : memref<16xf32>
  }
  scf.forall (%i) in (16) {
    %v = memref.load %y[%i] : memref<16xf32>
    memref.store %v, %x[%i] : memref<16xf32>
  }
  return
}

// -----

// A function that is called for one layer after the other meets what its own end
// has left in what it is given, and what its caller has before the first; its own
// part of the workspace it writes anew.
// CHECK-LABEL: func private @layer
// CHECK-SAME: (%[[X:.*]]: memref<4x64xf32>, %[[Y:[a-z0-9]*]]: memref<4xf32>
// CHECK: kernel.barrier {{.*}} gathers(%[[X]] : memref<4x64xf32>) cut [#kernel.cut<dim 1 by 32>]
// CHECK: kernel.barrier {{.*}} gathers(%[[Y]] : memref<4xf32>) cut [#kernel.cut<scattered>]
// CHECK-NOT: kernel.barrier
// CHECK-LABEL: func @first_barrier_of_a_callee_gathers_what_callers_wrote
// CHECK-SAME: (%[[X:[^ ,:)]*]]: memref<4x64xf32>, %[[Y:[a-z0-9]*]]: memref<4xf32>, %{{[^ ,:)]*}}: memref<?xi8>,
// CHECK-SAME: %[[Z:[a-z0-9]*]]: memref<4x64xf32>
// CHECK: kernel.barrier <{{[^>]*}}> cut []
// CHECK: call @layer
// CHECK: kernel.barrier {{.*}} gathers(%[[Z]], %[[X]] : memref<4x64xf32>, memref<4x64xf32>)
// CHECK-SAME: cut [#kernel.cut<dim 0 by 1>, #kernel.cut<dim 1 by 32>]
func.func private @layer(%x: memref<4x64xf32>, %y: memref<4xf32>, %space: memref<?xi8>) {
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %view = memref.view %space[%c0][] : memref<?xi8> to memref<64xf32>
  scf.forall (%i) in (4) {
    memref.store %one, %y[%i] : memref<4xf32>
  }
  scf.forall (%j) = (0) to (64) step (32) {
    %v = memref.load %y[%c0] : memref<4xf32>
    memref.store %v, %view[%j] : memref<64xf32>
    %part = memref.subview %x[0, %j] [4, 32] [1, 1] : memref<4x64xf32> to memref<4x32xf32, strided<[64, 1], offset: ?>>
    memref.store %v, %part[%c0, %c0] : memref<4x32xf32, strided<[64, 1], offset: ?>>
  }
  return
}
// What is passed to no argument is still pending after the calls.
func.func @first_barrier_of_a_callee_gathers_what_callers_wrote(%x: memref<4x64xf32>, %y: memref<4xf32>,
    %space: memref<?xi8>, %z: memref<4x64xf32>, %layers: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %one = arith.constant 1.0 : f32
  scf.forall (%i) in (4) {
    %row = memref.subview %z[%i, 0] [1, 64] [1, 1] : memref<4x64xf32> to memref<64xf32, strided<[1], offset: ?>>
    memref.store %one, %row[%c0] : memref<64xf32, strided<[1], offset: ?>>
  }
  scf.for %layer = %c0 to %layers step %c1 {
    func.call @layer(%x, %y, %space) : (memref<4x64xf32>, memref<4xf32>, memref<?xi8>) -> ()
  }
  scf.forall (%i) in (4) {
    %v = memref.load %x[%i, %c0] : memref<4x64xf32>
    memref.store %v, %z[%i, %c0] : memref<4x64xf32>
  }
  return
}

// -----

// Both write %x before a barrier of the other: by columns where it is called again,
// by rows where it is called first. Which of them a thread wrote is not known there;
// after the call it is.
// CHECK-LABEL: func private @writes_columns
// CHECK-SAME: (%[[X:.*]]: memref<4x64xf32>
// CHECK: kernel.barrier {{.*}} gathers(%[[X]] : memref<4x64xf32>) cut [#kernel.cut<scattered>]
// CHECK-NOT: kernel.barrier
// CHECK-LABEL: func @cut_after_a_call_is_the_callee_s
// CHECK: call @writes_columns
// CHECK: call @writes_columns
// CHECK: kernel.barrier {{.*}} cut [#kernel.cut<dim 1 by 32>]
func.func private @writes_columns(%x: memref<4x64xf32>) {
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  scf.forall (%j) = (0) to (64) step (32) {
    %part = memref.subview %x[0, %j] [4, 32] [1, 1] : memref<4x64xf32> to memref<4x32xf32, strided<[64, 1], offset: ?>>
    memref.store %one, %part[%c0, %c0] : memref<4x32xf32, strided<[64, 1], offset: ?>>
  }
  return
}
func.func @cut_after_a_call_is_the_callee_s(%x: memref<4x64xf32>, %y: memref<4xf32>) {
  %c0 = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  scf.forall (%i) in (4) {
    %row = memref.subview %x[%i, 0] [1, 64] [1, 1] : memref<4x64xf32> to memref<64xf32, strided<[1], offset: ?>>
    memref.store %one, %row[%c0] : memref<64xf32, strided<[1], offset: ?>>
  }
  call @writes_columns(%x) : (memref<4x64xf32>) -> ()
  call @writes_columns(%x) : (memref<4x64xf32>) -> ()
  scf.forall (%i) in (4) {
    %v = memref.load %x[%i, %c0] : memref<4x64xf32>
    memref.store %v, %y[%i] : memref<4xf32>
  }
  return
}

// -----

// The first barrier of a round gathers what the end of the round before has written
// as well; what is made in a round is not there in the next.
// CHECK-LABEL: func @round_gathers_what_the_round_before_wrote
// CHECK-SAME: (%[[X:[a-z0-9]*]]: memref<?x64xf32>, %[[Y:[a-z0-9]*]]: memref<?x64xf32>
// CHECK: scf.for
// CHECK:   kernel.barrier {{.*}} gathers(%[[Y]] : memref<?x64xf32>) cut [#kernel.cut<dim 0 by 1>]
// CHECK:   kernel.barrier {{.*}} gathers(%[[X]] : memref<?x64xf32>) cut [#kernel.cut<dim 1 by 32>]
func.func @round_gathers_what_the_round_before_wrote(%x: memref<?x64xf32>, %y: memref<?x64xf32>,
    %space: memref<?xi8>, %n: index, %rounds: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %round = %c0 to %rounds step %c1 {
    scf.forall (%j) = (0) to (64) step (32) {
      %v = memref.load %y[%c0, %j] : memref<?x64xf32>
      %part = memref.subview %x[0, %j] [%n, 32] [1, 1]
          : memref<?x64xf32> to memref<?x32xf32, strided<[64, 1], offset: ?>>
      memref.store %v, %part[%c0, %c0] : memref<?x32xf32, strided<[64, 1], offset: ?>>
    }
    %view = memref.view %space[%c0][] : memref<?xi8> to memref<64xf32>
    scf.forall (%i) in (%n) {
      %v = memref.load %x[%i, %c0] : memref<?x64xf32>
      memref.store %v, %view[%i] : memref<64xf32>
      %row = memref.subview %y[%i, 0] [1, 64] [1, 1] : memref<?x64xf32> to memref<64xf32, strided<[1], offset: ?>>
      memref.store %v, %row[%c0] : memref<64xf32, strided<[1], offset: ?>>
    }
  }
  return
}
