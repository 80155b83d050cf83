//===- Engine.cpp - Runs forward calls ------------------------------------===//

#include "runtime/Engine/Engine.h"

#include "runtime/Engine/SharedLoops.h"
#include "runtime/Error.h"
#include "runtime/Model/Cores.h"

#include <algorithm>
#include <cfenv>
#include <iterator>
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
      batchRows(options.batchRows), process(getpid()),
      pool(model->getKVBlockBytes(), options.kvBytes) {
  if (batchRows < 1)
    throw Error(ErrorKind::Argument, "batch rows: ", batchRows,
                ", expected at least 1");
  if (options.threads < 0)
    throw Error(ErrorKind::Argument, "threads: ", options.threads,
                ", expected at least 1, or 0 for all cores");
  if (!executor)
    executor = std::make_unique<Team>(
        options.threads ? options.threads : chooseThreads(model->getInfo()));
}

Engine::~Engine() = default;

/// In a forked process the thread that holds the lock may not be there: then it
/// is not waited for. Whoever has it once makes the engine this process's.
std::unique_lock<std::mutex> Engine::tryTurn() {
  if (process == getpid())
    return std::unique_lock(lock);
  std::unique_lock turn(lock, std::try_to_lock);
  if (turn)
    process = getpid();
  return turn;
}

std::unique_lock<std::mutex> Engine::takeTurn() {
  std::unique_lock turn = tryTurn();
  if (!turn)
    throw Error(ErrorKind::System, "the engine was busy when this process was "
                                   "forked: make one in this process");
  return turn;
}

uint64_t Engine::getKVBytesUsed() {
  std::unique_lock turn = tryTurn();
  return pool.getUsed() * pool.getBlockBytes();
}

uint64_t Engine::getKVBytesBudget() {
  std::unique_lock turn = tryTurn();
  return pool.getCapacity() * pool.getBlockBytes();
}

Sequence Engine::fork(const Sequence &from) {
  Sequence result(pool);
  result.history = from.history;
  result.promptLength = from.promptLength;
  result.logits = from.logits;
  result.attention = from.attention;
  std::unique_lock turn = takeTurn();
  result.cache = from.cache.fork();
  return result;
}

void Engine::truncate(Sequence &sequence, int64_t length) {
  std::unique_lock turn = takeTurn();
  sequence.cache.truncate(length);
  sequence.history.resize(length);
  sequence.promptLength = std::min<size_t>(sequence.promptLength, length);
  sequence.logits = Logits();
  sequence.attention = Attention();
}

void Engine::release(Sequence &sequence) noexcept {
  if (std::unique_lock turn = tryTurn())
    sequence.cache.truncate(0);
}

void Engine::setProfile(Profile *newProfile) {
  std::unique_lock turn = takeTurn();
  profile = newProfile;
}

//===----------------------------------------------------------------------===//
// eval
//===----------------------------------------------------------------------===//

// Everything that can fail comes before commit(), which cannot. (K6)
void Engine::eval(std::span<const SequenceInput> given) {
  std::unique_lock turn = takeTurn();
  check(given);
  if (given.empty())
    return;
  if (hasGivenLogits)
    model->beginCopy();
  std::vector<SequenceInput> inputs; // the ABI wants prefill rows first
  for (RowKind kind : {RowKind::Prefill, RowKind::Decode})
    std::ranges::copy_if(
        given, std::back_inserter(inputs),
        [&](const SequenceInput &input) { return input.kind == kind; });
  Batch batch(inputs, batchRows);
  growWorkspace(batch);
  const ModelInfo &info = model->getInfo();
  size_t logitRows = batch.logitRows.size();
  std::shared_ptr<Pages> logits =
      takePages(logitPages, "logits", logitRows * info.vocab * sizeof(float));
  std::vector<KVSequence::Growth> growths;
  for (const SequenceInput &input : inputs) {
    growths.push_back(input.sequence->cache.grow(input.ids.size()));
    input.sequence->reserve(input.ids.size());
  }
  batch.addTables(std::move(growths));
  std::shared_ptr<Pages> scores;
  if (batch.attention)
    scores = takePages(scorePages, "attention scores",
                       logitRows * info.heads * batch.getScoreStride() *
                           sizeof(float));
  run(batch, reinterpret_cast<float *>(logits->getData()),
      scores ? reinterpret_cast<float *>(scores->getData()) : nullptr);
  commit(inputs, batch, logits, scores);
  hasGivenLogits |= logitRows > 0;
}

void Engine::check(std::span<const SequenceInput> inputs) const {
  const ModelInfo &info = model->getInfo();
  std::unordered_set<const Sequence *> seen;
  for (const SequenceInput &input : inputs) {
    if (input.sequence->pool != &pool)
      throw Error(ErrorKind::Argument, "a session of another engine");
    if (!seen.insert(input.sequence).second)
      throw Error(ErrorKind::Argument, "a session is fed twice in one eval");
    if (input.ids.empty())
      throw Error(ErrorKind::Argument, "a session is fed no tokens");
    int64_t length = input.sequence->getLength();
    if (int64_t(input.ids.size()) > info.maxSeqLen - length)
      throw Error(ErrorKind::Context, "a sequence of ",
                  length + input.ids.size(), " tokens (", input.ids.size(),
                  " of them new) is longer than the model's context of ",
                  info.maxSeqLen);
    for (size_t i = 0; i < input.ids.size(); ++i)
      if (input.ids[i] < 0 || input.ids[i] >= info.vocab)
        throw Error(ErrorKind::Argument, "token ", i, ": id ", input.ids[i],
                    ", expected 0 to ", info.vocab - 1);
  }
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

void Engine::run(const Batch &batch, float *logitData, float *scores) {
  int64_t vocab = model->getInfo().vocab;
  int64_t scoreRow = model->getInfo().heads * batch.getScoreStride();
  for (const Batch::Call &rows : batch.calls) {
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
    call.logits = logitData + rows.firstLogitRow * vocab;
    call.weights = model->getWeights();
    call.workspace = workspace.getData();
    call.threads = executor->getThreads();
    call.barrier = &SharedLoops::Thread::arrive;
    call.take_share = &SharedLoops::Thread::takeShare;
    if (scores) {
      call.attention_rows = rows.logitRows;
      call.attention_stride = batch.getScoreStride();
      call.attention_scores = scores + rows.firstLogitRow * scoreRow;
    }
    SharedLoops loops;
    ForwardJob job{model.get(), &call, &loops, profile};
    if (profile)
      profile->begin(call);
    executor->run(runForward, &job);
    if (profile)
      profile->end();
  }
}

void Engine::commit(std::span<const SequenceInput> inputs, Batch &batch,
                    const std::shared_ptr<Pages> &logits,
                    const std::shared_ptr<Pages> &scores) {
  int64_t heads = model->getInfo().heads, stride = batch.getScoreStride();
  int64_t lines = 0; // of logits and scores so far
  int64_t vocab = model->getInfo().vocab;
  const float *data = reinterpret_cast<const float *>(logits->getData());
  for (size_t f = 0; f < inputs.size(); ++f) {
    const SequenceInput &input = inputs[f];
    Sequence &sequence = *input.sequence;
    batch.growths[f].commit();
    sequence.append(input.ids, input.kind);
    int64_t rows = input.getLogitRows();
    sequence.logits = rows ? Logits{logits, data, rows} : Logits();
    data += rows * vocab;
    lines += rows;
    sequence.attention = Attention();
    if (input.attention && rows > 0)
      sequence.attention = {
          scores,
          {reinterpret_cast<const float *>(scores->getData()) +
               (lines - 1) * heads * stride,
           heads, sequence.getLength(), stride}};
  }
}
