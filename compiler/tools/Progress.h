//===- Progress.h - How far a long step has come ----------------*- C++ -*-===//
//
//   weights  [#########-----------]  46 %  1.2 of 2.5 GB
//
// A bar on a terminal, nothing elsewhere.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_TOOLS_PROGRESS_H
#define LLAMA_COMPILER_TOOLS_PROGRESS_H

#include "llvm/ADT/StringRef.h"

#include <chrono>
#include <cstdint>

namespace mlir::llama {

class ProgressBar {
public:
  ProgressBar(llvm::StringRef what, bool quiet);
  ~ProgressBar(); ///< wipes the bar

  void update(uint64_t done, uint64_t total);

private:
  llvm::StringRef what;
  bool isShown;
  std::chrono::steady_clock::time_point lastDrawn;
};

} // namespace mlir::llama

#endif // LLAMA_COMPILER_TOOLS_PROGRESS_H
