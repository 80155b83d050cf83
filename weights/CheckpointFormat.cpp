//===- CheckpointFormat.cpp - Formats of checkpoints ----------------------===//
//
// One table made from CheckpointFormat.def.
//
//===----------------------------------------------------------------------===//

#include "weights/CheckpointFormat.h"

#include "llvm/ADT/STLExtras.h"

#include <iterator>

using namespace llvm;

namespace llamaweights {

static constexpr const char *kNames[] = {
#define FORMAT(id, name, description) name,
#include "weights/CheckpointFormat.def"
};

StringRef getName(CheckpointFormat format) { return kNames[size_t(format)]; }

std::optional<CheckpointFormat> findFormat(StringRef name) {
  for (auto [i, known] : enumerate(kNames))
    if (name == known)
      return CheckpointFormat(i);
  return std::nullopt;
}

std::string listFormats() {
  std::string list;
  for (auto [i, name] : enumerate(kNames)) {
    bool isLast = i + 1 == std::size(kNames);
    list += i == 0 ? "'" : isLast ? " or '" : ", '";
    list += std::string(name) + "'";
  }
  return list;
}

} // namespace llamaweights
