//===- ReplyEnds.cpp - The tokens that end a reply ------------------------===//

#include "runtime/tools/generate/ReplyEnds.h"

#include "runtime/CInterface/Handles.h"
#include "runtime/tools/generate/Prompt.h"

#include <algorithm>

namespace llamart::tools {

ReplyEnds::ReplyEnds(const api::Model &model, const GenerateOptions &o)
    : model(model), ignored(o.ignoreEos) {
  if (std::optional<std::string> source = findTemplate(model, o))
    ofLayout = findStopTokens(ChatTemplate::parse(*source),
                              model.get()->model->getTokenizer());
}

bool ReplyEnds::contain(int32_t id) const {
  return !ignored && (model.endsReply(id) ||
                      std::ranges::find(ofLayout, id) != ofLayout.end());
}

} // namespace llamart::tools
