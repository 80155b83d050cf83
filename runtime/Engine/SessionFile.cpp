//===- SessionFile.cpp - A session in a file ------------------------------===//

#include "runtime/Engine/SavedSession.h"
#include "runtime/Error.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace llamart;

namespace {

[[noreturn]] void fail(const std::string &path, const char *what) {
  throw Error(ErrorKind::System, path, ": ", what, ": ", std::strerror(errno));
}

// A descriptor that is closed with the object.
class Descriptor {
public:
  explicit Descriptor(int number) : number(number) {}
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;
  ~Descriptor() {
    if (number >= 0)
      ::close(number);
  }
  int get() const { return number; }

private:
  int number;
};

// A file beside `path` that takes its place when it is whole, or goes.
class FileBeside {
public:
  explicit FileBeside(const std::string &path)
      : path(path), name(path + ".XXXXXX"),
        file(mkostemp(name.data(), O_CLOEXEC)) { // 0600
    if (file.get() < 0)
      fail(path, "cannot be written beside");
  }
  ~FileBeside() {
    if (!kept)
      unlink(name.c_str());
  }

  void write(const void *data, size_t bytes) {
    const char *next = static_cast<const char *>(data);
    while (bytes > 0) {
      ssize_t written = ::write(file.get(), next, bytes);
      if (written < 0 && errno == EINTR)
        continue;
      if (written < 0)
        fail(path, "cannot be written");
      next += written;
      bytes -= size_t(written);
    }
  }

  void keep() {
    if (fsync(file.get()) != 0 || rename(name.c_str(), path.c_str()) != 0)
      fail(path, "cannot be written");
    kept = true;
  }

private:
  std::string path, name;
  Descriptor file;
  bool kept = false;
};

/// Puts the path in front of what is wrong with the state.
template <typename Call>
auto withPath(const std::string &path, Call call) {
  try {
    return call();
  } catch (const Error &error) {
    if (error.getKind() != ErrorKind::State)
      throw;
    throw Error(ErrorKind::State, path, ": ", error.what());
  }
}

} // namespace

void llamart::saveSessionFile(const Session &session, const std::string &path) {
  FileBeside file(path);
  saveSession(session,
              [&](const void *data, size_t bytes) { file.write(data, bytes); });
  file.keep();
}

std::shared_ptr<Session>
llamart::loadSessionFile(const std::shared_ptr<Engine> &engine,
                         const std::optional<SessionOptions> &options,
                         const std::string &path) {
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0)
    fail(path, "cannot be read");
  auto read = [&](void *data, size_t bytes) {
    for (char *next = static_cast<char *>(data); bytes > 0;) {
      ssize_t got = ::read(file.get(), next, bytes);
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        fail(path, "cannot be read");
      if (got == 0)
        throw Error(ErrorKind::State, "saved session: it ends too early");
      next += got;
      bytes -= size_t(got);
    }
  };
  return withPath(path, [&] { return loadSession(engine, options, read); });
}
