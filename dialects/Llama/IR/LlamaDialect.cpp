//===- LlamaDialect.cpp - Registration of the dialect ---------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"

#include "dialects/Llama/IR/LlamaAttributes.h"
#include "dialects/Llama/IR/LlamaOps.h"
#include "dialects/Llama/IR/LlamaTypes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;
using namespace mlir::llama;

#include "dialects/Llama/IR/LlamaDialect.cpp.inc"

void LlamaDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Llama/IR/LlamaOps.cpp.inc"
      >();
  registerTypes();
}

//===----------------------------------------------------------------------===//
// Discardable attributes
//===----------------------------------------------------------------------===//

namespace {

/// One of LlamaAttributes.h: on a module, or on an argument of a function.
struct KnownAttribute {
  StringLiteral name, expected;
  bool (*isValid)(Attribute);
};

} // namespace

template <typename Kind>
static bool isOf(Attribute attribute) {
  return isa<Kind>(attribute);
}

static bool isPositive(Attribute attribute) {
  auto number = dyn_cast<IntegerAttr>(attribute);
  return number && number.getType().isInteger(64) && number.getInt() > 0;
}

static bool isByteCount(Attribute attribute) {
  auto number = dyn_cast<IntegerAttr>(attribute);
  return number && number.getType().isInteger(64) && number.getInt() >= 0;
}

static bool isTarget(Attribute attribute) {
  auto target = dyn_cast<DictionaryAttr>(attribute);
  return target && target.getAs<StringAttr>("triple") &&
         target.getAs<StringAttr>("cpu") &&
         target.getAs<StringAttr>("features");
}

static const KnownAttribute kOfModules[] = {
    {kModelAttr, "a string", isOf<StringAttr>},
    {kStageAttr, "a string", isOf<StringAttr>},
    {kActivationsAttr, "a type", isOf<TypeAttr>},
    {kCacheTypeAttr, "a type", isOf<TypeAttr>},
    {kRowBitsAttr, "a positive i64", isPositive},
    {kMaxSeqLenAttr, "a positive i64", isPositive},
    {kWeightsBytesAttr, "an i64 of at least 0", isByteCount},
    {kTargetAttr, "strings 'triple', 'cpu' and 'features'", isTarget},
    {kRowsAlikeAttr, "a unit", isOf<UnitAttr>},
};

static const KnownAttribute kOfArguments[] = {
    {kArgumentAttr, "a string", isOf<StringAttr>},
    {kRowCountAttr, "'rows' or 'logit_rows'",
     [](Attribute attribute) {
       auto kind = dyn_cast<StringAttr>(attribute);
       return kind && (kind == "rows" || kind == "logit_rows");
     }},
};

static LogicalResult verifyKnown(Operation *op, NamedAttribute attribute,
                                 ArrayRef<KnownAttribute> known) {
  for (const KnownAttribute &candidate : known) {
    if (attribute.getName() != candidate.name)
      continue;
    if (candidate.isValid(attribute.getValue()))
      return success();
    return op->emitError() << "attribute '" << candidate.name << "' is "
                           << attribute.getValue() << ", expected "
                           << candidate.expected;
  }
  return op->emitError() << "attribute '" << attribute.getName().getValue()
                         << "' is not one of the llama dialect's here";
}

LogicalResult LlamaDialect::verifyOperationAttribute(Operation *op,
                                                     NamedAttribute attribute) {
  return verifyKnown(op, attribute,
                     isa<ModuleOp>(op) ? ArrayRef<KnownAttribute>(kOfModules)
                                       : ArrayRef<KnownAttribute>());
}

LogicalResult LlamaDialect::verifyRegionArgAttribute(Operation *op, unsigned,
                                                     unsigned,
                                                     NamedAttribute attribute) {
  return verifyKnown(op, attribute, kOfArguments);
}

/// Results have none.
LogicalResult
LlamaDialect::verifyRegionResultAttribute(Operation *op, unsigned, unsigned,
                                          NamedAttribute attribute) {
  return verifyKnown(op, attribute, {});
}
