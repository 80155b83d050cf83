//===- Speed.cpp - How fast a model runs ----------------------------------===//

#include "runtime/tools/measure/Speed.h"

#include "runtime/CInterface/Handles.h"
#include "runtime/tools/ModelFiles.h"
#include "runtime/tools/measure/Progress.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace llamart::tools {

//===----------------------------------------------------------------------===//
// Costs
//===----------------------------------------------------------------------===//

Costs::Costs(const api::Model &model) {
  const llamart_model_info &info = model.getInfo();
  auto json = nlohmann::json::parse(info.json);
  const auto &tensors = json["weights"]["tensors"];
  bool untied =
      std::any_of(tensors.begin(), tensors.end(), [](const auto &tensor) {
        return tensor["name"] == "output";
      });
  bool integers = false;
  for (const auto &tensor : tensors) {
    if (untied && tensor["name"] == "tok_embeddings")
      continue;
    bytesPerCall += tensor["bytes"].template get<uint64_t>();
    auto shape = tensor["shape"].template get<std::vector<double>>();
    if (shape.size() != 2)
      continue;
    bool output =
        tensor["name"] == "output" || tensor["name"] == "tok_embeddings";
    (output ? outputWeights : layerWeights) += shape[0] * shape[1];
    integers |= tensor["dtype"].template get<std::string>().starts_with("int");
  }
  attentionPerPair = 4.0 * double(info.layers * info.heads * info.head_dim);
  if (std::string_view(info.activations) != "f32")
    operands = integers ? Operands::Int8 : Operands::BF16;
}

double Costs::getOperations(int64_t before, int64_t tokens,
                            int64_t rows) const {
  double pairs = double(tokens) * double(before) +
                 double(tokens) * double(tokens + 1) / 2.0;
  return 2.0 * layerWeights * double(tokens) +
         2.0 * outputWeights * double(rows) + attentionPerPair * pairs;
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

void Rates::add(int64_t tokens, Clock::time_point start) {
  std::chrono::duration<double> took = Clock::now() - start;
  runs.push_back(double(tokens) / took.count());
  seconds += took.count();
}

double Rates::getMedian() const {
  std::vector<double> sorted = runs;
  std::ranges::sort(sorted);
  size_t half = sorted.size() / 2;
  return sorted.size() % 2 ? sorted[half]
                           : (sorted[half - 1] + sorted[half]) / 2;
}

double Rates::getLeast() const { return std::ranges::min(runs); }
double Rates::getMost() const { return std::ranges::max(runs); }

const ReadBandwidth &Speed::getBestRead() const {
  return *std::ranges::max_element(reads, {}, &ReadBandwidth::bytesPerSecond);
}

const ComputePeak &Speed::getBestPeak() const {
  const ComputePeak *best = &peaks.front(); // f32 is there
  for (const ComputePeak &peak : peaks)
    if (peak.unit.operands <= costs.operands &&
        peak.operationsPerSecond > best->operationsPerSecond)
      best = &peak;
  return *best;
}

namespace {

//===----------------------------------------------------------------------===//
// Measuring
//===----------------------------------------------------------------------===//

/// The lengths asked for, or as much of the usual ones as the context holds.
struct Lengths {
  std::vector<int64_t> prompts;
  int64_t decode;

  Lengths(const SpeedOptions &o, int64_t context) : prompts(o.prompts) {
    decode = o.decode.value_or(std::min<int64_t>(128, context / 4));
    if (prompts.empty())
      prompts = {std::min<int64_t>(512, context - decode)};
    int64_t longest = std::ranges::max(prompts);
    if (longest + decode > context)
      throw std::runtime_error("a prompt of " + std::to_string(longest) +
                               " and " + std::to_string(decode) +
                               " more tokens do not fit the model's context "
                               "of " +
                               std::to_string(context));
  }
};

class Runner {
public:
  Runner(api::Engine &engine, int64_t vocab) : engine(engine), vocab(vocab) {}

  api::Session runPrompt(Measured &prompt) {
    std::vector<int32_t> ids(prompt.prompt);
    for (size_t i = 0; i < ids.size(); ++i)
      ids[i] = getId(i);
    api::Session session(engine);
    llamart_feed feed = session.feed(ids);
    setProfile(prompt.profile.get());
    auto start = Rates::Clock::now();
    engine.eval({&feed, 1});
    prompt.rates.add(prompt.prompt, start);
    setProfile(nullptr);
    return session;
  }

  /// Forks of a session, token by token.
  void runDecode(const api::Session &first, Measured &decode) {
    std::vector<api::Session> sessions;
    sessions.reserve(decode.batch);
    for (int64_t i = 0; i < decode.batch; ++i)
      sessions.push_back(first.fork());
    setProfile(decode.profile.get());
    auto start = Rates::Clock::now();
    for (int64_t step = 0; step < decode.decode; ++step) {
      std::vector<llamart_feed> feeds;
      feeds.reserve(sessions.size());
      int32_t id = getId(step);
      for (api::Session &session : sessions)
        feeds.push_back(session.feed({&id, 1}, LLAMART_FROM_MODEL));
      engine.eval(feeds);
    }
    decode.rates.add(decode.getTokens(), start);
    setProfile(nullptr);
  }

private:
  void setProfile(Profile *profile) {
    engine.get()->engine->setProfile(profile);
  }
  int32_t getId(int64_t i) const { return int32_t(i * 7919 % vocab); }

  api::Engine &engine;
  int64_t vocab;
};

/// Lines without rates.
void addLines(Speed &speed, const SpeedOptions &o, const Lengths &lengths) {
  const Costs &costs = speed.costs;
  auto bytes = double(costs.bytesPerCall);
  int64_t rows = o.engine.batch_rows;
  for (int64_t prompt : lengths.prompts) {
    Measured line;
    line.prompt = prompt;
    int64_t calls = (prompt + rows - 1) / rows;
    line.bytes = bytes * double(calls);
    line.operations = costs.getOperations(0, prompt, 1);
    speed.prompts.push_back(line);
    for (int64_t batch : o.batches) {
      line.decode = lengths.decode;
      line.batch = batch;
      calls = lengths.decode * ((batch + rows - 1) / rows);
      line.bytes = bytes * double(calls);
      line.operations =
          double(batch) * costs.getOperations(prompt, line.decode, line.decode);
      if (lengths.decode > 0)
        speed.decodes.push_back(line);
    }
  }
}

void runLines(Runner &runner, Speed &speed) {
  for (Measured &prompt : speed.prompts) {
    api::Session session = runner.runPrompt(prompt);
    for (Measured &decode : speed.decodes)
      if (decode.prompt == prompt.prompt)
        runner.runDecode(session, decode);
  }
}

/// Copies of `lines`, which have no rates, with all runs of one measurement.
Speed runMeasurement(Runner &runner, ReadMeter &reads, const Speed &lines,
                     const SpeedOptions &o, const api::Model &model) {
  Speed speed = lines;
  if (!o.profile.empty())
    for (std::vector<Measured> *kind : {&speed.prompts, &speed.decodes})
      for (Measured &line : *kind)
        line.profile =
            std::make_shared<Profile>(*model.get()->model, speed.threads);
  Progress progress("run", o.repetitions, o.quiet);
  speed.drift.before = reads.pass();
  for (int i = 0; i < o.repetitions; ++i) {
    runLines(runner, speed);
    speed.drift.after = reads.pass();
    progress.step();
  }
  return speed;
}

void sayNoise(const Speed &speed) {
  std::fprintf(stderr,
               "reads before and after differ by %.1f %%: measures again "
               "(%d of %d at most)\n",
               100 * speed.drift.getShare(), speed.measurements + 1,
               ReadDrift::kMostMeasurements);
}

} // namespace

Speed measureSpeed(const SpeedOptions &o) {
  llamart_model_options load = LLAMART_MODEL_OPTIONS;
  if (o.load == "copy")
    load.weights = LLAMART_WEIGHTS_COPIED;
  else if (o.load == "auto")
    load.weights = LLAMART_WEIGHTS_AUTO;
  api::Model model(o.model, load);
  noteModel(o.model, model);
  api::Engine engine(model, o.engine);
  Lengths lengths(o, model.getInfo().max_seq_len);
  Speed lines{.threads = engine.getThreads(),
              .costs = Costs(model),
              .reads = {},
              .peaks = {},
              .prompts = {},
              .decodes = {},
              .drift = {}};
  ReadMeter reads(lines.threads);
  // A run of it takes milliseconds: a single one may be someone else's.
  constexpr int kLeastRuns = 10;
  lines.peaks =
      measureComputePeaks(lines.threads, std::max(o.repetitions, kLeastRuns));
  addLines(lines, o, lengths);
  Runner runner(engine, model.getInfo().vocab);
  Speed warmUp = lines; // pages are touched for the first time
  runLines(runner, warmUp);
  model.get()->model->finishCopy(); // what is measured is the long run
  Speed speed = lines;
  for (int done = 1;; ++done) {
    speed = runMeasurement(runner, reads, lines, o, model);
    speed.measurements = done;
    if (!speed.drift.isRepeated(done))
      break;
    if (!o.quiet)
      sayNoise(speed);
  }
  speed.reads.assign(reads.getResults().begin(), reads.getResults().end());
  return speed;
}

} // namespace llamart::tools
