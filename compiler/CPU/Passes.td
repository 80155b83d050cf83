//===- Passes.td - From linalg to loops for one CPU --------*- tablegen -*-===//

#ifndef LLAMA_COMPILER_CPU_PASSES
#define LLAMA_COMPILER_CPU_PASSES

include "mlir/Pass/PassBase.td"

def LlamaCPUTileLinearsPass : Pass<"llama-cpu-tile-linears", "::mlir::ModuleOp"> {
  let summary = "tile matrix products for threads, cache and registers";
  let description = [{
    A product of rows and a matrix, with what is done to its result element by
    element (a gate, a residual add), becomes

    ```
    for blocks of `rows-per-pass` rows                      they stay in L2
      forall panels of `panel-columns` weight rows          threads; stay in L1
        for `block-rows` rows at a time, `block-columns` wide   registers
        for one row at a time, the whole panel wide         one stream per weight row
    ```

    with static sizes in the innermost tiles. Tiles of quantized matrices are
    `quantized-columns` wide, for one row and for several: a lane is a row of the
    matrix there. The sum over a row is not tiled
    here: each element is reduced in one place, in one order.

    With `amx`, the rows of prompts, which come first in a call, go through
    tiles of 32 by 32 instead, where types and sizes allow it (bf16, multiples
    of 32). The functions get an argument that says how many rows those are.

    With `amx-int8`, rows that meet a quantized matrix go through tiles of 32 by
    32, then of 16 by 32, before blocks of `quantized-rows`, whatever they are
    rows of: sums have the same bits in all of them.

    @test compiler/CPU/Tiling/tile-linears.mlir
    @test compiler/CPU/Tiling/tile-for-amx.mlir
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect",
    "::mlir::vector::VectorDialect"
  ];
  let options = [
    Option<"amx", "amx", "bool", "false", "rows of prompts on AMX tiles">,
    Option<"amxInt8", "amx-int8", "bool", "false", "products with quantized matrices on AMX tiles">,
    Option<"amxRowsPerPass", "amx-rows-per-pass", "int64_t", "256", "rows that are packed at once">,
    Option<"amxPanelColumns", "amx-panel-columns", "int64_t", "128", "weight rows that use packed rows while they are near">,
    Option<"amxDepth", "amx-depth", "int64_t", "512", "elements of a sum that are added at once">,
    Option<"rowsPerPass", "rows-per-pass", "int64_t", "128", "rows that use a panel while it is in the cache">,
    Option<"panelColumns", "panel-columns", "int64_t", "8", "weight rows of one tile">,
    Option<"blockRows", "block-rows", "int64_t", "4", "rows of a register block">,
    Option<"blockColumns", "block-columns", "int64_t", "4", "weight rows of a register block">,
    Option<"quantizedRows", "quantized-rows", "int64_t", "4", "rows in a block with a quantized matrix">,
    Option<"quantizedColumns", "quantized-columns", "int64_t", "32",
           "rows of a quantized matrix in a tile: panels of 16 side by side">
  ];
  let statistics = [
    Statistic<"numTiled", "num-tiled", "products tiled">,
    Statistic<"numOnAMX", "num-on-amx", "of them for AMX too">
  ];
}

def LlamaCPULowerAMXTilesPass : Pass<"llama-cpu-lower-amx-tiles", "::mlir::func::FuncOp"> {
  let summary = "turn products of tiles into AMX instructions";
  let description = [{
    Four tiles of sums stay in registers while a loop loads two tiles of either
    side and multiplies each with each. Elements are bf16 or bytes, whose signs
    the product's body tells. Sums that have just been filled with zeros are
    not loaded. With 16 rows, or 16 matrix rows, there are fewer tiles.

    @test compiler/CPU/Lowering/lower-amx-tiles.mlir
  }];
  let dependentDialects = [
    "::mlir::amx::AMXDialect", "::mlir::arith::ArithDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"
  ];
  let statistics = [
    Statistic<"numLowered", "num-lowered", "products lowered">
  ];
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
    into `sum-registers` registers for all rows, and inside of it a loop over d
    that adds one outer product after the other. Products of rows by rows, [n, d],
    are left alone.

    @test compiler/CPU/Tiling/tile-outer-products.mlir
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"
  ];
  let options = [
    Option<"lanes", "lanes", "int64_t", "16", "f32 elements of a vector register">,
    Option<"sumRegisters", "sum-registers", "int64_t", "16", "registers for sums">
  ];
  let statistics = [
    Statistic<"numTiled", "num-tiled", "products tiled">
  ];
}

def LlamaCPUVectorizePass : Pass<"llama-cpu-vectorize", "::mlir::func::FuncOp"> {
  let summary = "turn linalg ops of static shape into vectors";
  let description = [{
    Sums run in `lanes` partial sums side by side, added up at the end in a fixed
    order; long rows are cut into pieces of `row-elements`.

    @test compiler/CPU/Kernels/vectorize.mlir
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect", "::mlir::vector::VectorDialect"
  ];
  let options = [
    Option<"lanes", "lanes", "int64_t", "16", "f32 elements of a vector register">,
    Option<"rowElements", "row-elements", "int64_t", "64", "elements of a row handled at once">
  ];
  let statistics = [
    Statistic<"numVectorized", "num-vectorized", "linalg ops vectorized">,
    Statistic<"numScalar", "num-scalar", "linalg ops left to scalar loops">
  ];
}

def LlamaCPUVectorizeQuantizedPass : Pass<"llama-cpu-vectorize-quantized", "::mlir::func::FuncOp"> {
  let summary = "turn products of integers with scales into vectors";
  let description = [{
    Tiles of static shape that multiply with an `!llama.quantized` matrix: four
    neighbouring bytes of a row and a matrix row become one exact integer (one
    instruction where there is VNNI or dot products), and each group's integers
    are scaled and added in f32. With 4 lanes a group is a loop over vectors.

    With `amx`, tiles of 16 or more rows get the dots of a group from products of
    AMX tiles, which `llama-cpu-lower-amx-tiles` makes instructions of.

    @test compiler/CPU/Kernels/vectorize-quantized.mlir
    @test compiler/CPU/Kernels/vectorize-quantized-amx.mlir
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect",
    "::mlir::bufferization::BufferizationDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect",
    "::mlir::vector::VectorDialect"
  ];
  let options = [
    Option<"lanes", "lanes", "int64_t", "16", "f32 elements of a vector register">,
    Option<"amx", "amx", "bool", "false", "dots of 16 rows or more on AMX tiles">,
    Option<"dots", "dots", "::mlir::llama::ByteDots", "::mlir::llama::ByteDots::VPDPBUSD",
           "what adds four products of bytes", [{::llvm::cl::values(
             clEnumValN(::mlir::llama::ByteDots::Widen, "widen", "products of 32 bits"),
             clEnumValN(::mlir::llama::ByteDots::VPDPBUSD, "vpdpbusd", "of x86-64 with VNNI"),
             clEnumValN(::mlir::llama::ByteDots::VPMADDWD, "vpmaddwd", "of x86-64 without VNNI"),
             clEnumValN(::mlir::llama::ByteDots::SMULL, "smull", "of every aarch64"),
             clEnumValN(::mlir::llama::ByteDots::SDOT, "sdot", "of aarch64 with dot products"),
             clEnumValN(::mlir::llama::ByteDots::USDOT, "usdot", "of aarch64 with matrix products of bytes"))}]>
  ];
  let statistics = [
    Statistic<"numVectorized", "num-vectorized", "tiles vectorized">
  ];
}

def LlamaCPUVectorizeBF16Pass : Pass<"llama-cpu-vectorize-bf16", "::mlir::func::FuncOp"> {
  let summary = "turn products of bf16 into sums of pairs";
  let description = [{
    Tiles of static shape whose rows are whole vectors. Each lane of a sum adds
    pairs of neighbours. With `dots` an instruction does that: AVX-512's, or NEON's with 4 lanes.
    Without, pairs are split into two vectors of f32, by a shift and a mask.

    @test compiler/CPU/Kernels/vectorize-bf16.mlir
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"
  ];
  let options = [
    Option<"lanes", "lanes", "int64_t", "16", "f32 elements of a vector register">,
    Option<"dots", "dots", "bool", "true", "an instruction multiplies and adds pairs">
  ];
  let statistics = [
    Statistic<"numVectorized", "num-vectorized", "tiles vectorized">
  ];
}

def LlamaCPUPlanWorkspacePass : Pass<"llama-cpu-plan-workspace", "::mlir::ModuleOp"> {
  let summary = "give every buffer between parallel loops its place in one workspace";
  let description = [{
    Buffers allocated outside of parallel loops are shared by the threads: they
    become views of a workspace that the caller provides, at offsets computed
    from the number of rows; `@workspace_bytes` says how large it must be.
    Buffers of static size inside parallel loops belong to one thread: they move
    to its stack.

    Pre-condition: bufferized; sizes depend on arguments marked `llama.rows` or
    `llama.logit_rows` only.

    @test compiler/Placement/plan-workspace.mlir
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"
  ];
}

def LlamaCPUPlaceWeightsPass : Pass<"llama-cpu-place-weights", "::mlir::ModuleOp"> {
  let summary = "give every weight its offset in one block of weights";
  let description = [{
    `memref.get_global` becomes a view of the block that the caller provides. What
    the block holds, and where, stays on the module as `llama.weights`.

    @test compiler/Placement/place-weights.mlir
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
  let options = [
    Option<"alignment", "alignment", "int64_t", "4096", "of every weight, in bytes">
  ];
}

def LlamaCPUDistributePass : Pass<"llama-cpu-distribute", "::mlir::ModuleOp"> {
  let summary = "give each thread its part of every parallel loop";
  let description = [{
    Every thread runs the same functions. `scf.forall` becomes `scf.for` over a
    contiguous part of its first loop that has more than one step, and a barrier
    stands before the first loop that reads what an earlier one wrote. It is
    called with the number of what follows, and with the layer: the module's
    `llama.steps` says what that is.

    Pre-condition: bufferized, and outside of parallel loops nothing is written.

    @test compiler/CPU/Threads/distribute.mlir
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
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

def LlamaCPUPrefetchPass : Pass<"llama-cpu-prefetch", "::mlir::func::FuncOp"> {
  let summary = "ask for the next rows of weights while these are read";
  let description = [{
    In loops that read `rows` rows of weights side by side, or panels with a sum
    for each of their vectors: those of the tile for one row of activations. And in
    loops whose weights change with every step of the loop around: those of the
    first of several blocks of rows.

    @test compiler/CPU/Lowering/prefetch.mlir
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
  let options = [
    Option<"rows", "rows", "int64_t", "8", "weight rows of one tile">
  ];
  let statistics = [
    Statistic<"numPrefetches", "num-prefetches", "prefetches inserted">
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
