//===- Distribute.cpp - Give each thread its part of every loop -----------===//
//
//   scf.forall (%i) in (%n)   =>   barrier, if the loop depends on earlier ones
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
// What follows a barrier, up to the next, is a step. Every parallel loop has
// one barrier that always comes just before it and the others of its step, so a
// barrier's number says what threads do then, whatever loops were left out.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Passes.h"
#include "compiler/CPU/Threads/Steps.h"
#include "compiler/Placement/Arguments.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMACPUDISTRIBUTEPASS
#include "compiler/CPU/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

namespace {

/// The buffer that `memref` is a part of. A view of the workspace counts as a
/// buffer: no two overlap.
Value findBuffer(Value memref) {
  while (Operation *op = memref.getDefiningOp()) {
    if (isa<memref::ViewOp>(op))
      return memref;
    auto view = dyn_cast<ViewLikeOpInterface>(op);
    if (!view)
      return memref;
    memref = view.getViewSource();
  }
  return memref;
}

/// What one loop, or all since the last barrier, read and write.
struct Accesses {
  SmallPtrSet<Value, 8> reads, writes;
  bool everything = false; ///< unknown code ran

  void add(const Accesses &other) {
    reads.insert(other.reads.begin(), other.reads.end());
    writes.insert(other.writes.begin(), other.writes.end());
    everything |= other.everything;
  }

  bool none() const { return reads.empty() && writes.empty() && !everything; }

  bool mustPrecede(const Accesses &later) const {
    auto touches = [](const SmallPtrSet<Value, 8> &a,
                      const SmallPtrSet<Value, 8> &b) {
      return llvm::any_of(a, [&](Value buffer) { return b.contains(buffer); });
    };
    return everything || later.everything || touches(writes, later.reads) ||
           touches(writes, later.writes) || touches(reads, later.writes);
  }
};

Accesses collectAccesses(Operation *root) {
  Accesses accesses;
  root->walk([&](Operation *op) {
    auto interface = dyn_cast<MemoryEffectOpInterface>(op);
    if (!interface) {
      // Of an op that is only its body, the walk sees the body.
      accesses.everything |=
          !op->hasTrait<OpTrait::HasRecursiveMemoryEffects>() &&
          !isMemoryEffectFree(op);
      return;
    }
    SmallVector<MemoryEffects::EffectInstance> effects;
    interface.getEffects(effects);
    for (const MemoryEffects::EffectInstance &effect : effects) {
      Value value = effect.getValue();
      if (isa<MemoryEffects::Allocate, MemoryEffects::Free>(effect.getEffect()))
        continue;
      if (!value)
        accesses.everything = true;
      else if (isa<MemoryEffects::Read>(effect.getEffect()))
        accesses.reads.insert(findBuffer(value));
      else
        accesses.writes.insert(findBuffer(value));
    }
  });
  return accesses;
}

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

struct LlamaCPUDistribute
    : mlir::llama::impl::LlamaCPUDistributePassBase<LlamaCPUDistribute> {
  using Base::Base;

  void runOnOperation() override;

private:
  std::optional<StepTable> steps;

  LogicalResult visitBlock(Block &block, Accesses &pending);
  LogicalResult visitLoop(scf::ForOp loop, Accesses &pending);
  /// Lets `op` wait for what is pending, if it must, and adds what it does.
  void meet(Operation *op, const Accesses &accesses, Accesses &pending);
  void insertBarrier(Operation *before);
  void distribute(scf::ForallOp loop);
};

} // namespace

void LlamaCPUDistribute::insertBarrier(Operation *before) {
  auto function = before->getParentOfType<func::FuncOp>();
  ImplicitLocOpBuilder b(before->getLoc(), before);
  Value step = arith::ConstantIndexOp::create(b, steps->begin());
  Value layer = findArgument(function, "layer");
  if (!layer)
    layer = arith::ConstantIndexOp::create(b, -1);
  func::CallOp::create(b, "llama_barrier", TypeRange{},
                       ValueRange{findArgument(function, "call"), step, layer});
  ++numBarriers;
}

void LlamaCPUDistribute::meet(Operation *op, const Accesses &accesses,
                              Accesses &pending) {
  if (pending.mustPrecede(accesses)) {
    insertBarrier(op);
    pending = Accesses();
  }
  steps->add(op);
  pending.add(accesses);
}

LogicalResult LlamaCPUDistribute::visitBlock(Block &block, Accesses &pending) {
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

LogicalResult LlamaCPUDistribute::visitLoop(scf::ForOp loop,
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

void LlamaCPUDistribute::distribute(scf::ForallOp loop) {
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

void LlamaCPUDistribute::runOnOperation() {
  ModuleOp module = getOperation();
  Builder builder(&getContext());
  steps.emplace(module);
  Type pointer = LLVM::LLVMPointerType::get(&getContext());
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  auto size = module.lookupSymbol<func::FuncOp>("workspace_bytes");
  if (size)
    size->remove();
  appendArgument(module, "thread", builder.getIndexType());
  appendArgument(module, "threads", builder.getIndexType());
  appendArgument(module, "call", pointer);
  for (auto function : module.getOps<func::FuncOp>()) {
    // Whatever ran before may have left anything pending.
    Accesses pending;
    pending.everything = true;
    for (Block &block : function.getBody())
      if (failed(visitBlock(block, pending)))
        return signalPassFailure();
  }
  auto barrier = func::FuncOp::create(
      b, module.getLoc(), "llama_barrier",
      builder.getFunctionType(
          {pointer, builder.getIndexType(), builder.getIndexType()}, {}));
  barrier.setPrivate();
  module->setAttr(kStepsAttr, steps->getAttribute(builder));
  if (size)
    module.push_back(size);
  SmallVector<scf::ForallOp> loops;
  module.walk<WalkOrder::PreOrder>([&](scf::ForallOp loop) {
    loops.push_back(loop);
    return WalkResult::skip();
  });
  for (scf::ForallOp loop : loops)
    distribute(loop);
}
