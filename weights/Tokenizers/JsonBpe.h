//===- JsonBpe.h - What a tokenizer.json holds, whatever its kind -*- C++ -*-===//
//
// Vocabulary, merges and added tokens, and the values of steps that may be absent
// or of another type. What they make together is TokenizerJson's question.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_TOKENIZERS_JSONBPE_H
#define LLAMA_WEIGHTS_TOKENIZERS_JSONBPE_H

#include "weights/Vocabulary.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <nlohmann/json.hpp>

namespace llamaweights {

/// The model and the added tokens of a tokenizer.json; index: id. The model may
/// be a BPE or a Unigram.
struct JsonBpe {
  std::vector<std::string> tokens; ///< as the file spells them
  std::vector<TokenType> types;
  std::vector<Merge> merges;      ///< in rank order; BPE
  std::vector<double> scores;     ///< Unigram
  std::vector<SpecialRule> rules; ///< of every added token
};

/// The value of a key, null if there is none.
const nlohmann::json &getMember(const nlohmann::json &object, const char *key);
/// It as a string, empty if it is not one.
llvm::StringRef getString(const nlohmann::json &object, const char *key);
bool getBool(const nlohmann::json &object, const char *key, bool otherwise);
llvm::StringRef getType(const nlohmann::json &object);

/// The steps of a Sequence, or the one step that stands for itself, or none.
std::vector<nlohmann::json> getSteps(const nlohmann::json &step,
                                     const char *listKey);
/// "'Digits', 'ByteLevel'", for messages.
std::string describeSteps(llvm::ArrayRef<nlohmann::json> steps);

/// tokenizer.json as far as its kind does not matter.
class BpeReader {
public:
  BpeReader(const nlohmann::json &root, llvm::StringRef where)
      : root(root), model(getMember(root, "model")), where(where) {}

  llvm::Error read();
  bool isUnigram() const { return getType(model) == "Unigram"; }
  llvm::Error fail(const llvm::Twine &key, const llvm::Twine &message) const;

  const nlohmann::json &root;
  const nlohmann::json &model;
  std::string where;
  JsonBpe bpe;
  llvm::StringMap<uint32_t> ids; ///< of the model's own tokens

private:
  llvm::Error addToken(llvm::StringRef text, const nlohmann::json &id,
                       const llvm::Twine &key, TokenType type);
  llvm::Error readVocab();
  llvm::Error readScores();
  llvm::Error addAddedToken(const nlohmann::json &token);
  llvm::Error readAddedTokens();
  llvm::Error readMerges();
};

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_TOKENIZERS_JSONBPE_H
