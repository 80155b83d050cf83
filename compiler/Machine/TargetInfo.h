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

enum class Architecture : uint8_t { X86, AArch64 };

struct TargetInfo {
  std::string triple;
  std::string cpu;
  std::string features; ///< LLVM's "+avx2,+fma"; beyond what the cpu implies
  Architecture architecture = Architecture::X86;
  int64_t vectorBits = 0;      ///< of the widest register that is used
  bool hasVNNI = false;        ///< x86-64: vpdpbusd for registers of that width
  bool hasDotProducts = false; ///< aarch64: sdot
  bool hasMixedDotProducts = false; ///< aarch64: usdot
  bool hasAMX = false;              ///< tile products of bf16
  bool hasAMXInt8 = false;          ///< tile products of bytes
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
