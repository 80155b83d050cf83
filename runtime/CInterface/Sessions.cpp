//===- Sessions.cpp - engines.h: sessions, what they show, states ---------===//

#include "runtime/CInterface/Handles.h"
#include "runtime/Engine/SavedSession.h"
#include "runtime/Sampler/AttentionStats.h"
#include "runtime/Sampler/Logprobs.h"

using namespace llamart;

llamart_error *llamart_session_create(llamart_engine *engine,
                                      const llamart_session_options *options,
                                      llamart_session **session) {
  return guarded([&] {
    require(engine, "engine");
    require(session, "session");
    auto handle = std::make_unique<llamart_session>();
    handle->session =
        std::make_shared<Session>(engine->engine, readSessionOptions(options));
    *session = handle.release();
  });
}

llamart_error *llamart_session_fork(const llamart_session *session,
                                    uint64_t number, llamart_session **fork) {
  return guarded([&] {
    require(session, "session");
    require(fork, "fork");
    auto handle = std::make_unique<llamart_session>();
    handle->session = session->session->fork(number);
    *fork = handle.release();
  });
}

llamart_error *llamart_session_truncate(llamart_session *session,
                                        int64_t length) {
  return guarded([&] { requireFree(session).truncate(length); });
}

llamart_error *llamart_session_reset(llamart_session *session) {
  return llamart_session_truncate(session, 0);
}

llamart_error *llamart_session_release(llamart_session *session) {
  return guarded([&] { requireFree(session).release(); });
}

llamart_error *llamart_session_adopt(llamart_session *session,
                                     const int32_t *ids, size_t count,
                                     size_t *adopted) {
  return guarded([&] {
    Session &to = requireFree(session);
    if (count > 0)
      require(ids, "ids");
    require(adopted, "adopted");
    to.adopt({ids, count});
    *adopted = size_t(to.getLength());
  });
}

void llamart_session_close(llamart_session *session) { delete session; }

int64_t llamart_session_length(const llamart_session *session) {
  return session ? session->session->getLength() : 0;
}

const int32_t *llamart_session_ids(const llamart_session *session) {
  return session ? session->session->getHistory().data() : nullptr;
}

//===----------------------------------------------------------------------===//
// What the last eval gave
//===----------------------------------------------------------------------===//

const float *llamart_session_logits(const llamart_session *session,
                                    int64_t *rows) {
  Logits logits = session ? session->session->getLogits() : Logits();
  if (rows)
    *rows = logits.rows;
  return logits.data;
}

llamart_error *llamart_session_logprobs(const llamart_session *session,
                                        int64_t row, int32_t id,
                                        llamart_logprob *top, size_t count) {
  return guarded([&] {
    require(session, "session");
    if (count > 0)
      require(top, "top");
    Logprobs logprobs(session->session->getLogits(row));
    if (id < -1)
      throw Error(ErrorKind::Argument, "id is ", id,
                  ", expected at least 0, "
                  "or -1 for none");
    if (id >= 0 && count > 0) {
      TokenLogprob own = logprobs.get(id);
      *top++ = {own.id, own.rank, own.logprob};
      --count;
    }
    std::vector<TokenLogprob> best = logprobs.getTop(count);
    for (size_t i = 0; i < count; ++i)
      top[i] = i < best.size()
                   ? llamart_logprob{best[i].id, best[i].rank, best[i].logprob}
                   : llamart_logprob{-1, -1, 0.0};
  });
}

const float *llamart_session_scores(const llamart_session *session, int64_t row,
                                    int64_t *heads, int64_t *length,
                                    int64_t *stride) {
  AttentionScores scores =
      session ? session->session->getAttention(row) : AttentionScores();
  if (heads)
    *heads = scores.heads;
  if (length)
    *length = scores.length;
  if (stride)
    *stride = scores.stride;
  return scores.data;
}

llamart_error *llamart_session_attention(const llamart_session *session,
                                         int64_t row, int64_t slots,
                                         llamart_attention *attention) {
  return guarded([&] {
    require(session, "session");
    require(attention, "attention");
    AttentionScores scores = session->session->getAttention(row);
    if (!scores.data)
      throw Error(ErrorKind::Argument,
                  "session: it has no attention scores of row ", row,
                  "; its last feed must ask for them");
    if (slots < 0)
      throw Error(ErrorKind::Argument, "slots is ", slots,
                  ", expected at least 0");
    AttentionStats stats = computeAttention(scores, slots);
    llamart_attention result = {};
    result.entropy = stats.entropy;
    result.varentropy = stats.varentropy;
    result.agreement = stats.agreement;
    result.interaction_strength = stats.interactionStrength;
    writeStruct(*attention, result, "llamart_attention");
  });
}

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

static void checkResult(const char *name, int result) {
  if (result != 0)
    throw Error(ErrorKind::Callback, name, " failed with ", result);
}

llamart_error *llamart_session_save(const llamart_session *session,
                                    llamart_write write, void *user) {
  return guarded([&] {
    require(session, "session");
    if (!write)
      throw Error(ErrorKind::Argument, "write is NULL");
    saveSession(*session->session, [&](const void *data, size_t bytes) {
      checkResult("write",
                  callBack("write", [&] { return write(user, data, bytes); }));
    });
  });
}

static std::optional<SessionOptions>
readOptionalOptions(const llamart_session_options *options) {
  if (!options)
    return std::nullopt;
  return readSessionOptions(options);
}

llamart_error *llamart_session_load(llamart_engine *engine,
                                    const llamart_session_options *options,
                                    llamart_read read, void *user,
                                    llamart_session **session) {
  return guarded([&] {
    require(engine, "engine");
    require(session, "session");
    if (!read)
      throw Error(ErrorKind::Argument, "read is NULL");
    auto handle = std::make_unique<llamart_session>();
    handle->session =
        loadSession(engine->engine, readOptionalOptions(options),
                    [&](void *data, size_t bytes) {
                      checkResult("read", callBack("read", [&] {
                                    return read(user, data, bytes);
                                  }));
                    });
    *session = handle.release();
  });
}

llamart_error *llamart_session_save_file(const llamart_session *session,
                                         const char *path) {
  return guarded([&] {
    require(session, "session");
    saveSessionFile(*session->session, &require(path, "path"));
  });
}

llamart_error *llamart_session_load_file(llamart_engine *engine,
                                         const llamart_session_options *options,
                                         const char *path,
                                         llamart_session **session) {
  return guarded([&] {
    require(engine, "engine");
    require(session, "session");
    auto handle = std::make_unique<llamart_session>();
    handle->session = loadSessionFile(
        engine->engine, readOptionalOptions(options), &require(path, "path"));
    *session = handle.release();
  });
}
