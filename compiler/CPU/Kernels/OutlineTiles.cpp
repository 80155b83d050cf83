//===- OutlineTiles.cpp - One function for equal kernels ------------------===//
//
//   scf.execute_region { loops around vectors } {kernel.tile = ...}
//
//   =>  func.call @matmul_vpdpbusd.512_8x32(rows, panels, result, column)
//
// Products with matrices of one format and width share their kernels, however
// many they are: the code is a fraction of the size, and so is the time that
// LLVM takes. A kernel is not inlined again.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Passes.h"
#include "dialects/Kernel/IR/KernelOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Utils/Utils.h"
#include "mlir/IR/PatternMatch.h"

#include "llvm/Support/FormatVariadic.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMACPUOUTLINETILESPASS
#include "compiler/CPU/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

/// Not inlined again: the code would be what it was before.
static void keepApart(func::FuncOp kernel) {
  kernel.setPrivate();
  kernel->setAttr(
      "passthrough",
      ArrayAttr::get(kernel.getContext(),
                     StringAttr::get(kernel.getContext(), "noinline")));
}

static LogicalResult outline(scf::ExecuteRegionOp region, unsigned number) {
  auto tile = region->getAttrOfType<TileAttr>(kTileAttr);
  std::string name = llvm::formatv("matmul_{0}_{1}x{2}_{3}",
                                   getInfo(tile.getInstruction()).name,
                                   tile.getRows(), tile.getColumns(), number);
  IRRewriter rewriter(region);
  FailureOr<func::FuncOp> kernel = outlineSingleBlockRegion(
      rewriter, region.getLoc(), region.getRegion(), name);
  if (failed(kernel))
    return region.emitOpError("could not be outlined");
  keepApart(*kernel);
  // What is left is the call.
  Block &body = region.getRegion().front();
  rewriter.eraseOp(body.getTerminator());
  rewriter.inlineBlockBefore(&body, region);
  rewriter.eraseOp(region);
  return success();
}

namespace {

struct LlamaCPUOutlineTiles
    : mlir::llama::impl::LlamaCPUOutlineTilesPassBase<LlamaCPUOutlineTiles> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<scf::ExecuteRegionOp> regions;
    getOperation().walk([&](scf::ExecuteRegionOp region) {
      if (region->hasAttr(kTileAttr))
        regions.push_back(region);
    });
    for (auto [number, region] : llvm::enumerate(regions)) {
      if (failed(outline(region, number)))
        return signalPassFailure();
      ++numOutlined;
    }
  }
};

} // namespace
