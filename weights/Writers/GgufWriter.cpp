//===- GgufWriter.cpp - *.gguf --------------------------------------------===//
//
// header, keys, tensor infos, data; all offsets are known before the first
// tensor is read. Vectors are f32, which llama.cpp insists on.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/Gguf.h"
#include "weights/InputError.h"
#include "weights/TensorNames.h"
#include "weights/Tokenizers/ByteFallbackBpe.h"
#include "weights/Tokenizers/ByteLevel.h"
#include "weights/Tokenizers/GgufVocabulary.h"
#include "weights/Tokenizers/SentencePieceModel.h"
#include "weights/Tokenizers/TokenizerFolder.h"
#include "weights/Writers/Writers.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace llamaweights {
namespace {

constexpr uint64_t kAlignment = 32;
constexpr uint32_t kVersion = 3, kQuantizationVersion = 2;

/// ggml's number of a type.
uint32_t getTypeNumber(DType type) {
  switch (type) {
  case DType::F32:
    return 0;
  case DType::F16:
    return 1;
  case DType::Q4_0:
    return 2;
  case DType::Q4_1:
    return 3;
  case DType::Q5_0:
    return 6;
  case DType::Q5_1:
    return 7;
  case DType::Q8_0:
    return 8;
  case DType::Q2_K:
    return 10;
  case DType::Q3_K:
    return 11;
  case DType::Q4_K:
    return 12;
  case DType::Q5_K:
    return 13;
  case DType::Q6_K:
    return 14;
  case DType::BF16:
    return 30;
  case DType::I8:
    break;
  }
  llvm_unreachable("a type that tensors are written in");
}

/// llama.cpp's number for "mostly of this type"; a remark for people.
uint32_t getFileType(DType type) {
  switch (type) {
  case DType::F16:
    return 1;
  case DType::Q4_0:
    return 2;
  case DType::Q8_0:
    return 7;
  case DType::BF16:
    return 32;
  default:
    return 0;
  }
}

class Head {
public:
  void string(StringRef key, StringRef value) {
    begin(key, GgufType::String);
    text(value);
  }
  void u32(StringRef key, uint64_t value) {
    begin(key, GgufType::U32);
    number(uint32_t(value));
  }
  void f32(StringRef key, double value) {
    begin(key, GgufType::F32);
    number(std::bit_cast<uint32_t>(float(value)));
  }
  void boolean(StringRef key, bool value) {
    begin(key, GgufType::Bool);
    number(uint8_t(value));
  }
  void strings(StringRef key, ArrayRef<std::string> values) {
    beginArray(key, GgufType::String, values.size());
    for (const std::string &value : values)
      text(value);
  }
  void integers(StringRef key, ArrayRef<int32_t> values) {
    beginArray(key, GgufType::I32, values.size());
    for (int32_t value : values)
      number(uint32_t(value));
  }
  void floats(StringRef key, ArrayRef<float> values) {
    beginArray(key, GgufType::F32, values.size());
    for (float value : values)
      number(std::bit_cast<uint32_t>(value));
  }

  /// The tensor lies after the one before.
  void tensor(StringRef name, ArrayRef<int64_t> shape, DType type) {
    text(name, tensors);
    number(uint32_t(shape.size()), tensors);
    int64_t bytes = getBlockBytes(type);
    for (auto [i, dim] : enumerate(reverse(shape))) {
      number(uint64_t(dim), tensors);
      bytes *= i == 0 ? dim / getBlockElements(type) : dim;
    }
    number(getTypeNumber(type), tensors);
    number(dataBytes, tensors);
    dataBytes += alignTo(uint64_t(bytes), kAlignment);
    ++tensorCount;
  }

  std::string print() const {
    std::string head = "GGUF";
    number(kVersion, head);
    number(tensorCount, head);
    number(keyCount, head);
    return head + keys + tensors;
  }

private:
  template <typename T>
  static void number(T value, std::string &out) {
    char bytes[sizeof(T)];
    support::endian::write<T, endianness::little>(bytes, value);
    out.append(bytes, sizeof(T));
  }
  static void text(StringRef value, std::string &out) {
    number(uint64_t(value.size()), out);
    out += value;
  }
  template <typename T>
  void number(T value) {
    number(value, keys);
  }
  void text(StringRef value) { text(value, keys); }
  void begin(StringRef key, GgufType type) {
    text(key);
    number(uint32_t(type));
    ++keyCount;
  }
  void beginArray(StringRef key, GgufType type, size_t count) {
    begin(key, GgufType::Array);
    number(uint32_t(type));
    number(uint64_t(count));
  }

  std::string keys, tensors;
  uint64_t keyCount = 0, tensorCount = 0, dataBytes = 0;
};

/// The scaling of RoPE if keys say it; else null, and the divisors in rope_freqs
/// do. llama.cpp's YaRN always has a ramp between whole indices.
const RopeScaling *findScalingOfKeys(const ModelConfig &config) {
  const RopeScaling *scaling =
      config.ropeScaling ? &*config.ropeScaling : nullptr;
  bool isOfKeys =
      scaling && (scaling->rule == RopeRule::Linear ||
                  (scaling->rule == RopeRule::Yarn && scaling->truncate));
  return isOfKeys ? scaling : nullptr;
}

#define SCALING "llama.rope.scaling."

void addScaling(const ModelConfig &config, Head &head) {
  double attention = config.ropeAttentionFactor;
  if (const RopeScaling *scaling = findScalingOfKeys(config)) {
    head.string(SCALING "type", getName(scaling->rule));
    head.f32(SCALING "factor", scaling->factor);
    if (scaling->rule == RopeRule::Yarn) {
      head.u32(SCALING "original_context_length",
               scaling->originalMaxPositions);
      head.f32(SCALING "yarn_beta_fast", scaling->betaFast);
      head.f32(SCALING "yarn_beta_slow", scaling->betaSlow);
      // llama.cpp multiplies by what follows from the factor by itself.
      attention /= getYarnAttentionFactor(scaling->factor);
    }
  }
  if (attention != 1.0)
    head.f32(SCALING "attn_factor", attention);
}

#undef SCALING

void addHyperParameters(const ModelConfig &config, Head &head) {
  head.u32("llama.vocab_size", config.vocab);
  head.u32("llama.context_length", config.maxSeqLen);
  head.u32("llama.embedding_length", config.hidden);
  head.u32("llama.block_count", config.layers);
  head.u32("llama.feed_forward_length", config.ffn);
  head.u32("llama.rope.dimension_count", config.headDim);
  head.u32("llama.attention.head_count", config.heads);
  head.u32("llama.attention.head_count_kv", config.kvHeads);
  head.u32("llama.attention.key_length", config.headDim);
  head.u32("llama.attention.value_length", config.headDim);
  head.f32("llama.attention.layer_norm_rms_epsilon", config.normEps);
  head.f32("llama.rope.freq_base", config.ropeTheta);
  addScaling(config, head);
}

//===----------------------------------------------------------------------===//
// Tokenizer
//===----------------------------------------------------------------------===//

#define GGML "tokenizer.ggml."

/// What llama.cpp wants to see: a text for every row of the embedding.
struct TokenTable {
  std::vector<std::string> texts;
  std::vector<int32_t> types;
  std::vector<float> scores;

  void pad(int64_t count) {
    while (int64_t(texts.size()) < count) {
      texts.push_back("[PAD" + utostr(texts.size()) + "]");
      types.push_back(int32_t(TokenType::Unused));
      scores.push_back(-1e30f);
    }
  }
};

/// llama.cpp's name of a pattern; it runs whole pieces first where it says so.
StringRef getPreName(const Vocabulary &vocabulary) {
  switch (vocabulary.preTokenizer) {
  case PreTokenizer::Llama3:
    return vocabulary.wholePieceFirst ? "llama-bpe" : "dbrx";
  case PreTokenizer::GPT2:
    return "gpt-2";
  case PreTokenizer::SmolLM:
    return "smollm";
  case PreTokenizer::Qwen2:
    return "qwen2";
  case PreTokenizer::Default:
    return "default";
  case PreTokenizer::Falcon:
    return "falcon";
  case PreTokenizer::DeepSeekLLM:
    return "deepseek-llm";
  case PreTokenizer::DeepSeekCoder:
    return "deepseek-coder";
  case PreTokenizer::Tekken:
    return "tekken";
  }
  llvm_unreachable("every pre-tokenizer has a name");
}

/// Whether a byte-level tokenizer does more to a text than GGUF can say.
Error checkByteLevel(const WritePlan &plan, const Vocabulary &vocabulary) {
  bool needsWhole = vocabulary.preTokenizer == PreTokenizer::Llama3 ||
                    vocabulary.preTokenizer == PreTokenizer::Tekken;
  if (vocabulary.wholePieceFirst && !needsWhole)
    return makeInputError(
        plan.model.path, "its tokenizer has ignore_merges with another pattern "
                         "than Llama 3's, which GGUF cannot express");
  if (!vocabulary.steps.empty())
    return makeInputError(plan.model.path,
                          "its tokenizer changes texts before they are cut, "
                          "which GGUF cannot express");
  for (const SpecialRule &rule : vocabulary.specialRules)
    if (rule.stripLeft || rule.stripRight || rule.singleWord)
      return makeInputError(plan.model.path,
                            "its tokenizer has lstrip, rstrip or single_word "
                            "for the token " +
                                quote(vocabulary.tokens[rule.id]) +
                                ", which GGUF cannot express");
  return Error::success();
}

void addByteLevel(const Vocabulary &vocabulary, int64_t count, Head &head) {
  head.string(GGML "model", "gpt2");
  head.string(GGML "pre", getPreName(vocabulary).str());
  TokenTable table;
  for (auto [token, type] : zip_equal(vocabulary.tokens, vocabulary.types)) {
    table.texts.push_back(type == TokenType::Normal ? encodeByteLevel(token)
                                                    : token);
    table.types.push_back(int32_t(type));
  }
  table.pad(count);
  head.strings(GGML "tokens", table.texts);
  head.integers(GGML "token_type", table.types);
  std::vector<std::string> merges;
  merges.reserve(vocabulary.merges.size());
  for (const Merge &merge : vocabulary.merges)
    merges.push_back(table.texts[merge.left] + " " + table.texts[merge.right]);
  head.strings(GGML "merges", merges);
}

Error addSentencePiece(const WritePlan &plan, const Vocabulary &vocabulary,
                       int64_t count, Head &head) {
  if (!vocabulary.steps.empty())
    return makeInputError(plan.model.path,
                          "its tokenizer puts a space in front of the first "
                          "stretch of a text alone, which GGUF cannot express");
  SentencePieceOptions options;
  auto pieces = readSentencePieces(vocabulary.sentencePieceModel,
                                   plan.model.path, options);
  if (!pieces)
    return pieces.takeError();
  if (!options.charsMap.empty())
    return makeInputError(plan.model.path,
                          "its tokenizer has normalization rules, which the "
                          "reader of GGUF files does not support");
  TokenTable table;
  for (auto [piece, type] : zip_equal(*pieces, vocabulary.types)) {
    table.texts.push_back(piece.text);
    bool isUnknown = piece.type == TokenType::Unknown;
    table.types.push_back(int32_t(isUnknown ? piece.type : type));
    table.scores.push_back(piece.score);
  }
  table.pad(count);
  head.string(GGML "model", "llama");
  head.strings(GGML "tokens", table.texts);
  head.floats(GGML "scores", table.scores);
  head.integers(GGML "token_type", table.types);
  head.boolean(GGML "add_space_prefix", options.addSpacePrefix);
  head.boolean(GGML "remove_extra_whitespaces", options.removeExtraSpaces);
  return Error::success();
}

/// The id of what a template sees as `name`. The text of a sentencepiece model's
/// unknown piece is kept as decoding writes it.
std::optional<int64_t> findNamedToken(const Vocabulary &vocabulary,
                                      StringRef name) {
  auto unknown = find(vocabulary.types, TokenType::Unknown);
  for (const auto &[key, text] : vocabulary.specialTokens) {
    if (key != name)
      continue;
    if (name == "unk_token" && unknown != vocabulary.types.end())
      return unknown - vocabulary.types.begin();
    return findToken(text, vocabulary);
  }
  return std::nullopt;
}

/// The tokens that templates see, bos and eos apart, and the templates.
void addChat(const Vocabulary &vocabulary, Head &head) {
  for (const GgufNamedToken &named : getGgufNamedTokens().drop_front(2))
    if (auto id = findNamedToken(vocabulary, named.name))
      head.u32(named.key, uint64_t(*id));
  if (!vocabulary.chatTemplate.empty())
    head.string("tokenizer.chat_template", vocabulary.chatTemplate);
  std::vector<std::string> names;
  for (const auto &[name, text] : vocabulary.chatTemplates) {
    head.string((kGgufTemplatePrefix + name).str(), text);
    names.push_back(name);
  }
  if (!names.empty())
    head.strings(kGgufTemplateNames, names);
}

Error addTokenizer(const WritePlan &plan, Head &head) {
  const ModelConfig &config = plan.getConfig();
  if (config.bosToken)
    head.u32(GGML "bos_token_id", *config.bosToken);
  constexpr StringLiteral kEnds[] = {GGML "eos_token_id", GGML "eot_token_id",
                                     GGML "eom_token_id"};
  for (auto [i, key] : enumerate(kEnds))
    if (i < config.eosTokens.size())
      head.u32(key, config.eosTokens[i]);
  if (!plan.model.vocabulary) {
    head.string(GGML "model", "none");
    return Error::success();
  }
  const Vocabulary &vocabulary = *plan.model.vocabulary;
  head.boolean(GGML "add_bos_token", vocabulary.addBos);
  head.boolean(GGML "add_eos_token", vocabulary.addEos);
  addChat(vocabulary, head);
  if (vocabulary.kind == VocabularyKind::SentencePiece)
    return addSentencePiece(plan, vocabulary, config.vocab, head);
  if (vocabulary.kind == VocabularyKind::Unigram)
    return makeInputError(plan.model.path, "its tokenizer is a Unigram, which "
                                           "the reader of GGUF files does not "
                                           "support");
  if (vocabulary.kind == VocabularyKind::CharacterBPE) {
    auto pieces = convertByteFallbackBpe(vocabulary, plan.model.path);
    if (!pieces)
      return pieces.takeError();
    return addSentencePiece(plan, *pieces, config.vocab, head);
  }
  if (Error error = checkByteLevel(plan, vocabulary))
    return error;
  addByteLevel(vocabulary, config.vocab, head);
  return Error::success();
}

#undef GGML

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// The embedding and the output matrix are rounded to 8 bits where the layers
/// are rounded to 4: nothing after the output makes up for its errors, and
/// what the embedding loses is missing in every layer. llama-compile's int4
/// does the same. Blocks of 4 bits that are there already are kept.
DType getGgufType(const WritePlan &plan, const TensorInfo &tensor) {
  bool isVector = tensor.shape.size() == 1;
  if (isVector)
    return DType::F32;
  DType type = plan.dtype.value_or(tensor.dtype);
  bool isEnd = tensor.name == "tok_embeddings" || tensor.name == "output";
  bool isRounded = type != tensor.dtype;
  return isEnd && isRounded && type == DType::Q4_0 ? DType::Q8_0 : type;
}

Error checkBlocks(const TensorInfo &tensor, DType type) {
  if (tensor.getColumns() % getBlockElements(type) == 0)
    return Error::success();
  return makeInputError(tensor.file, "tensor " + quote(tensor.name) + ": has " +
                                         Twine(tensor.getColumns()) +
                                         " columns, expected a multiple of " +
                                         Twine(getBlockElements(type)) +
                                         " for " + getName(type));
}

} // namespace

Error writeGguf(const WritePlan &plan, OutputFile &file) {
  const ModelConfig &config = plan.getConfig();
  Head head;
  DType matrices = getGgufType(plan, plan.get("layers.0.attention.wq"));
  head.string("general.architecture", "llama");
  head.string("general.name", plan.model.name);
  head.u32("general.file_type", getFileType(matrices));
  head.u32("general.quantization_version", kQuantizationVersion);
  head.u32("general.alignment", kAlignment);
  addHyperParameters(config, head);
  if (Error error = addTokenizer(plan, head))
    return error;

  std::vector<double> divisors;
  if (!findScalingOfKeys(config))
    divisors = getRopeDivisors(config);
  std::vector<float> rounded(divisors.begin(), divisors.end());
  if (!rounded.empty())
    head.tensor("rope_freqs.weight", int64_t(rounded.size()), DType::F32);
  auto names = getTensorNames(config, /*withOutput=*/false);
  for (const std::string &name : names) {
    const TensorInfo &tensor = plan.get(name);
    DType type = getGgufType(plan, tensor);
    if (Error error = checkBlocks(tensor, type))
      return error;
    head.tensor(getSourceName(name, Naming::Gguf), tensor.shape, type);
  }
  if (Error error = file.appendText(head.print()))
    return error;
  if (Error error = file.pad(kAlignment))
    return error;
  if (Error error = file.append({reinterpret_cast<const char *>(rounded.data()),
                                 rounded.size() * sizeof(float)}))
    return error;
  for (const std::string &name : names) {
    const TensorInfo &tensor = plan.get(name);
    if (Error error = file.pad(kAlignment))
      return error;
    if (Error error = plan.append(tensor, getGgufType(plan, tensor),
                                  /*halfSplit=*/false, file))
      return error;
  }
  return file.pad(kAlignment);
}

} // namespace llamaweights
