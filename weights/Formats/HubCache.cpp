//===- HubCache.cpp - Checkpoints that Hugging Face's tools fetched -------===//

#include "weights/Formats/HubCache.h"

#include "weights/FolderFiles.h"
#include "weights/InputError.h"
#include "weights/InputFile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <cstdlib>

using namespace llvm;

namespace llamaweights {
namespace {

StringRef getVariable(const char *name) {
  const char *value = std::getenv(name);
  return value ? value : "";
}

/// A folder in the home folder, where "~" stands for that.
std::string expandHome(StringRef path) {
  SmallString<256> expanded;
  sys::fs::expand_tilde(path, expanded);
  return expanded.str().str();
}

/// As the hub allows them.
bool isName(StringRef name) {
  return !name.empty() && !name.starts_with(".") && !name.starts_with("-") &&
         !name.contains("--") && !name.contains("..") &&
         all_of(name, [](char c) {
           return isAlnum(c) || c == '-' || c == '_' || c == '.';
         });
}

/// A file that somebody mistyped is not looked for in the cache.
bool isFileName(StringRef name) {
  StringRef end = sys::path::extension(name);
  return is_contained({".gguf", ".json", ".safetensors", ".so", ".mlir",
                       ".mlirbc", ".bin", ".pth", ".pt", ".npy", ".pkl"},
                      end);
}

/// The snapshot that refs/main of a repository's folder names.
Expected<std::string> findSnapshot(StringRef repository) {
  auto text = readTextFile(getPathIn(repository, "refs/main"));
  if (!text)
    return text.takeError();
  StringRef snapshot = StringRef(*text).trim();
  if (snapshot.empty() || !all_of(snapshot, isAlnum))
    return makeInputError(getPathIn(repository, "refs/main"),
                          "expected the name of a snapshot, found " +
                              quote(*text));
  return getPathIn(getPathIn(repository, "snapshots"), snapshot);
}

} // namespace

std::string getHubCache() {
  if (StringRef cache = getVariable("HF_HUB_CACHE"); !cache.empty())
    return expandHome(cache);
  if (StringRef home = getVariable("HF_HOME"); !home.empty())
    return getPathIn(expandHome(home), "hub");
  StringRef caches = getVariable("XDG_CACHE_HOME");
  return getPathIn(expandHome(caches.empty() ? "~/.cache" : caches),
                   "huggingface/hub");
}

Expected<std::string> findCheckpoint(StringRef path) {
  auto [organization, name] = path.split('/');
  if (sys::fs::exists(path) || !isName(organization) || !isName(name) ||
      isFileName(name))
    return path.str();
  std::string cache = getHubCache();
  std::string repository =
      getPathIn(cache, ("models--" + organization + "--" + name).str());
  if (!sys::fs::is_directory(repository))
    return makeInputError(path, "is neither here nor in " + cache +
                                    "; to fetch it: hf download " + path);
  Expected<std::string> snapshot = findSnapshot(repository);
  if (!snapshot)
    return snapshot.takeError();
  if (!sys::fs::is_directory(*snapshot))
    return makeInputError(*snapshot,
                          "is not there; to fetch it: hf download " + path);
  return snapshot;
}

StringRef getHubName(StringRef path) {
  StringRef snapshots = sys::path::parent_path(path);
  StringRef repository = sys::path::filename(sys::path::parent_path(snapshots));
  if (sys::path::filename(snapshots) != "snapshots" ||
      !repository.starts_with("models--"))
    return "";
  return repository.rsplit("--").second;
}

} // namespace llamaweights
