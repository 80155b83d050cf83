//===- ProgressBar.h - How far a long step has come -------------*- C++ -*-===//
//
//   verify   [#########-----------]  46 %  1.2 of 2.5 GB
//
// A bar on a terminal, nothing elsewhere. For tools: libraries do not print,
// they call whom they are given.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_PROGRESSBAR_H
#define LLAMA_WEIGHTS_PROGRESSBAR_H

#include "llvm/ADT/StringRef.h"

#include <chrono>
#include <cstdint>

namespace llamaweights {

class ProgressBar {
public:
  /// `total`, in bytes, is for add().
  ProgressBar(llvm::StringRef what, bool isQuiet, uint64_t total = 0);
  ~ProgressBar(); ///< wipes the bar
  ProgressBar(const ProgressBar &) = delete;
  ProgressBar &operator=(const ProgressBar &) = delete;

  /// That many more bytes are done.
  void add(int64_t bytes) { update(done + uint64_t(bytes), total); }
  /// That many bytes are done, of so many.
  void update(uint64_t done, uint64_t total);

private:
  llvm::StringRef what;
  uint64_t done = 0, total;
  bool isShown;
  std::chrono::steady_clock::time_point lastDrawn;
};

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_PROGRESSBAR_H
