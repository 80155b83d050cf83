//===- Jobs.cpp - jobs.h --------------------------------------------------===//

#include "runtime/CInterface/Handles.h"
#include "runtime/Generate/Generate.h"
#include "runtime/Generate/Queue.h"
#include "runtime/Sampler/Logprobs.h"

using namespace llamart;

struct llamart_queue {
  std::shared_ptr<Engine> engine;
  std::shared_ptr<Queue> queue;
  ~llamart_queue() { queue->close(); }
};

struct llamart_ticket {
  std::shared_ptr<Queue> queue;
  std::shared_ptr<Ticket> ticket;
  mutable std::once_flag resultOnce;
  mutable llamart_result result;
};

static_assert(LLAMART_FINISH_MAX_TOKENS == int(Finish::MaxTokens) &&
              LLAMART_FINISH_END_OF_TEXT == int(Finish::EndOfText) &&
              LLAMART_FINISH_STOP_TEXT == int(Finish::StopText) &&
              LLAMART_FINISH_CONTEXT == int(Finish::Context) &&
              LLAMART_FINISH_CALLBACK == int(Finish::Callback) &&
              LLAMART_FINISH_CANCELLED == int(Finish::Cancelled) &&
              LLAMART_FINISH_ERROR == int(Finish::Error));

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

/// `error`: lives as long as `from`.
static llamart_result toC(const GenerateResult &from) {
  llamart_result result = {};
  result.struct_size = sizeof(result);
  result.finish = int(from.finish);
  result.prompt_tokens = from.promptTokens;
  result.cached_tokens = from.cachedTokens;
  result.generated = from.generated;
  result.queue_ns = from.queueNs;
  result.prompt_ns = from.promptNs;
  result.decode_ns = from.decodeNs;
  if (from.error) {
    result.error_kind = int(from.error->getKind());
    result.error = from.error->what();
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

static llamart_logprob toC(const TokenLogprob &from) {
  return {from.id, from.rank, from.logprob};
}

using StepFunction = int (*)(void *user, const llamart_step *step);

static bool showStep(StepFunction function, const char *name, void *user,
                     int32_t topCount, const GenerateStep &from) {
  SampleTrace ofPrompt;
  if (!from.trace)
    ofPrompt.fill(from.logits, from.id, {});
  const SampleTrace &trace = from.trace ? *from.trace : ofPrompt;
  Logprobs logprobs(from.logits);
  std::vector<llamart_logprob> top;
  for (const TokenLogprob &entry : logprobs.getTop(topCount))
    top.push_back(toC(entry));
  std::string state(trace.state); // ended by a zero byte
  AttentionStats attention = trace.attention.value_or(AttentionStats());
  llamart_step step = {};
  step.struct_size = sizeof(step);
  step.id = from.id;
  step.position = from.position;
  step.probability = trace.probability;
  step.entropy = trace.entropy;
  step.varentropy = trace.varentropy;
  step.state = state.c_str();
  step.candidate_count = trace.candidates.ids.size();
  step.candidate_ids = trace.candidates.ids.data();
  step.candidate_probabilities = trace.candidates.weights.data();
  step.has_attention = trace.attention.has_value();
  step.attention_entropy = attention.entropy;
  step.attention_varentropy = attention.varentropy;
  step.agreement = attention.agreement;
  step.interaction_strength = attention.interactionStrength;
  step.logprob = toC(logprobs.get(from.id));
  step.top_count = top.size();
  step.top = top.data();
  return callBack(name, [&] { return function(user, &step); }) == 0;
}

//===----------------------------------------------------------------------===//
// Jobs
//===----------------------------------------------------------------------===//

static void readCallbacks(const llamart_job &given, GenerateJob &job) {
  void *user = given.user;
  if (auto function = given.on_token)
    job.onToken = [=](int32_t id) {
      return callBack("llamart_job: on_token",
                      [&] { return function(user, id); }) == 0;
    };
  if (auto function = given.on_text)
    job.onText = [=](std::string_view text) {
      std::string copy(text); // ended by a zero byte
      return callBack("llamart_job: on_text", [&] {
               return function(user, copy.c_str(), copy.size());
             }) == 0;
    };
  if (auto function = given.on_logits)
    job.onLogits = [=](const float *logits, int64_t rows) {
      return callBack("llamart_job: on_logits",
                      [&] { return function(user, logits, rows); }) == 0;
    };
  int32_t top = given.top_logprobs;
  if (auto function = given.on_step)
    job.onStep = [=](const GenerateStep &step) {
      return showStep(function, "llamart_job: on_step", user, top, step);
    };
  if (auto function = given.on_prompt_step)
    job.onPromptStep = [=](const GenerateStep &step) {
      return showStep(function, "llamart_job: on_prompt_step", user, top, step);
    };
  if (auto function = given.on_finish)
    job.onFinish = [=](const GenerateResult &result) {
      llamart_result copy = toC(result);
      callBack("llamart_job: on_finish", [&] {
        function(user, &copy);
        return 0;
      });
    };
}

static void readStops(const llamart_job &given, GenerateJob &job) {
  if (given.stop_count > 0)
    require(given.stops, "llamart_job: stops");
  for (size_t i = 0; i < given.stop_count; ++i)
    job.stops.emplace_back(&require(given.stops[i], "llamart_job: a stop"));
}

/// A copy of all that it points to.
static GenerateJob readJob(const llamart_job &from) {
  llamart_job given = readStruct(from, "llamart_job");
  checkReserved(given.reserved, "llamart_job");
  GenerateJob job;
  if (given.session) {
    if (given.session_options)
      throw Error(ErrorKind::Argument, "llamart_job: session_options are for "
                                       "jobs without a session");
    job.session = given.session->session;
  } else {
    job.sessionOptions = readSessionOptions(given.session_options);
  }
  job.sampler = require(given.sampler, "llamart_job: sampler").sampler;
  if (given.prompt_count > 0) {
    require(given.prompt, "llamart_job: prompt");
    job.prompt.assign(given.prompt, given.prompt + given.prompt_count);
  }
  job.maxTokens = given.max_tokens;
  readStops(given, job);
  job.ignoreEos = given.ignore_eos;
  job.startsText = given.starts_text;
  if (given.top_logprobs < 0)
    throw Error(ErrorKind::Argument, "llamart_job: top_logprobs is ",
                given.top_logprobs, ", expected at least 0");
  if (given.cancel)
    job.cancel = given.cancel->flag;
  readCallbacks(given, job);
  return job;
}

llamart_error *llamart_generate(llamart_engine *engine, const llamart_job *jobs,
                                llamart_result *results, size_t count) {
  return guarded([&] {
    require(engine, "engine");
    if (count > 0)
      require(jobs, "jobs");
    std::vector<GenerateJob> list;
    for (size_t i = 0; i < count; ++i)
      forItem(int64_t(i), [&] {
        list.push_back(readJob(getElement(jobs, i, "llamart_job")));
        if (results)
          getElement(results, i, "llamart_result");
      });
    std::vector<GenerateResult> ends =
        generate(engine->engine, std::move(list));
    for (size_t i = 0; results && i < count; ++i) {
      llamart_result result = toC(ends[i]);
      result.error = nullptr; // what it points to ends here
      writeStruct(getElement(results, i, "llamart_result"), result,
                  "llamart_result");
    }
    for (size_t i = 0; i < count; ++i)
      if (ends[i].error)
        throw Error(*ends[i].error).at(int64_t(i));
  });
}

//===----------------------------------------------------------------------===//
// Queues
//===----------------------------------------------------------------------===//

llamart_error *llamart_queue_create(llamart_engine *engine,
                                    const llamart_queue_options *options,
                                    llamart_queue **queue) {
  return guarded([&] {
    require(engine, "engine");
    require(queue, "queue");
    auto given = readOptions<llamart_queue_options>(
        options, LLAMART_QUEUE_OPTIONS, "llamart_queue_options");
    if (given.running < 0 || given.waiting < 0)
      throw Error(ErrorKind::Argument, "llamart_queue_options: running is ",
                  given.running, " and waiting is ", given.waiting,
                  ", expected at least 0");
    QueueOptions to;
    if (given.running > 0)
      to.running = size_t(given.running);
    to.waiting = given.waiting > 0 ? size_t(given.waiting) : 1024;
    *queue = std::make_unique<llamart_queue>(
                 engine->engine, std::make_shared<Queue>(engine->engine, to))
                 .release();
  });
}

llamart_error *llamart_queue_add(llamart_queue *queue, const llamart_job *job,
                                 llamart_ticket **ticket) {
  return guarded([&] {
    Queue &to = *require(queue, "queue").queue;
    auto handle = std::make_unique<llamart_ticket>();
    handle->queue = queue->queue;
    handle->ticket = to.add(readJob(require(job, "job")));
    if (ticket)
      *ticket = handle.release();
  });
}

llamart_error *llamart_queue_step(llamart_queue *queue, int32_t waitMs,
                                  size_t *unfinished) {
  return guarded([&] {
    std::shared_ptr<Queue> steps = require(queue, "queue").queue;
    size_t left = steps->step(waitMs);
    if (unfinished)
      *unfinished = left;
  });
}

void llamart_queue_wake(llamart_queue *queue) {
  if (queue)
    queue->queue->wake();
}

llamart_error *llamart_queue_run(llamart_queue *queue) {
  return guarded([&] {
    std::shared_ptr<Queue> steps = require(queue, "queue").queue;
    steps->run();
  });
}

void llamart_queue_stop(llamart_queue *queue, int drain) {
  if (queue)
    queue->queue->stop(drain != 0);
}

void llamart_queue_close(llamart_queue *queue) { delete queue; }

void llamart_ticket_cancel(llamart_ticket *ticket) {
  if (ticket)
    ticket->queue->cancel(*ticket->ticket);
}

int llamart_ticket_wait(const llamart_ticket *ticket, int32_t waitMs) {
  return ticket && ticket->ticket->wait(waitMs);
}

const llamart_result *llamart_ticket_result(const llamart_ticket *ticket) {
  const GenerateResult *result = ticket ? ticket->ticket->getResult() : nullptr;
  if (!result)
    return nullptr;
  std::call_once(ticket->resultOnce, [&] { ticket->result = toC(*result); });
  return &ticket->result;
}

void llamart_ticket_close(llamart_ticket *ticket) { delete ticket; }
