//===- Gathers.cpp - What threads read and write between barriers ---------===//
//
//   forall: write %x                    forall: write %x
//   for:                                for:
//     kernel.barrier              =>      kernel.barrier gathers(%x, %y)
//     forall: read %x, write %y           forall: read %x, write %y
//   kernel.barrier                      kernel.barrier gathers(%x, %y)
//
// Writes flow through loops and calls until nothing changes. A callee's argument
// stands for what every caller passes; what is passed to no argument stays
// pending in the caller, for no barrier of the callee can name it.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Threads/Gathers.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::llama;

void Accesses::add(const Accesses &other) {
  reads.insert(other.reads.begin(), other.reads.end());
  for (const auto &[buffer, cut] : other.writes)
    addWrite(writes, buffer, cut);
  everything |= other.everything;
}

bool Accesses::mustPrecede(const Accesses &later) const {
  auto isWritten = [&](const auto &write) {
    return later.reads.contains(write.first) ||
           later.writes.contains(write.first);
  };
  auto isOverwritten = [&](Value buffer) {
    return later.writes.contains(buffer);
  };
  return everything || later.everything || llvm::any_of(writes, isWritten) ||
         llvm::any_of(reads, isOverwritten);
}

Accesses llama::collectAccesses(Operation *root) {
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
      if (value && findBuffer(value).getDefiningOp<memref::AllocaOp>())
        continue; // a thread's own
      if (!value)
        accesses.everything = true;
      else if (isa<MemoryEffects::Read>(effect.getEffect()))
        accesses.reads.insert(findBuffer(value));
      else
        addWrite(accesses.writes, findBuffer(value), findCut(value, root));
    }
  });
  return accesses;
}

bool llama::addWrite(Cuts &writes, Value buffer, CutAttr cut) {
  auto [at, isNew] = writes.insert({buffer, cut});
  if (isNew || at->second == cut || at->second.isScattered())
    return isNew;
  at->second = CutAttr::get(buffer.getContext(), 0, 0);
  return true;
}

static bool addWrites(Cuts &writes, const Cuts &other) {
  bool isNew = false;
  for (const auto &[buffer, cut] : other)
    isNew |= addWrite(writes, buffer, cut);
  return isNew;
}

namespace {

/// Carries writes along all ways through a module.
class WriteFlow {
public:
  explicit WriteFlow(ModuleOp module) : module(module) {}

  void run();

private:
  ModuleOp module;
  bool changed = true;
  /// What may be pending where a function begins, in its own arguments, and
  /// where it ends.
  llvm::DenseMap<Operation *, Cuts> atBegin, atEnd;
  llvm::MapVector<Operation *, Cuts> atBarrier;

  void visitBlock(Block &block, Cuts &pending);
  void visitLoop(scf::ForOp loop, Cuts &pending);
  void visitCall(func::CallOp call, Cuts &pending);
};

} // namespace

/// What has `cut` in `operand`, in the buffer that `operand` may be a part of.
static CutAttr getCutOfBuffer(Value operand, CutAttr cut) {
  return operand == findBuffer(operand) ? cut
                                        : CutAttr::get(cut.getContext(), 0, 0);
}

void WriteFlow::visitCall(func::CallOp call, Cuts &pending) {
  auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee());
  if (!callee || callee.isExternal())
    return;
  Cuts after = pending;
  auto pairs = llvm::zip_equal(call.getOperands(), callee.getArguments());
  for (auto [operand, argument] : pairs) {
    Value buffer = findBuffer(operand);
    auto written = pending.find(buffer);
    if (written == pending.end())
      continue;
    changed |= addWrite(atBegin[callee], argument,
                        getCutOfBuffer(operand, written->second));
    after.erase(buffer);
  }
  const Cuts &left = atEnd[callee];
  for (auto [operand, argument] : pairs)
    if (auto written = left.find(argument); written != left.end())
      addWrite(after, findBuffer(operand),
               getCutOfBuffer(operand, written->second));
  pending = std::move(after);
}

/// What the end of a round leaves, the next one finds, but for what is made anew
/// in every round; and there may be no round.
void WriteFlow::visitLoop(scf::ForOp loop, Cuts &pending) {
  bool isNew = true;
  while (std::exchange(isNew, false)) {
    Cuts end = pending;
    visitBlock(*loop.getBody(), end);
    for (const auto &[buffer, cut] : end)
      if (loop.isDefinedOutsideOfLoop(buffer))
        isNew |= addWrite(pending, buffer, cut);
  }
}

void WriteFlow::visitBlock(Block &block, Cuts &pending) {
  for (Operation &op : block) {
    if (isa<BarrierOp>(op)) {
      changed |= addWrites(atBarrier[&op], pending);
      pending.clear();
    } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
      visitLoop(loop, pending);
    } else if (auto call = dyn_cast<func::CallOp>(op)) {
      visitCall(call, pending);
    } else {
      addWrites(pending, collectAccesses(&op).writes);
    }
  }
}

void WriteFlow::run() {
  while (std::exchange(changed, false))
    for (auto function : module.getOps<func::FuncOp>())
      for (Block &block : function.getBody()) {
        Cuts pending = atBegin[function];
        visitBlock(block, pending);
        changed |= addWrites(atEnd[function], pending);
      }
  Builder b(module.getContext());
  for (auto &[op, writes] : atBarrier) {
    auto barrier = cast<BarrierOp>(op);
    SmallVector<Value> buffers;
    SmallVector<Attribute> cuts;
    for (const auto &[buffer, cut] : writes) {
      buffers.push_back(buffer);
      cuts.push_back(cut);
    }
    barrier.getGathersMutable().assign(buffers);
    barrier.setCutsAttr(b.getArrayAttr(cuts));
  }
}

void llama::setGathers(ModuleOp module) { WriteFlow(module).run(); }
