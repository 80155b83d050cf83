//===- Model.cpp - An open model.so ---------------------------------------===//

#include "runtime/Model/Model.h"

#include "runtime/Error.h"
#include "runtime/Model/Cores.h"
#include "runtime/Model/CpuFeatures.h"
#include "runtime/Model/ElfFile.h"
#include "runtime/Model/File.h"
#include "runtime/abi/CacheLayout.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dlfcn.h>
#include <link.h>
#include <thread>

using namespace llamart;

std::shared_ptr<const Model> Model::open(const std::string &path,
                                         WeightsMode mode) {
  checkSharedObject(path);
  std::shared_ptr<Model> model(new Model(path, mode));
  model->load();
  model->checkHeader();
  model->checkSize(LLAMA_SYMBOL_HASHES, model->header->hashes_bytes);
  model->checkSize(LLAMA_SYMBOL_TOKENIZER, model->header->tokenizer_bytes);
  model->readInfo();
  model->checkBlockSize();
  model->code = &chooseVariant(path, model->info.variants);
  model->findWeights();
  return model;
}

Model::~Model() {
  tokenizer.reset();      // they read the library's bytes
  backgroundCopy.reset(); // so does its thread
  if (library)
    dlclose(library);
}

//===----------------------------------------------------------------------===//
// The library and its header
//===----------------------------------------------------------------------===//

void Model::load() {
  // Without a slash dlopen would search the library path.
  std::string file = path.find('/') == std::string::npos ? "./" + path : path;
  library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    throw Error(ErrorKind::Model, path, ": cannot be loaded: ", dlerror());
  header = requireSymbol<const llama_model_header>(LLAMA_SYMBOL_HEADER);
}

void *Model::findSymbol(const char *name) const { return dlsym(library, name); }

template <typename T>
T *Model::requireSymbol(const char *name) const {
  void *symbol = findSymbol(name);
  if (!symbol)
    throw Error(ErrorKind::Model, path, ": not a model: has no symbol '", name,
                "'");
  return reinterpret_cast<T *>(symbol);
}

void Model::checkHeader() const {
  auto fail = [this](const auto &...parts) {
    throw Error(ErrorKind::Model, path, ": ", parts...);
  };
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

/// Compares a size in the header with that of the symbol it speaks of.
void Model::checkSize(const char *name, uint64_t bytes) const {
  Dl_info place;
  const ElfW(Sym) *entry = nullptr;
  void *symbol = findSymbol(name);
  if (symbol &&
      !dladdr1(symbol, &place,
               reinterpret_cast<void **>(const_cast<ElfW(Sym) **>(&entry)),
               RTLD_DL_SYMENT))
    entry = nullptr;
  uint64_t there = entry ? entry->st_size : 0;
  if (bytes > there)
    throw Error(ErrorKind::Model, path, ": ", name, " has ", there,
                " bytes, its header says ", bytes);
}

void Model::readInfo() {
  infoText = {requireSymbol<const char>(LLAMA_SYMBOL_INFO), header->info_bytes};
  checkSize(LLAMA_SYMBOL_INFO, header->info_bytes);
  std::string problem = llamaabi::parseModelInfo(infoText, info);
  if (!problem.empty())
    throw Error(ErrorKind::Model, path, ": llama_info: ", problem);
}

/// Compares the size of a cache block with what the shape asks for.
void Model::checkBlockSize() const {
  uint64_t expected = llamaabi::getCacheBlockBytes(
      info.kvType, uint64_t(info.layers), uint64_t(info.kvHeads),
      uint64_t(info.headDim));
  if (header->kv_block_bytes != expected)
    throw Error(ErrorKind::Model, path, ": kv_block_bytes is ",
                header->kv_block_bytes, ", its shape asks for ", expected);
}

void Model::findWeights() {
  forwardFunction = reinterpret_cast<llama_forward_fn>(
      requireSymbol<void>(code->forward.c_str()));
  workspaceFunction = reinterpret_cast<llama_workspace_fn>(
      requireSymbol<void>(code->workspace.c_str()));
  if (info.weightsBytes != header->weights_bytes)
    throw Error(ErrorKind::Model, path, ": llama_info: weights.bytes is ",
                info.weightsBytes, ", the header says ", header->weights_bytes);
  if (info.storage == llamaabi::WeightStorage::Embed) {
    weights = requireSymbol<const void>(LLAMA_SYMBOL_WEIGHTS);
  } else {
    size_t slash = path.rfind('/');
    std::string file =
        (slash == std::string::npos ? std::string()
                                    : path.substr(0, slash + 1)) +
        info.weightsFile;
    File weightsFile(file);
    if (weightsFile.getSize() != info.weightsBytes)
      throw Error(ErrorKind::Model, file, ": has ", weightsFile.getSize(),
                  " bytes, expected ", info.weightsBytes, " (by ", path, ")");
    weightPages =
        Pages::mapFile(weightsFile.getDescriptor(), info.weightsBytes);
    if (!weightPages)
      throw Error(ErrorKind::Model, file,
                  ": cannot be mapped: ", std::strerror(errno));
    weights = weightPages.getData();
  }
  if (mode == WeightsMode::Copied)
    return copyWeights();
  adviseHugePages(weights, info.weightsBytes);
  if (mode == WeightsMode::Auto)
    backgroundCopy = std::make_unique<BackgroundCopy>(
        static_cast<const char *>(weights), info.weightsBytes);
}

// Pages are touched for the first time here, so this is as much a matter of
// page faults as of bytes: all cores take part.
void Model::copyWeights() {
  Pages copy = reserveOrThrow("weights", info.weightsBytes, HugePages::Advised);
  const char *from = static_cast<const char *>(weights);
  constexpr uint64_t kShare = 64 << 20; // bytes worth a thread
  uint64_t threads =
      std::clamp<uint64_t>(info.weightsBytes / kShare, 1, getAvailableCores());
  uint64_t share =
      (info.weightsBytes / threads + kHugePage) / kHugePage * kHugePage;
  {
    std::vector<std::jthread> team;
    for (uint64_t begin = 0; begin < info.weightsBytes; begin += share)
      team.emplace_back([&, begin] {
        std::memcpy(copy.getData() + begin, from + begin,
                    std::min(share, info.weightsBytes - begin));
      });
  }
  releasePages(const_cast<char *>(from), info.weightsBytes); // re-read on need
  weightPages = std::move(copy);
  weights = weightPages.getData();
}

std::string Model::describeWeights() const {
  if (backgroundCopy)
    return backgroundCopy->describe();
  return mode == WeightsMode::Copied ? "copied into huge pages" : "mapped";
}

uint64_t Model::getWorkspaceBytes(int64_t rows, int64_t logitRows) const {
  int64_t bytes = workspaceFunction(rows, logitRows);
  if (bytes < 0)
    throw Error(ErrorKind::Model, path, ": asks for ", bytes,
                " bytes of workspace for ", rows, " rows");
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
    throw Error(ErrorKind::Model, path, ": ", error.what());
  }
}

const Tokenizer &Model::getTokenizer() const {
  std::call_once(tokenizerOnce, [this] {
    if (!hasTokenizer())
      throw Error(ErrorKind::Model, path,
                  ": has no tokenizer; give token ids instead of text");
    const void *blob = requireSymbol<const void>(LLAMA_SYMBOL_TOKENIZER);
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
      throw Error(ErrorKind::Model, path, ": has no chat template",
                  info.chatProblem.empty() ? "" : ": ", info.chatProblem);
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
