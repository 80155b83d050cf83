//===- EmitObject.cpp - LLVM dialect to machine code ----------------------===//

#include "compiler/Output/EmitObject.h"

#include "compiler/Output/StackNeed.h"
#include "dialects/Llama/IR/LlamaOps.h"
#include "runtime/abi/LlamaABI.h"

#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Target/LLVMIR/LLVMTranslationInterface.h"

#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"

using namespace mlir;
using namespace mlir::llama;

EntryPoints llama::getEntryPoints(size_t variant) {
  std::string suffix = variant == 0 ? "" : "_" + std::to_string(variant);
  return {LLAMA_SYMBOL_FORWARD + suffix, LLAMA_SYMBOL_WORKSPACE + suffix};
}

namespace {

/// Declarations of weights are not code.
struct LlamaTranslation : LLVMTranslationDialectInterface {
  using LLVMTranslationDialectInterface::LLVMTranslationDialectInterface;

  LogicalResult convertOperation(Operation *op, llvm::IRBuilderBase &,
                                 LLVM::ModuleTranslation &) const override {
    return success(isa<WeightOp>(op));
  }
};

} // namespace

static void registerTranslations(MLIRContext &context) {
  DialectRegistry registry;
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registry.addExtension(+[](MLIRContext *, LlamaDialect *dialect) {
    dialect->addInterfaces<LlamaTranslation>();
  });
  context.appendDialectRegistry(registry);
}

static void prepareFunctions(llvm::Module &module, const TargetInfo &target,
                             const EntryPoints &names) {
  std::string bits = std::to_string(target.vectorBits);
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    if (function.getName() == LLAMA_SYMBOL_FORWARD)
      function.setName(names.forward);
    else if (function.getName() == LLAMA_SYMBOL_WORKSPACE)
      function.setName(names.workspace);
    else
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
    function.addFnAttr("target-cpu", target.cpu);
    function.addFnAttr("target-features", target.features);
    // The vectors in the code are meant: tuning for a processor may prefer
    // narrower ones and would split them.
    function.addFnAttr("prefer-vector-width", bits);
    function.addFnAttr("min-legal-vector-width", bits);
    function.addFnAttr(llvm::Attribute::NoUnwind);
    // Loops that fill or copy stay loops: there is no library to call, and a
    // call would clear the AMX tiles.
    function.addFnAttr("no-builtins");
  }
  for (llvm::GlobalVariable &global : module.globals())
    if (!global.isDeclaration())
      global.setLinkage(llvm::GlobalValue::InternalLinkage);
}

llvm::Expected<Code> llama::translate(llvm::Module &module,
                                      const TargetInfo &target,
                                      CodeFormat format) {
  std::unique_ptr<llvm::TargetMachine> machine = target.createMachine();
  Code bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  auto type = format == CodeFormat::Assembly
                  ? llvm::CodeGenFileType::AssemblyFile
                  : llvm::CodeGenFileType::ObjectFile;
  if (machine->addPassesToEmitFile(passes, stream, nullptr, type))
    return llvm::createStringError("%s: LLVM cannot write object files for it",
                                   target.triple.c_str());
  passes.run(module);
  return bytes;
}

llvm::Expected<EmittedCode> llama::emitCode(ModuleOp module,
                                            const TargetInfo &target,
                                            const EntryPoints &names,
                                            CodeFormat format) {
  registerTranslations(*module->getContext());
  llvm::LLVMContext context;
  StackNeed stack(context);
  std::unique_ptr<llvm::Module> code =
      translateModuleToLLVMIR(module, context, "model");
  if (!code)
    return llvm::createStringError("the module is not in the LLVM dialect");
  std::unique_ptr<llvm::TargetMachine> machine = target.createMachine();
  code->setDataLayout(machine->createDataLayout());
  code->setTargetTriple(llvm::Triple(target.triple));
  prepareFunctions(*code, target, names);
  auto optimize =
      makeOptimizingTransformer(/*optLevel=*/3, /*sizeLevel=*/0, machine.get());
  if (llvm::Error error = optimize(code.get()))
    return std::move(error);
  StackNeed::request(*code);

  EmittedCode emitted;
  if (llvm::Error error =
          translate(*code, target, format).moveInto(emitted.bytes))
    return std::move(error);
  emitted.stackBytes = stack.getBytes(*code->getFunction(names.forward));
  return emitted;
}
