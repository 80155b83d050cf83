//===- CpuFeatures.cpp - What a model asks of the CPU ---------------------===//
//
// x86-64: the table follows the CPUID chapters of Intel's and AMD's manuals: a
// feature is one bit (or, for AVX10, a version number) of one register of one
// leaf, and usable only if the kernel saves the registers it needs (XCR0).
// aarch64: the kernel says what may be used, a bit for each feature (its
// Documentation/arch/arm64/elf_hwcaps.rst).
//
//===----------------------------------------------------------------------===//

#include "runtime/Model/CpuFeatures.h"

#include "runtime/Error.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <iterator>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

using namespace llamart;
using llamaabi::CodeVariant;

namespace {

// Features that privileged, system or tuning code asks for. Listed for a host
// by LLVM, never used by the code of a model.
constexpr std::string_view kIgnored[] = {
    "cldemote", "clflushopt", "clwb",      "clzero",   "enqcmd", "fsgsbase",
    "hreset",   "invpcid",    "kl",        "lwp",      "mwaitx", "pconfig",
    "pku",      "prefetchi",  "ptwrite",   "rdpid",    "rdpru",  "rdrnd",
    "rdseed",   "rtm",        "serialize", "sgx",      "shstk",  "tsxldtrk",
    "uintr",    "usermsr",    "waitpkg",   "wbnoinvd", "widekl", "xsave",
    "xsavec",   "xsaveopt",   "xsaves"};

#if defined(__x86_64__)

enum Register : uint8_t { EAX, EBX, ECX, EDX };

// Bits of XCR0 that must all be set.
enum State : uint32_t {
  kNone = 0,
  kAVX = 0x6,     // xmm, ymm
  kAVX512 = 0xe6, // and opmask, upper zmm, zmm16-31
  kAMX = 0x60000, // tile configuration and data
  kAPX = 0x80000, // r16-r31
};

struct Feature {
  std::string_view name;
  uint32_t leaf, subleaf;
  Register where;
  uint8_t bit;
  State state;
};

constexpr Feature kFeatures[] = {
    {"x87", 1, 0, EDX, 0, kNone},
    {"cx8", 1, 0, EDX, 8, kNone},
    {"cmov", 1, 0, EDX, 15, kNone},
    {"mmx", 1, 0, EDX, 23, kNone},
    {"fxsr", 1, 0, EDX, 24, kNone},
    {"sse", 1, 0, EDX, 25, kNone},
    {"sse2", 1, 0, EDX, 26, kNone},
    {"sse3", 1, 0, ECX, 0, kNone},
    {"pclmul", 1, 0, ECX, 1, kNone},
    {"ssse3", 1, 0, ECX, 9, kNone},
    {"fma", 1, 0, ECX, 12, kAVX},
    {"cx16", 1, 0, ECX, 13, kNone},
    {"sse4.1", 1, 0, ECX, 19, kNone},
    {"sse4.2", 1, 0, ECX, 20, kNone},
    {"crc32", 1, 0, ECX, 20, kNone}, // comes with SSE 4.2
    {"movbe", 1, 0, ECX, 22, kNone},
    {"popcnt", 1, 0, ECX, 23, kNone},
    {"aes", 1, 0, ECX, 25, kNone},
    {"avx", 1, 0, ECX, 28, kAVX},
    {"f16c", 1, 0, ECX, 29, kAVX},
    {"bmi", 7, 0, EBX, 3, kNone},
    {"avx2", 7, 0, EBX, 5, kAVX},
    {"bmi2", 7, 0, EBX, 8, kNone},
    {"avx512f", 7, 0, EBX, 16, kAVX512},
    {"avx512dq", 7, 0, EBX, 17, kAVX512},
    {"adx", 7, 0, EBX, 19, kNone},
    {"avx512ifma", 7, 0, EBX, 21, kAVX512},
    {"avx512cd", 7, 0, EBX, 28, kAVX512},
    {"sha", 7, 0, EBX, 29, kNone},
    {"avx512bw", 7, 0, EBX, 30, kAVX512},
    {"avx512vl", 7, 0, EBX, 31, kAVX512},
    {"avx512vbmi", 7, 0, ECX, 1, kAVX512},
    {"avx512vbmi2", 7, 0, ECX, 6, kAVX512},
    {"gfni", 7, 0, ECX, 8, kNone},
    {"vaes", 7, 0, ECX, 9, kAVX},
    {"vpclmulqdq", 7, 0, ECX, 10, kAVX},
    {"avx512vnni", 7, 0, ECX, 11, kAVX512},
    {"avx512bitalg", 7, 0, ECX, 12, kAVX512},
    {"avx512vpopcntdq", 7, 0, ECX, 14, kAVX512},
    {"movdiri", 7, 0, ECX, 27, kNone},
    {"movdir64b", 7, 0, ECX, 28, kNone},
    {"avx512vp2intersect", 7, 0, EDX, 8, kAVX512},
    {"amx-bf16", 7, 0, EDX, 22, kAMX},
    {"avx512fp16", 7, 0, EDX, 23, kAVX512},
    {"amx-tile", 7, 0, EDX, 24, kAMX},
    {"amx-int8", 7, 0, EDX, 25, kAMX},
    {"sha512", 7, 1, EAX, 0, kAVX},
    {"sm3", 7, 1, EAX, 1, kAVX},
    {"sm4", 7, 1, EAX, 2, kAVX},
    {"raoint", 7, 1, EAX, 3, kNone},
    {"avxvnni", 7, 1, EAX, 4, kAVX},
    {"avx512bf16", 7, 1, EAX, 5, kAVX512},
    {"cmpccxadd", 7, 1, EAX, 7, kNone},
    {"amx-fp16", 7, 1, EAX, 21, kAMX},
    {"avxifma", 7, 1, EAX, 23, kAVX},
    {"movrs", 7, 1, EAX, 31, kNone},
    {"avxvnniint8", 7, 1, EDX, 4, kAVX},
    {"avxneconvert", 7, 1, EDX, 5, kAVX},
    {"amx-complex", 7, 1, EDX, 8, kAMX},
    {"avxvnniint16", 7, 1, EDX, 10, kAVX},
    {"egpr", 7, 1, EDX, 21, kAPX}, // the parts of APX have one bit
    {"push2pop2", 7, 1, EDX, 21, kAPX},
    {"ppx", 7, 1, EDX, 21, kAPX},
    {"ndd", 7, 1, EDX, 21, kAPX},
    {"ccmp", 7, 1, EDX, 21, kAPX},
    {"nf", 7, 1, EDX, 21, kAPX},
    {"cf", 7, 1, EDX, 21, kAPX},
    {"zu", 7, 1, EDX, 21, kAPX},
    {"amx-fp8", 0x1e, 1, EAX, 4, kAMX},
    {"amx-tf32", 0x1e, 1, EAX, 6, kAMX},
    {"amx-avx512", 0x1e, 1, EAX, 7, kAMX},
    {"amx-movrs", 0x1e, 1, EAX, 8, kAMX},
    {"sahf", 0x80000001, 0, ECX, 0, kNone},
    {"lzcnt", 0x80000001, 0, ECX, 5, kNone},
    {"sse4a", 0x80000001, 0, ECX, 6, kNone},
    {"prfchw", 0x80000001, 0, ECX, 8, kNone},
    {"xop", 0x80000001, 0, ECX, 11, kAVX},
    {"fma4", 0x80000001, 0, ECX, 16, kAVX},
    {"tbm", 0x80000001, 0, ECX, 21, kNone},
    {"64bit", 0x80000001, 0, EDX, 29, kNone},
};

struct Registers {
  uint32_t values[4] = {0, 0, 0, 0};
};

Registers readLeaf(uint32_t leaf, uint32_t subleaf) {
  Registers r;
  uint32_t *v = r.values;
  if (!__get_cpuid_count(leaf, subleaf, &v[EAX], &v[EBX], &v[ECX], &v[EDX]))
    return Registers();
  return r;
}

// Register state the kernel saves, 0 where XGETBV is not for us.
uint64_t readXCR0() {
  constexpr uint32_t kOSXSAVE = 1u << 27;
  if (!(readLeaf(1, 0).values[ECX] & kOSXSAVE))
    return 0;
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t(high) << 32 | low;
}

// AVX10's leaf holds a version in its low byte.
bool hasAVX10(uint32_t version) {
  constexpr uint32_t kAVX10 = 1u << 19;
  return (readLeaf(7, 1).values[EDX] & kAVX10) &&
         (readXCR0() & kAVX512) == kAVX512 &&
         (readLeaf(0x24, 0).values[EBX] & 0xff) >= version;
}

CpuFeature toFeature(bool present) {
  return present ? CpuFeature::Present : CpuFeature::Missing;
}

CpuFeature queryTable(std::string_view name) {
  if (name == "avx10.1" || name == "avx10.2")
    return toFeature(hasAVX10(name.back() - '0'));
  const Feature *f =
      std::find_if(std::begin(kFeatures), std::end(kFeatures),
                   [&](const Feature &f) { return f.name == name; });
  if (f == std::end(kFeatures))
    return CpuFeature::Unknown;
  uint32_t value = readLeaf(f->leaf, f->subleaf).values[f->where];
  return toFeature((value >> f->bit & 1) &&
                   (readXCR0() & f->state) == f->state);
}

std::string readCpuName() {
  char name[49] = {};
  for (uint32_t i = 0; i < 3; ++i) {
    Registers part = readLeaf(0x80000002 + i, 0);
    std::memcpy(name + size_t(16) * i, part.values, 16);
  }
  std::string_view text(name);
  text = text.substr(0, text.find_last_not_of(' ') + 1);
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return std::string(text);
}

#elif defined(__aarch64__)

struct Feature {
  std::string_view name;
  unsigned long where; // AT_HWCAP or AT_HWCAP2
  uint8_t bit;
};

constexpr Feature kFeatures[] = {
    {"fp-armv8", AT_HWCAP, 0},   {"neon", AT_HWCAP, 1},
    {"crc", AT_HWCAP, 7},        {"lse", AT_HWCAP, 8},
    {"fullfp16", AT_HWCAP, 10},  {"rdm", AT_HWCAP, 12},
    {"jsconv", AT_HWCAP, 13},    {"complxnum", AT_HWCAP, 14},
    {"rcpc", AT_HWCAP, 15},      {"sha3", AT_HWCAP, 17},
    {"dotprod", AT_HWCAP, 20},   {"sve", AT_HWCAP, 22},
    {"fp16fml", AT_HWCAP, 23},   {"flagm", AT_HWCAP, 27},
    {"cmpbr", AT_HWCAP, 33},     {"fprcvt", AT_HWCAP, 34},
    {"sve2", AT_HWCAP2, 1},      {"fptoint", AT_HWCAP2, 8},
    {"i8mm", AT_HWCAP2, 13},     {"bf16", AT_HWCAP2, 14},
    {"cssc", AT_HWCAP2, 34},     {"mops", AT_HWCAP2, 43},
    {"faminmax", AT_HWCAP2, 50},
};

CpuFeature queryTable(std::string_view name) {
  const Feature *f =
      std::find_if(std::begin(kFeatures), std::end(kFeatures),
                   [&](const Feature &f) { return f.name == name; });
  if (f == std::end(kFeatures))
    return CpuFeature::Unknown;
  bool present = getauxval(f->where) >> f->bit & 1;
  return present ? CpuFeature::Present : CpuFeature::Missing;
}

// The identification register, which the kernel shows if it says so: who made
// the CPU, and which one it is.
std::string readCpuName() {
  constexpr unsigned long kCpuId = 1ul << 11;
  if (!(getauxval(AT_HWCAP) & kCpuId))
    return "";
  uint64_t id;
  __asm__("mrs %0, midr_el1" : "=r"(id));
  char text[64];
  std::snprintf(text, sizeof(text), "implementer 0x%02x, part 0x%03x",
                unsigned(id >> 24 & 0xff), unsigned(id >> 4 & 0xfff));
  return text;
}

#else

CpuFeature queryTable(std::string_view) { return CpuFeature::Unknown; }
std::string readCpuName() { return ""; }

#endif

void append(std::string &list, std::string_view item) {
  list += list.empty() ? "" : ", ";
  list += item;
}

} // namespace

CpuFeature llamart::queryCpuFeature(std::string_view name) {
  bool ignored = std::find(std::begin(kIgnored), std::end(kIgnored), name) !=
                 std::end(kIgnored);
  return ignored ? CpuFeature::Ignored : queryTable(name);
}

const CodeVariant &
llamart::chooseVariant(const std::string &path,
                       const std::vector<CodeVariant> &variants) {
  for (const CodeVariant &variant : variants)
    try {
      requireCpuFeatures(path, variant.cpu, variant.features);
      return variant;
    } catch (const Error &) {
      if (&variant == &variants.back())
        throw;
    }
  throw Error(ErrorKind::Model, path, ": has no code");
}

bool llamart::requestTiles() {
#if defined(__x86_64__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

std::string llamart::getCpuName() {
  std::string name = readCpuName();
  return name.empty() ? "CPU without a name" : name;
}

void llamart::requireCpuFeatures(const std::string &path,
                                 const std::string &cpu,
                                 const std::vector<std::string> &features) {
  std::string missing, unknown;
  bool tiles = false;
  for (const std::string &name : features) {
    CpuFeature answer = queryCpuFeature(name);
    if (answer == CpuFeature::Missing)
      append(missing, name);
    else if (answer == CpuFeature::Unknown)
      append(unknown, name);
    tiles |= name == "amx-tile";
  }
  if (!missing.empty())
    throw Error(ErrorKind::Model, path, ": built for CPU ", cpu,
                ", this machine (", getCpuName(), ") lacks ", missing);
  if (!unknown.empty())
    throw Error(ErrorKind::Model, path, ": built for CPU ", cpu,
                " with features this runtime cannot look for: ", unknown);
  if (tiles && !requestTiles())
    throw Error(ErrorKind::Model, path, ": built for CPU ", cpu,
                ", the kernel of this machine refuses the use of AMX tiles");
}
