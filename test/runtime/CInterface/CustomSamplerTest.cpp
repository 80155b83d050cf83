//===- CustomSamplerTest.cpp - Samplers of the application ----------------===//

#include "test/runtime/FakeModelFixture.h"

#include <algorithm>
#include <atomic>
#include <cmath>

using namespace fakemodel;
using namespace llamart::api;

namespace {

struct CustomSampler : testing::Test {
  Model model{getModelPath("fake")};
  Engine engine{model};
  std::vector<int32_t> prompt = makeIds(10);

  std::vector<int32_t> generate(const Sampler &sampler, int64_t count,
                                uint64_t number = 0) {
    std::vector<int32_t> ids;
    Job job;
    job.sampler = &sampler;
    job.prompt = prompt;
    job.maxTokens = count;
    job.number = number;
    job.ignoreEos = true;
    job.onToken = [&](int32_t id) {
      ids.push_back(id);
      return true;
    };
    llamart::api::generate(engine, {&job, 1});
    return ids;
  }
};

TEST_F(CustomSampler, ChoosesByWhatItIsShown) {
  std::vector<Step> steps = toSteps(prompt);
  Sampler least = Sampler::custom([&](const llamart_choice &choice) {
    std::vector<float> logits(choice.logits, choice.logits + choice.vocab);
    EXPECT_EQ(logits, getExpectedLogits(steps));
    EXPECT_EQ(choice.length, int64_t(steps.size()));
    EXPECT_EQ(choice.ids[choice.length - 1], steps.back().token);
    EXPECT_EQ(choice.number, 4u);
    EXPECT_EQ(choice.attention, nullptr);
    auto id = int32_t(std::ranges::min_element(logits) - logits.begin());
    steps.push_back({id, LLAMART_FROM_MODEL});
    std::fill_n(choice.logits, choice.vocab, 0.0f); // a copy
    return id;
  });
  std::vector<int32_t> ids = generate(least, 20, 4);
  EXPECT_EQ(steps.size(), prompt.size() + ids.size());
}

// A draw from the whole distribution in order of ids.
int32_t draw(const llamart_choice &choice) {
  double total = 0.0;
  for (int64_t id = 0; id < choice.vocab; ++id)
    total += std::exp(double(choice.logits[id]));
  double rest = llamart_choice_random(&choice, 0) * total;
  for (int64_t id = 0; id < choice.vocab; ++id)
    if ((rest -= std::exp(double(choice.logits[id]))) < 0)
      return int32_t(id);
  return int32_t(choice.vocab - 1);
}

TEST_F(CustomSampler, HasTheRandomNumbersOfTheLibrary) {
  llamart_sampler_options options = LLAMART_SAMPLER_OPTIONS;
  options.seed = 11;
  for (uint64_t number : {0, 3})
    EXPECT_EQ(generate(Sampler::custom(draw, 11), 30, number),
              generate(Sampler(options), 30, number));
  EXPECT_NE(generate(Sampler::custom(draw, 12), 30),
            generate(Sampler(options), 30));
}

TEST_F(CustomSampler, IsGivenAttentionIfItWants) {
  Sampler looking = Sampler::custom(
      [](const llamart_choice &choice) {
        EXPECT_NE(choice.attention, nullptr);
        return choice.attention->entropy > 0.0 ? 1 : 2;
      },
      0, true);
  EXPECT_EQ(generate(looking, 3), (std::vector<int32_t>{1, 1, 1}));
}

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

std::atomic<int> open = 0; // states and samplers

llamart_custom_sampler makeCounting() {
  llamart_custom_sampler custom = LLAMART_CUSTOM_SAMPLER;
  ++open;
  custom.close = [](void *) { --open; };
  custom.create_state = [](void *, void **state) {
    ++open;
    *state = new int(0);
    return 0;
  };
  custom.clone_state = [](void *, const void *state, void **clone) {
    ++open;
    *clone = new int(*static_cast<const int *>(state));
    return 0;
  };
  custom.close_state = [](void *, void *state) {
    --open;
    delete static_cast<int *>(state);
  };
  custom.choose = [](void *, void *state, const llamart_choice *, int32_t *id) {
    *id = ++*static_cast<int *>(state);
    return 0;
  };
  return custom;
}

TEST_F(CustomSampler, ItsStatesGoWithTheirSessions) {
  {
    llamart_custom_sampler custom = makeCounting();
    llamart_sampler *sampler = nullptr;
    check(llamart_sampler_create_custom(&custom, &sampler));
    Session session(engine);
    auto choose = [&](Session &from) {
      int32_t id = 0;
      check(llamart_sample(sampler, from.get(), &id));
      llamart_feed feed = from.feed({&id, 1}, LLAMART_FROM_MODEL);
      engine.eval({&feed, 1});
      return id;
    };
    llamart_feed feed = session.feed(prompt);
    engine.eval({&feed, 1});
    EXPECT_EQ(choose(session), 1);
    EXPECT_EQ(choose(session), 2);
    Session fork = session.fork();
    EXPECT_EQ(choose(session), 3);
    EXPECT_EQ(choose(fork), 3);
    EXPECT_EQ(choose(fork), 4);
    session.truncate(11); // before the second choice
    llamart_feed again = session.feed({prompt.data(), 1});
    engine.eval({&again, 1});
    EXPECT_EQ(choose(session), 2);
    llamart_error *error =
        llamart_session_save_file(session.get(), "/dev/null");
    EXPECT_EQ(llamart_error_kind(error), LLAMART_ERROR_UNSUPPORTED);
    EXPECT_STREQ(llamart_error_message(error),
                 "the state of an application's sampler cannot be saved");
    llamart_error_free(error);
    llamart_sampler_close(sampler); // the sessions still have it
    EXPECT_GT(open, 1);
  }
  EXPECT_EQ(open, 0);
}

TEST_F(CustomSampler, WhatItGetsWrongIsAnError) {
  auto getError = [&](auto change) {
    llamart_custom_sampler custom = makeCounting();
    change(custom);
    llamart_sampler *sampler = nullptr;
    llamart_error *error = llamart_sampler_create_custom(&custom, &sampler);
    if (error) {
      custom.close(custom.user); // it was not taken
    } else {
      llamart_job job = LLAMART_JOB;
      job.sampler = sampler;
      job.prompt = prompt.data();
      job.prompt_count = prompt.size();
      error = llamart_generate(engine.get(), &job, nullptr, 1);
      llamart_sampler_close(sampler);
    }
    std::string message = error ? llamart_error_message(error) : "";
    llamart_error_free(error);
    EXPECT_EQ(open, 0);
    return message;
  };
  EXPECT_EQ(getError([](llamart_custom_sampler &custom) {
              custom.clone_state = nullptr;
            }),
            "llamart_custom_sampler: create_state, clone_state and close_state "
            "are there or NULL together");
  EXPECT_EQ(getError([](llamart_custom_sampler &custom) {
              custom.choose = [](void *, void *, const llamart_choice *,
                                 int32_t *id) {
                *id = 264;
                return 0;
              };
            }),
            "llamart_custom_sampler: choose gave id 264, expected 0 to 263");
  EXPECT_EQ(getError([](llamart_custom_sampler &custom) {
              custom.choose = [](void *, void *, const llamart_choice *,
                                 int32_t *) { return 3; };
            }),
            "llamart_custom_sampler: choose failed with 3");
  EXPECT_EQ(getError([](llamart_custom_sampler &custom) {
              custom.choose = [](void *, void *, const llamart_choice *,
                                 int32_t *) -> int { throw 42; };
            }),
            "llamart_custom_sampler: choose threw");
  EXPECT_EQ(getError([](llamart_custom_sampler &custom) {
              custom.create_state = [](void *, void **) { return 9; };
            }),
            "llamart_custom_sampler: create_state failed with 9");
}

} // namespace
