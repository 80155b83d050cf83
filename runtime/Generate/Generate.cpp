//===- Generate.cpp - Prompts to texts, several at a time -----------------===//

#include "runtime/Generate/Generate.h"

#include "runtime/Error.h"
#include "runtime/Generate/StopFilter.h"

#include <algorithm>
#include <optional>

using namespace llamart;

namespace {

// A job and where it stands: feeding its prompt, or with a token to feed.
class Run {
public:
  explicit Run(GenerateJob &job)
      : job(job), session(*job.session), stops(job.stops) {
    job.generated = 0;
    job.finish = Finish::None;
    if (session.getEngine()->getModel().hasTokenizer() &&
        (job.onText || !job.stops.empty()))
      decoder.emplace(session.getEngine()->getModel().getTokenizer(),
                      getStart());
    check();
  }

  /// Without a prompt there is a token to choose before the first eval.
  void start() {
    if (!isInPrompt())
      step();
  }

  bool isRunning() const { return job.finish == Finish::None; }
  bool isInPrompt() const { return fed < job.prompt.size(); }

  /// The next rows, at most so many.
  SequenceInput makeInput(int64_t rows) {
    SequenceInput input;
    input.sequence = &session.getSequence();
    if (isInPrompt()) {
      input.ids = job.prompt.subspan(fed);
      input.ids = input.ids.first(std::min<size_t>(input.ids.size(), rows));
      fed += input.ids.size();
      input.logits = isInPrompt() ? WantLogits::None : WantLogits::Last;
    } else {
      input.ids = {&next, 1};
      input.kind = RowKind::Decode;
    }
    if (job.onLogits || isForSampler(input))
      input.logits = WantLogits::All;
    input.attention = job.sampler->needsAttention();
    return input;
  }

  /// After the eval of makeInput's rows.
  void advance() {
    const Logits &logits = session.getLogits();
    if (job.sampler->needsPromptLogits() && job.generated == 0)
      session.observe(job.sampler);
    if (job.onLogits && !job.onLogits(logits.data, logits.rows))
      finish(Finish::Callback);
    else if (!isInPrompt())
      step();
  }

private:
  bool isForSampler(const SequenceInput &input) const {
    return input.kind == RowKind::Prefill && job.sampler->needsPromptLogits();
  }

  void check() const {
    int64_t length = session.getLength() + job.prompt.size();
    int64_t context = session.getEngine()->getModel().getInfo().maxSeqLen;
    if (length > context)
      throw Error(ErrorKind::Context, "a prompt of ", length,
                  " tokens is longer than the model's context of ", context);
    if (job.prompt.empty() && session.getLogits().rows == 0)
      throw Error(ErrorKind::Argument, "the prompt is empty: no token to feed");
    if (!job.stops.empty() && !decoder)
      throw Error(ErrorKind::Argument,
                  "stop strings need a tokenizer; the model has none");
  }

  /// A reply to nothing but control tokens begins a text.
  StreamStart getStart() const {
    const Tokenizer &words = session.getEngine()->getModel().getTokenizer();
    auto isText = [&](int32_t id) { return !words.isControl(id); };
    bool afterText =
        std::any_of(job.prompt.begin(), job.prompt.end(), isText) ||
        std::any_of(session.getHistory().begin(), session.getHistory().end(),
                    isText);
    return afterText && !job.startsText ? StreamStart::AfterText
                                        : StreamStart::OfText;
  }

  /// Chooses the next token, shows it, decides whether to go on.
  void step() {
    if (job.generated == job.maxTokens)
      return finish(Finish::MaxTokens);
    const Model &model = session.getEngine()->getModel();
    SampleTrace trace;
    next = session.sample(job.sampler, job.onStep ? &trace : nullptr);
    ++job.generated;
    bool goOn = !job.onStep || job.onStep(next, session.getLength(), trace);
    goOn = (!job.onToken || job.onToken(next)) && goOn;
    if (decoder)
      goOn = show(stops.push(decoder->push(next))) && goOn;
    if (stops.isStopped())
      finish(Finish::StopText);
    else if (!job.ignoreEos && model.endsReply(next))
      finish(Finish::EndOfText);
    else if (!goOn)
      finish(Finish::Callback);
    else if (job.generated == job.maxTokens)
      finish(Finish::MaxTokens);
    else if (session.getLength() == model.getInfo().maxSeqLen)
      finish(Finish::Context);
  }

  /// False if the callback wants to end.
  bool show(const std::string &text) {
    return text.empty() || !job.onText || job.onText(text);
  }

  void finish(Finish reason) {
    job.finish = reason;
    if (!decoder || reason == Finish::Callback)
      return;
    std::string rest = stops.push(decoder->finish());
    show(rest + stops.finish());
  }

  GenerateJob &job;
  Session &session;
  std::optional<StreamDecoder> decoder; // if anyone wants text
  StopFilter stops;
  size_t fed = 0;   // of the prompt
  int32_t next = 0; // the token to feed once the prompt is fed
};

// One eval for all that are running.
void runRound(Engine &engine, std::vector<Run> &runs) {
  std::vector<Run *> generating, prompting;
  for (Run &run : runs)
    if (run.isRunning())
      (run.isInPrompt() ? prompting : generating).push_back(&run);

  std::vector<SequenceInput> inputs;
  inputs.reserve(runs.size());
  for (Run *run : generating)
    inputs.push_back(run->makeInput(1));
  // What they leave is for the prompts.
  int64_t rows = engine.getBatchRows() - int64_t(inputs.size());
  for (size_t i = 0; i < prompting.size(); ++i) {
    int64_t share = rows / int64_t(prompting.size() - i);
    inputs.push_back(prompting[i]->makeInput(std::max<int64_t>(1, share)));
    rows -= inputs.back().ids.size();
  }
  engine.eval(inputs);
  for (Run *run : generating)
    run->advance();
  for (Run *run : prompting)
    run->advance();
}

} // namespace

void llamart::generate(Engine &engine, std::span<GenerateJob> jobs) {
  std::vector<Run> runs;
  runs.reserve(jobs.size());
  for (GenerateJob &job : jobs)
    runs.emplace_back(job);
  for (Run &run : runs)
    run.start();
  auto isRunning = [](const Run &run) { return run.isRunning(); };
  while (std::any_of(runs.begin(), runs.end(), isRunning))
    runRound(engine, runs);
}
