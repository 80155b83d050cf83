//===- ScheduleTest.cpp - Machine and product to numbers ------------------===//
//
// The table of what every kind of machine makes of every kind of product; what
// it does not get is said with the reason.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Schedule/Schedule.h"

#include "mlir/IR/MLIRContext.h"

#include <gtest/gtest.h>

using namespace mlir::llama;
using llamaabi::ElementFormat;
using llamaabi::ElementKind;

namespace {

const ElementFormat kF32 = ElementFormat::getFloat(ElementKind::F32);
const ElementFormat kF16 = ElementFormat::getFloat(ElementKind::F16);
const ElementFormat kBF16 = ElementFormat::getFloat(ElementKind::BF16);
const ElementFormat kInt4 = ElementFormat::getInteger(4, 32);
const ElementFormat kInt8 = ElementFormat::getInteger(8, 32);
const ElementFormat kInt8G128 = ElementFormat::getInteger(8, 128);
const ElementFormat kInt8Minimum = ElementFormat::getInteger(8, 32, true);

constexpr const char *kArm = "aarch64-linux-gnu";

class Schedule : public testing::Test {
protected:
  Schedule() { context.loadDialect<KernelDialect>(); }

  static TargetInfo getTarget(llvm::StringRef cpu, llvm::StringRef features,
                              llvm::StringRef triple) {
    return llvm::cantFail(TargetInfo::get(
        triple.empty() ? "x86_64-linux-gnu" : triple, cpu, features));
  }

  KernelChoice choose(const TargetInfo &target, const ElementFormat &matrix,
                      int64_t out = 2048, int64_t in = 2048,
                      bool isOfLogits = false) {
    bool hasBF16Rows = matrix == kBF16 || matrix == kF16;
    return chooseKernel(&context, target,
                        {matrix, hasBF16Rows, out, in, isOfLogits});
  }

  std::string print(const KernelChoice &choice) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    stream << mlir::Attribute(choice.schedule);
    llvm::StringRef rest = text;
    rest.consume_front("#kernel.schedule");
    return rest.str();
  }

  static std::string getReasons(const KernelChoice &choice) {
    std::string text;
    for (const Refusal &refusal : choice.refused)
      text += refusal.instruction + ": " + refusal.reason + "; ";
    return text;
  }

  mlir::MLIRContext context;
};

TEST_F(Schedule, OfEveryMachineAndElement) {
  struct Row {
    const char *cpu, *features, *triple;
    ElementFormat matrix;
  };
  const char *dots8 =
      R"(["vpdpbusd.512" 8 x 32, "vpdpbusd.512" 4 x 32, "vpdpbusd.512" 2 x 16, "vpdpbusd.512" 1 x 16]>)";
  const char *fma =
      R"(["fma.512" 8 x 32, "fma.512" 4 x 32, "fma.512" 2 x 32, "fma.512" 1 x 32]>)";
  std::string bytes = "\"tdpbssd\" 32 x 32, \"tdpbssd\" 16 x 32, ";
  std::string unsignedBytes = "\"tdpbsud\" 32 x 32, \"tdpbsud\" 16 x 32, ";
  std::string vpdpbusd =
      R"("vpdpbusd.512" 8 x 32, "vpdpbusd.512" 4 x 32, "vpdpbusd.512" 2 x 16, "vpdpbusd.512" 1 x 16]>)";
  const std::pair<Row, std::string> table[] = {
      // 16 registers of 256 bits: 4 rows * 2 vectors.
      {{"x86-64-v3", "", "", kF32},
       R"(<rows = 256 x 32 prefetch ["fma.256" 4 x 16, "fma.256" 2 x 32, "fma.256" 1 x 32]>)"},
      {{"x86-64-v3", "", "", kBF16},
       R"(<rows = 256 x 32 prefetch ["fma.256" 4 x 16, "fma.256" 2 x 32, "fma.256" 1 x 32]>)"},
      {{"x86-64-v3", "", "", kInt8},
       R"(<rows = 256 x 16 prefetch ["vpmaddwd.256" 4 x 16, "vpmaddwd.256" 2 x 16, "vpmaddwd.256" 1 x 16]>)"},
      {{"x86-64-v3", "", "", kInt4},
       R"(<rows = 256 x 16 prefetch ["vpmaddwd.256" 4 x 16, "vpmaddwd.256" 2 x 16, "vpmaddwd.256" 1 x 16]>)"},
      // 32 registers of 512 bits: 8 rows * 2 vectors; 4 where products pass
      // through registers, too.
      {{"x86-64-v4", "", "", kF16},
       std::string("<rows = 256 x 32 prefetch ") + fma},
      {{"x86-64-v4", "", "", kBF16},
       std::string("<rows = 256 x 32 prefetch ") + fma},
      {{"x86-64-v4", "", "", kInt4},
       R"(<rows = 256 x 32 prefetch ["vpmaddwd.512" 4 x 32, "vpmaddwd.512" 2 x 16, "vpmaddwd.512" 1 x 16]>)"},
      {{"x86-64-v4", "+avx512vnni", "", kInt4},
       std::string("<rows = 256 x 32 prefetch ") + dots8},
      {{"x86-64-v4", "+avx512vnni", "", kInt8Minimum},
       std::string("<rows = 256 x 32 prefetch ") + dots8},
      {{"znver4", "", "", kBF16},
       R"(<rows = 256 x 32 prefetch ["vdpbf16ps.512" 8 x 32, "vdpbf16ps.512" 4 x 32, "vdpbf16ps.512" 2 x 16, "vdpbf16ps.512" 1 x 16]>)"},
      {{"znver4", "", "", kF16},
       std::string("<rows = 256 x 32 prefetch ") + fma},
      // Tiles: bf16 of prompts, integers of any 16 rows. Weights that are
      // unpacked lose their zero point and are signed then.
      {{"sapphirerapids", "", "", kBF16},
       std::string("<prefill = 256 x 128 prefetch [\"tdpbf16ps\" 128 x 32], "
                   "decode = 256 x 32 prefetch ") +
           fma},
      {{"sapphirerapids", "", "", kF32},
       std::string("<rows = 256 x 32 prefetch ") + fma},
      {{"sapphirerapids", "", "", kInt4},
       "<rows = 256 x 32 prefetch [" + bytes + vpdpbusd},
      {{"sapphirerapids", "", "", kInt8G128},
       "<rows = 256 x 32 prefetch [" + unsignedBytes + vpdpbusd},
      {{"sapphirerapids", "", "", kInt8Minimum},
       "<rows = 256 x 32 prefetch [" + unsignedBytes + vpdpbusd},
      // 32 registers of 128 bits: 4 vectors for a panel.
      {{"generic", "", kArm, kBF16},
       R"(<rows = 256 x 16 prefetch ["fmla.128" 4 x 16, "fmla.128" 2 x 16, "fmla.128" 1 x 16]>)"},
      {{"generic", "", kArm, kInt8},
       R"(<rows = 256 x 16 prefetch ["smull.128" 2 x 16, "smull.128" 1 x 16]>)"},
      {{"cortex-a76", "", kArm, kInt4},
       R"(<rows = 256 x 16 prefetch ["sdot.128" 2 x 16, "sdot.128" 1 x 16]>)"},
      {{"neoverse-v1", "", kArm, kBF16},
       R"(<rows = 256 x 16 prefetch ["bfdot.128" 4 x 16, "bfdot.128" 2 x 16, "bfdot.128" 1 x 16]>)"},
      {{"neoverse-v1", "", kArm, kInt8},
       R"(<rows = 256 x 16 prefetch ["usdot.128" 2 x 16, "usdot.128" 1 x 16]>)"},
  };
  for (const auto &[row, expected] : table) {
    TargetInfo target =
        getTarget(row.cpu, row.features, row.triple ? row.triple : "");
    EXPECT_EQ(print(choose(target, row.matrix)), expected)
        << row.cpu << " " << getName(row.matrix);
  }
}

/// A parallel loop has two steps at least, and none crosses a panel.
TEST_F(Schedule, OfSmallMatrices) {
  TargetInfo target = getTarget("znver4", "", "");
  auto getBlock = [&](int64_t out) {
    return choose(target, kInt8, out).schedule.getRows().getNc();
  };
  EXPECT_EQ(getBlock(64), 32);
  EXPECT_EQ(getBlock(63), 16);
  EXPECT_EQ(getBlock(32), 16);
  EXPECT_EQ(getBlock(20), 8);
  EXPECT_EQ(getBlock(1), 1);
}

// Rows of a block that are longer than L2 has room for come in parts. Columns
// are cut so that there are two blocks of them.
TEST_F(Schedule, OfBlocksOfTileRegisters) {
  TargetInfo amx = getTarget("sapphirerapids", "", "");
  auto prefill = [&](int64_t out, int64_t in) {
    std::string text = print(choose(amx, kBF16, out, in));
    return text.substr(0, text.find(", decode"));
  };
  EXPECT_EQ(prefill(2048, 4096),
            R"(<prefill = 256 x 128 prefetch ["tdpbf16ps" 128 x 32])");
  EXPECT_EQ(prefill(2048, 8192),
            R"(<prefill = 256 x 256 prefetch ["tdpbf16ps" 256 x 256 by 2048])");
  EXPECT_EQ(prefill(96, 128),
            R"(<prefill = 256 x 32 prefetch ["tdpbf16ps" 128 x 32])");
  EXPECT_EQ(prefill(64, 8192),
            R"(<prefill = 256 x 32 prefetch ["tdpbf16ps" 256 x 32 by 2048])");
}

TEST_F(Schedule, SaysWhyAProductGetsNoTiles) {
  TargetInfo amx = getTarget("sapphirerapids", "", "");
  auto reasons = [&](const ElementFormat &matrix, int64_t out, int64_t in,
                     bool isOfLogits = false) {
    return getReasons(choose(amx, matrix, out, in, isOfLogits));
  };
  EXPECT_EQ(reasons(kBF16, 2048, 2048), "");
  EXPECT_EQ(reasons(kBF16, 2048, 2048, /*isOfLogits=*/true),
            "amx: its rows are single ones of many sequences; ");
  EXPECT_EQ(reasons(kBF16, 168, 64), "amx: out is 168, not a multiple of 32; ");
  EXPECT_EQ(reasons(kBF16, 32, 64), "amx: out is 32, less than 64; ");
  EXPECT_EQ(reasons(kBF16, 64, 168), "amx: in is 168, not a multiple of 32; ");
  EXPECT_EQ(reasons(kF32, 64, 64),
            "amx: the matrix is f32 and rows are f32, tiles take bf16; ");
  EXPECT_EQ(reasons(kInt4, 16, 64), "amx: out is 16, less than 32; ");
  EXPECT_EQ(reasons(kInt4, 64, 96), "amx: in is 96, not a multiple of 64; ");
  EXPECT_EQ(reasons(kInt8G128, 64, 96), ""); // padded to 128
  EXPECT_EQ(getReasons(choose(getTarget("x86-64-v3", "", ""), kInt4)),
            "vpdpbusd: the target has no VNNI; amx: the target has none; ");
  EXPECT_EQ(getReasons(choose(getTarget("x86-64-v4", "+amx-bf16", ""), kInt4)),
            "vpdpbusd: the target has no VNNI; "
            "amx: the target has none of integers; ");
}

TEST_F(Schedule, OfVectors) {
  for (auto [cpu, lanes, rowElements, accumulators] :
       {std::tuple("x86-64-v3", 8, 32, 8), {"znver4", 16, 64, 16}}) {
    VectorSchedule schedule = VectorSchedule::get(getTarget(cpu, "", ""));
    EXPECT_EQ(schedule.lanes, lanes);
    EXPECT_EQ(schedule.rowElements, rowElements);
    EXPECT_EQ(schedule.accumulators, accumulators);
  }
}

} // namespace
