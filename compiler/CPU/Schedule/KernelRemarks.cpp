//===- KernelRemarks.cpp - Passes say which kernels they choose -----------===//

#include "compiler/CPU/Schedule/KernelRemarks.h"

#include "dialects/Llama/IR/LlamaAttributes.h"
#include "dialects/Llama/IR/LlamaLocations.h"
#include "dialects/Llama/IR/LlamaTypes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using namespace mlir::llama;
using remark::RemarkOpts;
using remark::detail::InFlightRemark;
using Arg = remark::detail::Remark::Arg;

/// The global that `tensor` is a part of, or null.
static memref::GetGlobalOp findGlobal(Value tensor) {
  while (Operation *op = tensor.getDefiningOp()) {
    if (auto global = dyn_cast<memref::GetGlobalOp>(op))
      return global;
    if (auto view = dyn_cast<ViewLikeOpInterface>(op))
      tensor = view.getViewSource();
    else if (auto toTensor = dyn_cast<bufferization::ToTensorOp>(op))
      tensor = toTensor.getBuffer();
    else
      return nullptr;
  }
  return nullptr;
}

static memref::GetGlobalOp findMatrix(linalg::GenericOp product) {
  for (Value input : product.getDpsInputs())
    if (memref::GetGlobalOp global = findGlobal(input))
      return global;
  return nullptr;
}

void llama::locateProduct(linalg::GenericOp product) {
  if (memref::GetGlobalOp global = findMatrix(product))
    product->setLoc(getProductLocation(product.getLoc(), global.getName()));
}

static RemarkOpts getOptions(Operation *op, StringRef name) {
  auto function = op->getParentOfType<func::FuncOp>();
  return RemarkOpts::name(name)
      .category(kKernelRemarks)
      .function(function ? function.getSymName() : StringRef());
}

static void addSource(InFlightRemark &remark, Operation *op) {
  remark << Arg("Op", findLoweredOp(op->getLoc()))
         << Arg("Weight", findProductWeight(op->getLoc()));
}

InFlightRemark llama::remarkAnalysis(Operation *op, StringRef name) {
  InFlightRemark remark = remark::analysis(op->getLoc(), getOptions(op, name));
  addSource(remark, op);
  return remark;
}

InFlightRemark llama::remarkPassed(Operation *op, StringRef name) {
  InFlightRemark remark = remark::passed(op->getLoc(), getOptions(op, name));
  addSource(remark, op);
  return remark;
}

void llama::remarkMissed(Operation *op, StringRef kernel, const Twine &reason) {
  InFlightRemark remark = remark::missed(op->getLoc(), getOptions(op, kernel));
  addSource(remark, op);
  if (remark)
    remark << Arg("Reason", reason.str());
}

/// The matrix as the model has it: the weight without its layers, or the one
/// that is multiplied.
static SmallVector<int64_t> getMatrixShape(linalg::GenericOp product) {
  SmallVector<int64_t> ranges = product.getStaticLoopRanges();
  if (memref::GetGlobalOp get = findMatrix(product))
    if (auto global = SymbolTable::lookupNearestSymbolFrom<memref::GlobalOp>(
            product, get.getNameAttr())) {
      ShapedType type = global.getType();
      if (auto quantized = global->getAttrOfType<TypeAttr>(kQuantizedAttr))
        type = cast<ShapedType>(quantized.getValue());
      return SmallVector<int64_t>(type.getShape().take_back(2));
    }
  return {ranges[1], ranges[2]};
}

static std::string getTypeName(linalg::GenericOp product) {
  std::string name;
  llvm::raw_string_ostream stream(name);
  if (auto type = product->getAttrOfType<TypeAttr>(kQuantizedAttr)) {
    auto quantized = cast<QuantizedType>(type.getValue());
    stream << "int" << quantized.getBits() << "g" << quantized.getGroup();
  } else {
    stream << getElementTypeOrSelf(product.getDpsInputs()[1].getType());
  }
  return name;
}

void llama::remarkProduct(linalg::GenericOp product, StringRef rows) {
  InFlightRemark remark = remarkAnalysis(product, "product");
  if (!remark)
    return;
  SmallVector<int64_t> shape = getMatrixShape(product);
  remark << Arg("Out", shape[0]) << Arg("In", shape[1])
         << Arg("Padded", product.getStaticLoopRanges()[2])
         << Arg("Type", getTypeName(product)) << Arg("Rows", rows);
}

void llama::remarkTile(linalg::LinalgOp product, StringRef kernel) {
  InFlightRemark remark = remarkPassed(product, kernel);
  if (!remark)
    return;
  SmallVector<int64_t> extents;
  for (auto [extent, kind] : llvm::zip_equal(product.getStaticLoopRanges(),
                                             product.getIteratorTypesArray()))
    if (kind == utils::IteratorType::parallel)
      extents.push_back(extent);
  std::string tile;
  llvm::raw_string_ostream stream(tile);
  llvm::interleave(extents, stream, " x ");
  remark << Arg("Tile", tile);
}
