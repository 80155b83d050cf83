//===- Commands.h - What llama-weights can do -------------------*- C++ -*-===//
//
// One function for each subcommand. They print results on standard output and
// return what went wrong.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_TOOLS_COMMANDS_H
#define LLAMA_WEIGHTS_TOOLS_COMMANDS_H

#include "weights/CheckpointFormat.h"
#include "weights/DType.h"
#include "weights/Formats/CompiledModel.h"
#include "weights/Formats/OpenedModel.h"

#include <map>

namespace llamaweights {

/// What PATH turned out to be.
struct Subject {
  std::string path;
  std::optional<OpenedModel> model;          ///< of a checkpoint
  std::optional<llamaabi::ModelInfo> info;   ///< of a model.so
  std::unique_ptr<Checkpoint> other;         ///< of anything but a checkpoint
  std::map<std::string, std::string> hashes; ///< that a model.so states

  const Checkpoint &getCheckpoint() const {
    return other ? *other : *model->checkpoint;
  }
  uint64_t getBytes() const;
};

/// Says on standard error what was concluded about a checkpoint though its files
/// do not say so.
void printNotes(const OpenedModel &model);

/// Opens what is there, and prints such notes.
llvm::Expected<Subject> openSubject(llvm::StringRef path, LinkPolicy links);

struct InspectOptions {
  bool statistics = false, json = false, quiet = false;
};
llvm::Error inspect(const Subject &subject, InspectOptions options);

struct VerifyOptions {
  std::string manifest;      ///< file to compare with, or empty
  std::string writeManifest; ///< file to write, or empty
  bool quiet = false;
};
/// The number of complaints, which have been printed.
llvm::Expected<int> verify(llvm::StringRef path, LinkPolicy links,
                           const VerifyOptions &options);

struct TokenizeOptions {
  std::optional<std::string> text; ///< to encode
  std::string textFile;            ///< a file to encode, or empty
  std::optional<std::string> ids;  ///< to decode: "1,2,3"
  bool addBos = true;              ///< where the tokenizer says so
  bool special = false; ///< special tokens are found in texts, and printed
  bool json = false;
};
/// `path`: whatever has a tokenizer.
llvm::Error tokenize(llvm::StringRef path, LinkPolicy links,
                     const TokenizeOptions &options);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_TOOLS_COMMANDS_H
