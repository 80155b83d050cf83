// RUN: llama-opt %s --llama-cpu-select-kernels=mcpu=znver4 | FileCheck %s --check-prefixes=CHECK,ZEN4
// RUN: llama-opt %s --llama-cpu-select-kernels=mcpu=sapphirerapids | FileCheck %s --check-prefixes=CHECK,SPR
// RUN: llama-opt %s --llama-cpu-select-kernels=mcpu=x86-64-v3 | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: llama-opt %s --llama-cpu-select-kernels="mtriple=aarch64-linux-gnu mcpu=neoverse-v1" | FileCheck %s --check-prefixes=CHECK,V1
// RUN: llama-opt %s --llama-cpu-select-kernels="mtriple=aarch64-linux-gnu mcpu=cortex-a72" | FileCheck %s --check-prefixes=CHECK,A72

// The module says for whom it was scheduled, and what a register holds.
// ZEN4: module attributes {kernel.vectors = #kernel.vectors<lanes = 16, row_elements = 64, accumulators = 16>, llama.target = {cpu = "znver4", features = "", triple = "x86_64-pc-linux-gnu"}}
// AVX2: module attributes {kernel.vectors = #kernel.vectors<lanes = 8, row_elements = 32, accumulators = 8>, llama.target = {cpu = "x86-64-v3",
llama.weight @w layout "panels16" : tensor<64x64xbf16>
llama.weight @narrow layout "panels16" : tensor<40x64xbf16>
llama.weight @q layout "panels16" : tensor<64x64x!llama.quantized<8, 64>>

// CHECK-LABEL: func @of_bf16
// ZEN4: schedule <rows = 256 x 32 prefetch ["vdpbf16ps.512" 8 x 32, "vdpbf16ps.512" 1 x 32]>
// SPR: prefill = 256 x 32 {{.*}}["tdpbf16ps" 32 x 32
// AVX2: schedule <rows = 256 x 32 prefetch ["fma.256" 4 x 16, "fma.256" 1 x 32]>
// V1: "bfdot.128"
// A72: "fmla.128"
func.func @of_bf16(%x: tensor<?x64xbf16>, %into: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %y = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<64x64xbf16>) into(%into : tensor<?x64xf32>) part_of "linear" -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// Rows of logits are single ones of many sequences: no tiles.
// CHECK-LABEL: func @of_logits
// SPR-NOT: prefill
// SPR: schedule <rows = 256 x 32 {{.*}}["fma.512" 8 x 32, "fma.512" 1 x 32]>
func.func @of_logits(%x: tensor<?x64xbf16>, %into: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %y = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<64x64xbf16>) into(%into : tensor<?x64xf32>) part_of "logits" logits -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// Two blocks at least: 40 matrix rows are not one of 32 and a rest.
// CHECK-LABEL: func @of_few_columns
// ZEN4: schedule <rows = 256 x 16 prefetch ["vdpbf16ps.512" 8 x 16, "vdpbf16ps.512" 1 x 16]>
func.func @of_few_columns(%x: tensor<?x64xbf16>, %into: tensor<?x40xf32>) -> tensor<?x40xf32> {
  %y = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@narrow : tensor<40x64xbf16>) into(%into : tensor<?x40xf32>) part_of "linear" -> tensor<?x40xf32>
  return %y : tensor<?x40xf32>
}

// CHECK-LABEL: func @of_integers
// ZEN4: schedule <rows = 256 x 32 {{.*}}["vpdpbusd.512" 8 x 32, "vpdpbusd.512" 1 x 16]>
// SPR: "tdpbsud" 32 x 32
// AVX2: schedule <rows = 256 x {{.*}}["vpmaddwd.256" 4 x 16, "vpmaddwd.256" 1 x 16]>
// V1: "usdot.128"
// A72: "smull.128"
func.func @of_integers(%x: tensor<?x64xi8>, %s: tensor<?x1xf32>, %t: tensor<?x1xi32>, %into: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %y = kernel.matmul rows(%x : tensor<?x64xi8>) scales(%s : tensor<?x1xf32>) sums(%t : tensor<?x1xi32>) matrix(@q : tensor<64x64x!llama.quantized<8, 64>>) into(%into : tensor<?x64xf32>) part_of "linear" -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
