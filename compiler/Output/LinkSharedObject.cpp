//===- LinkSharedObject.cpp - Object file to model.so ---------------------===//
//
//   object (code, header, info, tokenizer; weights reserved)
//     -> lld -> model.so with .lrodata NOBITS
//     -> .lrodata PROGBITS at the end of the file, in a read-only segment
//
//===----------------------------------------------------------------------===//

#include "compiler/Output/LinkSharedObject.h"

#include "compiler/Output/EmitObject.h"
#include "runtime/abi/LlamaABI.h"
#include "weights/Formats/SymbolOffsets.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Parallel.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"

#include <deque>

LLD_HAS_DRIVER(elf)

using namespace mlir;
using namespace mlir::llama;
using namespace llvm::ELF;
using llamaweights::OutputFile;

// The weights get a segment of their own, so that it can be given its own place
// in the file and its own rights afterwards; 2 MiB is the size of a huge page.
static constexpr char kScript[] = R"(
PHDRS {
  constant PT_LOAD FILEHDR PHDRS FLAGS(4);
  text PT_LOAD FLAGS(5);
  data PT_LOAD FLAGS(6);
  weights PT_LOAD FLAGS(4);
  dynamic PT_DYNAMIC FLAGS(6);
  stack PT_GNU_STACK FLAGS(6);
}
SECTIONS {
  . = SIZEOF_HEADERS;
  .gnu.hash : { *(.gnu.hash) } :constant
  .dynsym : { *(.dynsym) } :constant
  .dynstr : { *(.dynstr) } :constant
  .rela.dyn : { *(.rela.dyn) } :constant
  .rela.plt : { *(.rela.plt) } :constant
  .rodata.hashes : { *(.rodata.hashes) } :constant
  .rodata : { *(.rodata .rodata.*) } :constant
  .eh_frame : { *(.eh_frame) } :constant
  . = ALIGN(CONSTANT(MAXPAGESIZE));
  .text : { *(.text .text.*) } :text
  .plt : { *(.plt) } :text
  . = ALIGN(CONSTANT(MAXPAGESIZE));
  .dynamic : { *(.dynamic) } :data :dynamic
  .data : { *(.data .data.* .data.rel.ro .data.rel.ro.*) } :data
  .got : { *(.got) } :data
  .got.plt : { *(.got.plt) } :data
  .bss : { *(.bss) } :data
  . = ALIGN(0x200000);
  .lrodata : { *(.bss.weights) } :weights
}
)";

static constexpr uint64_t kHugePage = 0x200000;

static llvm::Error writeText(StringRef path, ArrayRef<char> bytes) {
  std::error_code code;
  llvm::raw_fd_ostream stream(path, code);
  if (!code) {
    stream.write(bytes.data(), bytes.size());
    stream.close();
    code = stream.error();
    stream.clear_error();
  }
  if (code)
    return llvm::createStringError("%s: cannot be written: %s",
                                   path.str().c_str(), code.message().c_str());
  return llvm::Error::success();
}

static llvm::Error runLinker(ArrayRef<std::string> objects, StringRef script,
                             StringRef output) {
  std::string outputPath = output.str();
  std::string scriptFlag = ("--script=" + script).str();
  SmallVector<const char *> arguments = {"ld.lld",           "-shared",
                                         "--no-relax",       "-z",
                                         "noexecstack",      "--hash-style=gnu",
                                         "--build-id=none",  "--threads=1",
                                         scriptFlag.c_str(), "-o",
                                         outputPath.c_str()};
  for (const std::string &object : objects)
    arguments.push_back(object.c_str());
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  // --threads is that of all of LLVM, and weights are packed after this.
  llvm::ThreadPoolStrategy threads = llvm::parallel::strategy;
  llvm::scope_exit restore([&] { llvm::parallel::strategy = threads; });
  lld::Result result =
      lld::lldMain(arguments, stream, stream, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0)
    return llvm::createStringError("%s: cannot be linked: %s",
                                   outputPath.c_str(), messages.c_str());
  return llvm::Error::success();
}

llvm::Error llama::linkSharedObject(ArrayRef<SmallVector<char, 0>> objects,
                                    OutputFile &file) {
  // lld writes to a name of its own and renames it: not to the file that is
  // open.
  std::string base = file.getTemporaryPath().str();
  std::string scriptPath = base + ".ld", linkedPath = base + ".so";
  llvm::FileRemover removeScript(scriptPath), removeLinked(linkedPath);
  for (const std::string &path : {scriptPath, linkedPath})
    llvm::sys::RemoveFileOnSignal(path);
  std::vector<std::string> objectPaths;
  std::deque<llvm::FileRemover> removeObjects;
  for (auto [i, object] : llvm::enumerate(objects)) {
    objectPaths.push_back(base + "." + std::to_string(i) + ".o");
    removeObjects.emplace_back(objectPaths.back());
    llvm::sys::RemoveFileOnSignal(objectPaths.back());
    if (llvm::Error error = writeText(objectPaths.back(), object))
      return error;
  }
  if (llvm::Error error =
          writeText(scriptPath, ArrayRef(kScript, sizeof(kScript) - 1)))
    return error;
  if (llvm::Error error = runLinker(objectPaths, scriptPath, linkedPath))
    return error;
  auto linked = llvm::MemoryBuffer::getFile(linkedPath);
  if (!linked)
    return llvm::createStringError("%s: cannot be read: %s", linkedPath.c_str(),
                                   linked.getError().message().c_str());
  StringRef bytes = (*linked)->getBuffer();
  return file.write(0, ArrayRef(bytes.data(), bytes.size()));
}

namespace {

/// Reads and writes single structures of an open file.
template <typename T>
struct At {
  At(OutputFile &file, uint64_t offset) : file(file), offset(offset) {}
  llvm::Error load() {
    return file.read(
        offset, MutableArrayRef(reinterpret_cast<char *>(&value), sizeof(T)));
  }
  llvm::Error store() {
    return file.write(
        offset, ArrayRef(reinterpret_cast<const char *>(&value), sizeof(T)));
  }
  OutputFile &file;
  uint64_t offset;
  T value;
};

} // namespace

static llvm::Error moveSection(OutputFile &file, const Elf64_Ehdr &header,
                               uint64_t address, uint64_t bytes,
                               uint64_t place) {
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    At<Elf64_Shdr> section(file, header.e_shoff + i * sizeof(Elf64_Shdr));
    if (llvm::Error error = section.load())
      return error;
    if (section.value.sh_type != SHT_NOBITS ||
        section.value.sh_addr != address || section.value.sh_size != bytes)
      continue;
    section.value.sh_type = SHT_PROGBITS;
    section.value.sh_flags = SHF_ALLOC;
    if (header.e_machine == EM_X86_64)
      section.value.sh_flags |= SHF_X86_64_LARGE;
    section.value.sh_offset = place;
    return section.store();
  }
  return llvm::createStringError("the linker has lost the section '.lrodata'");
}

llvm::Expected<uint64_t> llama::openWeightsSection(OutputFile &file,
                                                   uint64_t bytes) {
  At<Elf64_Ehdr> header(file, 0);
  if (llvm::Error error = header.load())
    return std::move(error);
  // The section headers stand last in what the linker writes.
  uint64_t place = llvm::alignTo(header.value.e_shoff +
                                     header.value.e_shnum * sizeof(Elf64_Shdr),
                                 kHugePage);
  for (unsigned i = 0; i < header.value.e_phnum; ++i) {
    At<Elf64_Phdr> segment(file, header.value.e_phoff + i * sizeof(Elf64_Phdr));
    if (llvm::Error error = segment.load())
      return std::move(error);
    if (segment.value.p_type != PT_LOAD || segment.value.p_filesz != 0 ||
        segment.value.p_memsz != bytes)
      continue;
    segment.value.p_offset = place;
    segment.value.p_filesz = bytes;
    segment.value.p_flags = PF_R;
    segment.value.p_align = kHugePage;
    if (llvm::Error error = segment.store())
      return std::move(error);
    if (llvm::Error error = moveSection(file, header.value,
                                        segment.value.p_vaddr, bytes, place))
      return std::move(error);
    return place;
  }
  return llvm::createStringError(
      "the linker has lost the segment of '.lrodata'");
}

llvm::Error llama::writeHashes(OutputFile &file, ArrayRef<char> hashes) {
  auto symbols = llamaweights::SymbolOffsets::read(file.getTemporaryPath());
  if (!symbols)
    return symbols.takeError();
  llvm::Expected<uint64_t> offset =
      symbols->find(LLAMA_SYMBOL_HASHES, hashes.size());
  if (!offset)
    return offset.takeError();
  return file.write(*offset, hashes);
}
