//===- InputError.h - One line for whoever wrote the input ------*- C++ -*-===//
//
// makeInputError("a/config.json", "key 'vocab_size': is missing")
//   => a/config.json: key 'vocab_size': is missing
//
// Text that comes out of a file goes through quote(), so that a message stays
// one printable line whatever the file holds.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_INPUTERROR_H
#define LLAMA_WEIGHTS_INPUTERROR_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>

namespace llamaweights {

/// "where: message".
llvm::Error makeInputError(const llvm::Twine &where,
                           const llvm::Twine &message);

/// `text` between single quotes, cut after 120 bytes; control characters, and
/// what is not UTF-8, as \XX.
std::string quote(llvm::StringRef text);

/// "[32, 64]".
std::string formatShape(llvm::ArrayRef<int64_t> shape);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_INPUTERROR_H
