//===- Cuts.cpp - How threads share the buffers they write ----------------===//
//
//   scf.forall (%j) step 32:  write memref.subview %a[0, %j]
//
//   =>  %a is cut: <dim 1 by 32>
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Threads/Cuts.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using namespace mlir::llama;

Value llama::findBuffer(Value memref) {
  while (Operation *op = memref.getDefiningOp()) {
    if (isa<memref::ViewOp>(op))
      return memref;
    auto view = dyn_cast<ViewLikeOpInterface>(op);
    if (!view)
      return memref;
    memref = view.getViewSource();
  }
  return memref;
}

static scf::ForallOp findLoop(Operation *root) {
  auto loop = dyn_cast<scf::ForallOp>(root);
  if (!loop)
    root->walk([&](scf::ForallOp found) {
      loop = found;
      return WalkResult::interrupt();
    });
  return loop;
}

/// The loop's number that its steps are divided by first, and its step: of those
/// that take more than one value the first of which it is known how many, for
/// these are the same in every call; else the first.
static std::pair<Value, int64_t> findDividedNumber(scf::ForallOp loop) {
  std::pair<Value, int64_t> found;
  for (auto [number, begin, end, step] :
       llvm::zip_equal(loop.getInductionVars(), loop.getMixedLowerBound(),
                       loop.getMixedUpperBound(), loop.getMixedStep())) {
    std::optional<int64_t> first = getConstantIntValue(begin),
                           last = getConstantIntValue(end),
                           by = getConstantIntValue(step);
    bool isKnown = by && first && last;
    if (isKnown && *last - *first > *by)
      return {number, *by};
    if (by && !isKnown && !found.first)
      found = {number, *by};
  }
  return found;
}

/// What `offset` is a multiple of `number` by: 0 if it is not.
static int64_t findFactor(OpFoldResult offset, Value number) {
  auto value = dyn_cast<Value>(offset);
  if (!value)
    return 0;
  if (value == number)
    return 1;
  if (auto product = value.getDefiningOp<arith::MulIOp>()) {
    APInt factor;
    if (product.getLhs() == number &&
        matchPattern(product.getRhs(), m_ConstantInt(&factor)))
      return factor.getSExtValue();
  }
  auto apply = value.getDefiningOp<affine::AffineApplyOp>();
  if (!apply || apply.getNumOperands() != 1 || apply.getOperand(0) != number)
    return 0;
  auto product =
      dyn_cast<AffineBinaryOpExpr>(apply.getAffineMap().getResult(0));
  auto factor = product && product.getKind() == AffineExprKind::Mul
                    ? dyn_cast<AffineConstantExpr>(product.getRHS())
                    : nullptr;
  return factor ? factor.getValue() : 0;
}

/// The dimension of a subview's source that dimension `dim` of it is.
static int64_t getSourceDim(memref::SubViewOp part, int64_t dim) {
  llvm::SmallBitVector dropped = part.getDroppedDims();
  for (int64_t source = 0;; ++source)
    if (!dropped.test(source) && dim-- == 0)
      return source;
}

CutAttr llama::findCut(Value memref, Operation *root) {
  MLIRContext *context = memref.getContext();
  CutAttr scattered = CutAttr::get(context, 0, 0);
  scf::ForallOp loop = findLoop(root);
  if (!loop)
    return scattered;
  auto [number, step] = findDividedNumber(loop);
  CutAttr cut = scattered;
  for (Value buffer = findBuffer(memref); memref != buffer;) {
    auto part = memref.getDefiningOp<memref::SubViewOp>();
    if (!part) { // a part in another shape
      if (!cut.isScattered())
        return scattered;
      memref = memref.getDefiningOp<ViewLikeOpInterface>().getViewSource();
      continue;
    }
    if (!cut.isScattered())
      cut = CutAttr::get(context, getSourceDim(part, cut.getDim()),
                         cut.getUnit());
    for (auto [dim, offset] : llvm::enumerate(part.getMixedOffsets()))
      if (int64_t factor = number ? findFactor(offset, number) : 0)
        cut = CutAttr::get(context, dim, factor * step);
    memref = part.getSource();
  }
  return cut;
}
