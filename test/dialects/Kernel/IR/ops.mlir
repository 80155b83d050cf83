// Every op and attribute of the dialect survives printing and parsing, as text, in
// its generic form and as bytecode.
//
// RUN: llama-opt %s | llama-opt | FileCheck %s
// RUN: llama-opt %s --mlir-print-op-generic | llama-opt | FileCheck %s
// RUN: llama-opt %s --emit-bytecode | llama-opt | FileCheck %s

// CHECK: module attributes {kernel.phases = [#kernel.phase<ops = ["embed"], matrices = [], tables = ["table"],
// CHECK-SAME: rows = "rows">, #kernel.phase<ops = ["attention"], matrices = [], tables = [], rows = "rows",
// CHECK-SAME: cache = true>], kernel.vectors = #kernel.vectors<lanes = 16, row_elements = 64, accumulators = 16>}
module attributes {
  kernel.phases = [
    #kernel.phase<ops = ["embed"], matrices = [], tables = ["table"], rows = "rows">,
    #kernel.phase<ops = ["attention"], matrices = [], tables = [], rows = "rows", cache = true>],
  kernel.vectors = #kernel.vectors<lanes = 16, row_elements = 64, accumulators = 16>
} {

llama.weight @bf16 layout "panels16" : tensor<128x64xbf16>
llama.weight @layers.f32 layered layout "panels16" : tensor<2x128x64xf32>
llama.weight @int8 layout "panels16" : tensor<128x64x!llama.quantized<8, 32>>
llama.weight @norm : tensor<64xf32>
llama.weight @layers.norm layered : tensor<2x64xf32>

// CHECK-LABEL: @bytes_of_a_weight
func.func @bytes_of_a_weight(%layer: index) {
  // CHECK: kernel.stored_weight @norm : memref<64xf32>
  %0 = kernel.stored_weight @norm : memref<64xf32>
  // CHECK: kernel.stored_weight @layers.norm[%{{.*}}] : memref<64xf32>
  %1 = kernel.stored_weight @layers.norm[%layer] : memref<64xf32>
  // A panel has 16 rows of 64 elements, 2 bytes each.
  // CHECK: kernel.stored_weight @bf16 : memref<8x2048xi8>
  %2 = kernel.stored_weight @bf16 : memref<8x2048xi8>
  return
}

// CHECK-LABEL: @rows_of_prompts
func.func @rows_of_prompts() -> index {
  // CHECK: %[[N:.*]] = kernel.prefill_rows
  %0 = kernel.prefill_rows
  // CHECK: return %[[N]] : index
  return %0 : index
}

// CHECK-LABEL: @product_of_floats
func.func @product_of_floats(%x: tensor<?x64xbf16>, %y: tensor<?x128xf32>) -> tensor<?x128xf32> {
  // CHECK: kernel.matmul rows(%{{[^ ,:)]*}} : tensor<?x64xbf16>) matrix(@bf16 : tensor<128x64xbf16>) into(%{{[^ ,:)]*}}
  // CHECK-SAME: : tensor<?x128xf32>) -> tensor<?x128xf32>
  %0 = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@bf16 : tensor<128x64xbf16>)
         into(%y : tensor<?x128xf32>) -> tensor<?x128xf32>
  return %0 : tensor<?x128xf32>
}

// CHECK-LABEL: @product_with_a_layer_and_a_schedule
func.func @product_with_a_layer_and_a_schedule(
    %x: tensor<?x64xf32>, %y: tensor<?x128xf32>, %layer: index) -> tensor<?x128xf32> {
  // CHECK: matrix(@layers.f32[%{{.*}}] : tensor<128x64xf32>)
  // CHECK-SAME: part_of "linear" logits schedule <rows = 256 x 32 prefetch ["fma.512" 8 x 32, "fma.512" 1 x 32]>
  %0 = kernel.matmul rows(%x : tensor<?x64xf32>) matrix(@layers.f32[%layer] : tensor<128x64xf32>)
         into(%y : tensor<?x128xf32>) part_of "linear" logits
         schedule <rows = 256 x 32 prefetch ["fma.512" 8 x 32, "fma.512" 1 x 32]> -> tensor<?x128xf32>
  return %0 : tensor<?x128xf32>
}

// CHECK-LABEL: @product_with_a_nest_for_prompts
func.func @product_with_a_nest_for_prompts(%x: tensor<?x64xbf16>, %y: tensor<?x128xf32>) -> tensor<?x128xf32> {
  // CHECK: schedule <prefill = 256 x 128 prefetch ["tdpbf16ps" 256 x 128 by 32],
  // CHECK-SAME: decode = 256 x 32 ["fma.512" 1 x 32]>
  %0 = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@bf16 : tensor<128x64xbf16>)
         into(%y : tensor<?x128xf32>)
         schedule <prefill = 256 x 128 prefetch ["tdpbf16ps" 256 x 128 by 32],
                   decode = 256 x 32 ["fma.512" 1 x 32]> -> tensor<?x128xf32>
  return %0 : tensor<?x128xf32>
}

// CHECK-LABEL: @tile_of_integers_in_buffers
func.func @tile_of_integers_in_buffers(
    %x: memref<1x64xi8>, %scales: memref<1x2xf32>, %sums: memref<1x2xi32>,
    %low: memref<1x64xi8>, %y: memref<1x16xf32>, %column: index) {
  // CHECK: kernel.matmul rows(%{{[^ ,:)]*}} : memref<1x64xi8>) scales(%{{[^ ,:)]*}}
  // CHECK-SAME: : memref<1x2xf32>) sums(%{{[^ ,:)]*}} : memref<1x2xi32>) low(%{{[^ ,:)]*}} : memref<1x64xi8>)
  // CHECK-SAME: matrix(@int8 : tensor<128x64x!llama.quantized<8, 32>>) from %{{[^ ,:)]*}} into(%{{[^ ,:)]*}}
  // CHECK-SAME: : memref<1x16xf32>) tile <"vpdpbusd.512" 1 x 16> prefetch 32{{$}}
  kernel.matmul rows(%x : memref<1x64xi8>) scales(%scales : memref<1x2xf32>)
    sums(%sums : memref<1x2xi32>) low(%low : memref<1x64xi8>)
    matrix(@int8 : tensor<128x64x!llama.quantized<8, 32>>) from %column into(%y : memref<1x16xf32>)
    tile <"vpdpbusd.512" 1 x 16> prefetch 32
  return
}

// CHECK-LABEL: @barriers
func.func @barriers(%x: memref<?x64xbf16>, %cache: memref<?xbf16>, %layer: index) {
  // CHECK: kernel.barrier <ops = ["linear"], matrices = ["wo"], tables = [], rows = "prompt_rows"> cut []
  kernel.barrier <ops = ["linear"], matrices = ["wo"], tables = [], rows = "prompt_rows"> cut []
  // CHECK: kernel.barrier <ops = ["linear", "attention"], matrices = [], tables = [], rows = "rows",
  // CHECK-SAME: cache = true> layer %{{[^ ,:)]*}} gathers(%{{[^ ,:)]*}}, %{{[^ ,:)]*}} : memref<?x64xbf16>,
  // CHECK-SAME: memref<?xbf16>) cut [#kernel.cut<dim 0 by 1>, #kernel.cut<scattered>]
  kernel.barrier <ops = ["linear", "attention"], matrices = [], tables = [], rows = "rows", cache = true>
    layer %layer gathers(%x, %cache : memref<?x64xbf16>, memref<?xbf16>)
    cut [#kernel.cut<dim 0 by 1>, #kernel.cut<scattered>]
  return
}

// An attribute by itself says of which dialect it is.
// CHECK-LABEL: @attributes_by_themselves
// CHECK-SAME: nest = #kernel.nest<256 x 32 prefetch ["sdot.128" 2 x 16, "sdot.128" 1 x 16]>
// CHECK-SAME: schedule = #kernel.schedule<rows = 256 x 32 ["bfdot.128" 1 x 16]>
// CHECK-SAME: tile = #kernel.tile<"tdpbf16ps" 128 x 32 by 64>
func.func private @attributes_by_themselves() attributes {
  nest = #kernel.nest<256 x 32 prefetch ["sdot.128" 2 x 16, "sdot.128" 1 x 16]>,
  schedule = #kernel.schedule<rows = 256 x 32 ["bfdot.128" 1 x 16]>,
  tile = #kernel.tile<"tdpbf16ps" 128 x 32 by 64>
}

}
