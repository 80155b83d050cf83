//===- ProgressBar.cpp - How far a long step has come ---------------------===//
//
// Drawn at most twenty times a second.
//
//===----------------------------------------------------------------------===//

#include "weights/ProgressBar.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using namespace llvm;

namespace llamaweights {

static constexpr int kWidth = 30;

ProgressBar::ProgressBar(StringRef what, bool isQuiet, uint64_t total)
    : what(what), total(total), isShown(!isQuiet && errs().is_displayed()) {}

ProgressBar::~ProgressBar() {
  if (isShown)
    errs() << "\r\x1b[K";
}

void ProgressBar::update(uint64_t newDone, uint64_t newTotal) {
  done = newDone;
  total = newTotal;
  auto now = std::chrono::steady_clock::now();
  if (!isShown || now - lastDrawn < std::chrono::milliseconds(50))
    return;
  lastDrawn = now;
  double part = total ? std::min(1.0, double(done) / double(total)) : 1.0;
  int filled = int(part * kWidth);
  errs() << formatv("\r{0}  [{1}{2}] {3,3} %  {4:f1} of {5:f1} GB\x1b[K", what,
                    std::string(size_t(filled), '#'),
                    std::string(size_t(kWidth - filled), '-'), int(part * 100),
                    double(done) / 1e9, double(total) / 1e9);
}

} // namespace llamaweights
