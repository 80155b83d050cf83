//===- ByteStream.h - Bytes of a file, one after the other ------*- C++ -*-===//
//
// InputFile reads at places; this reads on, through a small buffer.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_CONTAINERS_BYTESTREAM_H
#define LLAMA_WEIGHTS_CONTAINERS_BYTESTREAM_H

#include "weights/InputError.h"
#include "weights/InputFile.h"

#include <algorithm>

namespace llamaweights {

/// Bytes [offset, end) of a file, one after the other.
class ByteStream {
public:
  ByteStream(const InputFile &file, uint64_t offset, uint64_t end)
      : file(file), next(offset), end(end) {}

  uint64_t getOffset() const { return next - (filled - used); }
  uint64_t getRest() const { return end - getOffset(); }

  /// The next `count` bytes, at most 8.
  llvm::Expected<const char *> take(size_t count) {
    if (filled - used < count)
      if (llvm::Error error = refill(count))
        return std::move(error);
    const char *bytes = buffer + used;
    used += count;
    return bytes;
  }

  llvm::Error takeString(uint64_t count, std::string &out) {
    if (count > getRest())
      return tooShort(count);
    out.resize(count);
    size_t buffered = std::min<uint64_t>(filled - used, count);
    std::copy_n(buffer + used, buffered, out.data());
    used += buffered;
    if (buffered == count)
      return llvm::Error::success();
    llvm::MutableArrayRef<char> rest(out.data() + buffered, count - buffered);
    uint64_t from = next;
    next += rest.size();
    used = filled = 0;
    return file.read(from, rest);
  }

  llvm::Error skip(uint64_t count) {
    if (count > getRest())
      return tooShort(count);
    uint64_t to = getOffset() + count;
    used = filled = 0;
    next = to;
    return llvm::Error::success();
  }

  llvm::Error tooShort(uint64_t wanted) {
    return makeInputError(
        file.getPath(), "pickle: expected " + llvm::Twine(wanted) +
                            " more bytes at byte " + llvm::Twine(getOffset()) +
                            ", found " + llvm::Twine(getRest()));
  }

private:
  llvm::Error refill(size_t count) {
    if (count > getRest())
      return tooShort(count);
    std::copy(buffer + used, buffer + filled, buffer);
    filled -= used;
    used = 0;
    size_t more = std::min<uint64_t>(sizeof(buffer) - filled, end - next);
    if (llvm::Error error = file.read(next, {buffer + filled, more}))
      return error;
    filled += more;
    next += more;
    return llvm::Error::success();
  }

  const InputFile &file;
  uint64_t next, end; ///< of what is not in the buffer yet
  size_t used = 0, filled = 0;
  char buffer[4096];
};

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CONTAINERS_BYTESTREAM_H
