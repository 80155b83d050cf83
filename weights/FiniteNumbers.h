//===- FiniteNumbers.h - Where a number is NaN or infinite ------*- C++ -*-===//
//
// By exponents alone, a block at a time: what is looked at anyway is hardly
// slowed down.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_FINITENUMBERS_H
#define LLAMA_WEIGHTS_FINITENUMBERS_H

#include "weights/DType.h"

#include <cstdint>
#include <optional>
#include <string>

namespace llamaweights {

struct NonFinite {
  int64_t index;    ///< of the element
  std::string text; ///< "nan", "inf" or "-inf"
};

/// The first of `count` elements of f32, f16 or bf16 that is not finite;
/// `numbers` needs no alignment.
std::optional<NonFinite> findNonFinite(DType type, const char *numbers,
                                       int64_t count);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_FINITENUMBERS_H
