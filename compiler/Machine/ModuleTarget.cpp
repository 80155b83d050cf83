//===- ModuleTarget.cpp - The machine that a module is for ----------------===//

#include "compiler/Machine/ModuleTarget.h"

#include "dialects/Llama/IR/LlamaAttributes.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::llama;

void llama::setTarget(ModuleOp module, const TargetInfo &target) {
  Builder b(module.getContext());
  NamedAttrList made;
  made.append("triple", b.getStringAttr(target.triple));
  made.append("cpu", b.getStringAttr(target.cpu));
  made.append("features", b.getStringAttr(target.features));
  module->setAttr(kTargetAttr, made.getDictionary(module.getContext()));
}

FailureOr<TargetInfo> llama::findTarget(ModuleOp module, StringRef triple,
                                        StringRef cpu, StringRef attributes) {
  auto made = module->getAttrOfType<DictionaryAttr>(kTargetAttr);
  if (made && triple.empty() && cpu.empty() && attributes.empty()) {
    auto field = [&](StringRef name) {
      return made.getAs<StringAttr>(name).getValue();
    };
    triple = field("triple");
    cpu = field("cpu");
    attributes = field("features");
  }
  llvm::Expected<TargetInfo> target = TargetInfo::get(triple, cpu, attributes);
  if (!target)
    return module.emitError(llvm::toString(target.takeError()));
  return *target;
}
