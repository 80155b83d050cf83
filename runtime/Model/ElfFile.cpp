//===- ElfFile.cpp - Is this a whole shared object for this machine? ------===//

#include "runtime/Model/ElfFile.h"

#include "runtime/Error.h"

#include <cstring>
#include <elf.h>
#include <string>

using namespace llamart;

namespace {

#if defined(__x86_64__)
constexpr Elf64_Half kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
#else
#error "which ELF machine is this?"
#endif

std::string getMachineName(Elf64_Half machine) {
  switch (machine) {
  case EM_X86_64:
    return "x86-64";
  case EM_AARCH64:
    return "aarch64";
  default:
    return "ELF machine " + std::to_string(machine);
  }
}

class Checker {
public:
  explicit Checker(const File &file) : file(file) {}

  void run() {
    checkHeader();
    if (header.e_phnum == 0)
      fail("has no segments");
    checkTable("program header", header.e_phoff, header.e_phnum,
               header.e_phentsize, sizeof(Elf64_Phdr));
    for (unsigned i = 0; i < header.e_phnum; ++i) {
      auto segment = read<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr));
      if (segment.p_type == PT_LOAD)
        checkEnd("segment " + std::to_string(i), segment.p_offset,
                 segment.p_filesz);
    }
    // A stripped file may have no section table; then e_shnum is 0.
    checkTable("section header", header.e_shoff, header.e_shnum,
               header.e_shentsize, sizeof(Elf64_Shdr));
    for (unsigned i = 0; i < header.e_shnum; ++i) {
      auto section = read<Elf64_Shdr>(header.e_shoff + i * sizeof(Elf64_Shdr));
      if (section.sh_type != SHT_NOBITS && section.sh_type != SHT_NULL)
        checkEnd("section " + std::to_string(i), section.sh_offset,
                 section.sh_size);
    }
  }

private:
  template <typename... Parts>
  [[noreturn]] void fail(const Parts &...parts) {
    throw Error(ErrorKind::Model, file.getPath(), ": ", parts...);
  }

  void checkHeader() {
    if (file.getSize() < sizeof(header))
      fail("not a model: ", file.getSize(),
           " bytes are less than an ELF header");
    header = read<Elf64_Ehdr>(0);
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
      fail("not a model: not an ELF file; llama-compile makes one of a "
           "checkpoint");
    if (header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_ident[EI_DATA] != ELFDATA2LSB)
      fail("not a model: not a 64-bit little-endian ELF file");
    if (header.e_type != ET_DYN)
      fail("not a model: not a shared object (ELF type ", header.e_type, ")");
    if (header.e_machine != kMachine)
      fail("made for ", getMachineName(header.e_machine), ", this machine is ",
           getMachineName(kMachine));
  }

  void checkTable(const char *what, uint64_t offset, uint64_t count,
                  uint64_t entry, uint64_t expectedEntry) {
    if (count == 0)
      return;
    if (entry != expectedEntry)
      fail(what, "s have ", entry, " bytes, expected ", expectedEntry);
    checkEnd(std::string(what) + "s", offset, count * entry);
  }

  void checkEnd(const std::string &what, uint64_t offset, uint64_t bytes) {
    if (offset > file.getSize() || bytes > file.getSize() - offset)
      fail("truncated: ", what, ": ", bytes, " bytes at byte ", offset,
           ", the file has ", file.getSize());
  }

  template <typename T>
  T read(uint64_t offset) {
    T value;
    file.read(offset, &value, sizeof(value));
    return value;
  }

  const File &file;
  Elf64_Ehdr header = {};
};

} // namespace

void llamart::checkSharedObject(const File &file) { Checker(file).run(); }
