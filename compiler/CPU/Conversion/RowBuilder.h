//===- RowBuilder.h - Pieces from which conversions are built ---*- C++ -*-===//
//
// linalg on rows: the same few shapes of generic and loop, with names.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_COMPILER_CPU_CONVERSION_ROWBUILDER_H
#define LLAMA_COMPILER_CPU_CONVERSION_ROWBUILDER_H

#include "compiler/CPU/Conversion/Passes.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::llama {

class RowBuilder : public ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  using Body = function_ref<void(RowBuilder &, ValueRange)>;
  using ScalarBody = function_ref<Value(RowBuilder &, ValueRange)>;
  using LoopBody = function_ref<Value(RowBuilder &, ValueRange, Value)>;

  Value index(int64_t value);
  Value f32(double value);
  /// dim(value, 0): how many rows there are.
  Value rowCount(Value rows);
  Value empty(ArrayRef<int64_t> shape, Type element, ValueRange dynamic = {});
  /// A tensor<?x columns> with the rows of `like`.
  Value emptyRows(Value like, int64_t columns, Type element);
  Value fill(double value, Value into);
  /// `value` widened or rounded to `type`, both floating point or vectors of
  /// it; signed integers become what they are.
  Value convertFloat(Value value, Type type);
  /// sum + x * y, f32; may be rounded once (fused) instead of twice.
  Value addProduct(Value sum, Value x, Value y);
  /// Element [indices] of an integer tensor, as an index.
  Value extractIndex(Value tensor, ValueRange indices);

  /// linalg.generic with maps given as lists of dimensions.
  Value generic(ValueRange inputs, Value init,
                ArrayRef<SmallVector<unsigned>> maps, unsigned parallel,
                unsigned reductions, ScalarBody body);
  /// linalg.generic over all dimensions, element by element, into `init`.
  Value elementwise(ValueRange inputs, Value init, ScalarBody body);

  /// tensor.extract_slice / insert_slice; unit sizes in front of `keptRank`
  /// dimensions are dropped.
  Value slice(Value source, ArrayRef<OpFoldResult> offsets,
              ArrayRef<int64_t> sizes, int64_t keptRank);

  /// memref.subview of the kept shape: `sizes` without some that are 1.
  Value subview(Value source, ArrayRef<OpFoldResult> offsets,
                ArrayRef<int64_t> sizes, ArrayRef<int64_t> keptShape);

  /// scf.forall over `bounds`; the tensor `body` makes from the loop numbers
  /// and the shared result becomes a slice of it at `offsets(numbers)`.
  Value forall(
      ArrayRef<OpFoldResult> bounds, Value init, ArrayRef<int64_t> sliceSizes,
      function_ref<SmallVector<OpFoldResult>(RowBuilder &, ValueRange)> offsets,
      LoopBody body);
  /// scf.forall over the rows of `like`, without a result.
  void forallRows(Value like, Body body);

  /// scf.for from 0 to `bound`, carrying `inits`.
  SmallVector<Value>
  loop(Value bound, ValueRange inits,
       function_ref<SmallVector<Value>(RowBuilder &, Value, ValueRange)> body);
};

} // namespace mlir::llama

#endif // LLAMA_COMPILER_CPU_CONVERSION_ROWBUILDER_H
