//===- KernelDialect.cpp - Registration of the dialect --------------------===//

#include "dialects/Kernel/IR/KernelDialect.h"

#include "dialects/Kernel/IR/KernelOps.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;
using namespace mlir::llama;

#include "dialects/Kernel/IR/KernelDialect.cpp.inc"

void KernelDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Kernel/IR/KernelOps.cpp.inc"
      >();
  registerAttributes();
}

LogicalResult
KernelDialect::verifyOperationAttribute(Operation *op,
                                        NamedAttribute attribute) {
  StringRef name = attribute.getName();
  Attribute value = attribute.getValue();
  auto isPhases = [&] {
    auto list = dyn_cast<ArrayAttr>(value);
    return list && llvm::all_of(list, llvm::IsaPred<PhaseAttr>);
  };
  if (isa<ModuleOp>(op) && name == kVectorsAttr && isa<VectorsAttr>(value))
    return success();
  if (isa<ModuleOp>(op) && name == kPhasesAttr && isPhases())
    return success();
  if (isa<scf::ExecuteRegionOp>(op) && name == kTileAttr &&
      isa<TileAttr>(value))
    return success();
  return op->emitError() << "attribute '" << name << "' is " << value
                         << ", expected '" << kVectorsAttr
                         << "' of #kernel.vectors or '" << kPhasesAttr
                         << "' of #kernel.phase on a module, or '" << kTileAttr
                         << "' of #kernel.tile on an scf.execute_region";
}
