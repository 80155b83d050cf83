//===- Run.cpp - A job on its way -----------------------------------------===//

#include "runtime/Generate/Run.h"

#include <algorithm>
#include <utility>

using namespace llamart;

Run::Run(const std::shared_ptr<Engine> &engine, GenerateJob given)
    : job(std::move(given)),
      session(job.session
                  ? job.session
                  : std::make_shared<Session>(engine, job.sessionOptions)),
      use(session), stops(job.stops) {
  if (session->getEngine() != engine)
    throw Error(ErrorKind::Argument, "a session of another engine");
  engine->checkIds(job.prompt);
  if (engine->getModel().hasTokenizer() && (job.onText || !job.stops.empty()))
    decoder.emplace(engine->getModel().getTokenizer(), getStart());
  check();
}

void Run::check() const {
  int64_t length = session->getLength() + int64_t(job.prompt.size());
  int64_t context = session->getEngine()->getModel().getInfo().maxSeqLen;
  if (length > context)
    throw Error(ErrorKind::Context, "a prompt of ", length,
                " tokens is longer than the model's context of ", context);
  if (job.prompt.empty() && session->getLogits().rows == 0)
    throw Error(ErrorKind::Argument, "the prompt is empty: no token to feed");
  if (!job.stops.empty() && !decoder)
    throw Error(ErrorKind::Argument,
                "stop strings need a tokenizer; the model has none");
}

/// A reply to nothing but control tokens begins a text.
StreamStart Run::getStart() const {
  const Tokenizer &words = session->getEngine()->getModel().getTokenizer();
  auto isText = [&](int32_t id) { return !words.isControl(id); };
  bool afterText = std::ranges::any_of(job.prompt, isText) ||
                   std::ranges::any_of(session->getHistory(), isText);
  return afterText && !job.startsText ? StreamStart::AfterText
                                      : StreamStart::OfText;
}

/// Whether something looks at the logits of each row of the prompt.
bool Run::wantsAllLogits() const {
  return job.onLogits || job.onPromptStep || job.sampler->needsPromptLogits();
}

void Run::start() {
  if (std::exchange(hasStarted, true))
    return;
  Clock::time_point now = Clock::now();
  result.queueNs = std::chrono::nanoseconds(now - since).count();
  since = now;
  if (job.session == nullptr || session->getLength() == 0)
    adoptPrompt();
  if (fed == job.prompt.size()) // it has logits, whatever its cache has lost
    return step();
  if (job.onPromptStep && session->getLogits().rows > 0)
    showPromptToken(session->getLogits().rows - 1);
}

/// The last token is fed for its logits.
void Run::adoptPrompt() {
  if (job.prompt.size() < 2 || wantsAllLogits())
    return;
  session->adopt(std::span(job.prompt).first(job.prompt.size() - 1));
  fed = size_t(session->getLength());
  result.cachedTokens = result.promptTokens = int64_t(fed);
}

SequenceInput Run::makeInput(int64_t rows) {
  SequenceInput input;
  input.sequence = &session->getSequence();
  int64_t missing = input.sequence->getMissing();
  if (missing >= rows) { // no room for more
    input.restore = rows;
    inFlight = 0;
    return input;
  }
  if (fed < job.prompt.size()) {
    input.ids = std::span(job.prompt).subspan(fed);
    input.ids =
        input.ids.first(std::min<size_t>(input.ids.size(), rows - missing));
    bool isLast = fed + input.ids.size() == job.prompt.size();
    input.logits = isLast ? WantLogits::Last : WantLogits::None;
    if (wantsAllLogits())
      input.logits = WantLogits::All;
  } else {
    input.ids = {&next, 1};
    input.kind = RowKind::Decode;
  }
  input.attention = job.sampler->needsAttention();
  inFlight = int64_t(input.ids.size());
  return input;
}

void Run::advance() {
  if (inFlight == 0) // restored a part
    return;
  bool ofPrompt = fed < job.prompt.size();
  if (ofPrompt) {
    fed += size_t(inFlight);
    result.promptTokens = int64_t(fed);
    showPrompt(inFlight);
  }
  const Logits &logits = session->getLogits();
  if (isRunning() && job.onLogits && !job.onLogits(logits.data, logits.rows))
    finish(Finish::Callback);
  if (isRunning() && fed == job.prompt.size())
    step();
}

/// To those who look at the prompt: the rows that were fed last.
void Run::showPrompt(int64_t newIds) {
  if (job.sampler->needsPromptLogits())
    session->observe(job.sampler);
  if (!job.onPromptStep)
    return;
  for (int64_t row = 0; row < newIds && isRunning(); ++row)
    showPromptToken(row);
}

/// The token of the prompt that follows on a row of logits, if there is one.
void Run::showPromptToken(int64_t row) {
  size_t index = fed - size_t(session->getLogits().rows - row - 1);
  if (index == job.prompt.size())
    return;
  int64_t position = session->getLength() - int64_t(fed) + int64_t(index);
  if (!job.onPromptStep(
          {job.prompt[index], position, session->getLogits(row), nullptr}))
    finish(Finish::Callback);
}

/// Chooses the next token, shows it, decides whether to go on.
void Run::step() {
  if (result.generated == 0) {
    Clock::time_point now = Clock::now();
    result.promptNs = std::chrono::nanoseconds(now - since).count();
    since = now;
  }
  if (result.generated == job.maxTokens)
    return finish(Finish::MaxTokens);
  const Model &model = session->getEngine()->getModel();
  SampleTrace trace;
  next = session->sample(job.sampler, job.onStep ? &trace : nullptr);
  ++result.generated;
  bool goOn = !job.onStep || job.onStep({next, session->getLength(),
                                         session->getLogits(-1), &trace});
  goOn = (!job.onToken || job.onToken(next)) && goOn;
  if (decoder)
    goOn = show(stops.push(decoder->push(next))) && goOn;
  if (stops.isStopped())
    finish(Finish::StopText);
  else if (!job.ignoreEos && model.endsReply(next))
    finish(Finish::EndOfText);
  else if (!goOn)
    finish(Finish::Callback);
  else if (result.generated == job.maxTokens)
    finish(Finish::MaxTokens);
  else if (session->getLength() == model.getInfo().maxSeqLen)
    finish(Finish::Context);
}

/// False if the callback wants to end.
bool Run::show(const std::string &text) {
  return text.empty() || !job.onText || job.onText(text);
}

void Run::endText() {
  if (!decoder)
    return;
  std::string rest = stops.push(decoder->finish());
  show(rest + stops.finish());
}

void Run::finish(Finish reason) {
  result.finish = reason;
  if (result.generated > 0)
    result.decodeNs = std::chrono::nanoseconds(Clock::now() - since).count();
  if (reason == Finish::MaxTokens || reason == Finish::EndOfText ||
      reason == Finish::StopText || reason == Finish::Context)
    endText();
}

void Run::fail(const Error &error) {
  finish(error.getKind() == ErrorKind::Cancelled ? Finish::Cancelled
                                                 : Finish::Error);
  if (result.finish == Finish::Error)
    result.error = error;
}

void Run::report() {
  if (!job.onFinish)
    return;
  try {
    job.onFinish(result);
  } catch (const Error &error) { // nothing comes after it
    result.finish = Finish::Error;
    result.error = error;
  }
}
