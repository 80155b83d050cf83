//===- Steps.cpp - What threads do from one barrier to the next -----------===//

#include "compiler/CPU/Threads/Steps.h"

#include "compiler/Placement/Arguments.h"
#include "dialects/Llama/IR/LlamaAttributes.h"
#include "dialects/Llama/IR/LlamaLocations.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using namespace mlir::llama;

StepTable::StepTable(ModuleOp module) {
  if (auto list = module->getAttrOfType<ArrayAttr>(kWeightsAttr))
    for (auto entry : list.getAsRange<DictionaryAttr>()) {
      auto offset = entry.getAs<IntegerAttr>("offset");
      auto name = entry.getAs<StringAttr>("name");
      if (offset && name)
        weights[offset.getInt()] = name.getValue();
    }
}

int64_t StepTable::begin() {
  steps.emplace_back();
  return std::ssize(steps) - 1;
}

static bool isArgument(Value value, StringRef name) {
  auto function =
      dyn_cast<func::FuncOp>(value.getParentRegion()->getParentOp());
  return function && findArgument(function, name) == value;
}

/// Which rows the products in a loop over panels are of: the loop over passes
/// around it says.
static StringRef findRows(Operation *loop) {
  auto passes = dyn_cast<scf::ForOp>(loop);
  if (!passes)
    passes = loop->getParentOfType<scf::ForOp>();
  if (!passes)
    return "rows";
  if (isArgument(passes.getUpperBound(), "prompt_rows"))
    return "prompt_rows";
  if (isArgument(passes.getLowerBound(), "prompt_rows"))
    return "generated_rows";
  StringRef kind = findSizeKind(passes.getUpperBound());
  return kind.empty() ? "rows" : kind;
}

/// Every panel of a matrix meets every row, so a loop over panels has bounds
/// that are known; one over rows has not.
static bool isOverPanels(Operation *loop) {
  bool result = false;
  loop->walk([&](scf::ForallOp parallel) {
    result |=
        llvm::all_of(parallel.getMixedUpperBound(), [](OpFoldResult bound) {
          return getConstantIntValue(bound).has_value();
        });
    return WalkResult::skip();
  });
  return result;
}

void StepTable::addBuffer(Step &step, Value memref, bool isRead, bool isPanels,
                          StringRef op) const {
  while (auto part = memref.getDefiningOp<ViewLikeOpInterface>()) {
    auto view = dyn_cast<memref::ViewOp>(part.getOperation());
    if (view && isArgument(view.getSource(), "weights")) {
      std::optional<int64_t> offset = getConstantIntValue(view.getByteShift());
      StringRef name = offset ? weights.lookup(*offset) : "";
      if (!name.empty())
        (isPanels ? step.matrices : step.tables).insert(name);
      return;
    }
    memref = part.getViewSource();
  }
  // Scores are recorded for few calls and layers.
  if (isRead && op != "record_scores" && isArgument(memref, "kv"))
    step.readsCache = true;
}

void StepTable::add(Operation *loop) {
  assert(!steps.empty() && "a barrier stands before the first loop");
  Step &step = steps.back();
  bool isPanels = isOverPanels(loop);
  if (isPanels)
    step.rows = findRows(loop);
  loop->walk([&](MemoryEffectOpInterface op) {
    SmallVector<MemoryEffects::EffectInstance> effects;
    op.getEffects(effects);
    for (const MemoryEffects::EffectInstance &effect : effects) {
      bool isRead = isa<MemoryEffects::Read>(effect.getEffect());
      if (!effect.getValue() ||
          (!isRead && !isa<MemoryEffects::Write>(effect.getEffect())))
        continue;
      StringRef name = findLoweredOp(op.getLoc());
      if (!name.empty())
        step.ops.insert(name);
      addBuffer(step, effect.getValue(), isRead, isPanels, name);
    }
  });
}

ArrayAttr StepTable::getAttribute(Builder &b) const {
  SmallVector<Attribute> list;
  for (const Step &step : steps) {
    NamedAttrList entry;
    entry.append("ops", b.getStrArrayAttr(step.ops.getArrayRef()));
    entry.append("matrices", b.getStrArrayAttr(step.matrices.getArrayRef()));
    entry.append("tables", b.getStrArrayAttr(step.tables.getArrayRef()));
    entry.append("rows", b.getStringAttr(step.rows));
    if (step.readsCache)
      entry.append("cache", b.getUnitAttr());
    list.push_back(entry.getDictionary(b.getContext()));
  }
  return b.getArrayAttr(list);
}
