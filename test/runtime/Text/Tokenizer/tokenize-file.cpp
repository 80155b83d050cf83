//===- tokenize-file.cpp - The tokenizer, for tests in other languages ----===//
//
//   tokenize-file TOKENIZER MODE < records > records
//
// TOKENIZER is a tokenizer file, a GGUF file or a folder; it goes through the reader, the
// serialized form and the runtime, as in a model.so. A record is a 32-bit
// little-endian length and that many bytes; ids are 32-bit each.
//
//   encode            text -> ids; special tokens are text
//   encode-special    text -> ids; special tokens are recognized
//   encode-rule       text -> ids; the same, with bos and eos by rule
//   decode            ids -> text
//   stream            ids -> text, one id at a time; every output must be UTF-8
//   bytes             ids -> bytes of the tokens joined
//   split             text -> lengths of the pieces, for Llama 3
//   split-gpt2, split-smollm
//   time              text -> "TOKENS SECONDS", this thread's time of an encode
//   info              any record -> a line about the tokenizer
//
//===----------------------------------------------------------------------===//

#include "compiler/Output/EmbedTokenizer.h"
#include "runtime/Text/Tokenizer/Splitter.h"
#include "runtime/Text/Tokenizer/Tokenizer.h"
#include "runtime/Text/Tokenizer/Utf8.h"
#include "weights/InputFile.h"
#include "weights/Tokenizers/GgufVocabulary.h"
#include "weights/Tokenizers/TokenizerFolder.h"

#include "llvm/Support/FileSystem.h"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <sstream>

using namespace llamaabi;
using namespace llamart;

namespace {

[[noreturn]] void fail(const std::string &message) {
  std::cerr << message << '\n';
  std::exit(1);
}

llamaweights::Vocabulary readGgufFile(const std::string &path) {
  auto file = llamaweights::InputFile::open(path);
  if (!file)
    fail(llvm::toString(file.takeError()));
  auto gguf = llamaweights::readGguf(*file);
  if (!gguf)
    fail(llvm::toString(gguf.takeError()));
  auto vocabulary = llamaweights::readGgufVocabulary(*gguf);
  if (!vocabulary)
    fail(llvm::toString(vocabulary.takeError()));
  if (!*vocabulary)
    fail(path + ": no tokenizer");
  return std::move(**vocabulary);
}

llamaweights::Vocabulary readVocabulary(const std::string &path) {
  if (llvm::sys::fs::is_directory(path)) {
    auto vocabulary = llamaweights::readTokenizerFolder(path);
    if (!vocabulary)
      fail(llvm::toString(vocabulary.takeError()));
    if (!*vocabulary)
      fail(path + ": no tokenizer");
    return std::move(**vocabulary);
  }
  if (llamaweights::beginsWith(path, "GGUF"))
    return readGgufFile(path);
  auto vocabulary = llamaweights::readTokenizerFile(path);
  if (!vocabulary)
    fail(llvm::toString(vocabulary.takeError()));
  return std::move(*vocabulary);
}

std::vector<int32_t> toIds(const std::string &record) {
  auto *ids = reinterpret_cast<const int32_t *>(record.data());
  return {ids, ids + record.size() / sizeof(int32_t)};
}

std::string fromIds(const std::vector<int32_t> &ids) {
  return {reinterpret_cast<const char *>(ids.data()),
          ids.size() * sizeof(int32_t)};
}

std::string stream(const Tokenizer &tokenizer, const std::string &record) {
  StreamDecoder decoder(tokenizer);
  std::string text;
  auto take = [&](const std::string &part) {
    if (getValidPrefix(part) != part.size())
      fail("a part of a stream is not UTF-8");
    text += part;
  };
  for (int32_t id : toIds(record))
    take(decoder.push(id));
  take(decoder.finish());
  return text;
}

std::string split(SplitRule rule, const std::string &text) {
  static const Splitter splitter(rule);
  std::vector<int32_t> lengths;
  splitter.split(text, [&](std::string_view piece) {
    lengths.push_back(static_cast<int32_t>(piece.size()));
  });
  return fromIds(lengths);
}

std::string describe(const Tokenizer &tokenizer) {
  std::ostringstream text;
  text << tokenizer.getVocabSize() << " bos " << tokenizer.getBos().value_or(-1)
       << (tokenizer.addsBos() ? "+" : "") << " eos";
  for (int32_t id : tokenizer.getEos())
    text << ' ' << id;
  text << " template " << tokenizer.getChatTemplate().size();
  return text.str();
}

std::string measure(const Tokenizer &tokenizer, const std::string &text) {
  auto getSeconds = [] {
    timespec time = {};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
  };
  EncodeOptions options;
  options.bos = AddToken::Never;
  double start = getSeconds();
  size_t count = tokenizer.encode(text, options).size();
  return std::to_string(count) + " " + std::to_string(getSeconds() - start);
}

std::string process(const Tokenizer &tokenizer, const std::string &mode,
                    const std::string &record) {
  EncodeOptions options;
  options.bos = AddToken::Never;
  options.allowSpecial = mode != "encode";
  if (mode == "encode-rule")
    options.bos = options.eos = AddToken::ByRule;
  if (mode.starts_with("encode"))
    return fromIds(tokenizer.encode(record, options));
  if (mode == "decode")
    return tokenizer.decode(toIds(record));
  if (mode == "stream")
    return stream(tokenizer, record);
  if (mode == "time")
    return measure(tokenizer, record);
  if (mode == "info")
    return describe(tokenizer);
  if (mode == "split")
    return split(SplitRule::Llama3, record);
  if (mode == "split-gpt2")
    return split(SplitRule::GPT2, record);
  if (mode == "split-smollm")
    return split(SplitRule::SmolLM, record);
  if (mode != "bytes")
    fail("unknown mode " + mode);
  std::string bytes;
  for (int32_t id : toIds(record))
    bytes += tokenizer.tokenBytes(id);
  return bytes;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 3)
    fail("usage: tokenize-file TOKENIZER MODE");
  auto blob = mlir::llama::serializeTokenizer(readVocabulary(argv[1]));
  if (!blob)
    fail(llvm::toString(blob.takeError()));
  auto tokenizer = Tokenizer::open(blob->data(), blob->size());
  uint32_t length;
  while (std::fread(&length, sizeof(length), 1, stdin) == 1) {
    std::string record(length, '\0');
    if (length != 0 && std::fread(record.data(), length, 1, stdin) != 1)
      fail("input ends inside a record");
    std::string result = process(*tokenizer, argv[2], record);
    length = static_cast<uint32_t>(result.size());
    std::fwrite(&length, sizeof(length), 1, stdout);
    std::fwrite(result.data(), 1, result.size(), stdout);
  }
  return 0;
}
