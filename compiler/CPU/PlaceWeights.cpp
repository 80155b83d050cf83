//===- PlaceWeights.cpp - Give every weight its place in one block --------===//
//
//   memref.global @a : memref<16x8xbf16>      => {llama.offset = 4096}
//   %w = memref.get_global @a                 => memref.view %weights[4096]
//
// The globals stay: they are the list from which the block is written.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Arguments.h"
#include "compiler/CPU/Passes.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

#include "llvm/Support/MathExtras.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMACPUPLACEWEIGHTSPASS
#include "compiler/CPU/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

namespace {

int64_t getByteSize(MemRefType type) {
  return type.getNumElements() * (type.getElementTypeBitWidth() / 8);
}

struct LlamaCPUPlaceWeights
    : mlir::llama::impl::LlamaCPUPlaceWeightsPassBase<LlamaCPUPlaceWeights> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (module->hasAttr(kWeightsBytesAttr)) {
      module.emitOpError("has its weights placed already");
      return signalPassFailure();
    }
    Builder builder(&getContext());
    int64_t end = 0;
    for (auto global : module.getOps<memref::GlobalOp>()) {
      if (!global.isExternal())
        continue; // a constant of the code
      end = llvm::alignTo(end, alignment);
      global->setAttr(kOffsetAttr, builder.getI64IntegerAttr(end));
      end += getByteSize(global.getType());
    }
    module->setAttr(kWeightsBytesAttr, builder.getI64IntegerAttr(end));

    appendArgument(module, "weights",
                   MemRefType::get(ShapedType::kDynamic, builder.getI8Type()));
    module.walk([&](memref::GetGlobalOp get) { replaceByView(module, get); });
  }

  void replaceByView(ModuleOp module, memref::GetGlobalOp get) {
    auto global = module.lookupSymbol<memref::GlobalOp>(get.getName());
    auto offset = global->getAttrOfType<IntegerAttr>(kOffsetAttr);
    if (!offset)
      return;
    ImplicitLocOpBuilder b(get.getLoc(), get);
    Value weights =
        findArgument(get->getParentOfType<func::FuncOp>(), "weights");
    Value shift = arith::ConstantIndexOp::create(b, offset.getInt());
    Value view =
        memref::ViewOp::create(b, get.getType(), weights, shift, ValueRange{});
    get.replaceAllUsesWith(view);
    get.erase();
  }
};

} // namespace
