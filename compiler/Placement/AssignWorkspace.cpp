//===- AssignWorkspace.cpp - One workspace for all buffers ----------------===//
//
//   %a = memref.alloc(%rows) : memref<?x64xf32>    =>  memref.view %workspace[0]
//   %b = memref.alloc(%rows) : memref<?x64xbf16>   =>  memref.view %workspace[rows * 256]
//   in scf.forall: memref.alloc() : memref<8xf32>  =>  memref.alloca
//
// Rows of a buffer of which many are read side by side, as kernel.matmul does,
// lie a cache line further apart than they are long where their length is a
// multiple of 1 KB. Else they would all want the same few places of a cache.
//
// A callee's buffers lie after the caller's. Sizes are linear in the numbers
// of rows, so that @workspace_bytes can tell the sum without running anything.
//
//===----------------------------------------------------------------------===//

#include "compiler/Placement/CallArguments.h"
#include "compiler/Placement/Passes.h"
#include "dialects/Kernel/IR/KernelOps.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include "llvm/Support/MathExtras.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMAASSIGNWORKSPACEPASS
#include "compiler/Placement/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

namespace {

// Every buffer begins on a cache line, so that no line is written by the
// threads of two loops.
constexpr int64_t kLine = 64;

/// One shared buffer: `rowBytes` bytes for each row of a kind.
struct Buffer {
  memref::AllocOp op;
  StringRef rows;      ///< "rows" or "logit_rows", empty if the size is static
  int64_t rowBytes;    ///< from one row to the next
  BlockArgument sized; ///< the argument with as many rows
};

struct LlamaAssignWorkspace
    : mlir::llama::impl::LlamaAssignWorkspacePassBase<LlamaAssignWorkspace> {
  using Base::Base;

  void runOnOperation() override;

private:
  LogicalResult collect(func::FuncOp function);
  void moveToStack(memref::AllocOp alloc);
  FailureOr<Buffer> describe(memref::AllocOp alloc);
  /// Bytes of `buffer`, a whole number of lines.
  Value getBytes(ImplicitLocOpBuilder &b, const Buffer &buffer, Value rows);
  Value placeBuffers(func::FuncOp function);
  void placeCalls(func::FuncOp function, Value end);
  void buildSize(func::FuncOp entry);
  Value addSizes(ImplicitLocOpBuilder &b, func::FuncOp function, Value rows,
                 Value logitRows, Value begin);

  DenseMap<Operation *, SmallVector<Buffer>> buffers;
};

} // namespace

void LlamaAssignWorkspace::moveToStack(memref::AllocOp alloc) {
  OpBuilder b(alloc);
  Value stack = memref::AllocaOp::create(b, alloc.getLoc(), alloc.getType(),
                                         alloc.getAlignmentAttr());
  alloc.replaceAllUsesWith(stack);
  alloc.erase();
}

/// Whether a product reads the buffer's rows and nobody minds where they lie:
/// a function that is called wants them side by side.
static bool mayLieApart(Value buffer, bool &isOfProduct) {
  return llvm::all_of(buffer.getUsers(), [&](Operation *user) {
    if (auto view = dyn_cast<memref::SubViewOp>(user))
      return mayLieApart(view, isOfProduct);
    if (auto product = dyn_cast<MatmulOp>(user))
      isOfProduct |= product.getRows() == buffer || product.getLow() == buffer;
    return isa<MatmulOp, memref::DimOp, memref::LoadOp, memref::StoreOp,
               vector::TransferReadOp, vector::TransferWriteOp>(user);
  });
}

/// Bytes from one row to the next of a buffer whose rows have `bytes`.
static int64_t getPitch(memref::AllocOp alloc, int64_t bytes) {
  MemRefType type = alloc.getType();
  bool isOfProduct = false;
  if (type.getRank() == 2 && type.isDynamicDim(0) && bytes % 1024 == 0 &&
      mayLieApart(alloc, isOfProduct) && isOfProduct)
    return bytes + kLine;
  return bytes;
}

/// Gives `value` to all who use `old`, and views of it the types that follow.
static void replaceAndRetype(Value old, Value value) {
  for (OpOperand &use : llvm::make_early_inc_range(old.getUses())) {
    use.set(value);
    auto view = dyn_cast<memref::SubViewOp>(use.getOwner());
    if (!view)
      continue;
    OpBuilder b(view);
    auto type = memref::SubViewOp::inferRankReducedResultType(
        view.getType().getShape(), cast<MemRefType>(value.getType()),
        view.getMixedOffsets(), view.getMixedSizes(), view.getMixedStrides());
    auto renewed = memref::SubViewOp::create(
        b, view.getLoc(), type, value, view.getMixedOffsets(),
        view.getMixedSizes(), view.getMixedStrides());
    replaceAndRetype(view, renewed);
    view.erase();
  }
}

FailureOr<Buffer> LlamaAssignWorkspace::describe(memref::AllocOp alloc) {
  MemRefType type = alloc.getType();
  int64_t bytes = type.getElementTypeBitWidth() / 8;
  for (int64_t dim : type.getShape())
    if (!ShapedType::isDynamic(dim))
      bytes *= dim;
  bytes = getPitch(alloc, bytes);
  if (type.hasStaticShape())
    return Buffer{alloc, "", bytes, nullptr};
  if (alloc.getDynamicSizes().size() == 1) {
    Value size = alloc.getDynamicSizes()[0];
    if (StringRef kind = findSizeKind(size); !kind.empty())
      return Buffer{alloc, kind, bytes, findSizedArgument(size)};
  }
  return alloc.emitOpError("expected a number of rows as its size");
}

LogicalResult LlamaAssignWorkspace::collect(func::FuncOp function) {
  SmallVector<memref::AllocOp> allocs;
  function.walk([&](memref::AllocOp alloc) { allocs.push_back(alloc); });
  for (memref::AllocOp alloc : allocs) {
    bool isPrivate = alloc->getParentOfType<scf::ForallOp>() != nullptr;
    if (isPrivate && !alloc.getType().hasStaticShape())
      return alloc.emitOpError("in a parallel loop must be of static size");
    if (isPrivate) {
      moveToStack(alloc);
      continue;
    }
    FailureOr<Buffer> buffer = describe(alloc);
    if (failed(buffer))
      return failure();
    buffers[function].push_back(*buffer);
  }
  return success();
}

Value LlamaAssignWorkspace::getBytes(ImplicitLocOpBuilder &b,
                                     const Buffer &buffer, Value rows) {
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, value);
  };
  if (buffer.rows.empty())
    return constant(llvm::alignTo(buffer.rowBytes, kLine));
  if (buffer.rowBytes % kLine == 0)
    return arith::MulIOp::create(b, rows, constant(buffer.rowBytes));
  Value bytes = arith::MulIOp::create(b, rows, constant(buffer.rowBytes));
  Value padded = arith::AddIOp::create(b, bytes, constant(kLine - 1));
  Value lines = arith::DivUIOp::create(b, padded, constant(kLine));
  return arith::MulIOp::create(b, lines, constant(kLine));
}

/// The buffer from byte `begin` of the workspace on.
static Value createView(ImplicitLocOpBuilder &b, const Buffer &buffer,
                        Value workspace, Value begin, Value rows) {
  memref::AllocOp op = buffer.op;
  MemRefType type = op.getType();
  int64_t pitch = buffer.rowBytes * 8 / type.getElementTypeBitWidth();
  if (!rows || type.getRank() != 2 || pitch == type.getDimSize(1))
    return memref::ViewOp::create(b, type, workspace, begin,
                                  rows ? ValueRange{rows} : ValueRange{});
  auto apart =
      MemRefType::get({ShapedType::kDynamic, pitch}, type.getElementType());
  Value all =
      memref::ViewOp::create(b, apart, workspace, begin, ValueRange{rows});
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  return memref::SubViewOp::create(
      b, all, ArrayRef<OpFoldResult>{zero, zero},
      ArrayRef<OpFoldResult>{rows, b.getIndexAttr(type.getDimSize(1))},
      ArrayRef<OpFoldResult>{one, one});
}

/// Replaces the buffers of `function` by views, from its argument on, and
/// returns where they end.
Value LlamaAssignWorkspace::placeBuffers(func::FuncOp function) {
  Value workspace = findArgument(function, "workspace");
  Value end = findArgument(function, "workspace_begin");
  ImplicitLocOpBuilder b(function.getLoc(), function.getContext());
  b.setInsertionPointToStart(&function.getBody().front());
  for (const Buffer &buffer : buffers[function]) {
    memref::AllocOp op = buffer.op;
    // The size is known wherever its argument is: at the start.
    Value rows;
    if (buffer.sized)
      rows = memref::DimOp::create(b, buffer.sized, 0);
    Value view = createView(b, buffer, workspace, end, rows);
    end = arith::AddIOp::create(b, end, getBytes(b, buffer, rows));
    replaceAndRetype(op, view);
    op.erase();
  }
  return end;
}

void LlamaAssignWorkspace::placeCalls(func::FuncOp function, Value end) {
  function.walk([&](func::CallOp call) {
    auto callee = getOperation().lookupSymbol<func::FuncOp>(call.getCallee());
    if (callee.isExternal())
      return;
    BlockArgument begin = findArgument(callee, "workspace_begin");
    call->setOperand(begin.getArgNumber(), end);
  });
}

Value LlamaAssignWorkspace::addSizes(ImplicitLocOpBuilder &b,
                                     func::FuncOp function, Value rows,
                                     Value logitRows, Value begin) {
  Value end = begin;
  for (const Buffer &buffer : buffers[function])
    end = arith::AddIOp::create(
        b, end,
        getBytes(b, buffer, buffer.rows == "logit_rows" ? logitRows : rows));
  Value most = end;
  function.walk([&](func::CallOp call) {
    auto callee = getOperation().lookupSymbol<func::FuncOp>(call.getCallee());
    if (!callee.isExternal())
      most = arith::MaxUIOp::create(b, most,
                                    addSizes(b, callee, rows, logitRows, end));
  });
  return most;
}

void LlamaAssignWorkspace::buildSize(func::FuncOp entry) {
  ImplicitLocOpBuilder b(entry.getLoc(), &getContext());
  b.setInsertionPointToEnd(getOperation().getBody());
  auto function = func::FuncOp::create(
      b, "workspace_bytes",
      b.getFunctionType({b.getIndexType(), b.getIndexType()},
                        {b.getIndexType()}));
  b.setInsertionPointToStart(function.addEntryBlock());
  Value zero = arith::ConstantIndexOp::create(b, 0);
  func::ReturnOp::create(b, addSizes(b, entry, function.getArgument(0),
                                     function.getArgument(1), zero));
}

void LlamaAssignWorkspace::runOnOperation() {
  buffers.clear();
  ModuleOp module = getOperation();
  auto entry = module.lookupSymbol<func::FuncOp>("forward");
  if (!entry) {
    module.emitOpError("has no function @forward");
    return signalPassFailure();
  }
  SmallVector<func::FuncOp> functions(module.getOps<func::FuncOp>());
  for (func::FuncOp function : functions)
    if (failed(collect(function)))
      return signalPassFailure();
  buildSize(entry);
  for (func::FuncOp function : functions)
    if (!function.isExternal())
      placeCalls(function, placeBuffers(function));
}
