//===- Progress.cpp - How far a long job is -------------------------------===//

#include "runtime/tools/measure/Progress.h"

#include <cstdio>
#include <unistd.h>
#include <utility>

namespace llamart::tools {

Progress::Progress(std::string what, size_t total, bool quiet)
    : what(std::move(what)), total(total), quiet(quiet),
      terminal(isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  if (terminal && !quiet && done > 0)
    std::fprintf(stderr, "\r\x1b[K");
}

void Progress::step() {
  ++done;
  constexpr std::chrono::milliseconds kTerminal(100), kLines(5000);
  auto now = std::chrono::steady_clock::now();
  if (quiet || now - shown < (terminal ? kTerminal : kLines))
    return;
  shown = now;
  if (!terminal) {
    std::fprintf(stderr, "%s %zu of %zu\n", what.c_str(), done, total);
    return;
  }
  constexpr size_t kWidth = 30;
  size_t filled = kWidth * done / total;
  std::string bar(filled, '#');
  bar.resize(kWidth, '.');
  std::fprintf(stderr, "\r\x1b[K[%s] %s %zu of %zu", bar.c_str(), what.c_str(),
               done, total);
}

} // namespace llamart::tools
