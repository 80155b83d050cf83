//===- NpyTest.cpp - *.npy -------------------------------------------------===//
//
// Headers written by hand: every spelling that is accepted, and each that is
// not. Files made by numpy are in FormatsTest.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/Npy.h"

#include "test/weights/ContainerBytes.h"
#include "test/weights/Messages.h"

using namespace llamatest;
using namespace llamaweights;

namespace {

auto readBytes(const std::string &bytes) {
  return readNpy(InputFile::fromMemory("x.npy", bytes));
}

std::string getComplaint(const std::string &bytes) {
  return getMessageAbout("x.npy", readBytes(bytes));
}

TEST(Npy, ReadsEverySpellingOfAType) {
  for (auto [descr, type] : {std::pair("<V2", DType::BF16),
                             {"|V2", DType::BF16},
                             {"V2", DType::BF16},
                             {"<f2", DType::F16},
                             {"<f4", DType::F32}})
    for (int major : {1, 2, 3}) {
      std::string header = makeNpyHeader(descr, "(2, 3)");
      size_t bytes = type == DType::F32 ? 24 : 12;
      auto tensor = readBytes(makeNpy(header, makePattern(bytes), major));
      ASSERT_TRUE(bool(tensor)) << getMessage(std::move(tensor));
      EXPECT_EQ(tensor->dtype, type);
      EXPECT_EQ(tensor->shape, (std::vector<int64_t>{2, 3}));
      EXPECT_EQ(tensor->offset, (major == 1 ? 10 : 12) + header.size() + 1);
    }
}

TEST(Npy, ReadsEverySpellingOfAHeader) {
  for (std::string header : {
           R"({"shape":(4L,),"descr":"<f4","fortran_order":False})",
           "{ 'fortran_order' : False , 'descr' : '<f4', 'shape' : ( 4 , ) } ",
           "{'descr': '<f4', 'fortran_order': True, 'shape': (4,)}",
           "{'descr': '<f4', 'fortran_order': True, 'shape': (4, 1)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (4)}",
       })
    EXPECT_EQ(getComplaint(makeNpy(header, makePattern(16))), "") << header;
}

TEST(Npy, RefusesWhatIsNoNpyFile) {
  EXPECT_EQ(getComplaint(""), "is not a npy file");
  EXPECT_EQ(getComplaint("\x93NUMPY\x01"), "is not a npy file");
  EXPECT_EQ(getComplaint("PK\x03\x04 and more than that"), "is not a npy file");
  EXPECT_EQ(getComplaint(makeNpy("{}", "", 4)),
            "npy version 4.0, expected 1.0, 2.0 or 3.0");
  EXPECT_EQ(getComplaint(std::string("\x93NUMPY\x01\0\x20\0{}", 12)),
            "the header has 32 bytes, but the file ends at byte 12");
  EXPECT_EQ(getComplaint(std::string("\x93NUMPY\x02\0", 8) +
                         toBytes(uint32_t(0xffffffff))),
            "the header has 4294967295 bytes, expected at most 10000");
}

TEST(Npy, RefusesBrokenHeaders) {
  for (std::string header : {
           "",
           "{}",
           "{'descr': '<f4', 'shape': (4,)}",
           "{'descr': '<f4', 'fortran_order': False}",
           "{'fortran_order': False, 'shape': (4,)}",
           "{'descr': '<f4', 'fortran_order': 0, 'shape': (4,)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': 4}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (4,",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (4 4)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (4,)} x",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), 'x': 1}",
           "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, "
           "'shape': (4,)}",
           "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,)}",
           "{'descr': '<f4', 'fortran_order': False, "
           "'shape': (99999999999999999999,)}",
           "{'descr': '<f4', 'fortran_order': False, "
           "'shape': (1,1,1,1,1,1,1,1,1)}",
       })
    EXPECT_EQ(getComplaint(makeNpy(header, makePattern(16))),
              "expected a header with descr, fortran_order and shape, found '" +
                  header.substr(0, 120) + (header.size() > 120 ? "...'" : "'"));
}

TEST(Npy, RefusesOtherTypesAndOrders) {
  for (std::string descr : {">f4", "<f8", "<u2", "|b1", "<V4", "f4"})
    EXPECT_EQ(getComplaint(makeNpy(makeNpyHeader(descr, "(2,)"), "12345678")),
              "expected elements '<f4', '<f2' or 'V2', found '" + descr + "'");
  EXPECT_EQ(getComplaint(makeNpy(
                "{'descr': '<f2', 'fortran_order': True, 'shape': (2, 2)}",
                "12345678")),
            "is in Fortran order, expected C order");
}

TEST(Npy, RefusesSizesThatDoNotFit) {
  EXPECT_EQ(
      getComplaint(makeNpy(makeNpyHeader("<f4", "(2, 2)"), makePattern(15))),
      "holds 15 bytes of elements, but shape [2, 2] of <f4 has 16");
  EXPECT_EQ(
      getComplaint(makeNpy(makeNpyHeader("<V2", "(2, 2)"), makePattern(9))),
      "holds 9 bytes of elements, but shape [2, 2] of <V2 has 8");
  EXPECT_EQ(
      getComplaint(
          makeNpy(makeNpyHeader("<f4", "(4294967296, 4294967296)"), "")),
      "shape [4294967296, 4294967296] has a negative dimension or does not fit "
      "in 63 bits of bytes");
  EXPECT_EQ(getComplaint(makeNpy(makeNpyHeader("<f4", "(-1,)"), "")),
            "shape [-1] has a negative dimension or does not fit in 63 bits of "
            "bytes");
}

} // namespace
