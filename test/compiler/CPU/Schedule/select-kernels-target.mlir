// RUN: llama-opt %s --llama-cpu-select-kernels --split-input-file | FileCheck %s
// RUN: llama-opt %s --llama-cpu-select-kernels="mcpu=x86-64-v3 mtriple=x86_64-linux-gnu" --split-input-file \
// RUN:   | FileCheck %s --check-prefix=CHECK-OPTION
// RUN: not llama-opt %s --llama-cpu-select-kernels="mcpu=pentium9 mtriple=x86_64-linux-gnu" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=CHECK-UNKNOWN
// RUN: not llama-opt %s --llama-cpu-select-kernels="mcpu=znver4 mtriple=vax-linux-gnu" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=CHECK-UNKNOWN-MACHINE

// A processor that nobody knows is an error, and only one.
// CHECK-UNKNOWN: error: --mcpu=pentium9: is not a processor of x86_64{{.*}} that LLVM knows
// CHECK-UNKNOWN-NOT: error:
// CHECK-UNKNOWN-MACHINE: error: {{.*}}vax-linux-gnu
// CHECK-UNKNOWN-MACHINE-NOT: error:

// Without options a module says itself which processor it is for; options come first.
// CHECK: module attributes {kernel.vectors = #kernel.vectors<lanes = 16,
// CHECK-SAME: llama.target = {cpu = "znver4", features = "", triple = "x86_64-linux-gnu"}
// CHECK-LABEL: @module_says_for_which_processor_it_is
// CHECK: schedule <rows = 256 x 32 prefetch ["vdpbf16ps.512" 8 x 32, "vdpbf16ps.512" 4 x 32, "vdpbf16ps.512" 2 x 16, "vdpbf16ps.512" 1 x 16]>
// CHECK-OPTION: module attributes {kernel.vectors = #kernel.vectors<lanes = 8,
// CHECK-OPTION-SAME: llama.target = {cpu = "x86-64-v3", features = "", triple = "x86_64-linux-gnu"}
// CHECK-OPTION-LABEL: @module_says_for_which_processor_it_is
// CHECK-OPTION: schedule <rows = 256 x 32 prefetch ["fma.256" 4 x 16, "fma.256" 2 x 32, "fma.256" 1 x 32]>
module attributes {llama.target = {cpu = "znver4", features = "", triple = "x86_64-linux-gnu"}} {
  llama.weight @w layout "panels16" : tensor<128x64xbf16>
  func.func @module_says_for_which_processor_it_is(%x: tensor<?x64xbf16>, %init: tensor<?x128xf32>)
      -> tensor<?x128xf32> {
    %0 = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<128x64xbf16>) into(%init : tensor<?x128xf32>)
        -> tensor<?x128xf32>
    return %0 : tensor<?x128xf32>
  }
}

// -----

// Its features count, too.
// CHECK: llama.target = {cpu = "znver4", features = "-avx512bf16", triple = "x86_64-linux-gnu"}
// CHECK-LABEL: @module_says_what_the_processor_lacks
// CHECK: schedule <rows = 256 x 32 prefetch ["fma.512" 8 x 32, "fma.512" 4 x 32, "fma.512" 2 x 32, "fma.512" 1 x 32]>
module attributes {llama.target = {cpu = "znver4", features = "-avx512bf16", triple = "x86_64-linux-gnu"}} {
  llama.weight @w layout "panels16" : tensor<128x64xbf16>
  func.func @module_says_what_the_processor_lacks(%x: tensor<?x64xbf16>, %init: tensor<?x128xf32>)
      -> tensor<?x128xf32> {
    %0 = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<128x64xbf16>) into(%init : tensor<?x128xf32>)
        -> tensor<?x128xf32>
    return %0 : tensor<?x128xf32>
  }
}

// -----

// What the module was made for before does not remain.
// CHECK-LABEL: @schedule_of_another_processor
// CHECK: schedule <rows = 256 x 32 prefetch ["vdpbf16ps.512" 8 x 32, "vdpbf16ps.512" 4 x 32, "vdpbf16ps.512" 2 x 16, "vdpbf16ps.512" 1 x 16]>
// CHECK-NOT: tdpbf16ps
module attributes {llama.target = {cpu = "znver4", features = "", triple = "x86_64-linux-gnu"}} {
  llama.weight @w layout "panels16" : tensor<128x64xbf16>
  func.func @schedule_of_another_processor(%x: tensor<?x64xbf16>, %init: tensor<?x128xf32>) -> tensor<?x128xf32> {
    %0 = kernel.matmul rows(%x : tensor<?x64xbf16>) matrix(@w : tensor<128x64xbf16>) into(%init : tensor<?x128xf32>)
           schedule <prefill = 256 x 32 ["tdpbf16ps" 32 x 32], decode = 256 x 32 ["fma.512" 1 x 32]> -> tensor<?x128xf32>
    return %0 : tensor<?x128xf32>
  }
}
