// RUN: llama-opt %s --split-input-file --verify-diagnostics

func.func @weight_that_nobody_declared() {
  // expected-error @+1 {{'kernel.stored_weight' op '@w' is not a declared weight}}
  %0 = kernel.stored_weight @w : memref<64xbf16>
  return
}

// -----

llama.weight @w layered : tensor<2x64xbf16>
func.func @layer_without_a_number() {
  // expected-error @+1 {{'kernel.stored_weight' op '@w' is layered, expected a layer number}}
  %0 = kernel.stored_weight @w : memref<64xbf16>
  return
}

// -----

llama.weight @w : tensor<64xbf16>
func.func @number_without_layers(%layer: index) {
  // expected-error @+1 {{'kernel.stored_weight' op '@w' is not layered, found a layer number}}
  %0 = kernel.stored_weight @w[%layer] : memref<64xbf16>
  return
}

// -----

llama.weight @w layout "panels16" : tensor<64x64xbf16>
func.func @stored_otherwise() {
  // expected-error @+1 {{'kernel.stored_weight' op is 'memref<64x64xbf16>', but '@w' is stored as 'memref<4x2048xi8>'}}
  %0 = kernel.stored_weight @w : memref<64x64xbf16>
  return
}

// -----

llama.weight @w layout "panels16" : tensor<64x64xbf16>
func.func @rows_of_another_depth(%x: memref<1x32xbf16>, %into: memref<1x64xf32>) {
  // expected-error @+1 {{'kernel.matmul' op expected rows of 64 columns, found 32}}
  kernel.matmul rows(%x : memref<1x32xbf16>) matrix(@w : tensor<64x64xbf16>) into(%into : memref<1x64xf32>) part_of "linear"
  return
}

// -----

llama.weight @w layout "panels16" : tensor<64x64xbf16>
func.func @columns_past_the_end(%x: memref<1x64xbf16>, %into: memref<1x32xf32>) {
  %from = arith.constant 48 : index
  // expected-error @+1 {{'kernel.matmul' op columns 48 to 79 of a matrix with 64 rows}}
  kernel.matmul rows(%x : memref<1x64xbf16>) matrix(@w : tensor<64x64xbf16>) from %from into(%into : memref<1x32xf32>) part_of "linear"
  return
}

// -----

llama.weight @q layout "panels16" : tensor<64x64x!llama.quantized<4, 32>>
func.func @integers_without_scales(%x: memref<1x64xi8>, %into: memref<1x64xf32>) {
  // expected-error @+1 {{'kernel.matmul' op a matrix of '!llama.quantized<4, 32>' takes rows of i8 with scales and sums}}
  kernel.matmul rows(%x : memref<1x64xi8>) matrix(@q : tensor<64x64x!llama.quantized<4, 32>>) into(%into : memref<1x64xf32>) part_of "linear"
  return
}

// -----

llama.weight @q layout "panels16" : tensor<64x64x!llama.quantized<4, 32>>
func.func @scales_of_too_few_groups(%x: memref<1x64xi8>, %s: memref<1x1xf32>, %t: memref<1x1xi32>, %into: memref<1x64xf32>) {
  // expected-error @+1 {{'kernel.matmul' op expected 2 scales and sums in a row, found 1}}
  kernel.matmul rows(%x : memref<1x64xi8>) scales(%s : memref<1x1xf32>) sums(%t : memref<1x1xi32>) matrix(@q : tensor<64x64x!llama.quantized<4, 32>>) into(%into : memref<1x64xf32>) part_of "linear"
  return
}

// -----

llama.weight @w layout "panels16" : tensor<64x64xf32>
func.func @dots_of_f32(%x: memref<1x64xf32>, %into: memref<1x16xf32>) {
  // expected-error @+1 {{'kernel.matmul' op 'vdpbf16ps.512' does not take 'f32' and rows of 'f32'}}
  kernel.matmul rows(%x : memref<1x64xf32>) matrix(@w : tensor<64x64xf32>) into(%into : memref<1x16xf32>) part_of "linear" tile <"vdpbf16ps.512" 1 x 16>
  return
}

// -----

llama.weight @w : tensor<64x64xbf16>
func.func @matrix_not_in_panels(%x: memref<1x64xbf16>, %into: memref<1x64xf32>) {
  // expected-error @+1 {{'kernel.matmul' op expected '@w' in panels and 'tensor<64x64xbf16>', found 'tensor<64x64xbf16>'}}
  kernel.matmul rows(%x : memref<1x64xbf16>) matrix(@w : tensor<64x64xbf16>) into(%into : memref<1x64xf32>) part_of "linear"
  return
}

// -----

func.func @cuts_of_no_buffer(%x: memref<?x64xf32>) {
  // expected-error @+1 {{'kernel.barrier' op has 1 buffers and 0 cuts}}
  kernel.barrier <ops = ["linear"], matrices = [], tables = [], rows = "rows"> gathers(%x : memref<?x64xf32>) cut []
  return
}

// -----

// expected-error @+1 {{expected positive numbers}}
module attributes {kernel.vectors = #kernel.vectors<lanes = 0, row_elements = 64, accumulators = 16>} {
}

// -----

llama.weight @w layout "panels16" : tensor<64x64xbf16>
func.func @tile_of_no_instruction(%x: memref<1x64xbf16>, %into: memref<1x16xf32>) {
  // expected-error @+2 {{'fma.1024' is not an instruction}}
  // expected-error @+1 {{failed to parse Kernel_TileAttr parameter 'instruction'}}
  kernel.matmul rows(%x : memref<1x64xbf16>) matrix(@w : tensor<64x64xbf16>) into(%into : memref<1x16xf32>) part_of "linear" tile <"fma.1024" 1 x 16>
  return
}
