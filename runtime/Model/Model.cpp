//===- Model.cpp - An open model.so ---------------------------------------===//

#include "runtime/Model/Model.h"

#include "runtime/Error.h"
#include "runtime/Model/CpuFeatures.h"
#include "runtime/Model/File.h"
#include "runtime/abi/CacheLayout.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

using namespace llamart;

std::shared_ptr<const Model> Model::open(const std::string &path,
                                         WeightsMode mode,
                                         const Progress &progress) {
  return open(loadLibrary(path), Origin::Path, mode, progress);
}

std::shared_ptr<const Model> Model::openFile(int descriptor, WeightsMode mode,
                                             const Progress &progress) {
  return open(loadLibrary(descriptor), Origin::Descriptor, mode, progress);
}

std::shared_ptr<const Model> Model::openLinked(const llama_linked_model &linked,
                                               WeightsMode mode,
                                               const Progress &progress) {
  return open(useLinked(linked), Origin::Program, mode, progress);
}

std::shared_ptr<const Model>
Model::open(std::unique_ptr<const ModelSymbols> symbols, Origin origin,
            WeightsMode mode, const Progress &progress) {
  std::shared_ptr<Model> model(new Model(std::move(symbols), origin, mode));
  model->checkHeader();
  model->checkSize(LLAMA_SYMBOL_HASHES, model->header->hashes_bytes);
  model->checkSize(LLAMA_SYMBOL_TOKENIZER, model->header->tokenizer_bytes);
  model->readInfo();
  model->checkBlockSize();
  model->findCode();
  model->findWeights();
  model->placeWeights(progress);
  return model;
}

Model::~Model() {
  tokenizer.reset();      // they read the library's bytes
  backgroundCopy.reset(); // so does its thread
}

template <typename... Parts>
void Model::fail(const Parts &...parts) const {
  throw Error(ErrorKind::Model, getPath(), ": ", parts...);
}

//===----------------------------------------------------------------------===//
// What it says about itself
//===----------------------------------------------------------------------===//

void Model::checkHeader() {
  header = static_cast<const llama_model_header *>(
      symbols->require(LLAMA_SYMBOL_HEADER));
  if (header->magic != LLAMA_ABI_MAGIC)
    fail("not a model: its header does not begin with the magic number");
  if (header->abi_version != LLAMA_ABI_VERSION)
    fail("built for ABI ", header->abi_version, " (by ",
         std::string_view(header->compiler,
                          strnlen(header->compiler, sizeof(header->compiler))),
         "), this runtime has ABI ", LLAMA_ABI_VERSION);
  if (header->header_size != sizeof(llama_model_header))
    fail("its header has ", header->header_size, " bytes, expected ",
         sizeof(llama_model_header));
  if (header->kv_block_bytes == 0)
    fail("kv_block_bytes is 0");
}

/// Compares a size in the header with that of the symbol it speaks of, where
/// somebody knows it.
void Model::checkSize(const char *name, uint64_t bytes) const {
  std::optional<uint64_t> there = symbols->getSize(name);
  if (there && bytes > *there)
    fail(name, " has ", *there, " bytes, its header says ", bytes);
}

void Model::readInfo() {
  infoText = {static_cast<const char *>(symbols->require(LLAMA_SYMBOL_INFO)),
              header->info_bytes};
  checkSize(LLAMA_SYMBOL_INFO, header->info_bytes);
  std::string problem = llamaabi::parseModelInfo(infoText, info);
  if (!problem.empty())
    fail("llama_info: ", problem);
}

/// Compares the size of a cache block with what the shape asks for.
void Model::checkBlockSize() const {
  uint64_t expected = llamaabi::getCacheBlockBytes(
      info.kvType, uint64_t(info.layers), uint64_t(info.kvHeads),
      uint64_t(info.headDim));
  if (header->kv_block_bytes != expected)
    fail("kv_block_bytes is ", header->kv_block_bytes, ", its shape asks for ",
         expected);
}

void Model::findCode() {
  code = &chooseVariant(getPath(), info.variants);
  functions = symbols->getCode(*code);
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

void Model::findWeights() {
  if (info.weightsBytes != header->weights_bytes)
    fail("llama_info: weights.bytes is ", info.weightsBytes,
         ", the header says ", header->weights_bytes);
  if (info.storage == llamaabi::WeightStorage::Embed)
    weights = symbols->require(LLAMA_SYMBOL_WEIGHTS);
  else
    mapWeightsFile();
}

void Model::mapWeightsFile() {
  if (origin != Origin::Path)
    fail("its weights are in a file '", info.weightsFile,
         "' beside it, expected them in the model");
  const std::string &path = getPath();
  size_t slash = path.rfind('/');
  std::string folder =
      slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
  File file(folder + info.weightsFile);
  if (file.getSize() != info.weightsBytes)
    throw Error(ErrorKind::Model, file.getPath(), ": has ", file.getSize(),
                " bytes, expected ", info.weightsBytes, " (by ", path, ")");
  weightPages = Pages::mapFile(file.getDescriptor(), info.weightsBytes);
  if (!weightPages)
    throw Error(ErrorKind::Model, file.getPath(),
                ": cannot be mapped: ", std::strerror(errno));
  weights = weightPages.getData();
}

void Model::placeWeights(const Progress &progress) {
  auto *from = static_cast<const char *>(weights);
  if (mode == WeightsMode::Copied) {
    Pages copy =
        reserveOrThrow("weights", info.weightsBytes, HugePages::Advised);
    if (!copyWeights(from, copy.getData(), info.weightsBytes, progress))
      throw Error(ErrorKind::Cancelled, getPath(),
                  ": the copy of the weights was given up");
    if (isFile()) // read again on need
      releasePages(const_cast<char *>(from), info.weightsBytes);
    weightPages = std::move(copy);
    weights = weightPages.getData();
    return;
  }
  adviseHugePages(weights, info.weightsBytes);
  if (mode == WeightsMode::Auto)
    backgroundCopy = std::make_unique<BackgroundCopy>(
        from, info.weightsBytes,
        isFile() ? BackgroundCopy::Original::File
                 : BackgroundCopy::Original::Memory);
}

std::string Model::describeWeights() const {
  if (backgroundCopy)
    return backgroundCopy->describe();
  return mode == WeightsMode::Copied ? "copied into huge pages" : "mapped";
}

uint64_t Model::getWorkspaceBytes(int64_t rows, int64_t logitRows) const {
  int64_t bytes = functions.workspace(rows, logitRows);
  if (bytes < 0)
    fail("asks for ", bytes, " bytes of workspace for ", rows, " rows");
  return bytes;
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

/// Puts the path in front of what `function` throws.
template <typename Function>
void Model::withPath(Function function) const {
  try {
    function();
  } catch (const Error &error) {
    fail(error.what());
  }
}

const Tokenizer &Model::getTokenizer() const {
  std::call_once(tokenizerOnce, [this] {
    if (!hasTokenizer())
      fail("has no tokenizer; give token ids instead of text");
    const void *blob = symbols->require(LLAMA_SYMBOL_TOKENIZER);
    withPath(
        [&] { tokenizer = Tokenizer::open(blob, header->tokenizer_bytes); });
  });
  return *tokenizer;
}

std::string_view Model::getChatTemplateSource() const {
  if (!info.chatTemplate.empty() || !hasTokenizer())
    return info.chatTemplate;
  return getTokenizer().getChatTemplate();
}

std::string_view Model::findNamedTemplate(std::string_view name) const {
  for (const llamaabi::NamedText &known : info.chatTemplates)
    if (known.name == name)
      return known.text;
  return {};
}

const ChatTemplate &Model::getChatTemplate() const {
  std::call_once(chatTemplateOnce, [this] {
    std::string_view source = getChatTemplateSource();
    if (source.empty())
      fail("has no chat template", info.chatProblem.empty() ? "" : ": ",
           info.chatProblem);
    withPath([&] {
      chatTemplate =
          std::make_unique<const ChatTemplate>(ChatTemplate::parse(source));
    });
  });
  return *chatTemplate;
}

std::vector<int32_t> Model::collectStopTokens() const {
  std::vector<int32_t> result = info.eosTokens;
  if (!hasTokenizer())
    return result;
  const Tokenizer &words = getTokenizer();
  for (int32_t id : words.getEos())
    result.push_back(id);
  try {
    for (int32_t id : findStopTokens(getChatTemplate(), words))
      result.push_back(id);
  } catch (const Error &) {
    return result; // no template that can be run: nothing to add
  }
  return result;
}

bool Model::endsReply(int32_t id) const {
  std::call_once(stopTokensOnce, [this] { stopTokens = collectStopTokens(); });
  return std::find(stopTokens.begin(), stopTokens.end(), id) !=
         stopTokens.end();
}
