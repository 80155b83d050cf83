//===- ModelTest.cpp - Files that are models and files that are not -------===//

#include "runtime/CInterface/Handles.h"
#include "runtime/Model/AvailableMemory.h"
#include "runtime/Model/Cores.h"
#include "test/runtime/FakeModelFixture.h"
#include "test/runtime/ForkedProcess.h"

#include <chrono>
#include <cstdlib>
#include <elf.h>
#include <fstream>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace fakemodel;
using namespace llamart::api;
namespace fs = std::filesystem;

namespace {

std::string getOpenError(const std::string &path) {
  return getErrorOf([&] { Model model(path); });
}

std::string readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void writeFile(const std::string &path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

TEST(Model, SaysWhatItIs) {
  Model model(getModelPath("fake"));
  const llamart_model_info &info = model.getInfo();
  EXPECT_EQ(info.struct_size, sizeof(info));
  EXPECT_STREQ(info.name, "fake");
  EXPECT_EQ(info.vocab, kVocab);
  EXPECT_EQ(info.layers, kLayers);
  EXPECT_EQ(info.kv_heads, kKVHeads);
  EXPECT_EQ(info.head_dim, kHeadDim);
  EXPECT_EQ(info.max_seq_len, kContext);
  EXPECT_EQ(info.bos_token, kBos);
  ASSERT_EQ(info.eos_count, 1u);
  EXPECT_EQ(info.eos_tokens[0], kEos);
  EXPECT_EQ(info.weights_bytes, 65536u);
  EXPECT_EQ(info.kv_block_bytes, 8192u);
  EXPECT_EQ(info.has_tokenizer, 1);
  EXPECT_STREQ(info.compiler, "a hand");
  EXPECT_EQ(std::string(info.json).front(), '{');
  EXPECT_EQ(std::string(info.json).back(), '}');
}

TEST(Model, IsFoundWithoutASlashInItsPath) {
  fs::path before = fs::current_path();
  fs::current_path(FAKE_MODEL_DIR);
  std::string error = getOpenError("fake.so");
  fs::current_path(before);
  EXPECT_EQ(error, "");
}

TEST(Model, ThatIsNotThereIsAnError) {
  EXPECT_EQ(getOpenError("/nowhere/model.so"),
            "/nowhere/model.so: No such file or directory");
  EXPECT_EQ(getOpenError(FAKE_MODEL_DIR),
            FAKE_MODEL_DIR ": is a folder, expected a model.so: llama-compile "
                           "makes one of a checkpoint");
}

TEST(Model, ThatIsAPipeIsAnErrorAndDoesNotWait) {
  TemporaryFolder folder;
  std::string path = folder.getFile("pipe");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(getOpenError(path), path + ": not a regular file");
}

TEST(Model, OfAnotherABIIsRefusedWithBothNumbers) {
  std::string path = getModelPath("fake-abi");
  EXPECT_EQ(getOpenError(path),
            path + ": built for ABI 99 (by a hand), this runtime has ABI 6");
}

TEST(Model, WithoutTheMagicNumberIsRefused) {
  std::string path = getModelPath("fake-magic");
  EXPECT_EQ(getOpenError(path), path + ": not a model: its header does not "
                                       "begin with the magic number");
}

TEST(Model, WithoutASymbolIsRefused) {
  std::string path = getModelPath("fake-no-forward");
  EXPECT_EQ(getOpenError(path),
            path + ": not a model: has no symbol 'llama_forward'");
}

TEST(Model, ThatIsAnotherLibraryIsRefused) {
  // The C library is a shared object, but none of ours.
  std::string path = "/lib/x86_64-linux-gnu/libm.so.6";
  if (!fs::exists(path))
    GTEST_SKIP() << "no " << path;
  EXPECT_EQ(getOpenError(path),
            path + ": not a model: has no symbol 'llama_header'");
}

TEST(Model, WithUndefinedSymbolsIsRefused) {
  std::string path = getModelPath("fake-undefined");
  std::string error = getOpenError(path);
  EXPECT_EQ(error.find(path + ": cannot be loaded: "), 0u) << error;
  EXPECT_NE(error.find("fake_function_that_nobody_has"), std::string::npos);
}

TEST(Model, ForAnotherCpuIsRefusedWithWhatIsMissing) {
  std::string path = getModelPath("fake-missing-features");
  std::string error = getOpenError(path);
  EXPECT_EQ(error.find(path + ": built for CPU fake-cpu, this machine ("), 0u);
  EXPECT_EQ(error.substr(error.rfind(')')), ") lacks xop, tbm");
  path = getModelPath("fake-unknown-feature");
  EXPECT_EQ(getOpenError(path),
            path + ": built for CPU fake-cpu with features this runtime cannot "
                   "look for: thought-reading");
}

//===----------------------------------------------------------------------===//
// Files that were cut or damaged
//===----------------------------------------------------------------------===//

// Wherever a file is cut: one line, no crash. Not every byte, for time.
TEST(TruncatedModel, IsRefusedWithOneLine) {
  std::string bytes = readFile(getModelPath("fake"));
  ASSERT_GT(bytes.size(), 10000u);
  TemporaryFolder folder;
  std::string path = folder.getFile("cut.so");
  for (size_t size = 0; size < bytes.size();
       size += size < 200 ? 1 : bytes.size() / 97) {
    writeFile(path, std::string_view(bytes).substr(0, size));
    std::string error = getOpenError(path);
    ASSERT_EQ(error.find(path + ": "), 0u) << size << ": " << error;
    ASSERT_EQ(error.find('\n'), std::string::npos) << size << ": " << error;
  }
  writeFile(path, std::string_view(bytes).substr(0, bytes.size() - 1));
  EXPECT_NE(getOpenError(path).find("truncated"), std::string::npos);
  writeFile(path, bytes);
  EXPECT_EQ(getOpenError(path), "");
}

/// The message for a good file in which `change` was made to the header.
template <typename Change>
std::string getDamageError(Change change) {
  std::string bytes = readFile(getModelPath("fake"));
  change(*reinterpret_cast<Elf64_Ehdr *>(bytes.data()), bytes);
  TemporaryFolder folder;
  std::string path = folder.getFile("bad.so");
  writeFile(path, bytes);
  std::string error = getOpenError(path);
  EXPECT_EQ(error.find(path + ": "), 0u);
  return error.substr(std::min(error.size(), path.size() + 2));
}

TEST(DamagedModel, IsRefusedByItsELFHeader) {
  auto expect = [](auto change, const std::string &message) {
    EXPECT_EQ(getDamageError(change), message);
  };
  using Header = Elf64_Ehdr;
  expect([](Header &h, std::string &) { h.e_ident[0] = 'x'; },
         "not a model: not an ELF file; llama-compile makes one of a "
         "checkpoint");
  expect([](Header &h, std::string &) { h.e_ident[EI_CLASS] = ELFCLASS32; },
         "not a model: not a 64-bit little-endian ELF file");
  expect([](Header &h, std::string &) { h.e_type = ET_EXEC; },
         "not a model: not a shared object (ELF type 2)");
  expect([](Header &h, std::string &) { h.e_machine = EM_AARCH64; },
         "made for aarch64, this machine is x86-64");
  expect([](Header &h, std::string &) { h.e_phnum = 0; }, "has no segments");
  expect([](Header &h, std::string &) { h.e_phentsize = 8; },
         "program headers have 8 bytes, expected 56");
  std::string bytes = readFile(getModelPath("fake"));
  const auto *header = reinterpret_cast<const Header *>(bytes.data());
  std::string size = std::to_string(bytes.size());
  std::string sections = std::to_string(header->e_shnum * 64);
  expect([](Header &h, std::string &) { h.e_shoff = UINT64_MAX - 10; },
         "truncated: section headers: " + sections + " bytes at byte " +
             std::to_string(UINT64_MAX - 10) + ", the file has " + size);
}

TEST(DamagedModel, IsRefusedBySegmentsBeyondTheFile) {
  std::string error =
      getDamageError([](Elf64_Ehdr &header, std::string &bytes) {
        auto *segments =
            reinterpret_cast<Elf64_Phdr *>(bytes.data() + header.e_phoff);
        for (unsigned i = 0; i < header.e_phnum; ++i)
          if (segments[i].p_type == PT_LOAD)
            segments[i].p_filesz = UINT64_MAX;
      });
  EXPECT_EQ(error.find("truncated: segment "), 0u) << error;
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// A model with external weights in a folder of its own; the weights are a file
/// with holes.
struct ExternalModel : testing::Test {
  static constexpr uint64_t kBytes = 160 << 20, kWords = kBytes / 4;
  TemporaryFolder folder;
  std::string path = folder.getFile("model.so");
  std::string weights = folder.getFile("fake.weights");

  void SetUp() override {
    fs::copy_file(getModelPath("fake-external"), path);
    std::ofstream file(weights, std::ios::binary);
    for (int32_t token = 0; token < kVocab; ++token) {
      uint64_t word = getWeightWord(token, kWords);
      uint32_t value = getWeight(getWeightWord(token, 65536 / 4));
      file.seekp(word * 4);
      file.write(reinterpret_cast<const char *>(&value), 4);
    }
    file.close();
    fs::resize_file(weights, kBytes);
  }

  void expectRightLogits(const llamart_model_options &options) {
    Model model(path, options);
    Engine engine(model);
    Session session(engine);
    std::vector<int32_t> ids = makeIds(100);
    llamart_feed feed = session.feed(ids);
    engine.eval({&feed, 1});
    EXPECT_EQ(getLastLogits(session), getExpectedLogits(toSteps(ids)));
  }
};

TEST_F(ExternalModel, ReadsItsWeightsWhereTheyLie) {
  expectRightLogits(LLAMART_MODEL_OPTIONS);
}

TEST_F(ExternalModel, ReadsACopyOfItsWeights) {
  expectRightLogits({sizeof(llamart_model_options), LLAMART_WEIGHTS_COPIED, 0,
                     nullptr, nullptr});
}

/// That weights are mapped at first and copied later.
class AutoModel : public ExternalModel {
protected:
  static constexpr llamart_model_options kAuto = {
      sizeof(llamart_model_options), LLAMART_WEIGHTS_AUTO, 0, nullptr, nullptr};

  void SetUp() override {
    if (!llamart::hasHugePages() || llamart::getAvailableMemory() < 4 * kBytes)
      GTEST_SKIP() << "needs huge pages and " << 4 * kBytes
                   << " bytes of memory";
    ExternalModel::SetUp();
  }

  static std::string describe(const Model &model) {
    return model.get()->model->describeWeights();
  }

  /// What a user has with an engine.
  struct User {
    explicit User(const Model &model) : engine(model), session(engine) {}

    void feed(size_t count, int32_t logits) {
      std::vector<int32_t> next = makeIds(count, ids.size());
      ids.insert(ids.end(), next.begin(), next.end());
      llamart_feed feed = session.feed(next, LLAMART_FROM_PROMPT, logits);
      engine.eval({&feed, 1});
    }
    /// Feeds a token and looks at what comes out.
    void step() {
      feed(1, LLAMART_LOGITS_LAST);
      ASSERT_EQ(getLastLogits(session), getExpectedLogits(toSteps(ids)));
    }
    void stepUntilCopied(const Model &model) {
      while (model.getWeights() != LLAMART_WEIGHTS_COPIED &&
             !testing::Test::HasFailure()) {
        ASSERT_NE(describe(model),
                  "mapped; too little memory is free for a copy");
        step();
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        if (ids.size() == 50) {
          ids.clear();
          session.reset();
        }
      }
      step();
    }

    Engine engine;
    Session session;
    std::vector<int32_t> ids;
  };
};

TEST_F(AutoModel, IsCopiedAfterTheFirstToken) {
  Model model(path, kAuto);
  User user(model);
  user.feed(3, LLAMART_LOGITS_NONE);
  user.feed(3, LLAMART_LOGITS_NONE);
  user.step();
  EXPECT_EQ(describe(model), "mapped; a copy begins after the first token");
  EXPECT_EQ(model.getWeights(), LLAMART_WEIGHTS_MAPPED);
  user.step();
  EXPECT_NE(describe(model), "mapped; a copy begins after the first token");
  user.stepUntilCopied(model);
  EXPECT_EQ(model.getWeights(), LLAMART_WEIGHTS_COPIED);
}

TEST_F(AutoModel, IsCopiedOnceForAllEngines) {
  Model model(path, kAuto);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      User user(model);
      user.stepUntilCopied(model);
    });
  threads.clear();
  EXPECT_EQ(model.getWeights(), LLAMART_WEIGHTS_COPIED);
}

// Handles may be closed in any order, and what is under way is not waited for.
TEST_F(AutoModel, IsClosedAtAnyTime) {
  for (int i = 0; i < 20; ++i) {
    auto model = std::make_unique<Model>(path, kAuto);
    User user(*model);
    user.step();
    if (i % 2)
      model.reset();
    user.step();
    std::this_thread::sleep_for(std::chrono::milliseconds(i));
    user.step();
  }
}

TEST_F(AutoModel, OfAForkedProcessIsRight) {
  Model model(path, kAuto);
  User user(model);
  user.step();
  user.step(); // the copy begins
  EXPECT_EQ(runForked([&] {
              User other(model);
              for (int i = 0; i < 5; ++i)
                other.step();
              return HasFailure() ? 1 : 0;
            }),
            0);
  user.stepUntilCopied(model);
  EXPECT_EQ(runForked([&] {
              User other(model);
              other.step();
              return HasFailure() ? 1 : 0;
            }),
            0);
}

TEST_F(ExternalModel, GetsAThreadForEveryCore) {
  Model model(path); // of 80 MB a layer
  EXPECT_EQ(Engine(model).getThreads(),
            std::min(llamart::getAvailableCores(), 66));
}

TEST_F(ExternalModel, WithoutItsWeightsIsRefused) {
  fs::remove(weights);
  EXPECT_EQ(getOpenError(path), weights + ": No such file or directory");
}

TEST_F(ExternalModel, WithTruncatedWeightsIsRefusedWithBothSizes) {
  fs::resize_file(weights, kBytes - 1);
  EXPECT_EQ(getOpenError(path), weights +
                                    ": has 167772159 bytes, expected 167772160 "
                                    "(by " +
                                    path + ")");
}

// Of 64 KB.
TEST(EmbeddedModel, IsTooSmallForACopyMeanwhile) {
  Model model(getModelPath("fake"),
              {sizeof(llamart_model_options), LLAMART_WEIGHTS_AUTO, 0, nullptr,
               nullptr});
  Engine engine(model);
  Session session(engine);
  for (int32_t id : {1, 2, 3}) {
    llamart_feed feed = session.feed({&id, 1});
    engine.eval({&feed, 1});
  }
  EXPECT_EQ(getLastLogits(session), getExpectedLogits({{1}, {2}, {3}}));
  EXPECT_EQ(model.get()->model->describeWeights(),
            "mapped; too small to gain from huge pages");
  EXPECT_EQ(model.getWeights(), LLAMART_WEIGHTS_MAPPED);
}

TEST(EmbeddedModel, ReadsACopyOfItsWeights) {
  Model model(getModelPath("fake"),
              {sizeof(llamart_model_options), LLAMART_WEIGHTS_COPIED, 0,
               nullptr, nullptr});
  Engine engine(model);
  Session session(engine);
  std::vector<int32_t> ids = makeIds(10);
  llamart_feed feed = session.feed(ids);
  engine.eval({&feed, 1});
  EXPECT_EQ(getLastLogits(session), getExpectedLogits(toSteps(ids)));
}

} // namespace
