//===- LayerPickle.h - layer_N.pkl ------------------------------*- C++ -*-===//
//
// "MaxText chunked": a pickled dict of numpy arrays for each layer, and
// model.pkl for what is outside of the layers.
//
//   layer_3.pkl: {'attention': {'wq', 'wk', 'wv', 'wo'}, 'feed_forward':
//                 {'w1', 'w2', 'w3'}, 'attention_norm': {'weight'},
//                 'ffn_norm': {'weight'}}
//   model.pkl:   {'tok_embeddings': {'weight'}, 'norm': {'weight'},
//                 'output': {'weight'}}
//
// float32. Matrices are [in, out], tok_embeddings is [vocab, hidden]; rows of
// wq and wk (here: columns) are half-split. Hyper-parameters are in
// config.json.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_FORMATS_LAYERPICKLE_H
#define LLAMA_WEIGHTS_FORMATS_LAYERPICKLE_H

#include "weights/FolderFiles.h"
#include "weights/Formats/FileCheckpoint.h"

namespace llamaweights {

/// Whether the folder holds a layer_0.pkl.
bool hasLayerPickles(llvm::StringRef folder);

/// Reads the arrays of one file; their names are their keys, joined by dots,
/// and their shapes those of the arrays.
llvm::Expected<std::vector<StoredTensor>>
readArrayPickle(const std::shared_ptr<InputFile> &file);

/// All tensors under Meta's names and as [out, in], rows half-split.
llvm::Expected<std::vector<StoredTensor>>
readLayerPickles(llvm::StringRef folder, LinkPolicy links);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_FORMATS_LAYERPICKLE_H
