/* A prompt goes on: cc generate.c $(pkg-config --cflags --libs llamart) */

#include <llamart/llamart.h>
#include <stdio.h>
#include <string.h>

/* Called with every piece of text; never with a part of a character. */
static int print_text(void *user, const char *text, size_t bytes) {
  (void)user;
  fwrite(text, 1, bytes, stdout);
  fflush(stdout);
  return 0; /* another number ends the job */
}

static int fail(llamart_error *error) {
  fprintf(stderr, "error: %s\n", llamart_error_message(error));
  llamart_error_free(error);
  return 1;
}

int main(int argc, char **argv) {
  llamart_sampler_options sampling = LLAMART_SAMPLER_OPTIONS;
  llamart_job job = LLAMART_JOB;
  llamart_result result = LLAMART_RESULT;
  llamart_model *model = NULL;
  llamart_engine *engine = NULL;
  llamart_sampler *sampler = NULL;
  llamart_error *error;
  int32_t *ids = NULL;

  if (argc != 3) {
    fprintf(stderr, "usage: %s MODEL.so PROMPT\n", argv[0]);
    return 2;
  }
  sampling.kind = LLAMART_SAMPLER_GREEDY;
  if ((error = llamart_model_open(argv[1], NULL, &model)) ||
      (error = llamart_engine_create(model, NULL, &engine)) ||
      (error = llamart_sampler_create(&sampling, &sampler)) ||
      (error = llamart_encode(model, argv[2], strlen(argv[2]), NULL, &ids,
                              &job.prompt_count)))
    return fail(error);
  job.sampler = sampler;
  job.prompt = ids;
  job.max_tokens = 60;
  job.on_text = print_text;
  if ((error = llamart_generate(engine, &job, &result, 1)))
    return fail(error);
  printf("\n%d tokens\n", (int)result.generated);

  llamart_free(ids);
  llamart_sampler_close(sampler);
  llamart_engine_close(engine);
  llamart_model_close(model);
  return 0;
}
