//===- llamart.hpp - C++ over llamart.h -------------------------*- C++ -*-===//
//
// Handles as objects that can be moved and not copied, errors as exceptions,
// arrays as vectors, callbacks as functions; nothing more. C++20, header only.
// What things mean is said in llamart.h.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMART_HPP
#define LLAMART_HPP

#if __cplusplus < 202002L
#error "llamart.hpp needs C++20: compile with -std=c++20, or use llamart.h"
#endif

#include "llamart/llamart.h"

#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace llamart::api {

class Error : public std::runtime_error {
public:
  Error(int kind, const char *message, int64_t item = -1)
      : std::runtime_error(message), kind(kind), item(item) {}
  int getKind() const { return kind; }     ///< LLAMART_ERROR_*
  int64_t getItem() const { return item; } ///< of an array; -1: none

private:
  int kind;
  int64_t item;
};

/// Throws the error, if it is one.
inline void check(llamart_error *error) {
  if (!error)
    return;
  Error exception(llamart_error_kind(error), llamart_error_message(error),
                  llamart_error_item(error));
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

/// A flag that ends what it is given to. May be set by any thread and by signal
/// handlers.
class CancelFlag {
public:
  CancelFlag() {
    llamart_cancel *cancel = nullptr;
    check(llamart_cancel_create(&cancel));
    handle.reset(cancel);
  }
  void set() noexcept { llamart_cancel_set(get()); }
  void clear() noexcept { llamart_cancel_clear(get()); }
  bool isSet() const noexcept { return llamart_cancel_is_set(get()) != 0; }
  llamart_cancel *get() const { return handle.get(); }

private:
  Handle<llamart_cancel, llamart_cancel_close> handle;
};

namespace detail {
/// A flag that is set when the token is asked to stop; none if it never is.
class StopFlag {
public:
  explicit StopFlag(const std::stop_token &stop) {
    if (!stop.stop_possible())
      return;
    flag.emplace();
    callback =
        std::make_unique<std::stop_callback<Set>>(stop, Set{flag->get()});
  }
  const llamart_cancel *get() const { return flag ? flag->get() : nullptr; }

private:
  struct Set {
    llamart_cancel *cancel;
    void operator()() const noexcept { llamart_cancel_set(cancel); }
  };
  std::optional<CancelFlag> flag;
  std::unique_ptr<std::stop_callback<Set>> callback;
};
} // namespace detail

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
    llamart_decode_options options = LLAMART_DECODE_OPTIONS;
    options.show_special = showSpecial;
    return takeArray<std::string, char>([&](char **text, size_t *bytes) {
      return llamart_decode(get(), ids.data(), ids.size(), &options, text,
                            bytes);
    });
  }

  std::vector<int32_t>
  encodeChat(std::span<const Message> messages,
             const llamart_chat_options &options = LLAMART_CHAT_OPTIONS) const {
    std::vector<llamart_message> list = toC(messages);
    return takeArray<std::vector<int32_t>, int32_t>(
        [&](int32_t **ids, size_t *count) {
          return llamart_chat_encode(get(), list.data(), list.size(), &options,
                                     ids, count);
        });
  }
  /// Of a conversation in JSON.
  std::vector<int32_t>
  encodeChat(std::string_view json,
             const llamart_chat_options &options = LLAMART_CHAT_OPTIONS) const {
    return takeArray<std::vector<int32_t>, int32_t>(
        [&](int32_t **ids, size_t *count) {
          return llamart_chat_encode_json(get(), json.data(), json.size(),
                                          &options, ids, count);
        });
  }

  std::string
  formatChat(std::span<const Message> messages,
             const llamart_chat_options &options = LLAMART_CHAT_OPTIONS) const {
    std::vector<llamart_message> list = toC(messages);
    return takeArray<std::string, char>([&](char **text, size_t *bytes) {
      return llamart_chat_format(get(), list.data(), list.size(), &options,
                                 text, bytes);
    });
  }
  std::string
  formatChat(std::string_view json,
             const llamart_chat_options &options = LLAMART_CHAT_OPTIONS) const {
    return takeArray<std::string, char>([&](char **text, size_t *bytes) {
      return llamart_chat_format_json(get(), json.data(), json.size(), &options,
                                      text, bytes);
    });
  }

  /// A reply's parts, as a message in JSON.
  std::string parseReply(std::string_view text) const {
    return takeArray<std::string, char>([&](char **json, size_t *bytes) {
      return llamart_chat_parse(get(), text.data(), text.size(), json, bytes);
    });
  }

private:
  static std::vector<llamart_message> toC(std::span<const Message> messages) {
    std::vector<llamart_message> list;
    for (const Message &message : messages)
      list.push_back({message.role.c_str(), message.content.c_str()});
    return list;
  }

  Handle<llamart_model, llamart_model_close> handle;
};

class Decoder {
public:
  explicit Decoder(const Model &model, bool afterText = false,
                   bool showSpecial = false) {
    llamart_decode_options options = LLAMART_DECODE_OPTIONS;
    options.after_text = afterText;
    options.show_special = showSpecial;
    llamart_decoder *decoder = nullptr;
    check(llamart_decoder_create(model.get(), &options, &decoder));
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

  /// One of the application: `choose` gives the id and keeps no state, so it may
  /// be called by several threads at once.
  template <typename Choose>
  static Sampler custom(Choose choose, uint64_t seed = 0,
                        bool wantsAttention = false) {
    auto owned = std::make_unique<Choose>(std::move(choose));
    llamart_custom_sampler options = LLAMART_CUSTOM_SAMPLER;
    options.user = owned.get();
    options.seed = seed;
    options.wants_attention = wantsAttention;
    options.choose = [](void *user, void *, const llamart_choice *choice,
                        int32_t *id) {
      *id = (*static_cast<Choose *>(user))(*choice);
      return 0;
    };
    options.close = [](void *user) { delete static_cast<Choose *>(user); };
    llamart_sampler *sampler = nullptr;
    check(llamart_sampler_create_custom(&options, &sampler));
    owned.release(); // close has it
    return Sampler(sampler);
  }

  static Sampler greedy() {
    llamart_sampler_options options = LLAMART_SAMPLER_OPTIONS;
    options.kind = LLAMART_SAMPLER_GREEDY;
    return Sampler(options);
  }

  llamart_sampler *get() const { return handle.get(); }

private:
  explicit Sampler(llamart_sampler *sampler) : handle(sampler) {}
  Handle<llamart_sampler, llamart_sampler_close> handle;
};

/// Calls body(0) .. body(threads - 1) and returns when all have returned.
using RunThreads =
    std::function<void(int32_t threads, const std::function<void(int32_t)> &)>;

class Engine {
public:
  explicit Engine(const Model &model, const llamart_engine_options &options =
                                          LLAMART_ENGINE_OPTIONS)
      : handle(create(model, options)) {}

  /// With threads of the application. The function lives as long as the engine
  /// and its sessions.
  Engine(const Model &model, int32_t threads, RunThreads run,
         llamart_engine_options options = LLAMART_ENGINE_OPTIONS)
      : executor(std::make_shared<RunThreads>(std::move(run))) {
    llamart_executor given = {sizeof(given), threads, 0, runThreads,
                              executor.get()};
    options.executor = &given;
    handle.reset(create(model, options));
  }

  llamart_engine *get() const { return handle.get(); }
  int32_t getThreads() const { return llamart_engine_threads(get()); }
  uint64_t getKVUsed() const { return llamart_engine_kv_used(get()); }
  uint64_t getKVBudget() const { return llamart_engine_kv_budget(get()); }
  llamart_stats getStats() const {
    llamart_stats stats = LLAMART_STATS;
    check(llamart_engine_get_stats(get(), &stats));
    return stats;
  }

  /// Throws Error of kind LLAMART_ERROR_CANCELLED once `stop` is asked to.
  void eval(std::span<const llamart_feed> feeds,
            const std::stop_token &stop = {}) {
    detail::StopFlag flag(stop);
    llamart_eval_options options = {sizeof(options), flag.get()};
    check(llamart_eval(get(), feeds.data(), feeds.size(), &options));
  }

  /// What its sessions keep alive.
  const std::shared_ptr<RunThreads> &getExecutor() const { return executor; }

private:
  static llamart_engine *create(const Model &model,
                                const llamart_engine_options &options) {
    llamart_engine *engine = nullptr;
    check(llamart_engine_create(model.get(), &options, &engine));
    return engine;
  }
  static int runThreads(void *user, llamart_task task, void *argument,
                        int32_t threads) {
    (*static_cast<RunThreads *>(user))(
        threads, [&](int32_t thread) { task(argument, thread); });
    return 0;
  }

  std::shared_ptr<RunThreads> executor; // outlives the handle
  Handle<llamart_engine, llamart_engine_close> handle;
};

class Session {
public:
  explicit Session(Engine &engine, uint64_t number = 0)
      : Session(engine, llamart_session_options{sizeof(llamart_session_options),
                                                number, nullptr, 0}) {}
  Session(Engine &engine, const llamart_session_options &options)
      : executor(engine.getExecutor()) {
    llamart_session *session = nullptr;
    check(llamart_session_create(engine.get(), &options, &session));
    handle.reset(session);
  }

  /// From a file that save() wrote.
  static Session load(Engine &engine, const std::string &path) {
    llamart_session *session = nullptr;
    check(llamart_session_load_file(engine.get(), nullptr, path.c_str(),
                                    &session));
    return Session(session, engine.getExecutor());
  }
  void save(const std::string &path) const {
    check(llamart_session_save_file(get(), path.c_str()));
  }
  /// As bytes, in pieces.
  void
  save(const std::function<void(std::span<const std::byte>)> &write) const {
    std::exception_ptr thrown;
    auto call = [&](const void *data, size_t bytes) {
      try {
        write({static_cast<const std::byte *>(data), bytes});
        return 0;
      } catch (...) {
        thrown = std::current_exception();
        return 1;
      }
    };
    llamart_error *error = llamart_session_save(
        get(),
        [](void *user, const void *data, size_t bytes) {
          return (*static_cast<decltype(call) *>(user))(data, bytes);
        },
        &call);
    if (thrown) {
      llamart_error_free(error);
      std::rethrow_exception(thrown);
    }
    check(error);
  }
  static Session load(Engine &engine, std::span<const std::byte> bytes) {
    llamart_session *session = nullptr;
    check(llamart_session_load(
        engine.get(), nullptr,
        [](void *user, void *data, size_t count) {
          auto &rest = *static_cast<std::span<const std::byte> *>(user);
          if (count > rest.size())
            return 1;
          std::memcpy(data, rest.data(), count);
          rest = rest.subspan(count);
          return 0;
        },
        &bytes, &session));
    return Session(session, engine.getExecutor());
  }

  Session fork(uint64_t number = 0) const {
    llamart_session *session = nullptr;
    check(llamart_session_fork(get(), number, &session));
    return Session(session, executor);
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
  void release() { check(llamart_session_release(get())); }

  /// How many of a prompt's ids it has taken over.
  size_t adopt(std::span<const int32_t> ids) {
    size_t adopted = 0;
    check(llamart_session_adopt(get(), ids.data(), ids.size(), &adopted));
    return adopted;
  }

  /// [rows, vocab]
  const float *getLogits(int64_t *rows = nullptr) const {
    return llamart_session_logits(get(), rows);
  }

  /// The most probable tokens by a row of those, -1: the last.
  std::vector<llamart_logprob> getTop(size_t count, int64_t row = -1) const {
    std::vector<llamart_logprob> top(count);
    check(llamart_session_logprobs(get(), row, -1, top.data(), count));
    return top;
  }
  llamart_logprob getLogprob(int32_t id, int64_t row = -1) const {
    llamart_logprob own = {};
    check(llamart_session_logprobs(get(), row, id, &own, 1));
    return own;
  }

  llamart_attention getAttention(int64_t row = -1, int64_t slots = 0) const {
    llamart_attention attention = LLAMART_ATTENTION;
    check(llamart_session_attention(get(), row, slots, &attention));
    return attention;
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
  Session(llamart_session *session, std::shared_ptr<RunThreads> executor)
      : executor(std::move(executor)), handle(session) {}
  std::shared_ptr<RunThreads> executor; // outlives the handle
  Handle<llamart_session, llamart_session_close> handle;
};

/// What generate() or a queue is to do. Session and sampler must live until it
/// is done.
struct Job {
  Session *session = nullptr; ///< null: one is made for the job
  const Sampler *sampler = nullptr;
  std::span<const int32_t> prompt;
  int64_t maxTokens = -1;
  std::vector<std::string> stops;
  bool ignoreEos = false;
  bool startsText = false;
  int32_t topLogprobs = 0;
  uint64_t number = 0; ///< of the session that is made
  std::string salt;    ///< the same
  std::stop_token stop;

  // Returning false ends the job; what they throw comes out of generate() or
  // Queue::step().
  std::function<bool(int32_t id)> onToken;
  std::function<bool(std::string_view text)> onText;
  std::function<bool(const float *logits, int64_t rows)> onLogits;
  std::function<bool(const llamart_step &step)> onStep;
  std::function<bool(const llamart_step &step)> onPromptStep;
  std::function<void(const llamart_result &result)> onFinish;

  llamart_result result = LLAMART_RESULT; ///< that generate() writes
};

namespace detail {
/// A job as the C interface wants it, and all that it points to.
class JobCall {
public:
  JobCall(Job &&given, std::exception_ptr *thrown)
      : job(std::move(given)), stop(job.stop), thrown(thrown) {}
  JobCall(const JobCall &) = delete;
  JobCall &operator=(const JobCall &) = delete;

  llamart_job toC() {
    for (const std::string &text : job.stops)
      stops.push_back(text.c_str());
    llamart_job result = LLAMART_JOB;
    if (job.session)
      result.session = job.session->get();
    else
      result.session_options = &options;
    options.number = job.number;
    options.salt = job.salt.data();
    options.salt_bytes = job.salt.size();
    result.sampler = job.sampler ? job.sampler->get() : nullptr;
    result.prompt = job.prompt.data();
    result.prompt_count = job.prompt.size();
    result.max_tokens = job.maxTokens;
    result.stops = stops.data();
    result.stop_count = stops.size();
    result.ignore_eos = job.ignoreEos;
    result.starts_text = job.startsText;
    result.top_logprobs = job.topLogprobs;
    result.cancel = stop.get();
    result.user = this;
    addCallbacks(result);
    return result;
  }

  Job job;

protected:
  virtual void end(const llamart_result &) {}
  ~JobCall() = default;

  template <typename Function, typename... Arguments>
  int call(const Function &function, const Arguments &...arguments) noexcept {
    try {
      return function(arguments...) ? 0 : 1;
    } catch (...) {
      *thrown = std::current_exception();
      return 1;
    }
  }

private:
  static JobCall &from(void *user) { return *static_cast<JobCall *>(user); }

  void addCallbacks(llamart_job &to) const {
    if (job.onToken)
      to.on_token = [](void *user, int32_t id) {
        return from(user).call(from(user).job.onToken, id);
      };
    if (job.onText)
      to.on_text = [](void *user, const char *text, size_t bytes) {
        return from(user).call(from(user).job.onText,
                               std::string_view(text, bytes));
      };
    if (job.onLogits)
      to.on_logits = [](void *user, const float *logits, int64_t rows) {
        return from(user).call(from(user).job.onLogits, logits, rows);
      };
    if (job.onStep)
      to.on_step = [](void *user, const llamart_step *step) {
        return from(user).call(from(user).job.onStep, *step);
      };
    if (job.onPromptStep)
      to.on_prompt_step = [](void *user, const llamart_step *step) {
        return from(user).call(from(user).job.onPromptStep, *step);
      };
    to.on_finish = [](void *user, const llamart_result *result) {
      JobCall &self = from(user);
      self.call([&] {
        if (self.job.onFinish)
          self.job.onFinish(*result);
        return true;
      });
      self.end(*result);
    };
  }

  StopFlag stop;
  std::exception_ptr *thrown;
  std::vector<const char *> stops;
  llamart_session_options options = LLAMART_SESSION_OPTIONS;
};

class OwnJobCall final : public JobCall {
public:
  using JobCall::JobCall;
};
} // namespace detail

/// Runs the jobs side by side until all are finished.
inline void generate(Engine &engine, std::span<Job> jobs) {
  std::exception_ptr thrown;
  std::deque<detail::OwnJobCall> calls;
  std::vector<llamart_job> list;
  std::vector<llamart_result> results(jobs.size(), LLAMART_RESULT);
  for (Job &job : jobs)
    list.push_back(calls.emplace_back(Job(job), &thrown).toC());
  llamart_error *error =
      llamart_generate(engine.get(), list.data(), results.data(), list.size());
  for (size_t i = 0; i < jobs.size(); ++i)
    jobs[i].result = results[i];
  if (thrown) {
    llamart_error_free(error);
    std::rethrow_exception(thrown);
  }
  check(error);
}

/// What becomes of a job in a queue.
class Ticket {
public:
  explicit Ticket(llamart_ticket *ticket) : handle(ticket) {}
  void cancel() { llamart_ticket_cancel(handle.get()); }
  /// Whether it is finished. Negative: waits as long as it takes.
  bool wait(int32_t milliseconds = -1) const {
    return llamart_ticket_wait(handle.get(), milliseconds) != 0;
  }
  /// Null until it is finished; lives as long as the ticket.
  const llamart_result *getResult() const {
    return llamart_ticket_result(handle.get());
  }

private:
  Handle<llamart_ticket, llamart_ticket_close> handle;
};

/// Jobs that come and go while others run.
class Queue {
public:
  explicit Queue(Engine &engine,
                 const llamart_queue_options &options = LLAMART_QUEUE_OPTIONS)
      : executor(engine.getExecutor()),
        thrown(std::make_unique<std::exception_ptr>()) {
    llamart_queue *queue = nullptr;
    check(llamart_queue_create(engine.get(), &options, &queue));
    handle.reset(queue);
  }

  /// From any thread. The prompt is copied.
  Ticket add(Job job) {
    auto call = std::make_unique<Call>(std::move(job), thrown.get());
    llamart_job given = call->toC();
    llamart_ticket *ticket = nullptr;
    check(llamart_queue_add(handle.get(), &given, &ticket));
    call.release(); // it goes with the end of the job
    return Ticket(ticket);
  }

  /// Returns how many jobs are unfinished. Throws what callbacks threw.
  size_t step(int32_t waitMilliseconds = -1) {
    size_t unfinished = 0;
    llamart_error *error =
        llamart_queue_step(handle.get(), waitMilliseconds, &unfinished);
    if (*thrown) {
      llamart_error_free(error);
      std::rethrow_exception(std::exchange(*thrown, nullptr));
    }
    check(error);
    return unfinished;
  }
  void run() { check(llamart_queue_run(handle.get())); }
  void wake() { llamart_queue_wake(handle.get()); }
  void stop(bool drain) { llamart_queue_stop(handle.get(), drain); }
  llamart_queue *get() const { return handle.get(); }

private:
  class Call final : public detail::JobCall {
  public:
    using JobCall::JobCall;

  private:
    void end(const llamart_result &) override { delete this; }
  };

  std::shared_ptr<RunThreads> executor; // outlives the handle
  std::unique_ptr<std::exception_ptr> thrown;
  Handle<llamart_queue, llamart_queue_close> handle;
};

/// The pieces of a reply, as they come:
///
///   for (std::string_view piece : Stream(engine, job))
///     std::cout << piece << std::flush;
///
/// Leaving the loop ends the job.
class Stream {
public:
  Stream(Engine &engine, Job job) : queue(engine) {
    auto own = std::move(job.onText);
    job.onText = [this, own](std::string_view text) {
      pieces.emplace_back(text);
      return !own || own(text);
    };
    ticket.emplace(queue.add(std::move(job)));
  }
  Stream(const Stream &) = delete;
  Stream &operator=(const Stream &) = delete;

  class Iterator {
  public:
    using value_type = std::string_view;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(Stream &stream) : stream(&stream) {}
    std::string_view operator*() const { return stream->pieces.front(); }
    Iterator &operator++() {
      stream->pieces.pop_front();
      stream->fetch();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const {
      return stream->pieces.empty();
    }

  private:
    Stream *stream;
  };

  Iterator begin() {
    fetch();
    return Iterator(*this);
  }
  std::default_sentinel_t end() const { return {}; }

  /// Once all pieces are out: how it ended.
  const llamart_result *getResult() const { return ticket->getResult(); }

private:
  void fetch() {
    while (pieces.empty() && !ticket->getResult())
      queue.step();
    const llamart_result *result = ticket->getResult();
    if (pieces.empty() && result && result->error)
      throw Error(result->error_kind, result->error);
  }

  std::deque<std::string> pieces;
  Queue queue; // ends before the pieces that its callbacks add
  std::optional<Ticket> ticket;
};

} // namespace llamart::api

#endif // LLAMART_HPP
