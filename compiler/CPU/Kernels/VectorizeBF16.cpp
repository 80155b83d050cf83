//===- VectorizeBF16.cpp - Products of bf16, pair by pair -----------------===//
//
//   linalg.generic : 4 rows x 4 matrix rows of bf16
//
//   =>  for 32 elements at a time, a pair of neighbours in each of 16 lanes
//         sums += pairs of products:  one instruction where it is a fast one
//                                     else first those of the lower elements,
//                                     then those of the upper ones
//
// A bf16 is the upper half of an f32. So the lower element of a pair becomes
// one by a shift, the upper one by a mask: one operation for a vector, where
// widening neighbours to neighbours takes two.
//
// One lane adds the same products in the same order whatever the tile is (P4).
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Kernels/TileSums.h"
#include "compiler/CPU/Passes.h"
#include "compiler/CPU/Schedule/KernelRemarks.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
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
  DotTile(RewriterBase &rewriter, linalg::GenericOp op, int64_t lanes,
          bool hasDots)
      : b(op.getLoc(), rewriter), op(op), lanes(lanes), hasDots(hasDots) {}

  Value vectorize() {
    return sumTile(b, op, lanes, 2 * lanes, [&](Value at, ValueRange sums) {
      return hasDots ? addPairs(at, sums) : addHalves(at, sums);
    });
  }

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }

  /// The pairs at `at` of one row of an operand.
  Value read(unsigned operand, int64_t row, Value at) {
    Value none = arith::ConstantOp::create(b, b.getZeroAttr(b.getBF16Type()));
    return vector::TransferReadOp::create(
        b, VectorType::get(2 * lanes, b.getBF16Type()),
        op.getDpsInputOperand(operand)->get(), ValueRange{index(row), at}, none,
        ArrayRef<bool>{true});
  }
  SmallVector<Value> readAll(unsigned operand, Value at) {
    SmallVector<Value> rows;
    for (int64_t row = 0; row < op.getStaticLoopRanges()[operand]; ++row)
      rows.push_back(read(operand, row, at));
    return rows;
  }

  /// Pairs of bf16 as words.
  Value split(Value pairs, bool upper) {
    auto words = VectorType::get(lanes, b.getI32Type());
    auto constant = [&](int32_t value) -> Value {
      return arith::ConstantOp::create(b, DenseElementsAttr::get(words, value));
    };
    Value all = vector::BitCastOp::create(b, words, pairs);
    Value word =
        upper ? arith::AndIOp::create(b, all, constant(-65536)).getResult()
              : arith::ShLIOp::create(b, all, constant(16)).getResult();
    return arith::BitcastOp::create(b, VectorType::get(lanes, b.getF32Type()),
                                    word);
  }

  SmallVector<Value> addHalves(Value at, ValueRange carried) {
    // One column after the other: 16 registers hold the halves of two rows, but
    // not those of four columns, too.
    int64_t columns = op.getStaticLoopRanges()[1];
    SmallVector<Value> sums(carried), lower, upper;
    for (Value row : readAll(0, at)) {
      lower.push_back(split(row, /*upper=*/false));
      upper.push_back(split(row, /*upper=*/true));
    }
    for (int64_t i = 0; i < columns; ++i) {
      Value column = read(1, i, at);
      for (bool isUpper : {false, true}) {
        Value right = split(column, isUpper);
        for (auto [row, left] : llvm::enumerate(isUpper ? upper : lower)) {
          Value &sum = sums[row * columns + i];
          sum = math::FmaOp::create(b, right, left, sum);
        }
      }
    }
    return sums;
  }

  SmallVector<Value> addPairs(Value at, ValueRange sums) {
    StringRef name = lanes == 16  ? "llvm.x86.avx512bf16.dpbf16ps.512"
                     : lanes == 8 ? "llvm.x86.avx512bf16.dpbf16ps.256"
                                  : "llvm.aarch64.neon.bfdot.v4f32.v8bf16";
    SmallVector<Value> rows = readAll(0, at), columns = readAll(1, at), next;
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
  bool hasDots;
};

struct LlamaCPUVectorizeBF16
    : mlir::llama::impl::LlamaCPUVectorizeBF16PassBase<LlamaCPUVectorizeBF16> {
  using Base::Base;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    StringRef kernel = !dots ? "fma" : lanes == 4 ? "bfdot" : "vdpbf16ps";
    getOperation().walk([&](linalg::GenericOp op) {
      if (!isTileOfBF16(op))
        return;
      if (int64_t depth = op.getStaticLoopRanges().back();
          depth % (2 * lanes) != 0) {
        if (dots)
          remarkMissed(
              op, kernel,
              llvm::formatv("in is {0}, no multiple of {1}", depth, 2 * lanes));
        return;
      }
      remarkTile(op, kernel);
      rewriter.setInsertionPoint(op);
      rewriter.replaceOp(op, DotTile(rewriter, op, lanes, dots).vectorize());
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
