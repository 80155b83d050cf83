//===- Engine.cpp - Runs forward calls ------------------------------------===//

#include "runtime/Engine/Engine.h"

#include "runtime/Engine/Session.h"
#include "runtime/Error.h"
#include "runtime/Model/Cores.h"

#include <algorithm>
#include <cfenv>
#include <iterator>
#include <unordered_set>
#include <utility>

using namespace llamart;

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
      batchRows(options.batchRows),
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

uint64_t Engine::getKVBytesUsed() {
  std::lock_guard guard(lock);
  return pool.getUsed() * pool.getBlockBytes();
}

uint64_t Engine::getKVBytesBudget() {
  std::lock_guard guard(lock);
  return pool.getCapacity() * pool.getBlockBytes();
}

void Engine::setProfile(Profile *newProfile) {
  std::lock_guard guard(lock);
  profile = newProfile;
}

//===----------------------------------------------------------------------===//
// The rows of an eval
//===----------------------------------------------------------------------===//

/// All rows of all feeds, prompts first, and the calls they make.
struct Engine::Batch {
  struct Call {
    int64_t firstRow = 0;
    int64_t rows = 0;
    int64_t firstLogitRow = 0;
    int64_t logitRows = 0;
    int64_t promptRows = 0;
  };

  Batch(std::span<const Feed> feeds, int64_t batchRows);
  void addTables(std::vector<KVSequence::Growth> growths);

  std::vector<int32_t> tokens, positions, sequences; // [rows]
  std::vector<int32_t> logitRows; // [wanted] row within its call
  std::vector<Call> calls;
  std::vector<KVSequence::Growth> growths; // [feeds]
  int64_t tableStride = 0;
  std::vector<int32_t> tables; // [feeds, tableStride], -1 beyond the blocks
  bool attention = false;      // whether a feed wants scores

  /// Positions that a row of scores has room for: those of the tables.
  int64_t getScoreStride() const { return tableStride * LLAMA_KV_BLOCK; }
};

Engine::Batch::Batch(std::span<const Feed> feeds, int64_t batchRows) {
  for (size_t f = 0; f < feeds.size(); ++f) {
    const Feed &feed = feeds[f];
    attention |= feed.attention && feed.logits != WantLogits::None;
    int32_t position = feed.session->getLength();
    for (size_t i = 0; i < feed.ids.size(); ++i) {
      if (calls.empty() || calls.back().rows == batchRows)
        calls.push_back({int64_t(tokens.size()), 0, int64_t(logitRows.size())});
      Call &call = calls.back();
      bool last = i + 1 == feed.ids.size();
      if (feed.logits == WantLogits::All ||
          (feed.logits == WantLogits::Last && last)) {
        logitRows.push_back(call.rows);
        ++call.logitRows;
      }
      tokens.push_back(feed.ids[i]);
      positions.push_back(position++);
      sequences.push_back(f);
      call.promptRows += feed.source == Source::Prompt;
      ++call.rows;
    }
  }
}

void Engine::Batch::addTables(std::vector<KVSequence::Growth> rooms) {
  growths = std::move(rooms);
  for (const KVSequence::Growth &growth : growths)
    tableStride = std::max<int64_t>(tableStride, growth.getBlocks().size());
  tables.assign(growths.size() * tableStride, -1);
  for (size_t f = 0; f < growths.size(); ++f)
    std::copy(growths[f].getBlocks().begin(), growths[f].getBlocks().end(),
              tables.begin() + f * tableStride);
}

//===----------------------------------------------------------------------===//
// eval
//===----------------------------------------------------------------------===//

// Everything that can fail comes before commit(), which cannot. (K6)
void Engine::eval(std::span<const Feed> given) {
  std::lock_guard guard(lock);
  check(given);
  if (given.empty())
    return;
  std::vector<Feed> feeds; // the ABI wants the rows of prompts first
  for (Source source : {Source::Prompt, Source::Model})
    std::ranges::copy_if(
        given, std::back_inserter(feeds),
        [&](const Feed &feed) { return feed.source == source; });
  Batch batch(feeds, batchRows);
  growWorkspace(batch);
  const ModelInfo &info = model->getInfo();
  size_t logitRows = batch.logitRows.size();
  std::shared_ptr<Pages> logits =
      takePages(logitPages, "logits", logitRows * info.vocab * sizeof(float));
  std::vector<KVSequence::Growth> growths;
  for (const Feed &feed : feeds) {
    growths.push_back(feed.session->cache.grow(feed.ids.size()));
    feed.session->reserve(feed.ids.size());
  }
  batch.addTables(std::move(growths));
  std::shared_ptr<Pages> scores;
  if (batch.attention)
    scores = takePages(scorePages, "attention scores",
                       logitRows * info.heads * batch.getScoreStride() *
                           sizeof(float));
  run(batch, reinterpret_cast<float *>(logits->getData()),
      scores ? reinterpret_cast<float *>(scores->getData()) : nullptr);
  commit(feeds, batch, logits, scores);
}

void Engine::check(std::span<const Feed> feeds) const {
  const ModelInfo &info = model->getInfo();
  std::unordered_set<const Session *> seen;
  for (const Feed &feed : feeds) {
    if (feed.session->engine.get() != this)
      throw Error(ErrorKind::Argument, "a session of another engine");
    if (!seen.insert(feed.session).second)
      throw Error(ErrorKind::Argument, "a session is fed twice in one eval");
    if (feed.ids.empty())
      throw Error(ErrorKind::Argument, "a session is fed no tokens");
    int64_t length = feed.session->getLength();
    if (int64_t(feed.ids.size()) > info.maxSeqLen - length)
      throw Error(ErrorKind::Context, "a sequence of ",
                  length + feed.ids.size(), " tokens (", feed.ids.size(),
                  " of them new) is longer than the model's context of ",
                  info.maxSeqLen);
    for (size_t i = 0; i < feed.ids.size(); ++i)
      if (feed.ids[i] < 0 || feed.ids[i] >= info.vocab)
        throw Error(ErrorKind::Argument, "token ", i, ": id ", feed.ids[i],
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

/// Memory that no session looks at. Two of them are kept: a session that
/// decodes has the one while the other is written.
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
  Profile *profile;
};

// The application may have changed how its threads round or flush denormals;
// the same bits come out with the default environment only. (A4)
void runForward(void *argument, int32_t thread) {
  const auto *job = static_cast<const ForwardJob *>(argument);
  std::fenv_t before;
  std::fegetenv(&before);
  std::fesetenv(FE_DFL_ENV);
  if (job->profile) {
    llama_call call = job->profile->beginThread(*job->call, thread);
    job->model->forward(call, thread);
    job->profile->endThread(thread);
  } else {
    job->model->forward(*job->call, thread);
  }
  std::fesetenv(&before);
}
} // namespace

void Engine::run(const Batch &batch, float *logitData, float *scores) {
  Barrier barrier(executor->getThreads());
  int64_t vocab = model->getInfo().vocab;
  int64_t scoreRow = model->getInfo().heads * batch.getScoreStride();
  for (const Batch::Call &rows : batch.calls) {
    llama_call call = {};
    call.struct_size = sizeof(call);
    call.rows = rows.rows;
    call.tokens = batch.tokens.data() + rows.firstRow;
    call.positions = batch.positions.data() + rows.firstRow;
    call.sequences = batch.sequences.data() + rows.firstRow;
    call.prompt_rows = rows.promptRows;
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
    call.barrier = &Barrier::arrive;
    call.team = &barrier;
    if (scores) {
      call.attention_rows = rows.logitRows;
      call.attention_stride = batch.getScoreStride();
      call.attention_scores = scores + rows.firstLogitRow * scoreRow;
    }
    ForwardJob job{model.get(), &call, profile};
    if (profile)
      profile->begin(call);
    executor->run(runForward, &job);
    if (profile)
      profile->end();
  }
}

void Engine::commit(std::span<const Feed> feeds, Batch &batch,
                    const std::shared_ptr<Pages> &logits,
                    const std::shared_ptr<Pages> &scores) {
  int64_t heads = model->getInfo().heads, stride = batch.getScoreStride();
  int64_t lines = 0; // of logits and scores so far
  int64_t vocab = model->getInfo().vocab;
  const float *data = reinterpret_cast<const float *>(logits->getData());
  for (size_t f = 0; f < feeds.size(); ++f) {
    const Feed &feed = feeds[f];
    Session &session = *feed.session;
    batch.growths[f].commit();
    session.append(feed.ids, feed.source);
    int64_t rows = feed.logits == WantLogits::All    ? feed.ids.size()
                   : feed.logits == WantLogits::Last ? 1
                                                     : 0;
    session.logits = rows ? Logits{logits, data, rows} : Logits();
    data += rows * vocab;
    lines += rows;
    session.attention = Attention();
    if (feed.attention && rows > 0)
      session.attention = {scores,
                           {reinterpret_cast<const float *>(scores->getData()) +
                                (lines - 1) * heads * stride,
                            heads, session.getLength(), stride}};
  }
}
