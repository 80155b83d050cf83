//===- CompiledModel.cpp - The weights inside a model.so ------------------===//
//
// Symbols => addresses => offsets in the file, by the program headers. Every
// one of them is compared with the size of the file.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/CompiledModel.h"

#include "runtime/abi/LlamaABI.h"
#include "weights/Containers/JsonObject.h"
#include "weights/FolderFiles.h"
#include "weights/Formats/WeightBlock.h"
#include "weights/InputError.h"
#include "weights/InputFile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <cstring>

using namespace llvm;
using object::ELF64LEObjectFile;

namespace llamaweights {
namespace {

constexpr uint64_t kLongestInfo = uint64_t(64) << 20;

/// Where the exported symbols of a shared object are in its file.
class SymbolTable {
public:
  SymbolTable(StringRef path, uint64_t size) : path(path), size(size) {}

  Error read(const ELF64LEObjectFile &elf);

  /// Offset of a symbol that has at least `bytes` bytes in the file.
  Expected<uint64_t> find(StringRef name, uint64_t bytes) const {
    auto found = offsets.find(name.str());
    if (found == offsets.end())
      return makeInputError(path, "has no symbol " + quote(name) +
                                      ": it is not a compiled model");
    if (found->second > size || bytes > size - found->second)
      return makeInputError(path, "symbol " + quote(name) + ": expected " +
                                      Twine(bytes) + " bytes at byte " +
                                      Twine(found->second) +
                                      ", but the file has " + Twine(size));
    return found->second;
  }
  bool has(StringRef name) const { return offsets.count(name.str()); }

private:
  StringRef path;
  uint64_t size;
  std::map<std::string, uint64_t> offsets;
};

Error SymbolTable::read(const ELF64LEObjectFile &elf) {
  auto headers = elf.getELFFile().program_headers();
  if (!headers)
    return makeInputError(path, toString(headers.takeError()));
  for (const object::ELFSymbolRef symbol : elf.getDynamicSymbolIterators()) {
    Expected<StringRef> name = symbol.getName();
    Expected<uint64_t> address = symbol.getValue();
    if (!name || !address)
      return makeInputError(
          path, "a symbol is broken: " +
                    toString(name ? address.takeError() : name.takeError()));
    for (const auto &segment : *headers)
      if (segment.p_type == ELF::PT_LOAD && *address >= segment.p_vaddr &&
          *address - segment.p_vaddr < segment.p_filesz)
        offsets[name->str()] = segment.p_offset + (*address - segment.p_vaddr);
  }
  return Error::success();
}

Expected<SymbolTable> readSymbols(StringRef path) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (!buffer)
    return makeInputError(path,
                          "cannot be read: " + buffer.getError().message());
  auto elf = ELF64LEObjectFile::create((*buffer)->getMemBufferRef());
  if (!elf)
    return makeInputError(path, "is not a shared object: " +
                                    toString(elf.takeError()));
  SymbolTable symbols(path, (*buffer)->getBufferSize());
  if (Error error = symbols.read(*elf))
    return std::move(error);
  return symbols;
}

Error readHeader(const InputFile &file, const SymbolTable &symbols,
                 llama_model_header &header) {
  Expected<uint64_t> offset = symbols.find(LLAMA_SYMBOL_HEADER, sizeof(header));
  if (!offset)
    return offset.takeError();
  char bytes[sizeof(header)];
  if (Error error = file.read(*offset, bytes))
    return error;
  std::memcpy(&header, bytes, sizeof(header));
  if (header.magic != LLAMA_ABI_MAGIC)
    return makeInputError(file.getPath(), "is not a compiled model");
  if (header.abi_version != LLAMA_ABI_VERSION)
    return makeInputError(file.getPath(),
                          "has ABI version " + Twine(header.abi_version) +
                              ", expected " + Twine(LLAMA_ABI_VERSION));
  if (header.info_bytes > kLongestInfo)
    return makeInputError(
        file.getPath(), "its description has " + Twine(header.info_bytes) +
                            " bytes, expected at most " + Twine(kLongestInfo));
  return Error::success();
}

Expected<WeightBlock> findBlock(const std::shared_ptr<InputFile> &file,
                                const SymbolTable &symbols,
                                const llama_model_header &header,
                                StringRef externalName) {
  if (externalName.empty()) {
    Expected<uint64_t> offset =
        symbols.find(LLAMA_SYMBOL_WEIGHTS, header.weights_bytes);
    if (!offset)
      return offset.takeError();
    return WeightBlock{file, *offset, header.weights_bytes};
  }
  if (sys::path::filename(externalName) != externalName)
    return makeInputError(file->getPath(),
                          "expected the name of a file next to it, found " +
                              quote(externalName));
  auto external = InputFile::open(
      getPathIn(sys::path::parent_path(file->getPath()), externalName));
  if (!external)
    return external.takeError();
  return WeightBlock{*external, 0, (*external)->getSize()};
}

/// The list of tensors and the name of the file that holds them.
Expected<const nlohmann::json *> findTensors(StringRef path,
                                             const nlohmann::json &info,
                                             std::string &externalName) {
  if (!info.is_object() || !info.contains("weights") ||
      !info["weights"].is_object() || !info["weights"].contains("tensors") ||
      !info["weights"]["tensors"].is_array())
    return makeInputError(path, "its description lists no weights");
  const nlohmann::json &weights = info["weights"];
  if (weights.value("storage", nlohmann::json()) == "external") {
    auto name = weights.find("file");
    if (name == weights.end() || !name->is_string())
      return makeInputError(path, "its weights are in a file without a name");
    externalName = name->get<std::string>();
  }
  return &weights["tensors"];
}

} // namespace

bool beginsLikeElf(StringRef path) {
  return beginsWith(path, "\x7f"
                          "ELF");
}

Expected<CompiledModel> openCompiledModel(StringRef path) {
  auto file = InputFile::open(path);
  if (!file)
    return file.takeError();
  Expected<SymbolTable> symbols = readSymbols(path);
  if (!symbols)
    return symbols.takeError();
  llama_model_header header = {};
  if (Error error = readHeader(**file, *symbols, header))
    return std::move(error);
  Expected<uint64_t> offset =
      symbols->find(LLAMA_SYMBOL_INFO, header.info_bytes);
  if (!offset)
    return offset.takeError();
  std::string text(header.info_bytes, '\0');
  if (Error error = (*file)->read(*offset, {text.data(), text.size()}))
    return std::move(error);
  Expected<nlohmann::json> info = parseJson(text, path);
  if (!info)
    return info.takeError();
  std::string externalName;
  auto tensors = findTensors(path, *info, externalName);
  if (!tensors)
    return tensors.takeError();
  Expected<WeightBlock> block =
      findBlock(*file, *symbols, header, externalName);
  if (!block)
    return block.takeError();
  CompiledModel model;
  auto checkpoint = std::make_unique<BlockCheckpoint>(std::move(*block));
  for (const nlohmann::json &entry : **tensors) {
    std::string hash;
    if (Error error = checkpoint->add(path, entry, hash))
      return std::move(error);
    if (!hash.empty())
      model.hashes[checkpoint->getTensors().back().name] = hash;
  }
  model.checkpoint = std::move(checkpoint);
  model.info = nlohmann::ordered_json::parse(text, nullptr, false);
  return model;
}

} // namespace llamaweights
