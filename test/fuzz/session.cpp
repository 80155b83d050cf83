//===- session.cpp - Fuzzes the reader of saved sessions ------------------===//
//
// Built so that checksums are not looked at. A session that was read must go on.
//
//===----------------------------------------------------------------------===//

#include "runtime/Engine/SavedSession.h"
#include "runtime/Error.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>

using namespace llamart;

static std::shared_ptr<Engine> makeEngine() {
  EngineOptions options;
  options.threads = 1;
  options.kvBytes = 1 << 17;
  return std::make_shared<Engine>(Model::open(FAKE_MODEL, WeightsMode::Mapped),
                                  std::move(options));
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const std::shared_ptr<Engine> engine = makeEngine();
  auto read = [&](void *to, size_t bytes) {
    if (bytes > size)
      throw Error(ErrorKind::Callback, "it ends");
    std::memcpy(to, data, bytes);
    data += bytes;
    size -= bytes;
  };
  try {
    std::shared_ptr<Session> session = loadSession(engine, std::nullopt, read);
    if (session->getLength() == engine->getModel().getInfo().maxSeqLen)
      return 0;
    const std::vector<int32_t> ids = {1};
    SequenceInput input;
    input.sequence = &session->getSequence();
    input.ids = ids;
    engine->eval({&input, 1});
  } catch (const Error &error) {
    if (error.getKind() != ErrorKind::State &&
        error.getKind() != ErrorKind::Callback &&
        error.getKind() != ErrorKind::Cache)
      std::abort();
  }
  return 0;
}
