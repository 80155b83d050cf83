//===- TokenizerBlobTest.cpp - Tokenizers that are damaged ----------------===//
//
// A blob that breaks a rule of its format is refused with a line that says
// which; one that hides the damage in its tables gives wrong ids but never
// reads outside of itself (which the sanitizers would see).
//
//===----------------------------------------------------------------------===//

#include "test/runtime/Text/Tokenizer/TestVocabulary.h"

#include "runtime/Error.h"
#include "runtime/Text/Tokenizer/TextSteps.h"
#include "runtime/abi/TokenizerFormat.h"

#include <cstring>
#include <random>

using namespace llamaabi;
using namespace llamart;
using namespace llamatest;

namespace {

/// Memory of exactly that size at an aligned address.
struct AlignedBytes {
  explicit AlignedBytes(std::string_view bytes, size_t shift = 0)
      : memory(static_cast<char *>(::operator new(
            bytes.size() + shift, std::align_val_t(kTokenizerAlignment)))),
        data(memory + shift), size(bytes.size()) {
    std::memcpy(data, bytes.data(), size);
  }
  ~AlignedBytes() {
    ::operator delete(memory, std::align_val_t(kTokenizerAlignment));
  }
  AlignedBytes(const AlignedBytes &) = delete;
  AlignedBytes &operator=(const AlignedBytes &) = delete;

  char *memory, *data;
  size_t size;
};

std::string makeBlob() {
  VocabularyBuilder builder;
  builder.merge(builder.merge('a', 'b'), 'c');
  builder.vocabulary.wholePieceFirst = true;
  builder.vocabulary.bosToken = builder.control("<s>");
  builder.vocabulary.eosTokens = {builder.control("</s>")};
  builder.vocabulary.chatTemplate = "{{ x }}";
  return llvm::cantFail(mlir::llama::serializeTokenizer(builder.vocabulary));
}

std::string getComplaint(std::string_view bytes, size_t shift = 0) {
  AlignedBytes aligned(bytes, shift);
  try {
    Tokenizer::open(aligned.data, aligned.size);
  } catch (const Error &error) {
    EXPECT_EQ(error.getKind(), ErrorKind::Model);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "";
}

/// The complaint about a blob whose header was changed.
template <typename Change>
std::string getComplaintAbout(Change change) {
  std::string blob = makeBlob();
  TokenizerHeader header;
  std::memcpy(&header, blob.data(), sizeof(header));
  change(header);
  std::memcpy(blob.data(), &header, sizeof(header));
  return getComplaint(blob);
}

SectionRange &getSection(TokenizerHeader &header, TokenizerSection section) {
  return header.sections[static_cast<size_t>(section)];
}

TEST(TokenizerBlob, AnIntactOneOpens) {
  EXPECT_EQ(getComplaint(makeBlob()), "");
  OpenTokenizer tokenizer(VocabularyBuilder().vocabulary);
  EXPECT_EQ(tokenizer->getVocabSize(), 256);
}

TEST(TokenizerBlob, TheChatTemplateComesAlong) {
  std::string blob = makeBlob();
  AlignedBytes aligned(blob);
  EXPECT_EQ(Tokenizer::open(aligned.data, aligned.size)->getChatTemplate(),
            "{{ x }}");
}

TEST(TokenizerBlob, EveryFieldOfTheHeaderIsChecked) {
  EXPECT_EQ(getComplaintAbout([](auto &h) { h.magic++; }),
            "tokenizer: does not begin with the magic number");
  EXPECT_EQ(getComplaintAbout([](auto &h) { h.version = 9; }),
            "tokenizer: version is 9, this runtime reads 2");
  EXPECT_EQ(getComplaintAbout([](auto &h) { h.headerBytes = 8; }),
            "tokenizer: header has 8 bytes, expected " +
                std::to_string(sizeof(TokenizerHeader)));
  EXPECT_EQ(getComplaintAbout([](auto &h) { h.kind = 4; }),
            "tokenizer: unknown kind 4");
  EXPECT_EQ(getComplaintAbout([](auto &h) { h.splitRule = 9; }),
            "tokenizer: unknown split rule 9");
  EXPECT_EQ(getComplaintAbout([](auto &h) { h.flags = 256; }),
            "tokenizer: unknown flags 256");
  EXPECT_EQ(getComplaintAbout([](auto &h) { h.vocabSize = 0; }),
            "tokenizer: has 0 tokens");
  EXPECT_EQ(getComplaintAbout([](auto &h) { h.bosToken = 999; }),
            "tokenizer: bos token is 999, but there are 260 tokens");
  EXPECT_EQ(getComplaintAbout([](auto &h) { h.unknownToken = 260; }),
            "tokenizer: unknown token is 260, but there are 260 tokens");
  EXPECT_NE(getComplaintAbout([](auto &h) {
              h.totalBytes += 1;
            }).find("but its header says"),
            std::string::npos);
}

TEST(TokenizerBlob, SectionsStayInsideAndInOrder) {
  using enum TokenizerSection;
  for (TokenizerSection section :
       {TokenOffsets, TokenBytes, TokenTypes, SpecialTokens, MergeTable}) {
    auto move = [&](uint64_t offset) {
      return getComplaintAbout([&](TokenizerHeader &header) {
        getSection(header, section).offset = offset;
      });
    };
    EXPECT_NE(move(0).find("starts at byte 0"), std::string::npos);
    EXPECT_NE(move(uint64_t(1) << 40).find("bytes from"), std::string::npos);
    EXPECT_NE(move(~uint64_t(0) - 15).find("bytes from"), std::string::npos);
    auto resize = [&](uint64_t bytes) {
      return getComplaintAbout([&](TokenizerHeader &header) {
        getSection(header, section).bytes = bytes;
      });
    };
    EXPECT_NE(resize(~uint64_t(0)), "");
    EXPECT_NE(resize(uint64_t(1) << 30), "");
  }
  auto getResized = [&](TokenizerSection section, uint64_t bytes) {
    return getComplaintAbout([&](TokenizerHeader &header) {
      getSection(header, section).bytes = bytes;
    });
  };
  EXPECT_NE(getResized(TokenOffsets, 8).find("has 2 entries, expected 261"),
            std::string::npos);
  EXPECT_NE(getResized(TokenTypes, 3).find("expected 260"), std::string::npos);
  EXPECT_NE(getResized(TokenTable, 24).find("expected a power of two"),
            std::string::npos);
  EXPECT_NE(getResized(MergeTable, 0).find("expected a power of two"),
            std::string::npos);
  EXPECT_NE(getResized(EosTokens, 3).find("expected a multiple of 4"),
            std::string::npos);
}

TEST(TokenizerBlob, TextStepsAreChecked) { // F9
  auto complain = [](std::vector<uint32_t> words) {
    std::string_view bytes(reinterpret_cast<const char *>(words.data()),
                           words.size() * sizeof(uint32_t));
    try {
      llamart::TextSteps steps(bytes);
    } catch (const llamart::Error &error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string start = "tokenizer: section TextSteps ";
  EXPECT_EQ(complain({1, 0, 0, 3, 0x202020}), "");
  EXPECT_EQ(complain({1, 0, 0}), start + "ends inside a step");
  EXPECT_EQ(complain({1, 0, 0, 5, 0}),
            start + "has 4 bytes for the texts of a step, expected 8");
  EXPECT_EQ(complain({1, 0, 0xFFFFFFFF, 0xFFFFFFFF, 0}),
            start + "has 4 bytes for the texts of a step, expected 8589934592");
  EXPECT_EQ(complain({12, 0, 0, 0}),
            start + "has an unknown step: kind 12, phase 0");
  EXPECT_EQ(complain({1, 2, 0, 0}),
            start + "has an unknown step: kind 1, phase 2");
  EXPECT_EQ(complain({0, 0, 0, 1, 0}),
            start + "has a step that looks for nothing");
}

TEST(TokenizerBlob, IdsInListsAreChecked) {
  using enum TokenizerSection;
  for (TokenizerSection section : {EosTokens, SpecialTokens, ByteTokens}) {
    std::string blob = makeBlob();
    TokenizerHeader header;
    std::memcpy(&header, blob.data(), sizeof(header));
    uint32_t id = 260;
    std::memcpy(blob.data() + getSection(header, section).offset, &id, 4);
    EXPECT_NE(getComplaint(blob).find("holds id 260, but there are 260 tokens"),
              std::string::npos);
  }
}

TEST(TokenizerBlob, MustBeAligned) {
  EXPECT_EQ(getComplaint(makeBlob(), 8),
            "tokenizer: does not start at a multiple of 16");
}

TEST(TokenizerBlob, IsRefusedWhereverItIsCutOff) {
  std::string blob = makeBlob();
  for (size_t size = 0; size < blob.size(); size += size < 512 ? 1 : 97)
    EXPECT_NE(getComplaint(std::string_view(blob).substr(0, size)), "") << size;
}

/// Uses everything that looks into the blob.
void use(const Tokenizer &tokenizer) {
  EncodeOptions options;
  options.allowSpecial = true;
  std::vector<int32_t> ids =
      tokenizer.encode("abc <s>abcabc</s>\xFF\n\n  12345 x", options);
  for (int32_t id : ids) {
    EXPECT_GE(id, 0);
    EXPECT_LT(id, tokenizer.getVocabSize());
  }
  ids.push_back(tokenizer.getVocabSize() - 1);
  (void)tokenizer.decode(ids, SpecialText::Show);
  for (int32_t id = -1; id <= tokenizer.getVocabSize() && id < 1000; ++id)
    (void)tokenizer.tokenBytes(id);
  (void)tokenizer.findToken("abc");
  (void)tokenizer.getEos();
}

TEST(TokenizerBlob, DamageInsideIsRefusedOrHarmless) {
  const std::string intact = makeBlob();
  std::mt19937 random(7);
  size_t opened = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string blob = intact;
    // Every other time after the header, so that most of those open.
    size_t from = round % 2 ? sizeof(TokenizerHeader) : 0;
    for (unsigned n = random() % 40 + 1; n > 0; --n)
      blob[from + random() % (blob.size() - from)] = char(random());
    AlignedBytes aligned(blob);
    try {
      auto tokenizer = Tokenizer::open(aligned.data, aligned.size);
      ++opened;
      use(*tokenizer);
    } catch (const Error &) {
    }
  }
  EXPECT_GT(opened, 500u);
}

// Asserts nothing: it must end, and not read past the tables.
TEST(TokenizerBlob, TablesFullOfGarbageEndTheirSearch) {
  std::string blob = makeBlob();
  TokenizerHeader header;
  std::memcpy(&header, blob.data(), sizeof(header));
  header.maxProbe = ~0u;
  std::memcpy(blob.data(), &header, sizeof(header));
  for (auto section :
       {TokenizerSection::TokenTable, TokenizerSection::MergeTable}) {
    SectionRange range = getSection(header, section);
    std::memset(blob.data() + range.offset, 1, range.bytes);
  }
  AlignedBytes aligned(blob);
  use(*Tokenizer::open(aligned.data, aligned.size));
}

} // namespace
