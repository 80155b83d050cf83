//===- LlamaLocations.cpp - What lowered ops stem from --------------------===//

#include "dialects/Llama/IR/LlamaLocations.h"

#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;

static constexpr StringLiteral kOp = "op", kWeight = "weight";

static Location addField(Location loc, StringRef name, StringRef value) {
  MLIRContext *context = loc.getContext();
  NamedAttribute field(StringAttr::get(context, name),
                       StringAttr::get(context, value));
  return FusedLoc::get({loc}, DictionaryAttr::get(context, field), context);
}

/// The outermost of the fields of that name.
static StringRef findField(Location loc, StringRef name) {
  if (auto named = dyn_cast<NameLoc>(loc))
    return findField(named.getChildLoc(), name);
  auto fused = dyn_cast<FusedLoc>(loc);
  if (!fused)
    return "";
  if (auto fields = dyn_cast_or_null<DictionaryAttr>(fused.getMetadata()))
    if (auto value = fields.getAs<StringAttr>(name))
      return value.getValue();
  for (Location part : fused.getLocations())
    if (StringRef value = findField(part, name); !value.empty())
      return value;
  return "";
}

Location llama::getLoweredLocation(Operation *op) {
  return addField(op->getLoc(), kOp, op->getName().stripDialect());
}

StringRef llama::findLoweredOp(Location loc) { return findField(loc, kOp); }

Location llama::getProductLocation(Location loc, StringRef weight) {
  return addField(loc, kWeight, weight);
}

StringRef llama::findProductWeight(Location loc) {
  return findField(loc, kWeight);
}
