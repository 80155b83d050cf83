//===- Queue.cpp - Jobs that come and go while others run -----------------===//

#include "runtime/Generate/Queue.h"

#include <algorithm>
#include <chrono>
#include <utility>

using namespace llamart;

//===----------------------------------------------------------------------===//
// Tickets
//===----------------------------------------------------------------------===//

template <typename Condition>
static bool waitFor(std::condition_variable &changed,
                    std::unique_lock<std::mutex> &holder, int32_t milliseconds,
                    Condition condition) {
  if (milliseconds >= 0)
    return changed.wait_for(holder, std::chrono::milliseconds(milliseconds),
                            condition);
  changed.wait(holder, condition);
  return true;
}

bool Ticket::wait(int32_t milliseconds) const {
  std::unique_lock holder(lock);
  return waitFor(changed, holder, milliseconds,
                 [&] { return result.has_value(); });
}

const GenerateResult *Ticket::getResult() const {
  std::scoped_lock holder(lock);
  return result ? &*result : nullptr;
}

void Ticket::finish(const GenerateResult &newResult) {
  std::scoped_lock holder(lock);
  result = newResult;
  changed.notify_all();
}

//===----------------------------------------------------------------------===//
// From any thread
//===----------------------------------------------------------------------===//

Queue::Queue(std::shared_ptr<Engine> engine, QueueOptions options)
    : engine(std::move(engine)), options(options) {}

Queue::~Queue() { close(); }

std::shared_ptr<Ticket> Queue::add(GenerateJob job) {
  Entry entry{0, std::make_unique<Run>(engine, std::move(job)),
              std::make_shared<Ticket>()};
  std::shared_ptr<Ticket> ticket = entry.ticket;
  std::scoped_lock holder(lock);
  if (stopped)
    throw Error(ErrorKind::Argument, "the queue was stopped");
  if (unfinished - runningCount >= options.waiting)
    throw Error(ErrorKind::Cache,
                "the queue is full: ", unfinished - runningCount,
                " jobs wait, expected fewer than ", options.waiting);
  entry.number = ++lastNumber;
  inbox.push_back(std::move(entry));
  ++unfinished;
  ++engine->getCounts().waiting;
  changed.notify_all();
  return ticket;
}

void Queue::wake() {
  std::scoped_lock holder(lock);
  woken = true;
  changed.notify_all();
}

void Queue::stop(bool drain) {
  std::scoped_lock holder(lock);
  stopped = true;
  if (!drain)
    abandoned = true;
  changed.notify_all();
}

void Queue::cancel(Ticket &ticket) {
  ticket.cancelled = true;
  wake();
}

//===----------------------------------------------------------------------===//
// Stepping
//===----------------------------------------------------------------------===//

/// This thread steps the queue while it lives, if no other one does.
class Queue::Stepping {
public:
  explicit Stepping(Queue &queue) : queue(queue) {
    isMine = queue.stepper.compare_exchange_strong(other,
                                                   std::this_thread::get_id());
  }
  Stepping(const Stepping &) = delete;
  Stepping &operator=(const Stepping &) = delete;
  ~Stepping() {
    if (isMine)
      queue.stepper = std::thread::id();
  }

  explicit operator bool() const { return isMine; }

  void require() const {
    if (!isMine)
      throw Error(ErrorKind::Argument,
                  other == std::this_thread::get_id()
                      ? "the queue is stepped by a callback of its own"
                      : "the queue is stepped by another thread");
  }

private:
  Queue &queue;
  std::thread::id other;
  bool isMine;
};

size_t Queue::step(int32_t waitMilliseconds) {
  Stepping stepping(*this);
  stepping.require();
  waitForWork(waitMilliseconds);
  retire(waiting);
  retire(running);
  admit();
  if (!running.empty())
    runRound();
  retire(running);
  return count();
}

void Queue::run() {
  for (;;) {
    size_t left = step(-1);
    std::scoped_lock holder(lock);
    if (stopped && left == 0)
      return;
  }
}

void Queue::close() noexcept {
  try {
    stop(/*drain=*/false);
    Stepping stepping(*this);
    if (!stepping) // whoever steps does it
      return;
    waitForWork(0);
    retire(waiting);
    retire(running);
  } catch (const std::bad_alloc &) {
    return; // tickets wait for good
  }
}

/// Jobs that were added are waiting ones from here on.
void Queue::waitForWork(int32_t milliseconds) {
  std::unique_lock holder(lock);
  if (running.empty() && waiting.empty())
    waitFor(changed, holder, milliseconds,
            [&] { return !inbox.empty() || stopped || woken; });
  woken = false;
  std::ranges::move(inbox, std::back_inserter(waiting));
  inbox.clear();
}

size_t Queue::count() {
  std::scoped_lock holder(lock);
  EngineCounts &counts = engine->getCounts();
  counts.running += running.size() - runningCount;
  counts.waiting -= running.size() - runningCount;
  runningCount = running.size();
  return unfinished;
}

//===----------------------------------------------------------------------===//
// Who runs
//===----------------------------------------------------------------------===//

static int64_t countBlocks(int64_t positions) {
  return (positions + LLAMA_KV_BLOCK - 1) / LLAMA_KV_BLOCK;
}

/// Blocks that a job will have taken when its first token comes.
static int64_t countNeeded(const Run &run) {
  return countBlocks(run.getPositions()) - run.countBlocks();
}

/// For its prompt, beside those of the others and one block more for each. (Q1)
bool Queue::hasRoomFor(const Run &run) const {
  int64_t needed = countNeeded(run) + 1;
  for (const Entry &entry : running)
    needed += countNeeded(*entry.run) + 1;
  return needed <= engine->countFreeBlocks();
}

void Queue::admit() {
  while (!waiting.empty() && running.size() < options.running &&
         (running.empty() || hasRoomFor(*waiting.front().run))) {
    Entry entry = std::move(waiting.front());
    waiting.pop_front();
    entry.run->guard([&] { entry.run->start(); });
    // One that was set aside takes its old place.
    auto older = [&](const Entry &other) {
      return other.number < entry.number;
    };
    running.insert(std::ranges::find_if_not(running, older), std::move(entry));
  }
  count();
}

/// The youngest gives its blocks to the others. (Q2)
void Queue::setYoungestAside() {
  Entry youngest = std::move(running.back());
  running.pop_back();
  youngest.run->guard([&] { youngest.run->setAside(); });
  waiting.push_front(std::move(youngest)); // older than all that wait
  ++engine->getCounts().preemptions;
}

/// Reports those that are finished or not wanted any more.
void Queue::retire(std::deque<Entry> &from) {
  std::vector<Entry> finished;
  std::deque<Entry> others;
  for (Entry &entry : from) {
    if (entry.run->isRunning() && getBeneficiary(entry).isCancelled())
      entry.run->finish(Finish::Cancelled);
    if (entry.run->isRunning())
      others.push_back(std::move(entry));
    else
      finished.push_back(std::move(entry));
  }
  from = std::move(others);
  count();
  for (Entry &entry : finished)
    finish(entry);
}

void Queue::finish(Entry &entry) {
  entry.run->report();
  GenerateResult result = entry.run->getResult();
  entry.run.reset(); // its session is free, or gone
  {
    std::scoped_lock holder(lock);
    --unfinished;
    --engine->getCounts().waiting;
  }
  entry.ticket->finish(result);
}

//===----------------------------------------------------------------------===//
// A forward call
//===----------------------------------------------------------------------===//

/// The rows of all that run: who generates first. (Q3)
std::vector<Queue::Entry *>
Queue::makeInputs(std::vector<SequenceInput> &inputs) {
  std::vector<Entry *> entries, prompting;
  for (Entry &entry : running)
    if (entry.run->isRunning())
      (entry.run->isInPrompt() ? prompting : entries).push_back(&entry);
  for (Entry *entry : entries)
    inputs.push_back(entry->run->makeInput(1));
  int64_t rows =
      options.cutByTime ? engine->getStepRows() : engine->getBatchRows();
  rows -= int64_t(inputs.size());
  for (size_t i = 0; i < prompting.size(); ++i) {
    int64_t share = rows / int64_t(prompting.size() - i);
    inputs.push_back(prompting[i]->run->makeInput(std::max<int64_t>(1, share)));
    rows -= inputs.back().getRows();
    entries.push_back(prompting[i]);
  }
  return entries;
}

void Queue::runRound() {
  std::vector<SequenceInput> inputs;
  std::vector<Entry *> entries = makeInputs(inputs);
  std::vector<Beneficiary> beneficiaries;
  beneficiaries.reserve(entries.size());
  if (entries.empty()) // all ended as they began
    return;
  for (const Entry *entry : entries)
    beneficiaries.push_back(getBeneficiary(*entry));
  try {
    engine->eval(inputs, beneficiaries);
  } catch (const Error &error) {
    return failRound(entries, error);
  } catch (const std::bad_alloc &) {
    return failRound(entries, Error(ErrorKind::Memory, "out of memory"));
  }
  for (Entry *entry : entries)
    entry->run->guard([&] { entry->run->advance(); });
}

/// Nothing was fed. (Q2, Q4)
void Queue::failRound(std::span<Entry *const> entries, const Error &error) {
  if (error.getKind() == ErrorKind::Cancelled)
    return; // those that are end as such
  if (error.getKind() == ErrorKind::Cache && running.size() > 1)
    return setYoungestAside(); // the next step tries without it
  if (error.getKind() != ErrorKind::Cache && error.getItem() >= 0)
    return entries[error.getItem()]->run->fail(error);
  for (Entry *entry : entries)
    entry->run->fail(error);
}
