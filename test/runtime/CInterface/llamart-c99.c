/*===- llamart-c99.c - llamart.h in strict C99 ---------------------- C -*-===*/

#include "llamart/llamart.h"

#include "llamart/llamart.h" /* twice does no harm */

#include <stddef.h>

/* No struct that is handed over ends in padding. (G5) */
#define ENDS_WITH(type, field)                                                 \
  typedef char field##_ends_##type[offsetof(type, field) +                     \
                                               sizeof(((type *)0)->field) ==   \
                                           sizeof(type)                        \
                                       ? 1                                     \
                                       : -1]
ENDS_WITH(llamart_model_options, user);
ENDS_WITH(llamart_model_info, reserved);
ENDS_WITH(llamart_encode_options, reserved);
ENDS_WITH(llamart_decode_options, show_special);
ENDS_WITH(llamart_chat_options, variables_json);
ENDS_WITH(llamart_executor, user);
ENDS_WITH(llamart_engine_options, reserved);
ENDS_WITH(llamart_stats, waiting);
ENDS_WITH(llamart_session_options, salt_bytes);
ENDS_WITH(llamart_feed, reserved);
ENDS_WITH(llamart_eval_options, cancel);
ENDS_WITH(llamart_attention, interaction_strength);
ENDS_WITH(llamart_sampler_options, model);
ENDS_WITH(llamart_choice, seed);
ENDS_WITH(llamart_custom_sampler, close);
ENDS_WITH(llamart_step, top);
ENDS_WITH(llamart_result, error);
ENDS_WITH(llamart_job, on_finish);
ENDS_WITH(llamart_queue_options, waiting);

/* Names a macro whose struct does not say its own size; "" if all do. */
const char *llamart_find_wrong_macro(void) {
  llamart_model_options model = LLAMART_MODEL_OPTIONS;
  llamart_encode_options encode = LLAMART_ENCODE_OPTIONS;
  llamart_decode_options decode = LLAMART_DECODE_OPTIONS;
  llamart_chat_options chat = LLAMART_CHAT_OPTIONS;
  llamart_engine_options engine = LLAMART_ENGINE_OPTIONS;
  llamart_session_options session = LLAMART_SESSION_OPTIONS;
  llamart_feed feed = LLAMART_FEED;
  llamart_eval_options eval = LLAMART_EVAL_OPTIONS;
  llamart_attention attention = LLAMART_ATTENTION;
  llamart_stats stats = LLAMART_STATS;
  llamart_sampler_options sampler = LLAMART_SAMPLER_OPTIONS;
  llamart_custom_sampler custom = LLAMART_CUSTOM_SAMPLER;
  llamart_job job = LLAMART_JOB;
  llamart_result result = LLAMART_RESULT;
  llamart_queue_options queue = LLAMART_QUEUE_OPTIONS;

  if (model.struct_size != sizeof(model))
    return "LLAMART_MODEL_OPTIONS";
  if (encode.struct_size != sizeof(encode) || encode.eos != LLAMART_ADD_NEVER)
    return "LLAMART_ENCODE_OPTIONS";
  if (decode.struct_size != sizeof(decode))
    return "LLAMART_DECODE_OPTIONS";
  if (chat.struct_size != sizeof(chat) || chat.add_generation_prompt != 1)
    return "LLAMART_CHAT_OPTIONS";
  if (engine.struct_size != sizeof(engine) || engine.batch_rows != 256)
    return "LLAMART_ENGINE_OPTIONS";
  if (session.struct_size != sizeof(session))
    return "LLAMART_SESSION_OPTIONS";
  if (feed.struct_size != sizeof(feed) || feed.logits != LLAMART_LOGITS_LAST)
    return "LLAMART_FEED";
  if (eval.struct_size != sizeof(eval))
    return "LLAMART_EVAL_OPTIONS";
  if (attention.struct_size != sizeof(attention))
    return "LLAMART_ATTENTION";
  if (stats.struct_size != sizeof(stats))
    return "LLAMART_STATS";
  if (sampler.struct_size != sizeof(sampler) || sampler.temperature != 1.0f ||
      sampler.penalty_window != 64 || sampler.top_p != 1.0f)
    return "LLAMART_SAMPLER_OPTIONS";
  if (custom.struct_size != sizeof(custom) || custom.close != NULL)
    return "LLAMART_CUSTOM_SAMPLER";
  if (job.struct_size != sizeof(job) || job.max_tokens != -1 ||
      job.on_finish != NULL)
    return "LLAMART_JOB";
  if (result.struct_size != sizeof(result) ||
      result.finish != LLAMART_FINISH_NONE)
    return "LLAMART_RESULT";
  if (queue.struct_size != sizeof(queue))
    return "LLAMART_QUEUE_OPTIONS";
  return "";
}
