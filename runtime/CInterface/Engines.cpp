//===- Engines.cpp - Engines, sessions and generation in llamart.h --------===//

#include "runtime/CInterface/Handles.h"
#include "runtime/Generate/Generate.h"
#include "runtime/Sampler/AttentionStats.h"
#include "runtime/Sampler/SamplerConfig.h"

#include <cinttypes>
#include <cstring>

using namespace llamart;

//===----------------------------------------------------------------------===//
// Engines
//===----------------------------------------------------------------------===//

static std::unique_ptr<Executor> readExecutor(const llamart_executor *given) {
  if (!given)
    return nullptr;
  llamart_executor none = {sizeof(llamart_executor), 0, nullptr, nullptr};
  auto executor = readOptions(given, none, "llamart_executor");
  require(executor.run, "llamart_executor: run");
  if (executor.threads < 1)
    throw Error(ErrorKind::Argument, "llamart_executor: threads is ",
                executor.threads, ", expected at least 1");
  return std::make_unique<ForeignExecutor>(executor.run, executor.user,
                                           executor.threads);
}

llamart_error *llamart_engine_create(const llamart_model *model,
                                     const llamart_engine_options *options,
                                     llamart_engine **engine) {
  return guarded([&] {
    require(model, "model");
    require(engine, "engine");
    auto given = readOptions<llamart_engine_options>(
        options, LLAMART_ENGINE_OPTIONS, "llamart_engine_options");
    EngineOptions to;
    to.threads = given.threads;
    to.batchRows = given.batch_rows;
    to.kvBytes = given.kv_bytes;
    to.executor = readExecutor(given.executor);
    auto handle = std::make_unique<llamart_engine>();
    handle->engine = std::make_shared<Engine>(model->model, std::move(to));
    *engine = handle.release();
  });
}

void llamart_engine_close(llamart_engine *engine) { delete engine; }

int32_t llamart_engine_threads(const llamart_engine *engine) {
  return engine ? engine->engine->getThreads() : 0;
}

uint64_t llamart_engine_kv_used(llamart_engine *engine) {
  return engine ? engine->engine->getKVBytesUsed() : 0;
}

uint64_t llamart_engine_kv_budget(llamart_engine *engine) {
  return engine ? engine->engine->getKVBytesBudget() : 0;
}

//===----------------------------------------------------------------------===//
// Sessions
//===----------------------------------------------------------------------===//

llamart_error *llamart_session_create(llamart_engine *engine, uint64_t number,
                                      llamart_session **session) {
  return guarded([&] {
    require(engine, "engine");
    require(session, "session");
    auto handle = std::make_unique<llamart_session>();
    handle->session = std::make_shared<Session>(engine->engine, number);
    *session = handle.release();
  });
}

llamart_error *llamart_session_fork(const llamart_session *session,
                                    uint64_t number, llamart_session **fork) {
  return guarded([&] {
    require(session, "session");
    require(fork, "fork");
    auto handle = std::make_unique<llamart_session>();
    handle->session = session->session->fork(number);
    *fork = handle.release();
  });
}

llamart_error *llamart_session_truncate(llamart_session *session,
                                        int64_t length) {
  return guarded(
      [&] { require(session, "session").session->truncate(length); });
}

llamart_error *llamart_session_reset(llamart_session *session) {
  return llamart_session_truncate(session, 0);
}

void llamart_session_close(llamart_session *session) { delete session; }

int64_t llamart_session_length(const llamart_session *session) {
  return session ? session->session->getLength() : 0;
}

const int32_t *llamart_session_ids(const llamart_session *session) {
  return session ? session->session->getHistory().data() : nullptr;
}

const float *llamart_session_logits(const llamart_session *session,
                                    int64_t *rows) {
  Logits logits = session ? session->session->getLogits() : Logits();
  if (rows)
    *rows = logits.rows;
  return logits.data;
}

const float *llamart_session_scores(const llamart_session *session,
                                    int64_t *heads, int64_t *length,
                                    int64_t *stride) {
  AttentionScores scores =
      session ? session->session->getAttention() : AttentionScores();
  if (heads)
    *heads = scores.heads;
  if (length)
    *length = scores.length;
  if (stride)
    *stride = scores.stride;
  return scores.data;
}

llamart_error *llamart_session_attention(const llamart_session *session,
                                         int64_t slots,
                                         llamart_attention *attention) {
  return guarded([&] {
    require(session, "session");
    require(attention, "attention");
    auto result = readOptions<llamart_attention>(attention, LLAMART_ATTENTION,
                                                 "llamart_attention");
    const AttentionScores &scores = session->session->getAttention();
    if (!scores.data)
      throw Error(ErrorKind::Argument,
                  "session: it has no attention scores; its last feed must "
                  "ask for them");
    if (slots < 0)
      throw Error(ErrorKind::Argument, "slots is ", slots,
                  ", expected at least 0");
    AttentionStats stats = computeAttention(scores, slots);
    result.entropy = stats.entropy;
    result.varentropy = stats.varentropy;
    result.agreement = stats.agreement;
    result.interaction_strength = stats.interactionStrength;
    std::memcpy(attention, &result, attention->struct_size);
  });
}

static SequenceInput readFeed(const llamart_feed *given) {
  auto feed = readOptions<llamart_feed>(given, LLAMART_FEED, "llamart_feed");
  if (feed.source != LLAMART_FROM_PROMPT && feed.source != LLAMART_FROM_MODEL)
    throw Error(ErrorKind::Argument, "llamart_feed: source is ", feed.source,
                ", expected LLAMART_FROM_PROMPT or _MODEL");
  if (feed.logits < LLAMART_LOGITS_NONE || feed.logits > LLAMART_LOGITS_ALL)
    throw Error(ErrorKind::Argument, "llamart_feed: logits is ", feed.logits,
                ", expected LLAMART_LOGITS_NONE, _LAST or _ALL");
  if (feed.count > 0)
    require(feed.ids, "llamart_feed: ids");
  Session &session = *require(feed.session, "llamart_feed: session").session;
  return {&session.getSequence(),
          {feed.ids, feed.count},
          feed.source == LLAMART_FROM_PROMPT ? RowKind::Prefill
                                             : RowKind::Decode,
          static_cast<WantLogits>(feed.logits),
          feed.attention != 0};
}

llamart_error *llamart_eval(llamart_engine *engine, const llamart_feed *feeds,
                            size_t count) {
  return guarded([&] {
    require(engine, "engine");
    if (count > 0)
      require(feeds, "feeds");
    std::vector<SequenceInput> list;
    list.reserve(count);
    for (size_t i = 0; i < count; ++i)
      list.push_back(readFeed(getElement(feeds, i)));
    engine->engine->eval(list);
  });
}

//===----------------------------------------------------------------------===//
// Sampling
//===----------------------------------------------------------------------===//

static std::shared_ptr<const Sampler>
makeSampler(const llamart_sampler_options &given) {
  if (given.kind != LLAMART_SAMPLER_GREEDY &&
      given.kind != LLAMART_SAMPLER_STANDARD)
    throw Error(ErrorKind::Argument, "llamart_sampler_options: kind is ",
                given.kind, ", expected LLAMART_SAMPLER_GREEDY or _STANDARD");
  if (given.kind == LLAMART_SAMPLER_GREEDY && !given.config)
    return createGreedySampler();
  SamplerBase base;
  if (given.kind == LLAMART_SAMPLER_GREEDY)
    base.sampler = "greedy";
  SamplerOptions &to = base.standard;
  to.seed = given.seed;
  to.repeatPenalty = given.repeat_penalty;
  to.frequencyPenalty = given.frequency_penalty;
  to.presencePenalty = given.presence_penalty;
  to.penaltyWindow = given.penalty_window;
  to.topK = given.top_k;
  to.topP = given.top_p;
  to.minP = given.min_p;
  to.temperature = given.temperature;
  if (given.model && given.model->model->hasTokenizer())
    base.tokenizer = &given.model->model->getTokenizer();
  return createSampler(given.config ? given.config : "{}", base);
}

llamart_error *llamart_sampler_create(const llamart_sampler_options *options,
                                      llamart_sampler **sampler) {
  return guarded([&] {
    require(sampler, "sampler");
    auto given = readOptions<llamart_sampler_options>(
        options, LLAMART_SAMPLER_OPTIONS, "llamart_sampler_options");
    *sampler =
        std::make_unique<llamart_sampler>(llamart_sampler{makeSampler(given)})
            .release();
  });
}

void llamart_sampler_close(llamart_sampler *sampler) { delete sampler; }

llamart_error *llamart_sample(const llamart_sampler *sampler,
                              llamart_session *session, int32_t *id) {
  return guarded([&] {
    require(sampler, "sampler");
    require(session, "session");
    require(id, "id") = session->session->sample(sampler->sampler);
  });
}

//===----------------------------------------------------------------------===//
// Generation
//===----------------------------------------------------------------------===//

static_assert(LLAMART_FINISH_MAX_TOKENS == int(Finish::MaxTokens) &&
              LLAMART_FINISH_END_OF_TEXT == int(Finish::EndOfText) &&
              LLAMART_FINISH_STOP_TEXT == int(Finish::StopText) &&
              LLAMART_FINISH_CONTEXT == int(Finish::Context) &&
              LLAMART_FINISH_CALLBACK == int(Finish::Callback));

static bool showStep(const llamart_job &job, int32_t id, int64_t position,
                     const SampleTrace &trace) {
  std::string state(trace.state); // ended by a zero byte
  AttentionStats attention = trace.attention.value_or(AttentionStats());
  llamart_step step = {};
  step.struct_size = sizeof(step);
  step.id = id;
  step.position = position;
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
  return callBack("llamart_job: on_step",
                  [&] { return job.on_step(job.user, &step); }) == 0;
}

static GenerateJob readJob(const llamart_job &given) {
  GenerateJob job;
  job.session = require(given.session, "llamart_job: session").session;
  job.sampler = require(given.sampler, "llamart_job: sampler").sampler;
  if (given.prompt_count > 0)
    require(given.prompt, "llamart_job: prompt");
  job.prompt = {given.prompt, given.prompt_count};
  job.maxTokens = given.max_tokens;
  if (given.stop_count > 0)
    require(given.stops, "llamart_job: stops");
  for (size_t i = 0; i < given.stop_count; ++i)
    job.stops.emplace_back(&require(given.stops[i], "llamart_job: a stop"));
  job.ignoreEos = given.ignore_eos;
  job.startsText = given.starts_text;
  if (given.on_token)
    job.onToken = [given](int32_t id) {
      return callBack("llamart_job: on_token",
                      [&] { return given.on_token(given.user, id); }) == 0;
    };
  if (given.on_text)
    job.onText = [given](std::string_view text) {
      std::string copy(text); // ended by a zero byte
      return callBack("llamart_job: on_text", [&] {
               return given.on_text(given.user, copy.c_str(), copy.size());
             }) == 0;
    };
  if (given.on_step)
    job.onStep = [given](int32_t id, int64_t position, const SampleTrace &t) {
      return showStep(given, id, position, t);
    };
  if (given.on_logits)
    job.onLogits = [given](const float *logits, int64_t rows) {
      return callBack("llamart_job: on_logits", [&] {
               return given.on_logits(given.user, logits, rows);
             }) == 0;
    };
  return job;
}

/// As far as the caller's struct goes, of which no byte beyond is read. (I2)
static void writeResults(llamart_job &to, const GenerateJob &from) {
  auto results = readOptions<llamart_job>(&to, LLAMART_JOB, "llamart_job");
  results.generated = from.generated;
  results.finish = static_cast<int>(from.finish);
  std::memcpy(static_cast<void *>(&to), &results, to.struct_size);
}

llamart_error *llamart_generate(llamart_engine *engine, llamart_job *jobs,
                                size_t count) {
  return guarded([&] {
    require(engine, "engine");
    if (count > 0)
      require(jobs, "jobs");
    std::vector<GenerateJob> list;
    list.reserve(count);
    for (size_t i = 0; i < count; ++i)
      list.push_back(readJob(readOptions<llamart_job>(
          getElement(jobs, i), LLAMART_JOB, "llamart_job")));
    auto report = [&] {
      for (size_t i = 0; i < count; ++i)
        writeResults(*getElement(jobs, i), list[i]);
    };
    try {
      generate(*engine->engine, list);
    } catch (...) {
      report();
      throw;
    }
    report();
  });
}
