//===- Instructions.h - What matrix products are made of --------*- C++ -*-===//

#ifndef LLAMA_DIALECTS_KERNEL_IR_INSTRUCTIONS_H
#define LLAMA_DIALECTS_KERNEL_IR_INSTRUCTIONS_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>

namespace mlir::llama {

/// The rows of Instructions.def, which says what each column means.
enum class Instruction : uint8_t {
#define INSTRUCTION(id, name, machine, kind, lanes, matrix) id,
#include "dialects/Kernel/IR/Instructions.def"
};

struct InstructionInfo {
  enum class Machine : uint8_t { X86, AMX, AArch64 };
  enum class Kind : uint8_t { Float, Dot, IntDot, Tile };
  enum class Elements : uint8_t { Any, BF16, Signed, Unsigned };

  llvm::StringLiteral name;
  Machine machine;
  Kind kind;
  int64_t lanes;
  Elements matrix;

  bool takesBytes() const {
    return matrix == Elements::Signed || matrix == Elements::Unsigned;
  }
  /// "vpdpbusd" of "vpdpbusd.512": for people.
  llvm::StringRef getShortName() const { return name.split('.').first; }
};

const InstructionInfo &getInfo(Instruction instruction);

/// The instruction of that name in Instructions.def.
std::optional<Instruction> findInstruction(llvm::StringRef name);

} // namespace mlir::llama

#endif // LLAMA_DIALECTS_KERNEL_IR_INSTRUCTIONS_H
