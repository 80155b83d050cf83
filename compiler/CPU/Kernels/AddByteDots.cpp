//===- AddByteDots.cpp - Four products of bytes to one integer ------------===//
//
//   sum[i] + w[4 i] x[4 i] + ... + w[4 i + 3] x[4 i + 3]
//
//   =>  vpdpbusd, sdot or usdot
//   =>  vpmaddwd, once for the even bytes, once for the odd ones
//   =>  vpmaddubsw, sums of 16 bits, vpmaddwd: where they cannot overflow
//   =>  smull, saddlp, addp
//   =>  products of integers of 32 bits, added pair by pair
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Kernels/AddByteDots.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::llama;

StringRef llama::getName(ByteDots dots) {
  switch (dots) {
  case ByteDots::Widen:
    return "widen";
  case ByteDots::VPDPBUSD:
    return "vpdpbusd";
  case ByteDots::VPMADDWD:
    return "vpmaddwd";
  case ByteDots::SMULL:
    return "smull";
  case ByteDots::SDOT:
    return "sdot";
  case ByteDots::USDOT:
    return "usdot";
  }
  llvm_unreachable("every kind has its name");
}

static Value call(ImplicitLocOpBuilder &b, StringRef name, Type result,
                  ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(b, result, b.getStringAttr(name),
                                       operands)
      .getResult(0);
}

/// Sums of neighbours: half as many.
static Value addPairs(ImplicitLocOpBuilder &b, Value values) {
  auto parts = vector::DeinterleaveOp::create(b, values);
  return arith::AddIOp::create(b, parts.getRes1(), parts.getRes2());
}

static Value addWidened(ImplicitLocOpBuilder &b, Value sum, Value weights,
                        Value rows) {
  auto wide = cast<VectorType>(rows.getType()).clone(b.getI32Type());
  Value products =
      arith::MulIOp::create(b, arith::ExtUIOp::create(b, wide, weights),
                            arith::ExtSIOp::create(b, wide, rows));
  return arith::AddIOp::create(b, sum, addPairs(b, addPairs(b, products)));
}

/// Products of 16 bits, neighbours added: vpmaddwd.
static Value addNeighbours(ImplicitLocOpBuilder &b, Type words, Value left,
                           Value right) {
  bool isWidest = cast<VectorType>(words).getNumElements() == 16;
  return call(
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

/// A product of two signed bytes fits 16 bits; sums of two do not.
static Value addOfSixteenBits(ImplicitLocOpBuilder &b, Value sum, Value weights,
                              Value rows) {
  auto half = VectorType::get(8, b.getI16Type());
  auto addPairsOf = [&](int64_t first) -> Value {
    SmallVector<int64_t> taken;
    for (int64_t i = 0; i < 8; ++i)
      taken.push_back(first + i);
    Value w = vector::ShuffleOp::create(b, weights, weights, taken);
    Value x = vector::ShuffleOp::create(b, rows, rows, taken);
    Value products = call(b, "llvm.aarch64.neon.smull.v8i16", half, {w, x});
    return call(b, "llvm.aarch64.neon.saddlp.v4i32.v8i16", sum.getType(),
                products);
  };
  Value fours = call(b, "llvm.aarch64.neon.addp.v4i32", sum.getType(),
                     {addPairsOf(0), addPairsOf(8)});
  return arith::AddIOp::create(b, sum, fours);
}

bool llama::addsInHalves(ByteDots dots, int64_t bits) {
  return dots == ByteDots::VPMADDWD && bits == 4;
}

Value llama::addByteProducts(ImplicitLocOpBuilder &b, Value halves,
                             Value weights, Value rows) {
  auto type = cast<VectorType>(halves.getType());
  StringRef name = type.getNumElements() == 32
                       ? "llvm.x86.avx512.pmaddubs.w.512"
                       : "llvm.x86.avx2.pmadd.ub.sw";
  return arith::AddIOp::create(b, halves, call(b, name, type, {weights, rows}));
}

Value llama::addHalves(ImplicitLocOpBuilder &b, Value sum, Value halves) {
  Value ones = arith::ConstantOp::create(
      b, DenseElementsAttr::get(cast<VectorType>(halves.getType()),
                                static_cast<int16_t>(1)));
  return arith::AddIOp::create(b, sum,
                               addNeighbours(b, sum.getType(), halves, ones));
}

Value llama::addByteDots(ImplicitLocOpBuilder &b, ByteDots dots, Value sum,
                         Value weights, Value rows) {
  bool isWidest = cast<VectorType>(sum.getType()).getNumElements() == 16;
  Value operands[] = {sum, weights, rows};
  switch (dots) {
  case ByteDots::Widen:
    return addWidened(b, sum, weights, rows);
  case ByteDots::VPDPBUSD:
    return call(b,
                isWidest ? "llvm.x86.avx512.vpdpbusd.512"
                         : "llvm.x86.avx512.vpdpbusd.256",
                sum.getType(), operands);
  case ByteDots::VPMADDWD:
    return addEvenAndOdd(b, sum, weights, rows);
  case ByteDots::SMULL:
    return addOfSixteenBits(b, sum, weights, rows);
  case ByteDots::SDOT:
    return call(b, "llvm.aarch64.neon.sdot.v4i32.v16i8", sum.getType(),
                operands);
  case ByteDots::USDOT:
    return call(b, "llvm.aarch64.neon.usdot.v4i32.v16i8", sum.getType(),
                operands);
  }
  llvm_unreachable("every kind has its case");
}
