// RUN: llama-opt %s --llama-cpu-entry-point --cse --split-input-file --verify-diagnostics | FileCheck %s

// Barriers get numbers as they stand; the module has what follows each of them.
// Outside of the layers their number is -1.
// CHECK: module attributes {kernel.phases = [
// CHECK-SAME: #kernel.phase<ops = ["linear"], matrices = ["layers.a"], tables = [], rows = "rows">,
// CHECK-SAME: #kernel.phase<ops = ["embed"], matrices = [], tables = ["table"], rows = "rows">]}
// CHECK-LABEL: func private @layer
// CHECK-SAME: (%[[LAYER:[a-z0-9]*]]: index {{{.*}}}, %[[CALL:[a-z0-9]*]]: !llvm.ptr
// CHECK: call @llama_barrier(%[[CALL]], %c0, %[[LAYER]])
// CHECK-NOT: kernel.barrier
// CHECK-LABEL: func private @forward
// CHECK-SAME: (%[[CALL:[a-z0-9]*]]: !llvm.ptr
// CHECK: call @llama_barrier(%[[CALL]], %c1, %c-1)
// CHECK-NOT: kernel.barrier
// CHECK: call @llama_take_share(%[[CALL]], %c5)
func.func private @layer(%layer: index {llama.argument = "layer"}, %call: !llvm.ptr {llama.argument = "call"}) {
  kernel.barrier <ops = ["linear"], matrices = ["layers.a"], tables = [], rows = "rows"> layer %layer cut []
  return
}
func.func @forward(%call: !llvm.ptr {llama.argument = "call"}) {
  %first = arith.constant 0 : index
  kernel.barrier <ops = ["embed"], matrices = [], tables = ["table"], rows = "rows"> cut []
  %shares = arith.constant 5 : index
  %share = kernel.take_share of %shares
  call @layer(%first, %call) : (index, !llvm.ptr) -> ()
  return
}

// CHECK-LABEL: func @llama_workspace_bytes
// CHECK-SAME: (%{{.*}}: index, %{{.*}}: index) -> index
func.func @workspace_bytes(%rows: index, %logit_rows: index) -> index {
  return %rows : index
}

// The runtime's barrier, called with the runtime's team, and what comes next. The
// numbers are byte offsets in llama_call, of runtime/abi/LlamaCall.def.
// CHECK-LABEL: func private @llama_barrier
// CHECK-SAME: (%[[CALL:.*]]: !llvm.ptr, %[[PHASE:.*]]: index, %[[LAYER:.*]]: index)
// CHECK: %[[AT:.*]] = llvm.getelementptr %[[CALL]][136] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK: %[[BARRIER:.*]] = llvm.load %[[AT]] : !llvm.ptr -> !llvm.ptr
// CHECK: %[[AT:.*]] = llvm.getelementptr %[[CALL]][152]
// CHECK: %[[TEAM:.*]] = llvm.load %[[AT]]
// CHECK: %[[PHASE64:.*]] = arith.index_cast %[[PHASE]] : index to i64
// CHECK: %[[LAYER64:.*]] = arith.index_cast %[[LAYER]] : index to i64
// CHECK: llvm.call %[[BARRIER]](%[[TEAM]], %[[PHASE64]], %[[LAYER64]])

// So are the shares, as many as there are of the loop.
// CHECK-LABEL: func private @llama_take_share
// CHECK-SAME: (%[[CALL:.*]]: !llvm.ptr, %[[SHARES:.*]]: index) -> index
// CHECK: llvm.getelementptr %[[CALL]][144]
// CHECK: %[[TAKE:.*]] = llvm.load
// CHECK: llvm.getelementptr %[[CALL]][152]
// CHECK: %[[TEAM:.*]] = llvm.load
// CHECK: %[[SHARES64:.*]] = arith.index_cast %[[SHARES]] : index to i64
// CHECK: %[[TAKEN:.*]] = llvm.call %[[TAKE]](%[[TEAM]], %[[SHARES64]])
// CHECK: arith.index_cast %[[TAKEN]] : i64 to index

// CHECK-LABEL: func @llama_forward
// CHECK-SAME: (%[[CALL:.*]]: !llvm.ptr)
// CHECK: call @forward(%[[CALL]])

// -----

// Every argument by its name.
// CHECK: module attributes {kernel.phases = []}
// CHECK-LABEL: func private @forward
func.func @forward(
    %tokens: memref<?xi32> {llama.argument = "tokens", llama.row_count = "rows"},
    %positions: memref<?xi32> {llama.argument = "positions", llama.row_count = "rows"},
    %sequences: memref<?xi32> {llama.argument = "sequences", llama.row_count = "rows"},
    %tables: memref<?x?xi32> {llama.argument = "block_tables"},
    %kv: memref<?x5x2x4x64x8xbf16> {llama.argument = "kv"},
    %list: memref<?xi32> {llama.argument = "logit_row_list", llama.row_count = "logit_rows"},
    %logits: memref<?x512xf32> {llama.argument = "logits", llama.row_count = "logit_rows"},
    %scores: memref<?x4x?xf32> {llama.argument = "attention_scores"},
    %prompt: index {llama.argument = "prompt_rows"},
    %weights: memref<?xi8> {llama.argument = "weights"},
    %workspace: memref<?xi8> {llama.argument = "workspace"},
    %begin: index {llama.argument = "workspace_begin"},
    %threads: index {llama.argument = "threads"},
    %call: !llvm.ptr {llama.argument = "call"}) {
  return
}
func.func @workspace_bytes(%rows: index, %logit_rows: index) -> index {
  return %rows : index
}

// CHECK-LABEL: func @llama_forward
// CHECK-SAME: (%[[CALL:.*]]: !llvm.ptr)
// CHECK: %[[AT:.*]] = llvm.getelementptr %[[CALL]][16]
// CHECK: %[[DATA:.*]] = llvm.load %[[AT]] : !llvm.ptr -> !llvm.ptr
// CHECK: llvm.insertvalue %[[DATA]], %{{.*}}[0]
// CHECK: llvm.insertvalue %[[DATA]], %{{.*}}[1]
// CHECK: %[[AT:.*]] = llvm.getelementptr %[[CALL]][8]
// CHECK: %[[ROWS:.*]] = llvm.load %[[AT]] : !llvm.ptr -> i64
// CHECK: llvm.insertvalue %[[ROWS]], %{{.*}}[3, 0]
// CHECK: %[[TOKENS:.*]] = builtin.unrealized_conversion_cast {{.*}} to memref<?xi32>
// CHECK: llvm.getelementptr %[[CALL]][24]
// CHECK: llvm.insertvalue %[[ROWS]], %{{.*}}[3, 0]
// CHECK: %[[POSITIONS:.*]] = builtin.unrealized_conversion_cast {{.*}} to memref<?xi32>
// CHECK: llvm.getelementptr %[[CALL]][32]
// CHECK: llvm.insertvalue %[[ROWS]], %{{.*}}[3, 0]
// CHECK: %[[SEQUENCES:.*]] = builtin.unrealized_conversion_cast {{.*}} to memref<?xi32>
// A table's rows lie its stride apart.
// CHECK: llvm.getelementptr %[[CALL]][64]
// CHECK: %[[AT:.*]] = llvm.getelementptr %[[CALL]][56]
// CHECK: %[[STRIDE:.*]] = llvm.load %[[AT]] : !llvm.ptr -> i64
// CHECK: llvm.insertvalue %[[STRIDE]], %{{.*}}[3, 1]
// CHECK: %[[ROW:.*]] = llvm.mul %{{.*}}, %[[STRIDE]]
// CHECK: %[[AT:.*]] = llvm.getelementptr %[[CALL]][48]
// CHECK: %[[COUNT:.*]] = llvm.load %[[AT]] : !llvm.ptr -> i64
// CHECK: llvm.insertvalue %[[COUNT]], %{{.*}}[3, 0]
// CHECK: llvm.insertvalue %[[ROW]], %{{.*}}[4, 0]
// CHECK: %[[TABLES:.*]] = builtin.unrealized_conversion_cast {{.*}} to memref<?x?xi32>
// CHECK: llvm.getelementptr %[[CALL]][72]
// CHECK: %[[AT:.*]] = llvm.getelementptr %[[CALL]][80]
// CHECK: %[[BLOCKS:.*]] = llvm.load %[[AT]] : !llvm.ptr -> i64
// CHECK: llvm.insertvalue %[[BLOCKS]], %{{.*}}[3, 0]
// CHECK: %[[KV:.*]] = builtin.unrealized_conversion_cast {{.*}} to memref<?x5x2x4x64x8xbf16>
// CHECK: llvm.getelementptr %[[CALL]][96]
// CHECK: %[[AT:.*]] = llvm.getelementptr %[[CALL]][88]
// CHECK: %[[LOGIT_ROWS:.*]] = llvm.load %[[AT]] : !llvm.ptr -> i64
// CHECK: llvm.insertvalue %[[LOGIT_ROWS]], %{{.*}}[3, 0]
// CHECK: %[[LIST:.*]] = builtin.unrealized_conversion_cast {{.*}} to memref<?xi32>
// CHECK: llvm.getelementptr %[[CALL]][104]
// CHECK: llvm.insertvalue %[[LOGIT_ROWS]], %{{.*}}[3, 0]
// CHECK: %[[LOGITS:.*]] = builtin.unrealized_conversion_cast {{.*}} to memref<?x512xf32>
// So do scores, of which there are as many for each head.
// CHECK: llvm.getelementptr %[[CALL]][176]
// CHECK: %[[AT:.*]] = llvm.getelementptr %[[CALL]][168]
// CHECK: %[[LAST:.*]] = llvm.load %[[AT]] : !llvm.ptr -> i64
// CHECK: llvm.insertvalue %[[LAST]], %{{.*}}[3, 2]
// CHECK: %[[HEAD:.*]] = llvm.mul %{{.*}}, %[[LAST]]
// CHECK: llvm.insertvalue %[[HEAD]], %{{.*}}[4, 1]
// CHECK: %[[AT:.*]] = llvm.getelementptr %[[CALL]][160]
// CHECK: %[[ASKED:.*]] = llvm.load %[[AT]] : !llvm.ptr -> i64
// CHECK: llvm.insertvalue %[[ASKED]], %{{.*}}[3, 0]
// CHECK: %[[SCORES:.*]] = builtin.unrealized_conversion_cast {{.*}} to memref<?x4x?xf32>
// CHECK: %[[AT:.*]] = llvm.getelementptr %[[CALL]][40]
// CHECK: %[[NUMBER:.*]] = llvm.load %[[AT]] : !llvm.ptr -> i64
// CHECK: %[[PROMPT:.*]] = builtin.unrealized_conversion_cast %[[NUMBER]] : i64 to index
// CHECK: llvm.getelementptr %[[CALL]][112]
// CHECK: %[[WEIGHTS:.*]] = builtin.unrealized_conversion_cast {{.*}} to memref<?xi8>
// CHECK: llvm.getelementptr %[[CALL]][120]
// CHECK: %[[WORKSPACE:.*]] = builtin.unrealized_conversion_cast {{.*}} to memref<?xi8>
// CHECK: %[[AT:.*]] = llvm.getelementptr %[[CALL]][128]
// CHECK: %[[THREADS:.*]] = builtin.unrealized_conversion_cast
// CHECK: call @forward(%[[TOKENS]], %[[POSITIONS]], %[[SEQUENCES]], %[[TABLES]], %[[KV]], %[[LIST]], %[[LOGITS]],
// CHECK-SAME: %[[SCORES]], %[[PROMPT]], %[[WEIGHTS]], %[[WORKSPACE]], %c0, %[[THREADS]], %[[CALL]])

// -----

// Arguments are found by their names, wherever they stand.
// CHECK-LABEL: func @llama_forward
// CHECK: llvm.getelementptr %{{.*}}[24]
// CHECK: %[[POSITIONS:.*]] = builtin.unrealized_conversion_cast
// CHECK: llvm.getelementptr %{{.*}}[16]
// CHECK: %[[TOKENS:.*]] = builtin.unrealized_conversion_cast
// CHECK: call @forward(%[[POSITIONS]], %[[TOKENS]])
func.func @forward(%positions: memref<?xi32> {llama.argument = "positions"},
                   %tokens: memref<?xi32> {llama.argument = "tokens"}) {
  return
}
func.func @workspace_bytes(%rows: index, %logit_rows: index) -> index {
  return %rows : index
}

// -----

// expected-error @+1 {{'func.func' op argument 1 has no 'llama.argument'}}
func.func @forward(%tokens: memref<?xi32> {llama.argument = "tokens"}, %more: memref<?xi32>) {
  return
}
func.func @workspace_bytes(%rows: index, %logit_rows: index) -> index {
  return %rows : index
}

// -----

// expected-error @+1 {{'func.func' op argument 0 is named 'temperature', which is not a field of llama_call}}
func.func @forward(%t: memref<?xi32> {llama.argument = "temperature"}) {
  return
}
func.func @workspace_bytes(%rows: index, %logit_rows: index) -> index {
  return %rows : index
}

// -----

// A number is not made of a pointer.
// expected-error @+1 {{argument 0 is 'index', expected a row-major memref of 1 dynamic sizes for 'tokens'}}
func.func @forward(%tokens: index {llama.argument = "tokens"}) {
  return
}
func.func @workspace_bytes(%rows: index, %logit_rows: index) -> index {
  return %rows : index
}

// -----

// llama_call says how many blocks there are, not how many layers.
// expected-error @+1 {{is 'memref<?x?x2x4x64x8xbf16>', expected a row-major memref of 1 dynamic sizes for 'kv'}}
func.func @forward(%kv: memref<?x?x2x4x64x8xbf16> {llama.argument = "kv"}) {
  return
}
func.func @workspace_bytes(%rows: index, %logit_rows: index) -> index {
  return %rows : index
}

// -----

// Elements lie one after the other there.
// expected-error @+1 {{is 'memref<?xi32, strided<[2]>>', expected a row-major memref of 1 dynamic sizes for 'tokens'}}
func.func @forward(%tokens: memref<?xi32, strided<[2]>> {llama.argument = "tokens"}) {
  return
}
func.func @workspace_bytes(%rows: index, %logit_rows: index) -> index {
  return %rows : index
}

// -----

// expected-error @+1 {{'builtin.module' op expected the functions @forward and @workspace_bytes}}
module {
  func.func @forward() {
    return
  }
}

// -----

// expected-error @+1 {{'builtin.module' op expected the functions @forward and @workspace_bytes}}
module {
  func.func @workspace_bytes(%rows: index, %logit_rows: index) -> index {
    return %rows : index
  }
}
