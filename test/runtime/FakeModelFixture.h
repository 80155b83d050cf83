//===- FakeModelFixture.h - The fake models as tests see them --*- C++ -*-=//
//
// Where they are, and an independent account of the logits they must give.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_TEST_RUNTIME_FAKEMODELFIXTURE_H
#define LLAMA_TEST_RUNTIME_FAKEMODELFIXTURE_H

#include "llamart/llamart.hpp"
#include "test/runtime/FakeModel.h"

#include <dlfcn.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace fakemodel {

/// "fake" => the path of fake-model.so's variant.
inline std::string getModelPath(const std::string &name) {
  return std::string(FAKE_MODEL_DIR) + "/" + name + ".so";
}

/// One token of a sequence, as a forward call sees it.
struct Step {
  int32_t token;
  int32_t source = LLAMART_FROM_PROMPT;
};

/// Logits after the last step, [kVocab].
inline std::vector<float> getExpectedLogits(const std::vector<Step> &steps) {
  uint64_t hash = kHashStart;
  for (const Step &step : steps)
    hash = addToHash(hash, step.token, step.source == LLAMART_FROM_PROMPT,
                     getWeight(getWeightWord(step.token, 65536 / 4)));
  std::vector<float> logits;
  for (int64_t id = 0; id < kVocab; ++id)
    logits.push_back(getLogit(hash, id));
  return logits;
}

/// `count` ids that look arbitrary and differ with `seed`.
inline std::vector<int32_t> makeIds(size_t count, uint64_t seed = 1) {
  std::vector<int32_t> ids;
  for (size_t i = 0; i < count; ++i)
    ids.push_back(mix(seed * 1000003 + i) % kVocab);
  return ids;
}

inline std::vector<Step> toSteps(const std::vector<int32_t> &ids) {
  std::vector<Step> steps;
  for (int32_t id : ids)
    steps.push_back({id});
  return steps;
}

/// The session's last row of logits.
inline std::vector<float> getLastLogits(const llamart::api::Session &session) {
  int64_t rows = 0;
  const float *logits = session.getLogits(&rows);
  if (rows == 0)
    return {};
  return {logits + (rows - 1) * kVocab, logits + rows * kVocab};
}

/// The message of what `function` throws; "" if it throws nothing.
template <typename Function>
std::string getErrorOf(Function function) {
  try {
    function();
  } catch (const std::exception &error) {
    return error.what();
  }
  return "";
}

/// The counters of a fake model that is open, set to 0.
inline Calls &resetCalls() {
  void *library = dlopen(getModelPath("fake").c_str(), RTLD_NOW | RTLD_NOLOAD);
  auto *calls = static_cast<Calls *>(dlsym(library, "fake_calls"));
  dlclose(library);
  *calls = Calls();
  return *calls;
}

/// A folder of its own, removed with the object.
class TemporaryFolder {
public:
  TemporaryFolder() {
    std::string name =
        std::filesystem::temp_directory_path() / "llamart-XXXXXX";
    path = mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  std::string getFile(const std::string &name) const {
    return path + "/" + name;
  }

private:
  std::string path;
};

} // namespace fakemodel

#endif // LLAMA_TEST_RUNTIME_FAKEMODELFIXTURE_H
