//===- Arguments.cpp - What every function of a model is given ------------===//

#include "compiler/CPU/Arguments.h"

#include "compiler/CPU/Passes.h"

using namespace mlir;

void llama::appendArgument(ModuleOp module, StringRef name, Type type) {
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

BlockArgument llama::findArgument(func::FuncOp function, StringRef name) {
  for (BlockArgument argument : function.getArguments()) {
    auto attr = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                      kArgumentAttr);
    if (attr && attr.getValue() == name)
      return argument;
  }
  return nullptr;
}
