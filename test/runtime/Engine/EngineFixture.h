//===- EngineFixture.h - Engines on the fake model --------------*- C++ -*-===//

#ifndef LLAMA_TEST_RUNTIME_ENGINE_ENGINEFIXTURE_H
#define LLAMA_TEST_RUNTIME_ENGINE_ENGINEFIXTURE_H

#include "test/runtime/FakeModelFixture.h"

#include <vector>

struct EngineTest : testing::Test {
  llamart::api::Model model{fakemodel::getModelPath("fake")};

  static llamart_engine_options getOptions(int32_t threads = 2,
                                           int32_t batchRows = 256) {
    llamart_engine_options options = LLAMART_ENGINE_OPTIONS;
    options.threads = threads;
    options.batch_rows = batchRows;
    options.kv_bytes = 64 * 8192;
    return options;
  }
};

inline void feed(llamart::api::Engine &engine, llamart::api::Session &session,
                 const std::vector<int32_t> &ids,
                 int32_t source = LLAMART_FROM_PROMPT,
                 int32_t logits = LLAMART_LOGITS_LAST) {
  llamart_feed feed = session.feed(ids, source, logits);
  engine.eval({&feed, 1});
}

inline std::vector<int32_t> concat(std::vector<int32_t> a,
                                   const std::vector<int32_t> &b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

#endif // LLAMA_TEST_RUNTIME_ENGINE_ENGINEFIXTURE_H
