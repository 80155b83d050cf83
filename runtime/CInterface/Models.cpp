//===- Models.cpp - models.h ----------------------------------------------===//

#include "runtime/CInterface/Handles.h"

using namespace llamart;

static llamart_model_info describe(const llamart_model &handle) {
  const llamaabi::ModelInfo &from = handle.model->getInfo();
  llamart_model_info info = {};
  info.struct_size = sizeof(info);
  info.name = from.name.c_str();
  info.hidden = from.hidden;
  info.ffn = from.ffn;
  info.vocab = from.vocab;
  info.layers = from.layers;
  info.heads = from.heads;
  info.kv_heads = from.kvHeads;
  info.head_dim = from.headDim;
  info.max_seq_len = from.maxSeqLen;
  info.bos_token = from.bosToken.value_or(-1);
  info.has_tokenizer = handle.model->hasTokenizer();
  info.eos_tokens = from.eosTokens.data();
  info.eos_count = from.eosTokens.size();
  info.weights_bytes = from.weightsBytes;
  info.kv_block_bytes = handle.model->getKVBlockBytes();
  info.activations = from.activations.c_str();
  info.kv_type = from.kvType.c_str();
  info.triple = from.triple.c_str();
  info.cpu = handle.model->getCode().cpu.c_str();
  info.compiler = from.compiler.c_str();
  info.chat_template = from.chatTemplate.c_str();
  info.json = handle.json.c_str();
  info.fingerprint = from.fingerprint.c_str();
  info.thread_stack_bytes = handle.model->getCode().stackBytes;
  info.rows_alike = handle.model->getCode().hasRowsAlike;
  return info;
}

static WeightsMode readWeightsMode(int32_t mode) {
  switch (mode) {
  case LLAMART_WEIGHTS_MAPPED:
    return WeightsMode::Mapped;
  case LLAMART_WEIGHTS_COPIED:
    return WeightsMode::Copied;
  case LLAMART_WEIGHTS_AUTO:
    return WeightsMode::Auto;
  default:
    throw Error(ErrorKind::Argument, "llamart_model_options: weights is ", mode,
                ", expected LLAMART_WEIGHTS_MAPPED, _COPIED or _AUTO");
  }
}

static Progress readProgress(const llamart_model_options &given) {
  if (!given.progress)
    return {};
  return [function = given.progress, user = given.user](double done) {
    return callBack("llamart_model_options: progress",
                    [&] { return function(user, done); }) == 0;
  };
}

/// `open` is given the mode for weights and who is told of their copying.
template <typename Open>
static void openModel(const llamart_model_options *options,
                      llamart_model **model, Open open) {
  require(model, "model");
  auto given = readOptions<llamart_model_options>(
      options, LLAMART_MODEL_OPTIONS, "llamart_model_options");
  checkReserved(given.reserved, "llamart_model_options");
  auto handle = std::make_unique<llamart_model>();
  handle->model = open(readWeightsMode(given.weights), readProgress(given));
  handle->json = handle->model->getInfoText();
  handle->info = describe(*handle);
  *model = handle.release();
}

llamart_error *llamart_model_open(const char *path,
                                  const llamart_model_options *options,
                                  llamart_model **model) {
  return guarded([&] {
    require(path, "path");
    openModel(options, model, [&](WeightsMode mode, const Progress &progress) {
      return Model::open(path, mode, progress);
    });
  });
}

llamart_error *llamart_model_open_fd(int fd,
                                     const llamart_model_options *options,
                                     llamart_model **model) {
  return guarded([&] {
    openModel(options, model, [&](WeightsMode mode, const Progress &progress) {
      return Model::openFile(fd, mode, progress);
    });
  });
}

llamart_error *llamart_model_open_linked(const llamart_linked_model *linked,
                                         const llamart_model_options *options,
                                         llamart_model **model) {
  return guarded([&] {
    require(linked, "linked");
    openModel(options, model, [&](WeightsMode mode, const Progress &progress) {
      return Model::openLinked(
          *reinterpret_cast<const llama_linked_model *>(linked), mode,
          progress);
    });
  });
}

void llamart_model_close(llamart_model *model) { delete model; }

const llamart_model_info *llamart_model_get_info(const llamart_model *model) {
  return model ? &model->info : nullptr;
}

int32_t llamart_model_get_weights(const llamart_model *model) {
  return model && model->model->hasCopiedWeights() ? LLAMART_WEIGHTS_COPIED
                                                   : LLAMART_WEIGHTS_MAPPED;
}

int llamart_model_ends_reply(const llamart_model *model, int32_t id) {
  bool result = false;
  // False if the tokenizer cannot be opened: whatever needs its text fails with
  // the reason.
  llamart_error_free(
      guarded([&] { result = model && model->model->endsReply(id); }));
  return result;
}
