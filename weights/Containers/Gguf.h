//===- Gguf.h - Keys and tensors of a *.gguf file ---------------*- C++ -*-===//
//
//   "GGUF", version, number of tensors, number of keys
//   keys: name, type, value
//   tensors: name, dimensions (fastest first), type, offset in the data section
//   padding to general.alignment, then the data section
//
// Names and strings are a length and bytes.
//
// Versions 2 and 3, little-endian. What the keys mean is GgufConfig's business.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_CONTAINERS_GGUF_H
#define LLAMA_WEIGHTS_CONTAINERS_GGUF_H

#include "weights/Containers/StoredTensor.h"

#include <map>

namespace llamaweights {

enum class GgufType : uint32_t {
  U8 = 0,
  I8 = 1,
  U16 = 2,
  I16 = 3,
  U32 = 4,
  I32 = 5,
  F32 = 6,
  Bool = 7,
  String = 8,
  Array = 9,
  U64 = 10,
  I64 = 11,
  F64 = 12,
};

/// A scalar is an array of one.
struct GgufValue {
  GgufType type = GgufType::U8; ///< of the elements; never Array
  bool isArray = false;
  std::string bytes;                ///< the elements, unless they are strings
  std::vector<std::string> strings; ///< the elements if they are

  size_t getCount() const;
  /// Element `i` as an integer; none if it is not an integer or needs more than 63 bits.
  std::optional<int64_t> getInteger(size_t i) const;
  /// Element `i` as a number; none if it is not one. An f32 becomes the double
  /// with the shortest decimal form that rounds to it: 1e-5 is stored as f32,
  /// and 1e-5 was meant.
  std::optional<double> getNumber(size_t i) const;
  /// "the integer 5", "an array": for messages.
  std::string describe() const;
};

struct GgufFile {
  std::string path;
  std::map<std::string, GgufValue> keys;
  std::vector<StoredTensor> tensors; ///< in the order of the file
};

llvm::Expected<GgufFile> readGguf(const std::shared_ptr<InputFile> &file);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CONTAINERS_GGUF_H
