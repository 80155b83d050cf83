//===- SamplerConfigTest.cpp - Samplers from JSON -------------------------===//
//
// What needs a tokenizer; numbers are compared in Sampler/against_numpy.py.
//
//===----------------------------------------------------------------------===//

#include "runtime/Sampler/SamplerConfig.h"

#include "runtime/Model/Model.h"
#include "runtime/Sampler/Penalties.h"
#include "test/runtime/FakeModelFixture.h"

#include <gtest/gtest.h>

using namespace llamart;

namespace {

using Repetitions = std::unordered_map<int32_t, int32_t>;

TEST(Dry, RepetitionsEndAtBreakers) {
  std::vector<int32_t> history = {7, 1, 2, 3, 9, 8, 1, 2, 3};
  SamplerOptions options;
  EXPECT_EQ(findRepetitions(history, options), Repetitions({{9, 3}}));
  options.dryBreakers = {{2, {}}}; // leaves 3 alone: shorter than allowed
  EXPECT_EQ(findRepetitions(history, options), Repetitions());
  options.dryBreakers = {{1, {}}};
  EXPECT_EQ(findRepetitions(history, options), Repetitions({{9, 2}}));
  options.dryBreakers = {{1, {2}}}; // what belongs to it counts as before it
  EXPECT_EQ(findRepetitions(history, options), Repetitions());
  options.dryBreakers = {{1, {3}}, {8, {}}};
  EXPECT_EQ(findRepetitions(history, options), Repetitions({{9, 3}}));
}

class TextOptions : public testing::Test {
protected:
  std::shared_ptr<const Model> model =
      Model::open(fakemodel::getModelPath("fake"), WeightsMode::Mapped);
  SamplerBase base{"standard", {}, &model->getTokenizer()};
};

TEST_F(TextOptions, BreakersAreTokensAndWhatFollowsThem) {
  // The fake tokenizer's ids below 256 are that byte.
  auto find = [&](std::string_view text) {
    std::vector<std::pair<int32_t, std::vector<int32_t>>> found;
    for (DryBreaker &breaker : findBreakers(model->getTokenizer(), text))
      found.emplace_back(breaker.token, breaker.tail);
    return found;
  };
  using Found = decltype(find(""));
  EXPECT_EQ(find("\n"), Found({{'\n', {}}}));
  EXPECT_EQ(find("abc"), Found({{'a', {'b', 'c'}}}));
  EXPECT_EQ(find(""), Found());
}

TEST_F(TextOptions, DryHasFourBreakersUnlessOthersAreGiven) {
  auto count = [&](const char *config) {
    return readStandardOptions(config, base).dryBreakers.size();
  };
  EXPECT_EQ(count(R"({"dry_multiplier": 1})"), 4u);
  EXPECT_EQ(
      count(R"({"dry_multiplier": 1, "dry_sequence_breakers": ["x", "yz"]})"),
      2u);
  EXPECT_EQ(count(R"({"dry_multiplier": 1, "dry_sequence_breakers": []})"), 0u);
  EXPECT_EQ(count("{}"), 0u);
}

TEST_F(TextOptions, TheClarifyingTokenIsFoundByItsText) {
  std::vector<float> even(fakemodel::kVocab, 0.0f);
  std::vector<int32_t> history = {1};
  SampleInput input;
  input.logits = even;
  input.history = history;
  auto sampler = createSampler(
      R"({"sampler": "entropix-v2", "attention": false, "clarify": "?"})",
      base);
  EXPECT_EQ(sampler->sample(input, nullptr), '?');
  history = {'?'}; // not twice in a row
  SampleTrace trace;
  sampler->sample(input, nullptr, &trace);
  EXPECT_EQ(trace.state, "HELV");
  EXPECT_GT(trace.candidates.ids.size(), 1u);
  // " ..." is not a token here, and was not asked for.
  EXPECT_NO_THROW(createSampler(R"({"sampler": "entropix-v2"})", base));
  EXPECT_EQ(fakemodel::getErrorOf([&] {
              createSampler(R"({"sampler": "entropix-v2", "clarify": "??"})",
                            base);
            }),
            "sampler: clarify is \"??\", expected the text of one token");
}

} // namespace
