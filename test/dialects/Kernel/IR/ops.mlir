// RUN: llama-opt %s | llama-opt | FileCheck %s
// RUN: llama-opt %s --mlir-print-op-generic | llama-opt | FileCheck %s

// CHECK: module attributes {kernel.vectors = #kernel.vectors<lanes = 16, row_elements = 64, accumulators = 16>}
module attributes {kernel.vectors = #kernel.vectors<lanes = 16, row_elements = 64, accumulators = 16>} {
  llama.weight @norm : tensor<64xbf16>
  llama.weight @w layered layout "panels16" : tensor<2x64x64xbf16>
  llama.weight @q layout "panels16" : tensor<40x64x!llama.quantized<4, 32>>

  // CHECK-LABEL: func @product
  // CHECK: kernel.matmul rows(%{{.*}} : tensor<?x64xbf16>) matrix(@w[%{{.*}}] : tensor<64x64xbf16>) into(%{{.*}} : tensor<?x64xf32>) part_of "linear" schedule <rows = 256 x 32 prefetch ["fma.512" 8 x 32, "fma.512" 1 x 32]> -> tensor<?x64xf32>
  func.func @product(%x: tensor<?x64xbf16>, %layer: index, %into: tensor<?x64xf32>) -> tensor<?x64xf32> {
    %y = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w[%layer] : tensor<64x64xbf16>) into(%into : tensor<?x64xf32>) part_of "linear" schedule <rows = 256 x 32 prefetch ["fma.512" 8 x 32, "fma.512" 1 x 32]> -> tensor<?x64xf32>
    return %y : tensor<?x64xf32>
  }

  // CHECK-LABEL: func @tile
  // CHECK: kernel.matmul rows({{.*}}) scales({{.*}}) sums({{.*}}) matrix(@q : tensor<40x64x!llama.quantized<4, 32>>) from %{{.*}} into(%{{.*}} : memref<8x16xf32>) part_of "logits" logits tile <"vpdpbusd.512" 8 x 16> prefetch 16{{$}}
  func.func @tile(%x: memref<8x64xi8>, %s: memref<8x2xf32>, %t: memref<8x2xi32>, %from: index, %into: memref<8x16xf32>) {
    kernel.matmul rows(%x : memref<8x64xi8>) scales(%s : memref<8x2xf32>) sums(%t : memref<8x2xi32>) matrix(@q : tensor<40x64x!llama.quantized<4, 32>>) from %from into(%into : memref<8x16xf32>) part_of "logits" logits tile <"vpdpbusd.512" 8 x 16> prefetch 16
    return
  }

  // CHECK-LABEL: func @stored
  // CHECK: kernel.stored_weight @norm : memref<64xbf16>
  // CHECK: kernel.stored_weight @w[%{{.*}}] : memref<4x2048xi8>
  func.func @stored(%layer: index) {
    %0 = kernel.stored_weight @norm : memref<64xbf16>
    %1 = kernel.stored_weight @w[%layer] : memref<4x2048xi8>
    return
  }

  // CHECK-LABEL: func @barrier
  // CHECK: kernel.barrier <ops = ["linear"], matrices = ["w"], tables = [], rows = "rows"> layer %{{.*}} gathers(%{{.*}} : memref<?x64xf32>) cut [#kernel.cut<dim 1 by 32>]
  func.func @barrier(%layer: index, %x: memref<?x64xf32>) {
    kernel.barrier <ops = ["linear"], matrices = ["w"], tables = [], rows = "rows"> layer %layer gathers(%x : memref<?x64xf32>) cut [#kernel.cut<dim 1 by 32>]
    return
  }
}
