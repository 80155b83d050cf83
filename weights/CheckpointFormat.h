//===- CheckpointFormat.h - Formats of checkpoints --------------*- C++ -*-===//
//
// CheckpointFormat::LayerPickle -> "maxtext". The list is in
// CheckpointFormat.def.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_CHECKPOINTFORMAT_H
#define LLAMA_WEIGHTS_CHECKPOINTFORMAT_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>
#include <string>

namespace llamaweights {

enum class CheckpointFormat : uint8_t {
#define FORMAT(id, name, description) id,
#include "weights/CheckpointFormat.def"
};

/// As in model.json and on the command line.
llvm::StringRef getName(CheckpointFormat format);

/// The format of that name.
std::optional<CheckpointFormat> findFormat(llvm::StringRef name);

/// "'hf', 'meta', ... or 'gguf'": for messages.
std::string listFormats();

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CHECKPOINTFORMAT_H
