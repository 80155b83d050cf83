//===- ComputeUnits.h - What a CPU can multiply and add with ----*- C++ -*-===//
//
// A unit is a kind of instruction; its loop does nothing but that, on as many
// independent sums as hide the latency, with operands in registers. How many
// products a second that makes is the most any kernel can reach with it.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TOOLS_MEASURE_COMPUTEUNITS_H
#define LLAMA_RUNTIME_TOOLS_MEASURE_COMPUTEUNITS_H

#include <cstdint>
#include <string_view>
#include <vector>

namespace llamart::tools {

/// What the operands of the products are.
enum class Operands : uint8_t { F32, BF16, Int8 };

struct ComputeUnit {
  std::string_view name; ///< "avx512 fma f32"
  Operands operands;
  /// Multiplications and additions of one round, each counted.
  uint64_t operations;
  /// Runs so many rounds. The result means nothing and is there to be used.
  double (*run)(uint64_t rounds);
};

/// Those of this machine, the widest of each kind; at least one for f32. Asks
/// the kernel for the use of tiles where the CPU has them.
std::vector<ComputeUnit> findComputeUnits();

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_MEASURE_COMPUTEUNITS_H
