//===- GgufTest.cpp - Keys and tensors of a *.gguf file -------------------===//
//
// Files written byte by byte: what they hold, and each lie they can tell.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/GgufKeys.h"

#include "test/weights/ContainerBytes.h"
#include "test/weights/Messages.h"
#include "test/weights/TempFolder.h"

#include <filesystem>

using namespace llamatest;
using namespace llamaweights;

namespace {

auto readBytes(const std::string &bytes) {
  return readGguf(InputFile::fromMemory("x.gguf", bytes));
}

std::string getComplaint(const std::string &bytes) {
  return getMessageAbout("x.gguf", readBytes(bytes));
}

std::string getComplaint(const GgufWriter &writer) {
  return getComplaint(writer.build());
}

TEST(Gguf, ReadsKeysOfEveryType) {
  GgufWriter writer;
  writer.raw("u8", 0, toBytes<uint8_t>(200))
      .raw("i8", 1, toBytes<int8_t>(-100))
      .raw("u16", 2, toBytes<uint16_t>(60000))
      .raw("i16", 3, toBytes<int16_t>(-30000))
      .u32("u32", 4000000000)
      .raw("i32", 5, toBytes<int32_t>(-2000000000))
      .raw("u64", 10, toBytes<uint64_t>(5000000000))
      .raw("i64", 11, toBytes<int64_t>(-5000000000))
      .f32("f32", 1e-5f)
      .raw("f64", 12, toBytes(0.1))
      .boolean("yes", true)
      .string("text", "some text")
      .strings("strings", {"a", "", "ccc"})
      .numbers<int32_t>("numbers", 5, {1, -2, 3});
  for (uint32_t version : {2, 3}) {
    writer.version = version;
    auto file = readBytes(writer.build());
    ASSERT_TRUE(bool(file)) << getMessage(std::move(file));
    GgufKeys keys(*file);
    for (auto [key, expected] : {std::pair<const char *, int64_t>("u8", 200),
                                 {"i8", -100},
                                 {"u16", 60000},
                                 {"i16", -30000},
                                 {"u32", 4000000000},
                                 {"i32", -2000000000},
                                 {"u64", 5000000000},
                                 {"i64", -5000000000}}) {
      int64_t found = 0;
      keys.read(key, found);
      EXPECT_EQ(found, expected) << key;
    }
    double single = 0, twice = 0;
    keys.read("f32", single);
    keys.read("f64", twice);
    EXPECT_EQ(single, 1e-5); // not 9.99999974737875e-06
    EXPECT_EQ(twice, 0.1);
    bool yes = false;
    std::string text;
    keys.read("yes", yes);
    keys.read("text", text);
    EXPECT_TRUE(yes);
    EXPECT_EQ(text, "some text");
    EXPECT_EQ(keys.readStrings("strings"),
              (llvm::ArrayRef<std::string>{"a", "", "ccc"}));
    const GgufValue *numbers = keys.readArray("numbers", 3);
    ASSERT_TRUE(numbers);
    EXPECT_EQ(numbers->getInteger(1), -2);
    EXPECT_EQ(getMessage(keys.finish()), "");
  }
}

TEST(Gguf, FindsTensors) {
  for (uint64_t alignment : {8, 32, 4096}) {
    GgufWriter writer;
    writer.alignment = alignment;
    writer.u32("general.alignment", uint32_t(alignment))
        .tensor("a", {3, 2}, 0, makePattern(24))
        .tensor("b", {256}, 12, makePattern(144))
        .tensor("c", {4}, 30, makePattern(8));
    std::string bytes = writer.build();
    auto file = readBytes(bytes);
    ASSERT_TRUE(bool(file)) << getMessage(std::move(file));
    ASSERT_EQ(file->tensors.size(), 3u);
    EXPECT_EQ(file->tensors[0].name, "a");
    EXPECT_EQ(file->tensors[0].shape, (std::vector<int64_t>{2, 3}));
    EXPECT_EQ(file->tensors[0].dtype, DType::F32);
    EXPECT_EQ(file->tensors[1].dtype, DType::Q4_K);
    EXPECT_EQ(file->tensors[2].dtype, DType::BF16);
    for (size_t i : {0, 1, 2})
      EXPECT_EQ(file->tensors[i].offset % alignment, 0u);
    EXPECT_EQ(bytes.substr(file->tensors[1].offset, 144), makePattern(144));
    EXPECT_EQ(bytes.substr(file->tensors[2].offset, 8), makePattern(8));
  }
}

/// Strings and arrays that lie across the reader's window of 1 MiB.
TEST(Gguf, ReadsLongMetadata) {
  GgufWriter writer;
  std::vector<std::string> strings;
  for (int i = 0; i < 3000; ++i)
    strings.push_back(makePattern(size_t(i) % 1500, unsigned(i)));
  std::string text = makePattern(3 << 20);
  writer.strings("strings", strings).string("text", text).u32("end", 7);
  auto file = readBytes(writer.build());
  ASSERT_TRUE(bool(file)) << getMessage(std::move(file));
  EXPECT_EQ(file->keys["strings"].strings, strings);
  EXPECT_TRUE(file->keys["text"].strings[0] == text);
  EXPECT_EQ(file->keys["end"].getInteger(0), 7);
}

TEST(Gguf, EveryCutIsNoticed) {
  GgufWriter writer;
  writer.u32("number", 1)
      .string("text", "abc")
      .strings("strings", {"a", "bc"})
      .tensor("t", {4}, 0, makePattern(16));
  std::string bytes = writer.build();
  ASSERT_EQ(getComplaint(bytes), "");
  for (size_t length = 0; length < bytes.size(); ++length)
    EXPECT_NE(getComplaint(bytes.substr(0, length)), "") << length;
}

TEST(Gguf, RefusesOtherFilesAndVersions) {
  EXPECT_EQ(getComplaint("PK\x03\x04 and so on"),
            "the header: is not that of a GGUF file");
  GgufWriter writer;
  writer.version = 1;
  EXPECT_EQ(getComplaint(writer),
            "the header: GGUF version 1, expected 2 or 3 in little-endian "
            "order");
  writer.version = 0x03000000;
  EXPECT_EQ(getComplaint(writer),
            "the header: GGUF version 50331648, expected 2 or 3 in "
            "little-endian order");
}

TEST(Gguf, RefusesCountsBeyondTheFile) {
  GgufWriter writer;
  writer.keyCount = ~uint64_t(0);
  EXPECT_EQ(getComplaint(writer),
            "the header: expected 18446744073709551615 items of at least 13 "
            "bytes after byte 24 of the file, found 8 bytes");
  writer.keyCount = 0;
  writer.tensorCount = 3;
  EXPECT_EQ(
      getComplaint(writer),
      "the header: expected 3 items of at least 32 bytes after byte 24 of "
      "the file, found 8 bytes");
}

TEST(Gguf, RefusesLengthsBeyondTheFile) {
  GgufWriter writer;
  writer.raw("k", 8, toBytes(~uint64_t(0)) + "abc");
  EXPECT_EQ(getComplaint(writer),
            "key 'k': expected 18446744073709551615 bytes after byte 45 of the "
            "file, found 19 bytes");
  GgufWriter array;
  array.raw("k", 9, toBytes(uint32_t(12)) + toBytes(uint64_t(1) << 61));
  EXPECT_EQ(getComplaint(array),
            "key 'k': expected 2305843009213693952 items of at least 8 bytes "
            "after byte 49 of the file, found 15 bytes");
  GgufWriter strings;
  strings.raw("k", 9, toBytes(uint32_t(8)) + toBytes(uint64_t(3)));
  EXPECT_EQ(
      getComplaint(strings),
      "key 'k': expected 3 items of at least 8 bytes after byte 49 of the "
      "file, found 15 bytes");
  GgufWriter name;
  name.keyCount = 1;
  name.keys = toBytes(uint64_t(65536)) + std::string(70000, 'k');
  EXPECT_EQ(getComplaint(name),
            "key 1 of 1: a name of 65536 bytes, expected at most 65535");
}

TEST(Gguf, RefusesBrokenValues) {
  EXPECT_EQ(getComplaint(GgufWriter().raw("k", 13, toBytes(uint64_t(0)))),
            "key 'k': values of type 13 are not supported");
  EXPECT_EQ(getComplaint(GgufWriter().raw(
                "k", 9, toBytes(uint32_t(9)) + toBytes(uint64_t(0)))),
            "key 'k': values of type 9 are not supported in an array");
  EXPECT_EQ(getComplaint(GgufWriter().raw("k", 7, "\x02")),
            "key 'k': a truth value is neither 0 nor 1");
  EXPECT_EQ(getComplaint(GgufWriter().u32("k", 1).u32("k", 2)),
            "key 'k': is there twice");
}

TEST(Gguf, RefusesUnknownTensorTypes) {
  auto complain = [](uint32_t type) {
    return getComplaint(GgufWriter().tensor("t", {256}, type, "abcd"));
  };
  EXPECT_EQ(complain(20), "tensor 't': type IQ4_NL (20) is not supported");
  EXPECT_EQ(complain(39), "tensor 't': type MXFP4 (39) is not supported");
  EXPECT_EQ(complain(4), "tensor 't': has the unknown type 4");
  EXPECT_EQ(complain(4000000000),
            "tensor 't': has the unknown type 4000000000");
}

TEST(Gguf, RefusesImpossibleShapes) {
  auto complain = [](const std::vector<uint64_t> &dims, uint32_t type) {
    return getComplaint(
        GgufWriter().tensor("t", dims, type, makePattern(1000)));
  };
  std::string impossible = " has a negative dimension, a row that is not whole "
                           "blocks, or does not fit in 63 bits of bytes";
  EXPECT_EQ(complain({}, 0), "tensor 't': has 0 dimensions, expected 1 to 4");
  EXPECT_EQ(complain({1, 1, 1, 1, 1}, 0),
            "tensor 't': has 5 dimensions, expected 1 to 4");
  EXPECT_EQ(complain({100, 2}, 12),
            "tensor 't': shape [2, 100] of q4_k" + impossible);
  EXPECT_EQ(complain({uint64_t(1) << 32, uint64_t(1) << 32}, 0),
            "tensor 't': shape [4294967296, 4294967296] of f32" + impossible);
  EXPECT_EQ(complain({~uint64_t(0)}, 0),
            "tensor 't': shape [-1] of f32" + impossible);
}

TEST(Gguf, RefusesPlacesOutsideTheDataSection) {
  auto complain = [](uint64_t offset) {
    GgufWriter writer;
    writer.tensorAt("t", {8}, 0, offset).data = makePattern(64);
    return getComplaint(writer);
  };
  EXPECT_EQ(complain(0), "");
  EXPECT_EQ(complain(32), "");
  EXPECT_EQ(complain(64), "tensor 't': ends at byte 96 of the data section, "
                          "which has 64 bytes");
  EXPECT_EQ(complain(~uint64_t(31)),
            "tensor 't': ends at byte 18446744073709551615 of the data "
            "section, which has 64 bytes");
  EXPECT_EQ(complain(4), "tensor 't': begins at byte 4 of the data section, "
                         "expected a multiple of 32");
}

TEST(Gguf, RefusesTwoTensorsInOnePlaceOrOfOneName) {
  GgufWriter overlap;
  overlap.tensorAt("a", {16}, 0, 0).tensorAt("b", {8}, 0, 32);
  overlap.data = makePattern(64);
  EXPECT_EQ(getComplaint(overlap), "tensor 'b': overlaps tensor 'a'");
  GgufWriter twice;
  twice.tensor("a", {8}, 0, makePattern(32))
      .tensor("a", {8}, 0, makePattern(32));
  EXPECT_EQ(getComplaint(twice), "tensor 'a': is there twice");
}

TEST(Gguf, RefusesFilesItCannotReadAsAWhole) {
  EXPECT_EQ(getComplaint(GgufWriter().u32("general.alignment", 24)),
            "key 'general.alignment': is 24, expected a power of two up to "
            "1048576");
  EXPECT_EQ(getComplaint(GgufWriter().u32("general.alignment", 0)),
            "key 'general.alignment': is 0, expected a power of two up to "
            "1048576");
  EXPECT_EQ(getComplaint(GgufWriter().string("general.alignment", "32")),
            "key 'general.alignment': expected an integer, found the string "
            "'32'");
  EXPECT_EQ(getComplaint(GgufWriter().u32("split.count", 3)),
            "key 'split.count': is 3: files in several parts are not "
            "supported");
  EXPECT_EQ(getComplaint(GgufWriter().u32("general.quantization_version", 1)),
            "key 'general.quantization_version': is 1, expected 2");
}

TEST(Gguf, MetadataHasALimit) {
  TempFolder folder;
  GgufWriter writer;
  writer.raw("k", 8, toBytes(uint64_t(300) << 20));
  std::string path = folder.write("x.gguf", writer.build());
  std::filesystem::resize_file(path, uint64_t(400) << 20);
  EXPECT_EQ(getMessage(readGguf(llvm::cantFail(InputFile::open(path)))),
            path + ": key 'k': lies beyond byte 268435456 of the file, "
                   "expected all metadata before it");
}

class GgufKeysTest : public testing::Test {
protected:
  std::string use(GgufWriter &writer,
                  llvm::function_ref<void(GgufKeys &)> use) {
    GgufFile file = llvm::cantFail(readBytes(writer.build()));
    GgufKeys keys(file);
    use(keys);
    return getMessage(keys.finish());
  }
  GgufWriter writer;
  int64_t integer = 7;
  double number = 7;
  bool truth = false;
  std::string text;
};

TEST_F(GgufKeysTest, ComplainsAboutWrongTypes) {
  writer.string("s", "x").u32("u", 1).strings("a", {"x"});
  writer.f32("f", 0.5f).boolean("b", true);
  writer.raw("big", 10, toBytes(~uint64_t(0)));
  writer.numbers<uint64_t>("n", 10, {1, 2});
  auto message = [&](auto read) { return use(writer, read); };
  EXPECT_EQ(message([&](GgufKeys &k) { k.read("none", integer); }),
            "x.gguf: key 'none': is missing");
  EXPECT_EQ(message([&](GgufKeys &k) { k.read("s", integer); }),
            "x.gguf: key 's': expected an integer, found the string 'x'");
  EXPECT_EQ(message([&](GgufKeys &k) { k.read("big", integer); }),
            "x.gguf: key 'big': expected an integer below 2^63, found "
            "18446744073709551615");
  EXPECT_EQ(message([&](GgufKeys &k) { k.read("s", number); }),
            "x.gguf: key 's': expected a number, found the string 'x'");
  EXPECT_EQ(message([&](GgufKeys &k) { k.read("f", integer); }),
            "x.gguf: key 'f': expected an integer, found 0.5");
  EXPECT_EQ(message([&](GgufKeys &k) { k.read("b", integer); }),
            "x.gguf: key 'b': expected an integer, found true");
  EXPECT_EQ(message([&](GgufKeys &k) { k.read("u", truth); }),
            "x.gguf: key 'u': expected true or false, found 1");
  EXPECT_EQ(message([&](GgufKeys &k) { k.read("u", text); }),
            "x.gguf: key 'u': expected a string, found 1");
  EXPECT_EQ(message([&](GgufKeys &k) { k.read("a", text); }),
            "x.gguf: key 'a': expected a string, found an array");
  EXPECT_EQ(message([&](GgufKeys &k) { (void)k.readStrings("u"); }),
            "x.gguf: key 'u': expected an array, found 1");
  EXPECT_EQ(message([&](GgufKeys &k) { (void)k.readStrings("n"); }),
            "x.gguf: key 'n': expected an array of strings");
  EXPECT_EQ(message([&](GgufKeys &k) { k.readArray("n", 3); }),
            "x.gguf: key 'n': lists 2 values, expected 3");
  EXPECT_EQ(message([&](GgufKeys &k) { k.read("u", number); }), "");
  EXPECT_EQ(number, 1.0);
  EXPECT_EQ(message([&](GgufKeys &k) { k.readArray("a", 2); }),
            "x.gguf: key 'a': lists 1 values, expected 2");
}

TEST_F(GgufKeysTest, ReadsOneValueOrOnePerLayer) {
  writer.u32("one", 5)
      .numbers<uint32_t>("same", 4, {5, 5, 5})
      .numbers<uint32_t>("other", 4, {5, 6, 5})
      .numbers<float>("floats", 6, {5, 5, 5});
  for (const char *key : {"one", "same"}) {
    int64_t value = 0;
    EXPECT_EQ(use(writer, [&](GgufKeys &k) { k.readPerLayer(key, 3, value); }),
              "");
    EXPECT_EQ(value, 5);
  }
  auto message = [&](const char *key, int64_t layers) {
    int64_t value = 0;
    return use(writer,
               [&](GgufKeys &k) { k.readPerLayer(key, layers, value); });
  };
  EXPECT_EQ(message("other", 3),
            "x.gguf: key 'other': is 5 in layer 0 and 6 in layer 1, expected "
            "the same in every layer");
  EXPECT_EQ(message("same", 4),
            "x.gguf: key 'same': lists 3 values, expected 4");
  EXPECT_EQ(message("floats", 3), "x.gguf: key 'floats': expected integers");
}

TEST_F(GgufKeysTest, NamesUnknownKeys) {
  writer.u32("llama.known", 1).u32("llama.unknown", 1).u32("other.unknown", 1);
  EXPECT_EQ(use(writer,
                [&](GgufKeys &keys) {
                  keys.read("llama.known", integer);
                  keys.refuseUnknown("llama.");
                }),
            "x.gguf: key 'llama.unknown': is not known");
}

} // namespace
