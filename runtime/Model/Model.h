//===- Model.h - An open model.so -------------------------------*- C++ -*-===//
//
// model.so  =>  the forward function, the weights, what it says about itself.
//
// Everything that can be wrong with a file is found here, in this order: it is
// a whole ELF file for this machine, it has our symbols, its ABI is ours, its
// JSON is complete, the CPU has what it was built for, its weights are there.
// A Model is immutable: any number of engines and threads share one.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_MODEL_MODEL_H
#define LLAMA_RUNTIME_MODEL_MODEL_H

#include "runtime/Model/BackgroundCopy.h"
#include "runtime/Model/Memory.h"
#include "runtime/Text/ChatTemplate/ChatTemplate.h"
#include "runtime/Text/Tokenizer/Tokenizer.h"
#include "runtime/abi/LlamaABI.h"
#include "runtime/abi/ModelInfo.h"

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace llamart {

enum class WeightsMode : uint8_t {
  Mapped, ///< pages of the file, shared between processes, read when touched
  Copied, ///< copied into huge pages of this process
  Auto,   ///< mapped; copied after the first token, if there is memory
};

class Model {
public:
  /// Throws Error(Model) or, for WeightsMode::Copied, Error(Memory).
  static std::shared_ptr<const Model> open(const std::string &path,
                                           WeightsMode mode);
  ~Model();
  Model(const Model &) = delete;
  Model &operator=(const Model &) = delete;

  const std::string &getPath() const { return path; }
  const llamaabi::ModelInfo &getInfo() const { return info; }
  /// The code that runs here.
  const llamaabi::CodeVariant &getCode() const { return *code; }
  std::string_view getInfoText() const { return infoText; }
  /// Of all that decides bits: 64 hexadecimal digits; empty if the compiler was
  /// too old to say.
  std::string_view getFingerprint() const { return info.fingerprint; }
  bool hasTokenizer() const { return header->tokenizer_bytes != 0; }

  /// Bytes of one block of the KV cache.
  uint64_t getKVBlockBytes() const { return header->kv_block_bytes; }

  /// Bytes of workspace a call with so many rows needs.
  uint64_t getWorkspaceBytes(int64_t rows, int64_t logitRows) const;

  /// Where they are now: the next call may find a copy, which has the same bits.
  const void *getWeights() const {
    const char *copy = backgroundCopy ? backgroundCopy->getCopy() : nullptr;
    return copy ? copy : weights;
  }
  /// Whether they are in huge pages of this process.
  bool hasCopiedWeights() const {
    return mode == WeightsMode::Copied ||
           (backgroundCopy && backgroundCopy->getCopy());
  }
  /// Where they are and why, to be read after "weights: ".
  std::string describeWeights() const;
  /// For who is about to make a call after one whose logits are out: from now on
  /// WeightsMode::Auto may cost other threads some time.
  void beginCopy() const {
    if (backgroundCopy)
      backgroundCopy->begin();
  }
  /// Waits for it.
  void finishCopy() const {
    if (backgroundCopy)
      backgroundCopy->finish();
  }
  void forward(const llama_call &call) const { forwardFunction(&call); }

  /// Made on first use. Throw Error(Model) if the model has none that works.
  const Tokenizer &getTokenizer() const;
  const ChatTemplate &getChatTemplate() const;

  /// Jinja source of one of its other templates, by name; empty if there is
  /// none of that name.
  std::string_view findNamedTemplate(std::string_view name) const;

  /// Jinja source; empty if there is none.
  std::string_view getChatTemplateSource() const;

  /// Whether a reply ends with this token: the model's eos tokens, the
  /// tokenizer's and those of the chat template.
  bool endsReply(int32_t id) const;

private:
  Model(std::string path, WeightsMode mode)
      : path(std::move(path)), mode(mode) {}

  void load();
  void *findSymbol(const char *name) const; // null if absent
  template <typename T>
  T *requireSymbol(const char *name) const;
  void checkHeader() const;
  void readInfo();
  void checkSize(const char *name, uint64_t bytes) const;
  void checkBlockSize() const;
  void findWeights();
  void copyWeights();
  std::vector<int32_t> collectStopTokens() const;
  template <typename Function>
  void withPath(Function function) const;

  std::string path;
  WeightsMode mode;
  void *library = nullptr;
  const llama_model_header *header = nullptr;
  llama_forward_fn forwardFunction = nullptr;
  llama_workspace_fn workspaceFunction = nullptr;
  std::string_view infoText;
  llamaabi::ModelInfo info;
  const llamaabi::CodeVariant *code = nullptr; // of info
  const void *weights = nullptr;
  Pages weightPages; // of an external file or a copy
  std::unique_ptr<BackgroundCopy> backgroundCopy; // WeightsMode::Auto

  mutable std::once_flag tokenizerOnce, chatTemplateOnce, stopTokensOnce;
  mutable std::unique_ptr<Tokenizer> tokenizer;
  mutable std::unique_ptr<const ChatTemplate> chatTemplate;
  mutable std::vector<int32_t> stopTokens;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_MODEL_MODEL_H
