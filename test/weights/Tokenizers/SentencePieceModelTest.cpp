//===- SentencePieceModelTest.cpp - tokenizer.model of Llama 2 ------------===//
//
// Models written by hand, byte by byte where they are wrong; the sentencepiece
// library must agree with what is said about the good ones.
//
//===----------------------------------------------------------------------===//

#include "weights/Tokenizers/SentencePieceModel.h"

#include "test/weights/ContainerBytes.h"
#include "test/weights/Messages.h"

#include <cmath>
#include <sentencepiece_processor.h>

using namespace llamatest;
using namespace llamaweights;

namespace {

const std::string kSpace = "\xE2\x96\x81";

//===----------------------------------------------------------------------===//
// The wire format, written independently of the reader's
//===----------------------------------------------------------------------===//

std::string varint(uint64_t value) {
  std::string bytes;
  do {
    bytes += char((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
  } while (value >>= 7);
  return bytes;
}
std::string number(int field, uint64_t value) {
  return varint(uint64_t(field) * 8) + varint(value);
}
std::string text(int field, const std::string &value) {
  return varint(uint64_t(field) * 8 + 2) + varint(value.size()) + value;
}
std::string real(int field, float value) {
  return varint(uint64_t(field) * 8 + 5) + toBytes(value);
}
std::string piece(const std::string &name, float score, int type) {
  return text(1, text(1, name) + real(2, score) + number(3, uint64_t(type)));
}

const std::string kTrainer = text(2, number(3, 2)); // BPE
const std::string kNormalizer = text(3, text(1, "identity") + number(4, 0));

std::string makeModel() {
  return piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3) +
         piece(kSpace, -1, 1) + piece("a", -2, 1) + piece(kSpace + "a", -3, 1) +
         piece("<<user>>", 0, 4) + kTrainer + kNormalizer;
}

std::string getComplaint(const std::string &bytes) {
  std::string message = getMessage(readSentencePieceModel(bytes, "s.model"));
  EXPECT_EQ(message.find('\n'), std::string::npos);
  return message;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

TEST(SentencePieceModel, PiecesBecomeTokens) {
  std::string model = makeModel();
  Vocabulary vocabulary =
      llvm::cantFail(readSentencePieceModel(model, "s.model"));
  EXPECT_EQ(vocabulary.kind, VocabularyKind::SentencePiece);
  EXPECT_EQ(vocabulary.sentencePieceModel, model);
  EXPECT_EQ(vocabulary.tokens,
            std::vector<std::string>(
                {" \xE2\x81\x87 ", "<s>", "</s>", " ", "a", " a", "<<user>>"}));
  using enum TokenType;
  EXPECT_EQ(vocabulary.types,
            std::vector<TokenType>({Unknown, Control, Control, Normal, Normal,
                                    Normal, UserDefined}));
  EXPECT_EQ(vocabulary.bosToken, 1);
  EXPECT_TRUE(vocabulary.addBos);
  EXPECT_EQ(vocabulary.eosTokens, std::vector<int64_t>({2}));
  EXPECT_TRUE(vocabulary.addSpacePrefix);
  EXPECT_FALSE(vocabulary.removeExtraSpaces);
}

TEST(SentencePieceModel, DefaultsAreThoseOfTheFormat) {
  std::string model = makeModel();
  model.resize(model.size() - kNormalizer.size());
  Vocabulary vocabulary =
      llvm::cantFail(readSentencePieceModel(model, "s.model"));
  EXPECT_TRUE(vocabulary.addSpacePrefix);
  EXPECT_TRUE(vocabulary.removeExtraSpaces);
  // bos is id 1 unless the trainer says otherwise; -1 says there is none.
  auto none = uint64_t(int64_t(-1));
  vocabulary = llvm::cantFail(readSentencePieceModel(
      model + text(2, number(41, none) + number(42, none)), "s.model"));
  EXPECT_EQ(vocabulary.bosToken, std::nullopt);
  EXPECT_FALSE(vocabulary.addBos);
  EXPECT_TRUE(vocabulary.eosTokens.empty());
}

TEST(SentencePieceModel, ByteAndSurfacePiecesStandForTheirBytes) {
  std::string model = piece("<unk>", 0, 2);
  for (int byte = 0; byte < 256; ++byte) {
    char name[8];
    snprintf(name, sizeof(name), "<0x%02X>", unsigned(byte));
    model += piece(name, 0, 6);
  }
  model += text(2, number(3, 2) + number(35, 1) + text(44, "??"));
  Vocabulary vocabulary =
      llvm::cantFail(readSentencePieceModel(model, "s.model"));
  EXPECT_EQ(vocabulary.tokens[0], "??");
  for (int byte = 0; byte < 256; ++byte)
    EXPECT_EQ(vocabulary.tokens[size_t(byte) + 1], std::string(1, char(byte)));
}

TEST(SentencePieceModel, IsToldApartByItsFirstField) {
  EXPECT_TRUE(isSentencePieceModel(makeModel()));
  EXPECT_FALSE(isSentencePieceModel(""));
  EXPECT_FALSE(isSentencePieceModel("IQ== 0\n"));
  EXPECT_FALSE(isSentencePieceModel("{}"));
}

TEST(SentencePieceModel, SaysWhatIsWrong) {
  std::string unigram = "s.model: is a unigram model, whose ids depend on the "
                        "version of sentencepiece; expected a BPE, or a "
                        "tokenizer.json next to it";
  EXPECT_EQ(getComplaint(""), unigram);
  EXPECT_EQ(getComplaint(kTrainer),
            "s.model: has 0 unknown pieces, expected 1");
  std::string model = makeModel();
  EXPECT_EQ(getComplaint(model + piece("a", 0, 1)),
            "s.model: piece 7: 'a' is there twice");
  EXPECT_EQ(getComplaint(model + piece("", 0, 1)),
            "s.model: piece 7: is empty or holds a zero byte");
  EXPECT_EQ(getComplaint(model + piece(std::string("a\0b", 3), 0, 1)),
            "s.model: piece 7: is empty or holds a zero byte");
  EXPECT_EQ(getComplaint(model + piece("\xFF", 0, 1)),
            "s.model: piece 7: is not UTF-8");
  EXPECT_EQ(
      getComplaint(model + piece("b", NAN, 1)),
      "s.model: piece 7: score is NaN or infinite, expected a finite number");
  EXPECT_EQ(getComplaint(model + piece("b", 0, 2)),
            "s.model: has 2 unknown pieces, expected 1");
  EXPECT_EQ(getComplaint(model + piece("b", 0, 7)),
            "s.model: piece 7: field 3 has the wrong type or value");
  EXPECT_EQ(getComplaint(model + text(1, number(1, 5))),
            "s.model: piece 7: field 1 has the wrong type or value");
  EXPECT_EQ(getComplaint(model + piece("<0x4>", 0, 6)),
            "s.model: piece 7: expected a byte like '<0x0A>', found '<0x4>'");
  EXPECT_EQ(getComplaint(model + piece("<0x41>", 0, 6)),
            "s.model: has 1 byte pieces, expected none or 256");
  EXPECT_EQ(getComplaint(model + text(2, number(3, 1))), unigram);
  EXPECT_EQ(getComplaint(model + text(2, number(3, 3))),
            "s.model: model type is 3, expected 2 (BPE)");
  EXPECT_EQ(getComplaint(model + text(2, number(24, 1))),
            "s.model: spaces belong to the word before them, which is not "
            "supported");
  EXPECT_NE(getComplaint(model + "\xFF").find("is not a sentencepiece model"),
            std::string::npos);
  EXPECT_NE(getComplaint(model + number(0, 1)), "");
  EXPECT_NE(getComplaint(model + "\x0B"), ""); // a group
}

TEST(SentencePieceModel, AFileThatIsCutOffIsRefused) {
  std::string model = kTrainer + kNormalizer + makeModel();
  size_t accepted = 0;
  for (size_t size = 0; size < model.size(); ++size) {
    auto vocabulary = readSentencePieceModel(model.substr(0, size), "s.model");
    accepted += bool(vocabulary);
    if (!vocabulary)
      llvm::consumeError(vocabulary.takeError());
  }
  EXPECT_LE(accepted, 9u); // between two fields, <unk> being there
}

//===----------------------------------------------------------------------===//
// Normalization rules
//===----------------------------------------------------------------------===//

/// A charsmap whose trie has `units` and whose strings are `pool`.
std::string makeCharsMap(const std::vector<uint32_t> &units,
                         const std::string &pool) {
  std::string map = toBytes(uint32_t(units.size() * 4));
  for (uint32_t unit : units)
    map += toBytes(unit);
  return map + pool;
}

TEST(SentencePieceModel, NormalizationRulesThatLeadOutsideAreRefused) {
  std::vector<uint32_t> units(512, 0); // nothing matches
  auto getComplaintAbout = [&](const std::string &map) {
    return getComplaint(makeModel() + text(3, text(2, map)));
  };
  std::string pool("x\0", 2);
  const std::string broken = "s.model: normalization rules are broken";
  EXPECT_EQ(getComplaintAbout(makeCharsMap(units, pool)), "");
  EXPECT_EQ(getComplaintAbout("abc"), broken);
  EXPECT_EQ(getComplaintAbout(toBytes(uint32_t(1 << 30)) + "abcdefgh"), broken);
  EXPECT_EQ(getComplaintAbout(toBytes(uint32_t(6)) + "abcdefgh"), broken);
  EXPECT_EQ(getComplaintAbout(makeCharsMap(units, "x")), broken); // no zero
  EXPECT_EQ(getComplaintAbout(makeCharsMap({0}, pool)), broken);  // too short
  units[300] = 512 << 10; // to unit 300 ^ 512, which is not there
  EXPECT_EQ(getComplaintAbout(makeCharsMap(units, pool)), broken);
  units[300] = 1 << 8; // a leaf whose value is that of unit 300 itself: 256
  EXPECT_EQ(getComplaintAbout(makeCharsMap(units, pool)), broken);
  EXPECT_EQ(getComplaintAbout(makeCharsMap(units, std::string(300, '\0'))), "");
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

std::vector<SentencePiece> makePieces() {
  using enum TokenType;
  return {{"<unk>", 0, Unknown},     {"<s>", 0, Control}, {kSpace, -1, Normal},
          {"a", -2, Normal},         {"b", -3, Normal},   {"ab", -4, Normal},
          {kSpace + "a", -5, Normal}};
}

TEST(SentencePieceModel, WhatIsWrittenReadsTheSameAndLoads) {
  SentencePieceOptions options;
  options.addSpacePrefix = false;
  Vocabulary written = llvm::cantFail(
      makeSentencePieceVocabulary(makePieces(), options, "s.gguf"));
  Vocabulary read = llvm::cantFail(
      readSentencePieceModel(written.sentencePieceModel, "s.model"));
  EXPECT_EQ(read.tokens, written.tokens);
  EXPECT_EQ(read.types, written.types);
  EXPECT_EQ(read.addSpacePrefix, written.addSpacePrefix);
  EXPECT_EQ(read.removeExtraSpaces, written.removeExtraSpaces);
  sentencepiece::SentencePieceProcessor library;
  ASSERT_TRUE(library.LoadFromSerializedProto(written.sentencePieceModel).ok());
  std::vector<int> ids;
  ASSERT_TRUE(library.Encode("ab a", &ids).ok());
  EXPECT_EQ(ids, std::vector<int>({5, 6})); // "ab" is above " a"
}

TEST(SentencePieceModel, PiecesThatMakeNoModelAreRefused) {
  auto complain = [](std::vector<SentencePiece> pieces) {
    return getMessage(makeSentencePieceVocabulary(pieces, {}, "s.gguf"));
  };
  EXPECT_EQ(complain({}), "s.gguf: has 0 unknown pieces, expected 1");
  std::vector<SentencePiece> pieces = makePieces();
  pieces.push_back(pieces.back());
  EXPECT_EQ(complain(pieces),
            "s.gguf: piece 7: '" + kSpace + "a' is there twice");
}

TEST(SentencePieceModel, PiecesCanBeAppended) {
  Vocabulary vocabulary =
      llvm::cantFail(readSentencePieceModel(makeModel(), "s.model"));
  SentencePiece pad{"<pad>", 0, TokenType::Control};
  EXPECT_FALSE(bool(appendSentencePieces(pad, "x.json", vocabulary)));
  EXPECT_EQ(vocabulary.tokens.back(), "<pad>");
  sentencepiece::SentencePieceProcessor library;
  ASSERT_TRUE(
      library.LoadFromSerializedProto(vocabulary.sentencePieceModel).ok());
  EXPECT_EQ(library.PieceToId("<pad>"), 7);
  EXPECT_TRUE(library.IsControl(7));
  EXPECT_EQ(getMessage(appendSentencePieces(pad, "x.json", vocabulary)),
            "x.json: piece 8: '<pad>' is there twice");
  EXPECT_EQ(vocabulary.tokens.size(), 8u);
}

} // namespace
