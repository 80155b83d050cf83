//===- File.h - A regular file opened for reading ---------------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_MODEL_FILE_H
#define LLAMA_RUNTIME_MODEL_FILE_H

#include <cstdint>
#include <string>

namespace llamart {

/// Every failure is an Error(Model) that begins with the path.
class File {
public:
  explicit File(std::string path);
  /// The file behind an open descriptor, which stays the caller's. `name` stands
  /// for its path.
  File(int descriptor, std::string name);
  File(const File &) = delete;
  File &operator=(const File &) = delete;
  ~File();

  const std::string &getPath() const { return path; }
  int getDescriptor() const { return descriptor; }
  uint64_t getSize() const { return size; }

  /// Reads exactly bytes [offset, offset + bytes) into `out`.
  void read(uint64_t offset, void *out, uint64_t bytes) const;

private:
  void checkKind();

  std::string path;
  int descriptor = -1;
  uint64_t size = 0;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_MODEL_FILE_H
