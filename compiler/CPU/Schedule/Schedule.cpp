//===- Schedule.cpp - The numbers of one CPU ------------------------------===//
//
// Every number that depends on the machine, with the sum that leads to it.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Schedule/Schedule.h"

#include "dialects/Llama/IR/LlamaTypes.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::llama;

VectorSchedule VectorSchedule::get(const TargetInfo &target) {
  VectorSchedule schedule;
  schedule.lanes = target.vectorBits / 32;
  // Four registers of one row: enough independent work to hide the latency of
  // an addition, few enough not to spill with three operands.
  schedule.rowElements = 4 * schedule.lanes;
  // Half of the registers; the rest is for a row of the right side, as read and
  // widened, and what the left side is broadcast to.
  schedule.accumulators = target.vectorBits == 512 ? 16 : 8;
  return schedule;
}

ProductShape ProductShape::get(MatmulOp product) {
  RankedTensorType matrix = product.getMatrixTensor();
  return {
      getElementFormat(matrix.getElementType()),
      cast<ShapedType>(product.getRows().getType()).getElementType().isBF16(),
      matrix.getDimSize(0), matrix.getDimSize(1), product.getLogits()};
}

namespace {

constexpr int64_t kPanel = PanelLayout::kPanelRows;

// All rows of a block use a panel before the next one comes from memory, so
// more rows are better until they leave L2:
//   256 rows * 2048 columns * 2 bytes (bf16) = 1 MiB of 1-2 MiB.
// On Zen 4 prompts were 7 % faster than with 128.
constexpr int64_t kMC = 256;

/// The choice for one product.
class Chooser {
public:
  Chooser(MLIRContext *context, const TargetInfo &target,
          const ProductShape &product)
      : context(context), target(target), product(product) {}

  KernelChoice choose();

private:
  NestAttr chooseIntegers();
  NestAttr chooseFloats();
  /// Whether bytes go through tile registers; says why not.
  bool takesByteTiles();
  NestAttr chooseBF16Tiles();
  void refuse(StringRef instruction, const Twine &reason) {
    choice.refused.push_back({instruction.str(), reason.str()});
  }

  /// Blocks of rows `mr` high, then half as high and so on down to single rows,
  /// all with one instruction: so that sequences that decode together read a
  /// panel once. Columns are cut to what the matrix has: two blocks of them at
  /// least, for a parallel loop of one step would be folded away, and every
  /// thread would do its work.
  NestAttr getNest(Instruction instruction, int64_t mr, int64_t nr,
                   int64_t decodeNr, ArrayRef<TileAttr> before = {}) {
    int64_t nc = getBlockColumns(std::max(nr, decodeNr));
    SmallVector<TileAttr> tiles(before);
    tiles.push_back(
        TileAttr::get(context, instruction, mr, std::min(nr, nc), 0));
    // Two rows wait for memory as a single one does, and are as narrow; of more
    // the rows, too, are worth reading once for two panels. On Zen 4, one
    // thread, four rows of bf16: 26.6 GB/s with two panels, 19.2 with one.
    // Only blocks of `mr` rows ask for the panels of the next columns: on Zen 4
    // eight rows of bf16 are 1.3 times as fast with it, and four rows of int8
    // 0.78 times (0.85 with one prefetch a group, in the same panel).
    for (int64_t rows = mr / 2; rows > 0; rows /= 2)
      tiles.push_back(TileAttr::get(context, instruction, rows,
                                    std::min(rows > 2 ? nr : decodeNr, nc), 0));
    return NestAttr::get(context, kMC, nc, /*prefetch=*/mr > 1, tiles);
  }
  /// No block crosses a panel: a power of two.
  int64_t getBlockColumns(int64_t most) {
    int64_t half = std::max<int64_t>(1, product.out / 2);
    return std::min(most, static_cast<int64_t>(
                              llvm::bit_floor(static_cast<uint64_t>(half))));
  }

  MLIRContext *context;
  const TargetInfo &target;
  const ProductShape &product;
  KernelChoice choice;
};

} // namespace

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

static Instruction chooseByteDots(const TargetInfo &target) {
  if (target.architecture == Architecture::AArch64)
    return target.hasMixedDotProducts ? Instruction::USDOT
           : target.hasDotProducts    ? Instruction::SDOT
                                      : Instruction::SMULL;
  bool isWide = target.vectorBits == 512;
  if (target.hasVNNI)
    return isWide ? Instruction::VPDPBUSD512 : Instruction::VPDPBUSD256;
  return isWide ? Instruction::VPMADDWD512 : Instruction::VPMADDWD256;
}

bool Chooser::takesByteTiles() {
  constexpr StringLiteral kName = "amx";
  if (target.architecture != Architecture::X86)
    return false;
  int64_t in = PanelLayout{product.matrix}.getPaddedColumns(product.in);
  if (!target.hasAMXInt8)
    refuse(kName, target.hasAMX ? "the target has none of integers"
                                : "the target has none");
  else if (product.out < 2 * kPanel)
    refuse(kName,
           llvm::formatv("out is {0}, less than {1}", product.out, 2 * kPanel));
  else if (in % 64 != 0)
    refuse(kName, llvm::formatv("in is {0}, not a multiple of 64", in));
  else
    return true;
  return false;
}

NestAttr Chooser::chooseIntegers() {
  Instruction dots = chooseByteDots(target);
  if (target.architecture == Architecture::X86 && !target.hasVNNI)
    refuse("vpdpbusd", "the target has no VNNI");
  // Lanes are rows of a quantized matrix. A panel is one vector of 16 lanes,
  // two of 8, four of 4. What a row costs for its panel (loads, bytes from 4
  // bits) is shared by the rows of a block, so dots take half of the registers:
  //   VNNI:    8 rows * 2 vectors = 16 of 32
  //   AVX2:    4 rows * 2 vectors = 8 of 16
  //   NEON:    2 rows * 4 vectors = 8 of 32, and as many sums
  // Sums are needed once in a group and wait in memory if they must. Without
  // VNNI products pass through registers, too: 4 rows of 8 are up to 16 %
  // faster.
  bool isWide = target.vectorBits == 512;
  int64_t mr = target.vectorBits == 128 ? 2 : isWide && target.hasVNNI ? 8 : 4;
  int64_t nr = isWide ? 2 * kPanel : kPanel;

  // On AMX, 32 rows by 32 (two panels): eight tile registers
  // are 2 * 2 sums, 2 tiles of rows and 2 of the matrix. For a group of g
  // elements, in cycles of a core that starts a product of 16 * 64 by 64 * 16
  // bytes every 16 cycles and has two units for vectors of 512 bits:
  //   products             4 * 16 * max(g, 64) / 64     64 for 32, 128 for 128
  //   scales of 64 vectors  64 * 3 / 2                  96
  //   zero point, 8 bits    (64 + 32) / 2               48
  //   unpacking, 4 bits     g / 4 lines * 4 / 2         16 for 32, 64 for 128
  // Products of a group run beside the scales of the one before.
  // vpdpbusd takes 32 * 32 * g / 64 / 2 = 8 g instead of the products: 256 for
  // 32, 1024 for 128. Scales, which are the same there, bound what is won.
  SmallVector<TileAttr> tiles;
  if (takesByteTiles()) {
    // Bytes that are unpacked lose their zero point on the way.
    bool isUnpacked = product.matrix.bits == 4 || product.matrix.group < 64;
    bool isSigned = isUnpacked && product.matrix.getZeroPoint() != 0;
    Instruction tile = isSigned ? Instruction::TDPBSSD : Instruction::TDPBSUD;
    for (int64_t rows : {2 * kPanel, kPanel})
      tiles.push_back(TileAttr::get(context, tile, rows, 2 * kPanel, 0));
  }
  return getNest(dots, mr, nr, kPanel, tiles);
}

//===----------------------------------------------------------------------===//
// Floating point
//===----------------------------------------------------------------------===//

NestAttr Chooser::chooseFloats() {
  bool isBF16 =
      product.hasBF16Rows && product.matrix.kind == llamaabi::ElementKind::BF16;
  bool hasDots = isBF16 && target.hasFastBF16Dots;
  // A lane is a row of the matrix and adds its products one after the other:
  // what hides the latency of an addition is other lanes. Accumulators are half
  // of the registers; the rest is for the vectors of a line, as read and
  // widened, and for what a row is broadcast to.
  //   AVX-512: 8 rows * 2 vectors = 16 of 32
  //   AVX2:    4 rows * 2 vectors =  8 of 16
  //   NEON:    4 rows * 4 vectors = 16 of 32
  if (target.architecture == Architecture::AArch64)
    return getNest(hasDots ? Instruction::BFDOT : Instruction::FMLA, 4, kPanel,
                   kPanel);
  // A single row waits for memory and wants panels one after the other, each one
  // stream, unless the chain of additions is slower than that. For a line, 64
  // bytes of one panel, at 3.7 GHz of a Zen 4 whose core reads 35 GB/s:
  //   vdpbf16ps: one of 6 cycles           39 GB/s
  //   FMA:       two of 4, of each element  30 GB/s; two panels 60
  // Measured, bf16 of Llama-3.2-1B's shape, one thread: 32.6 GB/s with one
  // panel, 29.6 with two.
  if (target.vectorBits == 512 && hasDots)
    return getNest(Instruction::VDPBF16PS512, 8, 2 * kPanel, kPanel);
  if (target.vectorBits == 512)
    return getNest(Instruction::FMA512, 8, 2 * kPanel, 2 * kPanel);
  return getNest(Instruction::FMA256, 4, kPanel, 2 * kPanel);
}

NestAttr Chooser::chooseBF16Tiles() {
  constexpr StringLiteral kName = "amx";
  if (target.architecture != Architecture::X86)
    return {};
  bool isBF16 =
      product.hasBF16Rows && product.matrix.kind == llamaabi::ElementKind::BF16;
  if (!target.hasAMX)
    refuse(kName, target.hasAMXInt8 ? "the target has none of bf16"
                                    : "the target has none");
  else if (product.isOfLogits)
    refuse(kName, "its rows are single ones of many sequences");
  else if (!isBF16)
    refuse(kName, llvm::formatv("the matrix is {0} and rows are {1}, tiles "
                                "take bf16",
                                getName(product.matrix),
                                product.hasBF16Rows ? "bf16" : "f32"));
  else if (product.out % (2 * kPanel) != 0)
    refuse(kName, llvm::formatv("out is {0}, not a multiple of {1}",
                                product.out, 2 * kPanel));
  else if (product.out < 4 * kPanel)
    refuse(kName,
           llvm::formatv("out is {0}, less than {1}", product.out, 4 * kPanel));
  else if (product.in % 32 != 0)
    refuse(kName, llvm::formatv("in is {0}, not a multiple of 32", product.in));
  else {
    // Tiles of rows and panels both come from L2, 4 KB for 64 cycles of products:
    // that is what bounds a block, at about half of the peak. So rows have to be
    // there,
    //   256 rows * 2048 columns * 2 bytes = 1 MiB of 2 MiB,
    // or so many of their elements, read again for every nc columns whose sums
    // grow meanwhile. More rows read the matrix from memory less often.
    constexpr int64_t kRows = 256, kMostDepth = 4096, kPartDepth = 2048;
    if (product.in > kMostDepth) {
      int64_t nc = getBlockColumns(256);
      auto part =
          TileAttr::get(context, Instruction::TDPBF16PS, kRows, nc, kPartDepth);
      return NestAttr::get(context, kRows, nc, /*prefetch=*/true, part);
    }
    // What an epilogue reads waits on the stack, 128 * 32 * 4 bytes a product.
    auto tile = TileAttr::get(context, Instruction::TDPBF16PS, kRows / 2,
                              2 * kPanel, 0);
    return NestAttr::get(context, kRows, getBlockColumns(128),
                         /*prefetch=*/true, tile);
  }
  return {};
}

KernelChoice Chooser::choose() {
  if (product.matrix.isInteger()) {
    choice.schedule = ScheduleAttr::get(context, chooseIntegers(), NestAttr());
  } else {
    NestAttr prefill = chooseBF16Tiles();
    choice.schedule = ScheduleAttr::get(context, chooseFloats(), prefill);
  }
  return std::move(choice);
}

KernelChoice llama::chooseKernel(MLIRContext *context, const TargetInfo &target,
                                 const ProductShape &product) {
  return Chooser(context, target, product).choose();
}
