//===- ContainerBytes.h - Files that the tests make -------------*- C++ -*-===//
//
// Little-endian bytes, and writers of three containers that write whatever they
// are told, sense or nonsense. They share no code with the readers.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_TEST_WEIGHTS_CONTAINERBYTES_H
#define LLAMA_TEST_WEIGHTS_CONTAINERBYTES_H

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace llamatest {

template <typename T>
std::string toBytes(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

/// Bytes that differ from one offset to the next.
inline std::string makePattern(size_t count, unsigned seed = 1) {
  std::string bytes(count, '\0');
  uint32_t state = seed * 2654435761u + 12345u;
  for (char &byte : bytes) {
    state = state * 1664525u + 1013904223u;
    byte = char(state >> 24);
  }
  return bytes;
}

inline std::string makeSafetensors(const std::string &header,
                                   const std::string &data) {
  return toBytes<uint64_t>(header.size()) + header + data;
}

inline std::string makeNpy(const std::string &header, const std::string &data,
                           int major = 1) {
  std::string text = header + "\n";
  std::string bytes = std::string("\x93NUMPY", 6) + char(major) + '\0';
  bytes += major == 1 ? toBytes(uint16_t(text.size()))
                      : toBytes(uint32_t(text.size()));
  return bytes + text + data;
}

inline std::string makeNpyHeader(const std::string &descr,
                                 const std::string &shape) {
  return "{'descr': '" + descr +
         "', 'fortran_order': False, 'shape': " + shape + ", }";
}

/// Writes a *.gguf file key by key and tensor by tensor.
class GgufWriter {
public:
  uint32_t version = 3;
  uint64_t alignment = 32;
  std::string magic = "GGUF";

  static std::string text(const std::string &value) {
    return toBytes<uint64_t>(value.size()) + value;
  }

  GgufWriter &raw(const std::string &key, uint32_t type,
                  const std::string &value) {
    keys += text(key) + toBytes(type) + value;
    ++keyCount;
    return *this;
  }
  GgufWriter &u32(const std::string &key, uint32_t value) {
    return raw(key, 4, toBytes(value));
  }
  GgufWriter &f32(const std::string &key, float value) {
    return raw(key, 6, toBytes(value));
  }
  GgufWriter &boolean(const std::string &key, bool value) {
    return raw(key, 7, toBytes(uint8_t(value)));
  }
  GgufWriter &string(const std::string &key, const std::string &value) {
    return raw(key, 8, text(value));
  }
  GgufWriter &strings(const std::string &key,
                      const std::vector<std::string> &values) {
    std::string bytes = toBytes(uint32_t(8)) + toBytes(uint64_t(values.size()));
    for (const std::string &value : values)
      bytes += text(value);
    return raw(key, 9, bytes);
  }
  template <typename T>
  GgufWriter &numbers(const std::string &key, uint32_t type,
                      const std::vector<T> &values) {
    std::string bytes = toBytes(type) + toBytes(uint64_t(values.size()));
    for (T value : values)
      bytes += toBytes(value);
    return raw(key, 9, bytes);
  }

  /// `dims` fastest first. The tensor lies after the one before.
  GgufWriter &tensor(const std::string &name, const std::vector<uint64_t> &dims,
                     uint32_t type, const std::string &bytes) {
    data.resize((data.size() + alignment - 1) / alignment * alignment);
    tensorAt(name, dims, type, data.size());
    data += bytes;
    return *this;
  }
  GgufWriter &tensorAt(const std::string &name,
                       const std::vector<uint64_t> &dims, uint32_t type,
                       uint64_t offset) {
    tensors += text(name) + toBytes(uint32_t(dims.size()));
    for (uint64_t dim : dims)
      tensors += toBytes(dim);
    tensors += toBytes(type) + toBytes(offset);
    ++tensorCount;
    return *this;
  }

  std::string build() const {
    std::string bytes = magic + toBytes(version) + toBytes(tensorCount) +
                        toBytes(keyCount) + keys + tensors;
    bytes.resize((bytes.size() + alignment - 1) / alignment * alignment);
    return bytes + data;
  }

  std::string keys, tensors, data;
  uint64_t keyCount = 0, tensorCount = 0;
};

} // namespace llamatest

#endif // LLAMA_TEST_WEIGHTS_CONTAINERBYTES_H
