//===- WeightBlockTest.cpp - The block of weights of a model --------------===//
//
// A matrix of each kind, byte by byte after the description of the layout, and
// descriptions that cannot be true.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/WeightBlock.h"

#include "test/weights/ContainerBytes.h"
#include "test/weights/Messages.h"
#include "test/weights/TempFolder.h"
#include "weights/Formats/TensorScan.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"

#include <cmath>

using namespace llamatest;
using namespace llamaweights;
using llamaabi::TensorLayout;

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

  std::string add(const std::string &dtype, const std::vector<int64_t> &shape,
                  int64_t bytes, int64_t offset, TensorLayout layout) {
    llamaabi::TensorEntry entry;
    entry.name = "t";
    entry.dtype = llamaabi::parseElementFormat(dtype).value();
    entry.layout = layout;
    entry.shape = shape;
    entry.offset = offset;
    entry.bytes = bytes;
    return getMessage(checkpoint->add("m.so", entry));
  }
  /// Integers in panels, others in rows.
  std::string add(const std::string &dtype, const std::vector<int64_t> &shape,
                  int64_t bytes, int64_t offset = 0) {
    bool isInteger = dtype.front() == 'i';
    return add(dtype, shape, bytes, offset,
               isInteger ? TensorLayout::Panels16 : TensorLayout::Rows);
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

/// A panel: lines of 4 bytes of each of 16 rows, then a scale of each.
TEST_F(WeightBlockTest, ReadsIntegersOfEightBits) {
  std::string integers(1024, '\x80');
  integers[0] = '\x81';           // row 0, element 0
  integers[15 * 64 + 3] = '\x00'; // row 0, element 63: padding
  integers[4] = '\xff';           // row 1, element 0
  integers[14 * 64 + 7] = '\x7f'; // row 1, element 59
  std::string bytes = integers + toBytes(kOne) + toBytes(kHalf);
  bytes.resize(1056);
  open(bytes);
  ASSERT_EQ(add("int8g64", {2, 60}, 1056), "");
  std::vector<float> expected(120, 0.0f);
  expected[0] = 1.0f;
  expected[60] = 63.5f;
  expected[119] = -0.5f;
  EXPECT_EQ(readAll(), expected);
  const TensorInfo &tensor = checkpoint->getTensors().back();
  EXPECT_EQ(tensor.getTypeName(), "int8g64");
  EXPECT_EQ(tensor.getStoredBytes(), 1056);

  TensorScan scan = llvm::cantFail(
      scanTensor(*checkpoint, tensor, {true, true}, [](int64_t) {}));
  llvm::BLAKE3 hasher;
  hasher.update(bytes);
  EXPECT_EQ(scan.hash, llvm::toHex(hasher.final(), /*LowerCase=*/true));
  EXPECT_EQ(scan.statistics.max, 63.5);
  EXPECT_EQ(scan.statistics.nans, 0);
}

/// Lines are 8 elements of each row: the first four are in the low halves. Each
/// group is followed by its scales.
TEST_F(WeightBlockTest, ReadsIntegersOfFourBits) {
  std::string integers(1024, '\x88');
  integers[1] = '\x8f';           // elements 1 and 5
  integers[4 * 64] = '\x80';      // 32 and 36
  integers[15 * 64 + 3] = '\x98'; // 123 and 127
  std::string bytes;
  for (uint16_t scale : {kOne, kHalf, kOne, kNaN}) {
    bytes += integers.substr(0, 256) + toBytes(scale) + std::string(30, '\0');
    integers.erase(0, 256);
  }
  open(bytes);
  ASSERT_EQ(add("int4g32", {1, 128}, 1152), "");
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

/// Rows 16 and on are in the next panel, and rows are read from any to any.
TEST_F(WeightBlockTest, ReadsSomeRowsOfSeveralPanels) {
  std::string bytes;
  for (int panel = 0; panel < 2; ++panel) {
    std::string integers(512, '\x80');
    for (int lane = 0; lane < 16; ++lane)
      integers[size_t(lane * 4)] = char(0x80 + panel * 16 + lane);
    bytes += integers;
    for (int lane = 0; lane < 16; ++lane)
      bytes += toBytes(kOne);
  }
  open(bytes);
  ASSERT_EQ(add("int8g32", {20, 5}, 1088), "");
  std::vector<float> values(5 * 5);
  const TensorInfo &tensor = checkpoint->getTensors().back();
  EXPECT_EQ(getMessage(checkpoint->readRowsAs(
                tensor, DType::F32, 14, 5,
                {reinterpret_cast<char *>(values.data()), values.size() * 4})),
            "");
  for (int row = 0; row < 5; ++row) {
    EXPECT_EQ(values[size_t(row * 5)], float(14 + row));
    EXPECT_EQ(values[size_t(row * 5 + 1)], 0.0f);
  }
}

/// Integers of both rows, then their scales, then their minimums.
TEST_F(WeightBlockTest, ReadsMinimums) {
  std::string bytes(1024, '\0');
  bytes[0] = '\xff';           // row 0, element 0
  bytes[14 * 64 + 7] = '\x02'; // row 1, element 59
  bytes += toBytes(kOne) + toBytes(kHalf) + std::string(28, '\0');
  bytes += toBytes(kHalf) + toBytes(kOne) + std::string(28, '\0');
  open(bytes);
  ASSERT_EQ(add("int8g64m", {2, 60}, 1088), "");
  std::vector<float> values = readAll();
  EXPECT_EQ(values[0], 255.5f);
  EXPECT_EQ(values[1], 0.5f);
  EXPECT_EQ(values[60], 1.0f);
  EXPECT_EQ(values[119], 2.0f);
  EXPECT_EQ(checkpoint->getTensors().back().getTypeName(), "int8g64m");
}

/// A line is two elements of bf16, one of f32, or, in 32 bytes, one of f16.
TEST_F(WeightBlockTest, ReadsFloatingPointInPanels) {
  std::string bf16(2 * 64, '\0'), f16(3 * 32, '\0'), f32(2 * 64, '\0');
  auto put = [](std::string &bytes, size_t at, const std::string &value) {
    bytes.replace(at, value.size(), value);
  };
  put(bf16, 4 + 2, toBytes(uint16_t(0x3fc0)));  // row 1, column 1: 1.5
  put(bf16, 64 + 4, toBytes(uint16_t(0xc000))); // row 1, column 2: -2
  put(f16, 2 * 32 + 2, toBytes(kHalf));         // row 1, column 2
  put(f32, 64 + 4, toBytes(0.1f));              // row 1, column 1
  open(bf16 + f16 + f32);
  ASSERT_EQ(add("bf16", {2, 3}, 128, 0, TensorLayout::Panels16), "");
  EXPECT_EQ(readAll(), (std::vector<float>{0, 0, 0, 0, 1.5f, -2.0f}));
  EXPECT_EQ(checkpoint->getTensors().back().getTypeName(), "bf16");
  ASSERT_EQ(add("f16", {2, 3}, 96, 128, TensorLayout::Panels16), "");
  EXPECT_EQ(readAll(), (std::vector<float>{0, 0, 0, 0, 0, 0.5f}));
  ASSERT_EQ(add("f32", {2, 2}, 128, 224, TensorLayout::Panels16), "");
  EXPECT_EQ(readAll(), (std::vector<float>{0, 0, 0, 0.1f}));
}

TEST_F(WeightBlockTest, RefusesWhatCannotBe) {
  open(std::string(1056, '\0'));
  EXPECT_EQ(add("int8g64", {2, 60}, 1056, 0, TensorLayout::Rows),
            "m.so: tensor 't': has layout 'rows', expected 'panels16', or "
            "'rows' of floating point");
  EXPECT_EQ(add("int8g64", {2, 60}, 1055),
            "m.so: tensor 't': is [2, 60] of int8g64 in 1055 bytes, expected "
            "1056");
  EXPECT_EQ(add("f32", {2}, 7),
            "m.so: tensor 't': is [2] of f32 in 7 bytes, expected 8");
  for (const std::vector<int64_t> &shape : std::vector<std::vector<int64_t>>{
           {}, {60}, {2, 0}, {-1, 60}, {1, 2, 60}, {1, int64_t(1) << 40}})
    EXPECT_NE(add("int8g64", shape, 1056)
                  .find("expected one or two dimensions that a file can hold"),
              std::string::npos);
  EXPECT_NE(add("f32", {60}, 240, 0, TensorLayout::Panels16)
                .find("expected one or two dimensions that a file can hold"),
            std::string::npos);
  EXPECT_EQ(
      add("int8g64", {2, 60}, 1056, 1),
      "m.so: tensor 't': has 1056 bytes at byte 1 of the block, which has "
      "1056 bytes");
  EXPECT_EQ(
      add("int8g64", {2, 60}, 1056, -1),
      "m.so: tensor 't': has 1056 bytes at byte -1 of the block, which has "
      "1056 bytes");
  EXPECT_TRUE(checkpoint->getTensors().empty());
}

} // namespace
