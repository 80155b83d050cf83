//===- config.cpp - Fuzzes the readers of hyper-parameters ----------------===//
//
// The first byte chooses the file, the rest is its text.
//
//===----------------------------------------------------------------------===//

#include "weights/Configs/HuggingFaceConfig.h"
#include "weights/Configs/MetaParams.h"
#include "weights/Configs/ModelJson.h"
#include "weights/Configs/NanotronConfig.h"
#include "weights/Configs/OutputTokens.h"
#include "weights/Formats/Nanotron.h"

#include "test/fuzz/FuzzInput.h"

using namespace llamafuzz;
using namespace llamaweights;

LLAMA_FUZZ(text) {
  std::optional<ModelConfig> config;
  switch (takeChoice(text)) {
  case 'h':
    config = check(parseHuggingFaceConfig(text, "config.json"));
    break;
  case 'g':
    config.emplace().vocab = 10;
    check(addGenerationConfig(text, "generation_config.json", *config));
    return;
  case 'p':
    config = check(parseMetaParams(text, "params.json", {}));
    break;
  case 'm':
    if (auto model = check(parseModelJson(text, "model.json")))
      config = std::move(model->config);
    break;
  case 'o':
    check(parseOutputMap(text, "map.json"));
    return;
  case 'n': {
    RowOrder order = RowOrder::HalfSplit;
    config = check(parseNanotronConfig(text, "model_config.json", order));
    break;
  }
  default:
    return;
  }
  if (config)
    (void)config->getRopeFrequencies();
}
