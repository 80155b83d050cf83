//===- Emit.h - Instructions as IR ------------------------------*- C++ -*-===//
//
// One file for each machine of Instructions.def but AMX, whose registers are
// not values of vectors (AMXTile.h).
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_CPU_KERNELS_EMIT_H
#define LLAMA_COMPILER_CPU_KERNELS_EMIT_H

#include "dialects/Kernel/IR/Instructions.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::llama {

/// `sums`, a vector of the instruction's lanes, plus what its kind says. The
/// factors are vectors of f32, as long as `sums`; of bf16, twice as long; or of
/// bytes, four times as long, whose sums are i32 and exact.
Value emitMultiplyAdd(ImplicitLocOpBuilder &b, Instruction instruction,
                      Value sums, Value weights, Value rows);

/// The same of x86-64 and of aarch64.
Value emitX86(ImplicitLocOpBuilder &b, Instruction instruction, Value sums,
              Value weights, Value rows);
Value emitAArch64(ImplicitLocOpBuilder &b, Instruction instruction, Value sums,
                  Value weights, Value rows);

/// Whether weights of so many bits are multiplied with bytes faster by sums of
/// 16 bits. They hold 32 products: 32 * 15 * 128 / 2 = 30720 in each half of a
/// word.
bool accumulatesInInt16(Instruction instruction, int bits);

/// Adds to each of `halves`, i16, two products of neighbouring bytes.
Value emitInt16MultiplyAdd(ImplicitLocOpBuilder &b, Value halves, Value weights,
                           Value rows);

/// Adds to each integer of `sums`, i32, the two halves that lie there.
Value emitInt16Sums(ImplicitLocOpBuilder &b, Value sums, Value halves);

/// Calls an intrinsic of LLVM.
Value callIntrinsic(ImplicitLocOpBuilder &b, StringRef name, Type result,
                    ValueRange operands);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_CPU_KERNELS_EMIT_H
