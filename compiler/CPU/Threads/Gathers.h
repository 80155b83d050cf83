//===- Gathers.h - What threads read and write between barriers -*- C++ -*-===//

#ifndef LLAMA_COMPILER_CPU_THREADS_GATHERS_H
#define LLAMA_COMPILER_CPU_THREADS_GATHERS_H

#include "compiler/CPU/Threads/Cuts.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallPtrSet.h"

namespace mlir::llama {

/// What one loop, or all since the last barrier, read and write.
struct Accesses {
  llvm::SmallPtrSet<Value, 8> reads;
  Cuts writes;             ///< and how they are shared
  bool everything = false; ///< unknown code ran

  void add(const Accesses &other);
  bool none() const { return reads.empty() && writes.empty() && !everything; }

  /// Whether `later` reads or writes what was written here, or writes what was
  /// read here.
  bool mustPrecede(const Accesses &later) const;
};

/// Of `root` and all in it. A thread's own buffers do not count.
Accesses collectAccesses(Operation *root);

/// Adds a write of `buffer`, and says whether that was new. A buffer that two
/// ways lead to with two cuts is scattered.
bool addWrite(Cuts &writes, Value buffer, CutAttr cut);

/// Writes into every barrier which buffers threads may have written since the
/// barrier before, on any way that leads there: around a loop, into a function
/// and out of it. Parallel loops are not distributed yet.
void setGathers(ModuleOp module);

} // namespace mlir::llama

#endif // LLAMA_COMPILER_CPU_THREADS_GATHERS_H
