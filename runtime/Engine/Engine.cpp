//===- Engine.cpp - Runs forward calls ------------------------------------===//

#include "runtime/Engine/Engine.h"

#include "runtime/Engine/SharedLoops.h"
#include "runtime/Error.h"
#include "runtime/Model/Cores.h"

#include <algorithm>
#include <cfenv>
#include <chrono>
#include <unistd.h>
#include <unordered_set>
#include <utility>

using namespace llamart;
using llamaabi::ModelInfo;

// A decode step meets at about a dozen barriers a layer, one microsecond each
// where a few threads spin. They should take a tenth of a thread's time or
// less: at 10 GB/s a layer's 12 us are 120 KB of weights, ten times that is
//   1.2 MB of a layer's weights per thread.
// A model of 1 MB a layer is thus run by one thread, one of 100 MB by up to 83.
static int32_t chooseThreads(const ModelInfo &info) {
  constexpr int64_t kBytesPerThread = 1200000;
  int64_t useful = info.weightsBytes / info.layers / kBytesPerThread;
  return std::clamp<int64_t>(useful, 1, getAvailableCores());
}

Engine::Engine(std::shared_ptr<const Model> shared, EngineOptions options)
    : model(std::move(shared)), executor(std::move(options.executor)),
      batchRows(options.batchRows), stepMs(options.stepMs), process(getpid()),
      pool(model->getKVBlockBytes(), options.kvBytes),
      prefixes(pool, int64_t(options.prefixBytes / pool.getBlockBytes()),
               model->getCode().hasRowsAlike) {
  if (batchRows < 1)
    throw Error(ErrorKind::Argument, "batch rows: ", batchRows,
                ", expected at least 1");
  if (options.threads < 0)
    throw Error(ErrorKind::Argument, "threads: ", options.threads,
                ", expected at least 1, or 0 for all cores");
  if (options.prefixBytes > getKVBytesBudget())
    throw Error(ErrorKind::Argument, "prefix bytes: ", options.prefixBytes,
                ", expected at most the ", getKVBytesBudget(),
                " bytes of the KV cache");
  if (!executor)
    executor = std::make_unique<Team>(
        options.threads ? options.threads : chooseThreads(model->getInfo()));
  pool.setReclaimer(&prefixes);
}

Engine::~Engine() = default;

/// In a forked process the thread that holds the lock may not be there: then it
/// is not waited for. Whoever has it once makes the engine this process's.
Engine::Turn Engine::tryTurn() const {
  if (evaluating == std::this_thread::get_id())
    return {}; // it has the lock
  if (process == getpid())
    return std::unique_lock(lock);
  std::unique_lock turn(lock, std::try_to_lock);
  if (turn)
    process = getpid();
  return turn;
}

Engine::Turn Engine::takeTurn() {
  if (evaluating == std::this_thread::get_id())
    throw Error(ErrorKind::Argument,
                "the engine is called by its own executor");
  Turn turn = tryTurn();
  if (!turn)
    throw Error(ErrorKind::System, "the engine was busy when this process was "
                                   "forked: make one in this process");
  return turn;
}

//===----------------------------------------------------------------------===//
// Figures
//===----------------------------------------------------------------------===//

uint64_t Engine::getKVBytesUsed() const { return getStats().kvUsed; }

uint64_t Engine::getKVBytesBudget() const {
  return pool.getCapacity() * pool.getBlockBytes();
}

int64_t Engine::countFreeBlocks() const {
  Turn turn = tryTurn();
  return pool.getCapacity() - pool.getUsed() + prefixes.countUnshared();
}

int64_t Engine::getStepRows() const {
  if (stepMs < 0)
    return batchRows;
  Turn turn = tryTurn();
  return std::min<int64_t>(batchRows, callTimes.getRows(stepMs / 1000.0));
}

EngineStats Engine::getStats() const {
  Turn turn = tryTurn();
  EngineStats result = stats;
  uint64_t block = pool.getBlockBytes();
  result.kvCached = prefixes.countUnshared() * block;
  result.kvUsed = pool.getUsed() * block - result.kvCached;
  result.kvBudget = getKVBytesBudget();
  result.workspaceBytes = workspace.getSize();
  return result;
}

void Engine::setProfile(Profile *newProfile) {
  Turn turn = takeTurn();
  profile = newProfile;
}

//===----------------------------------------------------------------------===//
// Sequences
//===----------------------------------------------------------------------===//

Sequence Engine::makeSequence(std::string salt) {
  ++counts.sequences;
  return Sequence(pool, std::move(salt));
}

Sequence Engine::fork(const Sequence &from) {
  Sequence result(pool, from.salt);
  result.history = from.history;
  result.kinds = from.kinds;
  result.promptLength = from.promptLength;
  result.logits = from.logits;
  result.attention = from.attention;
  Turn turn = takeTurn();
  result.cache = from.cache.fork();
  ++counts.sequences;
  return result;
}

void Engine::truncate(Sequence &sequence, int64_t length) {
  Turn turn = takeTurn();
  sequence.truncate(length);
}

void Engine::release(Sequence &sequence) {
  Turn turn = takeTurn();
  sequence.cache.truncate(0);
}

void Engine::adopt(Sequence &sequence, std::span<const int32_t> ids) {
  if (sequence.getLength() != 0)
    throw Error(ErrorKind::Argument, "a session of ", sequence.getLength(),
                " positions cannot adopt others, expected none");
  checkIds(ids);
  Turn turn = takeTurn();
  if (!prefixes.isOn())
    return;
  ids = ids.first(std::min<size_t>(ids.size(), model->getInfo().maxSeqLen));
  sequence.reserve(ids.size());
  std::vector<int32_t> blocks = prefixes.find(ids, sequence.salt);
  size_t found = blocks.size() * LLAMA_KV_BLOCK;
  sequence.cache.adopt(blocks);
  sequence.append(ids.first(found), RowKind::Prefill);
  stats.prefixAskedTokens += ids.size();
  stats.prefixFoundTokens += found;
}

void Engine::close(Sequence &sequence) noexcept {
  --counts.sequences;
  if (Turn turn = tryTurn())
    sequence.cache.truncate(0);
}

//===----------------------------------------------------------------------===//
// eval
//===----------------------------------------------------------------------===//

// Everything that can fail comes before commit(), which cannot. (K6)
void Engine::eval(std::span<const SequenceInput> inputs,
                  std::span<const Beneficiary> beneficiaries) {
  Turn turn = takeTurn();
  check(inputs);
  if (inputs.empty())
    return;
  if (hasGivenLogits)
    model->beginCopy();
  Batch batch(inputs, batchRows);
  growWorkspace(batch);
  const ModelInfo &info = model->getInfo();
  size_t logitRows = batch.logitRows.size();
  std::shared_ptr<Pages> logits =
      takePages(logitPages, "logits", logitRows * info.vocab * sizeof(float));
  for (const SequenceInput &input : inputs)
    input.sequence->reserve(input.ids.size());
  batch.addTables(grow(inputs));
  std::shared_ptr<Pages> scores;
  if (batch.attention)
    scores = takePages(scorePages, "attention scores",
                       logitRows * info.heads * batch.getScoreStride() *
                           sizeof(float));
  run(batch, reinterpret_cast<float *>(logits->getData()),
      scores ? reinterpret_cast<float *>(scores->getData()) : nullptr,
      beneficiaries);
  commit(inputs, batch, logits, scores);
  hasGivenLogits |= logitRows > 0;
}

void Engine::checkIds(std::span<const int32_t> ids) const {
  int64_t vocab = model->getInfo().vocab;
  for (size_t i = 0; i < ids.size(); ++i)
    if (ids[i] < 0 || ids[i] >= vocab)
      throw Error(ErrorKind::Argument, "token ", i, ": id ", ids[i],
                  ", expected 0 to ", vocab - 1);
}

void Engine::checkLength(const SequenceInput &input) const {
  int64_t length = input.sequence->getLength();
  int64_t context = model->getInfo().maxSeqLen;
  if (int64_t(input.ids.size()) > context - length)
    throw Error(ErrorKind::Context, "a sequence of ", length + input.ids.size(),
                " tokens (", input.ids.size(),
                " of them new) is longer than the model's context of ",
                context);
}

void Engine::check(std::span<const SequenceInput> inputs) const {
  std::unordered_set<const Sequence *> seen;
  for (size_t i = 0; i < inputs.size(); ++i)
    forItem(int64_t(i), [&] {
      const SequenceInput &input = inputs[i];
      if (input.sequence->pool != &pool)
        throw Error(ErrorKind::Argument, "a session of another engine");
      if (!seen.insert(input.sequence).second)
        throw Error(ErrorKind::Argument, "a session is fed twice in one eval");
      if (input.getRows() == 0)
        throw Error(ErrorKind::Argument, "a session is fed no tokens");
      checkLength(input);
      checkIds(input.ids);
    });
}

/// Room for the rows of all inputs.
std::vector<KVSequence::Growth>
Engine::grow(std::span<const SequenceInput> inputs) {
  std::vector<KVSequence::Growth> growths;
  for (size_t i = 0; i < inputs.size(); ++i)
    forItem(int64_t(i), [&] {
      growths.push_back(inputs[i].sequence->cache.grow(inputs[i].getRows()));
    });
  return growths;
}

void Engine::growWorkspace(const Batch &batch) {
  uint64_t bytes = 0; // of the largest call
  for (const Batch::Call &call : batch.calls)
    bytes =
        std::max(bytes, model->getWorkspaceBytes(call.rows, call.logitRows));
  if (bytes > workspace.getSize())
    workspace = reserveOrThrow("workspace", bytes, HugePages::Advised);
}

/// Memory that no sequence has. Two of them are kept: a sequence that decodes
/// has the one while the other is written.
std::shared_ptr<Pages> Engine::takePages(KeptPages &kept, const char *name,
                                         uint64_t bytes) {
  constexpr uint64_t kKept = 64 << 20; // larger ones are for whole prompts
  bytes = std::max<uint64_t>(bytes, 1);
  std::shared_ptr<Pages> *unused = nullptr;
  for (std::shared_ptr<Pages> &pages : kept) {
    if (pages && pages.use_count() > 1)
      continue;
    if (pages && pages->getSize() >= bytes)
      return pages;
    unused = &pages;
  }
  auto pages =
      std::make_shared<Pages>(reserveOrThrow(name, bytes, HugePages::Advised));
  if (unused && bytes <= kKept)
    *unused = pages;
  return pages;
}

namespace {
struct ForwardJob {
  const Model *model;
  const llama_call *call;
  SharedLoops *loops;
  Profile *profile;
};

// The application may have changed how its threads round or flush denormals;
// the same bits come out with the default environment only. (A4)
void runForward(void *argument, int32_t thread) {
  const auto *job = static_cast<const ForwardJob *>(argument);
  std::fenv_t before;
  std::fegetenv(&before);
  std::fesetenv(FE_DFL_ENV);
  SharedLoops::Thread own(*job->loops);
  llama_call call = *job->call;
  call.team = &own;
  if (job->profile)
    call = job->profile->beginThread(call, thread);
  job->model->forward(call);
  if (job->profile)
    job->profile->endThread(thread);
  std::fesetenv(&before);
}
} // namespace

llama_call Engine::makeCall(const Batch &batch, const Batch::Call &rows,
                            float *logits, float *scores) const {
  llama_call call = {};
  call.struct_size = sizeof(call);
  call.rows = rows.rows;
  call.tokens = batch.tokens.data() + rows.firstRow;
  call.positions = batch.positions.data() + rows.firstRow;
  call.sequences = batch.sequences.data() + rows.firstRow;
  call.prompt_rows = rows.prefillRows;
  call.table_count = batch.growths.size();
  call.table_stride = batch.tableStride;
  call.block_tables = batch.tables.data();
  call.kv = pool.getData();
  call.kv_blocks = pool.getCapacity();
  call.logit_rows = rows.logitRows;
  call.logit_row_list = batch.logitRows.data() + rows.firstLogitRow;
  call.logits = logits + rows.firstLogitRow * model->getInfo().vocab;
  call.weights = model->getWeights();
  call.workspace = workspace.getData();
  call.threads = executor->getThreads();
  call.barrier = &SharedLoops::Thread::arrive;
  call.take_share = &SharedLoops::Thread::takeShare;
  if (scores) {
    int64_t scoreRow = model->getInfo().heads * batch.getScoreStride();
    call.attention_rows = rows.logitRows;
    call.attention_stride = batch.getScoreStride();
    call.attention_scores = scores + rows.firstLogitRow * scoreRow;
  }
  return call;
}

namespace {
/// While it lives, calls of this thread are the executor's.
class Evaluating {
public:
  explicit Evaluating(std::atomic<std::thread::id> &who) : who(who) {
    who = std::this_thread::get_id();
  }
  ~Evaluating() { who = std::thread::id(); }

private:
  std::atomic<std::thread::id> &who;
};
} // namespace

void Engine::run(const Batch &batch, float *logits, float *scores,
                 std::span<const Beneficiary> beneficiaries) {
  using Clock = std::chrono::steady_clock;
  Evaluating evaluating(this->evaluating);
  for (const Batch::Call &rows : batch.calls) {
    llama_call call = makeCall(batch, rows, logits, scores);
    SharedLoops loops(beneficiaries);
    ForwardJob job{model.get(), &call, &loops, profile};
    auto begin = Clock::now();
    if (profile)
      profile->begin(call);
    executor->run(runForward, &job);
    if (profile)
      profile->end();
    if (loops.isGivenUp())
      throw Error(ErrorKind::Cancelled, "cancelled");
    Clock::duration time = Clock::now() - begin;
    callTimes.add(rows.rows, std::chrono::duration<double>(time).count());
    ++stats.forwardCalls;
    stats.forwardNs += std::chrono::nanoseconds(time).count();
    stats.rows += rows.rows;
  }
}

void Engine::commit(std::span<const SequenceInput> inputs, Batch &batch,
                    const std::shared_ptr<Pages> &logits,
                    const std::shared_ptr<Pages> &scores) noexcept {
  for (size_t f = 0; f < inputs.size(); ++f) {
    const SequenceInput &input = inputs[f];
    Sequence &sequence = *input.sequence;
    count(input);
    int64_t blocks = sequence.cache.getLength() / LLAMA_KV_BLOCK;
    batch.growths[f].commit();
    if (!input.ids.empty()) {
      sequence.append(input.ids, input.kind);
      giveLogits(input, batch, batch.firstLogitRows[f], logits, scores);
    }
    if (prefixes.isOn() && sequence.cache.getLength() / LLAMA_KV_BLOCK > blocks)
      prefixes.insert(sequence);
  }
}

void Engine::giveLogits(const SequenceInput &input, const Batch &batch,
                        int64_t first, const std::shared_ptr<Pages> &logits,
                        const std::shared_ptr<Pages> &scores) const noexcept {
  Sequence &sequence = *input.sequence;
  sequence.logits = Logits();
  sequence.attention = Attention();
  int64_t rows = input.getLogitRows();
  if (rows == 0)
    return;
  auto getLine = [&](const Pages &pages, int64_t size) {
    return reinterpret_cast<const float *>(pages.getData()) + first * size;
  };
  const ModelInfo &info = model->getInfo();
  int64_t heads = info.heads, stride = batch.getScoreStride();
  sequence.logits = {logits, getLine(*logits, info.vocab), rows};
  if (input.attention)
    sequence.attention = {scores, getLine(*scores, heads * stride), heads,
                          stride};
}

void Engine::count(const SequenceInput &input) noexcept {
  stats.recomputedTokens += input.getRestored();
  (input.kind == RowKind::Prefill ? stats.promptTokens
                                  : stats.generatedTokens) += input.ids.size();
}
