//===- SafetensorsTest.cpp - *.safetensors --------------------------------===//
//
// Headers written by hand: what they describe, and each lie they can tell.
// Files made by the safetensors package are in FormatsTest.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/Safetensors.h"

#include "test/weights/ContainerBytes.h"
#include "test/weights/Messages.h"

using namespace llamatest;
using namespace llamaweights;

namespace {

auto readBytes(const std::string &bytes) {
  return readSafetensors(InputFile::fromMemory("x.safetensors", bytes));
}

/// The message after "x.safetensors: ".
std::string getComplaint(const std::string &bytes) {
  return getMessageAbout("x.safetensors", readBytes(bytes));
}

std::string describe(const std::string &dtype, const std::string &shape,
                     const std::string &offsets) {
  return R"({"dtype": ")" + dtype + R"(", "shape": )" + shape +
         R"(, "data_offsets": )" + offsets + "}";
}

/// A file with one tensor "w" and `dataBytes` bytes of data.
std::string makeOne(const std::string &dtype, const std::string &shape,
                    const std::string &offsets, size_t dataBytes) {
  return makeSafetensors("{\"w\": " + describe(dtype, shape, offsets) + "}",
                         makePattern(dataBytes));
}

TEST(Safetensors, FindsTensors) {
  std::string header = R"({"__metadata__": {"format": "pt"}, "b": )" +
                       describe("BF16", "[3]", "[24, 30]") +
                       ", \"a\": " + describe("F32", "[2, 3]", "[0, 24]") +
                       ", \"c\": " + describe("F16", "[1, 2]", "[30, 34]") +
                       "}   ";
  auto tensors = readBytes(makeSafetensors(header, makePattern(34)));
  ASSERT_TRUE(bool(tensors)) << getMessage(std::move(tensors));
  ASSERT_EQ(tensors->size(), 3u);
  const StoredTensor *a = findStored(*tensors, "a");
  const StoredTensor *b = findStored(*tensors, "b");
  const StoredTensor *c = findStored(*tensors, "c");
  ASSERT_TRUE(a && b && c);
  EXPECT_EQ(a->dtype, DType::F32);
  EXPECT_EQ(b->dtype, DType::BF16);
  EXPECT_EQ(c->dtype, DType::F16);
  EXPECT_EQ(a->shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(b->shape, (std::vector<int64_t>{3}));
  EXPECT_EQ(a->offset, 8 + header.size());
  EXPECT_EQ(b->offset, 8 + header.size() + 24);
}

TEST(Safetensors, RefusesFilesThatAreTooShort) {
  EXPECT_EQ(getComplaint(""),
            "has 0 bytes, which is too short for a safetensors file");
  EXPECT_EQ(getComplaint("1234567"),
            "has 7 bytes, which is too short for a safetensors file");
  EXPECT_EQ(getComplaint(toBytes<uint64_t>(10) + "{}"),
            "the header has 10 bytes, but only 2 follow");
}

TEST(Safetensors, RefusesAbsurdHeaders) {
  EXPECT_EQ(getComplaint(toBytes(~uint64_t(0)) + "{}"),
            "the header has 18446744073709551615 bytes, expected at most "
            "100000000");
  EXPECT_EQ(getComplaint(toBytes<uint64_t>(100000001) + "{}"),
            "the header has 100000001 bytes, expected at most 100000000");
  EXPECT_EQ(getComplaint(makeSafetensors("[]", "")),
            "the header: expected an object, found an array");
  EXPECT_EQ(getComplaint(makeSafetensors("", "")),
            "is not valid JSON: parse error at line 1, column 1: syntax error "
            "while parsing value - unexpected end of input; expected '[', '{', "
            "or a literal");
  std::string one = describe("F32", "[1]", "[0, 4]");
  EXPECT_EQ(getComplaint(makeSafetensors(
                "{\"w\": " + one + ", \"w\": " + one + "}", "abcd")),
            "key 'w': is there twice");
}

TEST(Safetensors, RefusesEntriesThatAreIncomplete) {
  auto complain = [](const std::string &entry) {
    return getComplaint(makeSafetensors("{\"w\": " + entry + "}", "abcd"));
  };
  EXPECT_EQ(complain("7"), "tensor 'w': expected an object, found 7");
  EXPECT_EQ(complain(R"({"shape": [1], "data_offsets": [0, 4]})"),
            "tensor 'w': key 'dtype': is missing");
  EXPECT_EQ(complain(R"({"dtype": "F32", "data_offsets": [0, 4]})"),
            "tensor 'w': key 'shape': expected an array of integers");
  EXPECT_EQ(complain(R"({"dtype": "F32", "shape": [1]})"),
            "tensor 'w': key 'data_offsets': expected an array of integers");
  EXPECT_EQ(complain(describe("F32", "[1.5]", "[0, 4]")),
            "tensor 'w': key 'shape': expected an integer or an array of "
            "integers, found 1.5");
  EXPECT_EQ(
      complain(R"({"dtype": "F32", "shape": [1], "data_offset": [0, 4]})"),
      "tensor 'w': key 'data_offsets': expected an array of integers");
}

TEST(Safetensors, RefusesOtherTypes) {
  for (std::string type : {"F64", "I64", "F8_E4M3", "f32", ""})
    EXPECT_EQ(getComplaint(makeOne(type, "[1]", "[0, 8]", 8)),
              "tensor 'w': expected type F32, F16 or BF16, found '" + type +
                  "'");
}

TEST(Safetensors, RefusesHeadersThatLieAboutSizes) {
  EXPECT_EQ(getComplaint(makeOne("F32", "[2]", "[0, 8]", 4)),
            "tensor 'w': ends at byte 8 of the data section, which has 4 "
            "bytes");
  EXPECT_EQ(getComplaint(makeOne("F32", "[3]", "[0, 8]", 8)),
            "tensor 'w': data_offsets span 8 bytes, but shape [3] of F32 has "
            "12");
  EXPECT_EQ(getComplaint(makeOne("F32", "[2]", "[8, 0]", 8)),
            "tensor 'w': data_offsets are [8, 0], expected a begin and an end");
  EXPECT_EQ(getComplaint(makeOne("F32", "[2]", "[0, 4, 8]", 8)),
            "tensor 'w': data_offsets are [0, 4, 8], expected a begin and an "
            "end");
  EXPECT_EQ(getComplaint(makeOne("F32", "[2]", "[-8, 0]", 8)),
            "tensor 'w': data_offsets are [-8, 0], expected a begin and an "
            "end");
}

TEST(Safetensors, RefusesSizesThatOverflow) {
  std::string impossible =
      " has a negative dimension or does not fit in 63 bits of bytes";
  EXPECT_EQ(
      getComplaint(makeOne("F32", "[4294967296, 4294967296]", "[0, 0]", 0)),
      "tensor 'w': shape [4294967296, 4294967296]" + impossible);
  EXPECT_EQ(getComplaint(makeOne("F32", "[4611686018427387905]", "[0, 4]", 4)),
            "tensor 'w': shape [4611686018427387905]" + impossible);
  EXPECT_EQ(getComplaint(makeOne("F32", "[-1, -1]", "[0, 4]", 4)),
            "tensor 'w': shape [-1, -1]" + impossible);
  EXPECT_EQ(getComplaint(makeOne("F32", "[1,1,1,1,1,1,1,1,1]", "[0, 4]", 4)),
            "tensor 'w': has 9 dimensions, expected at most 8");
  EXPECT_EQ(getComplaint(makeOne("F32", "[18446744073709551615]", "[0, 4]", 4)),
            "tensor 'w': key 'shape': expected an integer or an array of "
            "integers, found 18446744073709551615");
}

TEST(Safetensors, RefusesOverlapsHolesAndRests) {
  auto two = [](const std::string &first, const std::string &second,
                size_t dataBytes) {
    return getComplaint(
        makeSafetensors("{\"a\": " + describe("F32", "[2]", first) +
                            ", \"b\": " + describe("F32", "[2]", second) + "}",
                        makePattern(dataBytes)));
  };
  EXPECT_EQ(two("[0, 8]", "[8, 16]", 16), "");
  EXPECT_EQ(two("[0, 8]", "[4, 12]", 16), "tensor 'b': overlaps tensor 'a'");
  EXPECT_EQ(two("[0, 8]", "[0, 8]", 16), "tensor 'b': overlaps tensor 'a'");
  EXPECT_EQ(two("[0, 8]", "[12, 20]", 20),
            "tensor 'b': begins at byte 12 of the data section, expected 8");
  EXPECT_EQ(two("[0, 8]", "[8, 16]", 17),
            "the data section has 17 bytes, but the tensors end at byte 16");
}

} // namespace
