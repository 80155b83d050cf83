//===- Emit.cpp - Instructions as IR --------------------------------------===//

#include "compiler/CPU/Kernels/Emit.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::llama;

Value llama::callIntrinsic(ImplicitLocOpBuilder &b, StringRef name, Type result,
                           ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(b, result, b.getStringAttr(name),
                                       operands)
      .getResult(0);
}

Value llama::emitMultiplyAdd(ImplicitLocOpBuilder &b, Instruction instruction,
                             Value sums, Value weights, Value rows) {
  const InstructionInfo &info = getInfo(instruction);
  assert(cast<VectorType>(sums.getType()).getNumElements() == info.lanes &&
         "accumulators have the instruction's lanes");
  if (info.kind == InstructionInfo::Kind::Float) // LLVM knows this one
    return math::FmaOp::create(b, weights, rows, sums);
  switch (info.machine) {
  case InstructionInfo::Machine::X86:
    return emitX86(b, instruction, sums, weights, rows);
  case InstructionInfo::Machine::AArch64:
    return emitAArch64(b, instruction, sums, weights, rows);
  case InstructionInfo::Machine::AMX:
    break;
  }
  llvm_unreachable("tile registers are not values of vectors");
}
