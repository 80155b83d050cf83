//===- Progress.h - How far a long step has come ----------------*- C++ -*-===//
//
//   verify   [#########-----------]  46 %  1.2 of 2.5 GB
//
// A bar on a terminal, nothing elsewhere.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_TOOLS_PROGRESS_H
#define LLAMA_WEIGHTS_TOOLS_PROGRESS_H

#include "llvm/ADT/StringRef.h"

#include <chrono>
#include <cstdint>

namespace llamaweights {

class Progress {
public:
  Progress(llvm::StringRef what, uint64_t total, bool isQuiet);
  ~Progress(); ///< wipes the bar
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  /// That many more bytes are done.
  void add(int64_t bytes);

private:
  llvm::StringRef what;
  uint64_t done = 0, total;
  bool isShown;
  std::chrono::steady_clock::time_point lastDrawn;
};

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_TOOLS_PROGRESS_H
