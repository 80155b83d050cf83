/* What a model does, for model-facts.py, which compares it with what it says.
 *
 *     model-facts MODEL.so VOCAB
 *
 * Feeds 100 ids twice, as a prompt and as a reply, with logits of each; then two
 * more, one at a time. All threads of the engine, and the one that calls it, have
 * stacks of 128 KiB. Prints whether both gave the same bits, and how many bytes of
 * its stack an engine's thread has written to at most, besides those that every
 * thread has written to. */

#define _GNU_SOURCE
#include <llamart/llamart.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IDS = 102, PROMPT = 100, THREADS = 2, STACK = 128 << 10, PAINT = 0xA5 };

static const char *model_path;
static int vocab;
static size_t most_stack;

static void check(llamart_error *error) {
  if (!error)
    return;
  fprintf(stderr, "error: %s\n", llamart_error_message(error));
  exit(1);
}

/* Runs a function on a stack that was painted; how much of it was used. */
static size_t run_painted(void *(*function)(void *), void *argument) {
  char *stack = aligned_alloc(4096, STACK);
  pthread_attr_t attributes;
  pthread_t thread;
  size_t clean = 0;
  memset(stack, PAINT, STACK);
  if (pthread_attr_init(&attributes) ||
      pthread_attr_setstack(&attributes, stack, STACK) ||
      pthread_create(&thread, &attributes, function, argument) ||
      pthread_join(thread, NULL))
    exit(2);
  pthread_attr_destroy(&attributes);
  while (clean < STACK && (unsigned char)stack[clean] == PAINT)
    ++clean;
  free(stack);
  return STACK - clean;
}

static void *do_nothing(void *unused) { return unused; }

typedef struct share {
  llamart_task task;
  void *argument;
  int32_t number;
} share;

static void *run_share(void *argument) {
  share *mine = argument;
  mine->task(mine->argument, mine->number);
  return NULL;
}

/* One after the other, so that each is measured. */
static int run_threads(void *user, llamart_task task, void *argument,
                       int32_t threads) {
  int32_t i;
  (void)user;
  for (i = 0; i < threads; ++i) {
    share mine;
    size_t used;
    mine.task = task;
    mine.argument = argument;
    mine.number = i;
    used = run_painted(run_share, &mine) - run_painted(do_nothing, NULL);
    if (used > most_stack)
      most_stack = used;
  }
  return 0;
}

/* Logits of all ids, [IDS, vocab]. */
static float *feed_all(llamart_engine *engine, int32_t source) {
  size_t row = (size_t)vocab * sizeof(float);
  float *logits = malloc(IDS * row);
  int32_t ids[IDS];
  llamart_session *session = NULL;
  int i, done;
  for (i = 0; i < IDS; ++i)
    ids[i] = (i * 37 + 11) % vocab;
  check(llamart_session_create(engine, NULL, &session));
  for (done = 0; done < IDS;) {
    llamart_feed feed = LLAMART_FEED;
    int64_t rows = 0;
    const float *found;
    feed.session = session;
    feed.ids = ids + done;
    feed.count = done == 0 ? PROMPT : 1;
    feed.source = source;
    feed.logits = LLAMART_LOGITS_ALL;
    check(llamart_eval(engine, &feed, 1, NULL));
    found = llamart_session_logits(session, &rows);
    memcpy((char *)logits + (size_t)done * row, found, (size_t)rows * row);
    done += (int)rows;
  }
  llamart_session_close(session);
  return logits;
}

static void *run(void *unused) {
  llamart_model *model = NULL;
  llamart_engine *engine = NULL;
  llamart_engine_options options = LLAMART_ENGINE_OPTIONS;
  llamart_executor executor = {sizeof(executor), THREADS, 0, run_threads, NULL};
  float *prompt, *reply;
  (void)unused;
  options.executor = &executor;
  options.kv_bytes = 64 << 20;
  check(llamart_model_open(model_path, NULL, &model));
  check(llamart_engine_create(model, &options, &engine));
  prompt = feed_all(engine, LLAMART_FROM_PROMPT);
  reply = feed_all(engine, LLAMART_FROM_MODEL);
  printf("{\"alike\": %s, \"stack\": %zu}\n",
         memcmp(prompt, reply, (size_t)IDS * vocab * sizeof(float)) ? "false"
                                                                    : "true",
         most_stack);
  free(prompt);
  free(reply);
  llamart_engine_close(engine);
  llamart_model_close(model);
  return NULL;
}

int main(int argc, char **argv) {
  if (argc != 3)
    return 2;
  model_path = argv[1];
  vocab = atoi(argv[2]);
  run_painted(run, NULL);
  return 0;
}
