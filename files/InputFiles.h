//===- InputFiles.h - Which files a process reads ---------------*- C++ -*-===//
//
// Readers note what they open; whoever writes asks here first, so that nothing
// is ever written onto what is read, whatever either of them is called. Any
// thread may call these.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_FILES_INPUTFILES_H
#define LLAMA_FILES_INPUTFILES_H

#include <string>

namespace llamafiles {

/// From now on the file is one that is read. One that is not there is not.
void noteInput(const std::string &path);
void noteInput(int descriptor);

/// All files of a folder whose names say that they are a checkpoint's, read or
/// not.
void noteInputFolder(const std::string &path);

/// Whether it is such a file: the same device and inode, through links of both
/// kinds, and not a later file that got the inode of one that is gone.
bool isInput(const std::string &path);
bool isInput(int descriptor);

} // namespace llamafiles

#endif // LLAMA_FILES_INPUTFILES_H
