//===- TypedLines.h - Lines of stdin, and Ctrl-C --------------------------===//

#ifndef LLAMA_RUNTIME_TOOLS_GENERATE_TYPEDLINES_H
#define LLAMA_RUNTIME_TOOLS_GENERATE_TYPEDLINES_H

#include <csignal>
#include <string>

namespace llamart::tools {

/// Lines of stdin. While this lives, of which there is one at a time, Ctrl-C
/// ends no program: it is kept until somebody asks, and wakes who waits for a
/// line, whenever it comes and whichever thread it meets.
class TypedLines {
public:
  TypedLines();
  ~TypedLines();
  TypedLines(const TypedLines &) = delete;
  TypedLines &operator=(const TypedLines &) = delete;

  /// The next line without its end; false at the end of stdin or at Ctrl-C,
  /// also at one that came before.
  bool read(std::string &line);

  static bool isInterrupted();
  /// Ctrl-C has been obeyed.
  static void forgetInterrupt();

private:
  struct sigaction before = {};
  std::string buffer; // what was read beyond the last line
};

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_GENERATE_TYPEDLINES_H
