//===- Integrity.h - Are these the bytes that were meant? -------*- C++ -*-===//
//
//   checklist.chk    lines of md5 and name, as Meta ships them
//   a manifest       JSON: BLAKE3 of every file of the checkpoint and of every
//                    tensor's rows in canonical order
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_FORMATS_INTEGRITY_H
#define LLAMA_WEIGHTS_FORMATS_INTEGRITY_H

#include "weights/Formats/TensorScan.h"

#include <map>

namespace llamaweights {

struct FileSum {
  std::string name; ///< in the folder
  std::string sum;  ///< lower-case hexadecimal digits
};

/// Reads the text of a checklist.chk; `where` is its path. Names are those of
/// files in the same folder.
llvm::Expected<std::vector<FileSum>> parseChecklist(llvm::StringRef text,
                                                    llvm::StringRef where);

/// Sums of a whole file, read a panel at a time.
llvm::Expected<std::string> getMd5(llvm::StringRef path, ScanProgress progress);
llvm::Expected<std::string> getBlake3(llvm::StringRef path,
                                      ScanProgress progress);

struct ManifestTensor {
  std::string type;
  std::vector<int64_t> shape;
  std::string hash;
};

/// What a checkpoint consisted of when the manifest was written.
struct HashManifest {
  std::vector<FileSum> files; ///< BLAKE3
  std::map<std::string, ManifestTensor> tensors;
};

std::string printManifest(const HashManifest &manifest);
llvm::Expected<HashManifest> parseManifest(llvm::StringRef text,
                                           llvm::StringRef where);

/// Compares the CRC-32 that a zip file states for each of its files with their
/// contents; nothing to do for other files.
llvm::Error checkZipSums(llvm::StringRef path, ScanProgress progress);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_FORMATS_INTEGRITY_H
