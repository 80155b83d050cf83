//===- GgufKeys.h - Typed access to the keys of a *.gguf file ---*- C++ -*-===//
//
// A KeyReader, and what GGUF files have beyond single values: arrays.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_CONTAINERS_GGUFKEYS_H
#define LLAMA_WEIGHTS_CONTAINERS_GGUFKEYS_H

#include "weights/Containers/Gguf.h"
#include "weights/Containers/KeyReader.h"

namespace llamaweights {

class GgufKeys final : public KeyReader {
public:
  explicit GgufKeys(const GgufFile &file) : KeyReader(file.path), file(file) {}

  bool has(llvm::StringRef key) override { return get(key) != nullptr; }

  /// One integer, or an array of `count` equal ones (a value per layer).
  void readPerLayer(llvm::StringRef key, int64_t count, int64_t &out);

  /// An array of strings that must be there; empty after a complaint.
  llvm::ArrayRef<std::string> readStrings(llvm::StringRef key);
  /// An array of `count` elements that must be there, null after a complaint.
  const GgufValue *readArray(llvm::StringRef key, size_t count);

  /// Refuses keys below `prefix` that nobody asked for.
  void refuseUnknown(llvm::StringRef prefix);

  /// The first complaint.
  llvm::Error finish();

private:
  std::optional<KeyValue> lookUp(llvm::StringRef key) override;
  const GgufValue *get(llvm::StringRef key);
  const GgufValue *requireArray(llvm::StringRef key);

  const GgufFile &file;
};

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CONTAINERS_GGUFKEYS_H
