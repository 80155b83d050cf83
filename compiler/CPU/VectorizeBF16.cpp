//===- VectorizeBF16.cpp - Products of bf16 to pairwise dots --------------===//
//
//   linalg.generic : 4 rows x 4 matrix rows of bf16
//
//   =>  for 32 elements at a time
//         sums += pairs of products: vector<16xf32>, one instruction
//
// One lane adds the same products in the same order whatever the tile is (P4).
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/KernelRemarks.h"
#include "compiler/CPU/Passes.h"
#include "compiler/CPU/TileSums.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/PatternMatch.h"

#include "llvm/Support/FormatVariadic.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMACPUVECTORIZEBF16PASS
#include "compiler/CPU/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

namespace {

class DotTile {
public:
  DotTile(RewriterBase &rewriter, linalg::GenericOp op, int64_t lanes)
      : b(op.getLoc(), rewriter), op(op), lanes(lanes) {}

  Value vectorize() {
    return sumTile(b, op, lanes, 2 * lanes, [&](Value at, ValueRange sums) {
      return addStep(at, sums);
    });
  }

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }

  /// The vectors at `at` of every row of an operand.
  SmallVector<Value> read(unsigned operand, Value at) {
    Value rows = op.getDpsInputOperand(operand)->get();
    Value none = arith::ConstantOp::create(b, b.getZeroAttr(b.getBF16Type()));
    SmallVector<Value> result;
    for (int64_t row = 0; row < op.getStaticLoopRanges()[operand]; ++row)
      result.push_back(vector::TransferReadOp::create(
          b, VectorType::get(2 * lanes, b.getBF16Type()), rows,
          ValueRange{index(row), at}, none, ArrayRef<bool>{true}));
    return result;
  }

  SmallVector<Value> addStep(Value at, ValueRange sums) {
    StringRef name = lanes == 16  ? "llvm.x86.avx512bf16.dpbf16ps.512"
                     : lanes == 8 ? "llvm.x86.avx512bf16.dpbf16ps.256"
                                  : "llvm.aarch64.neon.bfdot.v4f32.v8bf16";
    SmallVector<Value> rows = read(0, at), columns = read(1, at), next;
    for (Value row : rows)
      for (Value column : columns)
        next.push_back(LLVM::CallIntrinsicOp::create(
                           b, sums[0].getType(), b.getStringAttr(name),
                           ValueRange{sums[next.size()], column, row})
                           .getResult(0));
    return next;
  }

  ImplicitLocOpBuilder b;
  linalg::GenericOp op;
  int64_t lanes;
};

struct LlamaCPUVectorizeBF16
    : mlir::llama::impl::LlamaCPUVectorizeBF16PassBase<LlamaCPUVectorizeBF16> {
  using Base::Base;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    StringRef kernel = lanes == 4 ? "bfdot" : "vdpbf16ps";
    getOperation().walk([&](linalg::GenericOp op) {
      if (!isTileOfBF16(op))
        return;
      if (int64_t depth = op.getStaticLoopRanges().back();
          depth % (2 * lanes) != 0)
        return remarkMissed(
            op, kernel,
            llvm::formatv("in is {0}, no multiple of {1}", depth, 2 * lanes));
      remarkTile(op, kernel);
      rewriter.setInsertionPoint(op);
      rewriter.replaceOp(op, DotTile(rewriter, op, lanes).vectorize());
      ++numVectorized;
    });
  }

private:
  static bool startsAtZero(linalg::GenericOp op) {
    auto fill = op.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
    return fill && matchPattern(fill.value(), m_AnyZeroFloat());
  }

  bool isTileOfBF16(linalg::GenericOp op) {
    return !op.hasDynamicShape() && op.getNumParallelLoops() == 2 &&
           op.getNumReductionLoops() == 1 && op.getNumDpsInputs() == 2 &&
           linalg::isaContractionOpInterface(op) && startsAtZero(op) &&
           llvm::all_of(op.getDpsInputs(), [](Value input) {
             auto type = cast<ShapedType>(input.getType());
             return type.getRank() == 2 && type.getElementType().isBF16();
           });
  }
};

} // namespace
