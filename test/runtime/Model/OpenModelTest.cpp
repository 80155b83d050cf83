//===- OpenModelTest.cpp - Models without a path --------------------------===//

#include "runtime/CInterface/Handles.h"
#include "runtime/abi/LlamaABI.h"
#include "test/runtime/FakeModelFixture.h"

#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <memory>
#include <sys/mman.h>
#include <unistd.h>

using namespace fakemodel;
namespace fs = std::filesystem;

namespace {

constexpr auto kMapped = llamart::WeightsMode::Mapped;
constexpr auto kCopied = llamart::WeightsMode::Copied;

/// A descriptor that is closed with its owner.
class Descriptor {
public:
  explicit Descriptor(int number) : number(number) {}
  Descriptor(const std::string &path, int flags)
      : number(open(path.c_str(), flags)) {}
  ~Descriptor() { close(number); }
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;
  operator int() const { return number; }

private:
  int number;
};

std::string readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A file in memory alone, with those bytes.
int makeMemoryFile(std::string_view bytes) {
  int file = memfd_create("a model", MFD_CLOEXEC);
  EXPECT_EQ(write(file, bytes.data(), bytes.size()), ssize_t(bytes.size()));
  return file;
}

struct CloseModel {
  void operator()(llamart_model *model) const { llamart_model_close(model); }
};
using OwnedModel = std::unique_ptr<llamart_model, CloseModel>;

/// The message, if it could not be opened.
std::string takeMessage(llamart_error *error) {
  std::string message = error ? llamart_error_message(error) : "";
  EXPECT_TRUE(!error || llamart_error_kind(error) == LLAMART_ERROR_MODEL);
  llamart_error_free(error);
  return message;
}

OwnedModel openFile(int descriptor, std::string *problem = nullptr) {
  llamart_model *model = nullptr;
  std::string message =
      takeMessage(llamart_model_open_fd(descriptor, nullptr, &model));
  if (problem)
    *problem = message;
  else
    EXPECT_EQ(message, "");
  return OwnedModel(model);
}

std::string getFileProblem(int descriptor) {
  std::string problem;
  EXPECT_FALSE(openFile(descriptor, &problem));
  return problem;
}

/// That its code and its weights are there.
void expectRightLogits(llamart_model *model) {
  llamart_engine *engine = nullptr;
  llamart_session *session = nullptr;
  ASSERT_FALSE(llamart_engine_create(model, nullptr, &engine));
  ASSERT_FALSE(llamart_session_create(engine, nullptr, &session));
  std::vector<int32_t> ids = makeIds(100);
  llamart_feed feed = LLAMART_FEED;
  feed.session = session;
  feed.ids = ids.data();
  feed.count = ids.size();
  ASSERT_FALSE(llamart_eval(engine, &feed, 1, nullptr));
  int64_t rows = 0;
  const float *logits = llamart_session_logits(session, &rows);
  ASSERT_EQ(rows, 1);
  EXPECT_EQ(std::vector<float>(logits, logits + kVocab),
            getExpectedLogits(toSteps(ids)));
  llamart_session_close(session);
  llamart_engine_close(engine);
}

std::string getName(const OwnedModel &model) {
  return llamart_model_get_info(model.get())->name;
}

/// The fake model, under another name of as many letters.
std::string getRenamedModel(const std::string &name) {
  std::string bytes = readFile(getModelPath("fake"));
  std::string from = R"("name": "fake", "hidden")";
  size_t at = bytes.find(from);
  EXPECT_NE(at, std::string::npos);
  return bytes.replace(at, from.size(),
                       R"("name": ")" + name + R"(", "hidden")");
}

//===----------------------------------------------------------------------===//
// Files that are open
//===----------------------------------------------------------------------===//

TEST(OpenFile, IsOneInMemory) {
  OwnedModel model;
  {
    Descriptor file(makeMemoryFile(readFile(getModelPath("fake"))));
    model = openFile(file);
  }
  ASSERT_TRUE(model);
  expectRightLogits(model.get()); // the descriptor is closed by now
}

TEST(OpenFile, HasNoNameAnyMore) {
  TemporaryFolder folder;
  std::string path = folder.getFile("gone.so");
  fs::copy_file(getModelPath("fake"), path);
  Descriptor file(path, O_RDONLY);
  fs::remove(path);
  OwnedModel model = openFile(file);
  ASSERT_TRUE(model);
  expectRightLogits(model.get());
}

TEST(OpenFile, IsTheOneThatWasOpened) {
  TemporaryFolder folder;
  std::string path = folder.getFile("model.so");
  fs::copy_file(getModelPath("fake"), path);
  Descriptor file(path, O_RDONLY);
  std::string other = folder.getFile("other.so");
  std::ofstream(other, std::ios::binary) << getRenamedModel("evil");
  fs::rename(other, path);
  EXPECT_EQ(getName(openFile(file)), "fake");
  Descriptor now(path, O_RDONLY);
  EXPECT_EQ(getName(openFile(now)), "evil");
}

// The dynamic linker remembers names, and descriptors have the same numbers
// again and again.
TEST(OpenFile, IsNotAnotherOfTheSameNumber) {
  std::vector<OwnedModel> models;
  for (char letter = 'a'; letter < 'i'; ++letter) {
    std::string name = std::string("fak") + letter;
    Descriptor file(makeMemoryFile(getRenamedModel(name)));
    models.push_back(openFile(file));
    EXPECT_EQ(getName(models.back()), name);
    models.push_back(openFile(file)); // the same once more
    EXPECT_EQ(getName(models.back()), name);
  }
  for (const OwnedModel &model : models)
    expectRightLogits(model.get());
}

TEST(OpenFile, LeavesTheDescriptorAsItIs) {
  Descriptor file(makeMemoryFile(readFile(getModelPath("fake"))));
  off_t place = lseek(file, 0, SEEK_CUR);
  openFile(file);
  EXPECT_EQ(lseek(file, 0, SEEK_CUR), place);
  EXPECT_NE(fcntl(file, F_GETFD), -1);
}

TEST(OpenFile, ThatIsNoModelIsRefused) {
  EXPECT_EQ(getFileProblem(-1), "file descriptor -1: Bad file descriptor");
  int number = makeMemoryFile("x");
  std::string where = "file descriptor " + std::to_string(number) + ": ";
  EXPECT_EQ(getFileProblem(number),
            where + "not a model: 1 bytes are less than an ELF header");
  close(number);
  EXPECT_EQ(getFileProblem(number), where + "Bad file descriptor");
  {
    Descriptor folder(FAKE_MODEL_DIR, O_RDONLY | O_DIRECTORY);
    EXPECT_EQ(getFileProblem(folder),
              where + "is a folder, expected a model.so: llama-compile makes "
                      "one of a checkpoint");
  }
  {
    Descriptor writeOnly(getModelPath("fake"), O_PATH);
    EXPECT_EQ(getFileProblem(writeOnly), where + "Bad file descriptor");
  }
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EXPECT_EQ(getFileProblem(ends[0]), where + "not a regular file");
  close(ends[0]);
  close(ends[1]);
}

TEST(OpenFile, ThatWasCutIsRefused) {
  std::string bytes = readFile(getModelPath("fake"));
  for (size_t size = 0; size < bytes.size(); size += bytes.size() / 37) {
    Descriptor file(makeMemoryFile(std::string_view(bytes).substr(0, size)));
    std::string problem = getFileProblem(file);
    EXPECT_EQ(problem.find("file descriptor "), 0u) << size << problem;
    EXPECT_EQ(problem.find('\n'), std::string::npos) << size << problem;
  }
}

TEST(OpenFile, HasItsWeightsInside) {
  Descriptor file(getModelPath("fake-external"), O_RDONLY);
  EXPECT_EQ(getFileProblem(file),
            "file descriptor " + std::to_string(file) +
                ": its weights are in a file 'fake.weights' beside it, "
                "expected them in the model");
}

//===----------------------------------------------------------------------===//
// Linked models
//===----------------------------------------------------------------------===//

/// The table that a compiler would have made of a library.
class LinkedModel : public testing::Test {
protected:
  LinkedModel() {
    library = dlopen(getModelPath("fake").c_str(), RTLD_NOW);
    code = {LLAMA_SYMBOL_FORWARD, find<llama_forward_fn>(LLAMA_SYMBOL_FORWARD),
            find<llama_workspace_fn>(LLAMA_SYMBOL_WORKSPACE)};
    header = *find<const llama_model_header *>(LLAMA_SYMBOL_HEADER);
    linked = {sizeof(linked),
              LLAMA_ABI_VERSION,
              1,
              &header,
              find<const char *>(LLAMA_SYMBOL_INFO),
              nullptr,
              find<const unsigned char *>(LLAMA_SYMBOL_TOKENIZER),
              find<const unsigned char *>(LLAMA_SYMBOL_WEIGHTS),
              &code};
  }
  ~LinkedModel() override { dlclose(library); }

  template <typename T>
  T find(const char *name) {
    return reinterpret_cast<T>(dlsym(library, name));
  }

  OwnedModel open(int32_t weights = LLAMART_WEIGHTS_MAPPED) {
    llamart_model *model = nullptr;
    llamart_model_options options = LLAMART_MODEL_OPTIONS;
    options.weights = weights;
    problem = takeMessage(llamart_model_open_linked(
        reinterpret_cast<const llamart_linked_model *>(&linked), &options,
        &model));
    return OwnedModel(model);
  }

  void *library;
  llama_linked_code code;
  llama_model_header header;
  llama_linked_model linked;
  std::string problem;
};

TEST_F(LinkedModel, RunsAsItIs) {
  OwnedModel model = open();
  ASSERT_TRUE(model) << problem;
  expectRightLogits(model.get());
}

TEST_F(LinkedModel, KeepsItsBytesWhenTheyAreCopied) {
  for (int i = 0; i < 2; ++i) {
    OwnedModel model = open(LLAMART_WEIGHTS_COPIED);
    ASSERT_TRUE(model) << problem;
    expectRightLogits(model.get());
  }
  // Though they might not have been a file's.
  std::vector<unsigned char> memory(linked.weights, linked.weights + 65536);
  linked.weights = memory.data();
  std::vector<unsigned char> before = memory;
  ASSERT_TRUE(open(LLAMART_WEIGHTS_COPIED)) << problem;
  EXPECT_EQ(memory, before);
}

TEST_F(LinkedModel, HasATokenizerOrNot) {
  OwnedModel model = open();
  EXPECT_EQ(llamart_model_get_info(model.get())->has_tokenizer, 1);
  linked.tokenizer = nullptr;
  EXPECT_FALSE(open());
  EXPECT_EQ(problem.find("linked model: llama_tokenizer has 0 bytes, its "
                         "header says "),
            0u)
      << problem;
}

TEST_F(LinkedModel, ThatCannotBeReadIsRefused) {
  linked.struct_size = 8;
  EXPECT_FALSE(open());
  EXPECT_EQ(problem, "linked model: llama_linked_model has 8 bytes, expected "
                     "64");
  linked.struct_size = sizeof(linked);
  linked.abi_version = 99;
  EXPECT_FALSE(open());
  EXPECT_EQ(problem, "linked model: built for ABI 99, this runtime has ABI 6");
  linked.abi_version = LLAMA_ABI_VERSION;
  header.magic = 1;
  EXPECT_FALSE(open());
  EXPECT_EQ(problem, "linked model: not a model: its header does not begin "
                     "with the magic number");
  header.magic = LLAMA_ABI_MAGIC;
  code.name = "another";
  EXPECT_FALSE(open());
  EXPECT_EQ(problem, "linked model: has no code 'llama_forward'");
  code.name = LLAMA_SYMBOL_FORWARD;
  linked.weights = nullptr;
  EXPECT_FALSE(open());
  EXPECT_EQ(problem,
            "linked model: not a model: has no symbol 'llama_weights'");
}

TEST_F(LinkedModel, HasItsWeightsInside) {
  void *other = dlopen(getModelPath("fake-external").c_str(), RTLD_NOW);
  auto *of = static_cast<const llama_model_header *>(
      dlsym(other, LLAMA_SYMBOL_HEADER));
  linked.header = of;
  linked.info = static_cast<const char *>(dlsym(other, LLAMA_SYMBOL_INFO));
  EXPECT_FALSE(open());
  EXPECT_EQ(problem, "linked model: its weights are in a file 'fake.weights' "
                     "beside it, expected them in the model");
  dlclose(other);
}

TEST(LinkedModelArgument, IsNotNull) {
  llamart_model *model = nullptr;
  llamart_error *error = llamart_model_open_linked(nullptr, nullptr, &model);
  EXPECT_STREQ(llamart_error_message(error), "linked is NULL");
  llamart_error_free(error);
}

//===----------------------------------------------------------------------===//
// Copying
//===----------------------------------------------------------------------===//

/// A model of 160 MB, so that there are many pieces.
struct CopiedModel : testing::Test {
  TemporaryFolder folder;
  std::string path = folder.getFile("model.so");

  void SetUp() override {
    fs::copy_file(getModelPath("fake-external"), path);
    std::string weights = folder.getFile("fake.weights");
    std::ofstream(weights, std::ios::binary).close();
    fs::resize_file(weights, 160 << 20);
  }
};

TEST_F(CopiedModel, IsToldOfOnTheOpeningThread) {
  std::vector<double> told;
  auto opening = std::this_thread::get_id();
  auto model = llamart::Model::open(path, kCopied, [&](double done) {
    EXPECT_EQ(std::this_thread::get_id(), opening);
    told.push_back(done);
    return true;
  });
  ASSERT_GE(told.size(), 2u);
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
  EXPECT_GT(told.front(), 0.0);
  EXPECT_LT(told.front(), 1.0);
  EXPECT_EQ(told.back(), 1.0);
  EXPECT_EQ(std::count(told.begin(), told.end(), 1.0), 1);
}

TEST_F(CopiedModel, CanBeGivenUp) {
  int calls = 0;
  try {
    llamart::Model::open(path, kCopied, [&](double) { return ++calls < 2; });
    ADD_FAILURE() << "expected an error";
  } catch (const llamart::Error &error) {
    EXPECT_EQ(error.getKind(), llamart::ErrorKind::Cancelled);
    EXPECT_EQ(error.what(), path + ": the copy of the weights was given up");
  }
  EXPECT_EQ(calls, 2);
}

TEST_F(CopiedModel, PassesOnWhatTheCallbackThrows) {
  EXPECT_THROW(
      llamart::Model::open(path, kCopied, [](double) -> bool { throw 42; }),
      int);
}

TEST_F(CopiedModel, IsTheOnlyOneThatIsToldOf) {
  llamart::Model::open(path, kMapped, [](double) {
    ADD_FAILURE() << "nothing is copied";
    return false;
  });
}

} // namespace
