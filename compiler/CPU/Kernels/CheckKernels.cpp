//===- CheckKernels.cpp - No product becomes scalar loops in silence ------===//

#include "compiler/CPU/Passes.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMACPUCHECKKERNELSPASS
#include "compiler/CPU/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;

namespace {

struct LlamaCPUCheckKernels
    : mlir::llama::impl::LlamaCPUCheckKernelsPassBase<LlamaCPUCheckKernels> {
  using Base::Base;

  void runOnOperation() override {
    getOperation().walk([&](linalg::LinalgOp op) {
      if (op.getNumParallelLoops() < 2 || op.getNumReductionLoops() == 0)
        return;
      op.emitOpError("is a product that was not vectorized");
      signalPassFailure();
    });
  }
};

} // namespace
