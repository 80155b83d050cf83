//===- AArch64.cpp - Instructions of aarch64 ------------------------------===//
//
//   sum[i] + w[4 i] x[4 i] + ... + w[4 i + 3] x[4 i + 3]
//
//   =>  usdot or sdot
//   =>  smull, saddlp, addp
//
//   sum[i] + w[2 i] x[2 i] + w[2 i + 1] x[2 i + 1]   =>  bfdot
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Kernels/Emit.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::llama;

/// A product of two signed bytes fits 16 bits; sums of two do not.
static Value addInt16Products(ImplicitLocOpBuilder &b, Value sum, Value weights,
                              Value rows) {
  auto half = VectorType::get(8, b.getI16Type());
  auto addPairsOf = [&](int64_t first) -> Value {
    SmallVector<int64_t> taken;
    for (int64_t i = 0; i < 8; ++i)
      taken.push_back(first + i);
    Value w = vector::ShuffleOp::create(b, weights, weights, taken);
    Value x = vector::ShuffleOp::create(b, rows, rows, taken);
    Value products =
        callIntrinsic(b, "llvm.aarch64.neon.smull.v8i16", half, {w, x});
    return callIntrinsic(b, "llvm.aarch64.neon.saddlp.v4i32.v8i16",
                         sum.getType(), products);
  };
  Value fours = callIntrinsic(b, "llvm.aarch64.neon.addp.v4i32", sum.getType(),
                              {addPairsOf(0), addPairsOf(8)});
  return arith::AddIOp::create(b, sum, fours);
}

Value llama::emitAArch64(ImplicitLocOpBuilder &b, Instruction instruction,
                         Value sums, Value weights, Value rows) {
  Value operands[] = {sums, weights, rows};
  switch (instruction) {
  case Instruction::SMULL:
    return addInt16Products(b, sums, weights, rows);
  case Instruction::SDOT:
    return callIntrinsic(b, "llvm.aarch64.neon.sdot.v4i32.v16i8",
                         sums.getType(), operands);
  case Instruction::USDOT:
    return callIntrinsic(b, "llvm.aarch64.neon.usdot.v4i32.v16i8",
                         sums.getType(), operands);
  case Instruction::BFDOT:
    return callIntrinsic(b, "llvm.aarch64.neon.bfdot.v4f32.v8bf16",
                         sums.getType(), operands);
  default:
    llvm_unreachable("not an instruction of aarch64");
  }
}
