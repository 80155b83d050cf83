//===- MetaQuantized.cpp - Llama 3.2 SpinQuant and QLoRA ------------------===//
//
// A group of tensors per matrix becomes one source of rows. Sums of an adaptor
// are in f32, in the order of its ranks.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/MetaQuantized.h"

#include "weights/FloatConversion.h"
#include "weights/InputError.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cmath>

using namespace llvm;

namespace llamaweights {
namespace {

/// A stored tensor of any plain type, read as f32.
Error readValues(const StoredTensor &tensor, int64_t first, int64_t count,
                 MutableArrayRef<float> out) {
  int64_t columns = int64_t(out.size()) / std::max<int64_t>(count, 1);
  int64_t bytes = getBlockBytes(tensor.dtype);
  auto raw = std::make_unique_for_overwrite<char[]>(out.size() * size_t(bytes));
  if (Error error = readPieces(getPieces(tensor), bytes, columns, first, count,
                               {raw.get(), out.size() * size_t(bytes)}))
    return error;
  convertFloats(tensor.dtype, raw.get(), DType::F32,
                reinterpret_cast<char *>(out.data()), int64_t(out.size()));
  return Error::success();
}

class QuantizedRows : public RowSource, public QuantizedMatrix {
public:
  StoredTensor weight, scales;
  std::optional<StoredTensor> adaptorA, adaptorB;
  double loraScale = 0.0;

  Error readRows(int64_t first, int64_t count,
                 MutableArrayRef<char> out) const override;
  Error readCodes(int64_t first, int64_t count,
                  MutableArrayRef<int8_t> out) const override {
    return readPieces(getPieces(weight), 1, getColumns(), first, count,
                      {reinterpret_cast<char *>(out.data()), out.size()});
  }
  Error readScales(int64_t first, int64_t count,
                   MutableArrayRef<float> out) const override;
  Error readUntransformed(int64_t first, int64_t count,
                          MutableArrayRef<float> out) const override;

  int64_t getColumns() const { return weight.shape[1]; }

private:
  Error addAdaptor(const StoredTensor &left, const StoredTensor &right,
                   int64_t first, int64_t count,
                   MutableArrayRef<float> out) const;
};

Error QuantizedRows::readScales(int64_t first, int64_t count,
                                MutableArrayRef<float> out) const {
  // [out] is stored like a row, [out, 1] like a column: either way a run.
  if (scales.shape.size() == 2)
    return readValues(scales, first, count, out);
  std::vector<float> all(size_t(scales.shape[0]));
  if (Error error = readValues(scales, 0, 1, all))
    return error;
  std::copy_n(all.begin() + first, count, out.begin());
  return Error::success();
}

/// Adds the product of B (`left`) and A (`right`).
Error QuantizedRows::addAdaptor(const StoredTensor &left,
                                const StoredTensor &right, int64_t first,
                                int64_t count,
                                MutableArrayRef<float> out) const {
  int64_t rank = right.shape[0], columns = getColumns();
  std::vector<float> a(size_t(rank * columns)), b(size_t(count * rank));
  if (Error error = readValues(right, 0, rank, a))
    return error;
  if (Error error = readValues(left, first, count, b))
    return error;
  for (int64_t row = 0; row < count; ++row)
    for (int64_t i = 0; i < rank; ++i) {
      float factor = float(loraScale) * b[size_t(row * rank + i)];
      const float *from = &a[size_t(i * columns)];
      float *to = &out[size_t(row * columns)];
      for (int64_t column = 0; column < columns; ++column)
        to[column] += factor * from[column];
    }
  return Error::success();
}

Error QuantizedRows::readUntransformed(int64_t first, int64_t count,
                                       MutableArrayRef<float> out) const {
  size_t groups = size_t(getColumns() / groupSize);
  std::vector<int8_t> codes(out.size());
  std::vector<float> factors(size_t(count) * groups);
  if (Error error = readCodes(first, count, codes))
    return error;
  if (Error error = readScales(first, count, factors))
    return error;
  for (size_t i = 0; i < codes.size(); ++i)
    out[i] = float(codes[i]) * factors[i / size_t(groupSize)];
  if (adaptorA && adaptorB)
    return addAdaptor(*adaptorB, *adaptorA, first, count, out);
  return Error::success();
}

Error QuantizedRows::readRows(int64_t first, int64_t count,
                              MutableArrayRef<char> out) const {
  size_t columns = size_t(getColumns());
  std::vector<float> values(size_t(count) * columns);
  if (Error error = readUntransformed(first, count, values))
    return error;
  if (isHadamardRotated)
    for (size_t row = 0; row < size_t(count); ++row)
      transformHadamard(MutableArrayRef(values).slice(row * columns, columns));
  std::copy_n(reinterpret_cast<const char *>(values.data()), out.size(),
              out.data());
  return Error::success();
}

/// Takes the tensors of one matrix out of the table.
class GroupBuilder {
public:
  GroupBuilder(StringMap<StoredTensor> &tensors,
               const MetaQuantization &quantization)
      : tensors(tensors), quantization(quantization) {}

  Error build(StoredTensor &weight) {
    std::string stem = StringRef(weight.name).drop_back(strlen("weight")).str();
    where = weight.file->getPath().str() + ": tensor " + quote(weight.name);
    auto rows = std::make_shared<QuantizedRows>();
    if (Error error = addScales(weight, stem, *rows))
      return error;
    if (Error error = addAdaptors(weight, stem, *rows))
      return error;
    rows->isHadamardRotated =
        quantization.isHadamardRotated && StringRef(stem).contains(".w2.");
    if (rows->isHadamardRotated && !isPowerOf2_64(uint64_t(weight.shape[1])))
      return makeInputError(where, "has " + Twine(weight.shape[1]) +
                                       " columns, expected a power of two to "
                                       "transform");
    rows->weight = weight;
    weight.pieces.clear();
    weight.dtype = DType::F32;
    weight.quantized = rows;
    weight.rows = std::move(rows);
    return Error::success();
  }

private:
  std::optional<StoredTensor> take(const Twine &name) {
    auto found = tensors.find(name.str());
    if (found == tensors.end())
      return std::nullopt;
    StoredTensor tensor = std::move(found->second);
    tensors.erase(found);
    return tensor;
  }

  Error addScales(const StoredTensor &weight, const std::string &stem,
                  QuantizedRows &rows) {
    std::optional<StoredTensor> scales = take(stem + "scales");
    if (weight.shape.size() != 2 || !scales || scales->dtype == DType::I8)
      return makeInputError(where, "is a matrix of i8 without scales");
    const std::vector<int64_t> &shape = scales->shape;
    bool fits = !shape.empty() && shape[0] == weight.shape[0];
    int64_t groups = shape.size() == 2 ? shape[1] : 1;
    rows.groupSize = groups == 1 ? weight.shape[1] : quantization.groupSize;
    if (!fits || rows.groupSize < 1 || groups < 1 ||
        weight.shape[1] % rows.groupSize != 0 ||
        weight.shape[1] / rows.groupSize != groups)
      return makeInputError(where, "expected scales for groups of " +
                                       Twine(quantization.groupSize) +
                                       " columns or one for a row of " +
                                       formatShape(weight.shape) + ", found " +
                                       formatShape(shape));
    rows.bits = groups == 1 ? 8 : 4;
    rows.scales = std::move(*scales);
    std::optional<StoredTensor> zeros = take(stem + "zeros");
    return zeros ? checkZeros(*zeros) : Error::success();
  }

  Error checkZeros(const StoredTensor &zeros) {
    int64_t rows = zeros.shape.size() == 2 ? zeros.shape[0] : 1;
    for (int64_t row = 0; row < rows; ++row) {
      std::vector<float> values(
          size_t(zeros.shape.empty() ? 1 : zeros.shape.back()));
      if (Error error = readValues(zeros, row, 1, values))
        return error;
      if (std::any_of(values.begin(), values.end(),
                      [](float value) { return value != 0.0f; }))
        return makeInputError(where, "has zero points other than 0");
    }
    return Error::success();
  }

  Error addAdaptors(const StoredTensor &weight, const std::string &stem,
                    QuantizedRows &rows) {
    rows.adaptorA = take(stem + "adaptor.A.weight");
    rows.adaptorB = take(stem + "adaptor.B.weight");
    rows.loraScale = quantization.loraScale;
    if (!rows.adaptorA && !rows.adaptorB)
      return Error::success();
    int64_t rank = quantization.loraRank;
    bool fits = rows.adaptorA && rows.adaptorB &&
                rows.adaptorA->shape == std::vector{rank, weight.shape[1]} &&
                rows.adaptorB->shape == std::vector{weight.shape[0], rank} &&
                rank > 0;
    if (!fits)
      return makeInputError(where, "expected adaptors A [" + Twine(rank) +
                                       ", " + Twine(weight.shape[1]) +
                                       "] and B [" + Twine(weight.shape[0]) +
                                       ", " + Twine(rank) + "]");
    return Error::success();
  }

  StringMap<StoredTensor> &tensors;
  const MetaQuantization &quantization;
  std::string where;
};

} // namespace

void transformHadamard(MutableArrayRef<float> values) {
  size_t size = values.size();
  for (size_t stride = 1; stride < size; stride *= 2)
    for (size_t block = 0; block < size; block += 2 * stride)
      for (size_t i = block; i < block + stride; ++i) {
        float a = values[i], b = values[i + stride];
        values[i] = a + b;
        values[i + stride] = a - b;
      }
  float factor = float(1.0 / std::sqrt(double(size)));
  for (float &value : values)
    value *= factor;
}

Expected<std::vector<StoredTensor>>
dequantizeMeta(std::vector<StoredTensor> tensors,
               const MetaQuantization &quantization) {
  StringMap<StoredTensor> others;
  std::vector<StoredTensor> result;
  for (StoredTensor &tensor : tensors)
    if (StringRef(tensor.name).ends_with(".weight") &&
        !StringRef(tensor.name).contains(".adaptor."))
      result.push_back(std::move(tensor));
    else
      others[tensor.name] = std::move(tensor);
  GroupBuilder builder(others, quantization);
  for (StoredTensor &tensor : result)
    if (tensor.dtype == DType::I8)
      if (Error error = builder.build(tensor))
        return std::move(error);
  for (auto &rest : others)
    result.push_back(std::move(rest.second));
  return result;
}

} // namespace llamaweights
