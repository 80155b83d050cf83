//===- Memory.h - Pages from the operating system ---------------*- C++ -*-===//
//
// Anonymous pages (committed when written) and mapped files, freed with their
// owner. From 2 MiB on, pages are aligned to 2 MiB and huge pages are asked
// for.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_MODEL_MEMORY_H
#define LLAMA_RUNTIME_MODEL_MEMORY_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace llamart {

constexpr uint64_t kHugePage = uint64_t(2) << 20;

enum class HugePages : uint8_t { Never, Advised };

/// A range of pages that is unmapped with its owner. Movable, may be empty.
class Pages {
public:
  Pages() = default;
  Pages(Pages &&other) noexcept { swap(other); }
  Pages &operator=(Pages &&other) noexcept {
    swap(other);
    return *this;
  }
  ~Pages();

  /// `bytes` of zeros that cost memory once they are written. Aligned to 2 MiB
  /// if huge pages are advised and there are 2 MiB or more, else to a page.
  /// Empty if the system refuses; `errno` then says why.
  static Pages reserve(uint64_t bytes, HugePages hugePages) noexcept;

  /// The first `bytes` of an open file, read-only. Empty if the system refuses.
  static Pages mapFile(int file, uint64_t bytes) noexcept;

  char *getData() const { return data; }
  uint64_t getSize() const { return size; }
  explicit operator bool() const { return data != nullptr; }

private:
  void swap(Pages &other) noexcept {
    std::swap(base, other.base);
    std::swap(baseSize, other.baseSize);
    std::swap(data, other.data);
    std::swap(size, other.size);
  }

  void *base = nullptr; // what munmap wants
  uint64_t baseSize = 0;
  char *data = nullptr;
  uint64_t size = 0;
};

/// reserve() that throws Error(Memory): "NAME: cannot get N bytes of memory".
Pages reserveOrThrow(const char *name, uint64_t bytes, HugePages hugePages);

/// Asks for huge pages on the whole 2 MiB pages inside [data, data + bytes).
/// Advice only: a refusal changes nothing.
void adviseHugePages(const void *data, uint64_t bytes) noexcept;

/// Gives the whole pages inside [data, data + bytes) back to the system; they
/// read as zeros afterwards.
void releasePages(void *data, uint64_t bytes) noexcept;

/// Whether the system gives huge pages to who asks for them. `root` precedes the
/// path of /sys: "" but in tests.
bool hasHugePages(const std::string &root = "");

/// Bytes of physical memory of the machine.
uint64_t getPhysicalMemory() noexcept;

} // namespace llamart

#endif // LLAMA_RUNTIME_MODEL_MEMORY_H
