//===- LowerMatmuls.cpp - Tiles of products to instructions ---------------===//
//
//   kernel.matmul tile <"vpdpbusd.512" 8 x 32>   =>   loops around vectors
//
// Which kernel a tile becomes is what its instruction is.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Kernels/RegisterTile.h"
#include "compiler/CPU/Passes.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMACPULOWERMATMULSPASS
#include "compiler/CPU/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

static void lowerTile(RewriterBase &rewriter, MatmulOp op) {
  const InstructionInfo &info = getInfo(op.getTile()->getInstruction());
  switch (info.kind) {
  case InstructionInfo::Kind::Float:
  case InstructionInfo::Kind::Dot:
    return lowerFloatTile(rewriter, op);
  case InstructionInfo::Kind::IntDot:
    return lowerIntegerTile(rewriter, op);
  case InstructionInfo::Kind::Tile:
    return info.takesBytes() ? lowerAMXIntegerTile(rewriter, op)
                             : lowerAMXFloatTile(rewriter, op);
  }
  llvm_unreachable("every kind has its kernel");
}

/// What is missing to lower it, or nothing.
static std::string findObstacle(MatmulOp op) {
  if (!op.getTile())
    return "has no tile: it was not tiled";
  bool isTile = getInfo(op.getTile()->getInstruction()).kind ==
                InstructionInfo::Kind::Tile;
  bool isDynamic = op.getRowCount() == ShapedType::kDynamic;
  if (!isa<MemRefType>(op.getInit().getType()) ||
      op.getColumnCount() == ShapedType::kDynamic || (isDynamic && !isTile))
    return "expected buffers of a static size";
  return "";
}

namespace {

struct LlamaCPULowerMatmuls
    : mlir::llama::impl::LlamaCPULowerMatmulsPassBase<LlamaCPULowerMatmuls> {
  using Base::Base;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<MatmulOp> products;
    getOperation().walk([&](MatmulOp op) { products.push_back(op); });
    for (MatmulOp op : products) {
      if (std::string obstacle = findObstacle(op); !obstacle.empty()) {
        op.emitOpError(obstacle);
        return signalPassFailure();
      }
      rewriter.setInsertionPoint(op);
      lowerTile(rewriter, op);
      rewriter.eraseOp(op);
      ++numLowered;
    }
  }
};

} // namespace
