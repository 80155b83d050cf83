//===- StackNeed.cpp - Stack that compiled functions take -----------------===//

#include "compiler/Output/StackNeed.h"

#include "llvm/IR/DiagnosticHandler.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"

using namespace mlir::llama;

// What a frame has besides: the return address, the frame pointer, and what its
// alignment to 64 bytes leaves empty at both ends.
static constexpr uint64_t kBesidesFrame = 2 * 8 + 2 * 64;

/// The generator "warns" of frames that are larger than a function's attribute
/// allows, which is nothing at all.
class StackNeed::Listener : public llvm::DiagnosticHandler {
public:
  explicit Listener(StackNeed &need) : need(need) {}

  bool handleDiagnostics(const llvm::DiagnosticInfo &info) override {
    const auto *size = llvm::dyn_cast<llvm::DiagnosticInfoStackSize>(&info);
    if (size)
      need.frames[&size->getFunction()] = size->getStackSize();
    return size; // others are printed
  }

private:
  StackNeed &need;
};

StackNeed::StackNeed(llvm::LLVMContext &context) : context(context) {
  context.setDiagnosticHandler(std::make_unique<Listener>(*this));
}

StackNeed::~StackNeed() {
  context.setDiagnosticHandler(std::make_unique<llvm::DiagnosticHandler>());
}

void StackNeed::request(llvm::Module &module) {
  for (llvm::Function &function : module)
    if (!function.isDeclaration())
      function.addFnAttr("warn-stack-size", "0");
}

uint64_t StackNeed::getBytes(const llvm::Function &function) {
  if (auto known = needs.find(&function); known != needs.end())
    return known->second;
  uint64_t deepest = 0;
  for (const llvm::Instruction &each : llvm::instructions(function))
    if (const auto *call = llvm::dyn_cast<llvm::CallBase>(&each))
      if (const llvm::Function *callee = call->getCalledFunction())
        if (!callee->isDeclaration())
          deepest = std::max(deepest, getBytes(*callee));
  uint64_t bytes = frames.lookup(&function) + kBesidesFrame + deepest;
  needs[&function] = bytes;
  return bytes;
}
