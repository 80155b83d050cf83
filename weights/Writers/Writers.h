//===- Writers.h - One function for each format -----------------*- C++ -*-===//
//
// Each writes the tensors and hyper-parameters of a checkpoint, a panel of rows
// at a time; none keeps a tensor in memory. Tokenizer files are convert's
// business, but GGUF has them inside.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_WRITERS_WRITERS_H
#define LLAMA_WEIGHTS_WRITERS_WRITERS_H

#include "weights/Writers/WritePlan.h"

namespace llamaweights {

/// model.safetensors, in shards where it is larger than 5 GB; config.json.
llvm::Error writeHuggingFace(const WritePlan &plan, OutputFolder &folder);

/// consolidated.00.pth, params.json.
llvm::Error writeMeta(const WritePlan &plan, OutputFolder &folder);

/// A *.npy for each tensor, params.json.
llvm::Error writeNpy(const WritePlan &plan, OutputFolder &folder);

/// layer_N.pkl, model.pkl, config.json. f32 whatever the plan's type is.
llvm::Error writeLayerPickles(const WritePlan &plan, OutputFolder &folder);

/// nanotron's folder, not sharded, rows of q and k half-split.
llvm::Error writeNanotron(const WritePlan &plan, OutputFolder &folder);

/// Version 3. Vectors are f32; quantized types are kept or made.
llvm::Error writeGguf(const WritePlan &plan, OutputFile &file);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_WRITERS_WRITERS_H
