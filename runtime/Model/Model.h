//===- Model.h - An open model.so -------------------------------*- C++ -*-===//
//
// model.so, by its path or open, or linked into the program
//   =>  the forward function, the weights, what it says about itself
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
#include "runtime/Model/CopyWeights.h"
#include "runtime/Model/Memory.h"
#include "runtime/Model/ModelSymbols.h"
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
  /// Throw Error(Model) or, for WeightsMode::Copied, Error(Memory), and
  /// Error(Cancelled) if `progress`, which is told of the copying, gives up.
  static std::shared_ptr<const Model> open(const std::string &path,
                                           WeightsMode mode,
                                           const Progress &progress = {});
  /// The very file behind a descriptor, which stays the caller's; weights in a
  /// file of their own are refused.
  static std::shared_ptr<const Model> openFile(int descriptor, WeightsMode mode,
                                               const Progress &progress = {});
  static std::shared_ptr<const Model>
  openLinked(const llama_linked_model &linked, WeightsMode mode,
             const Progress &progress = {});
  ~Model();
  Model(const Model &) = delete;
  Model &operator=(const Model &) = delete;

  /// Its path, or what stands for it in messages.
  const std::string &getPath() const { return symbols->getName(); }
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
  void forward(const llama_call &call) const { functions.forward(&call); }

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
  /// Where the bytes are.
  enum class Origin : uint8_t { Path, Descriptor, Program };

  Model(std::unique_ptr<const ModelSymbols> symbols, Origin origin,
        WeightsMode mode)
      : symbols(std::move(symbols)), origin(origin), mode(mode) {}

  static std::shared_ptr<const Model>
  open(std::unique_ptr<const ModelSymbols> symbols, Origin origin,
       WeightsMode mode, const Progress &progress);
  template <typename... Parts>
  [[noreturn]] void fail(const Parts &...parts) const;
  void checkHeader();
  void readInfo();
  void checkSize(const char *name, uint64_t bytes) const;
  void checkBlockSize() const;
  void findCode();
  void findWeights();
  void mapWeightsFile();
  void placeWeights(const Progress &progress);
  /// Whether pages of the weights can be read again from a file: those of a
  /// program may have come from elsewhere.
  bool isFile() const { return origin != Origin::Program; }
  std::vector<int32_t> collectStopTokens() const;
  template <typename Function>
  void withPath(Function function) const;

  std::unique_ptr<const ModelSymbols> symbols;
  Origin origin;
  WeightsMode mode;
  const llama_model_header *header = nullptr;
  ModelSymbols::Code functions = {};
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
