//===- ByteLevel.h - Bytes as printable characters --------------*- C++ -*-===//
//
// GPT-2's alphabet, in which tokens of byte-level BPE are spelt.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_TOKENIZERS_BYTELEVEL_H
#define LLAMA_WEIGHTS_TOKENIZERS_BYTELEVEL_H

#include "llvm/ADT/StringRef.h"

#include <optional>
#include <string>

namespace llamaweights {

/// The bytes of a byte-level token: "Ġthe" => " the". None if a character of
/// it does not stand for a byte.
std::optional<std::string> decodeByteLevel(llvm::StringRef token);

/// The reverse: " the" => "Ġthe".
std::string encodeByteLevel(llvm::StringRef bytes);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_TOKENIZERS_BYTELEVEL_H
