//===- Guard.h - A Llama Guard 3 judges a prompt or a reply -----*- C++ -*-===//

#ifndef LLAMA_RUNTIME_TOOLS_GENERATE_GUARD_H
#define LLAMA_RUNTIME_TOOLS_GENERATE_GUARD_H

#include "llamart/llamart.hpp"
#include "runtime/tools/generate/GenerateOptions.h"

namespace llamart::tools {

/// Prints the verdict on the prompt, or on --reply to it.
void judge(const api::Model &model, api::Engine &engine,
           const GenerateOptions &options);

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_GENERATE_GUARD_H
