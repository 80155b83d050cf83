//===- File.cpp - A regular file opened for reading -----------------------===//

#include "runtime/Model/File.h"

#include "runtime/Error.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

using namespace llamart;

File::File(std::string name) : path(std::move(name)) {
  // O_NONBLOCK: opening a named pipe must not wait for its other end.
  descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  checkKind();
}

File::File(int other, std::string name) : path(std::move(name)) {
  descriptor = fcntl(other, F_DUPFD_CLOEXEC, 0);
  checkKind();
}

void File::checkKind() {
  if (descriptor < 0)
    throw Error(ErrorKind::Model, path, ": ", std::strerror(errno));
  struct stat status = {};
  int result = fstat(descriptor, &status);
  if (result != 0 || !S_ISREG(status.st_mode)) {
    close(descriptor);
    throw Error(ErrorKind::Model, path,
                S_ISDIR(status.st_mode)
                    ? ": is a folder, expected a model.so: llama-compile makes "
                      "one of a checkpoint"
                    : ": not a regular file");
  }
  size = status.st_size;
}

File::~File() { close(descriptor); }

void File::read(uint64_t offset, void *out, uint64_t bytes) const {
  char *to = static_cast<char *>(out);
  for (uint64_t done = 0; done < bytes;) {
    ssize_t got = pread(descriptor, to + done, bytes - done, offset + done);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      throw Error(ErrorKind::Model, path, ": ", std::strerror(errno));
    if (got == 0)
      throw Error(ErrorKind::Model, path, ": ends at byte ", offset + done,
                  ", expected ", bytes, " bytes at byte ", offset);
    done += got;
  }
}
