//===- ZipWriterTest.cpp - A zip file of stored files ---------------------===//
//
// Files beyond 4 GiB, which are holes here. Python's and torch's readers get
// the usual ones in llama-weights.py.
//
//===----------------------------------------------------------------------===//

#include "weights/Writers/ZipWriter.h"

#include "test/weights/Messages.h"
#include "test/weights/TempFolder.h"
#include "weights/Containers/ZipArchive.h"

using namespace llamatest;
using namespace llamaweights;

namespace {

TEST(ZipWriter, FilesBeyondFourGiB) {
  constexpr uint64_t kLarge = uint64_t(5) << 30;
  TempFolder folder;
  auto out = llvm::cantFail(OutputFile::create(folder.at("x.zip")));
  ZipWriter zip(out);
  llvm::cantFail(zip.add("a/first", "1234"));
  llvm::cantFail(zip.begin("a/large", kLarge));
  out.skip(kLarge);
  llvm::cantFail(zip.end());
  llvm::cantFail(zip.add("a/last", "56"));
  llvm::cantFail(zip.finish());
  llvm::cantFail(out.keep());

  auto file = llvm::cantFail(InputFile::open(folder.at("x.zip")));
  auto entries = readZip(*file);
  ASSERT_TRUE(bool(entries)) << getMessage(std::move(entries));
  ASSERT_EQ(entries->size(), 3u);
  EXPECT_EQ((*entries)[1].size, kLarge);
  const ZipEntry &last = (*entries)[2];
  EXPECT_EQ(last.name, "a/last");
  EXPECT_GT(last.offset, kLarge);
  for (const ZipEntry &entry : *entries)
    EXPECT_EQ(entry.offset % 64, 0u) << entry.name;
  char bytes[2];
  llvm::cantFail(file->read(last.offset, bytes));
  EXPECT_EQ(std::string(bytes, 2), "56");
  EXPECT_EQ(last.crc, 0x2c5245d0u) << std::hex << last.crc;
}

} // namespace
