//===- ExpandMath.cpp - Exponentials and angles by arithmetic alone -------===//
//
//   math.sin %x : f64   =>   x = n * (pi / 2) + r,  |r| <= pi / 4
//                            +- sin r or +- cos r, by n mod 4
//
// f32 exponentials and rounding to bf16 are upstream's, by a polynomial and by
// integers: not every processor has an instruction for the latter. f64 angles
// are exact to a few units in the last place for |x| below 2^31: far beyond any
// position.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Passes.h"

#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include "llvm/Support/MathExtras.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMACPUEXPANDMATHPASS
#include "compiler/CPU/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;

namespace {

/// Arithmetic on one type: f64 or a vector of f64.
class Arithmetic {
public:
  Arithmetic(Location loc, OpBuilder &builder, Type type)
      : b(loc, builder), type(type) {}

  Value constant(double value) { return splat(b.getF64FloatAttr(value), type); }
  Value constantInt(int64_t value) {
    return splat(b.getI64IntegerAttr(value), intType());
  }
  Value fma(Value x, Value y, Value z) {
    return math::FmaOp::create(b, x, y, z);
  }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, x, y); }
  Value round(Value x) { return math::RoundEvenOp::create(b, x); }
  Value toInt(Value x) { return arith::FPToSIOp::create(b, intType(), x); }
  Value isBitSet(Value x, int64_t bit) {
    Value masked = arith::AndIOp::create(b, x, constantInt(bit));
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ne, masked,
                                 constantInt(0));
  }
  Value addInt(Value x, int64_t y) {
    return arith::AddIOp::create(b, x, constantInt(y));
  }
  Value select(Value condition, Value yes, Value no) {
    return arith::SelectOp::create(b, condition, yes, no);
  }
  Value negate(Value x) { return arith::NegFOp::create(b, x); }

  /// sum of coefficients[i] * x^i.
  Value polynomial(Value x, ArrayRef<double> coefficients) {
    Value sum = constant(coefficients.back());
    for (double coefficient : llvm::reverse(coefficients.drop_back()))
      sum = fma(sum, x, constant(coefficient));
    return sum;
  }

private:
  Type intType() {
    Type element = b.getI64Type();
    auto vector = dyn_cast<VectorType>(type);
    return vector ? Type(vector.clone(element)) : element;
  }
  Value splat(TypedAttr value, Type to) {
    if (auto vector = dyn_cast<VectorType>(to))
      value = DenseElementsAttr::get(vector, value);
    return arith::ConstantOp::create(b, value);
  }

  ImplicitLocOpBuilder b;
  Type type;
};

// Taylor series at 0, in powers of r^2. The first term left out is below 2^-58
// for |r| <= pi / 4: r^19 / 19! and r^18 / 18!.
constexpr double kSine[] = {
    1.0,
    -1.0 / 6,
    1.0 / 120,
    -1.0 / 5040,
    1.0 / 362880,
    -1.0 / 39916800,
    1.0 / 6227020800,
    -1.0 / 1307674368000,
    1.0 / 355687428096000,
};
constexpr double kCosine[] = {
    1.0,
    -1.0 / 2,
    1.0 / 24,
    -1.0 / 720,
    1.0 / 40320,
    -1.0 / 3628800,
    1.0 / 479001600,
    -1.0 / 87178291200,
    1.0 / 20922789888000,
};
// pi / 2 as the sum of two doubles; n times the first is taken off exactly by a
// fused multiply-add.
constexpr double kHalfPi = 0x1.921fb54442d18p+0;
constexpr double kHalfPiRest = 0x1.1a62633145c07p-54;

/// sin(x + quarters * pi / 2).
Value expandSine(Arithmetic a, Value x, int64_t quarters) {
  Value n = a.round(a.mul(x, a.constant(1.0 / kHalfPi)));
  Value r = a.fma(n, a.constant(-kHalfPi), x);
  r = a.fma(n, a.constant(-kHalfPiRest), r);
  Value square = a.mul(r, r);
  Value sine = a.mul(r, a.polynomial(square, kSine));
  Value cosine = a.polynomial(square, kCosine);
  Value quadrant = a.addInt(a.toInt(n), quarters);
  Value unsignedResult = a.select(a.isBitSet(quadrant, 1), cosine, sine);
  return a.select(a.isBitSet(quadrant, 2), a.negate(unsignedResult),
                  unsignedResult);
}

template <typename Op, int64_t quarters>
struct ExpandAngle : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;

  LogicalResult matchAndRewrite(Op op,
                                PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF64())
      return rewriter.notifyMatchFailure(op, "not f64");
    Arithmetic arithmetic(op.getLoc(), rewriter, op.getType());
    rewriter.replaceOp(op, expandSine(arithmetic, op.getOperand(), quarters));
    return success();
  }
};

struct LlamaCPUExpandMath
    : mlir::llama::impl::LlamaCPUExpandMathPassBase<LlamaCPUExpandMath> {
  using Base::Base;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandAngle<math::SinOp, 0>, ExpandAngle<math::CosOp, 1>>(
        &getContext());
    arith::populateExpandBFloat16Patterns(patterns);
    populateMathPolynomialApproximationPatterns(patterns, [](StringRef name) {
      return name == math::ExpOp::getOperationName();
    });
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
