//===- ModuleTarget.h - The machine that a module is for --------*- C++ -*-===//

#ifndef LLAMA_COMPILER_MACHINE_MODULETARGET_H
#define LLAMA_COMPILER_MACHINE_MODULETARGET_H

#include "compiler/Machine/TargetInfo.h"

#include "mlir/IR/BuiltinOps.h"

namespace mlir::llama {

/// Sets kTargetAttr.
void setTarget(ModuleOp module, const TargetInfo &target);

/// The machine of those names; that of kTargetAttr if all are empty; this one
/// if there is none. Fails with a diagnostic if LLVM knows no such machine.
FailureOr<TargetInfo> findTarget(ModuleOp module, StringRef triple,
                                 StringRef cpu, StringRef attributes);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_MACHINE_MODULETARGET_H
