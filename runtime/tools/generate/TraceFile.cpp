//===- TraceFile.cpp - A line of JSON about every token -------------------===//

#include "runtime/tools/generate/TraceFile.h"

#include "runtime/tools/generate/SamplerFlags.h"

#include <nlohmann/json.hpp>

using nlohmann::ordered_json;

namespace llamart::tools {

TraceFile::TraceFile(const std::string &path, const api::Model &model,
                     const std::string &config, const std::string &prompt)
    : file(path, llamafiles::Order::Streamed), model(model) {
  if (model.getInfo().has_tokenizer)
    decoder.emplace(model, /*afterText=*/true, /*showSpecial=*/true);
  ordered_json header;
  header["model"] = model.getInfo().name;
  header["sampler"] = config.empty() ? ordered_json{{"sampler", "greedy"}}
                                     : ordered_json::parse(config);
  header["thresholds"] = ordered_json::parse(getThresholds(config));
  header["prompt"] = prompt;
  writeLine(header.dump());
}

void TraceFile::write(const llamart_step &step) {
  ordered_json line;
  line["position"] = step.position;
  line["id"] = step.id;
  if (decoder)
    line["text"] = decoder->push(step.id);
  line["probability"] = step.probability;
  line["entropy"] = step.entropy;
  line["varentropy"] = step.varentropy;
  line["state"] = step.state;
  line["candidates"] = ordered_json::array();
  for (size_t i = 0; i < step.candidate_count; ++i) {
    ordered_json candidate = {{"id", step.candidate_ids[i]}};
    if (decoder)
      candidate["text"] = model.decode({&step.candidate_ids[i], 1}, true);
    candidate["probability"] = step.candidate_probabilities[i];
    line["candidates"].push_back(std::move(candidate));
  }
  if (step.has_attention)
    line["attention"] = {{"entropy", step.attention_entropy},
                         {"varentropy", step.attention_varentropy},
                         {"agreement", step.agreement},
                         {"interaction_strength", step.interaction_strength}};
  writeLine(line.dump());
}

void TraceFile::writeLine(const std::string &line) {
  file.write(line + "\n");
  file.flush(); // somebody may be following
}

void TraceFile::finish() { file.finish(); }

} // namespace llamart::tools
