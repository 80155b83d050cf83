//===- AddByteDots.h - Four products of bytes to one integer ----*- C++ -*-===//

#ifndef LLAMA_COMPILER_CPU_KERNELS_ADDBYTEDOTS_H
#define LLAMA_COMPILER_CPU_KERNELS_ADDBYTEDOTS_H

#include "compiler/Machine/TargetInfo.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::llama {

/// As in the pass option: the instruction, or "widen".
llvm::StringRef getName(ByteDots dots);

/// Whether weights must be signed bytes; rows always are.
inline bool takesSignedWeights(ByteDots dots) {
  return dots == ByteDots::SMULL || dots == ByteDots::SDOT;
}

/// sum[i] + the products of bytes 4 i .. 4 i + 3. `sum` is a vector of i32,
/// `weights` and `rows` are vectors of four times as many bytes. Exact. SMULL,
/// SDOT and USDOT are for 4 lanes, VPDPBUSD and VPMADDWD for 8 or 16.
Value addByteDots(ImplicitLocOpBuilder &b, ByteDots dots, Value sum,
                  Value weights, Value rows);

/// Whether weights of so many bits are multiplied with bytes faster by sums of
/// 16 bits. They hold 32 products: 32 * 15 * 128 / 2 = 30720 in each half of a
/// word.
bool addsInHalves(ByteDots dots, int64_t bits);

/// Adds to each of `halves`, i16, two products of neighbouring bytes.
Value addByteProducts(ImplicitLocOpBuilder &b, Value halves, Value weights,
                      Value rows);

/// Adds to each integer of `sum`, i32, the two halves that lie there.
Value addHalves(ImplicitLocOpBuilder &b, Value sum, Value halves);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_CPU_KERNELS_ADDBYTEDOTS_H
