//===- NpyFile.h - Writes a matrix row by row into a .npy file --*- C++ -*-===//

#ifndef LLAMA_RUNTIME_TOOLS_GENERATE_NPYFILE_H
#define LLAMA_RUNTIME_TOOLS_GENERATE_NPYFILE_H

#include "files/WholeFile.h"

#include <cstdint>

namespace llamart::tools {

/// Failures are std::runtime_error "FILE: reason".
class NpyFile {
public:
  /// float32 [rows, columns]; the rows are counted as they come.
  NpyFile(const std::string &path, int64_t columns);

  /// `data` is [rows, columns].
  void write(const float *data, int64_t rows);

  /// Completes the file under its name; without it there is none.
  void finish();

private:
  void writeHeader();

  llamafiles::WholeFile file;
  int64_t columns, rows = 0;
};

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_GENERATE_NPYFILE_H
