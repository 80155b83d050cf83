//===- SentencePieceTest.cpp - Broken models of sentencepiece -------------===//
//
// What right models do is compared with the library in differential.py.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Tokenizer/SentencePiece.h"

#include "runtime/Error.h"
#include "test/runtime/Text/Tokenizer/TestVocabulary.h"

#include <gtest/gtest.h>

using namespace llamart;
using namespace llamatest;

namespace {

/// What is said about a model; empty: it opens.
std::string getComplaint(const std::string &model, uint32_t pieces) {
  try {
    SentencePiece(model, pieces);
    return {};
  } catch (const Error &error) {
    return error.what();
  }
}

const llamaweights::Vocabulary kVocabulary = makeSentencePieces({"a", "b"});
const std::string kModel = kVocabulary.sentencePieceModel;
const auto kPieces = uint32_t(kVocabulary.tokens.size());

TEST(SentencePieceModel, EveryBeginningIsRefusedOrWhole) {
  ASSERT_EQ(getComplaint(kModel, kPieces), "");
  size_t opened = 0;
  for (size_t size = 0; size < kModel.size(); ++size)
    opened += getComplaint(kModel.substr(0, size), kPieces).empty();
  EXPECT_LE(opened, 1u); // without its last message, that of the normalizer
}

TEST(SentencePieceModel, EveryFlippedByteIsRefusedOrEncodes) {
  for (size_t at = 0; at < kModel.size(); ++at) {
    std::string model = kModel;
    model[at] = char(~model[at]);
    try {
      SentencePiece pieces(model, kPieces);
      std::vector<int32_t> ids;
      pieces.encode("a b\xFF c", ids);
      for (int32_t id : ids)
        ASSERT_LT(uint32_t(id), kPieces) << at;
    } catch (const Error &) {
    }
  }
}

TEST(SentencePieceModel, Complaints) {
  const std::string begin = "tokenizer: sentencepiece model: ";
  EXPECT_EQ(getComplaint(kModel, kPieces + 1),
            begin + "has " + std::to_string(kPieces) + " pieces, expected " +
                std::to_string(kPieces + 1));
  EXPECT_EQ(getComplaint(kModel + "\x0A", kPieces),
            begin + "is cut off 0 bytes before the end of a message");
  EXPECT_EQ(getComplaint(kModel + "\x0B", kPieces),
            begin + "has a field of wire type 3");
  EXPECT_EQ(
      getComplaint(kModel + std::string("\x12\x02\x18\x01"), kPieces),
      begin + "expected a BPE (type 2) with spaces before words, found type 1");
  EXPECT_EQ(getComplaint(kModel + "\x0A\x03\x0A\x01"
                                  "a",
                         kPieces + 1),
            begin + "piece " + std::to_string(kPieces) + " is there twice");
  EXPECT_EQ(getComplaint(kModel + std::string("\x0A\0", 2), kPieces + 1),
            begin +
                "has a piece without text or with a score that is not finite");
}

} // namespace
