//===- SymbolOffsets.cpp - Where a model.so's symbols are -----------------===//
//
// Every offset is compared with the size of the file.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/SymbolOffsets.h"

#include "weights/InputError.h"

#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;
using object::ELF64LEObjectFile;

namespace llamaweights {

/// Those of the symbols that are in a segment with contents.
static Expected<std::map<std::string, uint64_t>>
readOffsets(const ELF64LEObjectFile &elf, StringRef path) {
  auto headers = elf.getELFFile().program_headers();
  if (!headers)
    return makeInputError(path, toString(headers.takeError()));
  std::map<std::string, uint64_t> offsets;
  for (const object::ELFSymbolRef symbol : elf.getDynamicSymbolIterators()) {
    Expected<StringRef> name = symbol.getName();
    Expected<uint64_t> address = symbol.getValue();
    if (!name || !address)
      return makeInputError(
          path, "a symbol is broken: " +
                    toString(name ? address.takeError() : name.takeError()));
    for (const auto &segment : *headers)
      if (segment.p_type == ELF::PT_LOAD && *address >= segment.p_vaddr &&
          *address - segment.p_vaddr < segment.p_filesz)
        offsets[name->str()] = segment.p_offset + (*address - segment.p_vaddr);
  }
  return offsets;
}

Expected<SymbolOffsets> SymbolOffsets::read(StringRef path) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (!buffer)
    return makeInputError(path,
                          "cannot be read: " + buffer.getError().message());
  auto elf = ELF64LEObjectFile::create((*buffer)->getMemBufferRef());
  if (!elf)
    return makeInputError(path, "is not a shared object: " +
                                    toString(elf.takeError()));
  SymbolOffsets symbols(path, (*buffer)->getBufferSize());
  if (Error error = readOffsets(*elf, path).moveInto(symbols.offsets))
    return std::move(error);
  return symbols;
}

Expected<uint64_t> SymbolOffsets::find(StringRef name, uint64_t bytes) const {
  auto found = offsets.find(name.str());
  if (found == offsets.end())
    return makeInputError(path, "has no symbol " + quote(name) +
                                    ": it is not a compiled model");
  if (found->second > size || bytes > size - found->second)
    return makeInputError(path, "symbol " + quote(name) + ": expected " +
                                    Twine(bytes) + " bytes at byte " +
                                    Twine(found->second) +
                                    ", but the file has " + Twine(size));
  return found->second;
}

} // namespace llamaweights
