// RUN: llama-opt %s --llama-add-call-arguments --llama-assign-workspace --canonicalize --cse \
// RUN:   --split-input-file --verify-diagnostics --allow-unregistered-dialect | FileCheck %s

// Each row has 24 bytes of %rows and 256 of %wide: 24 are rounded up to whole lines
// of 64 bytes, 256 are lines already. The static buffer of 100 bytes takes two lines.
// CHECK-LABEL: func private @layer
// CHECK-SAME: (%[[X:[^ ,:)]*]]: memref<?x64xf32> {{{.*}}}, %{{[^ ,:)]*}}: memref<?xi8> {llama.argument = "weights"},
// CHECK-SAME: %[[SPACE:[^ ,:)]*]]: memref<?xi8> {llama.argument = "workspace"},
// CHECK-SAME: %[[BEGIN:[^ ,:)]*]]: index {llama.argument = "workspace_begin"},
// CHECK: %[[N:.*]] = memref.dim %[[X]], %c0
// CHECK: %[[ROWS:.*]] = memref.view %[[SPACE]][%[[BEGIN]]][%[[N]]] : memref<?xi8> to memref<?x6xf32>
// CHECK: %[[BYTES:.*]] = arith.muli %[[N]], %c24
// CHECK: %[[MORE:.*]] = arith.addi %[[BYTES]], %c63
// CHECK: %[[LINES:.*]] = arith.divui %[[MORE]], %c64
// CHECK: %[[WHOLE:.*]] = arith.muli %[[LINES]], %c64
// CHECK: %[[SECOND:.*]] = arith.addi %[[BEGIN]], %[[WHOLE]]
// CHECK: %[[WIDE:.*]] = memref.view %[[SPACE]][%[[SECOND]]][%[[N]]] : memref<?xi8> to memref<?x64xf32>
// CHECK: %[[BYTES:.*]] = arith.muli %[[N]], %c256
// CHECK: %[[THIRD:.*]] = arith.addi %[[SECOND]], %[[BYTES]]
// CHECK: %[[STATIC:.*]] = memref.view %[[SPACE]][%[[THIRD]]][] : memref<?xi8> to memref<100xi8>
// CHECK: "test.use"(%[[ROWS]], %[[WIDE]], %[[STATIC]])
// CHECK-NOT: memref.alloc
func.func private @layer(%x: memref<?x64xf32> {llama.argument = "stream", llama.row_count = "rows"}) {
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?x64xf32>
  %rows = memref.alloc(%n) : memref<?x6xf32>
  %wide = memref.alloc(%n) : memref<?x64xf32>
  %static = memref.alloc() : memref<100xi8>
  "test.use"(%rows, %wide, %static) : (memref<?x6xf32>, memref<?x64xf32>, memref<100xi8>) -> ()
  return
}

// The callee's buffers lie after the caller's, and the second call reuses the
// first one's.
// CHECK-LABEL: func @forward
// CHECK-SAME: (%[[TOKENS:[^ ,:)]*]]: memref<?xi32> {{{[^}]*}}}, %[[LIST:[^ ,:)]*]]: memref<?xi32> {{{[^}]*}}},
// CHECK-SAME: %{{[^ ,:)]*}}: memref<?xi8> {llama.argument = "weights"},
// CHECK-SAME: %[[SPACE:[^ ,:)]*]]: memref<?xi8> {llama.argument = "workspace"},
// CHECK-SAME: %[[BEGIN:[^ ,:)]*]]: index {llama.argument = "workspace_begin"},
// CHECK: %[[N:.*]] = memref.dim %[[TOKENS]]
// CHECK: %[[STREAM:.*]] = memref.view %[[SPACE]][%[[BEGIN]]][%[[N]]]
// CHECK: %[[BYTES:.*]] = arith.muli %[[N]], %c256
// CHECK: %[[SECOND:.*]] = arith.addi %[[BEGIN]], %[[BYTES]]
// CHECK: %[[L:.*]] = memref.dim %[[LIST]]
// CHECK: memref.view %[[SPACE]][%[[SECOND]]][%[[L]]] : memref<?xi8> to memref<?x32xbf16>
// CHECK: %[[BYTES:.*]] = arith.muli %[[L]], %c64
// CHECK: %[[END:.*]] = arith.addi %[[SECOND]], %[[BYTES]]
// CHECK: call @layer(%[[STREAM]], %{{.*}}, %[[SPACE]], %[[END]],
// CHECK: call @layer(%[[STREAM]], %{{.*}}, %[[SPACE]], %[[END]],
func.func @forward(%tokens: memref<?xi32> {llama.argument = "tokens", llama.row_count = "rows"},
                   %list: memref<?xi32> {llama.argument = "logit_row_list", llama.row_count = "logit_rows"}) {
  %c0 = arith.constant 0 : index
  %n = memref.dim %tokens, %c0 : memref<?xi32>
  %l = memref.dim %list, %c0 : memref<?xi32>
  %stream = memref.alloc(%n) : memref<?x64xf32>
  %chosen = memref.alloc(%l) : memref<?x32xbf16>
  "test.use"(%chosen) : (memref<?x32xbf16>) -> ()
  call @layer(%stream) : (memref<?x64xf32>) -> ()
  call @layer(%stream) : (memref<?x64xf32>) -> ()
  return
}

// The caller's, 256 a row and 64 a logit row, and the deepest callee's after it.
// CHECK-LABEL: func @workspace_bytes
// CHECK-SAME: (%[[N:.*]]: index, %[[L:.*]]: index) -> index
// CHECK: %[[A:.*]] = arith.muli %[[N]], %c256
// CHECK: %[[B:.*]] = arith.muli %[[L]], %c64
// CHECK: %[[OWN:.*]] = arith.addi %[[A]], %[[B]]
// CHECK: %[[C:.*]] = arith.muli %[[N]], %c24
// CHECK: arith.addi %[[C]], %c63
// CHECK: %[[E:.*]] = arith.addi %{{.*}}, %c128
// CHECK: %[[MOST:.*]] = arith.maxui %[[OWN]], %[[E]]
// CHECK: %[[AGAIN:.*]] = arith.maxui %[[MOST]], %[[E]]
// CHECK: return %[[AGAIN]]

// -----

// A thread's own buffer is on the stack.
// CHECK-LABEL: func @forward
// CHECK: scf.forall
// CHECK:   %[[STACK:.*]] = memref.alloca() {alignment = 64 : i64} : memref<8xf32>
// CHECK:   "test.use"(%[[STACK]])
// CHECK-LABEL: func @workspace_bytes
// CHECK: %[[NONE:.*]] = arith.constant 0 : index
// CHECK: return %[[NONE]]
func.func @forward(%tokens: memref<?xi32> {llama.argument = "tokens", llama.row_count = "rows"}) {
  %c0 = arith.constant 0 : index
  %n = memref.dim %tokens, %c0 : memref<?xi32>
  scf.forall (%i) in (%n) {
    %own = memref.alloc() {alignment = 64 : i64} : memref<8xf32>
    "test.use"(%own) : (memref<8xf32>) -> ()
  }
  return
}

// -----

// Rows of 1 KB that a product reads lie a line of 64 bytes, 32 elements, further apart than
// they are long, and views of them follow.
// CHECK-LABEL: func @forward
// CHECK: %[[N:.*]] = memref.dim %{{.*}}, %c0 : memref<?xi32>
// CHECK: %[[ALL:.*]] = memref.view %{{.*}}[%[[BEGIN:.*]]][%[[N]]] : memref<?xi8> to memref<?x544xbf16>
// CHECK: %[[ROWS:.*]] = memref.subview %[[ALL]][0, 0] [%[[N]], 512] [1, 1]
// CHECK-SAME: to memref<?x512xbf16, strided<[544, 1]>>
// CHECK: %[[BYTES:.*]] = arith.muli %[[N]], %c1088
// CHECK: %[[SECOND:.*]] = arith.addi %[[BEGIN]], %[[BYTES]]
// CHECK: memref.view %{{.*}}[%[[SECOND]]][%[[N]]] : memref<?xi8> to memref<?x64xf32>
// CHECK: %[[TILE:.*]] = memref.subview %[[ROWS]][8, 0] [8, 512] [1, 1]
// CHECK-SAME: to memref<8x512xbf16, strided<[544, 1], offset: 4352>>
// CHECK: kernel.matmul rows(%[[TILE]] : memref<8x512xbf16, strided<[544, 1], offset: 4352>>)
// CHECK-LABEL: func @workspace_bytes
// CHECK: arith.muli %{{.*}}, %c1088
llama.weight @w layout "panels16" : tensor<64x512xbf16>
func.func @forward(%tokens: memref<?xi32> {llama.argument = "tokens", llama.row_count = "rows"}) {
  %c0 = arith.constant 0 : index
  %n = memref.dim %tokens, %c0 : memref<?xi32>
  %x = memref.alloc(%n) : memref<?x512xbf16>
  %y = memref.alloc(%n) : memref<?x64xf32>
  %tile = memref.subview %x[8, 0] [8, 512] [1, 1]
    : memref<?x512xbf16> to memref<8x512xbf16, strided<[512, 1], offset: 4096>>
  %place = memref.subview %y[8, 0] [8, 64] [1, 1]
    : memref<?x64xf32> to memref<8x64xf32, strided<[64, 1], offset: 512>>
  kernel.matmul rows(%tile : memref<8x512xbf16, strided<[512, 1], offset: 4096>>)
    matrix(@w : tensor<64x512xbf16>) into(%place : memref<8x64xf32, strided<[64, 1], offset: 512>>)
  return
}

// -----

// Side by side they stay where another function, or an op that is not known, gets them too;
// and where they are not read by a product, or are no whole kilobytes.
// CHECK-LABEL: func @forward
// CHECK: to memref<?x512xbf16>
// CHECK: to memref<?x256xf32>
// CHECK: to memref<?x96xbf16>
// CHECK-NOT: memref.subview
// CHECK: kernel.matmul
llama.weight @w layout "panels16" : tensor<64x512xbf16>
llama.weight @v layout "panels16" : tensor<256x96xbf16>
func.func @forward(%tokens: memref<?xi32> {llama.argument = "tokens", llama.row_count = "rows"}) {
  %c0 = arith.constant 0 : index
  %n = memref.dim %tokens, %c0 : memref<?xi32>
  %x = memref.alloc(%n) : memref<?x512xbf16>
  %y = memref.alloc(%n) : memref<?x256xf32>
  %z = memref.alloc(%n) : memref<?x96xbf16>
  "test.use"(%x) : (memref<?x512xbf16>) -> ()
  kernel.matmul rows(%z : memref<?x96xbf16>) matrix(@v : tensor<256x96xbf16>) into(%y : memref<?x256xf32>)
  return
}

// -----

// Rows stay rows when columns are folded, and in a buffer of as many rows.
// CHECK-LABEL: func @forward
// CHECK-SAME: (%[[X:.*]]: memref<?x4x8xf32>
// CHECK: %[[N:.*]] = memref.dim %[[X]], %c0
// CHECK: memref.view %{{.*}}[%{{.*}}][%[[N]]] : memref<?xi8> to memref<?x32xf32>
// CHECK: memref.view %{{.*}}[%{{.*}}][%[[N]]] : memref<?xi8> to memref<?x16xf32>
// CHECK-NOT: memref.alloc
func.func @forward(%x: memref<?x4x8xf32> {llama.argument = "x", llama.row_count = "rows"}) {
  %c0 = arith.constant 0 : index
  %folded = memref.collapse_shape %x [[0], [1, 2]] : memref<?x4x8xf32> into memref<?x32xf32>
  %n = memref.dim %folded, %c0 : memref<?x32xf32>
  %a = memref.alloc(%n) : memref<?x32xf32>
  %m = memref.dim %a, %c0 : memref<?x32xf32>
  %b = memref.alloc(%m) : memref<?x16xf32>
  "test.use"(%a, %b) : (memref<?x32xf32>, memref<?x16xf32>) -> ()
  return
}

// -----

func.func @forward(%n: index) {
  // expected-error @+1 {{'memref.alloc' op expected a number of rows as its size}}
  %a = memref.alloc(%n) : memref<?x64xf32>
  "test.use"(%a) : (memref<?x64xf32>) -> ()
  return
}

// -----

func.func @forward(%x: memref<?x64xf32> {llama.argument = "x"}) {
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?x64xf32>
  // expected-error @+1 {{'memref.alloc' op expected a number of rows as its size}}
  %a = memref.alloc(%n) : memref<?x64xf32>
  "test.use"(%a) : (memref<?x64xf32>) -> ()
  return
}

// -----

// A number of columns is no number of rows.
func.func @forward(%x: memref<?x?xf32> {llama.argument = "x", llama.row_count = "rows"}) {
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c1 : memref<?x?xf32>
  // expected-error @+1 {{'memref.alloc' op expected a number of rows as its size}}
  %a = memref.alloc(%n) : memref<?x64xf32>
  "test.use"(%a) : (memref<?x64xf32>) -> ()
  return
}

// -----

func.func @forward(%x: memref<?x64xf32> {llama.argument = "x", llama.row_count = "rows"}) {
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?x64xf32>
  // expected-error @+1 {{'memref.alloc' op expected a number of rows as its size}}
  %a = memref.alloc(%n, %n) : memref<?x?xf32>
  "test.use"(%a) : (memref<?x?xf32>) -> ()
  return
}

// -----

func.func @forward(%x: memref<?x64xf32> {llama.argument = "x", llama.row_count = "rows"}) {
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?x64xf32>
  scf.forall (%i) in (%n) {
    // expected-error @+1 {{'memref.alloc' op in a parallel loop must be of static size}}
    %a = memref.alloc(%n) : memref<?x64xf32>
    "test.use"(%a) : (memref<?x64xf32>) -> ()
  }
  return
}

// -----

// expected-error @+1 {{'builtin.module' op has no function @forward}}
module {
  func.func @backward() {
    return
  }
}
