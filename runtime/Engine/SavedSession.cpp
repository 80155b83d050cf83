//===- SavedSession.cpp - A session as bytes ------------------------------===//

#include "runtime/Engine/SavedSession.h"

#include "runtime/Error.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

using namespace llamart;

static_assert(std::endian::native == std::endian::little);

namespace {

constexpr char kMagic[8] = {'L', 'L', 'A', 'M', 'A', 'S', 'E', 'S'};
constexpr uint32_t kVersion = 1;
constexpr uint64_t kMaxSamplerBytes = 64 << 20;

struct Header {
  char magic[8];
  uint32_t version;
  uint32_t headerBytes;
  char fingerprint[64]; ///< of the model, hexadecimal
  uint64_t code;        ///< hash of the CPU that its code is for
  uint64_t number;      ///< of the session
  uint64_t blockBytes;  ///< of the cache
  int64_t length;       ///< positions
  int64_t samplerBytes;
  int64_t logits; ///< of the last position: 0 or vocab
  int64_t heads;  ///< of its scores; 0: there are none
};
static_assert(std::has_unique_object_representations_v<Header>);

[[noreturn]] void refuse(const std::string &why) {
  throw Error(ErrorKind::State, "saved session: ", why);
}

std::string_view getFingerprint(const Engine &engine) {
  std::string_view result = engine.getModel().getFingerprint();
  if (result.size() != sizeof(Header::fingerprint))
    throw Error(ErrorKind::Unsupported, "the model has no fingerprint to save "
                                        "a session with: compile it again");
  return result;
}

/// Code for different CPUs gives different bits and orders the cache in its own
/// way.
uint64_t getCodeHash(const Engine &engine) {
  const std::string &cpu = engine.getModel().getCode().cpu;
  return XXH3_64bits(cpu.data(), cpu.size());
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

template <typename T>
void writeSection(const StateSink &sink, std::span<const T> data) {
  uint64_t checksum = XXH3_64bits(data.data(), data.size_bytes());
  if (!data.empty())
    sink(data.data(), data.size_bytes());
  sink(&checksum, sizeof(checksum));
}

/// The scores of the last row without the room behind them: [heads, length].
std::vector<float> packScores(const AttentionScores &scores) {
  std::vector<float> result;
  for (int64_t head = 0; scores.data && head < scores.heads; ++head) {
    const float *line = scores.data + head * scores.stride;
    result.insert(result.end(), line, line + scores.length);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// A fuzzer would not find its way through them.
bool isEqual(uint64_t checksum, uint64_t expected) {
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  (void)checksum, (void)expected;
  return true;
#else
  return checksum == expected;
#endif
}

template <typename T>
void readSection(const StateSource &source, const char *name,
                 std::span<T> data) {
  uint64_t expected = 0;
  if (!data.empty())
    source(data.data(), data.size_bytes());
  source(&expected, sizeof(expected));
  if (!isEqual(XXH3_64bits(data.data(), data.size_bytes()), expected))
    refuse(std::string(name) + ": the checksum does not match");
}

void checkHeader(const Header &header, const Engine &engine) {
  const llamaabi::ModelInfo &info = engine.getModel().getInfo();
  auto inRange = [](int64_t value, int64_t most) {
    return value >= 0 && value <= most;
  };
  if (std::string_view(header.fingerprint, sizeof(header.fingerprint)) !=
      getFingerprint(engine))
    refuse("it is of another model than " + info.name);
  if (!isEqual(header.code, getCodeHash(engine)))
    refuse("it is of the model's code for another CPU than " +
           engine.getModel().getCode().cpu);
  if (header.blockBytes != engine.getModel().getKVBlockBytes() ||
      !inRange(header.length, info.maxSeqLen) ||
      !inRange(header.samplerBytes, kMaxSamplerBytes) ||
      (header.logits != 0 && header.logits != info.vocab) ||
      (header.heads != 0 && header.heads != info.heads) ||
      (header.length == 0 && header.logits != 0) ||
      (header.heads != 0 && header.logits == 0))
    refuse("its sizes are none of the model's");
}

Header readHeader(const StateSource &source, const Engine &engine) {
  Header header;
  source(&header, offsetof(Header, fingerprint));
  if (std::memcmp(header.magic, kMagic, sizeof(kMagic)) != 0)
    refuse("it is none: it does not begin with LLAMASES");
  if (header.version != kVersion || header.headerBytes != sizeof(Header))
    refuse("it has version " + std::to_string(header.version) + ", expected " +
           std::to_string(kVersion));
  source(header.fingerprint, sizeof(Header) - offsetof(Header, fingerprint));
  uint64_t expected = 0;
  source(&expected, sizeof(expected));
  if (!isEqual(XXH3_64bits(&header, sizeof(header)), expected))
    refuse("header: the checksum does not match");
  checkHeader(header, engine);
  return header;
}

} // namespace

//===----------------------------------------------------------------------===//
// What needs the engine's and the sequence's inside
//===----------------------------------------------------------------------===//

namespace llamart {

class SavedSequence {
public:
  /// The full blocks of a sequence, kept from others meanwhile. (K5)
  class Blocks {
  public:
    Blocks(Engine &engine, const Sequence &sequence)
        : engine(engine), cache(engine.pool) {
      Engine::Turn turn = engine.takeTurn();
      cache = sequence.cache.fork();
    }
    ~Blocks() {
      Engine::Turn turn = engine.tryTurn();
      cache.truncate(0);
    }
    int64_t count() const { return cache.getLength() / LLAMA_KV_BLOCK; }
    std::span<const char> get(int64_t index) const {
      return {engine.pool.getBlock(cache.getBlocks()[index]),
              engine.pool.getBlockBytes()};
    }

  private:
    Engine &engine;
    KVSequence cache;
  };

  /// Reads so many full blocks into the cache of a new sequence.
  static void readBlocks(Engine &engine, Sequence &sequence, int64_t count,
                         const StateSource &source) {
    if (count == 0)
      return;
    std::optional<KVSequence::Growth> growth;
    auto give = [&](bool whole) {
      Engine::Turn turn = engine.takeTurn();
      if (whole)
        growth->commit();
      growth.reset();
    };
    {
      Engine::Turn turn = engine.takeTurn();
      growth.emplace(sequence.cache.grow(count * LLAMA_KV_BLOCK));
    }
    try {
      for (int64_t i = 0; i < count; ++i)
        readSection(source, "cache",
                    std::span(engine.pool.getBlock(growth->getBlocks()[i]),
                              engine.pool.getBlockBytes()));
    } catch (...) {
      give(false);
      throw;
    }
    give(true);
  }

  /// Pages that belong to the sequence alone, filled from `data`.
  static std::shared_ptr<Pages> makePages(const char *name,
                                          std::span<const float> data) {
    auto pages = std::make_shared<Pages>(
        reserveOrThrow(name, data.size_bytes(), HugePages::Never));
    std::memcpy(pages->getData(), data.data(), data.size_bytes());
    return pages;
  }
};

} // namespace llamart

void llamart::saveSession(const Session &session, const StateSink &sink) {
  Engine &engine = *session.getEngine();
  const Sequence &sequence = session.getSequence();
  std::string sampler = session.getMemory().save();
  SavedSequence::Blocks blocks(engine, sequence);
  std::span<const float> logits;
  if (session.getLogits().rows > 0)
    logits = session.getLogits(-1);
  std::vector<float> scores = packScores(session.getAttention());

  Header header = {};
  std::memcpy(header.magic, kMagic, sizeof(kMagic));
  header.version = kVersion;
  header.headerBytes = sizeof(Header);
  std::ranges::copy(getFingerprint(engine), header.fingerprint);
  header.code = getCodeHash(engine);
  header.number = session.getNumber();
  header.blockBytes = engine.getModel().getKVBlockBytes();
  header.length = session.getLength();
  header.samplerBytes = int64_t(sampler.size());
  header.logits = int64_t(logits.size());
  header.heads = scores.empty() ? 0 : session.getAttention().heads;

  writeSection(sink, std::span<const Header>(&header, 1));
  writeSection(sink, std::span<const int32_t>(sequence.history));
  writeSection(sink, std::span<const RowKind>(sequence.kinds));
  writeSection(sink, std::span<const char>(sampler));
  writeSection(sink, logits);
  writeSection(sink, std::span<const float>(scores));
  // Blocks that the cache has lost are not there to be written.
  int64_t count = blocks.count();
  writeSection(sink, std::span<const int64_t>(&count, 1));
  for (int64_t i = 0; i < count; ++i)
    writeSection(sink, blocks.get(i));
}

static void readTokens(const StateSource &source, const Header &header,
                       const Engine &engine, Sequence &to) {
  to.history.resize(header.length);
  to.kinds.resize(header.length);
  readSection(source, "ids", std::span(to.history));
  readSection(source, "kinds of rows", std::span(to.kinds));
  engine.checkIds(to.history);
  for (int64_t i = 0; i < header.length; ++i) {
    if (to.kinds[i] != RowKind::Prefill && to.kinds[i] != RowKind::Decode)
      refuse("kinds of rows: there is one that is none");
    if (to.kinds[i] == RowKind::Prefill)
      to.promptLength = i + 1;
  }
}

static void readLogits(const StateSource &source, const Header &header,
                       Sequence &to) {
  std::vector<float> logits(header.logits);
  std::vector<float> scores(header.heads * header.length);
  readSection(source, "logits", std::span(logits));
  readSection(source, "scores", std::span(scores));
  if (!logits.empty()) {
    auto pages = SavedSequence::makePages("logits", logits);
    to.logits = {pages, reinterpret_cast<const float *>(pages->getData()), 1};
  }
  if (!scores.empty()) {
    auto pages = SavedSequence::makePages("attention scores", scores);
    to.attention = {pages, reinterpret_cast<const float *>(pages->getData()),
                    header.heads, header.length};
  }
}

std::shared_ptr<Session>
llamart::loadSession(const std::shared_ptr<Engine> &engine,
                     const std::optional<SessionOptions> &options,
                     const StateSource &source) {
  Header header = readHeader(source, *engine);
  auto session = std::make_shared<Session>(
      engine, options.value_or(SessionOptions{header.number, ""}));
  Sequence &sequence = session->getSequence();
  readTokens(source, header, *engine, sequence);
  std::string sampler(header.samplerBytes, '\0');
  readSection(source, "sampler", std::span(sampler));
  readLogits(source, header, sequence);
  int64_t blocks = 0;
  readSection(source, "count of blocks", std::span(&blocks, 1));
  if (blocks < 0 || blocks > header.length / LLAMA_KV_BLOCK)
    refuse("it has " + std::to_string(blocks) + " blocks of the cache");
  SavedSequence::readBlocks(*engine, sequence, blocks, source);
  session->getMemory().restore(std::move(sampler), header.length);
  return session;
}
