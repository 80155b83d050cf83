//===- TokenColors.h - Colours tokens by what the sampler saw ---*- C++ -*-===//

#ifndef LLAMA_RUNTIME_TOOLS_GENERATE_TOKENCOLORS_H
#define LLAMA_RUNTIME_TOOLS_GENERATE_TOKENCOLORS_H

#include "llamart/llamart.h"

#include <set>
#include <string>
#include <string_view>

namespace llamart::tools {

/// By the sampler's state where it has one, else by surprise, -log2 of the
/// token's probability. ANSI escapes with colours every terminal knows.
class TokenColors {
public:
  /// Before the text of a token is printed.
  void look(const llamart_step &step);

  /// The text in the last token's colour.
  std::string paint(std::string_view text) const;

  /// What follows belongs to no step.
  void rest() { current = 0; }

  /// What the colours seen mean; one line, empty if nothing was seen.
  std::string getLegend() const;

private:
  size_t current = 0; ///< 0: none
  std::set<size_t> seen;
};

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_GENERATE_TOKENCOLORS_H
