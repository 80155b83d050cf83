//===- ZipArchive.h - Where the files in a zip file are ---------*- C++ -*-===//
//
// The central directory, compared with the local headers, as a list of names
// and places. What torch.save writes is stored, and can be read where it
// lies. Rules:
//
//  Z1  names are unique, neither absolute nor with "..";
//  Z2  files are not encrypted, their bytes lie before the central directory
//      and do not overlap, headers included; compressed ones are listed, but
//      what they hold is not to be read;
//  Z3  one disk; zip64 where sizes need it.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_CONTAINERS_ZIPARCHIVE_H
#define LLAMA_WEIGHTS_CONTAINERS_ZIPARCHIVE_H

#include "weights/InputFile.h"

#include <vector>

namespace llamaweights {

struct ZipEntry {
  std::string name;
  uint64_t offset = 0; ///< of the first byte of its contents
  uint64_t size = 0;   ///< as it is stored
  unsigned method = 0; ///< of compression; 0: none
  uint32_t crc = 0;    ///< of the contents, as the archive states it
};

/// Whether the file begins as a zip file does.
bool beginsLikeZip(const InputFile &file);

/// In the order of the central directory.
llvm::Expected<std::vector<ZipEntry>> readZip(const InputFile &file);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CONTAINERS_ZIPARCHIVE_H
