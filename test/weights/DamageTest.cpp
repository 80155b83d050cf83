//===- DamageTest.cpp - Readers meet files that are slightly broken -------===//
//
// Every byte of a small valid file is changed in several ways, and the file is
// cut at every length. Each outcome must be a value or one printable line. (The
// fuzzers in test/fuzz go further; this runs with every test.)
//
//===----------------------------------------------------------------------===//

#include "weights/Configs/GgufConfig.h"
#include "weights/Containers/Npy.h"
#include "weights/Containers/Safetensors.h"
#include "weights/Tokenizers/GgufVocabulary.h"

#include "test/weights/ContainerBytes.h"
#include "test/weights/Messages.h"

#include <functional>

using namespace llamatest;
using namespace llamaweights;

namespace {

using Reader = std::function<std::string(const std::string &)>;

void expectOneLine(const std::string &message, size_t at) {
  EXPECT_LT(message.size(), 1000u) << at;
  for (unsigned char c : message)
    ASSERT_GE(c, 0x20) << at << ": " << message;
}

/// Returns how many of the damaged files were refused.
size_t damage(const std::string &file, const Reader &read) {
  EXPECT_EQ(read(file), "");
  size_t refused = 0;
  for (size_t i = 0; i < file.size(); ++i) {
    std::string message = read(file.substr(0, i));
    EXPECT_NE(message, "") << "cut at byte " << i;
    expectOneLine(message, i);
    for (char value : {'\0', '\x01', '\x7f', '\x80', '\xff', '"', '}', '\n',
                       char(file[i] ^ 1), char(file[i] ^ 4),
                       char(file[i] ^ 0x20), char(file[i] + 1)}) {
      std::string changed = file;
      changed[i] = value;
      message = read(changed);
      expectOneLine(message, i);
      refused += !message.empty();
    }
  }
  return refused;
}

TEST(Damage, Safetensors) {
  std::string file = makeSafetensors(
      R"({"__metadata__": {"format": "pt"},
          "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
          "b": {"dtype": "BF16", "shape": [4], "data_offsets": [24, 32]}})",
      makePattern(32));
  size_t refused = damage(file, [](const std::string &bytes) {
    return getMessage(readSafetensors(InputFile::fromMemory("x", bytes)));
  });
  EXPECT_GT(refused, file.size());
}

TEST(Damage, Npy) {
  std::string file =
      makeNpy(makeNpyHeader("<V2", "(2, 3)"), makePattern(12), 1);
  size_t refused = damage(file, [](const std::string &bytes) {
    return getMessage(readNpy(InputFile::fromMemory("x", bytes)));
  });
  EXPECT_GT(refused, file.size());
}

TEST(Damage, Gguf) {
  GgufWriter writer;
  writer.string("general.architecture", "llama")
      .u32("llama.embedding_length", 4)
      .u32("llama.feed_forward_length", 6)
      .u32("llama.block_count", 1)
      .u32("llama.context_length", 64)
      .u32("llama.attention.head_count", 2)
      .f32("llama.attention.layer_norm_rms_epsilon", 1e-5f)
      .string("tokenizer.ggml.model", "gpt2")
      .string("tokenizer.ggml.pre", "smollm")
      .strings("tokenizer.ggml.tokens", {"a", "b", "ab"})
      .numbers<int32_t>("tokenizer.ggml.token_type", 5, {1, 1, 1})
      .strings("tokenizer.ggml.merges", {"a b"})
      .tensor("token_embd.weight", {4, 3}, 0, makePattern(48))
      .tensor("rope_freqs.weight", {1}, 0, toBytes(1.0f));
  std::string file = writer.build();
  size_t refused = damage(file, [](const std::string &bytes) {
    auto read = readGguf(InputFile::fromMemory("x", bytes));
    if (!read)
      return getMessage(std::move(read));
    std::string message = getMessage(readGgufConfig(*read));
    return message.empty() ? getMessage(readGgufVocabulary(*read)) : message;
  });
  EXPECT_GT(refused, file.size());
}

} // namespace
