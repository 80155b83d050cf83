// RUN: llama-opt %s --llama-cpu-select-kernels="mcpu=sapphirerapids mtriple=x86_64-linux-gnu" --split-input-file \
// RUN:   | FileCheck %s --check-prefixes=CHECK,CHECK-SPR
// RUN: llama-opt %s --llama-cpu-select-kernels="mcpu=znver4 mtriple=x86_64-linux-gnu" --split-input-file \
// RUN:   | FileCheck %s --check-prefixes=CHECK,CHECK-ZEN4
// RUN: llama-opt %s --llama-cpu-select-kernels="mcpu=x86-64-v3 mtriple=x86_64-linux-gnu" --split-input-file \
// RUN:   | FileCheck %s --check-prefixes=CHECK,CHECK-AVX2
// RUN: llama-opt %s --llama-cpu-select-kernels="mcpu=neoverse-v1 mtriple=aarch64-linux-gnu" --split-input-file \
// RUN:   | FileCheck %s --check-prefixes=CHECK,CHECK-NEON

// Which kernel each product will be is decided here; later passes obey.

// CHECK-SPR: kernel.vectors = #kernel.vectors<lanes = 16, row_elements = 64, accumulators = 16>
// CHECK-SPR-SAME: llama.target = {cpu = "sapphirerapids", features = "", triple = "x86_64-linux-gnu"}
// CHECK-ZEN4: kernel.vectors = #kernel.vectors<lanes = 16, row_elements = 64, accumulators = 16>
// CHECK-ZEN4-SAME: llama.target = {cpu = "znver4", features = "", triple = "x86_64-linux-gnu"}
// CHECK-AVX2: kernel.vectors = #kernel.vectors<lanes = 8, row_elements = 32, accumulators = 8>
// CHECK-AVX2-SAME: llama.target = {cpu = "x86-64-v3", features = "", triple = "x86_64-linux-gnu"}
// CHECK-NEON: kernel.vectors = #kernel.vectors<lanes = 4, row_elements = 16, accumulators = 8>
// CHECK-NEON-SAME: llama.target = {cpu = "neoverse-v1", features = "-sve", triple = "aarch64-linux-gnu"}
llama.weight @wq layout "panels16" : tensor<128x64xbf16>
llama.weight @int4 layout "panels16" : tensor<128x64x!llama.quantized<4, 32>>

// CHECK-LABEL: @products
// CHECK: matrix(@wq : tensor<128x64xbf16>)
// CHECK-SPR-SAME: schedule <prefill = 256 x 64 prefetch ["tdpbf16ps" 128 x 32],
// CHECK-SPR-SAME: decode = 256 x 32 prefetch ["fma.512" 8 x 32, "fma.512" 4 x 32, "fma.512" 2 x 32, "fma.512" 1 x 32]>
// CHECK-ZEN4-SAME: schedule <rows = 256 x 32 prefetch ["vdpbf16ps.512" 8 x 32, "vdpbf16ps.512" 4 x 32, "vdpbf16ps.512" 2 x 16, "vdpbf16ps.512" 1 x 16]>
// CHECK-AVX2-SAME: schedule <rows = 256 x 32 prefetch ["fma.256" 4 x 16, "fma.256" 2 x 32, "fma.256" 1 x 32]>
// CHECK-NEON-SAME: schedule <rows = 256 x 16 prefetch ["bfdot.128" 4 x 16, "bfdot.128" 2 x 16, "bfdot.128" 1 x 16]>
// CHECK: matrix(@int4 : tensor<128x64x!llama.quantized<4, 32>>)
// CHECK-SPR-SAME: schedule <rows = 256 x 32 prefetch ["tdpbssd" 32 x 32, "tdpbssd" 16 x 32, "vpdpbusd.512" 8 x 32,
// CHECK-SPR-SAME: "vpdpbusd.512" 1 x 16]>
// CHECK-ZEN4-SAME: schedule <rows = 256 x 32 prefetch ["vpdpbusd.512" 8 x 32, "vpdpbusd.512" 4 x 32, "vpdpbusd.512" 2 x 16, "vpdpbusd.512" 1 x 16]>
// CHECK-AVX2-SAME: schedule <rows = 256 x 16 prefetch ["vpmaddwd.256" 4 x 16, "vpmaddwd.256" 2 x 16, "vpmaddwd.256" 1 x 16]>
// CHECK-NEON-SAME: schedule <rows = 256 x 16 prefetch ["usdot.128" 2 x 16, "usdot.128" 1 x 16]>
func.func @products(%x: tensor<?x64xbf16>, %q: tensor<?x64xi8>, %scales: tensor<?x2xf32>,
                    %sums: tensor<?x2xi32>, %init: tensor<?x128xf32>) {
  %0 = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@wq : tensor<128x64xbf16>)
         into(%init : tensor<?x128xf32>) -> tensor<?x128xf32>
  %1 = kernel.matmul rows(%q : tensor<?x64xi8>) scales(%scales : tensor<?x2xf32>) sums(%sums : tensor<?x2xi32>)
         matrix(@int4 : tensor<128x64x!llama.quantized<4, 32>>)
         into(%init : tensor<?x128xf32>) -> tensor<?x128xf32>
  return
}

// -----

// Bytes of groups of 128 reach tile registers as they are stored, which is without
// a sign.
// CHECK-LABEL: @bytes_with_large_groups
// CHECK-SPR: schedule <rows = 256 x 32 prefetch ["tdpbsud" 32 x 32, "tdpbsud" 16 x 32, "vpdpbusd.512" 8 x 32,
// CHECK-SPR-SAME: "vpdpbusd.512" 1 x 16]>
// CHECK-ZEN4: schedule <rows = 256 x 32 prefetch ["vpdpbusd.512" 8 x 32, "vpdpbusd.512" 4 x 32, "vpdpbusd.512" 2 x 16, "vpdpbusd.512" 1 x 16]>
// CHECK-AVX2: schedule <rows = 256 x 16 prefetch ["vpmaddwd.256" 4 x 16, "vpmaddwd.256" 2 x 16, "vpmaddwd.256" 1 x 16]>
// CHECK-NEON: schedule <rows = 256 x 16 prefetch ["usdot.128" 2 x 16, "usdot.128" 1 x 16]>
llama.weight @w layout "panels16" : tensor<128x128x!llama.quantized<8, 128>>
func.func @bytes_with_large_groups(%x: tensor<?x128xi8>, %scales: tensor<?x1xf32>, %sums: tensor<?x1xi32>,
                                   %init: tensor<?x128xf32>) -> tensor<?x128xf32> {
  %0 = kernel.matmul rows(%x : tensor<?x128xi8>) scales(%scales : tensor<?x1xf32>) sums(%sums : tensor<?x1xi32>)
         matrix(@w : tensor<128x128x!llama.quantized<8, 128>>) into(%init : tensor<?x128xf32>) -> tensor<?x128xf32>
  return %0 : tensor<?x128xf32>
}

// -----

// Logits are of single rows of many sequences: none of them is a prompt's.
// CHECK-LABEL: @logits_take_no_tiles_of_bf16
// CHECK: logits
// CHECK-SPR-SAME: schedule <rows = 256 x 32 prefetch ["fma.512" 8 x 32, "fma.512" 4 x 32, "fma.512" 2 x 32, "fma.512" 1 x 32]>
// CHECK-ZEN4-SAME: schedule <rows = 256 x 32 prefetch ["vdpbf16ps.512" 8 x 32, "vdpbf16ps.512" 4 x 32, "vdpbf16ps.512" 2 x 16, "vdpbf16ps.512" 1 x 16]>
// CHECK-AVX2-SAME: schedule <rows = 256 x 32 prefetch ["fma.256" 4 x 16, "fma.256" 2 x 32, "fma.256" 1 x 32]>
// CHECK-NEON-SAME: schedule <rows = 256 x 16 prefetch ["bfdot.128" 4 x 16, "bfdot.128" 2 x 16, "bfdot.128" 1 x 16]>
llama.weight @w layout "panels16" : tensor<128x64xbf16>
func.func @logits_take_no_tiles_of_bf16(%x: tensor<?x64xbf16>, %init: tensor<?x128xf32>) -> tensor<?x128xf32> {
  %0 = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<128x64xbf16>) into(%init : tensor<?x128xf32>)
         logits -> tensor<?x128xf32>
  return %0 : tensor<?x128xf32>
}

// -----

// What adds pairs of bf16 needs both of them to be bf16.
// CHECK-LABEL: @rows_of_f32
// CHECK-SPR: schedule <rows = 256 x 32 prefetch ["fma.512" 8 x 32, "fma.512" 4 x 32, "fma.512" 2 x 32, "fma.512" 1 x 32]>
// CHECK-ZEN4: schedule <rows = 256 x 32 prefetch ["fma.512" 8 x 32, "fma.512" 4 x 32, "fma.512" 2 x 32, "fma.512" 1 x 32]>
// CHECK-AVX2: schedule <rows = 256 x 32 prefetch ["fma.256" 4 x 16, "fma.256" 2 x 32, "fma.256" 1 x 32]>
// CHECK-NEON: schedule <rows = 256 x 16 prefetch ["fmla.128" 4 x 16, "fmla.128" 2 x 16, "fmla.128" 1 x 16]>
llama.weight @w layout "panels16" : tensor<128x64xbf16>
func.func @rows_of_f32(%x: tensor<?x64xf32>, %init: tensor<?x128xf32>) -> tensor<?x128xf32> {
  %0 = kernel.matmul rows(%x : tensor<?x64xf32>) matrix(@w : tensor<128x64xbf16>) into(%init : tensor<?x128xf32>)
      -> tensor<?x128xf32>
  return %0 : tensor<?x128xf32>
}

// -----

// Two blocks of columns at least, of a power of two: a parallel loop of one step
// would be folded away.
// CHECK-LABEL: @few_columns
// CHECK-SPR: schedule <rows = 256 x 8 prefetch ["fma.512" 8 x 8, "fma.512" 4 x 8, "fma.512" 2 x 8, "fma.512" 1 x 8]>
// CHECK-ZEN4: schedule <rows = 256 x 8 prefetch ["vdpbf16ps.512" 8 x 8, "vdpbf16ps.512" 4 x 8, "vdpbf16ps.512" 2 x 8, "vdpbf16ps.512" 1 x 8]>
// CHECK-AVX2: schedule <rows = 256 x 8 prefetch ["fma.256" 4 x 8, "fma.256" 2 x 8, "fma.256" 1 x 8]>
// CHECK-NEON: schedule <rows = 256 x 8 prefetch ["bfdot.128" 4 x 8, "bfdot.128" 2 x 8, "bfdot.128" 1 x 8]>
llama.weight @w layout "panels16" : tensor<24x64xbf16>
func.func @few_columns(%x: tensor<?x64xbf16>, %init: tensor<?x24xf32>) -> tensor<?x24xf32> {
  %0 = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<24x64xbf16>) into(%init : tensor<?x24xf32>)
      -> tensor<?x24xf32>
  return %0 : tensor<?x24xf32>
}

// -----

// Tiles of bf16 take 32 elements of a row at a time, and two panels. What they do not
// take is left to vectors; bytes need whole steps of 64.
// CHECK-LABEL: @sizes_that_tile_registers_do_not_take
// CHECK: matrix(@odd_depth
// CHECK-SPR-SAME: schedule <rows = 256 x 32 prefetch ["fma.512" 8 x 32, "fma.512" 4 x 32, "fma.512" 2 x 32, "fma.512" 1 x 32]>
// CHECK: matrix(@odd_width
// CHECK-SPR-SAME: schedule <rows = 256 x 32 prefetch ["fma.512" 8 x 32, "fma.512" 4 x 32, "fma.512" 2 x 32, "fma.512" 1 x 32]>
// CHECK: matrix(@int8
// CHECK-SPR-SAME: schedule <rows = 256 x 32 prefetch ["vpdpbusd.512" 8 x 32, "vpdpbusd.512" 4 x 32, "vpdpbusd.512" 2 x 16, "vpdpbusd.512" 1 x 16]>
llama.weight @odd_depth layout "panels16" : tensor<64x48xbf16>
llama.weight @odd_width layout "panels16" : tensor<80x64xbf16>
llama.weight @int8 layout "panels16" : tensor<64x96x!llama.quantized<8, 32>>
func.func @sizes_that_tile_registers_do_not_take(
    %x: tensor<?x48xbf16>, %y: tensor<?x64xbf16>, %z: tensor<?x96xi8>, %scales: tensor<?x3xf32>, %sums: tensor<?x3xi32>,
    %init: tensor<?x64xf32>, %wide: tensor<?x80xf32>) {
  %0 = kernel.matmul rows(%x : tensor<?x48xbf16>) matrix(@odd_depth : tensor<64x48xbf16>) into(%init : tensor<?x64xf32>)
      -> tensor<?x64xf32>
  %1 = kernel.matmul rows(%y : tensor<?x64xbf16>) matrix(@odd_width : tensor<80x64xbf16>) into(%wide : tensor<?x80xf32>)
      -> tensor<?x80xf32>
  %2 = kernel.matmul rows(%z : tensor<?x96xi8>) scales(%scales : tensor<?x3xf32>) sums(%sums : tensor<?x3xi32>)
         matrix(@int8 : tensor<64x96x!llama.quantized<8, 32>>) into(%init : tensor<?x64xf32>) -> tensor<?x64xf32>
  return
}
