//===- LayerPickleTest.cpp - layer_N.pkl ----------------------------------===//
//
// Pickles by hand that numpy would not write. Whole checkpoints are in
// FormatsTest.
//
//===----------------------------------------------------------------------===//

#include "weights/Formats/LayerPickle.h"

#include "test/weights/ContainerBytes.h"
#include "test/weights/Messages.h"
#include "test/weights/TempFolder.h"

using namespace llamatest;
using namespace llamaweights;

namespace {

std::string text(const std::string &value) {
  return "X" + toBytes(uint32_t(value.size())) + value;
}

const std::string kType = "cnumpy\ndtype\n(" + text("f4") + "\x89\x88tR";

/// {'w': _frombuffer(bytes, dtype, shape, order)}
std::string makeArray(const std::string &type, const std::string &shape,
                      size_t bytes, const std::string &order = "C") {
  return "\x80\x05}(" + text("w") + "cnumpy._core.numeric\n_frombuffer\n(\x8e" +
         toBytes(uint64_t(bytes)) + makePattern(bytes) + type + shape +
         text(order) + "tRu.";
}

std::string getComplaint(const std::string &bytes) {
  return getMessageAbout(
      "m.pkl", readArrayPickle(InputFile::fromMemory("m.pkl", bytes)));
}

TEST(LayerPickle, ReadsAnArray) {
  auto tensors = readArrayPickle(
      InputFile::fromMemory("m.pkl", makeArray(kType, "K\2K\3\x86", 24)));
  ASSERT_TRUE(bool(tensors)) << getMessage(std::move(tensors));
  ASSERT_EQ(tensors->size(), 1u);
  EXPECT_EQ((*tensors)[0].name, "w");
  EXPECT_EQ((*tensors)[0].shape, (std::vector<int64_t>{2, 3}));
}

TEST(LayerPickle, RefusesWhatDoesNotFit) {
  EXPECT_EQ(getComplaint(makeArray(kType, "K\2K\3\x86", 23)),
            "array 'w': has 23 bytes, but shape [2, 3] of f32 has 24");
  EXPECT_EQ(getComplaint(makeArray(kType, "J\xff\xff\xff\xffK\3\x86", 24)),
            "array 'w': shape [-1, 3] has a negative dimension or does not fit "
            "in 63 bits of bytes");
  EXPECT_EQ(getComplaint(makeArray(kType, "K\1K\2K\3\x87", 24)),
            "array 'w': expected a shape of at most 2 dimensions, found a "
            "tuple");
  EXPECT_EQ(getComplaint(makeArray(kType, "N", 24)),
            "array 'w': expected a shape of at most 2 dimensions, found None");
  EXPECT_EQ(getComplaint(makeArray("cnumpy\ndtype\n(" + text("i8") + "tR",
                                   "K\3\x85", 24)),
            "array 'w': expected elements 'f4' or 'f2', found 'i8'");
  EXPECT_EQ(
      getComplaint(makeArray(kType + "(K\3" + text(">") + "tb", "K\6\x85", 24)),
      "array 'w': expected little-endian elements, found order '>'");
  EXPECT_EQ(getComplaint("\x80\x04}(" + text("w") + "K\5u."),
            "array 'w': expected an array, found the integer 5");
  EXPECT_EQ(getComplaint("\x80\x04]."),
            "expected a dict of arrays, found a list");
  EXPECT_EQ(getComplaint("\x80\x04}.more"),
            "has 4 bytes after the pickle, expected none");
  EXPECT_EQ(getComplaint("\x80\x04"
                         "cposix\nsystem\n."),
            "pickle: byte 2: refers to 'posix.system', which tensors have no "
            "need of");
}

TEST(LayerPickle, NamesWhatIsMissing) {
  TempFolder folder;
  folder.write("layer_0.pkl", "");
  EXPECT_TRUE(hasLayerPickles(folder.path));
  EXPECT_EQ(getMessage(readLayerPickles(folder.path, LinkPolicy::Anywhere)),
            folder.path + ": holds layers, but no model.pkl with "
                          "tok_embeddings, norm and, unless it is tied, "
                          "output");
  folder.write("model.pkl", "\x80\x04}.");
  folder.write("layer_0.pkl", "\x80\x04}.");
  folder.write("layer_2.pkl", "\x80\x04}.");
  EXPECT_EQ(getMessage(readLayerPickles(folder.path, LinkPolicy::Anywhere)),
            folder.at("layer_1.pkl") +
                ": cannot be opened: No such file or directory");
}

} // namespace
