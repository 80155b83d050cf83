//===- NanotronTest.cpp - Checkpoints of nanotron -------------------------===//
//
// Slices that fit and slices that do not. Whole checkpoints are in FormatsTest.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/Nanotron.h"

#include "test/weights/ContainerBytes.h"
#include "test/weights/Messages.h"
#include "test/weights/TempFolder.h"

using namespace llamatest;
using namespace llamaweights;

namespace {

/// A file of one tensor of f32, 2 x 2, whose elements are `first`, first + 1...
std::string makePart(float first, const std::string &shape,
                     const std::string &pairs) {
  std::string metadata =
      shape.empty()
          ? ""
          : R"("__metadata__": {"unsharded_shape": ")" + shape +
                R"(", "local_global_slices_pairs": ")" + pairs + R"("}, )";
  std::string data;
  for (int i = 0; i < 4; ++i)
    data += toBytes(first + float(i));
  return makeSafetensors("{" + metadata +
                             R"("data": {"dtype": "F32", "shape": [2, 2],
                                         "data_offsets": [0, 16]}})",
                         data);
}

std::string merge(const std::string &a, const std::string &b,
                  StoredTensor *whole = nullptr) {
  std::shared_ptr<InputFile> files[] = {InputFile::fromMemory("a", a),
                                        InputFile::fromMemory("b", b)};
  auto tensor = mergeNanotronFiles(files, "folder");
  if (tensor && whole)
    *whole = *tensor;
  return getMessage(std::move(tensor));
}

TEST(Nanotron, RowsOfTwoFilesAlternate) {
  // As of q and gate: each file has a row of the first half, one of the second.
  StoredTensor whole;
  ASSERT_EQ(merge(makePart(0, "(np.int64(4), np.int64(2))",
                           "0,1,None|0,2,None#0,1,None|0,2,None;"
                           "1,2,None|0,2,None#2,3,None|0,2,None"),
                  makePart(10, "(4, 2)",
                           "0,1,None|None,None,None#1,2,1|None,None,1;"
                           "1,2,None|0,2,None#3,4,None|0,2,None"),
                  &whole),
            "");
  EXPECT_EQ(whole.shape, (std::vector<int64_t>{4, 2}));
  std::vector<float> values(8);
  ASSERT_EQ(
      getMessage(readPieces(whole.pieces, 4, 2, 0, 4,
                            {reinterpret_cast<char *>(values.data()), 32})),
      "");
  EXPECT_EQ(values, (std::vector<float>{0, 1, 10, 11, 2, 3, 12, 13}));
}

TEST(Nanotron, RefusesSlicesThatDoNotFit) {
  std::string left = "0,2,None|0,2,None#0,2,None|0,2,None";
  std::string right = "0,2,None|0,2,None#0,2,None|2,4,None";
  std::string good = makePart(0, "(2, 4)", left);
  EXPECT_EQ(merge(good, makePart(0, "(2, 4)", right)), "");
  EXPECT_EQ(merge(good, makePart(0, "(2, 4)", left)),
            "folder: the slices of the files do not cover [2, 4] once");
  EXPECT_EQ(merge(good, makePart(0, "(2, 4)", "")),
            "folder: the slices of the files do not cover [2, 4] once");
  EXPECT_EQ(merge(good, makePart(0, "", "")),
            "b: is one of several files of a tensor, but its metadata does not "
            "say which part");
  EXPECT_EQ(merge(good, makePart(0, "(2, x)", right)),
            "b: unsharded_shape is '(2, x)', expected one or two sizes");
  EXPECT_EQ(merge(good, makePart(0, "(2, 5)", right)),
            "b: is a part of [2, 5] of f32, but another file one of [2, 4] of "
            "f32");
  for (const std::string pair :
       {"0,2,None|0,2,None#0,2,None|3,5,None",  // ends past the tensor
        "0,2,None|0,3,None#0,2,None|0,3,None",  // ends past the part
        "0,2,None|0,2,None#0,2,None|2,3,None",  // of two sizes
        "0,2,2|0,2,None#0,2,None|2,4,None",     // every second row
        "-1,2,None|0,2,None#0,2,None|2,4,None", // from the end
        "0,2,None#0,2,None",                    // of one dimension
        "0,2,None|0,2,None", "x"})
    EXPECT_EQ(merge(good, makePart(0, "(2, 4)", pair)),
              "b: slices '" + pair + "' do not fit a part of [2, 2] of [2, 4]");
  EXPECT_EQ(merge(makePart(0, "(4294967296, 4294967296)", left), good),
            "b: is a part of [2, 4] of f32, but another file one of "
            "[4294967296, 4294967296] of f32");
}

TEST(Nanotron, NamesMissingFiles) {
  TempFolder folder;
  std::string name = "model_weight_pp-rank-0-of-1_tp-rank-";
  auto read = [&] {
    return getMessage(
        readNanotronTensor(folder.path, "p", LinkPolicy::WithinFolder));
  };
  EXPECT_EQ(read(),
            folder.at("p") + ": cannot be listed: No such file or directory");
  folder.write("p/other", "");
  EXPECT_EQ(read(), folder.at("p") + ": holds no model_weight*.safetensors");
  folder.write("p/" + name + "1-of-2.safetensors", "");
  EXPECT_EQ(read(), folder.at("p") + ": the file of rank 0 of 2 is missing");
  folder.write("p/" + name + "0-of-3.safetensors", "");
  EXPECT_EQ(read(), folder.at("p") + ": file '" + name +
                        "1-of-2.safetensors': is not a part of the same tensor "
                        "as the others");
}

} // namespace
