//===- TorchPickle.cpp - *.pth and *.bin: what torch.save writes ----------===//
//
// Two containers, one dict: a container says where the bytes of a storage are,
// and TorchStateDict which of them a tensor consists of.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/TorchPickle.h"

#include "weights/Containers/Pickle.h"
#include "weights/Containers/TorchStateDict.h"
#include "weights/Containers/ZipArchive.h"
#include "weights/InputError.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Endian.h"

using namespace llvm;

namespace llamaweights {
namespace {

// The beginning of a legacy file: a pickle of nothing but the magic number.
constexpr StringLiteral
    kLegacyMagic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.");
constexpr int64_t kLegacyVersion = 1001;

/// "NAME/" in front of every file of the archive, by its data.pkl.
Expected<std::string> findPrefix(StringRef path, ArrayRef<ZipEntry> entries) {
  std::string prefix;
  bool hasData = false, hasConstants = false;
  for (const ZipEntry &entry : entries) {
    auto [folder, name] = StringRef(entry.name).rsplit('/');
    if (name == "data.pkl" && !folder.contains('/')) {
      if (hasData)
        return makeInputError(path, "holds two files data.pkl");
      hasData = true;
      prefix = (folder + "/").str();
    }
    hasConstants |= name == "constants.pkl";
  }
  if (hasConstants)
    return makeInputError(path, "is a TorchScript archive, a program; expected "
                                "what torch.save writes of a state_dict");
  if (!hasData)
    return makeInputError(path, "is a zip file without data.pkl, expected what "
                                "torch.save writes");
  return prefix;
}

Expected<std::vector<StoredTensor>>
readZipContainer(const std::shared_ptr<InputFile> &file) {
  StringRef path = file->getPath();
  auto entries = readZip(*file);
  if (!entries)
    return entries.takeError();
  Expected<std::string> prefix = findPrefix(path, *entries);
  if (!prefix)
    return prefix.takeError();
  for (const ZipEntry &entry : *entries)
    if (entry.method != 0)
      return makeInputError(
          path, "file " + quote(entry.name) + ": is compressed (method " +
                    Twine(entry.method) + "), expected stored bytes");
  StringMap<TorchStorage> storages;
  const ZipEntry *data = nullptr;
  for (const ZipEntry &entry : *entries) {
    StringRef name = entry.name;
    if (!name.consume_front(*prefix))
      continue;
    if (name == "data.pkl")
      data = &entry;
    if (name.consume_front("data/"))
      storages[name] = {entry.offset, entry.size};
    if (name != "byteorder")
      continue;
    char order[6] = {};
    if (entry.size == sizeof(order))
      if (Error error = file->read(entry.offset, order))
        return std::move(error);
    if (StringRef(order, sizeof(order)) != "little")
      return makeInputError(path, "expected little-endian numbers, but "
                                  "'byteorder' says otherwise");
  }
  auto pickle = Pickle::read(*file, data->offset, data->offset + data->size,
                             getTorchNames());
  if (!pickle)
    return pickle.takeError();
  return readTorchStateDict(file, storages, pickle->getRoot());
}

/// Each storage is its number of elements and its bytes. The size of an element
/// is known from the tensors; every storage must have one.
Error findLegacyStorages(const std::shared_ptr<InputFile> &file,
                         const PickleValue &keys, uint64_t offset,
                         const StringMap<int64_t> &elementBytes,
                         StringMap<TorchStorage> &storages) {
  StringRef path = file->getPath();
  if (keys.kind != PickleKind::List)
    return makeInputError(path, "expected a list of storage keys, found " +
                                    describe(keys));
  for (const PickleValue *key : keys.items) {
    auto size = elementBytes.find(key->text);
    if (key->kind != PickleKind::String || size == elementBytes.end())
      return makeInputError(path, "storage " + quote(key->text) +
                                      ": no tensor refers to it");
    char count[8];
    if (file->getSize() - offset < sizeof(count))
      return makeInputError(path, "storage " + quote(key->text) +
                                      ": the file ends before it");
    if (Error error = file->read(offset, count))
      return error;
    offset += sizeof(count);
    uint64_t elements = support::endian::read64le(count);
    uint64_t rest = file->getSize() - offset;
    if (elements > rest / uint64_t(size->second))
      return makeInputError(
          path, "storage " + quote(key->text) + ": has " + Twine(elements) +
                    " elements of " + Twine(size->second) +
                    " bytes, but only " + Twine(rest) + " bytes follow");
    TorchStorage storage = {offset, elements * uint64_t(size->second)};
    if (!storages.try_emplace(key->text, storage).second)
      return makeInputError(path,
                            "storage " + quote(key->text) + ": is there twice");
    offset += storage.bytes;
  }
  if (offset != file->getSize())
    return makeInputError(path,
                          "has " + Twine(file->getSize() - offset) +
                              " bytes after the last storage, expected none");
  return Error::success();
}

/// Bytes of an element by storage key, of every storage that a value refers to.
void collectElementBytes(const Pickle &pickle, StringMap<int64_t> &result) {
  pickle.visit([&](const PickleValue &value) {
    if (value.kind != PickleKind::Handle)
      return;
    const PickleValue &id = *value.items[0];
    if (id.kind != PickleKind::Tuple || id.items.size() < 5 ||
        id.items[2]->kind != PickleKind::String)
      return;
    int64_t bytes = StringSwitch<int64_t>(id.items[1]->text)
                        .Cases({"torch.DoubleStorage", "torch.LongStorage"}, 8)
                        .Cases({"torch.FloatStorage", "torch.IntStorage"}, 4)
                        .Cases({"torch.HalfStorage", "torch.BFloat16Storage",
                                "torch.ShortStorage"},
                               2)
                        .Default(1);
    result[id.items[2]->text] = bytes;
  });
}

Expected<std::vector<StoredTensor>>
readLegacyContainer(const std::shared_ptr<InputFile> &file) {
  StringRef path = file->getPath();
  uint64_t offset = kLegacyMagic.size(), size = file->getSize();
  auto next = [&]() -> Expected<Pickle> {
    auto pickle = Pickle::read(*file, offset, size, getTorchNames());
    if (pickle)
      offset = pickle->getEnd();
    return pickle;
  };
  Expected<Pickle> version = next();
  if (!version)
    return version.takeError();
  if (version->getRoot().kind != PickleKind::Integer ||
      version->getRoot().integer != kLegacyVersion)
    return makeInputError(path, "expected version " + Twine(kLegacyVersion) +
                                    " of torch's legacy format, found " +
                                    describe(version->getRoot()));
  Expected<Pickle> machine = next();
  if (!machine)
    return machine.takeError();
  const PickleValue *little = machine->getRoot().find("little_endian");
  if (!little || little->kind != PickleKind::Bool || little->integer == 0)
    return makeInputError(path, "expected little-endian numbers, but "
                                "'little_endian' says otherwise");
  Expected<Pickle> dict = next();
  if (!dict)
    return dict.takeError();
  Expected<Pickle> keys = next();
  if (!keys)
    return keys.takeError();
  StringMap<int64_t> elementBytes;
  collectElementBytes(*dict, elementBytes);
  StringMap<TorchStorage> storages;
  if (Error error = findLegacyStorages(file, keys->getRoot(), offset,
                                       elementBytes, storages))
    return std::move(error);
  return readTorchStateDict(file, storages, dict->getRoot());
}

} // namespace

Expected<std::vector<StoredTensor>>
readTorchPickle(const std::shared_ptr<InputFile> &file) {
  if (beginsLikeZip(*file))
    return readZipContainer(file);
  char magic[kLegacyMagic.size()] = {};
  if (file->getSize() >= sizeof(magic)) {
    if (Error error = file->read(0, magic))
      return std::move(error);
    if (StringRef(magic, sizeof(magic)) == kLegacyMagic)
      return readLegacyContainer(file);
  }
  return makeInputError(file->getPath(),
                        "begins neither as a zip file nor with the magic "
                        "number of torch's legacy format");
}

} // namespace llamaweights
