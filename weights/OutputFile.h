//===- OutputFile.h - Files that are whole or absent ------------*- C++ -*-===//
//
// Written next to their name and renamed at the end: P6. A signal or an error
// leaves nothing behind.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_OUTPUTFILE_H
#define LLAMA_WEIGHTS_OUTPUTFILE_H

#include "files/OutputPlace.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>

namespace llamaweights {

/// One file. Bytes are appended; what was appended may be overwritten.
class OutputFile {
public:
  /// To be renamed to `path` when it is kept; a stream of that name (a pipe, a
  /// device, "-") is then written to. Refused, now and when it is kept: what
  /// the process reads, and streams if the file is not written in order.
  static llvm::Expected<OutputFile>
  create(llvm::StringRef path,
         llamafiles::Order order = llamafiles::Order::Streamed);
  /// Of a folder that is itself temporary: written under its own name.
  static llvm::Expected<OutputFile> createIn(llvm::StringRef folder,
                                             llvm::StringRef name);
  OutputFile(OutputFile &&other) noexcept;
  OutputFile &operator=(OutputFile &&) = delete;
  ~OutputFile(); ///< removes what was not kept

  uint64_t getSize() const { return size; }
  /// Where the bytes are until they are kept.
  llvm::StringRef getTemporaryPath() const { return temporary; }
  llvm::Error append(llvm::ArrayRef<char> bytes);
  llvm::Error appendText(llvm::StringRef text) {
    return append({text.data(), text.size()});
  }
  /// Zeros up to a multiple of `alignment`.
  llvm::Error pad(uint64_t alignment);
  /// Bytes at a place that need not have been appended yet.
  llvm::Error write(uint64_t offset, llvm::ArrayRef<char> bytes);
  /// What is appended next lies that many bytes further on.
  void skip(uint64_t bytes) { size += bytes; }
  /// Bytes that have been written.
  llvm::Error read(uint64_t offset, llvm::MutableArrayRef<char> bytes) const;
  /// Gives the file its name.
  llvm::Error keep(bool isExecutable = false);

private:
  OutputFile() = default;
  llvm::Error copyToStream();
  llvm::Error setPermissions(bool isExecutable);

  std::string path, temporary; ///< equal in a temporary folder
  llamafiles::Order order = llamafiles::Order::Streamed;
  llamafiles::OutputPlace place;
  int descriptor = -1;
  uint64_t size = 0;
};

/// A folder of files.
class OutputFolder {
public:
  /// `path` must not exist, or be an empty folder.
  static llvm::Expected<OutputFolder> create(llvm::StringRef path);
  OutputFolder(OutputFolder &&other) noexcept;
  OutputFolder &operator=(OutputFolder &&) = delete;
  ~OutputFolder(); ///< removes what was not kept

  /// A new file, which may lie in folders of the folder ("a/b/c").
  llvm::Expected<OutputFile> createFile(llvm::StringRef name) const {
    return OutputFile::createIn(temporary, name);
  }
  /// A file with that text.
  llvm::Error writeFile(llvm::StringRef name, llvm::StringRef text) const;
  /// Where a file of the folder is until the folder is kept.
  std::string getTemporaryPath(llvm::StringRef name) const;
  /// A copy of a file.
  llvm::Error copyFile(llvm::StringRef from, llvm::StringRef name) const;
  llvm::Error keep();

private:
  OutputFolder() = default;

  std::string path, temporary;
};

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_OUTPUTFILE_H
