//===- MetaQuantized.h - Llama 3.2 SpinQuant and QLoRA ----------*- C++ -*-===//
//
//   X.weight [out, in] int8, X.scales [out, in / group] (or a scale per row)
//   X.adaptor.A.weight [rank, in], X.adaptor.B.weight [out, rank]
//     =>  X.weight [out, in] f32 = weight * scale + loraScale * B A
//
// SpinQuant rotated the input of w2 by a Walsh-Hadamard matrix H, which a model
// has to apply before the product: w2 (H x). H is symmetric, so the rows of w2
// H are the transformed rows of w2, and what a Checkpoint hands on is an
// ordinary matrix for an ordinary x. A model that wants the integers of w2
// applies H itself and asks the QuantizedMatrix.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_FORMATS_METAQUANTIZED_H
#define LLAMA_WEIGHTS_FORMATS_METAQUANTIZED_H

#include "weights/Configs/MetaParams.h"
#include "weights/Formats/FileCheckpoint.h"

namespace llamaweights {

/// Multiplies the vector by the Walsh-Hadamard matrix of its size, a power of
/// two, divided by the square root of the size.
void transformHadamard(llvm::MutableArrayRef<float> values);

/// Replaces every group of tensors (weight, scales, zeros, adaptors) by one
/// with computed rows of f32.
llvm::Expected<std::vector<StoredTensor>>
dequantizeMeta(std::vector<StoredTensor> tensors,
               const MetaQuantization &quantization);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_FORMATS_METAQUANTIZED_H
