//===- Prefetch.cpp - Ask for weights before they are read ----------------===//
//
//   for k:  vector.transfer_read %w[%row, %k]        (eight rows side by side)
//
//   =>      memref.prefetch %w[%row + 8, %k]
//
// A single row of activations uses a weight once, so memory sets the pace. The
// prefetchers of the machine follow a row of weights only to its end, a few
// kilobytes away; the rows that come next begin somewhere else.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Arguments.h"
#include "compiler/CPU/Passes.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMACPUPREFETCHPASS
#include "compiler/CPU/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

namespace {

// What comes with one line of the cache.
constexpr int64_t kLineBytes = 64;

struct LlamaCPUPrefetch
    : mlir::llama::impl::LlamaCPUPrefetchPassBase<LlamaCPUPrefetch> {
  using Base::Base;

  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    getOperation().walk([&](scf::ForOp loop) {
      auto reads = llvm::to_vector(llvm::make_filter_range(
          loop.getOps<vector::TransferReadOp>(),
          [&](auto read) { return isOfWeights(read); }));
      if (countRows(reads) == rows)
        prefetch(loop, reads);
    });
  }

private:
  bool isOfWeights(vector::TransferReadOp read) {
    auto type = dyn_cast<MemRefType>(read.getBase().getType());
    int64_t bytes = read.getVectorType().getNumElements() *
                    read.getVectorType().getElementTypeBitWidth() / 8;
    if (!type || type.getRank() < 2 || bytes < kLineBytes / 2)
      return false;
    Value source = read.getBase();
    while (auto view = source.getDefiningOp<ViewLikeOpInterface>())
      source = view.getViewSource();
    return source == findArgument(getOperation(), "weights");
  }

  static Value getRow(vector::TransferReadOp read) {
    return *std::prev(read.getIndices().end(), 2);
  }

  static int64_t countRows(ArrayRef<vector::TransferReadOp> reads) {
    llvm::SmallSetVector<std::pair<Value, Value>, 8> found;
    for (vector::TransferReadOp read : reads)
      found.insert({read.getBase(), getRow(read)});
    return found.size();
  }

  void prefetch(scf::ForOp loop, ArrayRef<vector::TransferReadOp> reads) {
    ImplicitLocOpBuilder b(loop.getLoc(), loop);
    Value distance = arith::ConstantIndexOp::create(b, rows);
    for (vector::TransferReadOp read : reads) {
      b.setInsertionPoint(read);
      Value row = arith::AddIOp::create(b, getRow(read), distance);
      SmallVector<Value> indices(read.getIndices());
      *std::prev(indices.end(), 2) = row;
      memref::PrefetchOp::create(b, read.getBase(), indices,
                                 /*isWrite=*/false, /*localityHint=*/2,
                                 /*isDataCache=*/true);
      ++numPrefetches;
    }
  }
};

} // namespace
