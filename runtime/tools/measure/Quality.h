//===- Quality.h - How well a model predicts a text -------------*- C++ -*-===//
//
// models and a text  =>  perplexity of each, and how far the distributions of
//                        each are from those of a reference
//
// The text is cut into chunks of the context's length. Each begins with what
// the tokenizer puts before a text, if it does, and every later token of it is
// predicted from those before it; so the first token of a text is predicted
// only by models with a bos token.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TOOLS_MEASURE_QUALITY_H
#define LLAMA_RUNTIME_TOOLS_MEASURE_QUALITY_H

#include "llamart/llamart.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace llamart::tools {

struct QualityOptions {
  std::vector<std::string> models;
  std::optional<std::string> reference;
  std::string text;               ///< a file's name
  std::optional<int64_t> context; ///< tokens of a chunk; at least 2
  bool json = false, quiet = false;
  llamart_engine_options engine = LLAMART_ENGINE_OPTIONS;
};

/// Measures and prints. Throws what std::exception says in one line.
void measureQuality(const QualityOptions &options);

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_MEASURE_QUALITY_H
