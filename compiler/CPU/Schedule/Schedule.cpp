//===- Schedule.cpp - Sizes of tiles for one CPU --------------------------===//
//
// Every number that depends on the machine, with the sum that leads to it.
//
//===----------------------------------------------------------------------===//

#include "compiler/CPU/Schedule/Schedule.h"

using namespace mlir::llama;

CPUSchedule mlir::llama::getSchedule(const TargetInfo &target) {
  CPUSchedule schedule;
  schedule.lanes = target.vectorBits / 32;
  schedule.byteDots = target.byteDots;
  schedule.bf16Dots = target.hasFastBF16Dots;
  // NEON widens neighbours to neighbours by one instruction, x86 by two.
  schedule.bf16Pairs = schedule.bf16Dots || target.vectorBits >= 256;

  // Four registers of one row: enough independent work to hide the latency of
  // an addition, few enough not to spill with three operands.
  schedule.rowElements = 4 * schedule.lanes;

  // Half of the registers; the rest is for a row of the right side, as read and
  // widened, and what the left side is broadcast to.
  schedule.sumRegisters = target.vectorBits == 512 ? 16 : 8;

  // A core's prefetchers follow eight sequential streams at once: eight rows of
  // weights side by side read memory at 19-20 GB/s where one reads it at 10.
  schedule.panelColumns = 8;

  // Registers of a block: rows * columns sums, `columns` weights and one row.
  //   32 registers (AVX-512): 4 * 4 + 4 + 4 = 24
  //   16 registers (AVX2):    2 * 4 + 4 + 2 = 14
  bool isWide = target.vectorBits == 512;
  schedule.blockRows = isWide ? 4 : 2;
  schedule.blockColumns = 4;

  // Lanes are rows of a quantized matrix. A panel is one vector of 16 lanes,
  // two of 8, four of 4. What a row costs for its panel (loads, bytes from 4
  // bits) is shared by the rows of a block, so dots take half of the registers:
  //   VNNI:    8 rows * 2 vectors = 16 of 32
  //   AVX2:    4 rows * 2 vectors = 8 of 16
  //   NEON:    2 rows * 4 vectors = 8 of 32, and as many sums
  // Sums are needed once in a group and wait in memory if they must. Without
  // VNNI products pass through registers, too: 4 rows of 8 are up to 16 %
  // faster.
  bool hasDots = target.byteDots == ByteDots::VPDPBUSD;
  schedule.quantizedRows = target.vectorBits == 128 ? 2
                           : isWide && hasDots      ? 8
                                                    : 4;
  schedule.quantizedColumns = isWide ? 32 : 16;

  // All rows of a pass use a panel before the next one comes from memory, so
  // more rows are better until they leave L2:
  //   256 rows * 2048 columns * 2 bytes (bf16) = 1 MiB of 1-2 MiB.
  // On Zen 4 prompts were 7 % faster than with 128.
  schedule.rowsPerPass = 256;

  // A core multiplies 512 pairs of bf16 a cycle, so what it loads decides.
  //   32 weight rows * 512 * 2 bytes = 32 KiB of 48 stay in L1 for all rows;
  //   256 rows * 512 * 2 bytes = 256 KiB come from L2, 32 bytes a cycle;
  //   they come from farther away once for 128 weight rows;
  //   sums, 128 * 256 * 4 bytes = 128 KiB, are loaded and stored every 16
  //   steps.
  schedule.amx = target.hasAMX;
  schedule.amxRowsPerPass = 256;
  schedule.amxPanelColumns = 128;
  schedule.amxDepth = 512;

  // With a quantized matrix, 32 rows by 32 (two panels): eight tile registers
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
  schedule.amxInt8 = target.hasAMXInt8;
  return schedule;
}
