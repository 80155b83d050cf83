//===- MetaFolder.h - consolidated.NN.pth -----------------------*- C++ -*-===//
//
// Meta's checkpoints: one file, or one for each of N processes that shared the
// work of a layer. Each then holds some rows of wq, wk, wv, w1, w3 and output,
// some columns of wo and w2, some of either of tok_embeddings, and a copy of
// every norm.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_FORMATS_METAFOLDER_H
#define LLAMA_WEIGHTS_FORMATS_METAFOLDER_H

#include "weights/Configs/MetaParams.h"
#include "weights/FolderFiles.h"
#include "weights/Formats/FileCheckpoint.h"

namespace llamaweights {

/// Tensors of each of the files, in the order of their numbers.
using MetaShards = std::vector<std::vector<StoredTensor>>;

/// Whether the folder holds a consolidated.00.pth.
bool hasMetaShards(llvm::StringRef folder);

/// Reads consolidated.00.pth and those that follow; every file has tensors of
/// the same names.
llvm::Expected<MetaShards> readMetaShards(llvm::StringRef folder,
                                          LinkPolicy links);

/// What params.json leaves out, by the shapes of the shards.
MetaShapes getMetaShapes(const MetaShards &shards);

/// Puts the parts of each tensor together. Where there are more files than
/// key-value heads, files in a row hold the same rows of wk and wv.
llvm::Expected<std::vector<StoredTensor>>
mergeMetaShards(MetaShards shards, const ModelConfig &config);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_FORMATS_METAFOLDER_H
