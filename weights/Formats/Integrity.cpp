//===- Integrity.cpp - Are these the bytes that were meant? ---------------===//
//
// Sums of files, and the two lists of sums.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/Integrity.h"

#include "weights/Containers/JsonObject.h"
#include "weights/Containers/ZipArchive.h"
#include "weights/InputError.h"
#include "weights/InputFile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/CRC.h"
#include "llvm/Support/MD5.h"
#include "llvm/Support/Path.h"

#include <algorithm>

using namespace llvm;
using Json = nlohmann::ordered_json;

namespace llamaweights {
namespace {

constexpr uint64_t kPanelBytes = 1 << 20;
constexpr size_t kMd5Digits = 32, kBlake3Digits = 64;

bool isName(StringRef name) {
  return !name.empty() && sys::path::filename(name) == name && name != "." &&
         name != ".." && !name.contains('\0');
}

bool isSum(StringRef sum, size_t digits) {
  return sum.size() == digits &&
         all_of(sum, [](char c) { return isHexDigit(c); });
}

/// Calls `update` with the bytes of [offset, offset + size).
Error readPanels(const InputFile &file, uint64_t offset, uint64_t size,
                 ScanProgress progress,
                 function_ref<void(ArrayRef<uint8_t>)> update) {
  std::vector<char> panel(size_t(std::min(size, kPanelBytes)));
  for (uint64_t done = 0; done < size; done += panel.size()) {
    size_t count = size_t(std::min<uint64_t>(panel.size(), size - done));
    if (Error error = file.read(offset + done, {panel.data(), count}))
      return error;
    update({reinterpret_cast<const uint8_t *>(panel.data()), count});
    progress(int64_t(count));
  }
  return Error::success();
}

template <typename Hasher>
Error hashFile(StringRef path, Hasher &hasher, ScanProgress progress) {
  auto file = InputFile::open(path);
  if (!file)
    return file.takeError();
  return readPanels(**file, 0, (*file)->getSize(), progress,
                    [&](ArrayRef<uint8_t> bytes) { hasher.update(bytes); });
}

} // namespace

Expected<std::vector<FileSum>> parseChecklist(StringRef text, StringRef where) {
  std::vector<FileSum> sums;
  SmallVector<StringRef> lines;
  text.split(lines, '\n');
  for (auto [number, line] : enumerate(lines)) {
    line = line.trim();
    if (line.empty())
      continue;
    auto [sum, name] = line.split(' ');
    name = name.ltrim();
    name.consume_front("*"); // md5sum's mark of binary mode
    if (!isSum(sum, kMd5Digits) || !isName(name))
      return makeInputError(where, "line " + Twine(number + 1) +
                                       ": expected an md5 and the name of a "
                                       "file next to it, found " +
                                       quote(line));
    sums.push_back({name.str(), sum.lower()});
  }
  if (sums.empty())
    return makeInputError(where, "lists no files");
  return sums;
}

Expected<std::string> getMd5(StringRef path, ScanProgress progress) {
  MD5 hasher;
  if (Error error = hashFile(path, hasher, progress))
    return std::move(error);
  MD5::MD5Result result;
  hasher.final(result);
  return result.digest().str().str();
}

Expected<std::string> getBlake3(StringRef path, ScanProgress progress) {
  BLAKE3 hasher;
  if (Error error = hashFile(path, hasher, progress))
    return std::move(error);
  return toHex(hasher.final(), /*LowerCase=*/true);
}

std::string printManifest(const HashManifest &manifest) {
  Json files = Json::object(), tensors = Json::object();
  for (const FileSum &file : manifest.files)
    files[file.name] = file.sum;
  for (const auto &[name, tensor] : manifest.tensors)
    tensors[name] = {
        {"dtype", tensor.type}, {"shape", tensor.shape}, {"hash", tensor.hash}};
  Json json = {{"hash", "blake3"}, {"files", files}, {"tensors", tensors}};
  return json.dump(1) + "\n";
}

Expected<HashManifest> parseManifest(StringRef text, StringRef where) {
  Expected<nlohmann::json> parsed = parseJson(text, where);
  if (!parsed)
    return parsed.takeError();
  HashManifest manifest;
  JsonObject object(where, *parsed);
  std::string hash;
  object.read("hash", hash);
  if (!hash.empty() && hash != "blake3")
    object.fail("hash", "expected 'blake3', found " + quote(hash));
  if (auto files = object.readObject("files")) {
    for (const auto &[name, ignored] : object.get("files")->items()) {
      FileSum file = {name, ""};
      files->read(name, file.sum);
      if (!isName(name) || !isSum(file.sum, kBlake3Digits))
        files->fail(name, "expected a file of the folder and its hash");
      manifest.files.push_back(std::move(file));
    }
    object.absorb(*files);
  }
  if (auto tensors = object.readObject("tensors")) {
    for (const auto &[name, ignored] : object.get("tensors")->items()) {
      auto entry = tensors->readObject(name);
      if (!entry)
        continue;
      ManifestTensor &tensor = manifest.tensors[name];
      entry->read("dtype", tensor.type);
      entry->findIntegers("shape", tensor.shape);
      entry->read("hash", tensor.hash);
      tensors->absorb(*entry);
    }
    object.absorb(*tensors);
  }
  if (Error error = object.finish())
    return std::move(error);
  return manifest;
}

Error checkZipSums(StringRef path, ScanProgress progress) {
  auto file = InputFile::open(path);
  if (!file)
    return file.takeError();
  if (!beginsLikeZip(**file))
    return Error::success();
  auto entries = readZip(**file);
  if (!entries)
    return entries.takeError();
  for (const ZipEntry &entry : *entries) {
    uint32_t crc = 0;
    if (Error error = readPanels(
            **file, entry.offset, entry.size, progress,
            [&](ArrayRef<uint8_t> bytes) { crc = llvm::crc32(crc, bytes); }))
      return error;
    if (entry.method == 0 && crc != entry.crc)
      return makeInputError(
          path, "file " + quote(entry.name) + ": its CRC-32 is " +
                    utohexstr(crc, true, 8) + ", but the archive says " +
                    utohexstr(entry.crc, true, 8));
  }
  return Error::success();
}

} // namespace llamaweights
