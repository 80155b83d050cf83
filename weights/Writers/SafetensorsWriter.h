//===- SafetensorsWriter.h - The header of a *.safetensors file -*- C++ -*-===//
//
// Names, types and shapes in the order in which the data follow.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_WRITERS_SAFETENSORSWRITER_H
#define LLAMA_WEIGHTS_WRITERS_SAFETENSORSWRITER_H

#include "weights/DType.h"
#include "weights/OutputFile.h"

#include <map>
#include <vector>

namespace llamaweights {

struct SafetensorsEntry {
  std::string name;
  DType dtype = DType::F32; ///< F32, F16 or BF16
  std::vector<int64_t> shape;
};

/// Its length is padded to a multiple of eight. `metadata` may be empty.
llvm::Error
appendSafetensorsHeader(llvm::ArrayRef<SafetensorsEntry> entries,
                        const std::map<std::string, std::string> &metadata,
                        OutputFile &file);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_WRITERS_SAFETENSORSWRITER_H
