//===- LinkModel.cpp - Object files to model.so or to one object ----------===//
//
//   objects (code; header, info, tokenizer, with weights reserved)
//     -> lld -> model.so with .lrodata NOBITS
//
//===----------------------------------------------------------------------===//

#include "compiler/Output/LinkModel.h"

#include "compiler/Output/PlaceWeights.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ObjCopy/CommonConfig.h"
#include "llvm/ObjCopy/ConfigManager.h"
#include "llvm/ObjCopy/ObjCopy.h"
#include "llvm/Object/Binary.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Parallel.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"

#include <deque>

LLD_HAS_DRIVER(elf)

using namespace mlir;
using namespace mlir::llama;
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
  .rodata.info : { *(.rodata.info) } :constant
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

static llvm::Error runLinker(ArrayRef<std::string> flags, StringRef output) {
  SmallVector<const char *> arguments = {"ld.lld", "--build-id=none",
                                         "--threads=1"};
  for (const std::string &flag : flags)
    arguments.push_back(flag.c_str());
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  // --threads is that of all of LLVM, and weights are packed after this.
  llvm::ThreadPoolStrategy threads = llvm::parallel::strategy;
  llvm::scope_exit restore([&] { llvm::parallel::strategy = threads; });
  lld::Result result =
      lld::lldMain(arguments, stream, stream, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0)
    return llvm::createStringError("%s: cannot be linked: %s",
                                   output.str().c_str(), messages.c_str());
  return llvm::Error::success();
}

namespace {

/// Files beside an output that are gone with it.
class Neighbours {
public:
  explicit Neighbours(StringRef base) : base(base) {}

  /// The path of a new one, whoever writes it.
  std::string add(StringRef ending) {
    std::string path = (base + ending).str();
    removers.emplace_back(path);
    llvm::sys::RemoveFileOnSignal(path);
    return path;
  }

  llvm::Expected<std::string> write(StringRef ending, ArrayRef<char> bytes) {
    std::string path = add(ending);
    if (llvm::Error error = writeText(path, bytes))
      return std::move(error);
    return path;
  }

private:
  StringRef base;
  std::deque<llvm::FileRemover> removers;
};

} // namespace

/// Links objects with further flags; lld writes to a name of its own and renames
/// it: not to a file that is open.
static llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
runLinker(Neighbours &neighbours, ArrayRef<Code> objects,
          std::vector<std::string> flags, StringRef output) {
  std::string linked = neighbours.add(".linked");
  flags.insert(flags.end(), {"-o", linked});
  for (auto [i, object] : llvm::enumerate(objects)) {
    auto path = neighbours.write("." + std::to_string(i) + ".o", object);
    if (!path)
      return path.takeError();
    flags.push_back(*path);
  }
  if (llvm::Error error = runLinker(flags, output))
    return std::move(error);
  auto bytes = llvm::MemoryBuffer::getFile(linked);
  if (!bytes)
    return llvm::createStringError("%s: cannot be read: %s", linked.c_str(),
                                   bytes.getError().message().c_str());
  return std::move(*bytes);
}

llvm::Error llama::linkSharedObject(ArrayRef<Code> objects,
                                    StringRef symbolPrefix, StringRef name,
                                    OutputFile &file) {
  Neighbours neighbours(file.getTemporaryPath());
  auto script = neighbours.write(".ld", ArrayRef(kScript, sizeof(kScript) - 1));
  if (!script)
    return script.takeError();
  std::vector<std::string> flags = {
      "-shared",     "--no-relax",       "-z",
      "noexecstack", "--hash-style=gnu", "--script=" + *script};
  if (!symbolPrefix.empty()) {
    std::string text = ("{ global: " + symbolPrefix + "; local: *; };").str();
    auto symbols = neighbours.write(".map", ArrayRef(text.data(), text.size()));
    if (!symbols)
      return symbols.takeError();
    // A program finds it by this name, wherever it was when it was linked.
    flags.insert(flags.end(),
                 {"--version-script=" + *symbols, "-soname=" + name.str()});
  }
  auto linked =
      runLinker(neighbours, objects, std::move(flags), file.getTemporaryPath());
  if (!linked)
    return linked.takeError();
  StringRef bytes = (*linked)->getBuffer();
  return file.write(0, ArrayRef(bytes.data(), bytes.size()));
}

/// Leaves `symbol` the only global one, and gives the weights' section the name
/// of one that may be far from code.
static llvm::Error hideSymbols(const llvm::MemoryBuffer &object,
                               StringRef symbol, llvm::raw_ostream &into) {
  namespace objcopy = llvm::objcopy;
  auto binary = llvm::object::createBinary(object.getMemBufferRef());
  if (!binary)
    return binary.takeError();
  objcopy::ConfigManager config;
  config.Common.InputFilename = config.Common.OutputFilename =
      object.getBufferIdentifier();
  auto fail = [](llvm::Error error) { return error; };
  if (llvm::Error error = config.Common.SymbolsToKeepGlobal.addMatcher(
          objcopy::NameOrPattern::create(symbol, objcopy::MatchStyle::Literal,
                                         fail)))
    return error;
  config.Common.SectionsToRename[kReservedSection] = {
      kReservedSection, kWeightsSection, std::nullopt};
  return objcopy::executeObjcopyOnBinary(config, **binary, into);
}

llvm::Error llama::linkObject(ArrayRef<Code> objects, StringRef symbol,
                              OutputFile &file) {
  Neighbours neighbours(file.getTemporaryPath());
  auto linked = runLinker(neighbours, objects, {"-r"}, file.getTemporaryPath());
  if (!linked)
    return linked.takeError();
  Code bytes;
  llvm::raw_svector_ostream stream(bytes);
  if (llvm::Error error = hideSymbols(**linked, symbol, stream))
    return error;
  return file.write(0, bytes);
}
