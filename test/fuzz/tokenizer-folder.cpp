//===- tokenizer-folder.cpp - Fuzzes the files next to a tokenizer --------===//
//
// A folder with a sentencepiece model, or with a tokenizer.json, and the files of
// the input: "NAME TEXT\1NAME TEXT...", where NAME is a letter. The folder lies in
// TMPDIR, best in memory.
//
//===----------------------------------------------------------------------===//

#include "weights/FolderFiles.h"
#include "weights/Tokenizers/SentencePieceModel.h"
#include "weights/Tokenizers/TokenizerFolder.h"

#include "test/fuzz/FuzzInput.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace llamafuzz;
using namespace llamaweights;

namespace {

struct File {
  char letter;
  llvm::StringLiteral name;
};
constexpr File kFiles[] = {
    {'c', "tokenizer_config.json"}, {'m', "special_tokens_map.json"},
    {'a', "added_tokens.json"},     {'g', "generation_config.json"},
    {'j', "tokenizer.json"},        {'t', "chat_template.jinja"},
};

void write(llvm::StringRef path, llvm::StringRef bytes) {
  std::error_code code;
  llvm::raw_fd_ostream(path, code) << bytes;
  if (code)
    std::abort();
}

/// A new folder with a model of five pieces and all bytes.
std::string makeFolder() {
  llvm::SmallString<128> folder;
  if (llvm::sys::fs::createUniqueDirectory("llama-fuzz", folder))
    std::abort();
  std::vector<SentencePiece> pieces = {{"<unk>", 0, TokenType::Unknown},
                                       {"<s>", 0, TokenType::Control},
                                       {"</s>", 0, TokenType::Control},
                                       {"a", -1, TokenType::Normal},
                                       {"b", -2, TokenType::UserDefined}};
  auto model = check(makeSentencePieceVocabulary(pieces, {}, "x"));
  write(getPathIn(folder, "tokenizer.model"), model->sentencePieceModel);
  return folder.str().str();
}

} // namespace

LLAMA_FUZZ(text) {
  static const std::string folder = makeFolder();
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, '\1');
  std::vector<std::string> written;
  for (llvm::StringRef part : parts)
    for (const File &file : kFiles)
      if (part.consume_front(llvm::StringRef(&file.letter, 1))) {
        written.push_back(getPathIn(folder, file.name));
        write(written.back(), part);
        break;
      }
  auto vocabulary = check(readTokenizerFolder(folder));
  if (vocabulary && *vocabulary)
    checkIds(**vocabulary);
  for (const std::string &path : written)
    llvm::sys::fs::remove(path);
}
