//===- Prefetch.cpp - Ask for weights before they are read ----------------===//
//
//   for k:  vector.transfer_read %w[%row, %k]        (eight rows side by side)
//
//   =>      memref.prefetch %w[%row + 8, %k]
//
// and likewise, of a quantized matrix, the same line of the panels that come
// after those of the tile.
//
// A single row of activations uses a weight once, so memory sets the pace. The
// prefetchers of the machine follow a row of weights only to its end, a few
// kilobytes away; the rows that come next begin somewhere else. Of several
// blocks of rows the first one asks, while the others compute: 16 rows of bf16
// took 15 % less time on Zen 4. If all of them asked, 256 rows would take 13 %
// more.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Passes.h"
#include "compiler/Placement/Arguments.h"

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
      SmallVector<vector::TransferReadOp> reads, panels;
      for (auto read : loop.getOps<vector::TransferReadOp>())
        if (isOfWeights(read))
          (isOfPanel(read) ? panels : reads).push_back(read);
      if (countRows(reads) == rows || isFirstUse(loop, reads))
        prefetch(loop, reads, 2, rows);
      if (isForSingleRow(loop, panels) || isFirstUse(loop, panels))
        prefetch(loop, findLines(panels), 3, countPanels(panels));
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

  /// Of the integers of a quantized matrix, [panels, lines, 64].
  static bool isOfPanel(vector::TransferReadOp read) {
    auto type = cast<MemRefType>(read.getBase().getType());
    return type.getRank() == 3 && type.getElementType().isInteger(8);
  }

  /// The index of dimension rank - `fromLast`.
  static Value getIndex(vector::TransferReadOp read, int64_t fromLast) {
    return *std::prev(read.getIndices().end(), fromLast);
  }

  static int64_t countRows(ArrayRef<vector::TransferReadOp> reads) {
    llvm::SmallSetVector<std::pair<Value, Value>, 8> found;
    for (vector::TransferReadOp read : reads)
      found.insert({read.getBase(), getIndex(read, 2)});
    return found.size();
  }

  static int64_t countPanels(ArrayRef<vector::TransferReadOp> reads) {
    llvm::SmallSetVector<Value, 8> found;
    for (vector::TransferReadOp read : reads)
      found.insert(getIndex(read, 3));
    return found.size();
  }

  /// Whether each step of the loop around reads other weights, so that none of
  /// them are in the cache.
  static bool isFirstUse(scf::ForOp loop,
                         ArrayRef<vector::TransferReadOp> reads) {
    auto around = loop->getParentOfType<scf::ForOp>();
    SmallVector<Value> worklist;
    for (vector::TransferReadOp read : reads)
      llvm::append_range(worklist, read->getOperands());
    DenseSet<Value> seen;
    while (around && !worklist.empty()) {
      Value value = worklist.pop_back_val();
      if (value == around.getInductionVar())
        return true;
      if (Operation *op = value.getDefiningOp();
          op && seen.insert(value).second)
        llvm::append_range(worklist, op->getOperands());
    }
    return false;
  }

  /// Whether there is a sum for each vector of a line, not for several rows.
  static bool isForSingleRow(scf::ForOp loop,
                             ArrayRef<vector::TransferReadOp> reads) {
    llvm::SmallSetVector<std::pair<Value, Value>, 8> found;
    for (vector::TransferReadOp read : reads)
      found.insert({getIndex(read, 3), getIndex(read, 1)});
    return !found.empty() && found.size() == loop.getNumResults();
  }

  /// One read of each line.
  static SmallVector<vector::TransferReadOp>
  findLines(ArrayRef<vector::TransferReadOp> reads) {
    llvm::SmallSetVector<std::pair<Value, Value>, 16> found;
    SmallVector<vector::TransferReadOp> first;
    for (vector::TransferReadOp read : reads)
      if (found.insert({getIndex(read, 3), getIndex(read, 2)}))
        first.push_back(read);
    return first;
  }

  /// Asks for what is `distance` further in dimension rank - `fromLast`.
  void prefetch(scf::ForOp loop, ArrayRef<vector::TransferReadOp> reads,
                int64_t fromLast, int64_t distance) {
    ImplicitLocOpBuilder b(loop.getLoc(), loop);
    Value further = arith::ConstantIndexOp::create(b, distance);
    for (vector::TransferReadOp read : reads) {
      b.setInsertionPoint(read);
      SmallVector<Value> indices(read.getIndices());
      Value &index = *std::prev(indices.end(), fromLast);
      index = arith::AddIOp::create(b, index, further);
      memref::PrefetchOp::create(b, read.getBase(), indices,
                                 /*isWrite=*/false, /*localityHint=*/2,
                                 /*isDataCache=*/true);
      ++numPrefetches;
    }
  }
};

} // namespace
