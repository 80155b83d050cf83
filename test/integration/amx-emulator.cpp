//===- amx-emulator.cpp - AMX instructions where there are none -----------===//
//
// Preloaded into a program, computes the tile instructions that end in SIGILL:
// tests of generated code need no machine that has them. Written after the
// operations of Intel's manual (volume 2, instructions LDTILECFG, TILELOADD,
// TILESTORED, TILEZERO, TILERELEASE, TDPBF16PS, TDPBSSD, TDPBSUD, TDPBUSD,
// TDPBUUD); anything else is left to kill the program as before.
//
// A processor that has them, in a process that has not asked for them, refuses
// those that touch tiles, but loads and releases their shapes. So the shapes
// are what the interrupted code's state says they are.
//
//===----------------------------------------------------------------------===//

#include <cpuid.h>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ucontext.h>

namespace {

struct Tile {
  uint8_t rows = 0;
  uint16_t rowBytes = 0;
  alignas(64) uint8_t bytes[16][64] = {};
};

// Tiles are registers: each thread has its own.
thread_local Tile tiles[8];

/// An instruction with a three-byte VEX prefix.
struct Instruction {
  uint8_t opcode, prefix; // 0 none, 1 66, 2 F3, 3 F2
  uint8_t mod, reg, rm, vvvv;
  uint64_t address = 0; // base + displacement
  uint64_t stride = 0;  // index << scale
  int length = 0;
};

uint64_t readRegister(const greg_t *registers, int number) {
  // The order of the encoding.
  static constexpr int kOrder[16] = {
      REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
      REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  return registers[kOrder[number]];
}

template <typename T>
T readBytes(const uint8_t *from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

void decodeMemory(Instruction &i, const uint8_t *at, int rexB, int rexX,
                  const greg_t *registers) {
  const uint8_t *begin = at;
  int base = i.rm | rexB;
  bool hasBase = true;
  if (i.rm == 4) { // SIB
    uint8_t sib = *at++;
    int index = ((sib >> 3) & 7) | rexX;
    base = (sib & 7) | rexB;
    hasBase = !((sib & 7) == 5 && i.mod == 0);
    if (index != 4)
      i.stride = readRegister(registers, index) << (sib >> 6);
  } else if (i.rm == 5 && i.mod == 0) { // relative to the next instruction
    int32_t offset = readBytes<int32_t>(at);
    i.length += at + 4 - begin;
    i.address = registers[REG_RIP] + i.length + offset;
    return;
  }
  if (hasBase)
    i.address = readRegister(registers, base);
  if (i.mod == 1) {
    i.address += readBytes<int8_t>(at);
    at += 1;
  } else if (i.mod == 2 || !hasBase) {
    i.address += readBytes<int32_t>(at);
    at += 4;
  }
  i.length += at - begin;
}

/// False if it is none of map 0F38 with a VEX prefix of 128 bits.
bool decode(Instruction &i, const greg_t *registers) {
  const auto *code = reinterpret_cast<const uint8_t *>(registers[REG_RIP]);
  if (code[0] != 0xC4 || (code[1] & 0x1F) != 2 || (code[2] & 0x84) != 0)
    return false;
  int rexX = code[1] & 0x40 ? 0 : 8, rexB = code[1] & 0x20 ? 0 : 8;
  i.prefix = code[2] & 3;
  i.vvvv = ~(code[2] >> 3) & 15;
  i.opcode = code[3];
  i.mod = code[4] >> 6;
  i.reg = (code[4] >> 3) & 7;
  i.rm = code[4] & 7;
  i.length = 5;
  if (i.mod != 3)
    decodeMemory(i, code + 5, rexB, rexX, registers);
  return true;
}

void configure(const uint8_t *memory) {
  for (int t = 0; t < 8; ++t) {
    tiles[t] = Tile();
    if (!memory)
      continue;
    tiles[t].rowBytes = readBytes<uint16_t>(memory + 16 + 2 * t);
    tiles[t].rows = memory[48 + t];
  }
}

/// The shapes that the processor has loaded, 64 bytes; null if it does not know
/// of any. Volume 1 of the manual, chapter 13: the state is laid out as XSAVE
/// does it, component 17 being the shapes; Linux says in bytes 464 to 511 what
/// it has saved.
const uint8_t *findShapes(const ucontext_t &context) {
  constexpr uint32_t kMagic = 0x46505853;
  constexpr uint64_t kShapes = uint64_t(1) << 17;
  const auto *state =
      reinterpret_cast<const uint8_t *>(context.uc_mcontext.fpregs);
  unsigned size = 0, offset = 0, c = 0, d = 0;
  if (!__get_cpuid_count(0xD, 17, &size, &offset, &c, &d) || size != 64 ||
      readBytes<uint32_t>(state + 464) != kMagic ||
      !(readBytes<uint64_t>(state + 472) & kShapes))
    return nullptr;
  static constexpr uint8_t kNone[64] = {};
  return readBytes<uint64_t>(state + 512) & kShapes ? state + offset : kNone;
}

/// Tiles are zeros after their shapes were loaded.
void followProcessor(const ucontext_t &context) {
  thread_local uint8_t last[64] = {};
  const uint8_t *shapes = findShapes(context);
  if (!shapes || std::memcmp(shapes, last, sizeof(last)) == 0)
    return;
  std::memcpy(last, shapes, sizeof(last));
  configure(shapes);
}

void load(const Instruction &i) {
  Tile &tile = tiles[i.reg];
  std::memset(tile.bytes, 0, sizeof(tile.bytes));
  for (int row = 0; row < tile.rows; ++row)
    std::memcpy(tile.bytes[row],
                reinterpret_cast<const void *>(i.address + row * i.stride),
                tile.rowBytes);
}

void store(const Instruction &i) {
  const Tile &tile = tiles[i.reg];
  for (int row = 0; row < tile.rows; ++row)
    std::memcpy(reinterpret_cast<void *>(i.address + row * i.stride),
                tile.bytes[row], tile.rowBytes);
}

float readBF16(const uint8_t *from) {
  uint32_t bits = uint32_t(readBytes<uint16_t>(from)) << 16;
  if ((bits & 0x7F800000) == 0)
    bits &= 0x80000000; // denormals are zero
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

float fusedMultiplyAdd(float x, float y, float z) {
  // Exact in double but for the last rounding: bf16 products have 16 bits.
  float sum = float(double(x) * double(y) + double(z));
  return sum > -1.17549435e-38f && sum < 1.17549435e-38f ? 0.0f : sum;
}

/// Even and odd elements are summed apart, then both are added.
void multiplyBF16(const Instruction &i) {
  Tile &sums = tiles[i.reg];
  const Tile &left = tiles[i.rm], &right = tiles[i.vvvv];
  int pairs = left.rowBytes / 4, columns = sums.rowBytes / 4;
  for (int row = 0; row < sums.rows; ++row)
    for (int column = 0; column < columns; ++column) {
      float parts[2] = {0, 0};
      for (int k = 0; k < pairs; ++k)
        for (int half = 0; half < 2; ++half)
          parts[half] = fusedMultiplyAdd(
              readBF16(&left.bytes[row][4 * k + 2 * half]),
              readBF16(&right.bytes[k][4 * column + 2 * half]), parts[half]);
      uint8_t *place = &sums.bytes[row][4 * column];
      float sum = readBytes<float>(place) + (parts[0] + parts[1]);
      std::memcpy(place, &sum, sizeof(sum));
    }
}

/// Four products of bytes at a time, modulo 2^32.
template <typename Left, typename Right>
void multiplyBytes(const Instruction &i) {
  Tile &sums = tiles[i.reg];
  const Tile &left = tiles[i.rm], &right = tiles[i.vvvv];
  int words = left.rowBytes / 4, columns = sums.rowBytes / 4;
  for (int row = 0; row < sums.rows; ++row)
    for (int column = 0; column < columns; ++column) {
      uint8_t *place = &sums.bytes[row][4 * column];
      auto sum = readBytes<uint32_t>(place);
      for (int k = 0; k < words; ++k)
        for (int byte = 0; byte < 4; ++byte)
          sum += static_cast<uint32_t>(
              int(static_cast<Left>(left.bytes[row][4 * k + byte])) *
              int(static_cast<Right>(right.bytes[k][4 * column + byte])));
      std::memcpy(place, &sum, sizeof(sum));
    }
}

void multiplyBytes(const Instruction &i, bool isLeftSigned,
                   bool isRightSigned) {
  if (isLeftSigned && isRightSigned)
    multiplyBytes<int8_t, int8_t>(i);
  else if (isLeftSigned)
    multiplyBytes<int8_t, uint8_t>(i);
  else if (isRightSigned)
    multiplyBytes<uint8_t, int8_t>(i);
  else
    multiplyBytes<uint8_t, uint8_t>(i);
}

bool execute(const Instruction &i) {
  enum : uint8_t { kNone, k66, kF3, kF2 };
  bool isMemory = i.mod != 3;
  switch (i.opcode) {
  case 0x49:
    if (i.prefix == kNone) {
      configure(isMemory ? reinterpret_cast<const uint8_t *>(i.address)
                         : nullptr);
      return true;
    }
    if (i.prefix == kF2 && !isMemory) {
      std::memset(tiles[i.reg].bytes, 0, sizeof(Tile::bytes));
      return true;
    }
    return false;
  case 0x4B:
    if (!isMemory || i.prefix == kNone)
      return false;
    if (i.prefix == kF3)
      store(i);
    else
      load(i);
    return true;
  case 0x5C:
    if (isMemory || i.prefix != kF3)
      return false;
    multiplyBF16(i);
    return true;
  case 0x5E:
    if (isMemory)
      return false;
    multiplyBytes(i, i.prefix == kF2 || i.prefix == kF3,
                  i.prefix == kF2 || i.prefix == k66);
    return true;
  default:
    return false;
  }
}

void handle(int, siginfo_t *, void *context) {
  auto &interrupted = *static_cast<ucontext_t *>(context);
  greg_t *registers = interrupted.uc_mcontext.gregs;
  followProcessor(interrupted);
  Instruction instruction;
  if (decode(instruction, registers) && execute(instruction)) {
    registers[REG_RIP] += instruction.length;
    return;
  }
  std::fprintf(stderr, "amx-emulator: an instruction it does not know\n");
  std::signal(SIGILL, SIG_DFL); // comes again, and ends the program
}

__attribute__((constructor)) void install() {
  struct sigaction action = {};
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGILL, &action, nullptr);
}

} // namespace
