//===- Npy.h - *.npy ---------------------------------------------*- C++ -*-===//
//
// A preamble (magic, version, length), a Python dictionary as text, then the
// elements:
//   {'descr': '<V2', 'fortran_order': False, 'shape': (128256, 2048), }
//
// numpy has no name for bfloat16: arrays of it are stored as two-byte voids.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_CONTAINERS_NPY_H
#define LLAMA_WEIGHTS_CONTAINERS_NPY_H

#include "weights/Containers/StoredTensor.h"

namespace llamaweights {

/// The array of one file, versions 1.0 to 3.0; its name is the caller's to set.
/// '<f4', '<f2' and, as bfloat16, 'V2' in C order; Fortran order only where it
/// is the same.
llvm::Expected<StoredTensor> readNpy(std::shared_ptr<InputFile> file);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CONTAINERS_NPY_H
