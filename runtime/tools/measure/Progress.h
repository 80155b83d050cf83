//===- Progress.h - How far a long job is -----------------------*- C++ -*-===//
//
// On standard error: a line that is overwritten on a terminal, otherwise a line
// every few seconds.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TOOLS_MEASURE_PROGRESS_H
#define LLAMA_RUNTIME_TOOLS_MEASURE_PROGRESS_H

#include <chrono>
#include <cstddef>
#include <string>

namespace llamart::tools {

class Progress {
public:
  /// "what 1 of total"
  Progress(std::string what, size_t total, bool quiet);
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;
  ~Progress(); ///< takes the line away

  /// One more is done.
  void step();

private:
  std::string what;
  size_t total, done = 0;
  bool quiet, terminal;
  std::chrono::steady_clock::time_point shown =
      std::chrono::steady_clock::now();
};

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_MEASURE_PROGRESS_H
