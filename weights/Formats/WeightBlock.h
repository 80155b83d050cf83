//===- WeightBlock.h - The block of weights of a model ----------*- C++ -*-===//
//
// bytes, and an entry of llama_info for each tensor in them  =>  Checkpoint
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_FORMATS_WEIGHTBLOCK_H
#define LLAMA_WEIGHTS_FORMATS_WEIGHTBLOCK_H

#include "runtime/abi/ModelInfo.h"
#include "weights/Checkpoint.h"
#include "weights/InputFile.h"

#include <optional>

namespace llamaweights {

/// Where the block is: in a model, or in a file next to it.
struct WeightBlock {
  std::shared_ptr<InputFile> file;
  uint64_t offset = 0, bytes = 0;
};

/// Its tensors. Matrices in panels have their type as the encoding; those of
/// integers are shown as f32.
class BlockCheckpoint : public Checkpoint {
public:
  explicit BlockCheckpoint(WeightBlock block) : block(std::move(block)) {}

  llvm::ArrayRef<TensorInfo> getTensors() const override { return infos; }

  llvm::Error readRows(const TensorInfo &tensor, int64_t first, int64_t count,
                       llvm::MutableArrayRef<char> out) const override {
    const Place &place = getPlace(tensor);
    if (place.layout)
      return decodeRows(*place.layout, tensor, first, count, out);
    return block.file->read(
        place.offset + uint64_t(first * tensor.getRowBytes()), out);
  }

  llvm::Error readEncoded(const TensorInfo &tensor, int64_t offset,
                          llvm::MutableArrayRef<char> out) const override {
    return block.file->read(getPlace(tensor).offset + uint64_t(offset), out);
  }

  /// Adds a tensor that the description lists.
  llvm::Error add(llvm::StringRef where, const llamaabi::TensorEntry &entry);

private:
  struct Place {
    uint64_t offset;                             ///< in the file
    std::optional<llamaabi::PanelLayout> layout; ///< null: row by row
  };
  const Place &getPlace(const TensorInfo &tensor) const {
    return places[size_t(&tensor - infos.data())];
  }
  llvm::Error decodeRows(const llamaabi::PanelLayout &layout,
                         const TensorInfo &tensor, int64_t first, int64_t count,
                         llvm::MutableArrayRef<char> out) const;

  WeightBlock block;
  std::vector<TensorInfo> infos;
  std::vector<Place> places; ///< of infos, one by one
};

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_FORMATS_WEIGHTBLOCK_H
