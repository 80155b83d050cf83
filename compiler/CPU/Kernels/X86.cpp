//===- X86.cpp - Instructions of x86-64 -----------------------------------===//
//
//   sum[i] + w[4 i] x[4 i] + ... + w[4 i + 3] x[4 i + 3]
//
//   =>  vpdpbusd
//   =>  vpmaddwd, once for the even bytes, once for the odd ones
//   =>  vpmaddubsw, sums of 16 bits, vpmaddwd: where they cannot overflow
//
//   sum[i] + w[2 i] x[2 i] + w[2 i + 1] x[2 i + 1]   =>  vdpbf16ps
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Kernels/Emit.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::llama;

/// Products of 16 bits, neighbours added: vpmaddwd.
static Value addNeighbours(ImplicitLocOpBuilder &b, Type words, Value left,
                           Value right) {
  bool isWidest = cast<VectorType>(words).getNumElements() == 16;
  return callIntrinsic(
      b, isWidest ? "llvm.x86.avx512.pmaddw.d.512" : "llvm.x86.avx2.pmadd.wd",
      words, {left, right});
}

/// Bytes 0 and 2 of a word, as integers of 16 bits, and bytes 1 and 3: each two
/// products fit 32 bits.
static Value addEvenAndOdd(ImplicitLocOpBuilder &b, Value sum, Value weights,
                           Value rows) {
  auto words = cast<VectorType>(sum.getType());
  auto halves = VectorType::get(2 * words.getNumElements(), b.getI16Type());
  auto constant = [&](int16_t value) -> Value {
    return arith::ConstantOp::create(b, DenseElementsAttr::get(halves, value));
  };
  Value w = vector::BitCastOp::create(b, halves, weights);
  Value x = vector::BitCastOp::create(b, halves, rows);
  Value eight = constant(8);
  Value even = arith::ShLIOp::create(b, x, eight);
  std::pair<Value, Value> parts[] = {
      {arith::AndIOp::create(b, w, constant(0xff)),
       arith::ShRSIOp::create(b, even, eight)},
      {arith::ShRUIOp::create(b, w, eight),
       arith::ShRSIOp::create(b, x, eight)}};
  for (auto [left, right] : parts)
    sum = arith::AddIOp::create(b, sum, addNeighbours(b, words, left, right));
  return sum;
}

Value llama::emitX86(ImplicitLocOpBuilder &b, Instruction instruction,
                     Value sums, Value weights, Value rows) {
  Value operands[] = {sums, weights, rows};
  switch (instruction) {
  case Instruction::VPDPBUSD256:
    return callIntrinsic(b, "llvm.x86.avx512.vpdpbusd.256", sums.getType(),
                         operands);
  case Instruction::VPDPBUSD512:
    return callIntrinsic(b, "llvm.x86.avx512.vpdpbusd.512", sums.getType(),
                         operands);
  case Instruction::VDPBF16PS512:
    return callIntrinsic(b, "llvm.x86.avx512bf16.dpbf16ps.512", sums.getType(),
                         operands);
  case Instruction::VPMADDWD256:
  case Instruction::VPMADDWD512:
    return addEvenAndOdd(b, sums, weights, rows);
  default:
    llvm_unreachable("not an instruction of x86-64");
  }
}

bool llama::accumulatesInInt16(Instruction instruction, int bits) {
  return (instruction == Instruction::VPMADDWD256 ||
          instruction == Instruction::VPMADDWD512) &&
         bits == 4;
}

Value llama::emitInt16MultiplyAdd(ImplicitLocOpBuilder &b, Value halves,
                                  Value weights, Value rows) {
  auto type = cast<VectorType>(halves.getType());
  StringRef name = type.getNumElements() == 32
                       ? "llvm.x86.avx512.pmaddubs.w.512"
                       : "llvm.x86.avx2.pmadd.ub.sw";
  return arith::AddIOp::create(b, halves,
                               callIntrinsic(b, name, type, {weights, rows}));
}

Value llama::emitInt16Sums(ImplicitLocOpBuilder &b, Value sums, Value halves) {
  Value ones = arith::ConstantOp::create(
      b, DenseElementsAttr::get(cast<VectorType>(halves.getType()),
                                static_cast<int16_t>(1)));
  return arith::AddIOp::create(b, sums,
                               addNeighbours(b, sums.getType(), halves, ones));
}
