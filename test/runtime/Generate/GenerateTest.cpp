//===- GenerateTest.cpp - Jobs: tokens, text, ends, batches ---------------===//

#include "test/runtime/FakeModelFixture.h"

#include <algorithm>
#include <stdexcept>

using namespace fakemodel;
using namespace llamart::api;

namespace {

/// What greedy generation must give, by the account of the fixture.
std::vector<int32_t> getExpectedIds(const std::vector<int32_t> &prompt,
                                    size_t count) {
  std::vector<Step> steps = toSteps(prompt);
  std::vector<int32_t> ids;
  while (ids.size() < count) {
    std::vector<float> logits = getExpectedLogits(steps);
    ids.push_back(std::max_element(logits.begin(), logits.end()) -
                  logits.begin());
    steps.push_back({ids.back(), LLAMART_FROM_MODEL});
  }
  return ids;
}

/// A prompt whose greedy continuation has, or has not, bos or eos among its
/// first `count` tokens.
std::vector<int32_t> findPrompt(size_t count, bool withEos) {
  for (uint64_t seed = 1;; ++seed) {
    std::vector<int32_t> prompt = makeIds(10, seed);
    std::vector<int32_t> ids = getExpectedIds(prompt, count);
    auto eos = std::find(ids.begin(), ids.end(), kEos);
    auto control = std::find_if(ids.begin(), ids.end(),
                                [](int32_t id) { return id >= 256; });
    // Not as the first one, so that there is a text before it.
    if (withEos ? eos != ids.end() && eos - ids.begin() > 3 && control == eos
                : control == ids.end())
      return prompt;
  }
}

bool isUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    unsigned char lead = text[i];
    size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (lead >= 0x80 && lead < 0xc2)
      return false;
    for (size_t k = 1; k < length; ++k)
      if (i + k >= text.size() || (text[i + k] & 0xc0) != 0x80)
        return false;
    i += length;
  }
  return true;
}

struct Generate : testing::Test {
  Model model{getModelPath("fake")};
  Engine engine = makeEngine(256);
  Sampler greedy = Sampler::greedy();

  Engine makeEngine(int32_t batchRows) {
    llamart_engine_options options = LLAMART_ENGINE_OPTIONS;
    options.threads = 2;
    options.batch_rows = batchRows;
    return Engine(model, options);
  }

  struct Result {
    std::vector<int32_t> ids;
    std::vector<std::string> texts;
    std::vector<float> logits;

    std::string getText() const {
      std::string all;
      for (const std::string &text : texts)
        all += text;
      return all;
    }
  };

  /// Callbacks that write down everything.
  static void record(Job &job, Result &result) {
    job.onToken = [&result](int32_t id) {
      result.ids.push_back(id);
      return true;
    };
    job.onText = [&result](std::string_view text) {
      result.texts.emplace_back(text);
      return true;
    };
    job.onLogits = [&result](const float *logits, int64_t rows) {
      result.logits.insert(result.logits.end(), logits, logits + rows * kVocab);
      return true;
    };
  }

  Job makeJob(Session &session, const std::vector<int32_t> &prompt,
              int64_t maxTokens) {
    Job job;
    job.session = &session;
    job.sampler = &greedy;
    job.prompt = prompt;
    job.maxTokens = maxTokens;
    return job;
  }
};

TEST_F(Generate, ChoosesFeedsAndShowsTokens) {
  std::vector<int32_t> prompt = findPrompt(30, false);
  Session session(engine);
  Result result;
  Job job = makeJob(session, prompt, 30);
  record(job, result);
  generate(engine, {&job, 1});

  EXPECT_EQ(result.ids, getExpectedIds(prompt, 30));
  EXPECT_EQ(job.result.generated, 30);
  EXPECT_EQ(job.result.finish, LLAMART_FINISH_MAX_TOKENS);
  EXPECT_EQ(session.getLength(), 10 + 29); // the last one is not fed
  EXPECT_EQ(result.getText(), model.decode(result.ids));
  for (const std::string &text : result.texts) {
    EXPECT_TRUE(isUtf8(text));
    EXPECT_FALSE(text.empty());
  }
}

TEST_F(Generate, ShowsTheLogitsOfEveryFedRow) {
  std::vector<int32_t> prompt = findPrompt(12, false);
  for (int32_t batchRows : {3, 256}) {
    Engine small = makeEngine(batchRows);
    Session session(small);
    Result result;
    Job job = makeJob(session, prompt, 12);
    record(job, result);
    generate(small, {&job, 1});
    std::vector<Step> steps;
    std::vector<float> expected;
    auto add = [&](Step step) {
      steps.push_back(step);
      std::vector<float> row = getExpectedLogits(steps);
      expected.insert(expected.end(), row.begin(), row.end());
    };
    for (int32_t id : prompt)
      add({id});
    for (size_t i = 0; i + 1 < result.ids.size(); ++i)
      add({result.ids[i], LLAMART_FROM_MODEL});
    EXPECT_EQ(result.logits, expected);
  }
}

TEST_F(Generate, OfNoTokensFeedsThePrompt) {
  Session session(engine);
  std::vector<int32_t> prompt = makeIds(20);
  Job job = makeJob(session, prompt, 0);
  generate(engine, {&job, 1});
  EXPECT_EQ(job.result.generated, 0);
  EXPECT_EQ(job.result.finish, LLAMART_FINISH_MAX_TOKENS);
  EXPECT_EQ(session.getLength(), 20);
  EXPECT_EQ(getLastLogits(session), getExpectedLogits(toSteps(prompt)));
}

TEST_F(Generate, GoesOnWithoutAPromptIfThereAreLogits) {
  std::vector<int32_t> prompt = findPrompt(8, false);
  Session session(engine);
  Job feed = makeJob(session, prompt, 0);
  generate(engine, {&feed, 1});
  Result result;
  Job job = makeJob(session, {}, 8);
  record(job, result);
  generate(engine, {&job, 1});
  EXPECT_EQ(result.ids, getExpectedIds(prompt, 8));
}

// Tokenizers that put a space before every text take it away again, but not
// where the reply continues the prompt.
TEST_F(Generate, DropsTheSpaceBeforeATextOfItsOwnOnly) {
  std::vector<int32_t> prompt;
  for (uint64_t seed = 1; prompt.empty() || getExpectedIds(prompt, 1)[0] != ' ';
       ++seed)
    prompt = makeIds(10, seed);
  auto getText = [&](const std::vector<int32_t> &ids, bool startsText) {
    Session session(engine);
    Result result;
    Job job = makeJob(session, ids, 5);
    job.startsText = startsText;
    record(job, result);
    generate(engine, {&job, 1});
    return result.getText();
  };
  std::string own = getText(prompt, true);
  EXPECT_EQ(getText(prompt, false), " " + own);

  // A prompt of control tokens alone has no text to continue.
  std::vector<int32_t> control = {kBos};
  while (getExpectedIds(control, 1)[0] != ' ')
    control.push_back(kBos + control.size() % 4);
  EXPECT_EQ(getText(control, false), getText(control, true));
}

//===----------------------------------------------------------------------===//
// Ends
//===----------------------------------------------------------------------===//

TEST_F(Generate, EndsWithTheModelsReply) {
  std::vector<int32_t> prompt = findPrompt(40, true);
  std::vector<int32_t> expected = getExpectedIds(prompt, 40);
  auto eos = std::find(expected.begin(), expected.end(), kEos);
  Session session(engine);
  Result result;
  Job job = makeJob(session, prompt, 40);
  record(job, result);
  generate(engine, {&job, 1});
  EXPECT_EQ(job.result.finish, LLAMART_FINISH_END_OF_TEXT);
  EXPECT_EQ(result.ids, std::vector<int32_t>(expected.begin(), eos + 1));
  EXPECT_EQ(result.getText().find("</s>"), std::string::npos);
}

TEST_F(Generate, GoesOnAfterTheReplyIfAskedTo) {
  std::vector<int32_t> prompt = findPrompt(40, true);
  Session session(engine);
  Result result;
  Job job = makeJob(session, prompt, 40);
  job.ignoreEos = true;
  record(job, result);
  generate(engine, {&job, 1});
  EXPECT_EQ(job.result.finish, LLAMART_FINISH_MAX_TOKENS);
  EXPECT_EQ(result.ids, getExpectedIds(prompt, 40));
}

TEST_F(Generate, EndsBeforeAStopText) {
  std::vector<int32_t> prompt = findPrompt(30, false);
  std::string whole = model.decode(getExpectedIds(prompt, 30));
  std::string stop = whole.substr(whole.size() / 2, 4);
  Session session(engine);
  Result result;
  Job job = makeJob(session, prompt, 30);
  job.stops = {"no such text", stop};
  record(job, result);
  generate(engine, {&job, 1});
  EXPECT_EQ(job.result.finish, LLAMART_FINISH_STOP_TEXT);
  EXPECT_EQ(result.getText(), whole.substr(0, whole.find(stop)));
}

TEST_F(Generate, ShowsHeldBackTextAtTheEnd) {
  std::vector<int32_t> prompt = findPrompt(30, false);
  std::string whole = model.decode(getExpectedIds(prompt, 30));
  Session session(engine);
  Result result;
  Job job = makeJob(session, prompt, 30);
  job.stops = {whole + "more"};
  record(job, result);
  generate(engine, {&job, 1});
  EXPECT_EQ(result.texts, std::vector<std::string>{whole});
}

TEST_F(Generate, EndsWhenTheContextIsFull) {
  Session session(engine);
  std::vector<int32_t> prompt = makeIds(510);
  Result result;
  Job job = makeJob(session, prompt, -1);
  job.ignoreEos = true;
  record(job, result);
  generate(engine, {&job, 1});
  EXPECT_EQ(job.result.finish, LLAMART_FINISH_CONTEXT);
  EXPECT_EQ(session.getLength(), 512);
  EXPECT_EQ(result.ids, getExpectedIds(prompt, 3));
}

TEST_F(Generate, EndsWhenACallbackSaysSo) {
  std::vector<int32_t> prompt = findPrompt(10, false);
  Session session(engine);
  Job job = makeJob(session, prompt, 10);
  int seen = 0;
  job.onToken = [&](int32_t) { return ++seen < 4; };
  generate(engine, {&job, 1});
  EXPECT_EQ(job.result.finish, LLAMART_FINISH_CALLBACK);
  EXPECT_EQ(job.result.generated, 4);
}

TEST_F(Generate, LetsExceptionsOfCallbacksOut) {
  Session session(engine);
  std::vector<int32_t> prompt = makeIds(5);
  Job job = makeJob(session, prompt, 10);
  job.onText = [](std::string_view) -> bool { throw std::logic_error("mine"); };
  job.ignoreEos = true;
  EXPECT_THROW(generate(engine, {&job, 1}), std::logic_error);
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

TEST_F(Generate, OfAPromptLongerThanTheContextIsAnError) {
  Session session(engine);
  std::vector<int32_t> prompt = makeIds(513);
  Job job = makeJob(session, prompt, 1);
  EXPECT_EQ(getErrorOf([&] { generate(engine, {&job, 1}); }),
            "a prompt of 513 tokens is longer than the model's context of 512");
  EXPECT_EQ(session.getLength(), 0);
}

TEST_F(Generate, OfNothingIsAnError) {
  Session session(engine);
  Job job = makeJob(session, {}, 1);
  EXPECT_EQ(getErrorOf([&] { generate(engine, {&job, 1}); }),
            "the prompt is empty: no token to feed");
}

TEST_F(Generate, WithoutASamplerIsAnError) {
  Session session(engine);
  std::vector<int32_t> prompt = makeIds(3);
  Job job = makeJob(session, prompt, 1);
  job.sampler = nullptr;
  EXPECT_EQ(getErrorOf([&] { generate(engine, {&job, 1}); }),
            "llamart_job: sampler is NULL");
}

//===----------------------------------------------------------------------===//
// Jobs side by side
//===----------------------------------------------------------------------===//

TEST_F(Generate, SideBySideChangesNoBit) { // P4
  const std::vector<size_t> lengths = {10, 200, 1, 64};
  for (int32_t batchRows : {1, 6, 40, 256}) {
    Engine shared = makeEngine(batchRows);
    std::vector<std::vector<int32_t>> prompts;
    std::vector<Session> sessions;
    std::vector<Result> together(lengths.size());
    std::vector<Job> jobs;
    for (size_t i = 0; i < lengths.size(); ++i) {
      prompts.push_back(makeIds(lengths[i], i));
      sessions.emplace_back(shared);
    }
    for (size_t i = 0; i < lengths.size(); ++i) {
      jobs.push_back(makeJob(sessions[i], prompts[i], 5 + 10 * i));
      jobs[i].ignoreEos = true;
      record(jobs[i], together[i]);
    }
    generate(shared, jobs);
    for (size_t i = 0; i < lengths.size(); ++i) {
      Session session(engine);
      Result alone;
      Job job = makeJob(session, prompts[i], 5 + 10 * i);
      job.ignoreEos = true;
      record(job, alone);
      generate(engine, {&job, 1});
      EXPECT_EQ(together[i].ids, alone.ids) << batchRows << " rows, job " << i;
      EXPECT_EQ(together[i].ids, getExpectedIds(prompts[i], 5 + 10 * i));
      EXPECT_EQ(together[i].logits, alone.logits);
      EXPECT_EQ(together[i].getText(), alone.getText());
    }
  }
}

TEST_F(Generate, PromptsShareTheRowsThatGenerationLeaves) {
  Engine shared = makeEngine(30);
  Session a(shared), b(shared), c(shared);
  std::vector<int32_t> first = makeIds(5, 1), second = makeIds(40, 2),
                       third = makeIds(40, 3);
  Job jobs[] = {makeJob(a, first, 3), makeJob(b, second, 1),
                makeJob(c, third, 1)};
  for (Job &job : jobs)
    job.ignoreEos = true;
  Calls &calls = resetCalls();
  generate(shared, jobs);
  // 5 + 12 + 13, then 1 + 14 + 15, then 1 + 14 + 12.
  EXPECT_EQ(std::vector<int64_t>(calls.rows, calls.rows + calls.count),
            (std::vector<int64_t>{30, 30, 27}));
  EXPECT_EQ(std::vector<int64_t>(calls.sequences, calls.sequences + 3),
            (std::vector<int64_t>{3, 3, 3}));
}

TEST_F(Generate, RandomDrawsFollowSeedAndNumber) {
  std::vector<int32_t> prompt = makeIds(10);
  auto draw = [&](uint64_t seed, uint64_t number) {
    llamart_sampler_options options = LLAMART_SAMPLER_OPTIONS;
    options.seed = seed;
    Sampler sampler(options);
    Session session(engine, number);
    Result result;
    Job job = makeJob(session, prompt, 20);
    job.sampler = &sampler;
    job.ignoreEos = true;
    record(job, result);
    generate(engine, {&job, 1});
    return result.ids;
  };
  EXPECT_EQ(draw(1, 0), draw(1, 0));
  EXPECT_NE(draw(1, 0), draw(2, 0));
  EXPECT_NE(draw(1, 0), draw(1, 1));
}

TEST_F(Generate, ForksWithAnotherNumberDrawOtherTokens) {
  Sampler sampler(LLAMART_SAMPLER_OPTIONS);
  Session trunk(engine, 5);
  std::vector<int32_t> prompt = makeIds(10);
  Job job = makeJob(trunk, prompt, 0);
  generate(engine, {&job, 1});
  int32_t own = trunk.sample(sampler), different = 0;
  EXPECT_EQ(trunk.fork(5).sample(sampler), own);
  for (uint64_t number = 6; number < 16; ++number)
    different += trunk.fork(number).sample(sampler) != own;
  EXPECT_GT(different, 5);
}

} // namespace
