//===- StateBytes.h - States of samplers as bytes ---------------*- C++ -*-===//
//
// A tag that names the kind of state, then its fields as they are in memory:
// all machines that this runs on are little-endian.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_SAMPLER_STATEBYTES_H
#define LLAMA_RUNTIME_SAMPLER_STATEBYTES_H

#include "runtime/Error.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace llamart {

static_assert(std::endian::native == std::endian::little);

class StateWriter {
public:
  explicit StateWriter(std::string_view tag) : bytes(tag) {}

  template <typename T>
  StateWriter &operator()(const T &value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes.append(reinterpret_cast<const char *>(&value), sizeof(T));
    return *this;
  }
  StateWriter &operator()(const std::vector<double> &values) {
    (*this)(uint64_t(values.size()));
    bytes.append(reinterpret_cast<const char *>(values.data()),
                 values.size() * sizeof(double));
    return *this;
  }

  std::string take() { return std::move(bytes); }

private:
  std::string bytes;
};

/// Throws Error(State) where the bytes are none of such a state.
class StateReader {
public:
  StateReader(std::string_view bytes, std::string_view tag) : rest(bytes) {
    if (!rest.starts_with(tag))
      throw Error(ErrorKind::State,
                  "the saved state is of another kind of sampler");
    rest.remove_prefix(tag.size());
  }

  template <typename T>
  StateReader &operator()(T &value) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::memcpy(static_cast<void *>(&value), take(sizeof(T)), sizeof(T));
    return *this;
  }
  StateReader &operator()(bool &value) {
    uint8_t byte = 0;
    (*this)(byte);
    value = byte != 0;
    return *this;
  }
  StateReader &operator()(std::vector<double> &values) {
    uint64_t count = 0;
    (*this)(count);
    if (count > rest.size() / sizeof(double))
      fail();
    const char *data = take(count * sizeof(double));
    values.resize(count);
    if (count > 0)
      std::memcpy(values.data(), data, count * sizeof(double));
    return *this;
  }

  void finish() const {
    if (!rest.empty())
      fail();
  }

private:
  [[noreturn]] static void fail() {
    throw Error(ErrorKind::State, "the saved state of the sampler is damaged");
  }
  const char *take(uint64_t bytes) {
    if (bytes > rest.size())
      fail();
    const char *data = rest.data();
    rest.remove_prefix(bytes);
    return data;
  }

  std::string_view rest;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_SAMPLER_STATEBYTES_H
