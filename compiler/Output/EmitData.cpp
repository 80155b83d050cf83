//===- EmitData.cpp - What stands beside the code of a model --------------===//

#include "compiler/Output/EmitData.h"

#include "runtime/abi/LlamaABI.h"

#include "llvm/IR/Constants.h"
#include "llvm/IR/DerivedTypes.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace mlir::llama;

// The table below has a pointer wherever the struct has one, at its place.
static_assert(sizeof(llama_linked_model) == 8 * sizeof(void *) &&
                  offsetof(llama_linked_model, header) == 16 &&
                  offsetof(llama_linked_model, code) == 56,
              "llama_linked_model is part of the ABI");
static_assert(sizeof(llama_linked_code) == 3 * sizeof(void *),
              "llama_linked_code is part of the ABI");

static llvm::GlobalVariable *addConstant(llvm::Module &module, StringRef name,
                                         llvm::Constant *value) {
  auto *global = new llvm::GlobalVariable(
      module, value->getType(),
      /*isConstant=*/true, llvm::GlobalValue::ExternalLinkage, value, name);
  global->setAlignment(llvm::Align(64));
  return global;
}

static llvm::GlobalVariable *addBytes(llvm::Module &module, StringRef name,
                                      StringRef bytes) {
  return addConstant(module, name,
                     llvm::ConstantDataArray::getString(
                         module.getContext(), bytes, /*AddNull=*/false));
}

/// A reservation takes no room in the object file, which is what makes it a
/// writable zero for now; PlaceWeights fills it and makes it constant.
static void reserveWeights(llvm::Module &module, uint64_t bytes) {
  auto *type =
      llvm::ArrayType::get(llvm::Type::getInt8Ty(module.getContext()), bytes);
  auto *global = new llvm::GlobalVariable(
      module, type, /*isConstant=*/false, llvm::GlobalValue::ExternalLinkage,
      llvm::ConstantAggregateZero::get(type), LLAMA_SYMBOL_WEIGHTS);
  global->setSection(kReservedSection);
  global->setCodeModel(llvm::CodeModel::Large);
  // Where they are placed they get that of a huge page: here it would leave as
  // much room in an object file.
  global->setAlignment(llvm::Align(64));
}

static void addData(llvm::Module &module, const ObjectData &data) {
  addBytes(module, LLAMA_SYMBOL_HEADER, data.header);
  addBytes(module, LLAMA_SYMBOL_INFO, data.info)->setSection(kInfoSection);
  if (!data.tokenizer.empty())
    addBytes(module, LLAMA_SYMBOL_TOKENIZER, data.tokenizer);
  addBytes(module, LLAMA_SYMBOL_HASHES, std::string(data.hashesBytes, '\0'))
      ->setSection(kHashesSection);
  if (data.weightsBytes)
    reserveWeights(module, data.weightsBytes);
}

/// A llama_linked_code for each processor. Functions are declared: they are in
/// other objects.
static llvm::Constant *makeCodeTable(llvm::Module &module, size_t count) {
  llvm::LLVMContext &context = module.getContext();
  auto *pointer = llvm::PointerType::get(context, 0);
  auto *entry = llvm::StructType::get(pointer, pointer, pointer);
  auto *function =
      llvm::FunctionType::get(llvm::Type::getVoidTy(context), false);
  SmallVector<llvm::Constant *> entries;
  for (size_t i = 0; i < count; ++i) {
    EntryPoints names = getEntryPoints(i);
    auto declare = [&](StringRef name) {
      return llvm::cast<llvm::Constant>(
          module.getOrInsertFunction(name, function).getCallee());
    };
    llvm::GlobalVariable *name =
        addConstant(module, "name_" + std::to_string(i),
                    llvm::ConstantDataArray::getString(context, names.forward));
    name->setLinkage(llvm::GlobalValue::PrivateLinkage);
    entries.push_back(llvm::ConstantStruct::get(
        entry, name, declare(names.forward), declare(names.workspace)));
  }
  llvm::GlobalVariable *table = addConstant(
      module, "codes",
      llvm::ConstantArray::get(llvm::ArrayType::get(entry, count), entries));
  table->setLinkage(llvm::GlobalValue::PrivateLinkage);
  return table;
}

/// The llama_linked_model, field by field.
static void addTable(llvm::Module &module, StringRef name, size_t codeCount) {
  llvm::LLVMContext &context = module.getContext();
  auto *pointer = llvm::PointerType::get(context, 0);
  auto find = [&](StringRef symbol) -> llvm::Constant * {
    llvm::GlobalVariable *global = module.getNamedGlobal(symbol);
    return global ? static_cast<llvm::Constant *>(global)
                  : llvm::ConstantPointerNull::get(pointer);
  };
  auto number = [&](unsigned bits, uint64_t value) -> llvm::Constant * {
    return llvm::ConstantInt::get(llvm::Type::getIntNTy(context, bits), value);
  };
  addConstant(
      module, name,
      llvm::ConstantStruct::getAnon(
          {number(64, sizeof(llama_linked_model)),
           number(32, LLAMA_ABI_VERSION), number(32, codeCount),
           find(LLAMA_SYMBOL_HEADER), find(LLAMA_SYMBOL_INFO),
           find(LLAMA_SYMBOL_HASHES), find(LLAMA_SYMBOL_TOKENIZER),
           find(LLAMA_SYMBOL_WEIGHTS), makeCodeTable(module, codeCount)}));
}

llvm::Expected<Code> llama::emitData(const ObjectData &data,
                                     const TargetInfo &target,
                                     StringRef symbolPrefix, size_t codeCount) {
  llvm::LLVMContext context;
  llvm::Module module("data", context);
  module.setDataLayout(target.createMachine()->createDataLayout());
  module.setTargetTriple(llvm::Triple(target.triple));
  addData(module, data);
  if (!symbolPrefix.empty())
    addTable(module, symbolPrefix, codeCount);
  return translate(module, target, CodeFormat::Object);
}
