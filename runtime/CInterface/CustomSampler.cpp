//===- CustomSampler.cpp - A sampler of the application -------------------===//

#include "runtime/CInterface/CustomSampler.h"

#include "runtime/CInterface/Structs.h"
#include "runtime/Sampler/AttentionStats.h"

#include <vector>

using namespace llamart;

namespace {

/// Calls one of the application's functions.
template <typename Call>
void callFunction(const char *name, Call call) {
  std::string where = std::string("llamart_custom_sampler: ") + name;
  int result = callBack(where.c_str(), call);
  if (result != 0)
    throw Error(ErrorKind::Callback, where, " failed with ", result);
}

/// The functions, until nothing has them.
class Functions {
public:
  explicit Functions(const llamart_custom_sampler &f) : f(f) {}
  Functions(const Functions &) = delete;
  Functions &operator=(const Functions &) = delete;
  ~Functions() {
    if (f.close)
      f.close(f.user);
  }
  const llamart_custom_sampler *operator->() const { return &f; }

private:
  llamart_custom_sampler f;
};

class CustomState : public SamplerState {
public:
  CustomState(std::shared_ptr<const Functions> functions, void *state)
      : f(std::move(functions)), state(state) {}
  CustomState(const CustomState &) = delete;
  CustomState &operator=(const CustomState &) = delete;
  ~CustomState() override { (*f)->close_state((*f)->user, state); }

  void *get() const { return state; }

  std::unique_ptr<SamplerState> clone() const override {
    void *copy = nullptr;
    callFunction("clone_state",
                 [&] { return (*f)->clone_state((*f)->user, state, &copy); });
    return std::make_unique<CustomState>(f, copy);
  }

  std::string save() const override {
    throw Error(ErrorKind::Unsupported,
                "the state of an application's sampler cannot be saved");
  }

private:
  std::shared_ptr<const Functions> f;
  void *state;
};

class CustomSampler : public Sampler {
public:
  explicit CustomSampler(const llamart_custom_sampler &functions)
      : f(std::make_shared<Functions>(functions)) {}

  bool needsAttention() const override { return (*f)->wants_attention != 0; }

  std::unique_ptr<SamplerState> makeState() const override {
    if (!(*f)->create_state)
      return nullptr;
    void *state = nullptr;
    callFunction("create_state",
                 [&] { return (*f)->create_state((*f)->user, &state); });
    return std::make_unique<CustomState>(f, state);
  }

  int32_t sample(const SampleInput &input, SamplerState *state,
                 SampleTrace *trace) const override {
    std::vector<float> logits(input.logits.begin(), input.logits.end());
    llamart_attention attention = {};
    llamart_choice choice = {};
    choice.struct_size = sizeof(choice);
    choice.logits = logits.data();
    choice.vocab = int64_t(logits.size());
    choice.ids = input.history.data();
    choice.length = int64_t(input.history.size());
    choice.number = input.sequence;
    choice.seed = (*f)->seed;
    if (needsAttention() && input.attention.data) {
      attention = describe(input.attention);
      choice.attention = &attention;
    }
    int32_t id = -1;
    void *own = state ? static_cast<CustomState *>(state)->get() : nullptr;
    callFunction("choose",
                 [&] { return (*f)->choose((*f)->user, own, &choice, &id); });
    if (id < 0 || size_t(id) >= logits.size())
      throw Error(ErrorKind::Callback,
                  "llamart_custom_sampler: choose gave id ", id,
                  ", expected 0 to ", logits.size() - 1);
    if (trace)
      trace->fill(input.logits, id, {{id}, {1.0}});
    return id;
  }

private:
  static llamart_attention describe(const AttentionScores &scores) {
    AttentionStats stats = computeAttention(scores, 0);
    return {sizeof(llamart_attention), stats.entropy, stats.varentropy,
            stats.agreement, stats.interactionStrength};
  }

  std::shared_ptr<const Functions> f;
};

} // namespace

std::shared_ptr<const Sampler>
llamart::createCustomSampler(const llamart_custom_sampler &functions) {
  auto fail = [](const char *what) {
    throw Error(ErrorKind::Argument, "llamart_custom_sampler: ", what);
  };
  checkReserved(functions.reserved, "llamart_custom_sampler");
  if (!functions.choose)
    fail("choose is NULL");
  bool all =
      functions.create_state && functions.clone_state && functions.close_state;
  bool none = !functions.create_state && !functions.clone_state &&
              !functions.close_state;
  if (!all && !none)
    fail("create_state, clone_state and close_state are there or NULL "
         "together");
  return std::make_shared<CustomSampler>(functions);
}
