//===- SavedSession.h - A session as bytes ----------------------*- C++ -*-===//
//
// header | ids | kinds of rows | sampler | logits | scores | full blocks
//
// each with a checksum behind it. Rules:
//
//   S1  A state is of one model and of its code for one CPU: both are in the
//       header.
//   S2  What is loaded goes on to the same bits as what was saved.
//   S3  Only full blocks are written. The last positions are computed again: what
//       lies behind them in a block may be of another sequence.
//   S4  Nothing is believed: sizes are checked before memory is taken, checksums
//       before contents are used. A state that is refused makes no session.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ENGINE_SAVEDSESSION_H
#define LLAMA_RUNTIME_ENGINE_SAVEDSESSION_H

#include "runtime/Engine/Session.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace llamart {

/// Takes, or fills, exactly so many bytes, or throws.
using StateSink = std::function<void(const void *data, size_t bytes)>;
using StateSource = std::function<void(void *data, size_t bytes)>;

/// Throws what `sink` throws, and Error(Unsupported) if the sampler's state
/// cannot be saved.
void saveSession(const Session &session, const StateSink &sink);

/// Without options the session has the number of the saved one, and no salt.
/// Throws what `source` throws, Error(State) for what is no state of the
/// engine's model, Error(Cache) and Error(Memory).
std::shared_ptr<Session>
loadSession(const std::shared_ptr<Engine> &engine,
            const std::optional<SessionOptions> &options,
            const StateSource &source);

/// The same with a file that its owner alone may read. It is written beside and
/// renamed. Throw Error(System) too, with the path in front.
void saveSessionFile(const Session &session, const std::string &path);
std::shared_ptr<Session>
loadSessionFile(const std::shared_ptr<Engine> &engine,
                const std::optional<SessionOptions> &options,
                const std::string &path);

} // namespace llamart

#endif // LLAMA_RUNTIME_ENGINE_SAVEDSESSION_H
