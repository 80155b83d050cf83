//===- Passes.td - From linalg to loops for one CPU --------*- tablegen -*-===//

#ifndef LLAMA_COMPILER_CPU_PASSES
#define LLAMA_COMPILER_CPU_PASSES

include "mlir/Pass/PassBase.td"

def LlamaCPUSelectKernelsPass : Pass<"llama-cpu-select-kernels", "::mlir::ModuleOp"> {
  let summary = "decide how every matrix product is computed";
  let description = [{
    Writes `#kernel.schedule` to every `kernel.matmul`, and `#kernel.vectors` and the
    target to the module, for the processor of the options; without options, for
    that of the module's `llama.target`, or this one. `compiler/CPU/Schedule/Schedule.cpp`
    has the numbers and the sums that lead to them. What a product did not get is
    said in remarks of the category `kernels`.

    @test compiler/CPU/Schedule/select-kernels.mlir
  }];
  let dependentDialects = ["::mlir::llama::KernelDialect"];
  let options = [
    Option<"mcpu", "mcpu", "std::string", "\"\"", "processor">,
    Option<"mtriple", "mtriple", "std::string", "\"\"", "machine">,
    Option<"mattr", "mattr", "std::string", "\"\"", "features beyond the processor's: +a,-b">
  ];
  let statistics = [
    Statistic<"numSelected", "num-selected", "products with a schedule">
  ];
}

def LlamaCPUTileMatmulsPass : Pass<"llama-cpu-tile-matmuls", "::mlir::func::FuncOp"> {
  let summary = "tile matrix products as their schedules say";
  let description = [{
    A product of rows and a matrix, with its epilogue, what is done to its result
    element by element (a gate, a residual add), becomes

    ```
    forall blocks of `mc` rows                              they stay in L2
           by blocks of `nc` matrix rows                    threads
      for `mr` rows at a time, `nr` wide                    registers
      for one row at a time, a panel after the other        one stream of memory
    ```

    with static sizes in the innermost tiles, each a `kernel.matmul` with its `tile`.
    Rows of prompts, which come first in a call, have a nest of their own where the
    schedule says so.

    @test compiler/CPU/Tiling/tile-matmuls.mlir
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::bufferization::BufferizationDialect",
    "::mlir::llama::KernelDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"
  ];
  let statistics = [
    Statistic<"numTiled", "num-tiled", "products tiled">
  ];
}

def LlamaCPULowerMatmulsPass : Pass<"llama-cpu-lower-matmuls", "::mlir::func::FuncOp"> {
  let summary = "turn tiles of products into instructions";
  let description = [{
    What a tile becomes is what its instruction is: `compiler/CPU/Kernels` has one
    kernel for floating point, one for integers with scales, and both again for
    the tile registers of AMX. Accumulators stay in registers while k runs over
    the lines of panels. Kernels of vectors come in a `scf.execute_region` with the
    tile as `kernel.tile`, for `llama-cpu-outline-tiles`.

    Pre-condition: bufferized, tiled.

    @test compiler/CPU/Kernels/float-tile.mlir
    @test compiler/CPU/Kernels/integer-tile.mlir
    @test compiler/CPU/Kernels/amx-float-tile.mlir
    @test compiler/CPU/Kernels/amx-integer-tile.mlir
  }];
  let dependentDialects = [
    "::mlir::amx::AMXDialect", "::mlir::arith::ArithDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"
  ];
  let statistics = [
    Statistic<"numLowered", "num-lowered", "tiles lowered">
  ];
}

def LlamaCPUOutlineTilesPass : Pass<"llama-cpu-outline-tiles", "::mlir::ModuleOp"> {
  let summary = "make kernels functions, so that equal ones are there once";
  let description = [{
    Each `scf.execute_region` that `llama-cpu-lower-matmuls` has made becomes a
    private function that LLVM does not inline. `duplicate-function-elimination`
    then leaves one of those that are equal: kernels of one format, width and
    tile.

    @test compiler/CPU/Kernels/outline-tiles.mlir
  }];
  let dependentDialects = ["::mlir::func::FuncDialect"];
  let statistics = [
    Statistic<"numOutlined", "num-outlined", "kernels outlined">
  ];
}

def LlamaCPUCheckKernelsPass : Pass<"llama-cpu-check-kernels", "::mlir::func::FuncOp"> {
  let summary = "refuse products that would become scalar loops";
  let description = [{
    Small linalg ops that are not vectors yet become scalar loops. A product of
    two dimensions and a sum is not small: left over, it is an error.

    @test compiler/CPU/Kernels/check-kernels.mlir
  }];
}

def LlamaCPUTileRowsPass : Pass<"llama-cpu-tile-rows", "::mlir::func::FuncOp"> {
  let summary = "tile everything that works row by row into a parallel loop over rows";
  let description = [{
    Norms, rotations and other ops of which each row depends on that row alone:
    producers join the loop of their consumer.

    @test compiler/CPU/Tiling/tile-rows.mlir
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"
  ];
  let statistics = [
    Statistic<"numTiled", "num-tiled", "groups of ops tiled">
  ];
}

def LlamaCPUTileOuterProductsPass : Pass<"llama-cpu-tile-outer-products", "::mlir::func::FuncOp"> {
  let summary = "tile products whose sums run across rows";
  let description = [{
    A product of [g, d] by [d, n] becomes a loop over columns n, as many as fit
    into registers for all rows (`#kernel.vectors`), and inside of it a loop over d
    that adds one outer product after the other. Products of rows by rows, [n, d],
    are left alone.

    @test compiler/CPU/Tiling/tile-outer-products.mlir
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"
  ];
  let statistics = [
    Statistic<"numTiled", "num-tiled", "products tiled">
  ];
}

def LlamaCPUVectorizePass : Pass<"llama-cpu-vectorize", "::mlir::func::FuncOp"> {
  let summary = "turn linalg ops of static shape into vectors";
  let description = [{
    Sums run in as many partial sums as a register has lanes, added up at the end
    in a fixed order; long rows are cut into pieces (`#kernel.vectors`).

    @test compiler/CPU/Kernels/vectorize.mlir
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect", "::mlir::vector::VectorDialect"
  ];
  let statistics = [
    Statistic<"numVectorized", "num-vectorized", "linalg ops vectorized">,
    Statistic<"numScalar", "num-scalar", "linalg ops left to scalar loops">
  ];
}

def LlamaCPUForallToThreadsPass : Pass<"llama-cpu-forall-to-threads", "::mlir::ModuleOp"> {
  let summary = "let threads share the steps of every parallel loop";
  let description = [{
    Every thread runs the same functions. `scf.forall` becomes a loop in which a
    thread takes shares, of some steps each, until all are taken
    (`kernel.take_share`), and a barrier stands before the first loop that reads
    what an earlier one wrote. The barrier says which phase begins there, and which
    buffers threads have written for each other (`kernel.barrier`).

    Pre-conditions: bufferized; outside of parallel loops nothing is read or
    written; and functions with a parallel loop have the argument `threads`
    (`llama-add-call-arguments`).

    @test compiler/CPU/Threads/forall-to-threads.mlir
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::llama::KernelDialect",
    "::mlir::scf::SCFDialect"
  ];
  let statistics = [
    Statistic<"numLoops", "num-loops", "parallel loops distributed">,
    Statistic<"numBarriers", "num-barriers", "barriers inserted">
  ];
}

def LlamaCPULowerCopiesPass : Pass<"llama-cpu-lower-copies", "::mlir::func::FuncOp"> {
  let summary = "turn copies between buffers into linalg ops";
  let description = [{
    Upstream's lowering of a strided copy calls a library that a model does not
    have.

    @test compiler/CPU/Lowering/lower-copies.mlir
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def LlamaCPUExpandMathPass : Pass<"llama-cpu-expand-math", "::mlir::func::FuncOp"> {
  let summary = "compute exponentials, angles and bf16 with arithmetic alone";
  let description = [{
    `math.exp` of f32 becomes upstream's polynomial, conversions from and to bf16
    become integer operations (not every processor has an instruction); `math.sin` and `math.cos` of
    f64 become a reduction to a quarter turn and two polynomials. The model calls
    no library, so its bits do not depend on one.

    @test compiler/CPU/Lowering/expand-math.mlir
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
    "::mlir::vector::VectorDialect"
  ];
}

def LlamaCPUEntryPointPass : Pass<"llama-cpu-entry-point", "::mlir::ModuleOp"> {
  let summary = "wrap the model's function in the one that the runtime calls";
  let description = [{
    `llama_forward` takes apart `llama_call` of runtime/abi/LlamaABI.h;
    `llama_workspace_bytes` forwards to the planned size.

    Pre-condition: buffers, weights and threads are arguments of `@forward`.

    @test compiler/CPU/Threads/entry-point.mlir
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect"];
}

#endif // LLAMA_COMPILER_CPU_PASSES
