//===- LlamaTypes.cpp - Types of the Llama dialect ------------------------===//

#include "dialects/Llama/IR/LlamaTypes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::llama;

/// Nothing, or `, minimum`.
static ParseResult parseMinimum(AsmParser &parser, bool &minimum) {
  minimum = succeeded(parser.parseOptionalComma());
  return minimum ? parser.parseKeyword("minimum") : success();
}

static void printMinimum(AsmPrinter &printer, bool minimum) {
  if (minimum)
    printer << ", minimum";
}

#define GET_TYPEDEF_CLASSES
#include "dialects/Llama/IR/LlamaTypes.cpp.inc"

void LlamaDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/Llama/IR/LlamaTypes.cpp.inc"
      >();
}

LogicalResult
QuantizedType::verify(function_ref<InFlightDiagnostic()> emitError,
                      unsigned bits, unsigned group, bool) {
  if (bits != 4 && bits != 8) // (C1)
    return emitError() << "expected 4 or 8 bits, found " << bits;
  if (!llvm::is_contained(llamaabi::kGroupSizes, static_cast<int>(group)))
    return emitError() << "expected a group of 32, 64, 128 or 256, found "
                       << group; // (C2)
  return success();
}

bool llama::isElementType(Type type) {
  return type.isF32() || type.isF16() || type.isBF16() ||
         isa<QuantizedType>(type);
}

ElementFormat llama::getElementFormat(Type type) {
  using llamaabi::ElementKind;
  if (auto quantized = dyn_cast<QuantizedType>(type))
    return ElementFormat::getInteger(static_cast<int>(quantized.getBits()),
                                     static_cast<int>(quantized.getGroup()),
                                     quantized.hasMinimum());
  if (type.isF16())
    return ElementFormat::getFloat(ElementKind::F16);
  return ElementFormat::getFloat(type.isBF16() ? ElementKind::BF16
                                               : ElementKind::F32);
}
