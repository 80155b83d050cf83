//===- HubCache.h - Checkpoints that Hugging Face's tools fetched -*- C++ -*-==//
//
// ORG/NAME  =>  the folder of its snapshot in the cache of the hub's tools:
//
//   models--ORG--NAME/refs/main            the name of a snapshot
//   models--ORG--NAME/snapshots/SNAPSHOT   a folder of links into blobs/
//
// The cache is read alone; nothing is ever fetched.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_FORMATS_HUBCACHE_H
#define LLAMA_WEIGHTS_FORMATS_HUBCACHE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace llamaweights {

/// Where the cache is: HF_HUB_CACHE, else HF_HOME/hub, else
/// ~/.cache/huggingface/hub (XDG_CACHE_HOME stands for ~/.cache).
std::string getHubCache();

/// The folder that `path` means: itself if something is there or if it cannot be
/// ORG/NAME; else its snapshot in the cache. The error of one that is not there
/// says how to fetch it.
llvm::Expected<std::string> findCheckpoint(llvm::StringRef path);

/// NAME, of the path of a snapshot; else "".
llvm::StringRef getHubName(llvm::StringRef path);

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_FORMATS_HUBCACHE_H
