//===- Nanotron.h - Checkpoints of nanotron ---------------------*- C++ -*-===//
//
//   model_config.json
//   model/model/decoder/0/pp_block/attn/qkv_proj/
//     model_weight_pp-rank-0-of-1_tp-rank-0-of-2.safetensors    (key "data")
//
// Rows of q, k and v are one tensor, and so are those of gate and up. A tensor
// that several processes shared says in each file's metadata which of its
// slices go where; concatenating the files would be wrong, because each holds a
// part of q, a part of k and a part of v.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_FORMATS_NANOTRON_H
#define LLAMA_WEIGHTS_FORMATS_NANOTRON_H

#include "weights/FolderFiles.h"
#include "weights/Formats/FileCheckpoint.h"

namespace llamaweights {

/// Whether the folder holds model_config.json and model/model.
bool hasNanotron(llvm::StringRef folder);

/// Puts together a tensor of which `files`, at least two, hold slices. `where`
/// is their folder.
llvm::Expected<StoredTensor>
mergeNanotronFiles(llvm::ArrayRef<std::shared_ptr<InputFile>> files,
                   llvm::StringRef where);

/// Puts together a tensor that lies in the files of one parameter's folder.
/// `folder` is the checkpoint's, `path` the parameter's in it.
llvm::Expected<StoredTensor> readNanotronTensor(llvm::StringRef folder,
                                                llvm::StringRef path,
                                                LinkPolicy links);

/// All tensors under Meta's names, q from k from v and gate from up.
llvm::Expected<std::vector<StoredTensor>>
readNanotron(llvm::StringRef folder, const ModelConfig &config,
             LinkPolicy links);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_FORMATS_NANOTRON_H
