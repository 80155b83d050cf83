//===- InputFile.h - Bytes of a file, read where they are asked for -*-C++-*-=//
//
// A regular file (or, in tests, a buffer) of known size. Reads are positioned
// (pread), so several threads may share one InputFile and nothing of the file
// stays in the memory of the process.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_INPUTFILE_H
#define LLAMA_WEIGHTS_INPUTFILE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <memory>
#include <string>

namespace llamaweights {

class InputFile {
public:
  enum class Handle : uint8_t {
    Kept,     ///< one descriptor for the life of the object
    Reopened, ///< a descriptor per read: for folders with thousands of files
  };

  /// Refuses what is not a regular file: folders, pipes, devices; and what a
  /// download that went wrong leaves in a file's place: a pointer of Git LFS, a
  /// web page.
  static llvm::Expected<std::shared_ptr<InputFile>>
  open(llvm::StringRef path, Handle handle = Handle::Kept);

  /// A file that is a buffer; `path` is what messages call it.
  static std::shared_ptr<InputFile> fromMemory(llvm::StringRef path,
                                               llvm::StringRef bytes);

  ~InputFile();
  InputFile(const InputFile &) = delete;
  InputFile &operator=(const InputFile &) = delete;

  llvm::StringRef getPath() const { return path; }
  uint64_t getSize() const { return size; }

  /// Fills `out` with the bytes from `offset` on. They must lie in the file as
  /// it was when it was opened; a file that has changed since is an error.
  llvm::Error read(uint64_t offset, llvm::MutableArrayRef<char> out) const;

  /// The whole file. `limit` bytes is the most that makes sense for its kind.
  llvm::Expected<std::string> readAll(uint64_t limit) const;

private:
  InputFile() = default;

  std::string path;
  uint64_t size = 0;
  int descriptor = -1;
  uint64_t device = 0, inode = 0; ///< who the path meant when it was opened
  std::string memory;
  bool inMemory = false;
};

/// The text of a file of at most 64 MiB.
llvm::Expected<std::string> readTextFile(llvm::StringRef path);

/// Whether a file can be read and begins with these bytes.
bool beginsWith(llvm::StringRef path, llvm::StringRef magic);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_INPUTFILE_H
