//===- LlamaToLinalg.cpp - Convert llama ops to linalg on tensors ---------===//
//
//   %y = llama.linear %x, %w         =>   kernel.matmul, rows dynamic
//   %w = llama.get_weight @a[%i]     =>   kernel.stored_weight, to_tensor
//   llama.weight @a                  =>   llama.weight @a layout "panels16"
//
// A product names its matrix (kernel.matmul); what else reads a weight reads it
// as it is stored. A fused op becomes the linalg ops of its parts next to each other: what stays
// together from here on is decided by tiling.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Conversion/Lowerings.h"
#include "compiler/CPU/Conversion/Passes.h"
#include "compiler/Placement/Phases.h"
#include "dialects/Kernel/IR/KernelOps.h"
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

/// Matrices that rows are multiplied with are stored in panels, and integers
/// always are; other weights row by row.
void chooseLayouts(ModuleOp module) {
  StringAttr panels = StringAttr::get(
      module.getContext(), getName(llamaabi::TensorLayout::Panels16));
  SymbolTable symbols(module);
  module.walk([&](GetWeightOp get) {
    bool isMultiplied = llvm::any_of(get->getUsers(), [](Operation *user) {
      return isa<LinearOp, LogitsOp, QKVRopeAppendOp, SwiGLUOp>(user);
    });
    RankedTensorType type = cast<RankedTensorType>(get.getType());
    if (isMultiplied || isa<QuantizedType>(type.getElementType()))
      symbols.lookup<WeightOp>(get.getName()).setLayoutAttr(panels);
  });
}

struct ConvertGetWeight : OpConversionPattern<GetWeightOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(GetWeightOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto weight =
        SymbolTable::lookupNearestSymbolFrom<WeightOp>(op, op.getNameAttr());
    Value stored =
        StoredWeightOp::create(rewriter, op.getLoc(), weight.getStoredType(),
                               op.getNameAttr(), adaptor.getLayer());
    rewriter.replaceOpWithNewOp<bufferization::ToTensorOp>(
        op, op.getType(), stored, /*restrict=*/true);
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
    Value tokens = adaptor.getTokens().front();
    Matrix table(op.getTable());
    auto weight = SymbolTable::lookupNearestSymbolFrom<WeightOp>(
        op, table.weight.getNameAttr());
    if (!weight.isInPanels()) {
      rewriter.replaceOp(op, lowerGather(b, adaptor.getTable().front(), tokens,
                                         b.getF32Type()));
      return success();
    }
    Value panels = StoredWeightOp::create(b, weight.getStoredType(),
                                          table.weight.getNameAttr(),
                                          table.weight.getLayer());
    rewriter.replaceOp(op, lowerPanelGather(b, panels, table.type, tokens));
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
    rewriter.replaceOp(op, lowerLinear(b, input, Matrix(op.getWeight())));
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
        lowerRopeAngles(b, adaptor.getPositions(), frequencies,
                        op.getFactor().convertToDouble());
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
    RowBuilder b(getLoweredLocation(op), rewriter);
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
    rewriter.replaceOp(op, lowerLinear(b, input, Matrix(op.getWeight())));
    return success();
  }
};

struct ConvertScatterLogits : OpConversionPattern<ScatterLogitsOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(ScatterLogitsOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RowBuilder b(getLoweredLocation(op), rewriter);
    rewriter.replaceOp(op, lowerScatter(b, adaptor.getInput(), op.getTokens(),
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
    Value query = lowerLinear(b, input, Matrix(op.getQueryWeight()));
    Value keys = lowerLinear(b, input, Matrix(op.getKeyWeight()));
    Value values = lowerLinear(b, input, Matrix(op.getValueWeight()));
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

struct ConvertFusedAttention : OpConversionPattern<FusedAttentionOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(FusedAttentionOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RowBuilder b(getLoweredLocation(op), rewriter);
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
    Value gate = lowerLinear(b, input, Matrix(op.getGateWeight()));
    Value up = lowerLinear(b, input, Matrix(op.getUpWeight()));
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
    if (failed(checkMatrices()))
      return signalPassFailure();
    chooseLayouts(getOperation());
    RewritePatternSet patterns(&getContext());
    patterns.add<ConvertAdd, ConvertAddRMSNorm, ConvertCacheAppend,
                 ConvertEmbed, ConvertFusedAttention, ConvertGetWeight,
                 ConvertHadamard, ConvertLinear, ConvertLogits, ConvertMul,
                 ConvertQKVRopeAppend, ConvertRecordScores, ConvertRMSNorm,
                 ConvertRope, ConvertRopeAngles, ConvertSilu,
                 ConvertScatterLogits, ConvertSwiGLU>(&getContext());
    ConversionTarget target(getContext());
    target.addIllegalDialect<LlamaDialect>();
    target.addLegalOp<WeightOp>();
    // Who reads panels does so by the name of the weight.
    target.addDynamicallyLegalOp<GetWeightOp>([](GetWeightOp op) {
      return SymbolTable::lookupNearestSymbolFrom<WeightOp>(op,
                                                            op.getNameAttr())
          .isInPanels();
    });
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))))
      return signalPassFailure();
    if (failed(eraseWeightsInPanels()))
      return signalPassFailure();
  }

  /// Products have named their matrices; whoever else reads one cannot.
  LogicalResult eraseWeightsInPanels() {
    WalkResult result = getOperation().walk([](GetWeightOp op) {
      if (!op->use_empty()) {
        InFlightDiagnostic error =
            op.emitOpError() << "'@" << op.getName()
                             << "' is stored in panels, which products and "
                                "embeddings read, found another reader";
        error.attachNote(op->user_begin()->getLoc()) << "this one";
        return WalkResult::interrupt();
      }
      op.erase();
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }

  /// Every matrix must have a name.
  LogicalResult checkMatrices() {
    WalkResult result = getOperation().walk([](Operation *op) {
      if (!isa<EmbedOp, LinearOp, LogitsOp, QKVRopeAppendOp, SwiGLUOp>(op))
        return WalkResult::advance();
      for (Value operand : op->getOperands()) {
        auto type = dyn_cast<RankedTensorType>(operand.getType());
        if (!type || !type.hasStaticShape() ||
            operand.getDefiningOp<GetWeightOp>())
          continue;
        op->emitOpError() << "expected matrices that llama.get_weight names, "
                             "found another value of "
                          << type;
        return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }
};

} // namespace
