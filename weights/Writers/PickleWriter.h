//===- PickleWriter.h - Pickled data without Python -------------*- C++ -*-===//
//
// Operations of the stack machine, one function for each kind of value; a
// caller puts them in the order of the machine: what a container holds between
// begin and end, arguments before calls.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_WRITERS_PICKLEWRITER_H
#define LLAMA_WEIGHTS_WRITERS_PICKLEWRITER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>

namespace llamaweights {

class PickleWriter {
public:
  explicit PickleWriter(int protocol) { bytes = {char(0x80), char(protocol)}; }

  void none() { bytes += 'N'; }
  void boolean(bool value) { bytes += value ? '\x88' : '\x89'; }
  void integer(int64_t value);
  void string(llvm::StringRef text);
  /// A name of at most 255 bytes: "torch._utils", "_rebuild_tensor_v2".
  void global(llvm::StringRef module, llvm::StringRef name);
  void shape(llvm::ArrayRef<int64_t> dims); ///< a tuple of integers
  void emptyTuple() { bytes += ')'; }
  void mark() { bytes += '('; }
  void tuple() { bytes += 't'; } ///< of everything since the mark
  void beginDict() { bytes += "}("; }
  void setItems() { bytes += 'u'; } ///< keys and values since the mark
  void call() { bytes += 'R'; }     ///< of the global below the tuple
  void build() { bytes += 'b'; }
  void persistentId() { bytes += 'Q'; } ///< of the tuple
  void shortBytes(llvm::StringRef value);
  /// The operation and the length; the bytes themselves follow.
  void beginBytes(uint64_t length);
  void stop() { bytes += '.'; }

  /// What has been written since the last call.
  std::string take();

private:
  std::string bytes;
};

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_WRITERS_PICKLEWRITER_H
