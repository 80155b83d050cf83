//===- OutputFile.cpp - A file that is whole or absent --------------------===//

#include "compiler/Output/OutputFile.h"

#include "llvm/Support/Path.h"

#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

using namespace mlir::llama;

static llvm::Error makeError(llvm::StringRef path, llvm::StringRef what,
                             llvm::StringRef why) {
  return llvm::createStringError("%s: cannot be %s: %s", path.str().c_str(),
                                 what.str().c_str(), why.str().c_str());
}

/// A pipe or a device is written to; a file in its place would be no good.
static bool isDevice(llvm::StringRef path) {
  llvm::sys::fs::file_status status;
  return !llvm::sys::fs::status(path, status) && exists(status) &&
         !is_regular_file(status);
}

llvm::Expected<OutputFile> OutputFile::create(llvm::StringRef path) {
  if (llvm::sys::fs::is_directory(path))
    return makeError(path, "written", "it is a directory");
  llvm::SmallString<128> stem(path);
  if (isDevice(path)) {
    llvm::sys::path::system_temp_directory(/*ErasedOnReboot=*/true, stem);
    llvm::sys::path::append(stem, "llama-compile");
  }
  llvm::Expected<llvm::sys::fs::TempFile> file =
      llvm::sys::fs::TempFile::create(stem + ".%%%%%%.tmp");
  if (!file)
    return makeError(path, "written", llvm::toString(file.takeError()));
  return OutputFile(path, std::move(*file));
}

OutputFile::~OutputFile() {
  if (file)
    llvm::consumeError(file->discard());
}

llvm::Error OutputFile::write(uint64_t offset, llvm::ArrayRef<char> bytes) {
  while (!bytes.empty()) {
    ssize_t count = pwrite(file->FD, bytes.data(), bytes.size(),
                           static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return makeError(path, "written", std::strerror(errno));
    bytes = bytes.drop_front(count);
    offset += count;
  }
  return llvm::Error::success();
}

llvm::Error OutputFile::read(uint64_t offset,
                             llvm::MutableArrayRef<char> bytes) const {
  while (!bytes.empty()) {
    ssize_t count =
        pread(file->FD, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return makeError(path, "read back",
                       count < 0 ? std::strerror(errno) : "it ends too early");
    bytes = bytes.drop_front(count);
    offset += count;
  }
  return llvm::Error::success();
}

llvm::Error OutputFile::copyToDevice() {
  int device;
  if (std::error_code error = llvm::sys::fs::openFileForWrite(
          path, device, llvm::sys::fs::CD_OpenExisting))
    return makeError(path, "written", error.message());
  std::error_code error = llvm::sys::fs::copy_file(file->TmpName, device);
  if (std::error_code closed = llvm::sys::fs::closeFile(device); !error)
    error = closed;
  if (error)
    return makeError(path, "written", error.message());
  llvm::consumeError(file->discard());
  file.reset();
  return llvm::Error::success();
}

llvm::Error OutputFile::keep(bool isExecutable) {
  if (isDevice(path))
    return copyToDevice();
  // Temporary files are private to their owner; the result is an ordinary file.
  mode_t mask = umask(0);
  umask(mask);
  mode_t mode = (isExecutable ? 0777 : 0666) & ~mask;
  if (fchmod(file->FD, mode) != 0)
    return makeError(path, "written", std::strerror(errno));
  llvm::Error error = file->keep(path);
  if (error)
    return makeError(path, "written", llvm::toString(std::move(error)));
  file.reset();
  return llvm::Error::success();
}
