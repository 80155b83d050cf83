//===- TextSteps.h - Normalizers and what adds spaces -----------*- C++ -*-===//
//
// Section TextSteps  =>  "Hi there", step by step: " Hi there"
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_TOKENIZER_TEXTSTEPS_H
#define LLAMA_RUNTIME_TEXT_TOKENIZER_TEXTSTEPS_H

#include "runtime/abi/TokenizerFormat.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace llamart {

class TextSteps {
public:
  /// Reads the section, whose texts must stay where they are. Throws Error
  /// (Model) if rule F9 is broken.
  explicit TextSteps(std::string_view section);

  bool has(llamaabi::TextPhase phase) const;

  /// A text, which must be UTF-8, after the steps of a phase. `isStart`: the
  /// text begins the prompt.
  std::string run(llamaabi::TextPhase phase, std::string_view text,
                  bool isStart = false) const;

  /// The pieces that steps of the kind CutBefore make of a text.
  void cut(std::string_view text,
           const std::function<void(std::string_view)> &take) const;

private:
  struct Step {
    llamaabi::TextStepKind kind;
    llamaabi::TextPhase phase;
    std::string_view from, to;
  };
  std::vector<Step> steps;
};

/// Bytes of white space (Unicode's White_Space) at one end of a text.
size_t countSpacesInFront(std::string_view text);
size_t countSpacesAtEnd(std::string_view text);

} // namespace llamart

#endif // LLAMA_RUNTIME_TEXT_TOKENIZER_TEXTSTEPS_H
