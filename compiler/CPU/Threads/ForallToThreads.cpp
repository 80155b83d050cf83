//===- ForallToThreads.cpp - Let threads share the steps of every loop ----===//
//
//   scf.forall (%i) in (%n)   =>   kernel.barrier, if it depends on earlier ones
//                                  while %share = kernel.take_share of %shares
//                                    scf.for %i = the share's first step to its
//                                                 last
//
// Every thread runs every function, and takes shares until there are none: one
// that is held up is waited for with what it has taken, and no more. A loop of
// several dimensions has as many steps as their product. A share is of steps
// that follow each other, and how many depends on n and the number of threads
// alone.
//
// Barriers: a loop waits if it reads or writes a buffer that another loop has
// written since the last barrier, or writes one that another has read.
//
// What follows a barrier, up to the next, is a phase. Every parallel loop has one
// barrier that always comes just before it and the others of its phase, so a
// barrier says what threads do then, whatever loops were left out. A thread that
// comes late to a phase that others have finished goes through it without taking
// anything. What it would read between the loops may no longer be there, so
// nothing is read or written outside of them.
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

struct LlamaCPUForallToThreads
    : mlir::llama::impl::LlamaCPUForallToThreadsPassBase<
          LlamaCPUForallToThreads> {
  using Base::Base;

  void runOnOperation() override;

private:
  /// Of the barriers that have been inserted.
  SmallVector<std::pair<BarrierOp, Phase>> phases;

  LogicalResult visitBlock(Block &block, Accesses &pending);
  /// Lets `op` wait for what is pending, if it must, and adds what it does.
  void meet(Operation *op, const Accesses &accesses, Accesses &pending);
  void insertBarrier(Operation *before);
  LogicalResult visitFunction(func::FuncOp function);
  void distribute(scf::ForallOp loop);
};

/// Of a parallel loop of any dimensions.
struct Steps {
  Steps(ImplicitLocOpBuilder &b, scf::ForallOp loop);
  /// The loop's numbers in step `number`.
  SmallVector<Value> findNumbers(ImplicitLocOpBuilder &b, Value number) const;

  Value total;

private:
  SmallVector<Value> counts, lower, by;
};

} // namespace

Steps::Steps(ImplicitLocOpBuilder &b, scf::ForallOp loop) {
  auto toValue = [&](OpFoldResult value) {
    return getValueOrCreateConstantIndexOp(b, b.getLoc(), value);
  };
  total = arith::ConstantIndexOp::create(b, 1);
  for (auto [begin, end, step] :
       llvm::zip_equal(loop.getMixedLowerBound(), loop.getMixedUpperBound(),
                       loop.getMixedStep())) {
    lower.push_back(toValue(begin));
    by.push_back(toValue(step));
    Value length = arith::SubIOp::create(b, toValue(end), lower.back());
    counts.push_back(arith::CeilDivUIOp::create(b, length, by.back()));
    total = arith::MulIOp::create(b, total, counts.back());
  }
}

SmallVector<Value> Steps::findNumbers(ImplicitLocOpBuilder &b,
                                      Value rest) const {
  SmallVector<Value> numbers(counts.size());
  for (int64_t i = counts.size() - 1; i >= 0; --i) {
    Value number = rest;
    if (i > 0) {
      number = arith::RemUIOp::create(b, rest, counts[i]);
      rest = arith::DivUIOp::create(b, rest, counts[i]);
    }
    numbers[i] = arith::AddIOp::create(b, lower[i],
                                       arith::MulIOp::create(b, number, by[i]));
  }
  return numbers;
}

/// How many steps a share has. Who is done waits for a share of another: with 64
/// shares a thread for 1/64 of the loop. Taking one costs 4 ns, 7 to 14 where two
/// threads do nothing else (Zen 4), which is less than a step of any loop.
static Value chooseWidth(ImplicitLocOpBuilder &b, Value total, Value threads) {
  constexpr int64_t kSharesPerThread = 64;
  Value shares = arith::MulIOp::create(
      b, threads, arith::ConstantIndexOp::create(b, kSharesPerThread));
  return arith::MaxUIOp::create(b, arith::DivUIOp::create(b, total, shares),
                                arith::ConstantIndexOp::create(b, 1));
}

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
      // What the end of the body leaves pending, its beginning finds; and there
      // may be no round at all.
      pending.everything = true;
      if (failed(visitBlock(*loop.getBody(), pending)))
        return failure();
      pending.everything = true;
      continue;
    }
    if (isa<func::CallOp>(op)) {
      pending.everything = true;
      continue;
    }
    Accesses accesses = collectAccesses(&op);
    if (!accesses.writes.empty() || accesses.everything)
      return op.emitOpError("writes memory outside of a parallel loop");
    if (!accesses.reads.empty())
      return op.emitOpError("reads memory outside of a parallel loop");
  }
  return success();
}

void LlamaCPUForallToThreads::distribute(scf::ForallOp loop) {
  ImplicitLocOpBuilder b(loop.getLoc(), loop);
  Steps steps(b, loop);
  auto function = loop->getParentOfType<func::FuncOp>();
  Value width = chooseWidth(b, steps.total, findArgument(function, "threads"));
  Value shares = arith::CeilDivUIOp::create(b, steps.total, width);
  auto take = [&](OpBuilder &nested, Location loc, ValueRange) {
    Value share =
        TakeShareOp::create(nested, loc, nested.getIndexType(), shares);
    Value isOne = arith::CmpIOp::create(nested, loc, arith::CmpIPredicate::ult,
                                        share, shares);
    scf::ConditionOp::create(nested, loc, isOne, share);
  };
  auto finish = [&](OpBuilder &nested, Location loc, ValueRange taken) {
    ImplicitLocOpBuilder b(loc, nested);
    Value first = arith::MulIOp::create(b, taken[0], width);
    Value end = arith::MinUIOp::create(
        b, arith::AddIOp::create(b, first, width), steps.total);
    Value one = arith::ConstantIndexOp::create(b, 1);
    auto share = scf::ForOp::create(b, first, end, one);
    scf::YieldOp::create(b);
    b.setInsertionPointToStart(share.getBody());
    SmallVector<Value> numbers = steps.findNumbers(b, share.getInductionVar());
    for (auto [from, to] : llvm::zip_equal(loop.getInductionVars(), numbers))
      from.replaceAllUsesWith(to);
    loop.getTerminator()->erase();
    share.getBody()->getOperations().splice(std::prev(share.getBody()->end()),
                                            loop.getBody()->getOperations());
  };
  scf::WhileOp::create(b, TypeRange(b.getIndexType()), ValueRange(), take,
                       finish);
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
