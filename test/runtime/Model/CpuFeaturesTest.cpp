//===- CpuFeaturesTest.cpp - CPUID against the compiler's own look --------===//

#include "runtime/Model/CpuFeatures.h"

#include "runtime/Error.h"

#include <gtest/gtest.h>

using namespace llamart;
using llamaabi::CodeVariant;

namespace {

std::string getErrorOf(const std::vector<std::string> &features) {
  try {
    requireCpuFeatures("model.so", "some-cpu", features);
  } catch (const Error &error) {
    return error.what();
  }
  return "";
}

TEST(CpuFeatures, ChooseTheFirstVariantThatRuns) {
  std::vector<CodeVariant> variants = {
      {"newer", {"sse2", "no-such-feature"}, "f", "w", {}},
      {"this", {"sse2"}, "f_1", "w_1", {}},
      {"older", {}, "f_2", "w_2", {}}};
  EXPECT_EQ(chooseVariant("model.so", variants).cpu, "this");
  variants.resize(1);
  variants.push_back({"other", {"another-feature"}, "f_1", "w_1", {}});
  try {
    chooseVariant("model.so", variants);
    FAIL() << "expected an error";
  } catch (const Error &error) {
    EXPECT_STREQ(error.what(),
                 "model.so: built for CPU other with features this runtime "
                 "cannot look for: another-feature");
  }
}

#define AGREES(name, builtin)                                                  \
  EXPECT_EQ(queryCpuFeature(name), __builtin_cpu_supports(builtin)             \
                                       ? CpuFeature::Present                   \
                                       : CpuFeature::Missing)                  \
      << name

TEST(CpuFeatures, AgreeWithTheCompilersOwnLook) {
  __builtin_cpu_init();
  AGREES("cmov", "cmov");
  AGREES("sse2", "sse2");
  AGREES("sse3", "sse3");
  AGREES("ssse3", "ssse3");
  AGREES("sse4.1", "sse4.1");
  AGREES("sse4.2", "sse4.2");
  AGREES("sse4a", "sse4a");
  AGREES("popcnt", "popcnt");
  AGREES("pclmul", "pclmul");
  AGREES("aes", "aes");
  AGREES("avx", "avx");
  AGREES("avx2", "avx2");
  AGREES("fma", "fma");
  AGREES("fma4", "fma4");
  AGREES("xop", "xop");
  AGREES("bmi", "bmi");
  AGREES("bmi2", "bmi2");
  AGREES("gfni", "gfni");
  AGREES("vpclmulqdq", "vpclmulqdq");
  AGREES("avx512f", "avx512f");
  AGREES("avx512vl", "avx512vl");
  AGREES("avx512bw", "avx512bw");
  AGREES("avx512dq", "avx512dq");
  AGREES("avx512cd", "avx512cd");
  AGREES("avx512ifma", "avx512ifma");
  AGREES("avx512vbmi", "avx512vbmi");
  AGREES("avx512vbmi2", "avx512vbmi2");
  AGREES("avx512vnni", "avx512vnni");
  AGREES("avx512bitalg", "avx512bitalg");
  AGREES("avx512vpopcntdq", "avx512vpopcntdq");
  AGREES("avx512bf16", "avx512bf16");
  AGREES("avx512vp2intersect", "avx512vp2intersect");
  AGREES("avx512fp16", "avx512fp16");
  AGREES("avxvnni", "avxvnni");
  AGREES("avxifma", "avxifma");
  AGREES("amx-tile", "amx-tile");
  AGREES("amx-int8", "amx-int8");
  AGREES("amx-bf16", "amx-bf16");
  AGREES("f16c", "f16c");
  AGREES("lzcnt", "lzcnt");
  AGREES("movbe", "movbe");
}

// Both are on every 64-bit CPU, no CPU since 2017 has the other two.
TEST(CpuFeatures, ThatAreMissingAreNamedWithBothSides) {
  EXPECT_EQ(getErrorOf({"64bit", "sse2", "cx8", "fxsr", "mmx", "x87"}), "");
  EXPECT_EQ(getErrorOf({"sse2", "tbm", "xop", "avx10.9", "clzero"}),
            "model.so: built for CPU some-cpu, this machine (" + getCpuName() +
                ") lacks tbm, xop");
}

TEST(CpuFeatures, NobodyKnowsAreAnError) {
  EXPECT_EQ(getErrorOf({"sse2", "thought-reading"}),
            "model.so: built for CPU some-cpu with features this runtime "
            "cannot look for: thought-reading");
}

TEST(CpuFeatures, OfTheSystemAreIgnored) {
  EXPECT_EQ(getErrorOf({"clzero", "invpcid", "shstk", "xsaves", "rdpid"}), "");
}

TEST(CpuName, IsOneLineWithoutSpaceAround) {
  std::string name = getCpuName();
  ASSERT_FALSE(name.empty());
  EXPECT_NE(name.front(), ' ');
  EXPECT_NE(name.back(), ' ');
}

} // namespace
