//===- OutputTokens.h - Tokens of a pruned output matrix --------*- C++ -*-===//
//
//   "output_tokens": [19193, 39257]       row 0 scores token 19193, row 1 39257
//   {"0": 19193, "1": 39257}              the same as a file of its own
//
// Models that answer with a few words are stored without the other rows of
// their output matrix.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_CONFIGS_OUTPUTTOKENS_H
#define LLAMA_WEIGHTS_CONFIGS_OUTPUTTOKENS_H

#include "weights/Containers/JsonObject.h"
#include "weights/ModelConfig.h"

namespace llamaweights {

/// Reads the key output_tokens, if it is there, into config.outputTokens.
void findOutputTokens(JsonObject &object, ModelConfig &config);

/// Reads a file that maps each row, from 0 on, to its token; `where` is its
/// path. Whether a model has such tokens is ModelConfig::validate's question.
llvm::Expected<std::vector<int64_t>> parseOutputMap(llvm::StringRef text,
                                                    llvm::StringRef where);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CONFIGS_OUTPUTTOKENS_H
