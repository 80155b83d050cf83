//===- SelectKernels.cpp - Decide how every product is computed -----------===//
//
//   kernel.matmul  =>  kernel.matmul schedule <rows = 256 x 32 [...]>
//
// The only pass that decides. Later ones obey the attribute.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Passes.h"
#include "compiler/CPU/Schedule/Schedule.h"
#include "compiler/Machine/ModuleTarget.h"

#include "mlir/IR/Remarks.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMACPUSELECTKERNELSPASS
#include "compiler/CPU/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

namespace {

struct LlamaCPUSelectKernels
    : mlir::llama::impl::LlamaCPUSelectKernelsPassBase<LlamaCPUSelectKernels> {
  using Base::Base;

  void runOnOperation() override {
    FailureOr<TargetInfo> target =
        findTarget(getOperation(), mtriple, mcpu, mattr);
    if (failed(target))
      return signalPassFailure();
    setTarget(getOperation(), *target);
    VectorSchedule vectors = VectorSchedule::get(*target);
    getOperation()->setAttr(kVectorsAttr,
                            VectorsAttr::get(&getContext(), vectors.lanes,
                                             vectors.rowElements,
                                             vectors.accumulators));
    getOperation().walk([&](MatmulOp product) {
      KernelChoice choice =
          chooseKernel(&getContext(), *target, ProductShape::get(product));
      product.setScheduleAttr(choice.schedule);
      ++numSelected;
      for (const Refusal &refusal : choice.refused)
        remark::missed(
            product.getLoc(),
            remark::RemarkOpts::name(refusal.instruction).category("kernels"))
            << remark::detail::Remark::Arg("Matrix", product.getMatrix())
            << remark::detail::Remark::Arg("Reason", refusal.reason);
    });
  }
};

} // namespace
