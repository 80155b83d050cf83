//===- ForallToThreads.cpp - Give each thread its part of every loop ------===//
//
//   scf.forall (%i) in (%n)   =>   kernel.barrier, if it depends on earlier ones
//                                  scf.for %i = n * thread / threads
//                                          to n * (thread + 1) / threads
//
// Every thread runs every function. A loop of several dimensions is divided by
// the product of them. Parts are contiguous and depend on n and the number of
// threads alone.
//
// Barriers: a loop waits if it reads or writes a buffer that another loop has
// written since the last barrier, or writes one that another has read. A loop
// that an enclosing loop repeats does not wait for itself if its bounds are
// constant: each thread then meets its own part again, and the barrier stands
// in front of the enclosing loop.
//
// What follows a barrier, up to the next, is a phase. Every parallel loop has one
// barrier that always comes just before it and the others of its phase, so a
// barrier says what threads do then, whatever loops were left out.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Passes.h"
#include "compiler/CPU/Threads/Gathers.h"
#include "compiler/Placement/CallArguments.h"
#include "compiler/Placement/Phases.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMACPUFORALLTOTHREADSPASS
#include "compiler/CPU/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

namespace {

bool hasConstantBounds(scf::ForallOp loop) {
  auto areConstant = [](ArrayRef<OpFoldResult> values) {
    return llvm::all_of(values, [](OpFoldResult value) {
      return getConstantIntValue(value).has_value();
    });
  };
  return areConstant(loop.getMixedLowerBound()) &&
         areConstant(loop.getMixedUpperBound()) &&
         areConstant(loop.getMixedStep());
}

/// The one parallel loop that `loop` repeats over the same parts, or null: no
/// thread then meets what another has done in an earlier round.
scf::ForallOp findRepeated(scf::ForOp loop) {
  SmallVector<scf::ForallOp> parallel(loop.getBody()->getOps<scf::ForallOp>());
  if (parallel.size() != 1 || !hasConstantBounds(parallel[0]))
    return nullptr;
  bool isAlone = llvm::all_of(*loop.getBody(), [&](Operation &op) {
    return &op == parallel[0] || collectAccesses(&op).none();
  });
  return isAlone ? parallel[0] : nullptr;
}

struct LlamaCPUForallToThreads
    : mlir::llama::impl::LlamaCPUForallToThreadsPassBase<
          LlamaCPUForallToThreads> {
  using Base::Base;

  void runOnOperation() override;

private:
  /// Of the barriers that have been inserted.
  SmallVector<std::pair<BarrierOp, Phase>> phases;

  LogicalResult visitBlock(Block &block, Accesses &pending);
  LogicalResult visitLoop(scf::ForOp loop, Accesses &pending);
  /// Lets `op` wait for what is pending, if it must, and adds what it does.
  void meet(Operation *op, const Accesses &accesses, Accesses &pending);
  void insertBarrier(Operation *before);
  LogicalResult visitFunction(func::FuncOp function);
  void distribute(scf::ForallOp loop);
};

} // namespace

/// What it gathers, and its phase, come at the end.
void LlamaCPUForallToThreads::insertBarrier(Operation *before) {
  auto function = before->getParentOfType<func::FuncOp>();
  ImplicitLocOpBuilder b(before->getLoc(), before);
  auto barrier = BarrierOp::create(b, Phase().getAttribute(b.getContext()),
                                   findArgument(function, "layer"),
                                   ValueRange(), b.getArrayAttr({}));
  phases.push_back({barrier, Phase()});
  ++numBarriers;
}

void LlamaCPUForallToThreads::meet(Operation *op, const Accesses &accesses,
                                   Accesses &pending) {
  if (pending.mustPrecede(accesses)) {
    insertBarrier(op);
    pending = Accesses();
  }
  phases.back().second.add(op);
  pending.add(accesses);
}

LogicalResult LlamaCPUForallToThreads::visitBlock(Block &block,
                                                  Accesses &pending) {
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (isa<scf::ForallOp>(op)) {
      meet(&op, collectAccesses(&op), pending);
      continue;
    }
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      if (failed(visitLoop(loop, pending)))
        return failure();
      continue;
    }
    if (isa<func::CallOp>(op)) {
      pending.everything = true;
      continue;
    }
    Accesses accesses = collectAccesses(&op);
    if (!accesses.writes.empty() || accesses.everything)
      return op.emitOpError("writes memory outside of a parallel loop");
    // Every thread reads what one of them may have written.
    if (!accesses.reads.empty())
      meet(&op, accesses, pending);
  }
  return success();
}

LogicalResult LlamaCPUForallToThreads::visitLoop(scf::ForOp loop,
                                                 Accesses &pending) {
  // One barrier in front of all rounds.
  if (scf::ForallOp repeated = findRepeated(loop)) {
    meet(loop, collectAccesses(repeated), pending);
    return success();
  }
  // What the end of the body leaves pending, its beginning finds; and there may
  // be no round at all.
  pending.everything = true;
  LogicalResult result = visitBlock(*loop.getBody(), pending);
  pending.everything = true;
  return result;
}

void LlamaCPUForallToThreads::distribute(scf::ForallOp loop) {
  auto function = loop->getParentOfType<func::FuncOp>();
  Value thread = findArgument(function, "thread");
  Value threads = findArgument(function, "threads");
  ImplicitLocOpBuilder b(loop.getLoc(), loop);
  auto toValue = [&](OpFoldResult value) {
    return getValueOrCreateConstantIndexOp(b, b.getLoc(), value);
  };
  SmallVector<Value> counts, lower, steps;
  Value total = arith::ConstantIndexOp::create(b, 1);
  for (auto [begin, end, step] :
       llvm::zip_equal(loop.getMixedLowerBound(), loop.getMixedUpperBound(),
                       loop.getMixedStep())) {
    lower.push_back(toValue(begin));
    steps.push_back(toValue(step));
    Value length = arith::SubIOp::create(b, toValue(end), lower.back());
    counts.push_back(arith::CeilDivUIOp::create(b, length, steps.back()));
    total = arith::MulIOp::create(b, total, counts.back());
  }
  auto part = [&](Value number) -> Value {
    return arith::DivUIOp::create(b, arith::MulIOp::create(b, total, number),
                                  threads);
  };
  Value one = arith::ConstantIndexOp::create(b, 1);
  Value next = arith::AddIOp::create(b, thread, one);
  auto share = scf::ForOp::create(b, part(thread), part(next), one);

  b.setInsertionPointToStart(share.getBody());
  SmallVector<Value> numbers(counts.size());
  Value rest = share.getInductionVar();
  for (int64_t i = counts.size() - 1; i >= 0; --i) {
    Value number = rest;
    if (i > 0) {
      number = arith::RemUIOp::create(b, rest, counts[i]);
      rest = arith::DivUIOp::create(b, rest, counts[i]);
    }
    numbers[i] = arith::AddIOp::create(
        b, lower[i], arith::MulIOp::create(b, number, steps[i]));
  }
  for (auto [from, to] : llvm::zip_equal(loop.getInductionVars(), numbers))
    from.replaceAllUsesWith(to);
  loop.getTerminator()->erase();
  share.getBody()->getOperations().splice(std::prev(share.getBody()->end()),
                                          loop.getBody()->getOperations());
  loop.erase();
  ++numLoops;
}

/// Whatever ran before may have left anything pending.
LogicalResult LlamaCPUForallToThreads::visitFunction(func::FuncOp function) {
  Accesses pending;
  pending.everything = true;
  for (Block &block : function.getBody())
    if (failed(visitBlock(block, pending)))
      return failure();
  return success();
}

void LlamaCPUForallToThreads::runOnOperation() {
  ModuleOp module = getOperation();
  phases.clear();
  SmallVector<scf::ForallOp> loops;
  module.walk<WalkOrder::PreOrder>([&](scf::ForallOp loop) {
    loops.push_back(loop);
    return WalkResult::skip();
  });
  for (scf::ForallOp loop : loops)
    if (auto function = loop->getParentOfType<func::FuncOp>();
        !findArgument(function, "threads")) {
      function.emitOpError("expected the arguments that "
                           "llama-add-call-arguments adds");
      return signalPassFailure();
    }
  for (auto function : module.getOps<func::FuncOp>())
    if (failed(visitFunction(function)))
      return signalPassFailure();
  for (auto &[barrier, phase] : phases)
    barrier.setPhaseAttr(phase.getAttribute(&getContext()));
  setGathers(module);
  for (scf::ForallOp loop : loops)
    distribute(loop);
}
