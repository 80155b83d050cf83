//===- InputFile.cpp - Bytes of a file, read where they are asked for -----===//
//
// open + fstat + pread. Opening does not block on a pipe, and whether the file
// is a regular one is asked of the descriptor, not of the path.
//
//===----------------------------------------------------------------------===//

#include "weights/InputFile.h"

#include "files/InputFiles.h"
#include "weights/InputError.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Errno.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace llvm;

namespace llamaweights {
namespace {

const char *describeKind(mode_t mode) {
  if (S_ISDIR(mode))
    return "a folder";
  if (S_ISFIFO(mode))
    return "a pipe";
  if (S_ISSOCK(mode))
    return "a socket";
  return "a device";
}

/// A descriptor of the regular file `path` and what fstat says about it.
Expected<int> openRegular(const std::string &path, struct stat &status) {
  int descriptor = sys::RetryAfterSignal(-1, [&] {
    return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  });
  if (descriptor < 0)
    return makeInputError(path, "cannot be opened: " + sys::StrError());
  if (::fstat(descriptor, &status) != 0) {
    std::string reason = sys::StrError();
    ::close(descriptor);
    return makeInputError(path, "cannot be examined: " + reason);
  }
  if (S_ISREG(status.st_mode))
    return descriptor;
  ::close(descriptor);
  return makeInputError(path, Twine("expected a regular file, found ") +
                                  describeKind(status.st_mode));
}

Error readFully(int descriptor, const std::string &path, uint64_t offset,
                MutableArrayRef<char> out) {
  while (!out.empty()) {
    // Linux moves at most 2 GiB - 4 KiB in one call.
    size_t piece = std::min<size_t>(out.size(), size_t(1) << 30);
    ssize_t got = ::pread(descriptor, out.data(), piece, off_t(offset));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return makeInputError(path, "cannot be read: " + sys::StrError());
    if (got == 0)
      return makeInputError(path, "ends at byte " + Twine(offset) +
                                      ": it was longer when it was opened");
    offset += uint64_t(got);
    out = out.drop_front(size_t(got));
  }
  return Error::success();
}

/// What stands in place of a file whose download went wrong, and what to do
/// about it; empty for any other file. `begin` is how the file begins.
StringRef explainPlaceholder(StringRef begin) {
  if (begin.starts_with("version https://git-lfs.github.com/spec/"))
    return "is a pointer of Git LFS, not the file itself: fetch the file with "
           "'git lfs pull'";
  StringRef text = begin.ltrim(" \t\r\n\xef\xbb\xbf");
  if (text.starts_with_insensitive("<!doctype html") ||
      text.starts_with_insensitive("<html"))
    return "is a web page (HTML), not the file itself: download it again, "
           "logged in if the model asks for that";
  if (text.starts_with("<?xml"))
    return "is an XML document, such as a server's refusal, not the file "
           "itself: download it again";
  return "";
}

} // namespace

Expected<std::shared_ptr<InputFile>> InputFile::open(StringRef path,
                                                     Handle handle) {
  std::shared_ptr<InputFile> file(new InputFile);
  file->path = path.str();
  struct stat status = {};
  Expected<int> descriptor = openRegular(file->path, status);
  if (!descriptor)
    return descriptor.takeError();
  llamafiles::noteInput(*descriptor);
  file->size = uint64_t(status.st_size);
  file->device = uint64_t(status.st_dev);
  file->inode = uint64_t(status.st_ino);
  char begin[64];
  size_t length = std::min<uint64_t>(file->size, sizeof(begin));
  Error error =
      readFully(*descriptor, file->path, 0, MutableArrayRef(begin, length));
  StringRef complaint = explainPlaceholder({begin, error ? 0 : length});
  if (!error && !complaint.empty())
    error = makeInputError(path, complaint);
  if (error) {
    ::close(*descriptor);
    return std::move(error);
  }
  if (handle == Handle::Kept)
    file->descriptor = *descriptor;
  else
    ::close(*descriptor);
  return file;
}

std::shared_ptr<InputFile> InputFile::fromMemory(StringRef path,
                                                 StringRef bytes) {
  std::shared_ptr<InputFile> file(new InputFile);
  file->path = path.str();
  file->memory = bytes.str();
  file->size = bytes.size();
  file->inMemory = true;
  return file;
}

InputFile::~InputFile() {
  if (descriptor >= 0)
    ::close(descriptor);
}

Error InputFile::read(uint64_t offset, MutableArrayRef<char> out) const {
  assert(offset <= size && out.size() <= size - offset &&
         "readers compare lengths with the file before they read");
  if (inMemory) {
    std::copy_n(memory.data() + offset, out.size(), out.data());
    return Error::success();
  }
  if (descriptor >= 0)
    return readFully(descriptor, path, offset, out);

  struct stat status = {};
  Expected<int> reopened = openRegular(path, status);
  if (!reopened)
    return reopened.takeError();
  bool same = uint64_t(status.st_dev) == device &&
              uint64_t(status.st_ino) == inode &&
              uint64_t(status.st_size) == size;
  Error error =
      same ? readFully(*reopened, path, offset, out)
           : makeInputError(path, "is not the file that was opened before");
  ::close(*reopened);
  return error;
}

Expected<std::string> InputFile::readAll(uint64_t limit) const {
  if (size > limit)
    return makeInputError(path, "has " + Twine(size) +
                                    " bytes, expected at most " + Twine(limit));
  std::string bytes(size, '\0');
  if (Error error = read(0, MutableArrayRef<char>(bytes.data(), bytes.size())))
    return std::move(error);
  return bytes;
}

Expected<std::string> readTextFile(StringRef path) {
  constexpr uint64_t kLongest = uint64_t(64) << 20;
  auto file = InputFile::open(path);
  if (!file)
    return file.takeError();
  return (*file)->readAll(kLongest);
}

bool beginsWith(llvm::StringRef path, llvm::StringRef magic) {
  llvm::SmallString<16> begin;
  begin.resize(magic.size());
  auto file = InputFile::open(path);
  if (!file) {
    llvm::consumeError(file.takeError());
    return false;
  }
  if ((*file)->getSize() < magic.size())
    return false;
  if (llvm::Error error =
          (*file)->read(0, llvm::MutableArrayRef(begin.data(), begin.size()))) {
    llvm::consumeError(std::move(error));
    return false;
  }
  return begin == magic;
}

} // namespace llamaweights
