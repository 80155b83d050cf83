//===- Phases.cpp - What threads do from one barrier to the next ----------===//

#include "compiler/Placement/Phases.h"

#include "compiler/Placement/CallArguments.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using namespace mlir::llama;

static constexpr StringLiteral kPrefix = "llama.";

Location llama::getLoweredLocation(Operation *op) {
  return NameLoc::get(
      StringAttr::get(op->getContext(), op->getName().getStringRef()),
      op->getLoc());
}

/// Name of the llama op, "swiglu", that something at `loc` is lowered from;
/// empty if that is unknown.
static StringRef findLoweredOp(Location loc) {
  StringRef found;
  loc->walk([&](Location part) {
    auto named = dyn_cast<NameLoc>(part);
    if (!named || !named.getName().getValue().starts_with(kPrefix))
      return WalkResult::advance();
    found = named.getName().getValue().drop_front(kPrefix.size());
    return WalkResult::interrupt();
  });
  return found;
}

static bool isArgument(OpFoldResult bound, StringRef name) {
  auto value = dyn_cast<Value>(bound);
  auto function =
      value ? dyn_cast<func::FuncOp>(value.getParentRegion()->getParentOp())
            : nullptr;
  return function && findArgument(function, name) == value;
}

/// Which rows the products of a loop are of: its bounds say.
static StringRef findRows(MatmulOp product) {
  if (product.getLogits())
    return "logit_rows";
  auto forall = product->getParentOfType<scf::ForallOp>();
  if (forall && isArgument(forall.getMixedUpperBound()[0], "prompt_rows"))
    return "prompt_rows";
  if (forall && isArgument(forall.getMixedLowerBound()[0], "prompt_rows"))
    return "generated_rows";
  return "rows";
}

/// The buffer or weight that a memref is a part of.
static Value findSource(Value memref) {
  while (auto part = memref.getDefiningOp<ViewLikeOpInterface>())
    memref = part.getViewSource();
  return memref;
}

void Phase::addAccesses(Operation *op) {
  auto interface = dyn_cast<MemoryEffectOpInterface>(op);
  if (!interface)
    return;
  SmallVector<MemoryEffects::EffectInstance> effects;
  interface.getEffects(effects);
  bool isUsed = false;
  StringRef name = findLoweredOp(op->getLoc());
  for (const MemoryEffects::EffectInstance &effect : effects) {
    bool isRead = isa<MemoryEffects::Read>(effect.getEffect());
    if (!effect.getValue() ||
        (!isRead && !isa<MemoryEffects::Write>(effect.getEffect())))
      continue;
    isUsed = true;
    Value source = findSource(effect.getValue());
    if (auto weight = source.getDefiningOp<StoredWeightOp>())
      tables.insert(weight.getName());
    // Scores are recorded for few calls and layers.
    else if (isRead && name != "record_scores" && isArgument(source, "kv"))
      readsCache = true;
  }
  if (isUsed && !name.empty())
    ops.insert(name);
}

void Phase::add(Operation *loop) {
  loop->walk([&](Operation *op) {
    if (auto product = dyn_cast<MatmulOp>(op)) {
      if (product.getPartOf())
        ops.insert(*product.getPartOf());
      matrices.insert(product.getMatrix());
      rows = findRows(product);
      return;
    }
    addAccesses(op);
  });
}

PhaseAttr Phase::getAttribute(MLIRContext *context) const {
  Builder b(context);
  auto toAttributes = [&](const llvm::SetVector<StringRef> &names) {
    return llvm::map_to_vector(
        names, [&](StringRef name) { return b.getStringAttr(name); });
  };
  return PhaseAttr::get(context, toAttributes(ops), toAttributes(matrices),
                        toAttributes(tables), b.getStringAttr(rows),
                        readsCache);
}
