//===- fake-tokenizer.h - A tokenizer in which a token is a byte -*- C++ -*-==//
//
// Byte-level BPE without merges: ids 0 to 255 are the bytes, then bos, eos, the
// two ChatML markers, and four unused ids. Filled in when the library is
// loaded.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_TEST_RUNTIME_FAKE_TOKENIZER_H
#define LLAMA_TEST_RUNTIME_FAKE_TOKENIZER_H

#include "runtime/abi/TokenizerFormat.h"
#include "test/runtime/FakeModel.h"

#include <cstring>
#include <initializer_list>

namespace fakemodel {

constexpr char kChatTemplate[] =
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + "
    "message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

struct alignas(16) FakeTokenizer {
  llamaabi::TokenizerHeader header;
  alignas(16) uint32_t offsets[kVocab + 1];
  alignas(16) char bytes[400];
  alignas(16) llamaabi::TokenClass types[kVocab];
  alignas(16) uint32_t eos[1];
  alignas(16) uint32_t special[4];
  alignas(16) llamaabi::TokenSlot tokens[512];
  alignas(16) uint32_t byteTokens[256];
  alignas(16) llamaabi::MergeSlot merges[512];
  alignas(16) char chatTemplate[sizeof(kChatTemplate)];
  alignas(16) char end[16]; ///< of the sections; those after it are empty

  void fill();

private:
  void addToken(uint32_t id, std::string_view text, llamaabi::TokenClass type);
  void addSection(llamaabi::TokenizerSection section, const void *data,
                  size_t size);
};

inline void FakeTokenizer::addToken(uint32_t id, std::string_view text,
                                    llamaabi::TokenClass type) {
  std::memcpy(bytes + offsets[id], text.data(), text.size());
  offsets[id + 1] = offsets[id] + text.size();
  types[id] = type;
  if (type != llamaabi::TokenClass::Normal)
    return;
  uint64_t hash = llamaabi::hashTokenBytes(text);
  uint64_t slot = hash % 512;
  while (tokens[slot].id != llamaabi::kNoToken)
    slot = (slot + 1) % 512;
  tokens[slot] = {uint32_t(hash), id};
}

inline void FakeTokenizer::addSection(llamaabi::TokenizerSection section,
                                      const void *data, size_t size) {
  uint64_t offset =
      static_cast<const char *>(data) - reinterpret_cast<const char *>(this);
  header.sections[static_cast<size_t>(section)] = {offset, size};
}

inline void FakeTokenizer::fill() {
  using namespace llamaabi;
  std::memset(static_cast<void *>(this), 0, sizeof(*this));
  std::memset(tokens, 0xff, sizeof(tokens));
  std::memset(merges, 0xff, sizeof(merges));
  for (uint32_t id = 0; id < 256; ++id) {
    char byte = char(id);
    addToken(id, {&byte, 1}, TokenClass::Normal);
    byteTokens[id] = id;
  }
  addToken(kBos, "<s>", TokenClass::Control);
  addToken(kEos, "</s>", TokenClass::Control);
  addToken(kTurnEnd, "<|im_end|>", TokenClass::Control);
  addToken(kTurnStart, "<|im_start|>", TokenClass::Control);
  for (uint32_t id = 260; id < kVocab; ++id)
    addToken(id, "", TokenClass::Unused);
  eos[0] = kEos;
  uint32_t sorted[4] = {kEos, kBos, kTurnEnd, kTurnStart}; // by their bytes
  std::memcpy(special, sorted, sizeof(sorted));
  std::memcpy(chatTemplate, kChatTemplate, sizeof(kChatTemplate));

  header.magic = kTokenizerMagic;
  header.version = kTokenizerVersion;
  header.headerBytes = sizeof(header);
  header.totalBytes = sizeof(*this);
  header.kind = static_cast<uint32_t>(TokenizerKind::ByteLevelBPE);
  header.splitRule = static_cast<uint32_t>(SplitRule::GPT2);
  header.flags = kAddBos | kStripFirstSpace;
  header.vocabSize = kVocab;
  header.bosToken = kBos;
  header.unknownToken = kNoToken;
  header.maxProbe = 511;
  addSection(TokenizerSection::TokenOffsets, offsets, sizeof(offsets));
  addSection(TokenizerSection::TokenBytes, bytes, offsets[kVocab]);
  addSection(TokenizerSection::TokenTypes, types, sizeof(types));
  addSection(TokenizerSection::EosTokens, eos, sizeof(eos));
  addSection(TokenizerSection::SpecialTokens, special, sizeof(special));
  addSection(TokenizerSection::TokenTable, tokens, sizeof(tokens));
  addSection(TokenizerSection::ByteTokens, byteTokens, sizeof(byteTokens));
  addSection(TokenizerSection::MergeTable, merges, sizeof(merges));
  addSection(TokenizerSection::SentencePieceModel, chatTemplate, 0);
  addSection(TokenizerSection::ChatTemplate, chatTemplate,
             sizeof(kChatTemplate) - 1);
  for (auto section : {TokenizerSection::SpecialRules,
                       TokenizerSection::TextSteps, TokenizerSection::Scores})
    addSection(section, end, 0);
}

} // namespace fakemodel

#endif // LLAMA_TEST_RUNTIME_FAKE_TOKENIZER_H
