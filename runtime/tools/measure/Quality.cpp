//===- Quality.cpp - How well a model predicts a text ---------------------===//

#include "runtime/tools/measure/Quality.h"

#include "llamart/llamart.hpp"
#include "runtime/Model/File.h"
#include "runtime/tools/ModelFiles.h"
#include "runtime/tools/measure/Prediction.h"
#include "runtime/tools/measure/Progress.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <numeric>
#include <span>
#include <stdexcept>

using nlohmann::ordered_json;

namespace llamart::tools {
namespace {

//===----------------------------------------------------------------------===//
// The text
//===----------------------------------------------------------------------===//

/// The text as tokens, and how it is cut.
struct Chunks {
  std::string path;
  std::vector<int32_t> start; ///< before each chunk: bos, or nothing
  std::vector<int32_t> ids;   ///< the whole text
  int64_t context = 0;

  /// The context is longer than what stands before each chunk: bos.
  size_t getBodyLength() const { return size_t(context) - start.size(); }
  size_t getCount() const {
    size_t body = getBodyLength(), left = ids.size() % body;
    return ids.size() / body + (start.size() + left > 1 && left > 0);
  }
  std::vector<int32_t> get(size_t chunk) const {
    std::vector<int32_t> result = start;
    size_t first = chunk * getBodyLength();
    size_t last = std::min(ids.size(), first + getBodyLength());
    result.insert(result.end(), ids.begin() + first, ids.begin() + last);
    return result;
  }
};

std::string readText(const std::string &path) {
  File file(path);
  std::string text(file.getSize(), '\0');
  file.read(0, text.data(), text.size());
  if (text.empty())
    throw std::runtime_error(path + ": is empty");
  return text;
}

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

/// A model and what was found out about it.
struct Subject {
  std::string path;
  api::Model model;
  api::Engine engine;
  api::Session session;
  Prediction prediction;
  std::vector<double> surprises;
  std::vector<double> divergences; ///< of the reference from it
  size_t sameBest = 0;

  Subject(const std::string &path, const llamart_engine_options &options)
      : path(path), model(path), engine(model, options), session(engine) {
    noteModel(path, model);
  }

  [[noreturn]] void fail(const std::string &what) const {
    throw std::runtime_error(path + ": " + what);
  }
};

class Quality {
public:
  explicit Quality(const QualityOptions &options);

  void run();
  void print() const;
  void printJson() const;

private:
  void checkAgainst(const Subject &subject, const Subject &first) const;
  void predict(const std::vector<int32_t> &ids);
  void compare(std::span<const int32_t> targets);
  const Subject *getReference() const {
    return o.reference ? subjects.front().get() : nullptr;
  }
  ordered_json describe(const Subject &subject) const;

  const QualityOptions &o;
  Chunks chunks;
  std::vector<std::unique_ptr<Subject>> subjects; ///< the reference first
};

std::vector<int32_t> encode(const api::Model &model, const std::string &text,
                            int32_t bos) {
  llamart_encode_options options = LLAMART_ENCODE_OPTIONS;
  options.bos = bos;
  return model.encode(text, options);
}

Quality::Quality(const QualityOptions &options) : o(options) {
  std::string text = readText(o.text);
  if (o.reference)
    subjects.push_back(std::make_unique<Subject>(*o.reference, o.engine));
  for (const std::string &path : o.models)
    subjects.push_back(std::make_unique<Subject>(path, o.engine));

  const Subject &first = *subjects.front();
  chunks.path = o.text;
  chunks.start = encode(first.model, "", LLAMART_ADD_BY_RULE);
  chunks.ids = encode(first.model, text, LLAMART_ADD_NEVER);
  constexpr int64_t kUsual = 512;
  chunks.context = o.context.value_or(kUsual);
  for (const auto &subject : subjects) {
    int64_t most = subject->model.getInfo().max_seq_len;
    if (o.context && *o.context > most)
      subject->fail("its context has " + std::to_string(most) +
                    " positions, expected the " + std::to_string(*o.context) +
                    " of --context");
    chunks.context = std::min(chunks.context, most);
    checkAgainst(*subject, first);
    if (encode(subject->model, text, LLAMART_ADD_NEVER) != chunks.ids ||
        encode(subject->model, "", LLAMART_ADD_BY_RULE) != chunks.start)
      subject->fail("its tokenizer makes other tokens of " + o.text +
                    " than that of " + first.path);
  }
  if (chunks.context < 2)
    first.fail("its context has one position, expected at least two");
  if (chunks.getCount() == 0)
    throw std::runtime_error(o.text + ": is one token, expected at least two");
}

void Quality::checkAgainst(const Subject &subject, const Subject &first) const {
  int64_t vocab = subject.model.getInfo().vocab;
  int64_t expected = first.model.getInfo().vocab;
  if (vocab != expected)
    subject.fail("has a vocabulary of " + std::to_string(vocab) +
                 " tokens, expected " + std::to_string(expected) + " as in " +
                 first.path);
}

/// Row i of the sessions' logits against targets[i].
void Quality::compare(std::span<const int32_t> targets) {
  size_t vocab = subjects.front()->model.getInfo().vocab;
  const Prediction *reference = nullptr;
  for (size_t row = 0; row < targets.size(); ++row)
    for (const auto &subject : subjects) {
      Prediction &prediction = subject->prediction;
      prediction.set({subject->session.getLogits() + row * vocab, vocab});
      if (!prediction.isValid())
        subject->fail("a logit after token " +
                      std::to_string(subject->surprises.size()) + " of " +
                      o.text + " is NaN");
      subject->surprises.push_back(prediction.getSurprise(targets[row]));
      if (subject.get() == getReference()) {
        reference = &prediction;
      } else if (reference) {
        subject->divergences.push_back(reference->getDivergence(prediction));
        subject->sameBest += reference->getBest() == prediction.getBest();
      }
    }
}

/// One chunk, in pieces: logits of all rows are large.
void Quality::predict(const std::vector<int32_t> &ids) {
  constexpr size_t kPiece = 64;
  std::span<const int32_t> inputs = std::span(ids).first(ids.size() - 1);
  std::span<const int32_t> targets = std::span(ids).subspan(1);
  for (size_t at = 0; at < inputs.size(); at += kPiece) {
    size_t count = std::min(kPiece, inputs.size() - at);
    for (const auto &subject : subjects) {
      llamart_feed feed = subject->session.feed(
          inputs.subspan(at, count), LLAMART_FROM_PROMPT, LLAMART_LOGITS_ALL);
      subject->engine.eval({&feed, 1});
    }
    compare(targets.subspan(at, count));
  }
  for (const auto &subject : subjects)
    subject->session.reset();
}

void Quality::run() {
  Progress progress("chunk", chunks.getCount(), o.quiet);
  for (size_t chunk = 0; chunk < chunks.getCount(); ++chunk) {
    predict(chunks.get(chunk));
    progress.step();
  }
}

//===----------------------------------------------------------------------===//
// What is said about it
//===----------------------------------------------------------------------===//

/// The value below which that share of `sorted`, which is not empty, lies;
/// between two of them in proportion.
double getQuantile(std::span<const double> sorted, double share) {
  double at = share * double(sorted.size() - 1);
  auto below = static_cast<size_t>(at);
  size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], at - double(below));
}

double getMean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) /
         double(values.size());
}

/// Of the logarithm of one perplexity over another: the mean of the
/// differences, and its standard error as if they were independent.
struct Change {
  double mean = 0.0, error = 0.0;

  Change(const Subject &subject, const Subject &reference) {
    std::vector<double> differences(subject.surprises.size());
    for (size_t i = 0; i < differences.size(); ++i)
      differences[i] = subject.surprises[i] - reference.surprises[i];
    mean = getMean(differences);
    double squares = 0.0;
    for (double d : differences)
      squares += (d - mean) * (d - mean);
    auto count = double(differences.size());
    error = count > 1 ? std::sqrt(squares / (count - 1) / count) : 0.0;
  }
  double getRatio() const { return std::exp(mean); }
  double getRatioError() const { return getRatio() * error; }
};

double getShare(const Subject &subject) {
  return double(subject.sameBest) / double(subject.divergences.size());
}

ordered_json Quality::describe(const Subject &subject) const {
  double nll = getMean(subject.surprises);
  ordered_json result = {
      {"model", subject.path},
      {"weights_bytes", subject.model.getInfo().weights_bytes},
      {"nll", nll},
      {"perplexity", std::exp(nll)}};
  if (subject.divergences.empty())
    return result;
  Change change(subject, *getReference());
  std::vector<double> sorted = subject.divergences;
  std::ranges::sort(sorted);
  result["perplexity_ratio"] = change.getRatio();
  result["perplexity_ratio_error"] = change.getRatioError();
  result["kl"] = {{"mean", getMean(sorted)},
                  {"median", getQuantile(sorted, 0.5)},
                  {"q90", getQuantile(sorted, 0.9)},
                  {"q99", getQuantile(sorted, 0.99)},
                  {"max", sorted.back()}};
  result["same_best"] = getShare(subject);
  return result;
}

void Quality::printJson() const {
  ordered_json out = {{"text", chunks.path},
                      {"tokens", chunks.ids.size()},
                      {"predicted", subjects.front()->surprises.size()},
                      {"context", chunks.context},
                      {"chunks", chunks.getCount()},
                      {"start", chunks.start},
                      {"models", ordered_json::array()}};
  if (o.reference)
    out["reference"] = *o.reference;
  for (const auto &subject : subjects)
    out["models"].push_back(describe(*subject));
  std::puts(out.dump(2).c_str());
}

void Quality::print() const {
  std::printf("%s: %zu tokens, %zu of them predicted, in %zu chunks of at most "
              "%lld%s\n\n",
              chunks.path.c_str(), chunks.ids.size(),
              subjects.front()->surprises.size(), chunks.getCount(),
              static_cast<long long>(chunks.context),
              chunks.start.empty() ? "" : " that begin with bos");
  size_t width = 0;
  for (const auto &subject : subjects)
    width = std::max(width, subject->path.size());
  auto column = static_cast<int>(width);
  std::printf("%-*s  weights MB  NLL, nats  perplexity", column, "");
  if (o.reference)
    std::printf("              change  KL mean     90 %%     99 %%  same best");
  std::printf("\n");
  for (const auto &subject : subjects) {
    ordered_json s = describe(*subject);
    std::printf("%-*s  %10.1f  %9.4f  %10.3f", column, subject->path.c_str(),
                s["weights_bytes"].get<double>() / 1e6, s["nll"].get<double>(),
                s["perplexity"].get<double>());
    if (s.contains("kl"))
      std::printf("  %+8.2f +- %.2f %%  %7.5f  %7.5f  %7.5f  %7.2f %%",
                  100 * (s["perplexity_ratio"].get<double>() - 1),
                  100 * s["perplexity_ratio_error"].get<double>(),
                  s["kl"]["mean"].get<double>(), s["kl"]["q90"].get<double>(),
                  s["kl"]["q99"].get<double>(),
                  100 * s["same_best"].get<double>());
    std::printf("\n");
  }
}

} // namespace

void measureQuality(const QualityOptions &options) {
  Quality quality(options);
  quality.run();
  if (options.json)
    quality.printJson();
  else
    quality.print();
}

} // namespace llamart::tools
