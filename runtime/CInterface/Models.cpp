//===- Models.cpp - Errors and models in llamart.h ------------------------===//

#include "runtime/CInterface/Handles.h"

using namespace llamart;

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

struct llamart_error {
  ErrorKind kind;
  char *message; // owned; null in the one error below
};

// What is returned when there is no memory for an error. Never changed.
static llamart_error outOfMemory = {ErrorKind::Memory, nullptr};

llamart_error *llamart::makeError(ErrorKind kind,
                                  const char *message) noexcept {
  char *copy = strdup(message);
  auto *error = copy ? new (std::nothrow) llamart_error{kind, copy} : nullptr;
  if (error)
    return error;
  std::free(copy);
  return &outOfMemory;
}

int llamart_error_kind(const llamart_error *error) {
  return error ? static_cast<int>(error->kind) : 0;
}

const char *llamart_error_message(const llamart_error *error) {
  if (!error)
    return nullptr;
  return error->message ? error->message : "out of memory";
}

void llamart_error_free(llamart_error *error) {
  if (!error || error == &outOfMemory)
    return;
  std::free(error->message);
  delete error;
}

const char *llamart_version(void) { return LLAMA_VERSION; }

void llamart_free(void *memory) { std::free(memory); }

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

static_assert(LLAMART_ERROR_ARGUMENT == int(ErrorKind::Argument) &&
              LLAMART_ERROR_MODEL == int(ErrorKind::Model) &&
              LLAMART_ERROR_CONTEXT == int(ErrorKind::Context) &&
              LLAMART_ERROR_MEMORY == int(ErrorKind::Memory) &&
              LLAMART_ERROR_SYSTEM == int(ErrorKind::System) &&
              LLAMART_ERROR_CALLBACK == int(ErrorKind::Callback));

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

llamart_error *llamart_model_open(const char *path,
                                  const llamart_model_options *options,
                                  llamart_model **model) {
  return guarded([&] {
    require(path, "path");
    require(model, "model");
    auto given = readOptions<llamart_model_options>(
        options, LLAMART_MODEL_OPTIONS, "llamart_model_options");
    auto handle = std::make_unique<llamart_model>();
    handle->model = Model::open(path, readWeightsMode(given.weights));
    handle->json = handle->model->getInfoText();
    handle->info = describe(*handle);
    *model = handle.release();
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
