//===- GrowthTest.cpp - Structs of programs of other versions -------------===//
//
// Rules G1 to G6 of llamart.h, for every struct that a caller hands over: at the
// end of a page that is followed by one that may not be touched.
//
//===----------------------------------------------------------------------===//

#include "test/runtime/FakeModelFixture.h"

#include <cstddef>
#include <cstring>
#include <functional>
#include <sys/mman.h>
#include <unistd.h>

using namespace fakemodel;
using namespace llamart::api;

namespace {

/// Memory whose end is the end of what may be touched.
class Edge {
public:
  Edge() : page(size_t(sysconf(_SC_PAGESIZE))) {
    memory = mmap(nullptr, 3 * page, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(static_cast<char *>(memory) + 2 * page, page, PROT_NONE);
  }
  ~Edge() { munmap(memory, 3 * page); }
  Edge(const Edge &) = delete;
  Edge &operator=(const Edge &) = delete;

  /// `size` bytes that end there: the struct as far as it goes, then zeros.
  template <typename T>
  T *place(const T &value, size_t size) {
    char *begin = static_cast<char *>(memory) + 2 * page - size;
    std::memset(begin, 0, size);
    std::memcpy(begin, &value, std::min(size, sizeof(T)));
    std::memcpy(begin, &size, sizeof(size));
    return reinterpret_cast<T *>(begin);
  }

private:
  size_t page;
  void *memory;
};

struct Outcome {
  int kind = LLAMART_OK;
  std::string message;
};

Outcome take(llamart_error *error) {
  Outcome result{llamart_error_kind(error),
                 error ? llamart_error_message(error) : ""};
  llamart_error_free(error);
  return result;
}

struct Growth : testing::Test {
  Model model{getModelPath("fake")};
  Engine engine{model};
  Session session{engine};
  Sampler greedy = Sampler::greedy();
  std::vector<int32_t> ids = makeIds(5);

  /// Calls with each size that a struct may have had or get. With fewer bytes
  /// than `needed` the call may be wrong for want of what they say.
  template <typename T>
  void check(const char *name, const T &value, size_t needed,
             const std::function<llamart_error *(T *)> &call) {
    Edge edge;
    for (size_t size = needed; size <= sizeof(T) + 64; size += 8)
      EXPECT_EQ(take(call(edge.place(value, size))).message, "")
          << name << " of " << size << " bytes";
    for (size_t size = sizeof(size_t); size < needed; size += 8)
      EXPECT_NE(take(call(edge.place(value, size))).kind,
                LLAMART_ERROR_UNSUPPORTED)
          << name << " of " << size << " bytes";
    T *larger = edge.place(value, sizeof(T) + 16);
    reinterpret_cast<char *>(larger)[sizeof(T) + 3] = 1;
    Outcome outcome = take(call(larger));
    EXPECT_EQ(outcome.kind, LLAMART_ERROR_UNSUPPORTED) << name;
    EXPECT_EQ(outcome.message,
              std::string(name) + ": byte " + std::to_string(sizeof(T) + 3) +
                  " is set, this library knows " + std::to_string(sizeof(T)) +
                  ": it is older than the program");
    for (size_t size : {size_t(0), size_t(4), sizeof(T) - 1, sizeof(T) + 4}) {
      T *wrong = edge.place(value, sizeof(T) + 16);
      std::memcpy(wrong, &size, sizeof(size));
      outcome = take(call(wrong));
      EXPECT_EQ(outcome.kind, LLAMART_ERROR_ARGUMENT) << name << size;
      EXPECT_EQ(outcome.message, std::string(name) + ": struct_size is " +
                                     std::to_string(size) +
                                     ", expected a multiple of 8 up to 4096");
    }
  }

  /// The same for a struct that the library fills.
  template <typename T>
  void checkFilled(const T &value,
                   const std::function<llamart_error *(T *)> &call) {
    Edge edge;
    for (size_t size = sizeof(size_t); size <= sizeof(T) + 64; size += 8) {
      T *to = edge.place(value, size);
      if (size > sizeof(T))
        std::memset(reinterpret_cast<char *>(to) + sizeof(T), 0x55,
                    size - sizeof(T));
      EXPECT_EQ(take(call(to)).message, "");
      EXPECT_EQ(to->struct_size, size);
      for (size_t i = sizeof(T); i < size; ++i)
        EXPECT_EQ(reinterpret_cast<char *>(to)[i], 0);
    }
  }
};

TEST_F(Growth, OptionsOfModelsAndEngines) {
  check<llamart_model_options>(
      "llamart_model_options", LLAMART_MODEL_OPTIONS, 8,
      [&](llamart_model_options *options) {
        llamart_model *opened = nullptr;
        llamart_error *error =
            llamart_model_open(getModelPath("fake").c_str(), options, &opened);
        llamart_model_close(opened);
        return error;
      });
  check<llamart_engine_options>(
      "llamart_engine_options", LLAMART_ENGINE_OPTIONS, 8,
      [&](llamart_engine_options *options) {
        llamart_engine *made = nullptr;
        llamart_error *error =
            llamart_engine_create(model.get(), options, &made);
        llamart_engine_close(made);
        return error;
      });
  llamart_executor executor = {
      sizeof(executor), 1, 0,
      [](void *, llamart_task task, void *argument, int32_t) {
        task(argument, 0);
        return 0;
      },
      nullptr};
  check<llamart_executor>(
      "llamart_executor", executor, offsetof(llamart_executor, user),
      [&](llamart_executor *given) {
        llamart_engine_options options = LLAMART_ENGINE_OPTIONS;
        options.executor = given;
        llamart_engine *made = nullptr;
        llamart_error *error =
            llamart_engine_create(model.get(), &options, &made);
        llamart_engine_close(made);
        return error;
      });
}

TEST_F(Growth, OptionsOfTexts) {
  int32_t *out = nullptr;
  char *text = nullptr;
  size_t count = 0;
  check<llamart_encode_options>(
      "llamart_encode_options", LLAMART_ENCODE_OPTIONS, 8,
      [&](llamart_encode_options *options) {
        llamart_error *error =
            llamart_encode(model.get(), "Hi", 2, options, &out, &count);
        llamart_free(std::exchange(out, nullptr));
        return error;
      });
  check<llamart_decode_options>(
      "llamart_decode_options", LLAMART_DECODE_OPTIONS, 8,
      [&](llamart_decode_options *options) {
        llamart_error *error =
            llamart_decode(model.get(), ids.data(), 5, options, &text, &count);
        llamart_free(std::exchange(text, nullptr));
        return error;
      });
  llamart_message message = {"user", "Hi"};
  check<llamart_chat_options>("llamart_chat_options", LLAMART_CHAT_OPTIONS, 8,
                              [&](llamart_chat_options *options) {
                                llamart_error *error = llamart_chat_format(
                                    model.get(), &message, 1, options, &text,
                                    &count);
                                llamart_free(std::exchange(text, nullptr));
                                return error;
                              });
}

TEST_F(Growth, FeedsAndSessions) {
  check<llamart_session_options>(
      "llamart_session_options", LLAMART_SESSION_OPTIONS, 8,
      [&](llamart_session_options *options) {
        llamart_session *made = nullptr;
        llamart_error *error =
            llamart_session_create(engine.get(), options, &made);
        llamart_session_close(made);
        return error;
      });
  check<llamart_feed>("llamart_feed", session.feed(ids),
                      offsetof(llamart_feed, source), [&](llamart_feed *feed) {
                        return llamart_eval(engine.get(), feed, 1, nullptr);
                      });
  llamart_feed feed = session.feed(ids);
  check<llamart_eval_options>("llamart_eval_options", LLAMART_EVAL_OPTIONS, 8,
                              [&](llamart_eval_options *options) {
                                return llamart_eval(engine.get(), &feed, 1,
                                                    options);
                              });
  feed.attention = 1;
  engine.eval({&feed, 1});
  checkFilled<llamart_attention>(
      LLAMART_ATTENTION, [&](llamart_attention *attention) {
        return llamart_session_attention(session.get(), -1, 0, attention);
      });
  checkFilled<llamart_stats>(LLAMART_STATS, [&](llamart_stats *stats) {
    return llamart_engine_get_stats(engine.get(), stats);
  });
}

TEST_F(Growth, Samplers) {
  check<llamart_sampler_options>(
      "llamart_sampler_options", LLAMART_SAMPLER_OPTIONS,
      offsetof(llamart_sampler_options, config),
      [&](llamart_sampler_options *options) {
        llamart_sampler *made = nullptr;
        llamart_error *error = llamart_sampler_create(options, &made);
        llamart_sampler_close(made);
        return error;
      });
  llamart_custom_sampler custom = LLAMART_CUSTOM_SAMPLER;
  custom.choose = [](void *, void *, const llamart_choice *, int32_t *id) {
    *id = 0;
    return 0;
  };
  check<llamart_custom_sampler>(
      "llamart_custom_sampler", custom,
      offsetof(llamart_custom_sampler, create_state),
      [&](llamart_custom_sampler *options) {
        llamart_sampler *made = nullptr;
        llamart_error *error = llamart_sampler_create_custom(options, &made);
        llamart_sampler_close(made);
        return error;
      });
}

TEST_F(Growth, JobsAndQueues) {
  check<llamart_queue_options>("llamart_queue_options", LLAMART_QUEUE_OPTIONS,
                               8, [&](llamart_queue_options *options) {
                                 llamart_queue *made = nullptr;
                                 llamart_error *error = llamart_queue_create(
                                     engine.get(), options, &made);
                                 llamart_queue_close(made);
                                 return error;
                               });
  llamart_job job = LLAMART_JOB;
  job.sampler = greedy.get();
  job.prompt = ids.data();
  job.prompt_count = ids.size();
  job.max_tokens = 2;
  check<llamart_job>("llamart_job", job, offsetof(llamart_job, max_tokens),
                     [&](llamart_job *given) {
                       return llamart_generate(engine.get(), given, nullptr, 1);
                     });
  checkFilled<llamart_result>(LLAMART_RESULT, [&](llamart_result *result) {
    return llamart_generate(engine.get(), &job, result, 1);
  });
}

// Elements of an array lie struct_size apart.
TEST_F(Growth, ArraysOfSmallerAndLargerElements) {
  Session other(engine);
  for (size_t size : {offsetof(llamart_feed, source), sizeof(llamart_feed),
                      sizeof(llamart_feed) + 24}) {
    session.reset();
    other.reset();
    std::vector<char> feeds(2 * size);
    llamart_feed list[] = {session.feed(ids, 0, LLAMART_LOGITS_NONE),
                           other.feed(ids, 0, LLAMART_LOGITS_NONE)};
    for (size_t i = 0; i < 2; ++i) {
      list[i].struct_size = size;
      std::memcpy(&feeds[i * size], &list[i], std::min(size, sizeof(list[i])));
    }
    auto *first = reinterpret_cast<llamart_feed *>(feeds.data());
    EXPECT_EQ(take(llamart_eval(engine.get(), first, 2, nullptr)).message, "");
    EXPECT_EQ(other.getLength(), 5);
    size_t wrong = 24;
    std::memcpy(&feeds[size], &wrong, sizeof(wrong));
    llamart_error *error = llamart_eval(engine.get(), first, 2, nullptr);
    EXPECT_EQ(llamart_error_item(error), 1);
    EXPECT_EQ(take(error).message,
              "llamart_feed: struct_size is 24, the first one's is " +
                  std::to_string(size));
  }
}

TEST_F(Growth, ReservedFieldsMustBe0) { // G5
  llamart_feed feed = session.feed(ids);
  feed.reserved = 1;
  Outcome outcome = take(llamart_eval(engine.get(), &feed, 1, nullptr));
  EXPECT_EQ(outcome.kind, LLAMART_ERROR_UNSUPPORTED);
  EXPECT_EQ(outcome.message, "llamart_feed: reserved is 1, expected 0");
  llamart_engine_options options = LLAMART_ENGINE_OPTIONS;
  options.reserved = 2;
  EXPECT_EQ(getErrorOf([&] { Engine made(model, options); }),
            "llamart_engine_options: reserved is 2, expected 0");
}

TEST_F(Growth, WhatTheLibraryFilledSaysWhatItKnew) { // G6
  const llamart_model_info *info = &model.getInfo();
  EXPECT_TRUE(LLAMART_HAS(llamart_model_info, info, json));
  llamart_model_info older = *info;
  older.struct_size = offsetof(llamart_model_info, json);
  EXPECT_FALSE(LLAMART_HAS(llamart_model_info, &older, json));
  EXPECT_TRUE(LLAMART_HAS(llamart_model_info, &older, chat_template));
}

} // namespace
