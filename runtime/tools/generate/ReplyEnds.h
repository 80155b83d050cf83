//===- ReplyEnds.h - The tokens that end a reply ----------------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_TOOLS_GENERATE_REPLYENDS_H
#define LLAMA_RUNTIME_TOOLS_GENERATE_REPLYENDS_H

#include "llamart/llamart.hpp"
#include "runtime/tools/generate/GenerateOptions.h"

#include <cstdint>
#include <vector>

namespace llamart::tools {

/// Those of the model, and those of --chat-template's layout; none with
/// --ignore-eos.
class ReplyEnds {
public:
  ReplyEnds(const api::Model &model, const GenerateOptions &options);

  bool contain(int32_t id) const;

private:
  const api::Model &model;
  std::vector<int32_t> ofLayout;
  bool ignored;
};

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_GENERATE_REPLYENDS_H
