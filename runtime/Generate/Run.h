//===- Run.h - A job on its way ---------------------------------*- C++ -*-===//
//
// A job and where it stands: restoring its session, feeding its prompt, or with
// a token to feed.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_GENERATE_RUN_H
#define LLAMA_RUNTIME_GENERATE_RUN_H

#include "runtime/Generate/Job.h"
#include "runtime/Generate/StopFilter.h"

#include <chrono>
#include <optional>
#include <string>

namespace llamart {

class Run {
public:
  /// Throws Error(Argument, Context) for what can be known to be wrong.
  Run(const std::shared_ptr<Engine> &engine, GenerateJob job);

  /// Before the first eval: finds what is known of the prompt; without a prompt
  /// there is a token to choose.
  void start();

  bool isRunning() const { return result.finish == Finish::None; }

  /// Whether it is to feed several rows: of its prompt, or of what it lost.
  bool isInPrompt() const {
    return fed < job.prompt.size() || session->getSequence().getMissing() > 0;
  }

  /// Positions of the cache that it has or waits for, before its first token.
  int64_t getPositions() const {
    return session->getLength() + int64_t(job.prompt.size() - fed);
  }

  /// Blocks of the cache that it has.
  int64_t countBlocks() const {
    return int64_t(session->getSequence().cache.getBlocks().size());
  }

  /// The next rows, at most so many.
  SequenceInput makeInput(int64_t rows);

  /// After the eval of makeInput's rows.
  void advance();

  /// Ends it; what it throws itself ends it, too.
  void finish(Finish reason);
  void fail(const Error &error);

  /// Calls what the application gave; its errors end the job.
  template <typename Call>
  void guard(Call call) {
    try {
      call();
    } catch (const Error &error) {
      fail(error);
    } catch (const std::bad_alloc &) {
      fail(Error(ErrorKind::Memory, "out of memory"));
    } catch (const std::exception &error) {
      fail(Error(ErrorKind::System, error.what()));
    }
  }

  /// Gives its part of the cache back, to be restored by later inputs.
  void setAside() { session->release(); }

  /// The last callback.
  void report();

  const GenerateJob &getJob() const { return job; }
  const GenerateResult &getResult() const { return result; }

private:
  using Clock = std::chrono::steady_clock;

  void check() const;
  StreamStart getStart() const;
  bool wantsAllLogits() const;
  void adoptPrompt();
  void showPrompt(int64_t newIds);
  void showPromptToken(int64_t row);
  void step();
  bool show(const std::string &text);
  void endText();

  GenerateJob job;
  GenerateResult result;
  std::shared_ptr<Session> session;
  Session::Use use;                     // of it
  std::optional<StreamDecoder> decoder; // if anyone wants text
  StopFilter stops;
  size_t fed = 0;       // of the prompt
  int64_t inFlight = 0; // ids of the input that was made
  int32_t next = 0;     // the token to feed once the prompt is fed
  Clock::time_point since = Clock::now(); // of the stage it is in
  bool hasStarted = false;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_GENERATE_RUN_H
