//===- FuzzInput.h - What every fuzzer of a reader needs --------*- C++ -*-===//
//
// Messages must be one printable line; a checkpoint that was accepted must
// give its rows.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_TEST_FUZZ_FUZZINPUT_H
#define LLAMA_TEST_FUZZ_FUZZINPUT_H

#include "weights/Checkpoint.h"
#include "weights/Formats/FileCheckpoint.h"
#include "weights/Vocabulary.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

/// A fuzzer of the bytes `text`:   LLAMA_FUZZ(text) { check(read(text)); }
#define LLAMA_FUZZ(text)                                                       \
  static void fuzz(llvm::StringRef text);                                      \
  extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {    \
    fuzz({reinterpret_cast<const char *>(data), size});                        \
    return 0;                                                                  \
  }                                                                            \
  static void fuzz(llvm::StringRef text)

namespace llamafuzz {

/// Takes the first byte, which chooses one of several readers; 0 if there is
/// none.
inline char takeChoice(llvm::StringRef &text) {
  if (text.empty())
    return 0;
  char choice = text.front();
  text = text.drop_front();
  return choice;
}

/// Consumes an error; aborts if its message is not what a person can be shown.
inline void check(llvm::Error error) {
  if (!error)
    return;
  std::string message = llvm::toString(std::move(error));
  bool printable = !message.empty() && message.size() < 2000;
  for (unsigned char c : message)
    printable &= c >= 0x20 && c != 0x7f;
  if (!printable)
    std::abort();
}

/// The value, or nothing.
template <typename T>
std::optional<T> check(llvm::Expected<T> value) {
  if (value)
    return std::move(*value);
  check(value.takeError());
  return std::nullopt;
}

/// Aborts if a vocabulary that was accepted speaks of tokens it has not.
inline void checkIds(const llamaweights::Vocabulary &vocabulary) {
  size_t count = vocabulary.tokens.size();
  bool good = vocabulary.types.size() == count &&
              vocabulary.bosToken.value_or(0) < int64_t(count) &&
              vocabulary.unknownToken.value_or(0) < count;
  for (int64_t id : vocabulary.eosTokens)
    good &= id >= 0 && id < int64_t(count);
  for (const llamaweights::SpecialRule &rule : vocabulary.specialRules)
    good &= rule.id < count;
  for (const llamaweights::Merge &merge : vocabulary.merges)
    good &= std::max({merge.left, merge.right, merge.result}) < count;
  if (vocabulary.kind == llamaweights::VocabularyKind::Unigram)
    good &= vocabulary.scores.size() == count;
  if (count > 0 && !good)
    std::abort();
}

/// Reads the first and the last row of every tensor.
inline void readRows(const llamaweights::Checkpoint &checkpoint) {
  for (const llamaweights::TensorInfo &tensor : checkpoint.getTensors()) {
    std::vector<float> row(size_t(tensor.getColumns()));
    for (int64_t i : {int64_t(0), tensor.getRows() - 1})
      check(checkpoint.readRowsAs(
          tensor, llamaweights::DType::F32, i, 1,
          {reinterpret_cast<char *>(row.data()), row.size() * sizeof(float)}));
  }
}

/// Reads the first and the last row of every stored tensor of a size that
/// anybody would keep in memory.
inline void readStored(const std::vector<llamaweights::StoredTensor> &tensors) {
  for (const llamaweights::StoredTensor &tensor : tensors) {
    if (tensor.shape.size() > 2)
      continue;
    int64_t columns = tensor.shape.empty() ? 1 : tensor.shape.back();
    int64_t rows = tensor.shape.size() == 2 ? tensor.shape[0] : 1;
    int64_t bytes = llamaweights::getBlockBytes(tensor.dtype);
    if (columns > (1 << 20))
      continue;
    std::vector<char> row(size_t(columns * bytes));
    for (int64_t i : {int64_t(0), rows - 1})
      if (rows > 0 && columns > 0)
        check(tensor.rows
                  ? tensor.rows->readRows(i, 1, row)
                  : llamaweights::readPieces(llamaweights::getPieces(tensor),
                                             bytes, columns, i, 1, row));
  }
}

} // namespace llamafuzz

#endif // LLAMA_TEST_FUZZ_FUZZINPUT_H
