//===- CompiledModel.cpp - The weights inside a model.so ------------------===//
//
// header => description and hashes => tensors. What the header and the
// description state is compared with what the file has.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/CompiledModel.h"

#include "runtime/abi/LlamaABI.h"
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

Error readInfo(const InputFile &file, const SymbolOffsets &symbols,
               const llama_model_header &header, llamaabi::ModelInfo &info) {
  std::string text(header.info_bytes, '\0');
  if (Error error = readSymbol(file, symbols, LLAMA_SYMBOL_INFO,
                               {text.data(), text.size()}))
    return error;
  std::string problem = llamaabi::parseModelInfo(text, info);
  if (!problem.empty())
    return makeInputError(file.getPath(), LLAMA_SYMBOL_INFO ": " + problem);
  return Error::success();
}

/// Those of all tensors, or of none.
Error readHashes(const InputFile &file, const SymbolOffsets &symbols,
                 const llama_model_header &header, CompiledModel &model) {
  size_t tensors = model.info.tensors.size();
  if (header.hashes_bytes == 0)
    return Error::success();
  if (header.hashes_bytes != tensors * LLAMA_HASH_BYTES)
    return makeInputError(file.getPath(),
                          LLAMA_SYMBOL_HASHES " has " +
                              Twine(header.hashes_bytes) + " bytes, expected " +
                              Twine(tensors * LLAMA_HASH_BYTES));
  std::vector<char> bytes(header.hashes_bytes);
  if (Error error = readSymbol(file, symbols, LLAMA_SYMBOL_HASHES, bytes))
    return error;
  for (size_t i = 0; i < tensors; ++i)
    model.hashes[model.info.tensors[i].name] =
        toHex(StringRef(bytes.data() + i * LLAMA_HASH_BYTES, LLAMA_HASH_BYTES),
              /*LowerCase=*/true);
  return Error::success();
}

Expected<WeightBlock> findBlock(const std::shared_ptr<InputFile> &file,
                                const SymbolOffsets &symbols,
                                const llama_model_header &header,
                                const llamaabi::ModelInfo &info) {
  if (info.storage == llamaabi::WeightStorage::Embed) {
    Expected<uint64_t> offset =
        symbols.find(LLAMA_SYMBOL_WEIGHTS, header.weights_bytes);
    if (!offset)
      return offset.takeError();
    return WeightBlock{file, *offset, header.weights_bytes};
  }
  auto external = InputFile::open(
      getPathIn(sys::path::parent_path(file->getPath()), info.weightsFile));
  if (!external)
    return external.takeError();
  return WeightBlock{*external, 0, (*external)->getSize()};
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
  CompiledModel model;
  if (Error error = readHeader(**file, *symbols, header))
    return std::move(error);
  if (Error error = readInfo(**file, *symbols, header, model.info))
    return std::move(error);
  if (Error error = readHashes(**file, *symbols, header, model))
    return std::move(error);
  Expected<WeightBlock> block = findBlock(*file, *symbols, header, model.info);
  if (!block)
    return block.takeError();
  auto checkpoint = std::make_unique<BlockCheckpoint>(std::move(*block));
  for (const llamaabi::TensorEntry &tensor : model.info.tensors)
    if (Error error = checkpoint->add(path, tensor))
      return std::move(error);
  model.checkpoint = std::move(checkpoint);
  return model;
}

Expected<std::string> readCompiledTokenizer(StringRef path) {
  auto file = InputFile::open(path);
  if (!file)
    return file.takeError();
  Expected<SymbolOffsets> symbols = SymbolOffsets::read(path);
  if (!symbols)
    return symbols.takeError();
  llama_model_header header = {};
  if (Error error = readHeader(**file, *symbols, header))
    return std::move(error);
  if (header.tokenizer_bytes == 0)
    return std::string();
  Expected<uint64_t> offset =
      symbols->find(LLAMA_SYMBOL_TOKENIZER, header.tokenizer_bytes);
  if (!offset)
    return offset.takeError();
  std::string bytes(header.tokenizer_bytes, '\0');
  if (Error error = (*file)->read(*offset, bytes))
    return std::move(error);
  return bytes;
}

} // namespace llamaweights
