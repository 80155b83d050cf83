//===- WholeFile.h - A file that is whole or absent -------------*- C++ -*-===//
//
// Written next to its name and renamed when it is complete: not finished,
// interrupted by a signal or out of disk space, nothing is left, and what was
// there before still is. A stream is written to as it comes.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_FILES_WHOLEFILE_H
#define LLAMA_FILES_WHOLEFILE_H

#include "files/OutputPlace.h"

#include <cstdio>
#include <string>
#include <string_view>

namespace llamafiles {

/// Failures are std::runtime_error "FILE: reason".
class WholeFile {
public:
  WholeFile(const std::string &path, Order order);
  WholeFile(const WholeFile &) = delete;
  WholeFile &operator=(const WholeFile &) = delete;
  ~WholeFile(); ///< removes what was not finished

  void write(const void *bytes, size_t count);
  void write(std::string_view text) { write(text.data(), text.size()); }

  /// What is written next begins at that byte.
  void seek(long offset);

  /// Gives what was written so far to whoever reads a stream.
  void flush();

  /// Completes the file under its name.
  void finish();

private:
  [[noreturn]] void fail() const; // with errno's reason
  void open();
  void discard(); // what is not finished

  std::string path; // as it was given
  OutputPlace place;
  std::string temporary; // empty: a stream, or finished
  FILE *file = nullptr;
};

} // namespace llamafiles

#endif // LLAMA_FILES_WHOLEFILE_H
