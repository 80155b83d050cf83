/* Takes up a text where another process left it. */

#include <llamart/llamart.h>
#include <stdio.h>
#include <string.h>

static int print_text(void *user, const char *text, size_t bytes) {
  (void)user;
  fwrite(text, 1, bytes, stdout);
  return 0;
}

static int keep_id(void *user, int32_t id) {
  *(int32_t *)user = id;
  return 0;
}

static int fail(llamart_error *error) {
  fprintf(stderr, "error: %s\n", llamart_error_message(error));
  llamart_error_free(error);
  return 1;
}

/* usage: resume MODEL.so STATE [PROMPT]; with a prompt it begins anew. */
int main(int argc, char **argv) {
  llamart_job job = LLAMART_JOB;
  llamart_feed feed = LLAMART_FEED;
  llamart_model *model = NULL;
  llamart_engine *engine = NULL;
  llamart_session *session = NULL;
  llamart_sampler *sampler = NULL;
  llamart_error *error = NULL;
  int32_t *ids = NULL, last = 0;

  if (argc < 3 || argc > 4) {
    fprintf(stderr, "usage: %s MODEL.so STATE [PROMPT]\n", argv[0]);
    return 2;
  }
  if ((error = llamart_model_open(argv[1], NULL, &model)) ||
      (error = llamart_engine_create(model, NULL, &engine)) ||
      (error = llamart_sampler_create(NULL, &sampler)))
    return fail(error);
  if (argc == 4)
    (error = llamart_session_create(engine, NULL, &session)) ||
        (error = llamart_encode(model, argv[3], strlen(argv[3]), NULL, &ids,
                                &job.prompt_count));
  else
    error = llamart_session_load_file(engine, NULL, argv[2], &session);
  if (error)
    return fail(error);

  job.session = session;
  job.sampler = sampler;
  job.prompt = ids; /* none: it goes on from the logits that were saved */
  job.max_tokens = 20;
  job.ignore_eos = 1;
  job.on_text = print_text;
  job.on_token = keep_id;
  job.user = &last;
  if ((error = llamart_generate(engine, &job, NULL, 1)))
    return fail(error);
  printf("\n");

  /* The last token was shown and is not fed yet. */
  feed.session = session;
  feed.ids = &last;
  feed.count = 1;
  feed.source = LLAMART_FROM_MODEL;
  if ((error = llamart_eval(engine, &feed, 1, NULL)) ||
      (error = llamart_session_save_file(session, argv[2])))
    return fail(error);

  llamart_free(ids);
  llamart_sampler_close(sampler);
  llamart_session_close(session);
  llamart_engine_close(engine);
  llamart_model_close(model);
  return 0;
}
