//===- OutputTokens.cpp - Tokens of a pruned output matrix ----------------===//
//
// As a list, or as the map that tools for pruning leave behind.
//
//===----------------------------------------------------------------------===//

#include "weights/Configs/OutputTokens.h"

#include "weights/InputError.h"

#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using nlohmann::json;

namespace llamaweights {

void findOutputTokens(JsonObject &object, ModelConfig &config) {
  constexpr StringLiteral kKey = "output_tokens";
  if (!object.has(kKey))
    return;
  object.findIntegers(kKey, config.outputTokens);
  if (config.outputTokens.empty())
    object.fail(kKey, "expected two tokens or more");
}

Expected<std::vector<int64_t>> parseOutputMap(StringRef text, StringRef where) {
  Expected<json> parsed = parseJson(text, where);
  if (!parsed)
    return parsed.takeError();
  JsonObject object(where, *parsed);
  std::vector<int64_t> tokens(parsed->is_object() ? parsed->size() : 0);
  if (parsed->is_object() && tokens.empty())
    return makeInputError(where, "expected two tokens or more");
  for (size_t i = 0; i < tokens.size(); ++i) {
    std::string row = utostr(i);
    if (!object.get(row))
      return makeInputError(where, "expected a token for each row from 0 to " +
                                       Twine(tokens.size() - 1) + ", row " +
                                       row + " is missing");
    object.read(row, tokens[i]);
  }
  if (Error error = object.finish())
    return std::move(error);
  return tokens;
}

} // namespace llamaweights
