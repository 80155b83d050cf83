//===- ModelSymbols.h - Where a model's bytes and code are ------*- C++ -*-===//
//
// A model is a shared object that is loaded, or it is linked into the program
// that asks. Both have what LlamaABI.h names.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_MODEL_MODELSYMBOLS_H
#define LLAMA_RUNTIME_MODEL_MODELSYMBOLS_H

#include "runtime/abi/LlamaABI.h"
#include "runtime/abi/ModelInfo.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace llamart {

class ModelSymbols {
public:
  /// Functions of one CPU variant.
  struct Code {
    llama_forward_fn forward;
    llama_workspace_fn workspace;
  };

  virtual ~ModelSymbols() = default;

  /// Null if there is none.
  virtual const void *find(const char *name) const = 0;
  /// Bytes that it has, 0 if there is none; nothing if nobody knows.
  virtual std::optional<uint64_t> getSize(const char *name) const = 0;
  /// Throws Error(Model) if it lacks one.
  virtual Code getCode(const llamaabi::CodeVariant &variant) const = 0;

  /// find() that throws Error(Model) "NAME: not a model: has no symbol ...".
  const void *require(const char *symbol) const;

  const std::string &getName() const { return name; }

protected:
  explicit ModelSymbols(std::string name) : name(std::move(name)) {}

  std::string name; ///< for messages: the path
};

/// Loads the library at `path`, or the file behind an open descriptor, whatever
/// has become of its name; the descriptor may be closed afterwards. Throw
/// Error(Model) if it is not a whole shared object for this machine.
std::unique_ptr<const ModelSymbols> loadLibrary(const std::string &path);
std::unique_ptr<const ModelSymbols> loadLibrary(int descriptor);

/// `model` lives longer. Throws Error(Model) if this runtime cannot read it.
std::unique_ptr<const ModelSymbols> useLinked(const llama_linked_model &model);

} // namespace llamart

#endif // LLAMA_RUNTIME_MODEL_MODELSYMBOLS_H
