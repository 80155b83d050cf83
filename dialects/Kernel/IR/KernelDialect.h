//===- KernelDialect.h - Named matrix products ------------------*- C++ -*-===//

#ifndef LLAMA_DIALECTS_KERNEL_IR_KERNELDIALECT_H
#define LLAMA_DIALECTS_KERNEL_IR_KERNELDIALECT_H

#include "dialects/Kernel/IR/Instructions.h"

#include "mlir/IR/Attributes.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/DialectImplementation.h"

#include "dialects/Kernel/IR/KernelDialect.h.inc"

namespace mlir::llama {

/// An instruction's name in quotes.
FailureOr<Instruction> parseInstruction(AsmParser &parser);

} // namespace mlir::llama

#define GET_ATTRDEF_CLASSES
#include "dialects/Kernel/IR/KernelAttributes.h.inc"

namespace mlir::llama {

/// On the module, a VectorsAttr.
inline constexpr StringLiteral kVectorsAttr = "kernel.vectors";

/// On the module, an array of PhaseAttr: what threads do from one barrier to the
/// next, by the numbers that barriers are called with.
inline constexpr StringLiteral kPhasesAttr = "kernel.phases";

/// On an scf.execute_region, the TileAttr whose kernel it is.
inline constexpr StringLiteral kTileAttr = "kernel.tile";

/// The module's vectors; null, with a diagnostic, if it has none.
VectorsAttr findVectors(Operation *op);

} // namespace mlir::llama

#endif // LLAMA_DIALECTS_KERNEL_IR_KERNELDIALECT_H
