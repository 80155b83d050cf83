/*===- llamart-c99.c - llamart.h in strict C99 ---------------------- C -*-===*/

#include "llamart/llamart.h"

#include "llamart/llamart.h" /* twice does no harm */

#include <string.h>

/* Names a macro whose struct does not say its own size; "" if all do. */
const char *llamart_find_wrong_macro(void) {
  llamart_model_options model = LLAMART_MODEL_OPTIONS;
  llamart_encode_options encode = LLAMART_ENCODE_OPTIONS;
  llamart_chat_options chat = LLAMART_CHAT_OPTIONS;
  llamart_engine_options engine = LLAMART_ENGINE_OPTIONS;
  llamart_feed feed = LLAMART_FEED;
  llamart_attention attention = LLAMART_ATTENTION;
  llamart_sampler_options sampler = LLAMART_SAMPLER_OPTIONS;
  llamart_job job = LLAMART_JOB;

  if (model.struct_size != sizeof(model))
    return "LLAMART_MODEL_OPTIONS";
  if (encode.struct_size != sizeof(encode) || encode.eos != LLAMART_ADD_NEVER)
    return "LLAMART_ENCODE_OPTIONS";
  if (chat.struct_size != sizeof(chat) || chat.add_generation_prompt != 1)
    return "LLAMART_CHAT_OPTIONS";
  if (engine.struct_size != sizeof(engine) || engine.batch_rows != 256)
    return "LLAMART_ENGINE_OPTIONS";
  if (feed.struct_size != sizeof(feed) || feed.logits != LLAMART_LOGITS_LAST)
    return "LLAMART_FEED";
  if (attention.struct_size != sizeof(attention))
    return "LLAMART_ATTENTION";
  if (sampler.struct_size != sizeof(sampler) || sampler.temperature != 1.0f ||
      sampler.penalty_window != 64 || sampler.top_p != 1.0f)
    return "LLAMART_SAMPLER_OPTIONS";
  if (job.struct_size != sizeof(job) || job.max_tokens != -1 ||
      job.on_logits != NULL || job.finish != LLAMART_FINISH_NONE)
    return "LLAMART_JOB";
  return "";
}
