//===- PlaceWeights.cpp - Give every weight its place in one block --------===//
//
//   memref.global @a : memref<16x8xbf16>      =>
//   %w = memref.get_global @a                 => memref.view %weights[4096]
//
// What the block holds becomes an attribute of the module, from which it is
// written in the end.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Passes.h"
#include "compiler/Placement/Arguments.h"

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
    appendArgument(module, "weights",
                   MemRefType::get(ShapedType::kDynamic, builder.getI8Type()));
    int64_t end = 0;
    SmallVector<Attribute> list;
    for (auto global :
         llvm::make_early_inc_range(module.getOps<memref::GlobalOp>())) {
      if (!global.isExternal())
        continue; // a constant of the code
      end = llvm::alignTo(end, alignment);
      list.push_back(describe(builder, global, end));
      replaceByViews(global, end);
      end += getByteSize(global.getType());
      global.erase();
    }
    module->setAttr(kWeightsAttr, builder.getArrayAttr(list));
    module->setAttr(kWeightsBytesAttr, builder.getI64IntegerAttr(end));
  }

  Attribute describe(Builder &builder, memref::GlobalOp global,
                     int64_t offset) {
    NamedAttrList entry;
    entry.append("name", global.getSymNameAttr());
    entry.append("type", TypeAttr::get(global.getType()));
    entry.append("offset", builder.getI64IntegerAttr(offset));
    if (global->hasAttr(kLayeredAttr))
      entry.append("layered", builder.getUnitAttr());
    if (global->hasAttr(kRotatedAttr))
      entry.append("rotated", builder.getUnitAttr());
    if (auto type = global->getAttrOfType<TypeAttr>(kQuantizedAttr))
      entry.append("quantized", type);
    return entry.getDictionary(&getContext());
  }

  void replaceByViews(memref::GlobalOp global, int64_t offset) {
    getOperation().walk([&](memref::GetGlobalOp get) {
      if (get.getName() != global.getSymName())
        return;
      ImplicitLocOpBuilder b(get.getLoc(), get);
      Value weights =
          findArgument(get->getParentOfType<func::FuncOp>(), "weights");
      Value shift = arith::ConstantIndexOp::create(b, offset);
      Value view = memref::ViewOp::create(b, get.getType(), weights, shift,
                                          ValueRange{});
      get.replaceAllUsesWith(view);
      get.erase();
    });
  }
};

} // namespace
