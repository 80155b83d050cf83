//===- OutputFile.cpp - Files that are whole or absent --------------------===//
//
// open, pwrite, rename. Names of temporary files end in .tmp.
//
//===----------------------------------------------------------------------===//

#include "weights/OutputFile.h"

#include "weights/FolderFiles.h"
#include "weights/InputError.h"
#include "weights/InputFile.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Errno.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

using namespace llvm;
using llamafiles::Order;

namespace llamaweights {
namespace {

Error cannot(StringRef path, StringRef what, const Twine &why) {
  return makeInputError(path, "cannot be " + what + ": " + why);
}

/// As files/OutputPlace.h finds it.
Error findPlace(StringRef path, llamafiles::Order order,
                llamafiles::OutputPlace &place) {
  std::string problem = llamafiles::findOutputPlace(path.str(), order, place);
  return problem.empty() ? Error::success() : createStringError(problem);
}

} // namespace

Expected<OutputFile> OutputFile::create(StringRef path, Order order) {
  OutputFile file;
  file.order = order;
  if (Error error = findPlace(path, order, file.place))
    return std::move(error);
  SmallString<128> stem(file.place.path), temporary;
  if (file.place.isStream) {
    sys::path::system_temp_directory(/*ErasedOnReboot=*/true, stem);
    sys::path::append(stem, "llama");
  }
  if (std::error_code code =
          sys::fs::createUniqueFile(stem + ".%%%%%%.tmp", file.descriptor,
                                    temporary, sys::fs::OF_None, 0666))
    return cannot(path, "written", code.message());
  file.path = path.str();
  file.temporary = temporary.str().str();
  sys::RemoveFileOnSignal(file.temporary);
  return file;
}

Expected<OutputFile> OutputFile::createIn(StringRef folder, StringRef name) {
  OutputFile file;
  file.path = file.temporary = getPathIn(folder, name);
  StringRef parent = sys::path::parent_path(file.path);
  if (std::error_code code = sys::fs::create_directories(parent))
    return cannot(parent, "made", code.message());
  file.descriptor = sys::RetryAfterSignal(-1, [&] {
    return ::open(file.path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
                  0666);
  });
  if (file.descriptor < 0)
    return cannot(file.path, "written", sys::StrError());
  return file;
}

OutputFile::OutputFile(OutputFile &&other) noexcept
    : path(std::move(other.path)), temporary(std::move(other.temporary)),
      order(other.order), place(std::move(other.place)),
      descriptor(std::exchange(other.descriptor, -1)), size(other.size) {
  other.temporary.clear();
}

OutputFile::~OutputFile() {
  if (descriptor >= 0)
    ::close(descriptor);
  if (temporary.empty())
    return;
  // Nobody is left to be told if it cannot be removed.
  std::error_code ignored = sys::fs::remove(temporary);
  (void)ignored;
  sys::DontRemoveFileOnSignal(temporary);
}

Error OutputFile::append(ArrayRef<char> bytes) {
  if (Error error = write(size, bytes))
    return error;
  size += bytes.size();
  return Error::success();
}

Error OutputFile::pad(uint64_t alignment) {
  std::string zeros((alignment - size % alignment) % alignment, '\0');
  return appendText(zeros);
}

Error OutputFile::write(uint64_t offset, ArrayRef<char> bytes) {
  while (!bytes.empty()) {
    size_t piece = std::min<size_t>(bytes.size(), size_t(1) << 30);
    ssize_t count = ::pwrite(descriptor, bytes.data(), piece, off_t(offset));
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return cannot(path, "written", sys::StrError());
    bytes = bytes.drop_front(size_t(count));
    offset += uint64_t(count);
  }
  return Error::success();
}

Error OutputFile::read(uint64_t offset, MutableArrayRef<char> bytes) const {
  while (!bytes.empty()) {
    ssize_t count =
        ::pread(descriptor, bytes.data(), bytes.size(), off_t(offset));
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return cannot(path, "read back",
                    count < 0 ? sys::StrError() : "it ends too early");
    bytes = bytes.drop_front(size_t(count));
    offset += uint64_t(count);
  }
  return Error::success();
}

Error OutputFile::copyToStream() {
  int stream = place.openStream();
  if (stream < 0)
    return cannot(path, "written", sys::StrError());
  std::error_code code = sys::fs::copy_file(temporary, stream);
  if (std::error_code closed = sys::fs::closeFile(stream); !code)
    code = closed;
  if (code)
    return cannot(path, "written", code.message());
  return Error::success();
}

/// The permissions of the file that was there, else the usual ones; whoever may
/// read an executable may execute it.
Error OutputFile::setPermissions(bool isExecutable) {
  mode_t mask = ::umask(0);
  ::umask(mask);
  mode_t mode = place.mode.value_or(0666 & ~mask);
  if (isExecutable)
    mode |= (mode & 0444) >> 2;
  if (::fchmod(descriptor, mode) != 0)
    return cannot(path, "written", sys::StrError());
  return Error::success();
}

Error OutputFile::keep(bool isExecutable) {
  // What was found at the beginning may be something else by now.
  if (temporary != path)
    if (Error error = findPlace(path, order, place))
      return error;
  if (Error error = setPermissions(isExecutable))
    return error;
  if (::close(std::exchange(descriptor, -1)) != 0)
    return cannot(path, "written", sys::StrError());
  if (place.isStream)
    return copyToStream(); // the temporary file goes with this object
  if (temporary != path)
    if (std::error_code code = sys::fs::rename(temporary, place.path))
      return cannot(path, "written", code.message());
  sys::DontRemoveFileOnSignal(temporary);
  temporary.clear();
  return Error::success();
}

Expected<OutputFolder> OutputFolder::create(StringRef path) {
  OutputFolder folder;
  while (path.size() > 1 && path.ends_with("/"))
    path = path.drop_back();
  // Of a link, what it leads to.
  std::string clean = llamafiles::followLinks(path.str());
  if (sys::fs::exists(clean)) {
    auto names = listFolder(clean, "", "");
    if (!names)
      return names.takeError();
    if (!names->empty())
      return makeInputError(clean, "is there already, and not empty");
  }
  SmallString<256> temporary;
  sys::fs::createUniquePath(clean + ".%%%%%%.tmp", temporary,
                            /*MakeAbsolute=*/false);
  if (std::error_code code = sys::fs::create_directories(temporary))
    return cannot(clean, "made", code.message());
  folder.path = clean;
  folder.temporary = temporary.str().str();
  return folder;
}

OutputFolder::OutputFolder(OutputFolder &&other) noexcept
    : path(std::move(other.path)), temporary(std::move(other.temporary)) {
  other.temporary.clear();
}

OutputFolder::~OutputFolder() {
  if (temporary.empty())
    return;
  // Nobody is left to be told if it cannot be removed.
  std::error_code ignored = sys::fs::remove_directories(temporary);
  (void)ignored;
}

Error OutputFolder::writeFile(StringRef name, StringRef text) const {
  Expected<OutputFile> file = createFile(name);
  if (!file)
    return file.takeError();
  if (Error error = file->appendText(text))
    return error;
  return file->keep();
}

std::string OutputFolder::getTemporaryPath(StringRef name) const {
  return getPathIn(temporary, name);
}

Error OutputFolder::copyFile(StringRef from, StringRef name) const {
  constexpr uint64_t kPanelBytes = 1 << 20;
  auto source = InputFile::open(from);
  if (!source)
    return source.takeError();
  Expected<OutputFile> file = createFile(name);
  if (!file)
    return file.takeError();
  std::string panel;
  uint64_t size = (*source)->getSize();
  for (uint64_t done = 0; done < size; done += panel.size()) {
    panel.resize(size_t(std::min(kPanelBytes, size - done)));
    if (Error error = (*source)->read(done, {panel.data(), panel.size()}))
      return error;
    if (Error error = file->appendText(panel))
      return error;
  }
  return file->keep();
}

Error OutputFolder::keep() {
  if (std::error_code error = sys::fs::rename(temporary, path))
    return cannot(path, "made", error.message());
  temporary.clear();
  return Error::success();
}

} // namespace llamaweights
