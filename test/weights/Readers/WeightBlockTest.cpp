//===- WeightBlockTest.cpp - The block of weights of a model --------------===//
//
// A matrix of each kind, byte by byte after the description of the layout, and
// descriptions that cannot be true.
//
//===----------------------------------------------------------------------===//

#include "weights/Readers/WeightBlock.h"

#include "test/weights/TestFiles.h"
#include "weights/TensorScan.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"

using namespace llamatest;
using namespace llamaweights;
using nlohmann::json;

namespace {

constexpr uint16_t kOne = 0x3c00, kHalf = 0x3800, kNaN = 0x7e00; // of f16

class WeightBlockTest : public testing::Test {
protected:
  /// A block that begins at byte 10 of a file.
  void open(const std::string &bytes) {
    file = folder.write("block", std::string(10, 'x') + bytes);
    auto opened = llvm::cantFail(InputFile::open(file));
    checkpoint.emplace(WeightBlock{opened, 10, bytes.size()});
  }

  std::string add(const std::string &dtype, const json &shape, int64_t bytes,
                  int64_t offset = 0) {
    json entry = {{"name", "t"},
                  {"dtype", dtype},
                  {"shape", shape},
                  {"offset", offset},
                  {"bytes", bytes}};
    std::string hash;
    return getMessage(checkpoint->add("m.so", entry, hash));
  }

  std::vector<float> readAll() {
    const TensorInfo &tensor = checkpoint->getTensors().back();
    std::vector<float> values(size_t(tensor.getRows() * tensor.getColumns()));
    EXPECT_EQ(
        getMessage(checkpoint->readRowsAs(
            tensor, DType::F32, 0, tensor.getRows(),
            {reinterpret_cast<char *>(values.data()), values.size() * 4})),
        "");
    return values;
  }

  TempFolder folder;
  std::string file;
  std::optional<BlockCheckpoint> checkpoint;
};

TEST_F(WeightBlockTest, ReadsPlainNumbers) {
  open(toBytes(1.5f) + toBytes(-2.0f) + toBytes(kOne) + toBytes(kHalf));
  ASSERT_EQ(add("f32", {2}, 8), "");
  EXPECT_EQ(readAll(), (std::vector<float>{1.5f, -2.0f}));
  ASSERT_EQ(add("f16", {1, 2}, 4, 8), "");
  EXPECT_EQ(readAll(), (std::vector<float>{1.0f, 0.5f}));
  EXPECT_EQ(checkpoint->getTensors().back().getTypeName(), "f16");
}

/// Two rows of 64; groups of 64 keep their order.
TEST_F(WeightBlockTest, ReadsIntegersOfEightBits) {
  std::string integers(128, '\x80');
  integers[0] = '\x81';
  integers[63] = '\x00';
  integers[64] = '\xff';
  std::string bytes = integers + toBytes(kOne) + toBytes(kHalf);
  open(bytes);
  ASSERT_EQ(add("int8g64", {2, 60}, 132), "");
  std::vector<float> expected(120, 0.0f);
  expected[0] = 1.0f;
  expected[60] = 63.5f; // row 1; element 63 of row 0 is padding
  EXPECT_EQ(readAll(), expected);
  const TensorInfo &tensor = checkpoint->getTensors().back();
  EXPECT_EQ(tensor.getTypeName(), "int8g64");
  EXPECT_EQ(tensor.getStoredBytes(), 132);

  TensorScan scan = llvm::cantFail(
      scanTensor(*checkpoint, tensor, {true, true}, [](int64_t) {}));
  llvm::BLAKE3 hasher;
  hasher.update(bytes);
  EXPECT_EQ(scan.hash, llvm::toHex(hasher.final(), /*LowerCase=*/true));
  EXPECT_EQ(scan.statistics.max, 63.5);
  EXPECT_EQ(scan.statistics.nans, 0);
}

/// One row of 128: two groups of 32 take turns by fours, the other two are in
/// the high halves.
TEST_F(WeightBlockTest, ReadsIntegersOfFourBits) {
  std::string integers(64, '\x88');
  integers[1] = '\x8f';  // element 1
  integers[4] = '\x80';  // element 32
  integers[63] = '\x98'; // element 127
  open(integers + toBytes(kOne) + toBytes(kHalf) + toBytes(kOne) +
       toBytes(kNaN));
  ASSERT_EQ(add("int4g32", {1, 128}, 72), "");
  std::vector<float> values = readAll();
  EXPECT_EQ(values[1], 7.0f);
  EXPECT_EQ(values[32], -4.0f);
  EXPECT_EQ(values[5], 0.0f);
  EXPECT_TRUE(std::isnan(values[127]));
  TensorScan scan =
      llvm::cantFail(scanTensor(*checkpoint, checkpoint->getTensors().back(),
                                {false, true}, [](int64_t) {}));
  EXPECT_EQ(scan.statistics.nans, 32);
  EXPECT_EQ(scan.statistics.badColumn, 96);
}

/// Integers of both rows, then their scales, then their minimums.
TEST_F(WeightBlockTest, ReadsMinimums) {
  std::string integers(128, '\0');
  integers[0] = '\xff';
  integers[64 + 59] = '\x02';
  open(integers + toBytes(kOne) + toBytes(kHalf) + toBytes(kHalf) +
       toBytes(kOne));
  ASSERT_EQ(add("int8g64m", {2, 60}, 136), "");
  std::vector<float> values = readAll();
  EXPECT_EQ(values[0], 255.5f);
  EXPECT_EQ(values[1], 0.5f);
  EXPECT_EQ(values[60], 1.0f);
  EXPECT_EQ(values[119], 2.0f);
  EXPECT_EQ(checkpoint->getTensors().back().getTypeName(), "int8g64m");
}

TEST_F(WeightBlockTest, RefusesWhatCannotBe) {
  open(std::string(132, '\0'));
  const char *kKinds = ", expected f32, f16, bf16, or integers as in "
                       "'int8g128' or 'int4g32'";
  for (const char *type :
       {"i8", "int8", "int8g", "int8g48", "int2g32", "int8g64x", "int8g64mm",
        "m", "int08g064g", "int-8g64", ""})
    EXPECT_EQ(add(type, {2, 60}, 132),
              std::string("m.so: tensor 't': is of type '") + type + "'" +
                  kKinds);
  EXPECT_EQ(add("int8g64", {2, 60}, 131),
            "m.so: tensor 't': is [2, 60] of int8g64 in 131 bytes, expected "
            "132");
  EXPECT_EQ(add("f32", {2}, 7),
            "m.so: tensor 't': is [2] of f32 in 7 bytes, expected 8");
  for (const json &shape : {json({60}), json({2, 0}), json({-1, 60}),
                            json({1, 2, 60}), json({1, int64_t(1) << 40})})
    EXPECT_NE(add("int8g64", shape, 132)
                  .find("expected one or two dimensions that a file can hold"),
              std::string::npos);
  EXPECT_EQ(add("int8g64", {2, 60}, 132, 1),
            "m.so: tensor 't': ends behind the block of 132 bytes");
  EXPECT_EQ(add("int8g64", {2, 60}, 132, -1),
            "m.so: tensor 't': ends behind the block of 132 bytes");
  EXPECT_TRUE(checkpoint->getTensors().empty());
}

} // namespace
