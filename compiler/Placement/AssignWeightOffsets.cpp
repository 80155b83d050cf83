//===- AssignWeightOffsets.cpp - A place for every weight -----------------===//
//
//   llama.weight @a layered : ...         =>  llama.weight @a layered at 4096
//   %w = kernel.stored_weight @a[%layer]  =>  memref.view %weights[4096 + ..]
//
//===----------------------------------------------------------------------===//

#include "compiler/Placement/CallArguments.h"
#include "compiler/Placement/Passes.h"
#include "dialects/Kernel/IR/KernelOps.h"
#include "dialects/Llama/IR/LlamaOps.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

#include "llvm/Support/MathExtras.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMAASSIGNWEIGHTOFFSETSPASS
#include "compiler/Placement/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

namespace {

// Of every weight, in bytes: a page.
constexpr int64_t kAlignment = 4096;

struct LlamaAssignWeightOffsets
    : mlir::llama::impl::LlamaAssignWeightOffsetsPassBase<
          LlamaAssignWeightOffsets> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (module->hasAttr(kWeightsBytesAttr)) {
      module.emitOpError("has its weights placed already");
      return signalPassFailure();
    }
    Builder b(&getContext());
    int64_t end = 0;
    for (auto weight : module.getOps<WeightOp>()) {
      end = llvm::alignTo(end, kAlignment);
      weight.setOffsetAttr(b.getI64IntegerAttr(end));
      end += weight.getLayerCount() * weight.getTensorBytes();
    }
    module->setAttr(kWeightsBytesAttr, b.getI64IntegerAttr(end));
    SmallVector<StoredWeightOp> reads;
    module.walk([&](StoredWeightOp op) { reads.push_back(op); });
    SymbolTable symbols(module);
    for (StoredWeightOp op : reads)
      replaceByView(op, symbols.lookup<WeightOp>(op.getName()));
  }

  static void replaceByView(StoredWeightOp op, WeightOp weight) {
    ImplicitLocOpBuilder b(op.getLoc(), op);
    Value block = findArgument(op->getParentOfType<func::FuncOp>(), "weights");
    Value begin = arith::ConstantIndexOp::create(
        b, static_cast<int64_t>(*weight.getOffset()));
    if (op.getLayer()) {
      Value bytes = arith::ConstantIndexOp::create(b, weight.getTensorBytes());
      Value layer = arith::MulIOp::create(b, op.getLayer(), bytes);
      begin = arith::AddIOp::create(b, layer, begin);
    }
    op.replaceAllUsesWith(
        memref::ViewOp::create(b, op.getType(), block, begin, ValueRange{})
            .getResult());
    op.erase();
  }
};

} // namespace
