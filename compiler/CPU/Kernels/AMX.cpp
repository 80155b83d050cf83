//===- AMX.cpp - Instructions of AMX --------------------------------------===//

#include "compiler/CPU/Kernels/AMXTile.h"

using namespace mlir;
using namespace mlir::llama;

amx::TileType llama::getTileType(Type element) {
  return amx::TileType::get(
      {kTileRows, kTileBytes * 8 / element.getIntOrFloatBitWidth()}, element);
}

static Value emitTileProduct(ImplicitLocOpBuilder &b, Instruction instruction,
                             Value left, Value right, Value sums) {
  switch (instruction) {
  case Instruction::TDPBF16PS:
    return amx::TileMulFOp::create(b, sums.getType(), left, right, sums);
  case Instruction::TDPBSSD:
  case Instruction::TDPBSUD:
    return amx::TileMulIOp::create(b, sums.getType(), left, right, sums,
                                   /*isZextLhs=*/false,
                                   /*isZextRhs=*/instruction ==
                                       Instruction::TDPBSUD);
  default:
    llvm_unreachable("not an instruction of AMX");
  }
}

SmallVector<Value> llama::emitTileProducts(ImplicitLocOpBuilder &b,
                                           Instruction instruction,
                                           ArrayRef<Value> left,
                                           ArrayRef<Value> right,
                                           ValueRange sums) {
  SmallVector<Value> next;
  for (Value x : left)
    for (Value w : right)
      next.push_back(emitTileProduct(b, instruction, x, w, sums[next.size()]));
  return next;
}
