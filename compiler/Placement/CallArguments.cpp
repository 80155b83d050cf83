//===- CallArguments.cpp - What every function of a model is given --------===//

#include "compiler/Placement/CallArguments.h"

#include "compiler/Placement/Passes.h"
#include "dialects/Kernel/IR/KernelOps.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMAADDCALLARGUMENTSPASS
#include "compiler/Placement/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

/// Appends an argument to every function that has a body and passes the
/// caller's on at every call.
static void appendArgument(ModuleOp module, StringRef name, Type type) {
  auto nameAttr = StringAttr::get(module.getContext(), name);
  auto attributes = DictionaryAttr::get(
      module.getContext(),
      NamedAttribute(StringAttr::get(module.getContext(), kArgumentAttr),
                     nameAttr));
  for (auto function : module.getOps<func::FuncOp>())
    if (!function.isExternal())
      (void)function.insertArgument(function.getNumArguments(), type,
                                    attributes, function.getLoc());
  module.walk([&](func::CallOp call) {
    auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee());
    auto caller = call->getParentOfType<func::FuncOp>();
    if (!callee.isExternal())
      call->insertOperands(call.getNumOperands(), findArgument(caller, name));
  });
}

BlockArgument llama::findSizedArgument(Value size) {
  auto dim = size.getDefiningOp<memref::DimOp>();
  if (!dim || dim.getConstantIndex() != 0)
    return nullptr;
  Value source = dim.getSource();
  while (Operation *op = source.getDefiningOp()) {
    // Rows stay rows when columns are folded or unfolded.
    if (auto collapse = dyn_cast<memref::CollapseShapeOp>(op);
        collapse && collapse.getReassociationIndices()[0].size() == 1)
      source = collapse.getSrc();
    else if (auto expand = dyn_cast<memref::ExpandShapeOp>(op);
             expand && expand.getReassociationIndices()[0].size() == 1)
      source = expand.getSrc();
    else if (auto alloc = dyn_cast<memref::AllocOp>(op);
             alloc && alloc.getType().isDynamicDim(0))
      return findSizedArgument(alloc.getDynamicSizes()[0]);
    else if (auto view = dyn_cast<memref::ViewOp>(op);
             view && view.getType().isDynamicDim(0))
      return findSizedArgument(view.getSizes()[0]);
    else
      return nullptr;
  }
  return cast<BlockArgument>(source);
}

StringRef llama::findSizeKind(Value size) {
  BlockArgument argument = findSizedArgument(size);
  return argument ? getRowCountKind(argument) : "";
}

StringRef llama::getRowCountKind(BlockArgument argument) {
  auto function = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
  if (!function)
    return "";
  auto kind = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                    kRowCountAttr);
  return kind ? kind.getValue() : "";
}

BlockArgument llama::findArgument(func::FuncOp function, StringRef name) {
  for (BlockArgument argument : function.getArguments()) {
    auto attr = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                      kArgumentAttr);
    if (attr && attr.getValue() == name)
      return argument;
  }
  return nullptr;
}

namespace {

struct LlamaAddCallArguments
    : mlir::llama::impl::LlamaAddCallArgumentsPassBase<LlamaAddCallArguments> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    Builder b(&getContext());
    Type bytes = MemRefType::get(ShapedType::kDynamic, b.getI8Type());
    SmallVector<PrefillRowsOp> counts;
    module.walk([&](PrefillRowsOp op) { counts.push_back(op); });
    if (!counts.empty())
      appendArgument(module, "prompt_rows", b.getIndexType());
    else
      module->setAttr(kRowsAlikeAttr, b.getUnitAttr());
    appendArgument(module, "weights", bytes);
    appendArgument(module, "workspace", bytes);
    appendArgument(module, "workspace_begin", b.getIndexType());
    appendArgument(module, "threads", b.getIndexType());
    appendArgument(module, "call", LLVM::LLVMPointerType::get(&getContext()));
    for (PrefillRowsOp op : counts) {
      auto function = op->getParentOfType<func::FuncOp>();
      op.replaceAllUsesWith(Value(findArgument(function, "prompt_rows")));
      op.erase();
    }
  }
};

} // namespace
