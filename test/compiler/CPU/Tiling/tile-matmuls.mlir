// RUN: llama-opt %s --llama-cpu-tile-matmuls --canonicalize --cse --split-input-file --verify-diagnostics \
// RUN:   | FileCheck %s

// A parallel loop over blocks of 256 rows and 32 columns, then 8 rows by 32 columns and,
// for the rows that are left, one by 16, side by side. Of a row every tile takes all
// 64 elements: the sum is never cut.
// CHECK-DAG: #[[BLOCK:.*]] = affine_map<(d0)[s0] -> (-d0 + s0, 256)>
// CHECK-DAG: #[[EIGHTS:.*]] = affine_map<(d0) -> ((d0 floordiv 8) * 8)>
// CHECK-LABEL: func @product_becomes_tiles
// CHECK-SAME: (%[[X:.*]]: tensor<?x64xbf16>, %[[Y:.*]]: tensor<?x64xf32>)
// CHECK: %[[N:.*]] = tensor.dim %[[Y]]
// CHECK: scf.forall (%[[FIRST:.*]], %[[COLUMN:.*]]) = (0, 0) to (%[[N]], 64) step (256, 32)
// CHECK-SAME: shared_outs(%{{.*}} = %[[Y]])
// CHECK:   %[[ROWS:.*]] = affine.min #[[BLOCK]](%[[FIRST]])[%[[N]]]
// CHECK:     %[[END:.*]] = affine.apply #[[EIGHTS]](%[[ROWS]])
// CHECK:     scf.for %{{.*}} = %c0 to %[[END]] step %c8
// CHECK:       %[[EIGHT:.*]] = tensor.extract_slice %[[X]]{{.*}} to tensor<8x64xbf16>
// CHECK:       kernel.matmul rows(%[[EIGHT]] : {{.*}} from %[[COLUMN]] into(%{{[^ ,:)]*}}
// CHECK-SAME:       : tensor<8x32xf32>) tile <"fma.512" 8 x 32> ->
// CHECK:     scf.for %{{.*}} = %[[END]] to %[[ROWS]] step %c1
// CHECK:       %[[ONE:.*]] = tensor.extract_slice %[[X]]{{.*}} to tensor<1x64xbf16>
// CHECK:       kernel.matmul rows(%[[ONE]] : {{.*}} from %[[COLUMN]] into(%{{[^ ,:)]*}}
// CHECK-SAME:       : tensor<1x16xf32>) tile <"fma.512" 1 x 16> ->
// CHECK:       %[[NEXT:.*]] = affine.apply #{{.*}}(%[[COLUMN]])
// CHECK:       kernel.matmul rows(%[[ONE]] : {{.*}} from %[[NEXT]] into(%{{[^ ,:)]*}}
// CHECK-SAME:       : tensor<1x16xf32>) tile <"fma.512" 1 x 16> ->
// CHECK-NOT: kernel.matmul
// CHECK:     tensor.parallel_insert_slice
llama.weight @w layout "panels16" : tensor<64x64xbf16>
func.func @product_becomes_tiles(%x: tensor<?x64xbf16>, %init: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %y = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<64x64xbf16>) into(%init : tensor<?x64xf32>)
         schedule <rows = 256 x 32 ["fma.512" 8 x 32, "fma.512" 1 x 16]> -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// -----

// The first block of rows asks for the panels of the next columns, and it alone.
// CHECK-LABEL: func @first_rows_ask_for_the_next_columns
// CHECK: scf.forall
// CHECK:   %[[ANY:.*]] = arith.cmpi ugt, %[[END:.*]], %c0
// CHECK:   scf.if %[[ANY]]
// CHECK:     kernel.matmul {{.*}} tile <"fma.512" 8 x 32> prefetch 32 ->
// CHECK:   scf.for %{{.*}} = %c8 to %[[END]] step %c8
// CHECK:     kernel.matmul {{.*}} tile <"fma.512" 8 x 32> ->
// CHECK:   scf.for %{{.*}} = %[[END]] to %{{.*}} step %c1
// CHECK:     kernel.matmul {{.*}} tile <"fma.512" 1 x 32> ->
// CHECK-NOT: kernel.matmul
llama.weight @w layout "panels16" : tensor<64x64xbf16>
func.func @first_rows_ask_for_the_next_columns(%x: tensor<?x64xbf16>, %init: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %y = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<64x64xbf16>) into(%init : tensor<?x64xf32>)
         schedule <rows = 256 x 32 prefetch ["fma.512" 8 x 32, "fma.512" 1 x 32]> -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// -----

// 40 columns are one block of 32 and one of 8: tiles are static, so the last block has
// code of its own.
// CHECK-LABEL: func @columns_that_remain_have_tiles_of_their_own
// CHECK: scf.forall (%{{.*}}, %[[COLUMN:.*]]) = (0, 0) to (%{{.*}}, 40) step (256, 32)
// CHECK:   %[[WHOLE:.*]] = arith.cmpi ult, %[[COLUMN]], %c32
// CHECK:   scf.if %[[WHOLE]]
// CHECK:     kernel.matmul {{.*}} into(%{{.*}} : tensor<8x32xf32>) tile <"fma.512" 8 x 32>
// CHECK-COUNT-2: kernel.matmul {{.*}} into(%{{.*}} : tensor<1x16xf32>) tile <"fma.512" 1 x 16>
// CHECK:   } else {
// CHECK:     kernel.matmul {{.*}} into(%{{.*}} : tensor<8x8xf32>) tile <"fma.512" 8 x 32>
// CHECK:     kernel.matmul {{.*}} into(%{{.*}} : tensor<1x8xf32>) tile <"fma.512" 1 x 16>
// CHECK-NOT: kernel.matmul
llama.weight @w layout "panels16" : tensor<40x64xbf16>
func.func @columns_that_remain_have_tiles_of_their_own(%x: tensor<?x64xbf16>, %init: tensor<?x40xf32>)
    -> tensor<?x40xf32> {
  %y = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<40x64xbf16>) into(%init : tensor<?x40xf32>)
         schedule <rows = 256 x 32 ["fma.512" 8 x 32, "fma.512" 1 x 16]> -> tensor<?x40xf32>
  return %y : tensor<?x40xf32>
}

// -----

// Tile registers take whole panels: the last 8 of 40 columns are left to vectors.
// CHECK-LABEL: func @tile_registers_take_whole_panels
// CHECK: scf.if
// CHECK:   kernel.matmul {{.*}} tile <"tdpbssd" 16 x 32>
// CHECK:   kernel.matmul {{.*}} tile <"vpdpbusd.512" 1 x 32>
// CHECK: } else {
// CHECK-NOT: tdpbssd
// CHECK:   kernel.matmul {{.*}} into(%{{.*}} : tensor<1x8xf32>) tile <"vpdpbusd.512" 1 x 32>
// CHECK-NOT: kernel.matmul
llama.weight @w layout "panels16" : tensor<40x64x!llama.quantized<4, 64>>
func.func @tile_registers_take_whole_panels(%x: tensor<?x64xi8>, %scales: tensor<?x1xf32>, %sums: tensor<?x1xi32>,
                                            %init: tensor<?x40xf32>) -> tensor<?x40xf32> {
  %y = kernel.matmul rows(%x : tensor<?x64xi8>) scales(%scales : tensor<?x1xf32>) sums(%sums : tensor<?x1xi32>)
         matrix(@w : tensor<40x64x!llama.quantized<4, 64>>) into(%init : tensor<?x40xf32>)
         schedule <rows = 256 x 32 ["tdpbssd" 16 x 32, "vpdpbusd.512" 1 x 32]> -> tensor<?x40xf32>
  return %y : tensor<?x40xf32>
}

// -----

// Rows of prompts come first and have a nest of their own: columns of a block, then rows,
// as many as there are. The matrix is asked for 64 columns at a time.
// CHECK-DAG: #[[BLOCK:.*]] = affine_map<(d0, d1) -> (32, d0 - d1)>
// CHECK-LABEL: func @rows_of_prompts_have_a_nest_of_their_own
// CHECK: %[[PROMPT:.*]] = kernel.prefill_rows
// CHECK: %[[DONE:.*]] = scf.forall {{.*}} = (0, 0) to (%[[PROMPT]], 128) step (64, 64)
// CHECK:     %[[ROWS:.*]] = affine.min
// CHECK:     scf.for {{.*}} = %c0 to %c64 step %c32
// CHECK:       scf.for %[[ROW:.*]] = %c0 to %[[ROWS]] step %c32
// CHECK:         affine.min #[[BLOCK]](%[[ROWS]], %[[ROW]])
// CHECK:         kernel.matmul {{.*}} into(%{{.*}} : tensor<?x32xf32>) tile <"tdpbf16ps" 32 x 32> prefetch 64 ->
// CHECK: scf.forall {{.*}} = (%[[PROMPT]], 0) to (%{{.*}}, 128) step (256, 32) shared_outs(%{{.*}} = %[[DONE]])
// CHECK-NOT: tdpbf16ps
// CHECK:     kernel.matmul {{.*}} tile <"fma.512" 1 x 32>
// CHECK-NOT: kernel.matmul
llama.weight @w layout "panels16" : tensor<128x64xbf16>
func.func @rows_of_prompts_have_a_nest_of_their_own(%x: tensor<?x64xbf16>, %init: tensor<?x128xf32>)
    -> tensor<?x128xf32> {
  %y = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<128x64xbf16>) into(%init : tensor<?x128xf32>)
         schedule <prefill = 64 x 64 prefetch ["tdpbf16ps" 32 x 32],
                   decode = 256 x 32 ["fma.512" 1 x 32]> -> tensor<?x128xf32>
  return %y : tensor<?x128xf32>
}

// -----

// 96 columns: a block of 64 and one of 32, each with code of its own.
// CHECK-LABEL: func @columns_that_remain_of_a_block
// CHECK: scf.if
// CHECK:   kernel.matmul {{.*}} into(%{{.*}} : tensor<?x64xf32>) tile <"tdpbf16ps" 32 x 64 by 32>
// CHECK: } else {
// CHECK:   kernel.matmul {{.*}} into(%{{.*}} : tensor<?x32xf32>) tile <"tdpbf16ps" 32 x 64 by 32>
llama.weight @w layout "panels16" : tensor<96x64xbf16>
func.func @columns_that_remain_of_a_block(%x: tensor<?x64xbf16>, %init: tensor<?x96xf32>) -> tensor<?x96xf32> {
  %y = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<96x64xbf16>) into(%init : tensor<?x96xf32>)
         schedule <prefill = 32 x 64 ["tdpbf16ps" 32 x 64 by 32],
                   decode = 256 x 32 ["fma.512" 1 x 32]> -> tensor<?x96xf32>
  return %y : tensor<?x96xf32>
}

// -----

// Sums of a part of k wait in the product's own place, not on a thread's stack. So the add of
// prompts' rows comes after all of them; of the others it joins.
// CHECK-LABEL: func @sums_in_parts_are_added_to_the_stream_afterwards
// CHECK-SAME: (%{{.*}}: tensor<?x64xbf16>, %[[INIT:.*]]: tensor<?x64xf32>, %[[STREAM:.*]]: tensor<?x64xf32>)
// CHECK: %[[PROMPT:.*]] = kernel.prefill_rows
// CHECK: %[[SUMS:.*]] = scf.forall {{.*}} = (0, 0) to (%[[PROMPT]], 64) {{.*}} shared_outs(%{{.*}} = %[[INIT]])
// CHECK:   kernel.matmul {{.*}} tile <"tdpbf16ps" 32 x 32 by 32>
// CHECK-NOT: linalg.generic
// CHECK: %[[READ:.*]] = tensor.extract_slice %[[SUMS]][0, 0] [%[[PROMPT]], 64]
// CHECK: %[[OLD:.*]] = tensor.extract_slice %[[STREAM]][0, 0] [%[[PROMPT]], 64]
// CHECK: %[[ADDED:.*]] = linalg.generic {{.*}} ins(%[[READ]] : {{.*}} outs(%[[OLD]] :
// CHECK: %[[DONE:.*]] = tensor.insert_slice %[[ADDED]] into %[[STREAM]][0, 0] [%[[PROMPT]], 64]
// CHECK: scf.forall {{.*}} = (%[[PROMPT]], 0) to {{.*}} shared_outs(%{{.*}} = %[[DONE]])
// CHECK:   kernel.matmul {{.*}} tile <"fma.512" 1 x 32>
// CHECK:   linalg.generic
#id = affine_map<(d0, d1) -> (d0, d1)>
llama.weight @w layout "panels16" : tensor<64x64xbf16>
func.func @sums_in_parts_are_added_to_the_stream_afterwards(%x: tensor<?x64xbf16>, %init: tensor<?x64xf32>,
    %stream: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %y = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<64x64xbf16>) into(%init : tensor<?x64xf32>)
         schedule <prefill = 32 x 32 ["tdpbf16ps" 32 x 32 by 32],
                   decode = 256 x 32 ["fma.512" 1 x 32]> -> tensor<?x64xf32>
  %sum = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y : tensor<?x64xf32>) outs(%stream : tensor<?x64xf32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    linalg.yield %c : f32
  } -> tensor<?x64xf32>
  return %sum : tensor<?x64xf32>
}

// -----

// The add joins: the product has a place the size of a tile, and what the stream was
// is read where its sum is written, row by row.
// CHECK-LABEL: func @residual_add_is_in_place
// CHECK-SAME: (%{{.*}}: tensor<?x64xbf16>, %{{.*}}: tensor<?x64xf32>, %[[STREAM:.*]]: tensor<?x64xf32>)
// CHECK-NOT: tensor.empty(%
// CHECK: scf.forall {{.*}} step (256, 32) shared_outs(%[[SHARED:.*]] = %[[STREAM]])
// CHECK:     scf.for %[[R:.*]] = %c0 to %{{.*}} step %c8 iter_args(%[[PART:.*]] = %{{.*}})
// CHECK:       %[[PLACE:.*]] = tensor.empty() : tensor<8x32xf32>
// CHECK:       %[[SUMS:.*]] = kernel.matmul {{.*}} into(%[[PLACE]] : tensor<8x32xf32>)
// CHECK:       scf.for %[[I:.*]] = %c0 to %c8 step %c1 iter_args(%[[DONE:.*]] = %[[PART]])
// CHECK:         %[[OLD:.*]] = tensor.extract_slice %[[DONE]][%{{.*}}, 0] [1, 32]
// CHECK:         %[[SUM:.*]] = tensor.extract_slice %[[SUMS]][%[[I]], 0] [1, 32]
// CHECK:         linalg.generic {{.*}} ins(%[[SUM]] : {{.*}} outs(%[[OLD]] :
// CHECK:     scf.for {{.*}} step %c1
// CHECK:       kernel.matmul {{.*}} tile <"fma.512" 1 x 32>
// CHECK:       linalg.generic {{.*}} outs(%{{.*}} : tensor<1x32xf32>)
// CHECK-NOT: kernel.matmul
// CHECK-NOT: linalg.generic
#id = affine_map<(d0, d1) -> (d0, d1)>
llama.weight @w layout "panels16" : tensor<64x64xbf16>
func.func @residual_add_is_in_place(%x: tensor<?x64xbf16>, %init: tensor<?x64xf32>, %stream: tensor<?x64xf32>)
    -> tensor<?x64xf32> {
  %y = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<64x64xbf16>) into(%init : tensor<?x64xf32>)
         schedule <rows = 256 x 32 ["fma.512" 8 x 32, "fma.512" 1 x 32]> -> tensor<?x64xf32>
  %sum = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y : tensor<?x64xf32>) outs(%stream : tensor<?x64xf32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    linalg.yield %c : f32
  } -> tensor<?x64xf32>
  return %sum : tensor<?x64xf32>
}

// -----

// A thread's stack has the place of a product that an epilogue reads: for a block of rows
// it has as many as a block may have, of which those are used that there are.
// CHECK-LABEL: func @block_has_a_place_of_its_height
// CHECK:   %[[PLACE:.*]] = bufferization.alloc_tensor() : tensor<64x32xf32>
// CHECK:   %[[USED:.*]] = tensor.extract_slice %[[PLACE]][0, 0] [%[[COUNT:.*]], 32]
// CHECK:   kernel.matmul {{.*}} into(%[[USED]] : tensor<?x32xf32>) tile <"tdpbf16ps" 64 x 32>
// CHECK:   scf.for %{{.*}} = %c0 to %[[COUNT]] step %c1
// CHECK:     linalg.generic {{.*}} outs(%{{.*}} : tensor<1x32xf32>)
#id = affine_map<(d0, d1) -> (d0, d1)>
llama.weight @w layout "panels16" : tensor<64x64xbf16>
func.func @block_has_a_place_of_its_height(%x: tensor<?x64xbf16>, %init: tensor<?x64xf32>,
    %stream: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %y = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<64x64xbf16>) into(%init : tensor<?x64xf32>)
         schedule <prefill = 256 x 32 ["tdpbf16ps" 64 x 32],
                   decode = 256 x 32 ["fma.512" 1 x 32]> -> tensor<?x64xf32>
  %sum = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y : tensor<?x64xf32>) outs(%stream : tensor<?x64xf32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    linalg.yield %c : f32
  } -> tensor<?x64xf32>
  return %sum : tensor<?x64xf32>
}

// -----

// Both products are computed for a tile, then the gate for that tile.
// CHECK-LABEL: func @two_products_under_one_gate
// CHECK: scf.forall
// CHECK:   %[[A:.*]] = kernel.matmul {{.*}} matrix(@w1 {{.*}} tile <"fma.512" 8 x 32>
// CHECK:   %[[B:.*]] = kernel.matmul {{.*}} matrix(@w3 {{.*}} tile <"vdpbf16ps.512" 8 x 32>
// CHECK:   scf.for
// CHECK:     %[[OFA:.*]] = tensor.extract_slice %[[A]]
// CHECK:     %[[OFB:.*]] = tensor.extract_slice %[[B]]
// CHECK:     linalg.generic {{.*}} ins(%[[OFA]], %[[OFB]] :
// CHECK:   kernel.matmul {{.*}} matrix(@w1 {{.*}} tile <"fma.512" 1 x 32>
// CHECK:   kernel.matmul {{.*}} matrix(@w3 {{.*}} tile <"vdpbf16ps.512" 1 x 32>
// CHECK:   linalg.generic
// CHECK-NOT: scf.forall (
// CHECK-NOT: linalg.generic
#id = affine_map<(d0, d1) -> (d0, d1)>
llama.weight @w1 layout "panels16" : tensor<64x64xbf16>
llama.weight @w3 layout "panels16" : tensor<64x64xbf16>
func.func @two_products_under_one_gate(%x: tensor<?x64xbf16>, %init: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %y = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w1 : tensor<64x64xbf16>) into(%init : tensor<?x64xf32>)
         schedule <rows = 256 x 32 ["fma.512" 8 x 32, "fma.512" 1 x 32]> -> tensor<?x64xf32>
  %z = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w3 : tensor<64x64xbf16>) into(%init : tensor<?x64xf32>)
         schedule <rows = 256 x 32 ["vdpbf16ps.512" 8 x 32, "vdpbf16ps.512" 1 x 32]> -> tensor<?x64xf32>
  %gate = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y, %z : tensor<?x64xf32>, tensor<?x64xf32>) outs(%init : tensor<?x64xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %d = arith.mulf %a, %b : f32
    linalg.yield %d : f32
  } -> tensor<?x64xf32>
  return %gate : tensor<?x64xf32>
}

// -----

// Loops of other sizes do not serve both: each product has its own, the gate none.
// CHECK-LABEL: func @products_of_other_loops_stand_alone
// CHECK: scf.forall
// CHECK-COUNT-2: kernel.matmul {{.*}} matrix(@w1
// CHECK: scf.forall
// CHECK-COUNT-2: kernel.matmul {{.*}} matrix(@w3
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<?x64xf32>)
// CHECK-NOT: kernel.matmul
#id = affine_map<(d0, d1) -> (d0, d1)>
llama.weight @w1 layout "panels16" : tensor<64x64xbf16>
llama.weight @w3 layout "panels16" : tensor<64x64xbf16>
func.func @products_of_other_loops_stand_alone(%x: tensor<?x64xbf16>, %init: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %y = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w1 : tensor<64x64xbf16>) into(%init : tensor<?x64xf32>)
         schedule <rows = 256 x 32 ["fma.512" 8 x 32, "fma.512" 1 x 32]> -> tensor<?x64xf32>
  %z = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w3 : tensor<64x64xbf16>) into(%init : tensor<?x64xf32>)
         schedule <rows = 256 x 32 ["fma.512" 4 x 32, "fma.512" 1 x 32]> -> tensor<?x64xf32>
  %gate = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y, %z : tensor<?x64xf32>, tensor<?x64xf32>) outs(%init : tensor<?x64xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %d = arith.mulf %a, %b : f32
    linalg.yield %d : f32
  } -> tensor<?x64xf32>
  return %gate : tensor<?x64xf32>
}

// -----

// CHECK-LABEL: func @product_with_two_readers_stands_alone
// CHECK: %[[Y:.*]] = scf.forall {{.*}} step (256, 32)
// CHECK-COUNT-2: kernel.matmul
// CHECK-NOT: linalg.generic
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%[[Y]] : tensor<?x64xf32>)
// CHECK: return %[[Y]], %[[SUM]]
#id = affine_map<(d0, d1) -> (d0, d1)>
llama.weight @w layout "panels16" : tensor<64x64xbf16>
func.func @product_with_two_readers_stands_alone(%x: tensor<?x64xbf16>, %init: tensor<?x64xf32>,
    %stream: tensor<?x64xf32>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %y = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<64x64xbf16>) into(%init : tensor<?x64xf32>)
         schedule <rows = 256 x 32 ["fma.512" 8 x 32, "fma.512" 1 x 32]> -> tensor<?x64xf32>
  %sum = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y : tensor<?x64xf32>) outs(%stream : tensor<?x64xf32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    linalg.yield %c : f32
  } -> tensor<?x64xf32>
  return %y, %sum : tensor<?x64xf32>, tensor<?x64xf32>
}

// -----

// What adds up the product is no epilogue, for it needs all of a row.
// CHECK-LABEL: func @sum_of_a_row_does_not_join
// CHECK: %[[Y:.*]] = scf.forall {{.*}} step (256, 32)
// CHECK-COUNT-2: kernel.matmul
// CHECK: linalg.generic {{.*}}"reduction"{{.*}} ins(%[[Y]] : tensor<?x64xf32>)
#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
llama.weight @w layout "panels16" : tensor<64x64xbf16>
func.func @sum_of_a_row_does_not_join(%x: tensor<?x64xbf16>, %init: tensor<?x64xf32>, %sums: tensor<?xf32>)
    -> tensor<?xf32> {
  %y = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<64x64xbf16>) into(%init : tensor<?x64xf32>)
         schedule <rows = 256 x 32 ["fma.512" 8 x 32, "fma.512" 1 x 32]> -> tensor<?x64xf32>
  %sum = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%y : tensor<?x64xf32>) outs(%sums : tensor<?xf32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    linalg.yield %c : f32
  } -> tensor<?xf32>
  return %sum : tensor<?xf32>
}

// -----

llama.weight @w layout "panels16" : tensor<64x64xbf16>
func.func @product_that_nobody_scheduled(%x: tensor<?x64xbf16>, %init: tensor<?x64xf32>) -> tensor<?x64xf32> {
  // expected-error @+1 {{'kernel.matmul' op has no schedule, expected one of --llama-cpu-select-kernels}}
  %y = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<64x64xbf16>) into(%init : tensor<?x64xf32>)
      -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// -----

// Rows of prompts of two products follow each other, then the others of both. A product that
// reads all rows of them has its own rows of prompts after these.
// CHECK-LABEL: func @rows_of_prompts_of_several_products
// CHECK: %[[A0:.*]] = scf.forall
// CHECK:   matrix(@a {{.*}} tile <"tdpbf16ps" 32 x 32>
// CHECK: %[[B0:.*]] = scf.forall
// CHECK:   matrix(@b {{.*}} tile <"tdpbf16ps" 32 x 32>
// CHECK: scf.forall {{.*}} shared_outs(%{{.*}} = %[[A0]])
// CHECK:   matrix(@a {{.*}} tile <"fma.512" 1 x 32>
// CHECK: %[[B:.*]] = scf.forall {{.*}} shared_outs(%{{.*}} = %[[B0]])
// CHECK:   matrix(@b {{.*}} tile <"fma.512" 1 x 32>
// CHECK: %[[X:.*]] = arith.truncf %[[B]]
// CHECK: scf.forall
// CHECK:   tensor.extract_slice %[[X]]
// CHECK:   matrix(@a {{.*}} tile <"tdpbf16ps" 32 x 32>
#prompts = #kernel.schedule<prefill = 32 x 32 ["tdpbf16ps" 32 x 32], decode = 256 x 32 ["fma.512" 1 x 32]>
llama.weight @a layout "panels16" : tensor<64x64xbf16>
llama.weight @b layout "panels16" : tensor<64x64xbf16>
func.func @rows_of_prompts_of_several_products(%x: tensor<?x64xbf16>, %init: tensor<?x64xf32>)
    -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %a = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@a : tensor<64x64xbf16>) into(%init : tensor<?x64xf32>)
         schedule #prompts -> tensor<?x64xf32>
  %b = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@b : tensor<64x64xbf16>) into(%init : tensor<?x64xf32>)
         schedule #prompts -> tensor<?x64xf32>
  %y = arith.truncf %b : tensor<?x64xf32> to tensor<?x64xbf16>
  %c = kernel.matmul rows(%y : tensor<?x64xbf16>) matrix(@a : tensor<64x64xbf16>) into(%init : tensor<?x64xf32>)
         schedule #prompts -> tensor<?x64xf32>
  return %a, %c : tensor<?x64xf32>, tensor<?x64xf32>
}
