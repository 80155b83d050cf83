//===- ZipArchive.cpp - Where the files in a zip file are -----------------===//
//
// end record (and zip64's, and its locator)  =>  central directory  =>  local
// headers, which say where the contents begin.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/ZipArchive.h"

#include "weights/InputError.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Endian.h"

#include <algorithm>

using namespace llvm;
using support::endian::read16le;
using support::endian::read32le;
using support::endian::read64le;

namespace llamaweights {
namespace {

constexpr uint64_t kEndBytes = 22, kEnd64Bytes = 56, kLocatorBytes = 20;
constexpr uint64_t kCentralBytes = 46, kLocalBytes = 30;
constexpr uint64_t kLongestDirectory = uint64_t(64) << 20;
constexpr uint32_t kInZip64 = 0xffffffff; // the field is in the zip64 record
constexpr uint16_t kEncrypted = 1;

struct Directory {
  uint64_t entries = 0, bytes = 0, offset = 0;
};

class ZipReader {
public:
  explicit ZipReader(const InputFile &file) : file(file) {}

  Expected<std::vector<ZipEntry>> read();

private:
  Error findDirectory(Directory &directory);
  Error readZip64(uint64_t endOffset, Directory &directory);
  Expected<uint64_t> readEntry(StringRef bytes, ZipEntry &entry);
  Error readSizes64(StringRef extra, bool needSize, bool needStored,
                    bool needOffset, ZipEntry &entry);
  Error findContents(const Directory &directory, ZipEntry &entry);
  Error checkOverlaps();

  Error fail(const Twine &message) {
    return makeInputError(file.getPath(), "zip: " + message);
  }
  Expected<std::string> readBytes(uint64_t offset, uint64_t count) {
    if (offset > file.getSize() || count > file.getSize() - offset)
      return fail("expected " + Twine(count) + " bytes at byte " +
                  Twine(offset) + ", but the file has " +
                  Twine(file.getSize()));
    std::string bytes(count, '\0');
    if (Error error = file.read(offset, {bytes.data(), bytes.size()}))
      return std::move(error);
    return bytes;
  }

  const InputFile &file;
  std::vector<ZipEntry> entries;
  std::vector<uint64_t> headers; ///< of entries, one by one
};

Error ZipReader::findDirectory(Directory &directory) {
  // A comment of up to 64 KiB may follow the end record.
  uint64_t tailBytes = std::min<uint64_t>(file.getSize(), kEndBytes + 0xffff);
  Expected<std::string> tail = readBytes(file.getSize() - tailBytes, tailBytes);
  if (!tail)
    return tail.takeError();
  size_t place = StringRef(*tail).rfind(StringRef("PK\5\6", 4));
  if (place == StringRef::npos || tail->size() - place < kEndBytes)
    return fail("has no end record: it is truncated, or no zip file");
  const char *end = tail->data() + place;
  if (place + kEndBytes + read16le(end + 20) != tail->size())
    return fail("bytes follow the end record");
  if ((read16le(end + 4) != 0 && read16le(end + 4) != 0xffff) ||
      read16le(end + 8) != read16le(end + 10))
    return fail("consists of several disks");
  directory.entries = read16le(end + 10);
  directory.bytes = read32le(end + 12);
  directory.offset = read32le(end + 16);
  uint64_t endOffset = file.getSize() - tailBytes + place;
  if (directory.entries == 0xffff || directory.bytes == kInZip64 ||
      directory.offset == kInZip64)
    if (Error error = readZip64(endOffset, directory))
      return error;
  if (directory.offset > endOffset ||
      directory.bytes > endOffset - directory.offset)
    return fail("the central directory of " + Twine(directory.bytes) +
                " bytes at byte " + Twine(directory.offset) +
                " does not fit before the end record");
  if (directory.bytes > kLongestDirectory ||
      directory.entries > directory.bytes / kCentralBytes)
    return fail("the central directory has " + Twine(directory.entries) +
                " entries in " + Twine(directory.bytes) + " bytes");
  return Error::success();
}

Error ZipReader::readZip64(uint64_t endOffset, Directory &directory) {
  if (endOffset < kLocatorBytes)
    return fail("the locator of the zip64 record is missing");
  Expected<std::string> locator =
      readBytes(endOffset - kLocatorBytes, kLocatorBytes);
  if (!locator)
    return locator.takeError();
  if (!StringRef(*locator).starts_with(StringRef("PK\6\7", 4)))
    return fail("the locator of the zip64 record is missing");
  Expected<std::string> record =
      readBytes(read64le(locator->data() + 8), kEnd64Bytes);
  if (!record)
    return record.takeError();
  if (!StringRef(*record).starts_with(StringRef("PK\6\6", 4)))
    return fail("the zip64 record is missing");
  directory.entries = read64le(record->data() + 32);
  directory.bytes = read64le(record->data() + 40);
  directory.offset = read64le(record->data() + 48);
  return Error::success();
}

Error ZipReader::readSizes64(StringRef extra, bool needSize, bool needStored,
                             bool needOffset, ZipEntry &entry) {
  while (extra.size() >= 4) {
    uint16_t id = read16le(extra.data()), length = read16le(extra.data() + 2);
    if (length > extra.size() - 4)
      break;
    StringRef field = extra.substr(4, length);
    extra = extra.drop_front(4 + length);
    if (id != 1)
      continue;
    uint64_t stored = entry.size;
    for (auto [needed, out] : {std::pair(needSize, &entry.size),
                               {needStored, &stored},
                               {needOffset, &entry.offset}}) {
      if (!needed)
        continue;
      if (field.size() < 8)
        return fail("file " + quote(entry.name) + ": its zip64 field is short");
      *out = read64le(field.data());
      field = field.drop_front(8);
    }
    if (entry.method == 0 && needStored && stored != entry.size)
      return fail("file " + quote(entry.name) + ": " + Twine(entry.size) +
                  " bytes are stored as " + Twine(stored));
    return Error::success();
  }
  return fail("file " + quote(entry.name) + ": its zip64 field is missing");
}

/// One entry of the central directory; how long it is. `entry.offset` is that
/// of the local header.
Expected<uint64_t> ZipReader::readEntry(StringRef bytes, ZipEntry &entry) {
  if (bytes.size() < kCentralBytes ||
      !bytes.starts_with(StringRef("PK\1\2", 4)))
    return fail("entry " + Twine(entries.size()) +
                " of the central directory is broken");
  const char *at = bytes.data();
  uint64_t nameBytes = read16le(at + 28), extraBytes = read16le(at + 30);
  uint64_t length = kCentralBytes + nameBytes + extraBytes + read16le(at + 32);
  if (length > bytes.size())
    return fail("entry " + Twine(entries.size()) +
                " of the central directory is broken");
  entry.name = bytes.substr(kCentralBytes, nameBytes).str();
  StringRef name = entry.name;
  SmallVector<StringRef> parts;
  name.split(parts, '/');
  if (name.empty() || name.starts_with("/") || name.contains('\0') ||
      is_contained(parts, ".."))
    return fail("file " + quote(name) + ": leads out of the archive");
  if (read16le(at + 8) & kEncrypted)
    return fail("file " + quote(name) + ": is encrypted");
  entry.method = read16le(at + 10);
  entry.crc = read32le(at + 16);
  uint32_t stored = read32le(at + 20), size = read32le(at + 24),
           offset = read32le(at + 42);
  entry.size = entry.method == 0 ? size : stored;
  entry.offset = offset;
  bool isLarge = size == kInZip64 || stored == kInZip64 || offset == kInZip64;
  if (isLarge) {
    if (Error error = readSizes64(
            bytes.substr(kCentralBytes + nameBytes, extraBytes),
            size == kInZip64, stored == kInZip64, offset == kInZip64, entry))
      return std::move(error);
  } else if (entry.method == 0 && stored != size) {
    return fail("file " + quote(name) + ": " + Twine(size) +
                " bytes are stored as " + Twine(stored));
  }
  return length;
}

/// Replaces the offset of the local header by that of the contents.
Error ZipReader::findContents(const Directory &directory, ZipEntry &entry) {
  headers.push_back(entry.offset);
  Expected<std::string> header = readBytes(entry.offset, kLocalBytes);
  if (!header)
    return header.takeError();
  const char *at = header->data();
  uint64_t nameBytes = read16le(at + 26);
  if (!StringRef(*header).starts_with(StringRef("PK\3\4", 4)) ||
      nameBytes != entry.name.size())
    return fail("file " + quote(entry.name) + ": its header is broken");
  Expected<std::string> name = readBytes(entry.offset + kLocalBytes, nameBytes);
  if (!name)
    return name.takeError();
  if (*name != entry.name || read16le(at + 8) != entry.method)
    return fail("file " + quote(entry.name) +
                ": its header says otherwise than the central directory");
  uint64_t offset = entry.offset + kLocalBytes + nameBytes + read16le(at + 28);
  if (offset > directory.offset || entry.size > directory.offset - offset)
    return fail(
        "file " + quote(entry.name) + ": has " + Twine(entry.size) +
        " bytes, but only " +
        Twine(offset > directory.offset ? 0 : directory.offset - offset) +
        " follow");
  entry.offset = offset;
  return Error::success();
}

Error ZipReader::checkOverlaps() {
  std::vector<size_t> order(entries.size());
  for (size_t i = 0; i < order.size(); ++i)
    order[i] = i;
  llvm::sort(order,
             [&](size_t a, size_t b) { return headers[a] < headers[b]; });
  for (size_t i = 1; i < order.size(); ++i) {
    const ZipEntry &before = entries[order[i - 1]];
    if (before.offset + before.size > headers[order[i]])
      return fail("file " + quote(entries[order[i]].name) + ": overlaps " +
                  quote(before.name));
  }
  return Error::success();
}

Expected<std::vector<ZipEntry>> ZipReader::read() {
  Directory directory;
  if (Error error = findDirectory(directory))
    return std::move(error);
  Expected<std::string> bytes = readBytes(directory.offset, directory.bytes);
  if (!bytes)
    return bytes.takeError();
  StringSet<> names;
  StringRef rest = *bytes;
  while (entries.size() < directory.entries) {
    ZipEntry entry;
    Expected<uint64_t> length = readEntry(rest, entry);
    if (!length)
      return length.takeError();
    rest = rest.drop_front(*length);
    if (!names.insert(entry.name).second)
      return fail("file " + quote(entry.name) + ": is there twice");
    if (Error error = findContents(directory, entry))
      return std::move(error);
    entries.push_back(std::move(entry));
  }
  if (!rest.empty())
    return fail("the central directory has more than its " +
                Twine(directory.entries) + " entries");
  if (Error error = checkOverlaps())
    return std::move(error);
  return std::move(entries);
}

} // namespace

bool beginsLikeZip(const InputFile &file) {
  char magic[4] = {};
  if (file.getSize() < sizeof(magic))
    return false;
  if (Error error = file.read(0, magic)) {
    consumeError(std::move(error));
    return false;
  }
  return StringRef(magic, 4) == StringRef("PK\3\4", 4);
}

Expected<std::vector<ZipEntry>> readZip(const InputFile &file) {
  return ZipReader(file).read();
}

} // namespace llamaweights
