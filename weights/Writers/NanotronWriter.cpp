//===- NanotronWriter.cpp - nanotron's folder -----------------------------===//
//
// One file for each parameter, as one process without parallelism writes it.
//
//===----------------------------------------------------------------------===//

#include "weights/InputError.h"
#include "weights/Writers/ConfigFiles.h"
#include "weights/Writers/SafetensorsWriter.h"
#include "weights/Writers/Writers.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <nlohmann/json.hpp>

using namespace llvm;

namespace llamaweights {
namespace {

constexpr StringLiteral kVersion = "1.5";

class NanotronWriter {
public:
  NanotronWriter(const WritePlan &plan, const OutputFolder &folder)
      : plan(plan), folder(folder) {}

  Error writeAll();

private:
  /// One parameter: the rows of those tensors, one after the other.
  Error write(const Twine &path, ArrayRef<std::string> names);
  Error writeLayer(int64_t layer);

  const WritePlan &plan;
  const OutputFolder &folder;
};

Error NanotronWriter::write(const Twine &path, ArrayRef<std::string> names) {
  const TensorInfo &first = plan.get(names[0]);
  DType type = plan.getType(first);
  SafetensorsEntry entry = {"data", type, first.shape};
  bool isMatrix = first.shape.size() == 2;
  for (const std::string &name : names.drop_front()) {
    entry.shape[0] += plan.get(name).shape[0];
    if (plan.getType(plan.get(name)) != type)
      return makeInputError(
          first.file, "tensors " + quote(names[0]) + " and " + quote(name) +
                          ": are of two types, but become one tensor; "
                          "expected --dtype=f32, f16 or bf16");
  }
  std::map<std::string, std::string> metadata;
  std::string fileName = "model_weight";
  if (isMatrix) {
    std::string slices =
        formatv("0,{0},None|0,{1},None", entry.shape[0], entry.shape[1]);
    metadata = {{"version", kVersion.str()},
                {"unsharded_shape",
                 formatv("({0}, {1})", entry.shape[0], entry.shape[1])},
                {"local_global_slices_pairs", slices + "#" + slices}};
    fileName += "_pp-rank-0-of-1_tp-rank-0-of-1";
  }
  auto file = folder.createFile(
      ("model/model/" + path + "/" + fileName + ".safetensors").str());
  if (!file)
    return file.takeError();
  if (Error error = appendSafetensorsHeader(entry, metadata, *file))
    return error;
  for (const std::string &name : names)
    if (Error error =
            plan.append(plan.get(name), type, /*halfSplit=*/true, *file))
      return error;
  return file->keep();
}

Error NanotronWriter::writeLayer(int64_t layer) {
  std::string path = "decoder/" + itostr(layer) + "/pp_block/";
  std::string name = "layers." + itostr(layer) + ".";
  const std::pair<const char *, std::vector<std::string>> parameters[] = {
      {"input_layernorm", {name + "attention_norm"}},
      {"attn/qkv_proj",
       {name + "attention.wq", name + "attention.wk", name + "attention.wv"}},
      {"attn/o_proj", {name + "attention.wo"}},
      {"post_attention_layernorm", {name + "ffn_norm"}},
      {"mlp/gate_up_proj",
       {name + "feed_forward.w1", name + "feed_forward.w3"}},
      {"mlp/down_proj", {name + "feed_forward.w2"}}};
  for (const auto &[parameter, names] : parameters)
    if (Error error = write(path + parameter, names))
      return error;
  return Error::success();
}

Error NanotronWriter::writeAll() {
  if (Error error = write("token_position_embeddings/pp_block/token_embedding",
                          {"tok_embeddings"}))
    return error;
  for (int64_t layer = 0; layer < plan.getConfig().layers; ++layer)
    if (Error error = writeLayer(layer))
      return error;
  if (Error error = write("final_layer_norm/pp_block", {"norm"}))
    return error;
  if (!plan.getConfig().tiedEmbeddings)
    if (Error error = write("lm_head/pp_block", {"output"}))
      return error;
  if (Error error = folder.writeFile("model_config.json",
                                     printNanotronConfig(plan.getConfig())))
    return error;
  nlohmann::json metadata = {{"version", kVersion.str()},
                             {"tp", 1},
                             {"dp", 1},
                             {"cp", 1},
                             {"metas",
                              {{"consumed_train_samples", 0},
                               {"last_train_step", 0},
                               {"consumed_tokens_total", 0},
                               {"last_stage_idx", 0},
                               {"data_stages", nlohmann::json::array()}}},
                             {"custom_metas", nullptr}};
  if (Error error =
          folder.writeFile("checkpoint_metadata.json", metadata.dump(2) + "\n"))
    return error;
  return folder.writeFile(
      "config.yaml", "general:\n  project: converted\n  run: converted\n"
                     "  seed: 42\n  step: 0\nparallelism:\n  dp: 1\n  pp: 1\n"
                     "  tp: 1\n  cp: 1\n");
}

} // namespace

Error writeNanotron(const WritePlan &plan, OutputFolder &folder) {
  return NanotronWriter(plan, folder).writeAll();
}

} // namespace llamaweights
