//===- ZipWriter.cpp - A zip file of stored files -------------------------===//
//
// local header, contents; ...; central directory; end records. The CRC in a
// local header is filled in when its file ends.
//
//===----------------------------------------------------------------------===//

#include "weights/Writers/ZipWriter.h"

#include "llvm/Support/CRC.h"
#include "llvm/Support/Endian.h"

#include <cassert>

using namespace llvm;

namespace llamaweights {
namespace {

constexpr uint64_t kLarge =
    0xffffffff; // from here on sizes are in zip64 fields
constexpr uint64_t kAlignment = 64, kLocalBytes = 30, kCrcOffset = 14;
constexpr uint16_t kVersion = 20, kVersion64 = 45;
constexpr uint16_t kUtf8Names = 1 << 11;
constexpr uint16_t kNoTime = 0, kFirstDay = (1 << 5) | 1; // 1980-01-01

/// Little-endian numbers, one after the other.
class Record {
public:
  Record &u16(uint64_t value) { return add(uint16_t(value)); }
  Record &u32(uint64_t value) { return add(uint32_t(value)); }
  Record &u64(uint64_t value) { return add(value); }
  Record &text(StringRef value) {
    bytes += value;
    return *this;
  }
  std::string bytes;

private:
  template <typename T>
  Record &add(T value) {
    char raw[sizeof(T)];
    support::endian::write<T, endianness::little>(raw, value);
    bytes.append(raw, sizeof(T));
    return *this;
  }
};

} // namespace

Error ZipWriter::begin(StringRef name, uint64_t size) {
  bool isLarge = size >= kLarge;
  Record extra;
  if (isLarge)
    extra.u16(1).u16(16).u64(size).u64(size);
  // Padding is a field of its own, as torch makes it.
  uint64_t start =
      file.getSize() + kLocalBytes + name.size() + extra.bytes.size() + 4;
  uint64_t padding = (kAlignment - start % kAlignment) % kAlignment;
  extra.u16(0x4246).u16(padding).text(std::string(padding, 'Z'));
  Record header;
  header.u32(0x04034b50).u16(isLarge ? kVersion64 : kVersion).u16(kUtf8Names);
  header.u16(0).u16(kNoTime).u16(kFirstDay).u32(0);
  header.u32(isLarge ? kLarge : size).u32(isLarge ? kLarge : size);
  header.u16(name.size()).u16(extra.bytes.size()).text(name);
  header.text(extra.bytes);
  entries.push_back({name.str(), file.getSize(), size, 0});
  return file.appendText(header.bytes);
}

Error ZipWriter::append(ArrayRef<char> bytes) {
  Entry &entry = entries.back();
  entry.crc =
      llvm::crc32(entry.crc, {reinterpret_cast<const uint8_t *>(bytes.data()),
                              bytes.size()});
  return file.append(bytes);
}

Error ZipWriter::end() {
  const Entry &entry = entries.back();
  std::string crc = Record().u32(entry.crc).bytes;
  return file.write(entry.header + kCrcOffset, {crc.data(), crc.size()});
}

Error ZipWriter::add(StringRef name, StringRef contents) {
  if (Error error = begin(name, contents.size()))
    return error;
  if (Error error = append({contents.data(), contents.size()}))
    return error;
  return end();
}

Error ZipWriter::finish() {
  uint64_t offset = file.getSize();
  for (const Entry &entry : entries) {
    bool isLarge = entry.size >= kLarge, isFar = entry.header >= kLarge;
    Record extra;
    if (isLarge || isFar) {
      extra.u16(1).u16((isLarge ? 16 : 0) + (isFar ? 8 : 0));
      if (isLarge)
        extra.u64(entry.size).u64(entry.size);
      if (isFar)
        extra.u64(entry.header);
    }
    uint16_t version = isLarge || isFar ? kVersion64 : kVersion;
    Record record;
    record.u32(0x02014b50).u16(version).u16(version).u16(kUtf8Names).u16(0);
    record.u16(kNoTime).u16(kFirstDay).u32(entry.crc);
    record.u32(isLarge ? kLarge : entry.size);
    record.u32(isLarge ? kLarge : entry.size);
    record.u16(entry.name.size()).u16(extra.bytes.size()).u16(0).u16(0).u16(0);
    record.u32(0).u32(isFar ? kLarge : entry.header);
    record.text(entry.name).text(extra.bytes);
    if (Error error = file.appendText(record.bytes))
      return error;
  }
  uint64_t count = entries.size(), bytes = file.getSize() - offset;
  Record end;
  bool is64 = offset >= kLarge || count >= 0xffff;
  if (is64) {
    uint64_t record = file.getSize();
    end.u32(0x06064b50).u64(44).u16(kVersion64).u16(kVersion64).u32(0).u32(0);
    end.u64(count).u64(count).u64(bytes).u64(offset);
    end.u32(0x07064b50).u32(0).u64(record).u32(1);
  }
  uint64_t shortCount = is64 ? 0xffff : count;
  end.u32(0x06054b50).u16(0).u16(0).u16(shortCount).u16(shortCount);
  end.u32(is64 ? kLarge : bytes).u32(is64 ? kLarge : offset).u16(0);
  return file.appendText(end.bytes);
}

} // namespace llamaweights
