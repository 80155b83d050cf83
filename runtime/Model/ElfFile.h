//===- ElfFile.h - Is this a whole shared object for this machine? -*-C++-*-==//
//
// dlopen() of a file that was cut short ends in SIGBUS when the missing pages
// are touched. This look at the headers comes first and gives one line instead.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_MODEL_ELFFILE_H
#define LLAMA_RUNTIME_MODEL_ELFFILE_H

#include "runtime/Model/File.h"

namespace llamart {

/// Throws Error(Model) unless `file` holds a 64-bit ELF shared object of this
/// machine whose segments and sections all end within the file.
void checkSharedObject(const File &file);

} // namespace llamart

#endif // LLAMA_RUNTIME_MODEL_ELFFILE_H
