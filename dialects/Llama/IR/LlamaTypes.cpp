//===- LlamaTypes.cpp - Types of the Llama dialect ------------------------===//

#include "dialects/Llama/IR/LlamaTypes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"

#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

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
  if (group != 32 && group != 64 && group != 128 && group != 256) // (C2)
    return emitError() << "expected a group of 32, 64, 128 or 256, found "
                       << group;
  return success();
}

int64_t QuantizedType::getPaddedColumns(int64_t columns) const {
  // Both are powers of two: the larger is a multiple of the other.
  int64_t unit = std::max<int64_t>(getVectorElements(), getGroup());
  return llvm::alignTo(columns, unit);
}

int64_t QuantizedType::getRowBytes(int64_t columns) const {
  return getPaddedColumns(columns) * getBits() / 8;
}

int64_t QuantizedType::getRowScales(int64_t columns) const {
  return getPaddedColumns(columns) / getGroup();
}

int64_t QuantizedType::getMatrixBytes(int64_t rows, int64_t columns) const {
  int64_t groupBytes = hasMinimum() ? 4 : 2;
  return rows * (getRowBytes(columns) + groupBytes * getRowScales(columns));
}
