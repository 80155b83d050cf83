//===- SymbolOffsets.h - Where a model.so's symbols are ---------*- C++ -*-===//
//
// Symbols => addresses => offsets in the file, by the dynamic symbol table and
// the program headers. Nothing of the file is loaded or run.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_FORMATS_SYMBOLOFFSETS_H
#define LLAMA_WEIGHTS_FORMATS_SYMBOLOFFSETS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <map>
#include <string>

namespace llamaweights {

class SymbolOffsets {
public:
  static llvm::Expected<SymbolOffsets> read(llvm::StringRef path);

  /// Offset of a symbol that has at least `bytes` bytes in the file.
  llvm::Expected<uint64_t> find(llvm::StringRef name, uint64_t bytes) const;

private:
  SymbolOffsets(llvm::StringRef path, uint64_t size) : path(path), size(size) {}

  std::string path;
  uint64_t size; ///< of the file
  std::map<std::string, uint64_t> offsets;
};

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_FORMATS_SYMBOLOFFSETS_H
