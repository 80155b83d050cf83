//===- Passes.td - Where things lie that a call is given ---*- tablegen -*-===//

#ifndef LLAMA_COMPILER_PLACEMENT_PASSES
#define LLAMA_COMPILER_PLACEMENT_PASSES

include "mlir/Pass/PassBase.td"

def LlamaAddCallArgumentsPass : Pass<"llama-add-call-arguments", "::mlir::ModuleOp"> {
  let summary = "give every function what a call of the model comes with";
  let description = [{
    The call itself, the thread and how many there are, the block of weights and
    the workspace become arguments of each function and of each call; the number
    of rows of prompts, too, if `kernel.prefill_rows` asks for it. If nothing does,
    the module is marked `llama.rows_alike`: its code cannot tell rows apart.

    Pre-condition: bufferized. No later pass changes a signature.

    @test compiler/Placement/add-call-arguments.mlir
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def LlamaAssignStackPass : Pass<"llama-assign-stack", "::mlir::func::FuncOp"> {
  let summary = "give every buffer of one thread its place on the thread's stack";
  let description = [{
    A buffer lives from its `memref.alloca` to its last use in the block. Of those
    larger than 1 KiB such as never live at once share a place, so that a thread
    gets by with little stack. All are allocated once, at the start of the function.

    Pre-condition: sizes are static.

    @test compiler/Placement/assign-stack.mlir
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"
  ];
}

def LlamaAssignWeightOffsetsPass : Pass<"llama-assign-weight-offsets", "::mlir::ModuleOp"> {
  let summary = "give every weight its offset in one block of weights";
  let description = [{
    `llama.weight` gets its offset, `kernel.stored_weight` becomes a view of the
    block that the caller provides. A weight that nobody reads has a place as well.

    Pre-condition: functions have the argument `weights`.

    @test compiler/Placement/assign-weight-offsets.mlir
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
}

def LlamaAssignWorkspacePass : Pass<"llama-assign-workspace", "::mlir::ModuleOp"> {
  let summary = "give every buffer between parallel loops its place in one workspace";
  let description = [{
    Buffers allocated outside of parallel loops are shared by the threads: they
    become views of a workspace that the caller provides, at offsets computed
    from the number of rows; `@workspace_bytes` says how large it must be.
    Buffers of static size inside parallel loops belong to one thread: they become
    `memref.alloca`, for `llama-assign-stack`.

    Pre-condition: bufferized; sizes depend on arguments marked `llama.row_count`
    only; functions have the arguments `workspace` and `workspace_begin`.

    @test compiler/Placement/assign-workspace.mlir
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"
  ];
}

#endif // LLAMA_COMPILER_PLACEMENT_PASSES
