//===- LlamaToLinalg.cpp - Convert llama ops to linalg on tensors ---------===//
//
//   %y = llama.linear %x, %w         =>   linalg.generic, rows dynamic
//   %w = llama.get_weight @a[%i]     =>   memref.get_global, subview, to_tensor
//   llama.weight @a layered          =>   memref.global @a {llama.layered}
//
// A fused op becomes the linalg ops of its parts next to each other: what stays
// together from here on is decided by tiling.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Conversion/Lowerings.h"
#include "compiler/CPU/Conversion/Passes.h"
#include "dialects/Llama/IR/LlamaLocations.h"
#include "dialects/Llama/IR/LlamaOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Transforms/DialectConversion.h"

namespace mlir::llama {
#define GEN_PASS_DEF_CONVERTLLAMATOLINALGPASS
#include "compiler/CPU/Conversion/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

namespace {

template <typename Op>
CacheRows getCacheRows(Op op) {
  return {op.getCache(), op.getLayer(), op.getPositions(), op.getSequences(),
          op.getTables()};
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// The bytes of a quantized weight, all layers one after the other.
MemRefType getStoredType(QuantizedType type, ArrayRef<int64_t> shape) {
  int64_t layers = shape.size() == 3 ? shape.front() : 1;
  ArrayRef<int64_t> matrix = shape.take_back(2);
  return MemRefType::get(layers * type.getMatrixBytes(matrix[0], matrix[1]),
                         IntegerType::get(type.getContext(), 8));
}

struct ConvertWeight : OpConversionPattern<WeightOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(WeightOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getType());
    auto quantized = dyn_cast<QuantizedType>(type.getElementType());
    MemRefType stored =
        quantized ? getStoredType(quantized, type.getShape())
                  : MemRefType::get(type.getShape(), type.getElementType());
    auto global = rewriter.replaceOpWithNewOp<memref::GlobalOp>(
        op, op.getSymName(), rewriter.getStringAttr("private"), stored,
        /*initial_value=*/Attribute(), /*constant=*/true,
        /*alignment=*/IntegerAttr());
    if (op.getLayered())
      global->setAttr(kLayeredAttr, rewriter.getUnitAttr());
    if (op.getRotated())
      global->setAttr(kRotatedAttr, rewriter.getUnitAttr());
    if (quantized)
      global->setAttr(kQuantizedAttr, TypeAttr::get(type));
    return success();
  }
};

struct ConvertGetWeight : OpConversionPattern<GetWeightOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(GetWeightOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto weight = SymbolTable::lookupNearestSymbolFrom(op, op.getNameAttr());
    RowBuilder b(op.getLoc(), rewriter);
    auto type = cast<RankedTensorType>(op.getType());
    if (isa<QuantizedType>(type.getElementType()))
      return rewriter.notifyMatchFailure(op, "quantized");
    MemRefType stored = MemRefType::get(type.getShape(), type.getElementType());
    if (auto declared = dyn_cast<WeightOp>(weight))
      stored =
          MemRefType::get(cast<RankedTensorType>(declared.getType()).getShape(),
                          type.getElementType());
    else
      stored = cast<memref::GlobalOp>(weight).getType();
    Value view = memref::GetGlobalOp::create(b, stored, op.getName());
    if (adaptor.getLayer())
      view = selectLayer(b, view, adaptor.getLayer(), type.getShape());
    rewriter.replaceOpWithNewOp<bufferization::ToTensorOp>(op, type, view,
                                                           /*restrict=*/true);
    return success();
  }

  static Value selectLayer(RowBuilder &b, Value stack, Value layer,
                           ArrayRef<int64_t> shape) {
    SmallVector<OpFoldResult> offsets(shape.size() + 1, b.getIndexAttr(0));
    offsets[0] = layer;
    SmallVector<OpFoldResult> sizes = {b.getIndexAttr(1)};
    llvm::append_range(sizes, getAsIndexOpFoldResult(b.getContext(), shape));
    SmallVector<OpFoldResult> strides(shape.size() + 1, b.getIndexAttr(1));
    auto type = memref::SubViewOp::inferRankReducedResultType(
        shape, cast<MemRefType>(stack.getType()), offsets, sizes, strides);
    return memref::SubViewOp::create(b, type, stack, offsets, sizes, strides);
  }
};

/// Integers, scales and perhaps minimums of one matrix, views of the weight's
/// bytes.
struct ConvertGetQuantizedWeight : OpConversionPattern<GetWeightOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(GetWeightOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getType());
    auto quantized = dyn_cast<QuantizedType>(type.getElementType());
    if (!quantized)
      return rewriter.notifyMatchFailure(op, "not quantized");
    int64_t rows = type.getDimSize(0), columns = type.getDimSize(1);
    int64_t bytes = quantized.getMatrixBytes(rows, columns);
    Operation *weight =
        SymbolTable::lookupNearestSymbolFrom(op, op.getNameAttr());
    MemRefType stored;
    if (auto declared = dyn_cast<WeightOp>(weight))
      stored = getStoredType(
          quantized, cast<RankedTensorType>(declared.getType()).getShape());
    else
      stored = cast<memref::GlobalOp>(weight).getType();

    RowBuilder b(op.getLoc(), rewriter);
    Value all = memref::GetGlobalOp::create(b, stored, op.getName());
    Value begin = b.index(0);
    if (adaptor.getLayer())
      begin = arith::MulIOp::create(b, adaptor.getLayer(), b.index(bytes))
                  .getResult();
    auto view = [&](int64_t shift, ArrayRef<int64_t> shape, Type element) {
      Value at = arith::AddIOp::create(b, begin, b.index(shift));
      Value part = memref::ViewOp::create(b, MemRefType::get(shape, element),
                                          all, at, ValueRange());
      return bufferization::ToTensorOp::create(
                 b, RankedTensorType::get(shape, element), part,
                 /*restrict=*/true)
          .getResult();
    };
    constexpr int64_t kLanes = QuantizedType::getPanelRows();
    int64_t panels = llvm::divideCeil(rows, kLanes);
    int64_t rowBytes = quantized.getRowBytes(columns);
    int64_t rowScales = quantized.getRowScales(columns);
    int64_t elementBytes = panels * kLanes * rowBytes;
    int64_t factorBytes = panels * kLanes * rowScales * 2;
    auto viewFactors = [&](int64_t shift) {
      return view(shift, {panels, rowScales, kLanes}, b.getF16Type());
    };
    SmallVector<Value> parts = {
        view(0, {panels, rowBytes / 4, 4 * kLanes}, b.getI8Type()),
        viewFactors(elementBytes)};
    if (quantized.hasMinimum())
      parts.push_back(viewFactors(elementBytes + factorBytes));
    rewriter.replaceOpWithMultiple(op, ArrayRef<ValueRange>{parts});
    return success();
  }
};

//===----------------------------------------------------------------------===//
// The boxes
//===----------------------------------------------------------------------===//

struct ConvertEmbed : OpConversionPattern<EmbedOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(EmbedOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RowBuilder b(getLoweredLocation(op), rewriter);
    Matrix table(adaptor.getTable(), op.getTable());
    Value tokens = adaptor.getTokens().front();
    rewriter.replaceOp(op, table.type ? lowerQuantizedGather(b, table, tokens)
                                      : lowerGather(b, table.elements, tokens,
                                                    b.getF32Type()));
    return success();
  }
};

struct ConvertRMSNorm : OpConversionPattern<RMSNormOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(RMSNormOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RowBuilder b(getLoweredLocation(op), rewriter);
    rewriter.replaceOp(op,
                       lowerRMSNorm(b, adaptor.getInput(), adaptor.getWeight(),
                                    op.getEps().convertToDouble(),
                                    getElementTypeOrSelf(op.getType())));
    return success();
  }
};

struct ConvertLinear : OpConversionPattern<LinearOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(LinearOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RowBuilder b(getLoweredLocation(op), rewriter);
    LinearInput input(b, adaptor.getInput().front(), op);
    rewriter.replaceOp(
        op, lowerLinear(b, input, {adaptor.getWeight(), op.getWeight()}));
    return success();
  }
};

struct ConvertRopeAngles : OpConversionPattern<RopeAnglesOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(RopeAnglesOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RowBuilder b(getLoweredLocation(op), rewriter);
    SmallVector<double> frequencies;
    for (APFloat value : op.getFrequencies().getAsValueRange<FloatAttr>())
      frequencies.push_back(value.convertToDouble());
    auto [cosine, sine] =
        lowerRopeAngles(b, adaptor.getPositions(), frequencies);
    rewriter.replaceOp(op, {cosine, sine});
    return success();
  }
};

struct ConvertRope : OpConversionPattern<RopeOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(RopeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RowBuilder b(getLoweredLocation(op), rewriter);
    rewriter.replaceOp(op, lowerRope(b, adaptor.getInput(), adaptor.getCosine(),
                                     adaptor.getSine()));
    return success();
  }
};

struct ConvertCacheAppend : OpConversionPattern<CacheAppendOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(CacheAppendOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RowBuilder b(getLoweredLocation(op), rewriter);
    lowerCacheAppend(b, adaptor.getKeys(), adaptor.getValues(),
                     getCacheRows(adaptor));
    rewriter.eraseOp(op);
    return success();
  }
};

struct ConvertSilu : OpConversionPattern<SiluOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(SiluOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RowBuilder b(getLoweredLocation(op), rewriter);
    Value init = b.emptyRows(adaptor.getInput(), op.getType().getDimSize(1),
                             b.getF32Type());
    Value result = b.elementwise(
        adaptor.getInput(), init, [](RowBuilder &b, ValueRange v) -> Value {
          Value exp = math::ExpOp::create(b, arith::NegFOp::create(b, v[0]));
          return arith::DivFOp::create(
              b, v[0], arith::AddFOp::create(b, exp, b.f32(1.0)));
        });
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct ConvertMul : OpConversionPattern<MulOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(MulOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RowBuilder b(getLoweredLocation(op), rewriter);
    Type element = op.getType().getElementType();
    Value init =
        b.emptyRows(adaptor.getLhs(), op.getType().getDimSize(1), element);
    Value result = b.elementwise(
        {adaptor.getLhs(), adaptor.getRhs()}, init,
        [&](RowBuilder &b, ValueRange v) {
          return b.convertFloat(arith::MulFOp::create(b, v[0], v[1]), element);
        });
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct ConvertAdd : OpConversionPattern<AddOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(AddOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RowBuilder b(getLoweredLocation(op), rewriter);
    rewriter.replaceOp(op,
                       lowerAdd(b, adaptor.getStream(), adaptor.getBranch()));
    return success();
  }
};

struct ConvertHadamard : OpConversionPattern<HadamardOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(HadamardOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RowBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(op, lowerHadamard(b, adaptor.getInput()));
    return success();
  }
};

struct ConvertLogits : OpConversionPattern<LogitsOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(LogitsOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RowBuilder b(getLoweredLocation(op), rewriter);
    Value chosen =
        lowerGather(b, adaptor.getInput().front(), adaptor.getRows().front(),
                    getElementTypeOrSelf(op.getInput().getType()));
    LinearInput input(b, chosen, op);
    rewriter.replaceOp(
        op, lowerLinear(b, input, {adaptor.getWeight(), op.getWeight()}));
    return success();
  }
};

struct ConvertSpreadLogits : OpConversionPattern<SpreadLogitsOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(SpreadLogitsOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RowBuilder b(getLoweredLocation(op), rewriter);
    rewriter.replaceOp(op, lowerSpread(b, adaptor.getInput(), op.getTokens(),
                                       op.getType().getDimSize(1)));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// The groups
//===----------------------------------------------------------------------===//

struct ConvertQKVRopeAppend : OpConversionPattern<QKVRopeAppendOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(QKVRopeAppendOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RowBuilder b(getLoweredLocation(op), rewriter);
    LinearInput input(b, adaptor.getInput().front(), op);
    Value query =
        lowerLinear(b, input, {adaptor.getQueryWeight(), op.getQueryWeight()});
    Value keys =
        lowerLinear(b, input, {adaptor.getKeyWeight(), op.getKeyWeight()});
    Value values =
        lowerLinear(b, input, {adaptor.getValueWeight(), op.getValueWeight()});
    Value cosine = adaptor.getCosine().front();
    Value sine = adaptor.getSine().front();
    query = lowerRope(b, query, cosine, sine);
    keys = lowerRope(b, keys, cosine, sine);
    lowerCacheAppend(b, keys, values,
                     {adaptor.getCache().front(), adaptor.getLayer().front(),
                      adaptor.getPositions().front(),
                      adaptor.getSequences().front(),
                      adaptor.getTables().front()});
    rewriter.replaceOp(op, query);
    return success();
  }
};

/// See compiler/CPU/KernelRemarks.h.
void remarkAttention(FusedAttentionOp op) {
  auto cache = cast<MemRefType>(op.getCache().getType());
  CacheShape shape(cache);
  int64_t columns =
      cast<RankedTensorType>(op.getQuery().getType()).getDimSize(1);
  using Arg = remark::detail::Remark::Arg;
  remark::analysis(
      op.getLoc(),
      remark::RemarkOpts::name("attention").category(kKernelRemarks))
      << Arg("Op", op->getName().stripDialect()) << Arg("Weight", "")
      << Arg("Heads", columns / shape.headDim) << Arg("KVHeads", shape.kvHeads)
      << Arg("HeadDim", shape.headDim) << Arg("Type", cache.getElementType());
}

struct ConvertFusedAttention : OpConversionPattern<FusedAttentionOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(FusedAttentionOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RowBuilder b(getLoweredLocation(op), rewriter);
    remarkAttention(op);
    rewriter.replaceOp(op, lowerAttention(b, adaptor.getQuery(),
                                          getCacheRows(adaptor),
                                          op.getType().getElementType()));
    return success();
  }
};

struct ConvertRecordScores : OpConversionPattern<RecordScoresOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(RecordScoresOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RowBuilder b(getLoweredLocation(op), rewriter);
    lowerRecordScores(b, adaptor.getQuery(), getCacheRows(adaptor),
                      adaptor.getList(), adaptor.getInto());
    rewriter.eraseOp(op);
    return success();
  }
};

struct ConvertSwiGLU : OpConversionPattern<SwiGLUOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(SwiGLUOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RowBuilder b(getLoweredLocation(op), rewriter);
    LinearInput input(b, adaptor.getInput().front(), op);
    Value gate =
        lowerLinear(b, input, {adaptor.getGateWeight(), op.getGateWeight()});
    Value up = lowerLinear(b, input, {adaptor.getUpWeight(), op.getUpWeight()});
    rewriter.replaceOp(op,
                       lowerGate(b, gate, up, op.getType().getElementType()));
    return success();
  }
};

struct ConvertAddRMSNorm : OpConversionPattern<AddRMSNormOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(AddRMSNormOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RowBuilder b(getLoweredLocation(op), rewriter);
    Value sum = lowerAdd(b, adaptor.getStream(), adaptor.getBranch());
    Value normed =
        lowerRMSNorm(b, sum, adaptor.getWeight(), op.getEps().convertToDouble(),
                     getElementTypeOrSelf(op.getNormed().getType()));
    rewriter.replaceOp(op, {sum, normed});
    return success();
  }
};

struct ConvertLlamaToLinalg
    : llama::impl::ConvertLlamaToLinalgPassBase<ConvertLlamaToLinalg> {
  using Base::Base;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns
        .add<ConvertAdd, ConvertAddRMSNorm, ConvertCacheAppend, ConvertEmbed,
             ConvertFusedAttention, ConvertGetQuantizedWeight, ConvertGetWeight,
             ConvertHadamard, ConvertLinear, ConvertLogits, ConvertMul,
             ConvertQKVRopeAppend, ConvertRecordScores, ConvertRMSNorm,
             ConvertRope, ConvertRopeAngles, ConvertSilu, ConvertSpreadLogits,
             ConvertSwiGLU, ConvertWeight>(&getContext());
    ConversionTarget target(getContext());
    target.addIllegalDialect<LlamaDialect>();
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
