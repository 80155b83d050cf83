// RUN: llama-opt %s --llama-add-call-arguments --split-input-file | FileCheck %s

// Every function is given the same, and hands it on.
// CHECK-LABEL: func @callee
// CHECK-SAME: (%{{.*}}: index, %{{.*}}: memref<?xi8> {llama.argument = "weights"}, %{{.*}}: memref<?xi8> {llama.argument = "workspace"}, %{{.*}}: index {llama.argument = "workspace_begin"}, %{{.*}}: index {llama.argument = "thread"}, %{{.*}}: index {llama.argument = "threads"}, %{{.*}}: !llvm.ptr {llama.argument = "call"})
// CHECK-LABEL: func @caller
// CHECK-SAME: (%[[N:.*]]: index, %[[W:.*]]: memref<?xi8> {{.*}}, %[[S:.*]]: memref<?xi8> {{.*}}, %[[B:.*]]: index {{.*}}, %[[T:.*]]: index {{.*}}, %[[TS:.*]]: index {{.*}}, %[[C:.*]]: !llvm.ptr
// CHECK: call @callee(%[[N]], %[[W]], %[[S]], %[[B]], %[[T]], %[[TS]], %[[C]])
// CHECK: call @elsewhere() : () -> ()
func.func @callee(%n: index) {
  return
}
func.func private @elsewhere()
func.func @caller(%n: index) {
  call @callee(%n) : (index) -> ()
  call @elsewhere() : () -> ()
  return
}

// -----

// The number of rows of prompts is asked for where a product needs it.
// CHECK-LABEL: func @prefill_rows_are_an_argument
// CHECK-SAME: (%[[ROWS:.*]]: index {llama.argument = "prompt_rows"}, %{{.*}}: memref<?xi8> {llama.argument = "weights"}
// CHECK: return %[[ROWS]]
func.func @prefill_rows_are_an_argument() -> index {
  %rows = kernel.prefill_rows
  return %rows : index
}
