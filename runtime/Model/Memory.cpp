//===- Memory.cpp - Pages from the operating system -----------------------===//

#include "runtime/Model/Memory.h"

#include "runtime/Error.h"

#include <cerrno>
#include <fstream>
#include <sys/mman.h>
#include <unistd.h>

using namespace llamart;

static uint64_t getPageSize() {
  static const uint64_t size = sysconf(_SC_PAGESIZE);
  return size;
}

static uintptr_t roundUp(uintptr_t value, uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

/// The part of [data, data + bytes) made of whole units, maybe empty.
static std::pair<char *, uint64_t>
getWholeUnits(const void *data, uint64_t bytes, uint64_t unit) {
  char *pointer = static_cast<char *>(const_cast<void *>(data));
  uintptr_t address = reinterpret_cast<uintptr_t>(data);
  uintptr_t begin = roundUp(address, unit);
  uintptr_t end = (address + bytes) / unit * unit;
  if (begin >= end)
    return {nullptr, 0};
  return {pointer + (begin - address), end - begin};
}

Pages::~Pages() {
  if (base)
    munmap(base, baseSize);
}

Pages Pages::reserve(uint64_t bytes, HugePages hugePages) noexcept {
  bool huge = hugePages == HugePages::Advised && bytes >= kHugePage;
  uint64_t slack = huge ? kHugePage : 0;
  Pages pages;
  if (bytes > UINT64_MAX - slack) {
    errno = ENOMEM;
    return pages;
  }
  void *base = mmap(nullptr, bytes + slack, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED)
    return pages;
  uintptr_t address = reinterpret_cast<uintptr_t>(base);
  uint64_t skipped = huge ? roundUp(address, kHugePage) - address : 0;
  pages.base = base;
  pages.baseSize = bytes + slack;
  pages.data = static_cast<char *>(base) + skipped;
  pages.size = bytes;
  if (huge)
    adviseHugePages(pages.data, bytes);
  return pages;
}

Pages Pages::mapFile(int file, uint64_t bytes) noexcept {
  Pages pages;
  void *base = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file, 0);
  if (base == MAP_FAILED)
    return pages;
  pages.base = base;
  pages.baseSize = pages.size = bytes;
  pages.data = static_cast<char *>(base);
  return pages;
}

Pages llamart::reserveOrThrow(const char *name, uint64_t bytes,
                              HugePages hugePages) {
  Pages pages = Pages::reserve(bytes, hugePages);
  if (!pages)
    throw Error(ErrorKind::Memory, name, ": cannot get ", bytes,
                " bytes of memory");
  return pages;
}

void llamart::adviseHugePages(const void *data, uint64_t bytes) noexcept {
  auto [begin, size] = getWholeUnits(data, bytes, kHugePage);
  if (begin)
    madvise(begin, size, MADV_HUGEPAGE);
}

void llamart::releasePages(void *data, uint64_t bytes) noexcept {
  auto [begin, size] = getWholeUnits(data, bytes, getPageSize());
  if (begin)
    madvise(begin, size, MADV_DONTNEED);
}

// "always [madvise] never", the choice in brackets.
bool llamart::hasHugePages(const std::string &root) {
  std::ifstream file(root + "/sys/kernel/mm/transparent_hugepage/enabled");
  for (std::string word; file >> word;)
    if (word == "[always]" || word == "[madvise]")
      return true;
  return false;
}

uint64_t llamart::getPhysicalMemory() noexcept {
  return uint64_t(sysconf(_SC_PHYS_PAGES)) * getPageSize();
}
