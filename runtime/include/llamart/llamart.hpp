//===- llamart.hpp - C++ over llamart.h -------------------------*- C++ -*-===//
//
// Handles as objects, errors as exceptions, arrays as vectors; nothing more.
// C++20, header only. What things mean is said in llamart.h.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMART_HPP
#define LLAMART_HPP

#include "llamart/llamart.h"

#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace llamart::api {

class Error : public std::runtime_error {
public:
  Error(int kind, const char *message)
      : std::runtime_error(message), kind(kind) {}
  int getKind() const { return kind; } ///< LLAMART_ERROR_*

private:
  int kind;
};

/// Throws the error, if it is one.
inline void check(llamart_error *error) {
  if (!error)
    return;
  Error exception(llamart_error_kind(error), llamart_error_message(error));
  llamart_error_free(error);
  throw exception;
}

template <auto Close>
struct Closer {
  template <typename T>
  void operator()(T *handle) const {
    Close(handle);
  }
};
template <typename T, auto Close>
using Handle = std::unique_ptr<T, Closer<Close>>;

/// Calls `make` with the addresses of an array and its length; copies it.
template <typename Result, typename Element, typename Make>
Result takeArray(Make make) {
  Element *data = nullptr;
  size_t count = 0;
  check(make(&data, &count));
  Handle<Element, llamart_free> owner(data);
  return Result(data, data + count);
}

struct Message {
  std::string role, content;
};

class Model {
public:
  explicit Model(const std::string &path,
                 const llamart_model_options &options = LLAMART_MODEL_OPTIONS) {
    llamart_model *model = nullptr;
    check(llamart_model_open(path.c_str(), &options, &model));
    handle.reset(model);
  }

  llamart_model *get() const { return handle.get(); }
  const llamart_model_info &getInfo() const {
    return *llamart_model_get_info(get());
  }
  /// LLAMART_WEIGHTS_MAPPED or _COPIED, as it is now.
  int32_t getWeights() const { return llamart_model_get_weights(get()); }
  bool endsReply(int32_t id) const {
    return llamart_model_ends_reply(get(), id) != 0;
  }

  std::vector<int32_t>
  encode(std::string_view text,
         const llamart_encode_options &options = LLAMART_ENCODE_OPTIONS) const {
    return takeArray<std::vector<int32_t>, int32_t>(
        [&](int32_t **ids, size_t *count) {
          return llamart_encode(get(), text.data(), text.size(), &options, ids,
                                count);
        });
  }

  std::string decode(std::span<const int32_t> ids,
                     bool showSpecial = false) const {
    return takeArray<std::string, char>([&](char **text, size_t *bytes) {
      return llamart_decode(get(), ids.data(), ids.size(), showSpecial, text,
                            bytes);
    });
  }

  std::vector<int32_t>
  encodeChat(std::span<const Message> messages,
             const llamart_chat_options &options = LLAMART_CHAT_OPTIONS) const {
    std::vector<llamart_message> list;
    for (const Message &message : messages)
      list.push_back({message.role.c_str(), message.content.c_str()});
    return takeArray<std::vector<int32_t>, int32_t>(
        [&](int32_t **ids, size_t *count) {
          return llamart_chat_encode(get(), list.data(), list.size(), &options,
                                     ids, count);
        });
  }

  std::string
  formatChat(std::span<const Message> messages,
             const llamart_chat_options &options = LLAMART_CHAT_OPTIONS) const {
    std::vector<llamart_message> list;
    for (const Message &message : messages)
      list.push_back({message.role.c_str(), message.content.c_str()});
    return takeArray<std::string, char>([&](char **text, size_t *bytes) {
      return llamart_chat_format(get(), list.data(), list.size(), &options,
                                 text, bytes);
    });
  }

private:
  Handle<llamart_model, llamart_model_close> handle;
};

class Decoder {
public:
  explicit Decoder(const Model &model, bool afterText = false,
                   bool showSpecial = false) {
    llamart_decoder *decoder = nullptr;
    check(
        llamart_decoder_create(model.get(), afterText, showSpecial, &decoder));
    handle.reset(decoder);
  }

  std::string push(int32_t id) {
    const char *text = nullptr;
    size_t bytes = 0;
    check(llamart_decoder_push(handle.get(), id, &text, &bytes));
    return {text, bytes};
  }

  std::string finish() {
    const char *text = nullptr;
    size_t bytes = 0;
    check(llamart_decoder_finish(handle.get(), &text, &bytes));
    return {text, bytes};
  }

private:
  Handle<llamart_decoder, llamart_decoder_close> handle;
};

class Sampler {
public:
  explicit Sampler(const llamart_sampler_options &options) {
    llamart_sampler *sampler = nullptr;
    check(llamart_sampler_create(&options, &sampler));
    handle.reset(sampler);
  }
  static Sampler greedy() {
    llamart_sampler_options options = LLAMART_SAMPLER_OPTIONS;
    options.kind = LLAMART_SAMPLER_GREEDY;
    return Sampler(options);
  }

  llamart_sampler *get() const { return handle.get(); }

private:
  Handle<llamart_sampler, llamart_sampler_close> handle;
};

class Engine {
public:
  explicit Engine(const Model &model, const llamart_engine_options &options =
                                          LLAMART_ENGINE_OPTIONS) {
    llamart_engine *engine = nullptr;
    check(llamart_engine_create(model.get(), &options, &engine));
    handle.reset(engine);
  }

  llamart_engine *get() const { return handle.get(); }
  int32_t getThreads() const { return llamart_engine_threads(get()); }
  uint64_t getKVUsed() const { return llamart_engine_kv_used(get()); }
  uint64_t getKVBudget() const { return llamart_engine_kv_budget(get()); }

  void eval(std::span<const llamart_feed> feeds) {
    check(llamart_eval(get(), feeds.data(), feeds.size()));
  }

private:
  Handle<llamart_engine, llamart_engine_close> handle;
};

class Session {
public:
  explicit Session(Engine &engine, uint64_t number = 0) {
    llamart_session *session = nullptr;
    check(llamart_session_create(engine.get(), number, &session));
    handle.reset(session);
  }

  Session fork(uint64_t number = 0) const {
    llamart_session *session = nullptr;
    check(llamart_session_fork(get(), number, &session));
    return Session(session);
  }

  llamart_session *get() const { return handle.get(); }
  int64_t getLength() const { return llamart_session_length(get()); }
  std::span<const int32_t> getIds() const {
    return {llamart_session_ids(get()), static_cast<size_t>(getLength())};
  }
  void truncate(int64_t length) {
    check(llamart_session_truncate(get(), length));
  }
  void reset() { truncate(0); }

  /// [rows, vocab]
  const float *getLogits(int64_t *rows = nullptr) const {
    return llamart_session_logits(get(), rows);
  }

  int32_t sample(const Sampler &sampler) {
    int32_t id = 0;
    check(llamart_sample(sampler.get(), get(), &id));
    return id;
  }

  /// For Engine::eval. The ids must live until then.
  llamart_feed feed(std::span<const int32_t> ids,
                    int32_t source = LLAMART_FROM_PROMPT,
                    int32_t logits = LLAMART_LOGITS_LAST) const {
    llamart_feed result = LLAMART_FEED;
    result.session = get();
    result.ids = ids.data();
    result.count = ids.size();
    result.source = source;
    result.logits = logits;
    return result;
  }

private:
  explicit Session(llamart_session *session) : handle(session) {}
  Handle<llamart_session, llamart_session_close> handle;
};

/// What generate() is to do for one session. Session, sampler and prompt must
/// live until it returns.
struct Job {
  Session *session = nullptr;
  const Sampler *sampler = nullptr;
  std::span<const int32_t> prompt;
  int64_t maxTokens = -1;
  std::vector<std::string> stops;
  bool ignoreEos = false;
  bool startsText = false;

  // Returning false ends the job; what they throw comes out of generate().
  std::function<bool(int32_t id)> onToken;
  std::function<bool(std::string_view text)> onText;
  std::function<bool(const float *logits, int64_t rows)> onLogits;
  std::function<bool(const llamart_step &step)> onStep;

  // Results.
  int64_t generated = 0;
  int finish = LLAMART_FINISH_NONE;
};

namespace detail {
struct Callbacks {
  Job *job;
  std::exception_ptr *thrown;

  template <typename Function, typename... Arguments>
  int call(const Function &function, const Arguments &...arguments) noexcept {
    try {
      return function(arguments...) ? 0 : 1;
    } catch (...) {
      *thrown = std::current_exception();
      return 1;
    }
  }
  static Callbacks &from(void *user) { return *static_cast<Callbacks *>(user); }
};

inline llamart_job toC(Job &job, Callbacks &callbacks,
                       std::vector<const char *> &stops) {
  for (const std::string &stop : job.stops)
    stops.push_back(stop.c_str());
  llamart_job result = LLAMART_JOB;
  result.session = job.session ? job.session->get() : nullptr;
  result.sampler = job.sampler ? job.sampler->get() : nullptr;
  result.prompt = job.prompt.data();
  result.prompt_count = job.prompt.size();
  result.max_tokens = job.maxTokens;
  result.stops = stops.data();
  result.stop_count = stops.size();
  result.ignore_eos = job.ignoreEos;
  result.starts_text = job.startsText;
  result.user = &callbacks;
  if (job.onToken)
    result.on_token = [](void *user, int32_t id) {
      Callbacks &to = Callbacks::from(user);
      return to.call(to.job->onToken, id);
    };
  if (job.onText)
    result.on_text = [](void *user, const char *text, size_t bytes) {
      Callbacks &to = Callbacks::from(user);
      return to.call(to.job->onText, std::string_view(text, bytes));
    };
  if (job.onLogits)
    result.on_logits = [](void *user, const float *logits, int64_t rows) {
      Callbacks &to = Callbacks::from(user);
      return to.call(to.job->onLogits, logits, rows);
    };
  if (job.onStep)
    result.on_step = [](void *user, const llamart_step *step) {
      Callbacks &to = Callbacks::from(user);
      return to.call(to.job->onStep, *step);
    };
  return result;
}
} // namespace detail

/// Runs the jobs side by side until all are finished.
inline void generate(Engine &engine, std::span<Job> jobs) {
  std::exception_ptr thrown;
  std::vector<detail::Callbacks> callbacks;
  std::vector<std::vector<const char *>> stops(jobs.size());
  std::vector<llamart_job> list;
  callbacks.reserve(jobs.size());
  for (size_t i = 0; i < jobs.size(); ++i) {
    callbacks.push_back({&jobs[i], &thrown});
    list.push_back(detail::toC(jobs[i], callbacks[i], stops[i]));
  }
  llamart_error *error =
      llamart_generate(engine.get(), list.data(), list.size());
  for (size_t i = 0; i < jobs.size(); ++i) {
    jobs[i].generated = list[i].generated;
    jobs[i].finish = list[i].finish;
  }
  if (thrown) {
    llamart_error_free(error);
    std::rethrow_exception(thrown);
  }
  check(error);
}

} // namespace llamart::api

#endif // LLAMART_HPP
