//===- Progress.cpp - How far a long step has come ------------------------===//

#include "compiler/tools/Progress.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::llama;

static constexpr int kWidth = 30;

ProgressBar::ProgressBar(llvm::StringRef what, bool quiet)
    : what(what), isShown(!quiet && llvm::errs().is_displayed()) {}

ProgressBar::~ProgressBar() {
  if (isShown)
    llvm::errs() << "\r\x1b[K";
}

void ProgressBar::update(uint64_t done, uint64_t total) {
  auto now = std::chrono::steady_clock::now();
  if (!isShown || now - lastDrawn < std::chrono::milliseconds(50))
    return;
  lastDrawn = now;
  double part = total ? static_cast<double>(done) / total : 1.0;
  int filled = static_cast<int>(part * kWidth);
  llvm::errs() << llvm::formatv(
      "\r{0}  [{1}{2}] {3,3} %  {4:f1} of {5:f1} GB\x1b[K", what,
      std::string(filled, '#'), std::string(kWidth - filled, '-'),
      static_cast<int>(part * 100), done / 1e9, total / 1e9);
}
