//===- Tokenize.cpp - llama-weights tokenize ------------------------------===//
//
// The tokenizer of a file, a folder or a model.so goes the way that it goes in a
// compilation: read, serialized, opened by the runtime. So what is printed here
// is what a model is given.
//
//===----------------------------------------------------------------------===//

#include "compiler/Output/EmbedTokenizer.h"
#include "files/OutputPlace.h"
#include "runtime/Error.h"
#include "runtime/Text/Tokenizer/Tokenizer.h"
#include "weights/InputError.h"
#include "weights/InputFile.h"
#include "weights/Tokenizers/GgufVocabulary.h"
#include "weights/Tokenizers/TokenizerFolder.h"
#include "weights/tools/Commands.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <nlohmann/json.hpp>

using namespace llvm;
using Json = nlohmann::ordered_json;

namespace llamaweights {
namespace {

/// The blob of a tokenizer, at an address that rule F1 asks for.
struct AlignedBlob {
  struct alignas(llamaabi::kTokenizerAlignment) Unit {
    char bytes[llamaabi::kTokenizerAlignment];
  };
  std::vector<Unit> units;
  size_t size;

  explicit AlignedBlob(StringRef bytes)
      : units(bytes.size() / sizeof(Unit) + 1), size(bytes.size()) {
    memcpy(static_cast<void *>(units.data()), bytes.data(), bytes.size());
  }
};

Expected<std::optional<Vocabulary>> readVocabulary(StringRef path,
                                                   LinkPolicy links) {
  if (beginsWith(path, "GGUF")) {
    auto file = InputFile::open(path);
    if (!file)
      return file.takeError();
    Expected<GgufFile> gguf = readGguf(*file);
    if (!gguf)
      return gguf.takeError();
    return readGgufVocabulary(*gguf);
  }
  bool isFolder = sys::fs::is_directory(path);
  bool isModelJson = sys::path::filename(path) == "model.json";
  if (!isFolder && !isModelJson)
    return readTokenizerFile(path);
  if (isFolder && !sys::fs::exists(getPathIn(path, "model.json"))) {
    auto vocabulary = readTokenizerFolder(path);
    if (!vocabulary || vocabulary->has_value())
      return vocabulary;
  }
  Expected<OpenedModel> model = OpenedModel::open(path, links);
  if (!model)
    return model.takeError();
  return std::move(model->vocabulary);
}

Expected<AlignedBlob> readBlob(StringRef path, LinkPolicy links) {
  Expected<std::string> bytes = std::string();
  if (beginsLikeElf(path)) {
    bytes = readCompiledTokenizer(path);
  } else {
    auto vocabulary = readVocabulary(path, links);
    if (!vocabulary)
      return vocabulary.takeError();
    if (const auto &found = *vocabulary; found) {
      bytes = mlir::llama::serializeTokenizer(*found);
      if (!bytes)
        return makeInputError(path, toString(bytes.takeError()));
    }
  }
  if (!bytes)
    return bytes.takeError();
  if (bytes->empty())
    return makeInputError(path, "has no tokenizer");
  return AlignedBlob(*bytes);
}

Expected<std::vector<int32_t>> parseIds(StringRef text, int32_t count) {
  std::vector<int32_t> ids;
  for (StringRef part : split(text, ',')) {
    int32_t id = 0;
    if (part.trim().getAsInteger(10, id) || id < 0 || id >= count)
      return makeInputError("--decode", "expected ids below " + Twine(count) +
                                            " such as 1,2,3, found " +
                                            quote(part));
    ids.push_back(id);
  }
  return ids;
}

void print(const Json &json) {
  outs() << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
}

void printIds(const llamart::Tokenizer &tokenizer,
              const std::vector<int32_t> &ids, bool asJson) {
  if (!asJson) {
    outs() << join(map_range(ids, [](int32_t id) { return itostr(id); }), ",")
           << "\n";
    return;
  }
  Json tokens = Json::array();
  for (int32_t id : ids)
    tokens.push_back(std::string(tokenizer.tokenBytes(id)));
  print({{"ids", ids}, {"tokens", std::move(tokens)}});
}

/// All is read: nothing is printed onto it.
Error checkStandardOutput() {
  std::string problem = llamafiles::checkStandardOutput();
  return problem.empty() ? Error::success() : createStringError(problem);
}

Error encode(const llamart::Tokenizer &tokenizer,
             const TokenizeOptions &options) {
  std::string text = options.text.value_or("");
  if (!options.textFile.empty())
    if (Error error = readTextFile(options.textFile).moveInto(text))
      return error;
  if (Error error = checkStandardOutput())
    return error;
  llamart::EncodeOptions encoding;
  encoding.bos =
      options.addBos ? llamart::AddToken::ByRule : llamart::AddToken::Never;
  encoding.allowSpecial = options.special;
  printIds(tokenizer, tokenizer.encode(text, encoding), options.json);
  return Error::success();
}

Error decode(const llamart::Tokenizer &tokenizer,
             const TokenizeOptions &options) {
  auto ids = parseIds(options.ids.value_or(""), tokenizer.getVocabSize());
  if (!ids)
    return ids.takeError();
  if (Error error = checkStandardOutput())
    return error;
  std::string text =
      tokenizer.decode(*ids, options.special ? llamart::SpecialText::Show
                                             : llamart::SpecialText::Hide);
  if (options.json)
    print({{"ids", *ids}, {"text", text}});
  else
    outs() << text << "\n";
  return Error::success();
}

} // namespace

Error tokenize(StringRef path, LinkPolicy links,
               const TokenizeOptions &options) {
  if (!sys::fs::exists(path))
    return makeInputError(path, "does not exist");
  Expected<AlignedBlob> blob = readBlob(path, links);
  if (!blob)
    return blob.takeError();
  try {
    auto tokenizer = llamart::Tokenizer::open(blob->units.data(), blob->size);
    return options.ids ? decode(*tokenizer, options)
                       : encode(*tokenizer, options);
  } catch (const llamart::Error &error) {
    return makeInputError(path, error.what());
  }
}

} // namespace llamaweights
