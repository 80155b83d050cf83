//===- TargetInfo.h - The machine that will run a model ---------*- C++ -*-===//
//
// --mtriple, --mcpu, --mattr   =>   what schedules and the code generator ask
// about it
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_MACHINE_TARGETINFO_H
#define LLAMA_COMPILER_MACHINE_TARGETINFO_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"

#include <memory>
#include <string>
#include <vector>

namespace mlir::llama {

/// What adds four neighbouring products of bytes to an integer of 32 bits.
/// Signed ones take weights as they are less 128, or as they are below 128.
enum class ByteDots : uint8_t {
  Widen,    ///< any machine: products of integers of 32 bits
  VPDPBUSD, ///< x86-64 with VNNI: unsigned weights
  VPMADDWD, ///< x86-64 with AVX2: products of 16 bits; unsigned weights
  SMULL,    ///< any aarch64: products of 16 bits, added in pairs; signed
  SDOT,     ///< aarch64 with dot products; signed
  USDOT,    ///< aarch64 with matrix products of bytes: unsigned weights
};

struct TargetInfo {
  std::string triple;
  std::string cpu;
  std::string features;   ///< LLVM's "+avx2,+fma"; beyond what the cpu implies
  int64_t vectorBits = 0; ///< of the widest register that is used
  ByteDots byteDots = ByteDots::Widen; ///< for registers of that width
  bool hasAMX = false;                 ///< tile products of bf16
  bool hasAMXInt8 = false;             ///< tile products of bytes
  /// vdpbf16ps at the rate of FMA, two products each: 233 GFLOP/s a core on Zen
  /// 4, where FMA has 117. On Sapphire Rapids it is half as fast as FMA. On
  /// aarch64 bfdot, which also spares the widening.
  bool hasFastBF16Dots = false;

  /// x86-64 or aarch64. `cpu` may be "native", on a machine of that kind, and
  /// empty: that, or generic for another kind; `attributes` are features beyond
  /// it ("+a,-b"). An error names a triple, cpu or feature that LLVM does not
  /// know, and a cpu without the vectors that the kernels need.
  static llvm::Expected<TargetInfo>
  get(llvm::StringRef triple, llvm::StringRef cpu, llvm::StringRef attributes);

  /// For position-independent code, optimized.
  std::unique_ptr<llvm::TargetMachine> createMachine() const;

  /// Names of the features that the code may use and that not every machine of
  /// its architecture has, as the runtime checks them.
  std::vector<std::string> getRequiredFeatures() const;
};

} // namespace mlir::llama

#endif // LLAMA_COMPILER_MACHINE_TARGETINFO_H
