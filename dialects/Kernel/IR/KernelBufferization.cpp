//===- KernelBufferization.cpp - Products of tensors to memrefs -----------===//

#include "dialects/Kernel/IR/KernelOps.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

using namespace mlir;
using namespace mlir::llama;
using namespace mlir::bufferization;

namespace {

struct MatmulModel
    : DstBufferizableOpInterfaceExternalModel<MatmulModel, MatmulOp> {
  // MLIR calls these through a table that it fills from their names.
  // NOLINTBEGIN(bugprone-derived-method-shadowing-base-method)

  /// What was in the result's place is not read.
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    return !cast<MatmulOp>(op).isDpsInit(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto matmul = cast<MatmulOp>(op);
    if (matmul.hasPureBufferSemantics())
      return success();
    auto toBuffer = [&](Value tensor) -> FailureOr<Value> {
      if (!tensor)
        return Value();
      return getBuffer(rewriter, tensor, options, state);
    };
    SmallVector<Value> buffers;
    for (Value tensor :
         {Value(matmul.getRows()), matmul.getScales(), matmul.getSums(),
          matmul.getLow(), Value(matmul.getInit())}) {
      FailureOr<Value> buffer = toBuffer(tensor);
      if (failed(buffer))
        return failure();
      buffers.push_back(*buffer);
    }
    MatmulOp::create(rewriter, op->getLoc(), Type(), buffers[0], buffers[1],
                     buffers[2], buffers[3], matmul.getMatrixAttr(),
                     matmul.getMatrixTypeAttr(), matmul.getLayer(),
                     matmul.getColumn(), buffers[4], matmul.getPartOfAttr(),
                     matmul.getLogitsAttr(), matmul.getScheduleAttr(),
                     matmul.getTileAttr(), matmul.getPrefetchAttr());
    replaceOpWithBufferizedValues(rewriter, op, buffers[4]);
    return success();
  }

  // NOLINTEND(bugprone-derived-method-shadowing-base-method)
};

} // namespace

void llama::registerKernelBufferization(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, KernelDialect *) {
    MatmulOp::attachInterface<MatmulModel>(*context);
  });
}
