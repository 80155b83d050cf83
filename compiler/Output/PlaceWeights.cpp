//===- PlaceWeights.cpp - Room for weights in a linked file ---------------===//

#include "compiler/Output/PlaceWeights.h"

#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::llama;
using namespace llvm::ELF;
using llamaweights::OutputFile;

static constexpr uint64_t kHugePage = 0x200000, kPage = 0x1000;

namespace {

/// Reads and writes single structures of an open file.
template <typename T>
struct At {
  At(OutputFile &file, uint64_t offset) : file(file), offset(offset) {}
  llvm::Error load() {
    return file.read(offset, llvm::MutableArrayRef(
                                 reinterpret_cast<char *>(&value), sizeof(T)));
  }
  llvm::Error store() {
    return file.write(
        offset,
        llvm::ArrayRef(reinterpret_cast<const char *>(&value), sizeof(T)));
  }
  OutputFile &file;
  uint64_t offset;
  T value;
};

} // namespace

static llvm::Expected<Elf64_Ehdr> readHeader(OutputFile &file) {
  At<Elf64_Ehdr> header(file, 0);
  if (llvm::Error error = header.load())
    return std::move(error);
  return header.value;
}

/// The header of section `name`, loaded.
static llvm::Expected<At<Elf64_Shdr>>
findSection(OutputFile &file, const Elf64_Ehdr &header, llvm::StringRef name) {
  auto place = [&](unsigned i) {
    return header.e_shoff + i * sizeof(Elf64_Shdr);
  };
  At<Elf64_Shdr> names(file, place(header.e_shstrndx));
  if (llvm::Error error = names.load())
    return std::move(error);
  std::string text(names.value.sh_size, '\0');
  if (llvm::Error error =
          file.read(names.value.sh_offset,
                    llvm::MutableArrayRef(text.data(), text.size())))
    return std::move(error);
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    At<Elf64_Shdr> section(file, place(i));
    if (llvm::Error error = section.load())
      return std::move(error);
    if (section.value.sh_name < text.size() &&
        name == text.c_str() + section.value.sh_name)
      return section;
  }
  return llvm::createStringError("the linker has lost the section '%s'",
                                 name.data());
}

/// The segment of the weights alone, which object files have not.
static llvm::Error moveSegment(OutputFile &file, const Elf64_Ehdr &header,
                               const Elf64_Shdr &section) {
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    At<Elf64_Phdr> segment(file, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (llvm::Error error = segment.load())
      return error;
    if (segment.value.p_type != PT_LOAD || segment.value.p_filesz != 0 ||
        segment.value.p_vaddr != section.sh_addr)
      continue;
    segment.value.p_offset = section.sh_offset;
    segment.value.p_filesz = section.sh_size;
    segment.value.p_flags = PF_R;
    segment.value.p_align = kHugePage;
    return segment.store();
  }
  return llvm::createStringError("the linker has lost the segment of '%s'",
                                 kWeightsSection.data());
}

llvm::Expected<uint64_t> llama::openWeightsSection(OutputFile &file,
                                                   uint64_t bytes) {
  auto header = readHeader(file);
  if (!header)
    return header.takeError();
  auto section = findSection(file, *header, kWeightsSection);
  if (!section)
    return section.takeError();
  Elf64_Shdr &entry = section->value;
  if (entry.sh_type != SHT_NOBITS || entry.sh_size != bytes)
    return llvm::createStringError("section '%s': expected %llu bytes",
                                   kWeightsSection.data(),
                                   static_cast<unsigned long long>(bytes));
  entry.sh_type = SHT_PROGBITS;
  entry.sh_flags = SHF_ALLOC;
  if (header->e_machine == EM_X86_64)
    entry.sh_flags |= SHF_X86_64_LARGE;
  // The section headers stand last in what the linker writes.
  bool isLoaded = header->e_phnum > 0; // not an object file
  entry.sh_offset =
      llvm::alignTo(header->e_shoff + header->e_shnum * sizeof(Elf64_Shdr),
                    isLoaded ? kHugePage : kPage);
  entry.sh_addralign = kHugePage;
  if (llvm::Error error = section->store())
    return std::move(error);
  if (isLoaded)
    if (llvm::Error error = moveSegment(file, *header, entry))
      return std::move(error);
  return entry.sh_offset;
}

llvm::Error llama::overwriteSection(OutputFile &file, llvm::StringRef name,
                                    uint64_t at, llvm::ArrayRef<char> bytes) {
  auto header = readHeader(file);
  if (!header)
    return header.takeError();
  auto section = findSection(file, *header, name);
  if (!section)
    return section.takeError();
  const Elf64_Shdr &entry = section->value;
  if (at > entry.sh_size || bytes.size() > entry.sh_size - at)
    return llvm::createStringError(
        "section '%s': expected %zu bytes at byte %llu", name.data(),
        bytes.size(), static_cast<unsigned long long>(at));
  return file.write(entry.sh_offset + at, bytes);
}
