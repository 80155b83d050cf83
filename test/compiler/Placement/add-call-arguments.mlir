// RUN: llama-opt %s --llama-add-call-arguments --split-input-file | FileCheck %s

// Every function is given the same, and hands it on; what is not here is not.
// Code that nobody tells which rows are of prompts treats all alike.
// CHECK: module attributes {llama.rows_alike}
// CHECK-LABEL: func @callee
// CHECK-SAME: (%{{[a-z0-9]+}}: index,
// CHECK-SAME: {{^}} %{{[a-z0-9]+}}: memref<?xi8> {llama.argument = "weights"},
// CHECK-SAME: {{^}} %{{[a-z0-9]+}}: memref<?xi8> {llama.argument = "workspace"},
// CHECK-SAME: {{^}} %{{[a-z0-9]+}}: index {llama.argument = "workspace_begin"},
// CHECK-SAME: {{^}} %{{[a-z0-9]+}}: index {llama.argument = "threads"},
// CHECK-SAME: {{^}} %{{[a-z0-9]+}}: !llvm.ptr {llama.argument = "call"})
// CHECK: func private @elsewhere()
// CHECK-LABEL: func @caller
// CHECK-SAME: (%[[N:[a-z0-9]+]]: index,
// CHECK-SAME: {{^}} %[[WEIGHTS:[a-z0-9]+]]: memref<?xi8> {llama.argument = "weights"},
// CHECK-SAME: {{^}} %[[SPACE:[a-z0-9]+]]: memref<?xi8> {llama.argument = "workspace"},
// CHECK-SAME: {{^}} %[[BEGIN:[a-z0-9]+]]: index {llama.argument = "workspace_begin"},
// CHECK-SAME: {{^}} %[[THREADS:[a-z0-9]+]]: index {llama.argument = "threads"},
// CHECK-SAME: {{^}} %[[CALL:[a-z0-9]+]]: !llvm.ptr {llama.argument = "call"})
// CHECK: call @callee(%[[N]], %[[WEIGHTS]], %[[SPACE]], %[[BEGIN]], %[[THREADS]], %[[CALL]])
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

// The number of rows of prompts comes with them where a product asks for it, to
// all functions.
// CHECK-NOT: llama.rows_alike
// CHECK-LABEL: func @prefill_rows_are_an_argument
// CHECK-SAME: (%[[ROWS:[a-z0-9]+]]: index {llama.argument = "prompt_rows"},
// CHECK-SAME: %{{[a-z0-9]+}}: memref<?xi8> {llama.argument = "weights"}
// CHECK-NOT: kernel.prefill_rows
// CHECK: return %[[ROWS]]
// CHECK-LABEL: func @prefill_rows_are_handed_on
// CHECK-SAME: (%[[ROWS:[a-z0-9]+]]: index {llama.argument = "prompt_rows"}, %[[WEIGHTS:[a-z0-9]+]]: memref<?xi8>
// CHECK: call @prefill_rows_are_an_argument(%[[ROWS]], %[[WEIGHTS]],
func.func @prefill_rows_are_an_argument() -> index {
  %rows = kernel.prefill_rows
  return %rows : index
}
func.func @prefill_rows_are_handed_on() -> index {
  %rows = call @prefill_rows_are_an_argument() : () -> index
  return %rows : index
}
