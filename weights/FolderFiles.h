//===- FolderFiles.h - The files of a checkpoint folder ---------*- C++ -*-===//
//
// Names that somebody else wrote, opened within a folder. A symbolic link may
// lead to a file in the folder, or, as in the cache of Hugging Face's hub, to
// ../../blobs; anywhere else only if the user says so.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_FOLDERFILES_H
#define LLAMA_WEIGHTS_FOLDERFILES_H

#include "weights/InputFile.h"

#include <vector>

namespace llamaweights {

/// Where symbolic links to shards may lead.
enum class LinkPolicy : uint8_t { WithinFolder, Anywhere };

/// The path of `name` in `folder`.
std::string getPathIn(llvm::StringRef folder, llvm::StringRef name);

/// Opens the file `name`, which may contain "/", of `folder`.
llvm::Expected<std::shared_ptr<InputFile>>
openInFolder(llvm::StringRef folder, llvm::StringRef name, LinkPolicy links,
             InputFile::Handle handle = InputFile::Handle::Kept);

/// Names of the entries of a folder that begin and end so, sorted.
llvm::Expected<std::vector<std::string>> listFolder(llvm::StringRef folder,
                                                    llvm::StringRef prefix,
                                                    llvm::StringRef suffix);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_FOLDERFILES_H
