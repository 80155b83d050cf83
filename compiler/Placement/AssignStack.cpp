//===- AssignStack.cpp - Buffers of one thread to its stack ---------------===//
//
//   loop { memref.alloca() : memref<8xf32> }     =>  memref.alloca, at the start
//
//   loop { memref.alloca() : memref<32x32xf32> } =>  memref.view %stack
//   loop { memref.alloca() : memref<16x64xf32> } =>  memref.view %stack
//
// A buffer lives from its op to the last use in the op's block. Large ones, as
// those of AMX, share places where no two of them live at once; so a thread needs as much
// stack as its hungriest loop, not as all of them. Small ones keep a place of
// their own: many of them become registers.
//
//===----------------------------------------------------------------------===//

#include "compiler/Placement/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Builders.h"

#include "llvm/ADT/STLExtras.h"

namespace mlir::llama {
#define GEN_PASS_DEF_LLAMAASSIGNSTACKPASS
#include "compiler/Placement/Passes.h.inc"
} // namespace mlir::llama

using namespace mlir;
using namespace mlir::llama;
using memref::AllocaOp;

// Bytes; no buffer of a kernel of registers is larger.
static constexpr int64_t kLargestSmall = 1024;

static int64_t getBytes(AllocaOp buffer) {
  MemRefType type = buffer.getType();
  return type.getNumElements() * type.getElementTypeBitWidth() / 8;
}

/// The op of the buffer's own block that uses it last, itself or in a region; the
/// block's end if that is not plain.
static Operation *findLastUse(AllocaOp buffer) {
  Block *block = buffer->getBlock();
  Operation *last = buffer;
  SmallVector<Value> names = {buffer.getResult()}; // it, and views of it
  while (!names.empty()) {
    Value name = names.pop_back_val();
    for (Operation *user : name.getUsers()) {
      if (user->hasTrait<OpTrait::IsTerminator>())
        return block->getTerminator();
      Operation *around = block->findAncestorOpInBlock(*user);
      if (last->isBeforeInBlock(around))
        last = around;
      for (Value result : user->getResults())
        if (isa<BaseMemRefType>(result.getType()))
          names.push_back(result);
    }
  }
  return last;
}

/// Whether `inner` begins while `outer` lives.
static bool livesWithin(AllocaOp inner, AllocaOp outer) {
  Operation *around = outer->getBlock()->findAncestorOpInBlock(*inner);
  return around && outer->isBeforeInBlock(around) &&
         !findLastUse(outer)->isBeforeInBlock(around);
}

static bool liveAtOnce(AllocaOp a, AllocaOp b) {
  return livesWithin(a, b) || livesWithin(b, a);
}

namespace {

/// Buffers of which no two live at once, the largest first.
using Place = SmallVector<AllocaOp>;

struct LlamaAssignStack
    : mlir::llama::impl::LlamaAssignStackPassBase<LlamaAssignStack> {
  using Base::Base;

  void runOnOperation() override;
};

} // namespace

static SmallVector<Place> choosePlaces(ArrayRef<AllocaOp> buffers) {
  SmallVector<std::pair<int64_t, size_t>> order; // equal ones as they come
  for (auto [i, buffer] : llvm::enumerate(buffers))
    order.emplace_back(-getBytes(buffer), i);
  llvm::sort(order);
  SmallVector<Place> places;
  for (auto [_, number] : order) {
    AllocaOp buffer = buffers[number];
    auto *place = llvm::find_if(places, [&](const Place &candidate) {
      return llvm::none_of(
          candidate, [&](AllocaOp other) { return liveAtOnce(buffer, other); });
    });
    if (place == places.end())
      place = &places.emplace_back();
    place->push_back(buffer);
  }
  return places;
}

static void sharePlace(const Place &place, OpBuilder start) {
  AllocaOp largest = place.front();
  auto bytes = MemRefType::get(getBytes(largest), start.getI8Type());
  Value stack = AllocaOp::create(start, largest.getLoc(), bytes,
                                 largest.getAlignmentAttr());
  for (AllocaOp buffer : place) {
    OpBuilder b(buffer);
    Value zero = arith::ConstantIndexOp::create(b, buffer.getLoc(), 0);
    Value view = memref::ViewOp::create(b, buffer.getLoc(), buffer.getType(),
                                        stack, zero, ValueRange{});
    buffer.replaceAllUsesWith(view);
    buffer.erase();
  }
}

void LlamaAssignStack::runOnOperation() {
  SmallVector<AllocaOp> small, large;
  getOperation().walk([&](AllocaOp buffer) {
    (getBytes(buffer) > kLargestSmall ? large : small).push_back(buffer);
  });
  if (getOperation().isExternal())
    return;
  Block &entry = getOperation().getBody().front();
  for (AllocaOp buffer : small)
    buffer->moveBefore(&entry, entry.begin());
  for (const Place &place : choosePlaces(large))
    sharePlace(place, OpBuilder::atBlockBegin(&entry));
}
