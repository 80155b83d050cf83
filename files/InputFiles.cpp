//===- InputFiles.cpp - Which files a process reads -----------------------===//

#include "files/InputFiles.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <sys/stat.h>

namespace llamafiles {
namespace {

/// Device, inode and time of birth; where a file system keeps no such time it
/// is 0 of all.
using Identity = std::array<uint64_t, 5>;

std::optional<Identity> identify(int folder, const char *path, int flags) {
  struct statx status = {};
  if (::statx(folder, path, flags, STATX_INO | STATX_TYPE | STATX_BTIME,
              &status) != 0 ||
      !S_ISREG(status.stx_mode))
    return std::nullopt;
  Identity identity = {status.stx_dev_major, status.stx_dev_minor,
                       status.stx_ino};
  if (status.stx_mask & STATX_BTIME)
    identity = {status.stx_dev_major, status.stx_dev_minor, status.stx_ino,
                uint64_t(status.stx_btime.tv_sec), status.stx_btime.tv_nsec};
  return identity;
}

std::optional<Identity> identify(const std::string &path) {
  return identify(AT_FDCWD, path.c_str(), 0);
}

std::optional<Identity> identify(int descriptor) {
  return identify(descriptor, "", AT_EMPTY_PATH);
}

/// The process's, as the files are.
class Registry {
public:
  static Registry &get() {
    static Registry registry;
    return registry;
  }
  void add(const std::optional<Identity> &file) {
    std::lock_guard guard(lock);
    if (file)
      files.insert(*file);
  }
  bool has(const std::optional<Identity> &file) {
    std::lock_guard guard(lock);
    return file && files.contains(*file);
  }

private:
  std::mutex lock;
  std::set<Identity> files;
};

/// By the end of its name. Checkpoints are large, and long in coming: what
/// looks like a part of one is kept, whether it was needed or not.
bool isOfCheckpoint(std::string_view name) {
  static constexpr std::string_view kEnds[] = {
      ".safetensors", ".index.json",    ".bin",        ".pth",
      ".pt",          ".npy",           ".pkl",        ".model",
      ".jinja",       ".chk",           "merges.txt",  "latest.txt",
      "config.json",  "params.json",    "tokens.json", "model.json",
      "vocab.json",   "tokenizer.json", "_map.json",   "_template.json",
      "README.md",    "LICENSE"};
  return std::ranges::any_of(
      kEnds, [&](std::string_view end) { return name.ends_with(end); });
}

} // namespace

void noteInput(const std::string &path) { Registry::get().add(identify(path)); }

void noteInput(int descriptor) { Registry::get().add(identify(descriptor)); }

void noteInputFolder(const std::string &path) {
  std::error_code ignored; // what cannot be listed is not written to either
  for (std::filesystem::directory_iterator entry(path, ignored), end;
       entry != end; entry.increment(ignored))
    if (isOfCheckpoint(entry->path().filename().native()))
      noteInput(entry->path().native());
}

bool isInput(const std::string &path) {
  return Registry::get().has(identify(path));
}

bool isInput(int descriptor) {
  return Registry::get().has(identify(descriptor));
}

} // namespace llamafiles
