//===- Engines.cpp - engines.h: engines and evals -------------------------===//

#include "runtime/CInterface/Handles.h"
#include "runtime/Engine/Engine.h"
#include "runtime/Model/ProcessMemory.h"

using namespace llamart;

static std::unique_ptr<Executor> readExecutor(const llamart_executor *given) {
  if (!given)
    return nullptr;
  llamart_executor executor = readStruct(*given, "llamart_executor");
  checkReserved(executor.reserved, "llamart_executor");
  require(executor.run, "llamart_executor: run");
  if (executor.threads < 1)
    throw Error(ErrorKind::Argument, "llamart_executor: threads is ",
                executor.threads, ", expected at least 1");
  return std::make_unique<ForeignExecutor>(executor.run, executor.user,
                                           executor.threads);
}

static int32_t readStepMs(int32_t given) {
  if (given < -1)
    throw Error(ErrorKind::Argument, "llamart_engine_options: step_ms is ",
                given, ", expected at least 1, 0 for 100 or -1 for no bound");
  return given == 0 ? EngineOptions().stepMs : given;
}

llamart_error *llamart_engine_create(const llamart_model *model,
                                     const llamart_engine_options *options,
                                     llamart_engine **engine) {
  return guarded([&] {
    require(model, "model");
    require(engine, "engine");
    auto given = readOptions<llamart_engine_options>(
        options, LLAMART_ENGINE_OPTIONS, "llamart_engine_options");
    checkReserved(given.reserved, "llamart_engine_options");
    EngineOptions to;
    to.threads = given.threads;
    if (given.batch_rows != 0)
      to.batchRows = given.batch_rows;
    to.kvBytes = given.kv_bytes;
    to.prefixBytes = given.prefix_bytes;
    to.stepMs = readStepMs(given.step_ms);
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

uint64_t llamart_engine_kv_used(const llamart_engine *engine) {
  return engine ? engine->engine->getKVBytesUsed() : 0;
}

uint64_t llamart_engine_kv_budget(const llamart_engine *engine) {
  return engine ? engine->engine->getKVBytesBudget() : 0;
}

llamart_error *llamart_engine_get_stats(const llamart_engine *engine,
                                        llamart_stats *stats) {
  return guarded([&] {
    const Engine &from = *require(engine, "engine").engine;
    require(stats, "stats");
    EngineStats past = from.getStats();
    const EngineCounts &now = from.getCounts();
    ProcessMemory memory = getProcessMemory();
    llamart_stats result = {};
    result.forward_calls = past.forwardCalls;
    result.forward_ns = past.forwardNs;
    result.rows = past.rows;
    result.prompt_tokens = past.promptTokens;
    result.generated_tokens = past.generatedTokens;
    result.recomputed_tokens = past.recomputedTokens;
    result.prefix_asked_tokens = past.prefixAskedTokens;
    result.prefix_found_tokens = past.prefixFoundTokens;
    result.preemptions = now.preemptions;
    result.kv_used = past.kvUsed;
    result.kv_cached = past.kvCached;
    result.kv_budget = past.kvBudget;
    result.workspace_bytes = past.workspaceBytes;
    if (from.getModel().hasCopiedWeights())
      result.copied_bytes = from.getModel().getInfo().weightsBytes;
    result.resident_bytes = memory.resident;
    result.peak_resident_bytes = memory.peak;
    result.sessions = now.sequences;
    result.running = now.running;
    result.waiting = now.waiting;
    writeStruct(*stats, result, "llamart_stats");
  });
}

//===----------------------------------------------------------------------===//
// Feeding
//===----------------------------------------------------------------------===//

static SequenceInput readFeed(const llamart_feed &given) {
  llamart_feed feed = readStruct(given, "llamart_feed");
  checkReserved(feed.reserved, "llamart_feed");
  if (feed.source != LLAMART_FROM_PROMPT && feed.source != LLAMART_FROM_MODEL)
    throw Error(ErrorKind::Argument, "llamart_feed: source is ", feed.source,
                ", expected LLAMART_FROM_PROMPT or _MODEL");
  if (feed.logits < LLAMART_LOGITS_NONE || feed.logits > LLAMART_LOGITS_ALL)
    throw Error(ErrorKind::Argument, "llamart_feed: logits is ", feed.logits,
                ", expected LLAMART_LOGITS_NONE, _LAST or _ALL");
  if (feed.count == 0)
    throw Error(ErrorKind::Argument, "a session is fed no tokens");
  require(feed.ids, "llamart_feed: ids");
  SequenceInput input;
  input.sequence =
      &requireFree(feed.session, "llamart_feed: session").getSequence();
  input.ids = {feed.ids, feed.count};
  input.kind =
      feed.source == LLAMART_FROM_PROMPT ? RowKind::Prefill : RowKind::Decode;
  input.logits = static_cast<WantLogits>(feed.logits);
  input.attention = feed.attention != 0;
  return input;
}

llamart_error *llamart_eval(llamart_engine *engine, const llamart_feed *feeds,
                            size_t count, const llamart_eval_options *options) {
  return guarded([&] {
    require(engine, "engine");
    if (count > 0)
      require(feeds, "feeds");
    auto given = readOptions<llamart_eval_options>(
        options, LLAMART_EVAL_OPTIONS, "llamart_eval_options");
    std::vector<SequenceInput> list;
    list.reserve(count);
    for (size_t i = 0; i < count; ++i)
      forItem(int64_t(i), [&] {
        list.push_back(readFeed(getElement(feeds, i, "llamart_feed")));
      });
    std::vector<Beneficiary> beneficiaries;
    std::shared_ptr<const CancelFlag> flag; // may be closed meanwhile
    if (given.cancel) {
      flag = given.cancel->flag;
      beneficiaries.push_back({{flag.get()}});
    }
    engine->engine->eval(list, beneficiaries);
  });
}
