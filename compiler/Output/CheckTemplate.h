//===- CheckTemplate.h - Does the vocabulary have the marks? ----*- C++ -*-===//

#ifndef LLAMA_COMPILER_OUTPUT_CHECKTEMPLATE_H
#define LLAMA_COMPILER_OUTPUT_CHECKTEMPLATE_H

#include "weights/Vocabulary.h"

#include <string>
#include <vector>

namespace mlir::llama {

/// Marks such as <|im_start|> that the template writes and the vocabulary has
/// not as one token.
std::vector<std::string>
findMissingMarks(const std::string &source,
                 const llamaweights::Vocabulary &vocabulary);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_OUTPUT_CHECKTEMPLATE_H
