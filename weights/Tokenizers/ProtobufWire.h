//===- ProtobufWire.h - Fields of protobuf messages -------------*- C++ -*-===//
//
// What sentencepiece's models are made of: numbered fields of numbers and bytes.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_TOKENIZERS_PROTOBUFWIRE_H
#define LLAMA_WEIGHTS_TOKENIZERS_PROTOBUFWIRE_H

#include "weights/InputError.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Endian.h"

#include <cstdint>
#include <optional>
#include <string>

namespace llamaweights {

struct WireField {
  uint64_t number = 0;
  uint64_t value = 0;    ///< of a number of any width
  llvm::StringRef bytes; ///< of a string or message
  bool isBytes = false;
};

/// Walks the fields of one message.
class WireReader {
public:
  WireReader(llvm::StringRef bytes, llvm::StringRef where)
      : rest(bytes), where(where) {}

  /// The next field; none at the end and after a complaint (see takeError).
  std::optional<WireField> next() {
    if (rest.empty() || failed)
      return std::nullopt;
    WireField field;
    uint64_t tag = readVarint();
    field.number = tag >> 3;
    if (field.number == 0)
      failed = true;
    switch (tag & 7) {
    case 0:
      field.value = readVarint();
      break;
    case 1:
      field.value = readFixed<uint64_t>();
      break;
    case 2:
      field.isBytes = true;
      field.bytes = take(readVarint());
      break;
    case 5:
      field.value = readFixed<uint32_t>();
      break;
    default: // groups, which the format does not use
      failed = true;
    }
    if (failed)
      return std::nullopt;
    return field;
  }

  llvm::Error takeError() {
    if (!failed)
      return llvm::Error::success();
    return makeInputError(where,
                          "is not a sentencepiece model: field is broken "
                          "or cut off " +
                              llvm::Twine(rest.size()) +
                              " bytes before the end of its message");
  }

private:
  llvm::StringRef take(uint64_t count) {
    if (failed || count > rest.size()) {
      failed = true;
      return {};
    }
    llvm::StringRef taken = rest.take_front(count);
    rest = rest.drop_front(count);
    return taken;
  }

  template <typename T>
  uint64_t readFixed() {
    llvm::StringRef bytes = take(sizeof(T));
    return failed ? 0
                  : llvm::support::endian::read<T, llvm::endianness::little>(
                        bytes.data());
  }

  uint64_t readVarint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      llvm::StringRef byte = take(1);
      if (failed)
        return 0;
      value |= uint64_t(byte[0] & 0x7F) << shift;
      if ((byte[0] & 0x80) == 0)
        return value;
    }
    failed = true;
    return 0;
  }

  llvm::StringRef rest;
  llvm::StringRef where;
  bool failed = false;
};

struct WireWriter {
  std::string bytes;

  void addVarint(uint64_t value) {
    for (; value >= 0x80; value >>= 7)
      bytes += char(value | 0x80);
    bytes += char(value);
  }
  void addNumber(uint64_t field, uint64_t value) {
    addVarint(field << 3);
    addVarint(value);
  }
  void addFloat(uint64_t field, float value) {
    addVarint(field << 3 | 5);
    char raw[4];
    llvm::support::endian::write<float, llvm::endianness::little>(raw, value);
    bytes.append(raw, sizeof(raw));
  }
  void addBytes(uint64_t field, llvm::StringRef value) {
    addVarint(field << 3 | 2);
    addVarint(value.size());
    bytes += value;
  }
};

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_TOKENIZERS_PROTOBUFWIRE_H
