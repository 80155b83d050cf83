//===- NpyFile.h - Writes a matrix row by row into a .npy file --*- C++ -*-===//
//
// The file is written beside its name and renamed when it is complete, so it is
// whole or absent: not finished, interrupted by a signal or out of disk space,
// nothing is left. A name that is a device or a pipe is written in place.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TOOLS_GENERATE_NPYFILE_H
#define LLAMA_RUNTIME_TOOLS_GENERATE_NPYFILE_H

#include <cstdint>
#include <cstdio>
#include <string>

namespace llamart::tools {

/// Failures are std::runtime_error "FILE: reason".
class NpyFile {
public:
  /// float32 [rows, columns]; the rows are counted as they come.
  NpyFile(std::string path, int64_t columns);
  NpyFile(const NpyFile &) = delete;
  NpyFile &operator=(const NpyFile &) = delete;
  ~NpyFile(); ///< removes what was not finished

  /// `data` is [rows, columns].
  void write(const float *data, int64_t rows);

  /// Completes the file under its name.
  void finish();

private:
  [[noreturn]] void fail() const; // with errno's reason
  void open();
  void discard(); // what is not finished
  void writeHeader();

  std::string path, temporary; // temporary: empty if written in place
  int64_t columns, rows = 0;
  FILE *file = nullptr;
};

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_GENERATE_NPYFILE_H
