//===- CheckTemplate.cpp - Does the vocabulary have the marks? ------------===//

#include "compiler/Output/CheckTemplate.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringRef.h"

using namespace llvm;

namespace mlir::llama {

/// The end of <|word|> at the beginning of a text; npos: it begins with none.
static size_t measureMark(StringRef text) {
  size_t close = text.find("|>");
  if (!text.starts_with("<|") || close == StringRef::npos || close == 2)
    return StringRef::npos;
  bool isWord = all_of(text.substr(2, close - 2), [](char c) {
    return isAlnum(c) || c == '_' || c == '-';
  });
  return isWord ? close + 2 : StringRef::npos;
}

std::vector<std::string>
findMissingMarks(const std::string &source,
                 const llamaweights::Vocabulary &vocabulary) {
  std::vector<std::string> missing;
  StringRef rest = source;
  for (size_t at = rest.find("<|"); at != StringRef::npos;
       at = rest.find("<|", at + 1)) {
    size_t length = measureMark(rest.substr(at));
    if (length == StringRef::npos)
      continue;
    std::string mark = rest.substr(at, length).str();
    if (!is_contained(vocabulary.tokens, mark) && !is_contained(missing, mark))
      missing.push_back(mark);
  }
  return missing;
}

} // namespace mlir::llama
