//===- KernelOps.h - Ops of the Kernel dialect ------------------*- C++ -*-===//

#ifndef LLAMA_DIALECTS_KERNEL_IR_KERNELOPS_H
#define LLAMA_DIALECTS_KERNEL_IR_KERNELOPS_H

#include "dialects/Kernel/IR/KernelDialect.h"
#include "runtime/abi/PanelLayout.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/TilingInterface.h"

#define GET_OP_CLASSES
#include "dialects/Kernel/IR/KernelOps.h.inc"

namespace mlir::llama {

using llamaabi::PanelLayout;

/// Lets one-shot bufferization turn products of tensors into ones of memrefs.
void registerKernelBufferization(DialectRegistry &registry);

} // namespace mlir::llama

#endif // LLAMA_DIALECTS_KERNEL_IR_KERNELOPS_H
