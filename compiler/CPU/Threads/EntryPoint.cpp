//===- EntryPoint.cpp - The functions that the runtime calls --------------===//
//
//   @forward(%tokens: memref<?xi32>, ...)
//
//   =>  and @llama_forward(%call)
//
// Each argument of @forward carries the name of its field of llama_call
// (runtime/abi/LlamaCall.def); a memref is made of the field's pointer and of
// the fields that have its sizes. Barriers get numbers, and the module the list
// of their phases.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Passes.h"
#include "compiler/Placement/CallArguments.h"
#include "dialects/Kernel/IR/KernelOps.h"
#include "runtime/abi/LlamaABI.h"

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <cstddef>

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMACPUENTRYPOINTPASS
#include "compiler/CPU/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;

namespace {

constexpr int64_t kNone = -1;
constexpr StringLiteral kBarrier = "llama_barrier";
constexpr StringLiteral kTakeShare = "llama_take_share";

/// Where an argument of @forward comes from: a pointer, and for each dynamic
/// dimension the field that has its size (kNone: unknown and never asked).
struct Field {
  StringRef name;
  int64_t offset;
  SmallVector<int64_t> sizes;
};

#define FIELD(name) static_cast<int64_t>(offsetof(llama_call, name))

const Field kArrays[] = {
#define LLAMA_CALL_SIZE(name)
#define LLAMA_CALL_ARRAY(type, name, row_count, size)                          \
  {#name, FIELD(name), {FIELD(size)}},
#define LLAMA_CALL_ARRAY2(type, name, row_count, size0, size1)                 \
  {#name, FIELD(name), {FIELD(size0), FIELD(size1)}},
#define LLAMA_CALL_BYTES(type, name) {#name, FIELD(name), {kNone}},
#define LLAMA_CALL_FIELD(declaration, name)
#include "runtime/abi/LlamaCall.def"
};

const Field kSizes[] = {
#define LLAMA_CALL_SIZE(name) {#name, FIELD(name), {}},
#define LLAMA_CALL_ARRAY(type, name, row_count, size)
#define LLAMA_CALL_ARRAY2(type, name, row_count, size0, size1)
#define LLAMA_CALL_BYTES(type, name)
#define LLAMA_CALL_FIELD(declaration, name)
#include "runtime/abi/LlamaCall.def"
};

class EntryBuilder {
public:
  EntryBuilder(ModuleOp module, func::FuncOp forward)
      : b(forward.getLoc(), module.getContext()), forward(forward),
        pointer(LLVM::LLVMPointerType::get(module.getContext())),
        converter(module.getContext()) {
    b.setInsertionPointToEnd(module.getBody());
  }

  LogicalResult buildForward();
  void buildBarrier();
  void buildTakeShare();

private:
  Value load(Value call, int64_t offset, Type type) {
    Value address = LLVM::GEPOp::create(
        b, pointer, b.getI8Type(), call,
        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offset)});
    return LLVM::LoadOp::create(b, type, address);
  }
  Value loadIndex(Value call, int64_t offset) {
    return load(call, offset, b.getI64Type());
  }
  FailureOr<Value> makeArgument(Value call, unsigned number);
  Value makeMemRef(Value call, const Field &field, MemRefType type);
  Value cast(Value value, Type type) {
    return UnrealizedConversionCastOp::create(b, type, value).getResult(0);
  }

  ImplicitLocOpBuilder b;
  func::FuncOp forward;
  Type pointer;
  LLVMTypeConverter converter;
};

} // namespace

/// A memref descriptor over the field's pointer: row-major, no offset.
Value EntryBuilder::makeMemRef(Value call, const Field &field,
                               MemRefType type) {
  Type descriptorType = converter.convertType(type);
  Value descriptor = LLVM::PoisonOp::create(b, descriptorType);
  auto insert = [&](Value value, ArrayRef<int64_t> position) {
    descriptor = LLVM::InsertValueOp::create(b, descriptor, value, position);
  };
  auto constant = [&](int64_t value) -> Value {
    return LLVM::ConstantOp::create(b, b.getI64Type(),
                                    b.getI64IntegerAttr(value));
  };
  Value data = load(call, field.offset, pointer);
  insert(data, {0});
  insert(data, {1});
  insert(constant(0), {2});
  Value stride = constant(1);
  unsigned dynamic = type.getNumDynamicDims();
  for (int64_t i = type.getRank() - 1; i >= 0; --i) {
    Value size;
    if (!type.isDynamicDim(i))
      size = constant(type.getDimSize(i));
    else if (int64_t offset = field.sizes[--dynamic]; offset != kNone)
      size = loadIndex(call, offset);
    else
      size = constant(std::numeric_limits<int64_t>::max());
    insert(size, {3, i});
    insert(stride, {4, i});
    if (i > 0)
      stride = LLVM::MulOp::create(b, stride, size);
  }
  return cast(descriptor, type);
}

FailureOr<Value> EntryBuilder::makeArgument(Value call, unsigned number) {
  auto name = forward.getArgAttrOfType<StringAttr>(number, kArgumentAttr);
  Type type = forward.getArgument(number).getType();
  if (!name)
    return forward.emitOpError("argument ")
           << number << " has no '" << kArgumentAttr << "'";
  if (name.getValue() == "call")
    return call;
  if (name.getValue() == "workspace_begin")
    return arith::ConstantIndexOp::create(b, 0).getResult();
  for (const Field &field : kSizes)
    if (field.name == name.getValue() && type.isIndex())
      return cast(loadIndex(call, field.offset), type);
  for (const Field &field : kArrays)
    if (field.name == name.getValue()) {
      auto memref = dyn_cast<MemRefType>(type);
      if (!memref || !memref.getLayout().isIdentity() ||
          static_cast<size_t>(memref.getNumDynamicDims()) != field.sizes.size())
        return forward.emitOpError("argument ")
               << number << " is " << type
               << ", expected a row-major memref of " << field.sizes.size()
               << " dynamic sizes for '" << field.name << "'";
      return makeMemRef(call, field, memref);
    }
  return forward.emitOpError("argument ")
         << number << " is named '" << name.getValue()
         << "', which is not a field of llama_call";
}

LogicalResult EntryBuilder::buildForward() {
  OpBuilder::InsertionGuard guard(b);
  auto function = func::FuncOp::create(b, LLAMA_SYMBOL_FORWARD,
                                       b.getFunctionType({pointer}, {}));
  b.setInsertionPointToStart(function.addEntryBlock());
  Value call = function.getArgument(0);
  SmallVector<Value> arguments;
  for (unsigned i = 0; i < forward.getNumArguments(); ++i) {
    FailureOr<Value> argument = makeArgument(call, i);
    if (failed(argument))
      return failure();
    arguments.push_back(*argument);
  }
  func::CallOp::create(b, forward, arguments);
  func::ReturnOp::create(b);
  forward.setPrivate();
  return success();
}

/// @llama_barrier(call, phase, layer) calls the runtime's.
void EntryBuilder::buildBarrier() {
  OpBuilder::InsertionGuard guard(b);
  Type index = b.getIndexType();
  auto function = func::FuncOp::create(
      b, kBarrier, b.getFunctionType({pointer, index, index}, {}));
  function.setPrivate();
  b.setInsertionPointToStart(function.addEntryBlock());
  Value call = function.getArgument(0);
  Value callee = load(call, FIELD(barrier), pointer);
  Value team = load(call, FIELD(team), pointer);
  auto toNumber = [&](unsigned argument) -> Value {
    return arith::IndexCastOp::create(b, b.getI64Type(),
                                      function.getArgument(argument));
  };
  Value phase = toNumber(1), layer = toNumber(2);
  auto type =
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()),
                                  {pointer, b.getI64Type(), b.getI64Type()});
  LLVM::CallOp::create(b, type, ValueRange{callee, team, phase, layer});
  func::ReturnOp::create(b);
}

/// @llama_take_share(call, shares) calls the runtime's.
void EntryBuilder::buildTakeShare() {
  OpBuilder::InsertionGuard guard(b);
  Type index = b.getIndexType(), number = b.getI64Type();
  auto function = func::FuncOp::create(
      b, kTakeShare, b.getFunctionType({pointer, index}, {index}));
  function.setPrivate();
  b.setInsertionPointToStart(function.addEntryBlock());
  Value call = function.getArgument(0);
  Value callee = load(call, FIELD(take_share), pointer);
  Value team = load(call, FIELD(team), pointer);
  Value shares = arith::IndexCastOp::create(b, number, function.getArgument(1));
  auto type = LLVM::LLVMFunctionType::get(number, {pointer, number});
  auto taken = LLVM::CallOp::create(b, type, ValueRange{callee, team, shares});
  func::ReturnOp::create(
      b, ValueRange{arith::IndexCastOp::create(b, index, taken.getResult())});
}

/// Shares to calls.
static void callTakeShare(ModuleOp module) {
  module.walk([](TakeShareOp take) {
    ImplicitLocOpBuilder b(take.getLoc(), take);
    auto function = take->getParentOfType<func::FuncOp>();
    auto call = func::CallOp::create(
        b, kTakeShare, b.getIndexType(),
        ValueRange{findArgument(function, "call"), take.getShares()});
    take.replaceAllUsesWith(call.getResult(0));
    take.erase();
  });
}

/// Barriers to calls, with numbers in the order in which they stand; the phases
/// in that order.
static ArrayAttr numberBarriers(ModuleOp module) {
  SmallVector<BarrierOp> barriers;
  SmallVector<Attribute> phases;
  module.walk([&](BarrierOp barrier) { barriers.push_back(barrier); });
  for (BarrierOp barrier : barriers) {
    ImplicitLocOpBuilder b(barrier.getLoc(), barrier);
    auto function = barrier->getParentOfType<func::FuncOp>();
    Value number = arith::ConstantIndexOp::create(b, phases.size());
    Value layer = barrier.getLayer();
    if (!layer)
      layer = arith::ConstantIndexOp::create(b, -1);
    func::CallOp::create(
        b, kBarrier, TypeRange{},
        ValueRange{findArgument(function, "call"), number, layer});
    phases.push_back(barrier.getPhase());
    barrier.erase();
  }
  return ArrayAttr::get(module.getContext(), phases);
}

namespace {

struct LlamaCPUEntryPoint
    : mlir::llama::impl::LlamaCPUEntryPointPassBase<LlamaCPUEntryPoint> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto forward = module.lookupSymbol<func::FuncOp>("forward");
    auto size = module.lookupSymbol<func::FuncOp>("workspace_bytes");
    if (!forward || !size) {
      module.emitOpError(
          "expected the functions @forward and @workspace_bytes");
      return signalPassFailure();
    }
    module->setAttr(kPhasesAttr, numberBarriers(module));
    callTakeShare(module);
    EntryBuilder builder(module, forward);
    builder.buildBarrier();
    builder.buildTakeShare();
    size.setSymName(LLAMA_SYMBOL_WORKSPACE);
    if (failed(builder.buildForward()))
      signalPassFailure();
  }
};

} // namespace
