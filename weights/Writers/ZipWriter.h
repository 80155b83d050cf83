//===- ZipWriter.h - A zip file of stored files -----------------*- C++ -*-===//
//
// Contents are appended as they come; sizes are known before, sums after. zip64
// where a size or an offset needs it.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_WRITERS_ZIPWRITER_H
#define LLAMA_WEIGHTS_WRITERS_ZIPWRITER_H

#include "weights/OutputFile.h"

#include <vector>

namespace llamaweights {

class ZipWriter {
public:
  explicit ZipWriter(OutputFile &file) : file(file) {}

  /// Begins a file of that size, whose contents lie at a multiple of 64 bytes.
  llvm::Error begin(llvm::StringRef name, uint64_t size);
  llvm::Error append(llvm::ArrayRef<char> bytes);
  /// All of its bytes have been appended.
  llvm::Error end();
  /// A whole file.
  llvm::Error add(llvm::StringRef name, llvm::StringRef contents);
  /// The central directory; nothing may follow.
  llvm::Error finish();

private:
  struct Entry {
    std::string name;
    uint64_t header = 0, size = 0;
    uint32_t crc = 0;
  };
  OutputFile &file;
  std::vector<Entry> entries;
};

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_WRITERS_ZIPWRITER_H
