//===- NpyFile.cpp - Writes a matrix row by row into a .npy file ----------===//

#include "runtime/tools/generate/NpyFile.h"

#include <cstdio>
#include <cstring>

namespace llamart::tools {

NpyFile::NpyFile(const std::string &path, int64_t columns)
    : file(path, llamafiles::Order::Anywhere), columns(columns) {
  writeHeader();
}

// Format version 1.0: magic, version, length of the rest, then a Python
// dictionary padded with spaces. Always 128 bytes, so that it can be written
// again when the number of rows is known.
void NpyFile::writeHeader() {
  constexpr int kBytes = 128, kPrefix = 10;
  char header[kBytes + 1];
  std::memset(header, ' ', kBytes);
  std::memcpy(header, "\x93NUMPY\x01\x00", 8);
  header[8] = kBytes - kPrefix;
  header[9] = 0;
  int length = std::snprintf(
      header + kPrefix, kBytes - kPrefix,
      "{'descr': '<f4', 'fortran_order': False, 'shape': (%lld, %lld), }",
      static_cast<long long>(rows), static_cast<long long>(columns));
  header[kPrefix + length] = ' ';
  header[kBytes - 1] = '\n';
  file.write(header, kBytes);
}

void NpyFile::write(const float *data, int64_t count) {
  file.write(data, sizeof(float) * count * columns);
  rows += count;
}

void NpyFile::finish() {
  file.seek(0);
  writeHeader();
  file.finish();
}

} // namespace llamart::tools
