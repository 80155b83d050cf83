//===- Schedule.h - Sizes of tiles for one CPU ------------------*- C++ -*-===//

#ifndef LLAMA_COMPILER_CPU_SCHEDULE_SCHEDULE_H
#define LLAMA_COMPILER_CPU_SCHEDULE_SCHEDULE_H

#include "compiler/Machine/TargetInfo.h"

namespace mlir::llama {

/// Options of the passes of this room, by the names they have there.
struct CPUSchedule {
  int64_t lanes;            ///< f32 elements of a vector register
  ByteDots byteDots;        ///< what adds four products of bytes
  bool bf16Pairs;           ///< sums of bf16 products add neighbours in a lane
  bool bf16Dots;            ///< two products of bf16 are one instruction
  int64_t rowElements;      ///< elements of a row handled at once
  int64_t sumRegisters;     ///< for the sums of a product across rows
  int64_t panelColumns;     ///< weight rows read side by side
  int64_t blockRows;        ///< of a register block
  int64_t blockColumns;     ///< of a register block
  int64_t quantizedRows;    ///< of a register block of a quantized matrix
  int64_t quantizedColumns; ///< rows of a quantized matrix in a tile
  int64_t rowsPerPass;      ///< rows that use a panel while it is in the cache

  bool amx;                ///< rows of prompts on AMX tiles
  int64_t amxRowsPerPass;  ///< rows that are packed at once
  int64_t amxPanelColumns; ///< weight rows that use them while they are near
  int64_t amxDepth;        ///< elements of a sum that are added at once
  bool amxInt8;            ///< products with quantized matrices on AMX tiles
};

CPUSchedule getSchedule(const TargetInfo &target);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_CPU_SCHEDULE_SCHEDULE_H
