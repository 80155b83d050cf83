//===- OutputFile.h - A file that is whole or absent ------------*- C++ -*-===//
//
// Written beside its name and renamed at the end: P6. A signal or an error
// leaves nothing behind.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_OUTPUT_OUTPUTFILE_H
#define LLAMA_COMPILER_OUTPUT_OUTPUTFILE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"

#include <optional>
#include <string>

namespace mlir::llama {

class OutputFile {
public:
  static llvm::Expected<OutputFile> create(llvm::StringRef path);
  OutputFile(OutputFile &&) = default;
  ~OutputFile(); ///< removes what was not kept

  /// Where the bytes are until they are kept.
  llvm::StringRef getTemporaryPath() const { return file->TmpName; }

  llvm::Error write(uint64_t offset, llvm::ArrayRef<char> bytes);
  llvm::Error read(uint64_t offset, llvm::MutableArrayRef<char> bytes) const;

  /// Gives the file its name; a pipe or a device of that name is written to.
  llvm::Error keep(bool isExecutable = false);

private:
  OutputFile(llvm::StringRef path, llvm::sys::fs::TempFile file)
      : path(path), file(std::move(file)) {}

  llvm::Error copyToDevice();

  std::string path;
  std::optional<llvm::sys::fs::TempFile> file;
};

} // namespace mlir::llama

#endif // LLAMA_COMPILER_OUTPUT_OUTPUTFILE_H
