/* One program with its model inside: it opens no file and loads nothing. */

#include <llamart/llamart.h>
#include <stdio.h>
#include <string.h>

extern const llamart_linked_model story_model; /* llama_compile_model made it */

static int print_text(void *user, const char *text, size_t bytes) {
  (void)user;
  fwrite(text, 1, bytes, stdout);
  return 0;
}

int main(int argc, char **argv) {
  const char *prompt = argc > 1 ? argv[1] : "Once upon a time";
  llamart_job job = LLAMART_JOB;
  llamart_model *model = NULL;
  llamart_engine *engine = NULL;
  llamart_sampler *sampler = NULL;
  llamart_error *error;
  int32_t *ids = NULL;

  if ((error = llamart_model_open_linked(&story_model, NULL, &model)) ||
      (error = llamart_engine_create(model, NULL, &engine)) ||
      (error = llamart_sampler_create(NULL, &sampler)) ||
      (error = llamart_encode(model, prompt, strlen(prompt), NULL, &ids,
                              &job.prompt_count))) {
    fprintf(stderr, "error: %s\n", llamart_error_message(error));
    return 1;
  }
  job.sampler = sampler;
  job.prompt = ids;
  job.max_tokens = 60;
  job.on_text = print_text;
  error = llamart_generate(engine, &job, NULL, 1);
  printf("\n");
  if (error)
    fprintf(stderr, "error: %s\n", llamart_error_message(error));

  llamart_error_free(error);
  llamart_free(ids);
  llamart_sampler_close(sampler);
  llamart_engine_close(engine);
  llamart_model_close(model);
  return error != NULL;
}
