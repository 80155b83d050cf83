//===- InputErrorTest.cpp - One line for whoever wrote the input ----------===//
//
// Whatever a file holds, a message that quotes it is short and printable.
//
//===----------------------------------------------------------------------===//

#include "weights/InputError.h"

#include <gtest/gtest.h>

using namespace llamaweights;

namespace {

TEST(InputError, SaysWhereAndWhat) {
  EXPECT_EQ(llvm::toString(makeInputError("a/b.json", "is broken")),
            "a/b.json: is broken");
  EXPECT_EQ(formatShape({}), "[]");
  EXPECT_EQ(formatShape({32, -1}), "[32, -1]");
}

TEST(InputError, QuotesText) {
  EXPECT_EQ(quote(""), "''");
  EXPECT_EQ(quote("model.norm.weight"), "'model.norm.weight'");
  EXPECT_EQ(quote("a\nb\x1b[31m\x7f"), "'a\\0Ab\\1B[31m\\7F'");
  EXPECT_EQ(quote("naïve 🙂"), "'naïve 🙂'");
  EXPECT_EQ(quote("na\xefve"), "'na\\EFve'");
}

TEST(InputError, CutsLongTextBetweenCharacters) {
  EXPECT_EQ(quote(std::string(120, 'x')), "'" + std::string(120, 'x') + "'");
  EXPECT_EQ(quote(std::string(121, 'x')), "'" + std::string(120, 'x') + "...'");
  std::string umlauts = "x";
  for (int i = 0; i < 100; ++i)
    umlauts += "ü"; // bytes 119 and 120 are one of them
  EXPECT_EQ(quote(umlauts), "'" + umlauts.substr(0, 119) + "...'");
}

} // namespace
