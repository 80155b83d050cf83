//===- Instructions.cpp - What matrix products are made of ----------------===//

#include "dialects/Kernel/IR/Instructions.h"

using namespace mlir::llama;

static constexpr InstructionInfo kInstructions[] = {
#define INSTRUCTION(id, name, machine, kind, lanes, matrix)                    \
  {name, InstructionInfo::Machine::machine, InstructionInfo::Kind::kind,       \
   lanes, InstructionInfo::Elements::matrix},
#include "dialects/Kernel/IR/Instructions.def"
};

const InstructionInfo &mlir::llama::getInfo(Instruction instruction) {
  return kInstructions[static_cast<size_t>(instruction)];
}

std::optional<Instruction> mlir::llama::findInstruction(llvm::StringRef name) {
  for (const InstructionInfo &info : kInstructions)
    if (info.name == name)
      return static_cast<Instruction>(&info - kInstructions);
  return std::nullopt;
}
