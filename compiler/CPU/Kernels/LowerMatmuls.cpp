//===- LowerMatmuls.cpp - Tiles of products to instructions ---------------===//
//
//   kernel.matmul tile <"vpdpbusd.512" 8 x 32>
//
//   =>  scf.execute_region { loops around vectors }
//
// Which kernel a tile becomes is what its instruction is. What the region uses
// from around it has types that do not tell one product from another, so that
// llama-cpu-outline-tiles finds equal kernels. Tile registers are set up once in
// a function: their kernels stand where they are, without a region.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Kernels/RegisterTile.h"
#include "compiler/CPU/Passes.h"
#include "dialects/Llama/IR/LlamaOps.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMACPULOWERMATMULSPASS
#include "compiler/CPU/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

static void lowerTile(RewriterBase &rewriter, MatmulOp op, Value panels) {
  const InstructionInfo &info = getInfo(op.getTile()->getInstruction());
  switch (info.kind) {
  case InstructionInfo::Kind::Float:
  case InstructionInfo::Kind::Dot:
    return lowerFloatTile(rewriter, op, panels);
  case InstructionInfo::Kind::IntDot:
    return lowerIntegerTile(rewriter, op, panels);
  case InstructionInfo::Kind::Tile:
    return info.takesBytes() ? lowerAMXIntegerTile(rewriter, op, panels)
                             : lowerAMXFloatTile(rewriter, op, panels);
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

/// The panels of the op's matrix, as they are stored: [panels, bytes].
static Value getPanels(OpBuilder &b, MatmulOp op) {
  RankedTensorType matrix = op.getMatrixTensor();
  PanelLayout layout{getElementFormat(matrix.getElementType())};
  auto type = MemRefType::get({PanelLayout::getPanels(matrix.getDimSize(0)),
                               layout.getPanelBytes(matrix.getDimSize(1))},
                              b.getI8Type());
  return StoredWeightOp::create(b, op.getLoc(), type, op.getMatrixAttr(),
                                op.getLayer());
}

/// Panels of which nobody says how many they are.
static Value forgetCount(OpBuilder &b, Value panels) {
  auto type = cast<MemRefType>(panels.getType());
  return memref::CastOp::create(
      b, panels.getLoc(),
      MemRefType::get({ShapedType::kDynamic, type.getDimSize(1)},
                      type.getElementType()),
      panels);
}

/// `memref` with rows that may lie any number of elements apart.
static Value forgetStride(OpBuilder &b, Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  auto layout = StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic,
                                       {ShapedType::kDynamic, 1});
  return memref::CastOp::create(b, memref.getLoc(),
                                MemRefType::get(type.getShape(),
                                                type.getElementType(), layout,
                                                type.getMemorySpace()),
                                memref);
}

/// An empty region before `op`, at whose end the rewriter then is.
static void openRegion(RewriterBase &rewriter, MatmulOp op) {
  auto region =
      scf::ExecuteRegionOp::create(rewriter, op.getLoc(), TypeRange());
  region->setDiscardableAttr(kTileAttr, *op.getTile());
  rewriter.createBlock(&region.getRegion());
  rewriter.setInsertionPoint(scf::YieldOp::create(rewriter, op.getLoc()));
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
      Value panels = getPanels(rewriter, op);
      if (getInfo(op.getTile()->getInstruction()).kind !=
          InstructionInfo::Kind::Tile) {
        panels = forgetCount(rewriter, panels);
        op.getInitMutable().set(forgetStride(rewriter, op.getInit()));
        openRegion(rewriter, op);
      }
      lowerTile(rewriter, op, panels);
      rewriter.eraseOp(op);
      ++numLowered;
    }
  }
};

} // namespace
