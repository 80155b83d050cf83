// Each constraint (Cn) of each op and attribute, broken. `grep -rn "(C1)"` finds
// description, verifier and test of a constraint.
//
// RUN: llama-opt %s --verify-diagnostics --split-input-file

//===----------------------------------------------------------------------===//
// tile
//===----------------------------------------------------------------------===//

// expected-error @+1 {{expected a tile of at least 1 x 1, found 1 x 0}}
func.func private @tile_of_no_columns() attributes {a = #kernel.tile<"fma.512" 1 x 0>} // (C1)

// -----

// expected-error @+1 {{expected a tile of at least 1 x 1, found 0 x 16}}
func.func private @tile_of_no_rows() attributes {a = #kernel.tile<"fma.512" 0 x 16>} // (C1)

// -----

// expected-error @+1 {{expected a tile of at least 1 x 1, found -1 x 32}}
func.func private @tile_of_less_than_no_rows() attributes {a = #kernel.tile<"tdpbssd" -1 x 32>} // (C1)

// -----

// expected-error @+1 {{expected 16 or 32 rows and columns of 'tdpbssd', found 8 x 32}}
func.func private @tile_registers_of_8_rows() attributes {a = #kernel.tile<"tdpbssd" 8 x 32>} // (C2)

// -----

// expected-error @+1 {{expected a tile of at least 1 x 1, found 0 x 32}}
func.func private @block_of_no_rows() attributes {a = #kernel.tile<"tdpbf16ps" 0 x 32>} // (C1)

// -----

// expected-error @+1 {{expected multiples of 32 rows and columns of 'tdpbf16ps', found 32 x 48}}
func.func private @block_of_48_columns() attributes {a = #kernel.tile<"tdpbf16ps" 32 x 48>} // (C2)

// -----

// expected-error @+1 {{expected multiples of 32 rows and columns of 'tdpbf16ps', found 16 x 32}}
func.func private @block_of_16_rows() attributes {a = #kernel.tile<"tdpbf16ps" 16 x 32>} // (C2)

// -----

// expected-error @+1 {{expected a multiple of 32 elements at a time, of a block of tile registers, found 48}}
func.func private @block_of_48_elements() attributes {a = #kernel.tile<"tdpbf16ps" 32 x 32 by 48>} // (C3)

// -----

// expected-error @+1 {{expected a multiple of 32 elements at a time, of a block of tile registers, found 64}}
func.func private @part_of_the_sums_of_bytes() attributes {a = #kernel.tile<"tdpbssd" 32 x 32 by 64>} // (C3)

// -----

// expected-error @+1 {{'fma.1024' is not an instruction of dialects/Kernel/IR/Instructions.def}}
func.func private @tile_of_an_unknown_instruction() attributes {a = #kernel.nest<256 x 32 ["fma.1024" 1 x 16]>}

// -----

//===----------------------------------------------------------------------===//
// nest, schedule
//===----------------------------------------------------------------------===//

// expected-error @+1 {{expected blocks of at least 1 x 1 and a tile, found 0 x 32 and 1 tiles}}
func.func private @nest_of_no_rows() attributes {a = #kernel.nest<0 x 32 ["fma.512" 1 x 16]>} // (C1)

// -----

// expected-error @+1 {{expected blocks of at least 1 x 1 and a tile, found 256 x 0 and 1 tiles}}
func.func private @nest_of_no_columns() attributes {a = #kernel.nest<256 x 0 ["fma.512" 1 x 16]>} // (C1)

// -----

// expected-error @+1 {{expected blocks of at least 1 x 1 and a tile, found 256 x 32 and 0 tiles}}
func.func private @nest_without_tiles() attributes {a = #kernel.nest<256 x 32 []>} // (C1)

// -----

// expected-error @+2 {{expected fewer than 1 rows in the next tile, found 8}}
func.func private @tiles_that_become_higher() attributes {a =
    #kernel.nest<256 x 32 ["fma.512" 1 x 16, "fma.512" 8 x 16]>} // (C2)

// -----

// expected-error @+2 {{expected fewer than 1 rows in the next tile, found 1}}
func.func private @tiles_of_the_same_height() attributes {a =
    #kernel.nest<256 x 32 ["fma.512" 1 x 32, "fma.512" 1 x 16]>} // (C2)

// -----

// expected-error @+1 {{expected a last tile of 1 row, or nothing but a block, found 8}}
func.func private @rows_that_no_tile_takes() attributes {a = #kernel.nest<256 x 32 ["fma.512" 8 x 16]>} // (C2)

// -----

func.func private @rows_that_no_tile_of_a_schedule_takes() attributes {
  // expected-error @+1 {{expected a last tile of 1 row, or nothing but a block, found 32}}
  a = #kernel.schedule<prefill = 256 x 32 ["tdpbf16ps" 64 x 32, "tdpbf16ps" 32 x 32], decode = 256 x 32 ["fma.512" 1 x 32]>}

// -----

//===----------------------------------------------------------------------===//
// vectors, and where attributes are
//===----------------------------------------------------------------------===//

// expected-error @+1 {{expected positive numbers, found 0, 64 and 16}}
module attributes {kernel.vectors = #kernel.vectors<lanes = 0, row_elements = 64, accumulators = 16>} {} // (C1)

// -----

// expected-error @+1 {{expected positive numbers, found 16, -64 and 16}}
module attributes {kernel.vectors = #kernel.vectors<lanes = 16, row_elements = -64, accumulators = 16>} {} // (C1)

// -----

// expected-error @+1 {{expected positive numbers, found 16, 64 and 0}}
module attributes {kernel.vectors = #kernel.vectors<lanes = 16, row_elements = 64, accumulators = 0>} {} // (C1)

// -----

// expected-error @+1 {{is 16 : i64, expected 'kernel.vectors' of #kernel.vectors or 'kernel.phases' of #kernel.phase}}
module attributes {kernel.vectors = 16 : i64} {}

// -----

// expected-error @+1 {{attribute 'kernel.phases' is [1], expected}}
module attributes {kernel.phases = [1]} {}

// -----

// expected-error @+1 {{attribute 'kernel.other' is unit, expected}}
module attributes {kernel.other} {}

// -----

// expected-error @+1 {{attribute 'kernel.tile' is #kernel.tile<"fma.512" 1 x 16>, expected}}
module attributes {kernel.tile = #kernel.tile<"fma.512" 1 x 16>} {}

// -----

// expected-error @+1 {{attribute 'kernel.phases' is [], expected}}
func.func private @function_with_what_is_of_a_module() attributes {kernel.phases = []}

// -----

//===----------------------------------------------------------------------===//
// cut, phase
//===----------------------------------------------------------------------===//

// expected-error @+1 {{expected a unit of at least 1, found 0}}
func.func private @cut_into_parts_of_nothing() attributes {a = #kernel.cut<dim 3 by 0>} // (C1)

// -----

// expected-error @+1 {{expected a unit of at least 1, found 0}}
func.func private @cut_that_is_not_scattered() attributes {a = #kernel.cut<dim 0 by 0>} // (C1)

// -----

// expected-error @+1 {{expected a dimension and a unit of at least 1, found 1 and -32}}
func.func private @cut_into_less_than_nothing() attributes {a = #kernel.cut<dim 1 by -32>} // (C1)

// -----

// expected-error @+1 {{expected a dimension and a unit of at least 1, found -1 and 32}}
func.func private @cut_along_no_dimension() attributes {a = #kernel.cut<dim -1 by 32>} // (C1)

// -----

func.func private @phase_of_other_rows() attributes {
  // expected-error @+1 {{expected 'rows', 'prompt_rows', 'generated_rows' or 'logit_rows', found "columns"}}
  a = #kernel.phase<ops = [], matrices = [], tables = [], rows = "columns">} // (C1)

// -----

//===----------------------------------------------------------------------===//
// stored_weight
//===----------------------------------------------------------------------===//

func.func private @w()
func.func @bytes_of_a_function() {
  // expected-error @+1 {{'kernel.stored_weight' op '@w' is not a declared weight}}
  %0 = kernel.stored_weight @w : memref<64xf32> // (C1)
  return
}

// -----

llama.weight @w layered : tensor<2x64xf32>
func.func @bytes_of_which_layer() {
  // expected-error @+1 {{'kernel.stored_weight' op '@w' is layered, expected a layer number}}
  %0 = kernel.stored_weight @w : memref<64xf32> // (C2)
  return
}

// -----

llama.weight @w : tensor<64xf32>
func.func @bytes_of_a_layer_that_is_none(%layer: index) {
  // expected-error @+1 {{'kernel.stored_weight' op '@w' is not layered, found a layer number}}
  %0 = kernel.stored_weight @w[%layer] : memref<64xf32> // (C2)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<128x64xbf16>
func.func @panels_as_if_they_were_rows() {
  // expected-error @+1 {{is 'memref<128x64xbf16>', but '@w' is stored as 'memref<8x2048xi8>'}}
  %0 = kernel.stored_weight @w : memref<128x64xbf16> // (C3)
  return
}

// -----

llama.weight @w : tensor<128x64xbf16>
func.func @rows_as_if_they_were_panels() {
  // expected-error @+1 {{is 'memref<8x2048xi8>', but '@w' is stored as 'memref<128x64xbf16>'}}
  %0 = kernel.stored_weight @w : memref<8x2048xi8> // (C3)
  return
}

// -----

//===----------------------------------------------------------------------===//
// matmul
//===----------------------------------------------------------------------===//

llama.weight @w layout "panels16" : tensor<16x64xbf16>
func.func @product_with_a_vector(%x: tensor<?x64xbf16>, %y: tensor<?x16xf32>) {
  // expected-error @+1 {{'kernel.matmul' op expected a matrix, found 'tensor<64xbf16>'}}
  %0 = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<64xbf16>) into(%y : tensor<?x16xf32>)
      -> tensor<?x16xf32> // (C1)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<16x64xbf16>
func.func @rows_of_another_width(%x: tensor<?x32xbf16>, %y: tensor<?x16xf32>) {
  // expected-error @+1 {{'kernel.matmul' op expected rows of 64 columns, found 32}}
  %0 = kernel.matmul rows(%x : tensor<?x32xbf16>) matrix(@w : tensor<16x64xbf16>) into(%y : tensor<?x16xf32>)
      -> tensor<?x16xf32> // (C1)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<16x40x!llama.quantized<8, 32>>
func.func @rows_without_the_padding_of_a_group(
    %x: tensor<?x40xi8>, %scales: tensor<?x2xf32>, %sums: tensor<?x2xi32>, %y: tensor<?x16xf32>) {
  // expected-error @+1 {{'kernel.matmul' op expected rows of 64 columns, found 40}}
  %0 = kernel.matmul rows(%x : tensor<?x40xi8>) scales(%scales : tensor<?x2xf32>) sums(%sums : tensor<?x2xi32>)
         matrix(@w : tensor<16x40x!llama.quantized<8, 32>>) into(%y : tensor<?x16xf32>) -> tensor<?x16xf32> // (C1)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<16x64x!llama.quantized<8, 32>>
func.func @integers_without_scales(%x: tensor<?x64xi8>, %y: tensor<?x16xf32>) {
  // expected-error @+1 {{a matrix of '!llama.quantized<8, 32>' takes rows of i8 with scales and sums}}
  %0 = kernel.matmul rows(%x : tensor<?x64xi8>) matrix(@w : tensor<16x64x!llama.quantized<8, 32>>)
      into(%y : tensor<?x16xf32>) -> tensor<?x16xf32> // (C2)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<16x64x!llama.quantized<8, 32>>
func.func @integers_with_rows_of_floats(
    %x: tensor<?x64xf32>, %scales: tensor<?x2xf32>, %sums: tensor<?x2xi32>, %y: tensor<?x16xf32>) {
  // expected-error @+1 {{a matrix of '!llama.quantized<8, 32>' takes rows of i8 with scales and sums}}
  %0 = kernel.matmul rows(%x : tensor<?x64xf32>) scales(%scales : tensor<?x2xf32>) sums(%sums : tensor<?x2xi32>)
         matrix(@w : tensor<16x64x!llama.quantized<8, 32>>) into(%y : tensor<?x16xf32>) -> tensor<?x16xf32> // (C2)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<16x64xbf16>
func.func @floats_with_scales(%x: tensor<?x64xbf16>, %scales: tensor<?x2xf32>, %y: tensor<?x16xf32>) {
  // expected-error @+1 {{'kernel.matmul' op a matrix of 'bf16' takes rows of f32 or bf16 without scales and sums}}
  %0 = kernel.matmul rows(%x : tensor<?x64xbf16>) scales(%scales : tensor<?x2xf32>)
         matrix(@w : tensor<16x64xbf16>) into(%y : tensor<?x16xf32>) -> tensor<?x16xf32> // (C2)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<16x64xbf16>
func.func @floats_with_rows_of_integers(%x: tensor<?x64xi8>, %y: tensor<?x16xf32>) {
  // expected-error @+1 {{'kernel.matmul' op a matrix of 'bf16' takes rows of f32 or bf16 without scales and sums}}
  %0 = kernel.matmul rows(%x : tensor<?x64xi8>) matrix(@w : tensor<16x64xbf16>) into(%y : tensor<?x16xf32>)
      -> tensor<?x16xf32> // (C2)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<16x64x!llama.quantized<8, 32>>
func.func @group_without_a_scale(
    %x: tensor<?x64xi8>, %scales: tensor<?x1xf32>, %sums: tensor<?x2xi32>, %y: tensor<?x16xf32>) {
  // expected-error @+1 {{'kernel.matmul' op expected 2 scales and sums in a row, found 1}}
  %0 = kernel.matmul rows(%x : tensor<?x64xi8>) scales(%scales : tensor<?x1xf32>) sums(%sums : tensor<?x2xi32>)
         matrix(@w : tensor<16x64x!llama.quantized<8, 32>>) into(%y : tensor<?x16xf32>) -> tensor<?x16xf32> // (C3)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<16x64x!llama.quantized<8, 32>>
func.func @more_sums_than_groups(
    %x: tensor<?x64xi8>, %scales: tensor<?x2xf32>, %sums: tensor<?x3xi32>, %y: tensor<?x16xf32>) {
  // expected-error @+1 {{'kernel.matmul' op expected 2 scales and sums in a row, found 3}}
  %0 = kernel.matmul rows(%x : tensor<?x64xi8>) scales(%scales : tensor<?x2xf32>) sums(%sums : tensor<?x3xi32>)
         matrix(@w : tensor<16x64x!llama.quantized<8, 32>>) into(%y : tensor<?x16xf32>) -> tensor<?x16xf32> // (C3)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<16x64x!llama.quantized<8, 32>>
func.func @low_bytes_of_half_a_row(
    %x: tensor<?x64xi8>, %scales: tensor<?x2xf32>, %sums: tensor<?x2xi32>, %low: tensor<?x32xi8>, %y: tensor<?x16xf32>)
        {
  // expected-error @+1 {{'kernel.matmul' op expected low bytes of the shape of the rows}}
  %0 = kernel.matmul rows(%x : tensor<?x64xi8>) scales(%scales : tensor<?x2xf32>) sums(%sums : tensor<?x2xi32>)
      low(%low : tensor<?x32xi8>)
         matrix(@w : tensor<16x64x!llama.quantized<8, 32>>) into(%y : tensor<?x16xf32>) -> tensor<?x16xf32> // (C3)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<16x64xbf16>
func.func @more_columns_than_the_matrix_has(%x: tensor<?x64xbf16>, %y: tensor<?x17xf32>) {
  // expected-error @+1 {{'kernel.matmul' op columns 0 to 16 of a matrix with 16 rows}}
  %0 = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<16x64xbf16>) into(%y : tensor<?x17xf32>)
      -> tensor<?x17xf32> // (C4)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<16x64xbf16>
func.func @columns_past_the_end(%x: tensor<?x64xbf16>, %y: tensor<?x8xf32>) {
  %column = arith.constant 9 : index
  // expected-error @+1 {{'kernel.matmul' op columns 9 to 16 of a matrix with 16 rows}}
  %0 = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<16x64xbf16>) from %column
      into(%y : tensor<?x8xf32>) -> tensor<?x8xf32> // (C4)
  return
}

// -----

// The last columns, and some that nobody knows.
llama.weight @w layout "panels16" : tensor<16x64xbf16>
func.func @columns_within(%x: tensor<?x64xbf16>, %y: tensor<?x8xf32>, %unknown: index) {
  %column = arith.constant 8 : index
  %0 = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<16x64xbf16>) from %column
      into(%y : tensor<?x8xf32>) -> tensor<?x8xf32> // (C4)
  %1 = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<16x64xbf16>) from %unknown
      into(%y : tensor<?x8xf32>) -> tensor<?x8xf32> // (C4)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<16x64xbf16>
func.func @tile_of_bytes_for_floats(%x: tensor<?x64xbf16>, %y: tensor<?x16xf32>) {
  // expected-error @+1 {{'kernel.matmul' op 'vpdpbusd.512' does not take 'bf16' and rows of 'bf16'}}
  %0 = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<16x64xbf16>) into(%y : tensor<?x16xf32>) tile
      <"vpdpbusd.512" 1 x 16> -> tensor<?x16xf32> // (C5)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<16x64xbf16>
func.func @pairs_of_bf16_for_rows_of_f32(%x: tensor<?x64xf32>, %y: tensor<?x16xf32>) {
  // expected-error @+1 {{'kernel.matmul' op 'vdpbf16ps.512' does not take 'bf16' and rows of 'f32'}}
  %0 = kernel.matmul rows(%x : tensor<?x64xf32>) matrix(@w : tensor<16x64xbf16>) into(%y : tensor<?x16xf32>) schedule
      <rows = 256 x 16 ["vdpbf16ps.512" 1 x 16]> -> tensor<?x16xf32> // (C5)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<16x64xf32>
func.func @nest_for_prompts_of_other_elements(%x: tensor<?x64xf32>, %y: tensor<?x16xf32>) {
  // expected-error @+1 {{'kernel.matmul' op 'tdpbf16ps' does not take 'f32' and rows of 'f32'}}
  %0 = kernel.matmul rows(%x : tensor<?x64xf32>) matrix(@w : tensor<16x64xf32>) into(%y : tensor<?x16xf32>)
         schedule <prefill = 256 x 32 ["tdpbf16ps" 32 x 32], decode = 256 x 16 ["fma.512" 1 x 16]>
             -> tensor<?x16xf32> // (C5)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<16x64x!llama.quantized<8, 32>>
func.func @tile_of_floats_for_bytes(
    %x: tensor<?x64xi8>, %scales: tensor<?x2xf32>, %sums: tensor<?x2xi32>, %y: tensor<?x16xf32>) {
  // expected-error @+1 {{'kernel.matmul' op 'fma.512' does not take '!llama.quantized<8, 32>' and rows of 'i8'}}
  %0 = kernel.matmul rows(%x : tensor<?x64xi8>) scales(%scales : tensor<?x2xf32>) sums(%sums : tensor<?x2xi32>)
         matrix(@w : tensor<16x64x!llama.quantized<8, 32>>) into(%y : tensor<?x16xf32>) tile <"fma.512" 1 x 16>
             -> tensor<?x16xf32> // (C5)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<16x64xbf16>
func.func @tensor_without_a_result(%x: tensor<?x64xbf16>, %y: tensor<?x16xf32>) {
  // expected-error @+1 {{expected a result of the type of a tensor that it is computed into, and none of a memref}}
  kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<16x64xbf16>) into(%y : tensor<?x16xf32>) // (C6)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<16x64xbf16>
func.func @result_of_another_type(%x: tensor<?x64xbf16>, %y: tensor<?x16xf32>) {
  // expected-error @+1 {{expected a result of the type of a tensor that it is computed into, and none of a memref}}
  %0 = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<16x64xbf16>) into(%y : tensor<?x16xf32>)
      -> tensor<4x16xf32> // (C6)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<16x64xbf16>
func.func @buffer_with_a_result(%x: memref<?x64xbf16>, %y: memref<?x16xf32>) {
  // expected-error @+1 {{expected a result of the type of a tensor that it is computed into, and none of a memref}}
  %0 = kernel.matmul rows(%x : memref<?x64xbf16>) matrix(@w : tensor<16x64xbf16>) into(%y : memref<?x16xf32>)
      -> tensor<?x16xf32> // (C6)
  return
}

// -----

func.func @product_with_a_matrix_that_nobody_declares(%x: tensor<?x64xbf16>, %y: tensor<?x16xf32>) {
  // expected-error @+1 {{'kernel.matmul' op '@w' is not a declared weight}}
  %0 = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<16x64xbf16>) into(%y : tensor<?x16xf32>)
      -> tensor<?x16xf32> // (C7)
  return
}

// -----

llama.weight @w : tensor<16x64xbf16>
func.func @product_with_a_matrix_in_rows(%x: tensor<?x64xbf16>, %y: tensor<?x16xf32>) {
  // expected-error @+1 {{expected '@w' in panels and 'tensor<16x64xbf16>', found 'tensor<16x64xbf16>'}}
  %0 = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<16x64xbf16>) into(%y : tensor<?x16xf32>)
      -> tensor<?x16xf32> // (C7)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<32x64xbf16>
func.func @product_with_a_matrix_of_another_type(%x: tensor<?x64xbf16>, %y: tensor<?x16xf32>) {
  // expected-error @+1 {{expected '@w' in panels and 'tensor<32x64xbf16>', found 'tensor<16x64xbf16>'}}
  %0 = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<16x64xbf16>) into(%y : tensor<?x16xf32>)
      -> tensor<?x16xf32> // (C7)
  return
}

// -----

llama.weight @w layered layout "panels16" : tensor<2x16x64xbf16>
func.func @product_with_which_layer(%x: tensor<?x64xbf16>, %y: tensor<?x16xf32>) {
  // expected-error @+1 {{'kernel.matmul' op '@w' is layered, expected a layer number}}
  %0 = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<16x64xbf16>) into(%y : tensor<?x16xf32>)
      -> tensor<?x16xf32> // (C8)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<16x64xbf16>
func.func @product_with_a_layer_that_is_none(%x: tensor<?x64xbf16>, %y: tensor<?x16xf32>, %layer: index) {
  // expected-error @+1 {{'kernel.matmul' op '@w' is not layered, found a layer number}}
  %0 = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w[%layer] : tensor<16x64xbf16>) into(%y : tensor<?x16xf32>)
      -> tensor<?x16xf32> // (C8)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<32x64xbf16>
func.func @tile_higher_than_its_place(%x: memref<8x64xbf16>, %y: memref<8x32xf32>) {
  // expected-error @+1 {{'kernel.matmul' op has a tile of 4 x 32, but is computed into 'memref<8x32xf32>'}}
  kernel.matmul rows(%x : memref<8x64xbf16>) matrix(@w : tensor<32x64xbf16>) into(%y : memref<8x32xf32>)
    tile <"fma.512" 4 x 32> // (C9)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<32x64x!llama.quantized<4, 64>>
func.func @panel_cut_by_tile_registers(%x: memref<16x64xi8>, %scales: memref<16x1xf32>, %sums: memref<16x1xi32>,
                                       %y: memref<16x8xf32>) {
  // expected-error @+1 {{'kernel.matmul' op has a tile of 16 x 32, but is computed into 'memref<16x8xf32>'}}
  kernel.matmul rows(%x : memref<16x64xi8>) scales(%scales : memref<16x1xf32>) sums(%sums : memref<16x1xi32>)
    matrix(@w : tensor<32x64x!llama.quantized<4, 64>>) into(%y : memref<16x8xf32>)
    tile <"tdpbssd" 16 x 32> // (C9)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<64x64xbf16>
func.func @pair_of_panels_cut_by_a_block(%x: memref<32x64xbf16>, %y: memref<32x16xf32>) {
  // expected-error @+1 {{'kernel.matmul' op has a tile of 32 x 32, but is computed into 'memref<32x16xf32>'}}
  kernel.matmul rows(%x : memref<32x64xbf16>) matrix(@w : tensor<64x64xbf16>) into(%y : memref<32x16xf32>)
    tile <"tdpbf16ps" 32 x 32> // (C9)
  return
}

// -----

// The last columns may be fewer than a tile of vectors has.
llama.weight @w layout "panels16" : tensor<32x64xbf16>
func.func @columns_that_remain(%x: memref<1x64xbf16>, %y: memref<1x8xf32>) {
  kernel.matmul rows(%x : memref<1x64xbf16>) matrix(@w : tensor<32x64xbf16>) into(%y : memref<1x8xf32>)
    tile <"fma.512" 1 x 32> // (C9)
  return
}

// -----

llama.weight @w layout "panels16" : tensor<32x64xbf16>
func.func @tile_narrower_than_its_place(%x: tensor<?x64xbf16>, %y: tensor<?x32xf32>) {
  // expected-error @+1 {{'kernel.matmul' op has a tile of 1 x 16, but is computed into 'tensor<?x32xf32>'}}
  %0 = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<32x64xbf16>) into(%y : tensor<?x32xf32>)
    tile <"fma.512" 1 x 16> -> tensor<?x32xf32> // (C9)
  return
}

// -----

// A block takes fewer rows than it may have, not more.
llama.weight @w layout "panels16" : tensor<32x64xbf16>
func.func @block_of_fewer_rows(%x: memref<15x64xbf16>, %y: memref<15x32xf32>,
                               %more: memref<33x64xbf16>, %z: memref<33x32xf32>) {
  kernel.matmul rows(%x : memref<15x64xbf16>) matrix(@w : tensor<32x64xbf16>) into(%y : memref<15x32xf32>)
    tile <"tdpbf16ps" 32 x 32> // (C9)
  // expected-error @+1 {{'kernel.matmul' op has a tile of 32 x 32, but is computed into 'memref<33x32xf32>'}}
  kernel.matmul rows(%more : memref<33x64xbf16>) matrix(@w : tensor<32x64xbf16>) into(%z : memref<33x32xf32>)
    tile <"tdpbf16ps" 32 x 32> // (C9)
  return
}

// -----

//===----------------------------------------------------------------------===//
// barrier
//===----------------------------------------------------------------------===//

func.func @barrier_for_a_buffer_without_a_cut(%x: memref<?x64xbf16>) {
  // expected-error @+1 {{'kernel.barrier' op has 1 buffers and 0 cuts}}
  kernel.barrier <ops = ["linear"], matrices = [], tables = [], rows = "rows"> gathers(%x : memref<?x64xbf16>) cut
      [] // (C1)
  return
}

// -----

func.func @barrier_with_a_cut_of_nothing() {
  // expected-error @+1 {{'kernel.barrier' op has 0 buffers and 1 cuts}}
  kernel.barrier <ops = ["linear"], matrices = [], tables = [], rows = "rows"> cut [#kernel.cut<dim 0 by 1>] // (C1)
  return
}

// -----

func.func @barrier_with_a_cut_along_no_dimension(%x: memref<?x64xbf16>) {
  // expected-error @+1 {{'kernel.barrier' op cuts along dimension 2 of 'memref<?x64xbf16>'}}
  kernel.barrier <ops = [], matrices = [], tables = [], rows = "rows">
    gathers(%x : memref<?x64xbf16>) cut [#kernel.cut<dim 2 by 1>] // (C2)
  return
}
