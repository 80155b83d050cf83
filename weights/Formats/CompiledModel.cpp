//===- CompiledModel.cpp - The weights inside a model.so ------------------===//
//
// header => description, block of weights and hashes. What the header states is
// compared with what the file has.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/CompiledModel.h"

#include "runtime/abi/LlamaABI.h"
#include "weights/Containers/JsonObject.h"
#include "weights/FolderFiles.h"
#include "weights/Formats/SymbolOffsets.h"
#include "weights/Formats/WeightBlock.h"
#include "weights/InputError.h"
#include "weights/InputFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"

#include <cstring>

using namespace llvm;

namespace llamaweights {
namespace {

constexpr uint64_t kLongestInfo = uint64_t(64) << 20;

/// The bytes of a symbol, from its beginning.
Error readSymbol(const InputFile &file, const SymbolOffsets &symbols,
                 StringRef name, MutableArrayRef<char> bytes) {
  Expected<uint64_t> offset = symbols.find(name, bytes.size());
  if (!offset)
    return offset.takeError();
  return file.read(*offset, bytes);
}

Error readHeader(const InputFile &file, const SymbolOffsets &symbols,
                 llama_model_header &header) {
  char bytes[sizeof(header)];
  if (Error error = readSymbol(file, symbols, LLAMA_SYMBOL_HEADER, bytes))
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

/// Those of all tensors, or of none.
Error readHashes(const InputFile &file, const SymbolOffsets &symbols,
                 const llama_model_header &header, CompiledModel &model) {
  ArrayRef<TensorInfo> tensors = model.checkpoint->getTensors();
  if (header.hashes_bytes == 0)
    return Error::success();
  if (header.hashes_bytes != tensors.size() * LLAMA_HASH_BYTES)
    return makeInputError(file.getPath(),
                          LLAMA_SYMBOL_HASHES " has " +
                              Twine(header.hashes_bytes) + " bytes, expected " +
                              Twine(tensors.size() * LLAMA_HASH_BYTES));
  std::vector<char> bytes(header.hashes_bytes);
  if (Error error = readSymbol(file, symbols, LLAMA_SYMBOL_HASHES, bytes))
    return error;
  for (size_t i = 0; i < tensors.size(); ++i)
    model.hashes[tensors[i].name] =
        toHex(StringRef(bytes.data() + i * LLAMA_HASH_BYTES, LLAMA_HASH_BYTES),
              /*LowerCase=*/true);
  return Error::success();
}

Expected<WeightBlock> findBlock(const std::shared_ptr<InputFile> &file,
                                const SymbolOffsets &symbols,
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
  Expected<SymbolOffsets> symbols = SymbolOffsets::read(path);
  if (!symbols)
    return symbols.takeError();
  llama_model_header header = {};
  if (Error error = readHeader(**file, *symbols, header))
    return std::move(error);
  std::string text(header.info_bytes, '\0');
  if (Error error = readSymbol(**file, *symbols, LLAMA_SYMBOL_INFO,
                               {text.data(), text.size()}))
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
  for (const nlohmann::json &entry : **tensors)
    if (Error error = checkpoint->add(path, entry))
      return std::move(error);
  model.checkpoint = std::move(checkpoint);
  if (Error error = readHashes(**file, *symbols, header, model))
    return std::move(error);
  model.info = nlohmann::ordered_json::parse(text, nullptr, false);
  return model;
}

} // namespace llamaweights
