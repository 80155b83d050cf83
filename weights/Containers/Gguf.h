//===- Gguf.h - Keys and tensors of a *.gguf file ---------------*- C++ -*-===//
//
//   "GGUF", version, number of tensors, number of keys
//   key: name, type, value                    (names and strings: length,
//   bytes) tensor: name, dimensions (fastest first), type, offset in the data
//   section padding to general.alignment, then the data section
//
// Versions 2 and 3, little-endian. What the keys mean is GgufModel's business.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_CONTAINERS_GGUF_H
#define LLAMA_WEIGHTS_CONTAINERS_GGUF_H

#include "weights/Formats/FileCheckpoint.h"

#include <map>
#include <set>

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
  /// Element `i` as an integer; none if it is no integer or beyond 63 bits.
  std::optional<int64_t> getInteger(size_t i) const;
  /// Element `i` as a number; none if it is none. An f32 becomes the double
  /// with the shortest decimal form that rounds to it: 1e-5 is stored as f32,
  /// and 1e-5 was meant.
  std::optional<double> getNumber(size_t i) const;
};

struct GgufFile {
  std::string path;
  std::map<std::string, GgufValue> keys;
  std::vector<StoredTensor> tensors; ///< in the order of the file
};

llvm::Expected<GgufFile> readGguf(const std::shared_ptr<InputFile> &file);

/// Typed access to the keys; complaints are kept until finish(), like those of
/// JsonObject.
class GgufKeys {
public:
  explicit GgufKeys(const GgufFile &file) : file(file) {}

  bool has(llvm::StringRef key) { return get(key) != nullptr; }

  // The key must be there, a scalar of that type.
  void read(llvm::StringRef key, int64_t &out);
  void read(llvm::StringRef key, double &out);
  void read(llvm::StringRef key, bool &out);
  void read(llvm::StringRef key, std::string &out);

  // Leaves `out` alone if the key is absent.
  template <typename T>
  void find(llvm::StringRef key, T &out) {
    if (has(key))
      read(key, out);
  }
  template <typename T>
  void find(llvm::StringRef key, std::optional<T> &out) {
    if (has(key))
      read(key, out.emplace());
  }

  /// One integer, or an array of `count` equal ones (a value per layer).
  void readPerLayer(llvm::StringRef key, int64_t count, int64_t &out);

  /// An array of strings that must be there; empty after a complaint.
  llvm::ArrayRef<std::string> readStrings(llvm::StringRef key);
  /// An array of `count` elements that must be there, null after a complaint.
  const GgufValue *readArray(llvm::StringRef key, size_t count);

  void fail(llvm::StringRef key, const llvm::Twine &message);

  /// Refuses keys below `prefix` that nobody asked for.
  void refuseUnknown(llvm::StringRef prefix);

  /// The first complaint.
  llvm::Error finish();

private:
  const GgufValue *get(llvm::StringRef key);
  const GgufValue *require(llvm::StringRef key, bool isArray);

  const GgufFile &file;
  std::set<std::string> known;
  std::string complaint;
};

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CONTAINERS_GGUF_H
