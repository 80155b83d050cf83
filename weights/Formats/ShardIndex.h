//===- ShardIndex.h - One file, or an index of several ----------*- C++ -*-===//
//
// {"weight_map": {"model.norm.weight": "model-00002-of-00002.safetensors"}}
//
// The way Hugging Face cuts checkpoints, whatever the files themselves are.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_FORMATS_SHARDINDEX_H
#define LLAMA_WEIGHTS_FORMATS_SHARDINDEX_H

#include "weights/FolderFiles.h"
#include "weights/Formats/FileCheckpoint.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace llamaweights {

/// Reads the tensors of one file.
using ShardReader =
    llvm::function_ref<llvm::Expected<std::vector<StoredTensor>>(
        const std::shared_ptr<InputFile> &)>;

/// The tensors of the file `singleName`, or else of the shards that `indexName`
/// lists. A shard is a file name in the folder, not a path; index and shards
/// must agree on who holds what.
llvm::Expected<std::vector<StoredTensor>>
readShardedFolder(llvm::StringRef folder, llvm::StringRef singleName,
                  llvm::StringRef indexName, LinkPolicy links,
                  ShardReader readShard);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_FORMATS_SHARDINDEX_H
