//===- UnicodeForms.h - Normalization forms, small letters ------*- C++ -*-===//
//
// "A\u030A"  =>  "\u00C5" (NFC). By utf8proc; without it (LLAMA_IDS_ONLY)
// texts stay as they are, as none becomes ids then.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_TOKENIZER_UNICODEFORMS_H
#define LLAMA_RUNTIME_TEXT_TOKENIZER_UNICODEFORMS_H

#include "runtime/abi/TokenizerFormat.h"

#include <string>
#include <string_view>

namespace llamart {

/// Throws Error (System) in a runtime that cannot turn text into ids.
void requireTextLibraries();

/// NFC, NFD, NFKC or NFKD of a valid text.
std::string normalize(llamaabi::TextStepKind form, std::string_view text);

/// Each character of a valid text in lower case, by itself.
std::string lowercase(std::string_view text);

} // namespace llamart

#endif // LLAMA_RUNTIME_TEXT_TOKENIZER_UNICODEFORMS_H
