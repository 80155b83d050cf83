/* Two models that this program is linked with, for linked.test.
 *
 * Prints what each makes of 1, 2, 3, sixteen ids as llama-generate --print-ids
 * does. `copied`: with their weights copied. */

#include <llamart/llamart.h>

#include <stdio.h>
#include <string.h>

extern const llamart_linked_model first_model;
extern const llamart_linked_model second_model;

static int count;

static int print_id(void *user, int32_t id) {
  (void)user;
  printf(count++ ? ",%d" : "%d", (int)id);
  return 0;
}

static int run(const llamart_linked_model *linked, int32_t weights) {
  int32_t ids[] = {1, 2, 3};
  llamart_model *model = NULL;
  llamart_engine *engine = NULL;
  llamart_session *session = NULL;
  llamart_sampler *sampler = NULL;
  llamart_model_options options = LLAMART_MODEL_OPTIONS;
  llamart_sampler_options sampling = LLAMART_SAMPLER_OPTIONS;
  llamart_job job = LLAMART_JOB;
  llamart_error *error;

  options.weights = weights;
  sampling.kind = LLAMART_SAMPLER_GREEDY;
  if ((error = llamart_model_open_linked(linked, &options, &model)) ||
      (error = llamart_engine_create(model, NULL, &engine)) ||
      (error = llamart_session_create(engine, NULL, &session)) ||
      (error = llamart_sampler_create(&sampling, &sampler)))
    goto failed;
  job.session = session;
  job.sampler = sampler;
  job.prompt = ids;
  job.prompt_count = 3;
  job.max_tokens = 16;
  job.ignore_eos = 1;
  job.on_token = print_id;
  count = 0;
  if ((error = llamart_generate(engine, &job, NULL, 1)))
    goto failed;
  printf("\n");
  llamart_sampler_close(sampler);
  llamart_session_close(session);
  llamart_engine_close(engine);
  llamart_model_close(model);
  return 0;
failed:
  fprintf(stderr, "error: %s\n", llamart_error_message(error));
  llamart_error_free(error);
  return 1;
}

int main(int argc, char **argv) {
  int32_t weights = argc > 1 && strcmp(argv[1], "copied") == 0
                        ? LLAMART_WEIGHTS_COPIED
                        : LLAMART_WEIGHTS_MAPPED;
  return run(&first_model, weights) || run(&second_model, weights);
}
