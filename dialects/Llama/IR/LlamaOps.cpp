//===- LlamaOps.cpp - Verifiers of the Llama dialect ----------------------===//
//
// Each (Cn) is the constraint of that number in the op's description.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/TypeUtilities.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <set>

using namespace mlir;
using namespace mlir::llama;

#define GET_OP_CLASSES
#include "dialects/Llama/IR/LlamaOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Questions that several verifiers ask
//===----------------------------------------------------------------------===//

static int64_t getColumns(Type type) {
  return cast<RankedTensorType>(type).getDimSize(1);
}

static int64_t getMatrixRows(Type type) {
  return cast<RankedTensorType>(type).getDimSize(0);
}

/// `what` has `found` of something that should number `expected`, as the
/// columns of `reference` do.
static LogicalResult expectSize(Operation *op, StringRef what, int64_t found,
                                StringRef reference, int64_t expected) {
  if (found == expected)
    return success();
  return op->emitOpError() << what << " is " << found << " but " << reference
                           << " is " << expected;
}

static LogicalResult verifyMatrixRank(Operation *op, StringRef name,
                                      Type type) {
  int64_t rank = cast<RankedTensorType>(type).getRank();
  if (rank == 2)
    return success();
  return op->emitOpError() << name << " must be a matrix, found rank " << rank;
}

static LogicalResult verifyProduct(Operation *op, StringRef name, Type weight,
                                   Type input) {
  if (failed(verifyMatrixRank(op, name, weight)))
    return failure();
  return expectSize(op, (name + "'s number of columns").str(),
                    getColumns(weight), "the input's", getColumns(input));
}

static LogicalResult verifyNorm(Operation *op, Type weight, const APFloat &eps,
                                Type stream, Type result) {
  if (failed(expectSize(op, "weight's number of elements", // (C1)
                        cast<RankedTensorType>(weight).getDimSize(0),
                        "the number of columns", getColumns(stream))))
    return failure();
  if (!(eps.convertToDouble() > 0.0)) // (C2); NaN is not
    return op->emitOpError("eps must be greater than zero, found ")
           << eps.convertToDouble();
  return expectSize(op, "the result's number of columns", getColumns(result),
                    "the input's", getColumns(stream)); // (C3)
}

static LogicalResult verifyCacheBlock(Operation *op, MemRefType cache) {
  if (cache.getDimSize(2) == 2 && cache.getDimSize(4) == kCacheBlock &&
      CacheShape(cache).layers > 0 && CacheShape(cache).kvHeads > 0 &&
      CacheShape(cache).headDim > 0)
    return success();
  return op->emitOpError("cache must be [blocks, layers, 2, kvHeads, ")
         << kCacheBlock << ", headDim"
         << (CacheShape(cache).hasScales ? " + 2" : "") << "], found " << cache;
}

static LogicalResult verifyHeads(Operation *op, StringRef name, int64_t columns,
                                 MemRefType cache) {
  CacheShape shape(cache);
  int64_t group = shape.kvHeads * shape.headDim;
  if (columns % group == 0)
    return success();
  return op->emitOpError() << name << " has " << columns
                           << " columns, not a multiple of " << shape.kvHeads
                           << " KV heads of " << shape.headDim;
}

static LogicalResult verifyKeyValueColumns(Operation *op, StringRef name,
                                           int64_t columns, MemRefType cache) {
  CacheShape shape(cache);
  if (columns == shape.kvHeads * shape.headDim)
    return success();
  return op->emitOpError() << name << " is " << columns
                           << " wide but the cache has " << shape.kvHeads
                           << " KV heads of " << shape.headDim;
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

RankedTensorType WeightOp::getElementTensorType() {
  auto type = cast<RankedTensorType>(getType());
  if (!getLayered())
    return type;
  return RankedTensorType::get(type.getShape().drop_front(),
                               type.getElementType());
}

int64_t WeightOp::getLayerCount() {
  return getLayered() ? cast<RankedTensorType>(getType()).getDimSize(0) : 1;
}

std::string llama::getLayerTensorName(StringRef symbol, int64_t layer) {
  assert(symbol.starts_with("layers.") && "not the symbol of a layered weight");
  return llvm::formatv("layers.{0}.{1}", layer,
                       symbol.drop_front(strlen("layers.")));
}

std::string WeightOp::getTensorName(int64_t layer) {
  return getLayered() ? getLayerTensorName(getSymName(), layer)
                      : getSymName().str();
}

llamaabi::TensorLayout WeightOp::getTensorLayout() {
  auto layout = llamaabi::parseTensorLayout(getLayout().value_or("rows"));
  assert(layout && "verified");
  return *layout;
}

int64_t WeightOp::getTensorBytes() {
  RankedTensorType type = getElementTensorType();
  int64_t columns = type.getShape().back();
  return llamaabi::getTensorBytes(getTensorLayout(),
                                  getElementFormat(type.getElementType()),
                                  type.getNumElements() / columns, columns);
}

MemRefType WeightOp::getStoredType() {
  RankedTensorType type = getElementTensorType();
  if (!isInPanels())
    return MemRefType::get(type.getShape(), type.getElementType());
  int64_t panels = llamaabi::PanelLayout::getPanels(type.getDimSize(0));
  return MemRefType::get({panels, getTensorBytes() / panels},
                         IntegerType::get(getContext(), 8));
}

LogicalResult WeightOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  if (!type.hasStaticShape()) // (C1)
    return emitOpError("must have a static shape, found ") << type;
  if (getLayered() && type.getRank() < 2) // (C2)
    return emitOpError("is layered but has ")
           << type.getRank() << " dimensions, expected at least 2";
  if (getRotated() && !isa<QuantizedType>(type.getElementType())) // (C3)
    return emitOpError("is rotated, expected a quantized matrix, found ")
           << type;
  auto layout = llamaabi::parseTensorLayout(getLayout().value_or("rows"));
  if (!layout) // (C4)
    return emitOpError("has layout '")
           << *getLayout() << "', expected 'rows' or 'panels16'";
  if (isInPanels() && (getElementTensorType().getRank() != 2 ||
                       !isElementType(type.getElementType()))) // (C4)
    return emitOpError("is in panels, expected a matrix, found ") << type;
  if (getOffset() && static_cast<int64_t>(*getOffset()) < 0) // (C5)
    return emitOpError("is at ")
           << static_cast<int64_t>(*getOffset())
           << ", expected a place in the block of weights";
  return success();
}

LogicalResult
GetWeightOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  auto weight =
      symbolTable.lookupNearestSymbolFrom<WeightOp>(*this, getNameAttr());
  if (!weight) // (C1)
    return emitOpError("'") << getName() << "' is not a llama.weight";
  if (weight.getLayered() != bool(getLayer())) // (C2)
    return emitOpError("'")
           << getName() << "' is " << (weight.getLayered() ? "" : "not ")
           << "layered but there is " << (getLayer() ? "a" : "no")
           << " layer number";
  RankedTensorType expected = weight.getElementTensorType();
  if (getType() != expected) // (C3)
    return emitOpError("result is ")
           << getType() << " but '" << getName() << "' is " << expected;
  return success();
}

//===----------------------------------------------------------------------===//
// The boxes
//===----------------------------------------------------------------------===//

LogicalResult EmbedOp::verify() {
  if (failed(verifyMatrixRank(*this, "table", getTable().getType())))
    return failure();
  auto type = dyn_cast<QuantizedType>(getElementTypeOrSelf(getTable()));
  if (type && type.getBits() != 8) // (C2)
    return emitOpError("expected a table of 8 bits, found ") << type;
  return expectSize(*this, "the result's number of columns", // (C1)
                    getColumns(getType()), "the table's",
                    getColumns(getTable().getType()));
}

LogicalResult RMSNormOp::verify() {
  return verifyNorm(*this, getWeight().getType(), getEps(),
                    getInput().getType(), getType()); // (C1) (C2) (C3)
}

LogicalResult LinearOp::verify() {
  if (failed(verifyProduct(*this, "weight", getWeight().getType(),
                           getInput().getType()))) // (C1)
    return failure();
  return expectSize(*this, "the result's number of columns", // (C2)
                    getColumns(getType()), "the weight's number of rows",
                    getMatrixRows(getWeight().getType()));
}

LogicalResult RopeAnglesOp::verify() {
  APFloat factor = getFactor();
  if (!factor.isFinite() || factor.isNegative() || factor.isZero()) // (C2)
    return emitOpError("factor must be finite and greater than zero");
  return expectSize(*this, "the results' number of columns", // (C1)
                    getColumns(getCosine().getType()),
                    "the number of frequencies",
                    static_cast<int64_t>(getFrequencies().size()));
}

LogicalResult RopeOp::verify() {
  int64_t headDim = 2 * getColumns(getCosine().getType());
  int64_t columns = getColumns(getType());
  if (columns % headDim != 0) // (C1)
    return emitOpError("input has ")
           << columns << " columns, not a multiple of heads of " << headDim;
  return success();
}

LogicalResult CacheAppendOp::verify() {
  MemRefType cache = getCache().getType();
  if (failed(verifyCacheBlock(*this, cache))) // (C2)
    return failure();
  if (failed(verifyKeyValueColumns(
          *this, "keys", getColumns(getKeys().getType()), cache)) || // (C1)
      failed(verifyKeyValueColumns(*this, "values",
                                   getColumns(getValues().getType()), cache)))
    return failure();
  return success();
}

LogicalResult AttentionScoresOp::verify() {
  MemRefType cache = getCache().getType();
  int64_t columns = getColumns(getQuery().getType());
  if (failed(verifyCacheBlock(*this, cache)) ||            // (C2)
      failed(verifyHeads(*this, "query", columns, cache))) // (C1)
    return failure();
  return expectSize(*this, "the result's number of heads", // (C3)
                    getType().getDimSize(1), "the query's",
                    columns / CacheShape(cache).headDim);
}

LogicalResult AttentionOutputOp::verify() {
  MemRefType cache = getCache().getType();
  if (failed(verifyCacheBlock(*this, cache)) || // (C2)
      failed(verifyHeads(*this, "result", getColumns(getType()), cache)))
    return failure();
  return expectSize(*this, "the result's number of heads", // (C1)
                    getColumns(getType()) / CacheShape(cache).headDim,
                    "the weights'", getWeights().getType().getDimSize(1));
}

LogicalResult MulOp::verify() {
  return expectSize(*this, "the result's number of columns", // (C1)
                    getColumns(getType()), "the operands'",
                    getColumns(getLhs().getType()));
}

LogicalResult HadamardOp::verify() {
  int64_t columns = getColumns(getInput().getType());
  if (llvm::isPowerOf2_64(columns)) // (C1)
    return success();
  return emitOpError("expected a power of two of columns, found ") << columns;
}

LogicalResult LogitsOp::verify() {
  if (failed(verifyProduct(*this, "weight", getWeight().getType(),
                           getInput().getType()))) // (C1)
    return failure();
  return expectSize(*this, "the result's number of columns", // (C2)
                    getColumns(getType()), "the weight's number of rows",
                    getMatrixRows(getWeight().getType()));
}

LogicalResult ScatterLogitsOp::verify() {
  ArrayRef<int32_t> tokens = getTokens();
  if (failed(expectSize(*this, "the number of tokens", // (C1)
                        static_cast<int64_t>(tokens.size()),
                        "the input's number of columns",
                        getColumns(getInput().getType()))))
    return failure();
  int64_t columns = getColumns(getType());
  std::set<int32_t> seen;
  for (int32_t token : tokens) { // (C2)
    if (token < 0 || token >= columns)
      return emitOpError("token ")
             << token << " is not a column of the result, which has "
             << columns;
    if (!seen.insert(token).second)
      return emitOpError("token ") << token << " is there twice";
  }
  return success();
}

//===----------------------------------------------------------------------===//
// The groups
//===----------------------------------------------------------------------===//

LogicalResult QKVRopeAppendOp::verify() {
  MemRefType cache = getCache().getType();
  Type input = getInput().getType();
  if (failed(verifyCacheBlock(*this, cache))) // (C5)
    return failure();
  if (failed(verifyProduct(*this, "query_weight", getQueryWeight().getType(),
                           input)) || // (C1)
      failed(verifyProduct(*this, "key_weight", getKeyWeight().getType(),
                           input)) ||
      failed(verifyProduct(*this, "value_weight", getValueWeight().getType(),
                           input)))
    return failure();
  if (failed(verifyKeyValueColumns(*this, "key_weight",
                                   getMatrixRows(getKeyWeight().getType()),
                                   cache)) || // (C2)
      failed(verifyKeyValueColumns(*this, "value_weight",
                                   getMatrixRows(getValueWeight().getType()),
                                   cache)))
    return failure();
  int64_t columns = getColumns(getQuery().getType());
  if (failed(verifyHeads(*this, "query", columns, cache)) || // (C3)
      failed(expectSize(*this, "the result's number of columns", columns,
                        "the query weight's number of rows",
                        getMatrixRows(getQueryWeight().getType()))))
    return failure();
  return expectSize(*this, "twice the number of angles", // (C4)
                    2 * getColumns(getCosine().getType()), "a head",
                    CacheShape(cache).headDim);
}

LogicalResult RecordScoresOp::verify() {
  MemRefType cache = getCache().getType();
  int64_t columns = getColumns(getQuery().getType());
  if (failed(verifyCacheBlock(*this, cache)) ||            // (C2)
      failed(verifyHeads(*this, "query", columns, cache))) // (C1)
    return failure();
  return expectSize(*this, "the buffer's number of heads", // (C3)
                    getInto().getType().getDimSize(1), "the query's",
                    columns / CacheShape(cache).headDim);
}

LogicalResult FusedAttentionOp::verify() {
  MemRefType cache = getCache().getType();
  int64_t columns = getColumns(getQuery().getType());
  if (failed(verifyCacheBlock(*this, cache)) ||            // (C2)
      failed(verifyHeads(*this, "query", columns, cache))) // (C1)
    return failure();
  return expectSize(*this, "the result's number of columns", // (C3)
                    getColumns(getType()), "the query's", columns);
}

LogicalResult SwiGLUOp::verify() {
  if (failed(verifyProduct(*this, "gate_weight", getGateWeight().getType(),
                           getInput().getType()))) // (C1)
    return failure();
  return expectSize(*this, "the result's number of columns", // (C2)
                    getColumns(getType()), "the weights' number of rows",
                    getMatrixRows(getGateWeight().getType()));
}

LogicalResult AddRMSNormOp::verify() {
  return verifyNorm(*this, getWeight().getType(), getEps(),
                    getStream().getType(),
                    getNormed().getType()); // (C1) (C2) (C3)
}
