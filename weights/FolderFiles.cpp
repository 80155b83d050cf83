//===- FolderFiles.cpp - The files of a checkpoint folder -----------------===//
//
// Real paths are compared, so that a link to a link is followed to its end.
//
//===----------------------------------------------------------------------===//

#include "weights/FolderFiles.h"

#include "weights/InputError.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <algorithm>

using namespace llvm;

namespace llamaweights {
namespace {

/// Whether the real path of `file` begins with that of `folder`. Files that are
/// not there are somebody else's complaint.
bool isWithin(StringRef file, StringRef folder) {
  SmallString<256> realFile, realFolder;
  if (sys::fs::real_path(file, realFile))
    return true;
  if (sys::fs::real_path(folder, realFolder))
    return false;
  StringRef rest = realFile;
  return rest.consume_front(realFolder) &&
         (rest.starts_with("/") || realFolder == "/");
}

} // namespace

std::string getPathIn(StringRef folder, StringRef name) {
  SmallString<256> path(folder);
  sys::path::append(path, name);
  return path.str().str();
}

Expected<std::shared_ptr<InputFile>> openInFolder(StringRef folder,
                                                  StringRef name,
                                                  LinkPolicy links,
                                                  InputFile::Handle handle) {
  std::string path = getPathIn(folder, name);
  if (links == LinkPolicy::WithinFolder && !isWithin(path, folder) &&
      !isWithin(path, getPathIn(folder, "../../blobs"))) {
    SmallString<256> target;
    if (sys::fs::real_path(path, target))
      target = "an unknown place";
    return makeInputError(path, "is a link out of its folder, to " +
                                    quote(target) +
                                    "; --follow-links permits that");
  }
  return InputFile::open(path, handle);
}

Expected<std::vector<std::string>>
listFolder(StringRef folder, StringRef prefix, StringRef suffix) {
  std::vector<std::string> names;
  std::error_code code;
  for (sys::fs::directory_iterator it(folder, code), end; it != end && !code;
       it.increment(code)) {
    StringRef name = sys::path::filename(it->path());
    if (name.size() >= prefix.size() + suffix.size() &&
        name.starts_with(prefix) && name.ends_with(suffix))
      names.push_back(name.str());
  }
  if (code)
    return makeInputError(folder, "cannot be listed: " + code.message());
  std::sort(names.begin(), names.end());
  return names;
}

} // namespace llamaweights
