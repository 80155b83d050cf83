//===- IntegrityTest.cpp - Are these the bytes that were meant? -----------===//
//
// Sums that other programs gave, and lists that say nonsense.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/Integrity.h"

#include "test/weights/Messages.h"
#include "test/weights/TempFolder.h"

using namespace llamatest;
using namespace llamaweights;

namespace {

TEST(Integrity, SumsAreThoseOfMd5sumAndB3sum) {
  TempFolder folder;
  std::string path = folder.write("abc", "abc");
  auto ignore = [](int64_t) {};
  EXPECT_EQ(llvm::cantFail(getMd5(path, ignore)),
            "900150983cd24fb0d6963f7d28e17f72"); // RFC 1321
  EXPECT_EQ(llvm::cantFail(getBlake3(folder.write("none", ""), ignore)),
            "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
  EXPECT_EQ(getMessage(getMd5(folder.at("missing"), ignore)),
            folder.at("missing") +
                ": cannot be opened: No such file or directory");
}

TEST(Integrity, ReadsChecklists) {
  std::string sum(32, 'A');
  auto sums =
      parseChecklist(sum + "  params.json\r\n\n" + sum + " *x y\n", "c");
  ASSERT_TRUE(bool(sums)) << getMessage(std::move(sums));
  ASSERT_EQ(sums->size(), 2u);
  EXPECT_EQ((*sums)[0].name, "params.json");
  EXPECT_EQ((*sums)[0].sum, std::string(32, 'a'));
  EXPECT_EQ((*sums)[1].name, "x y");
  EXPECT_EQ(getMessage(parseChecklist("\n", "c")), "c: lists no files");
  for (const std::string &line :
       std::vector<std::string>{sum + "  ../x", sum + "  /x", sum, sum + "  .",
                                "12  x", std::string(32, 'g') + "  x"})
    EXPECT_EQ(getMessage(parseChecklist(line, "c")),
              "c: line 1: expected an md5 and the name of a file next to it, "
              "found '" +
                  line + "'");
}

TEST(Integrity, ManifestsSurvive) {
  HashManifest manifest;
  manifest.files = {{"a", std::string(64, '1')}};
  manifest.tensors["norm"] = {"f32", {4}, std::string(64, '2')};
  auto again = parseManifest(printManifest(manifest), "m");
  ASSERT_TRUE(bool(again)) << getMessage(std::move(again));
  EXPECT_EQ(again->files[0].sum, manifest.files[0].sum);
  EXPECT_EQ(again->tensors["norm"].shape, (std::vector<int64_t>{4}));
  EXPECT_EQ(getMessage(parseManifest(R"({"hash": "md5", "files": {},
                                         "tensors": {}})",
                                     "m")),
            "m: key 'hash': expected 'blake3', found 'md5'");
  EXPECT_EQ(getMessage(parseManifest(R"({"hash": "blake3", "tensors": {},
                                         "files": {"../a": "x"}})",
                                     "m")),
            "m: key 'files.../a': expected a file of the folder and its hash");
}

} // namespace
