//===- PickleTest.cpp - Attacks by pickle, one by one ---------------------===//
//
// P5: nothing from a checkpoint is executed. Programs that make Python's own
// unpickler run a command, exhaust its memory or crash are refused with a
// reason, or cost nothing. The command of each would leave a file behind.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/Pickle.h"
#include "weights/Containers/TorchPickle.h"
#include "weights/Containers/TorchStateDict.h"

#include "test/weights/ContainerBytes.h"
#include "test/weights/Messages.h"
#include "test/weights/TempFolder.h"

#include <filesystem>

using namespace llamatest;
using namespace llamaweights;

namespace {

const std::string kProtocol2 = "\x80\x02", kProtocol4 = "\x80\x04";

/// Operations, as Python's pickletools names them.
std::string binUnicode(const std::string &value) {
  return "X" + toBytes(uint32_t(value.size())) + value;
}
std::string global(const std::string &module, const std::string &name) {
  return "c" + module + "\n" + name + "\n";
}
std::string stackGlobal(const std::string &module, const std::string &name) {
  return binUnicode(module) + binUnicode(name) + "\x93";
}
std::string binPut(int place) { return std::string("q") + char(place); }
std::string binGet(int place) { return std::string("h") + char(place); }
std::string repeat(const std::string &text, size_t count) {
  std::string result;
  while (count-- > 0)
    result += text;
  return result;
}
const std::string kOrderedDict = global("collections", "OrderedDict");

class PickleAttack : public testing::Test {
protected:
  /// What the machine says of a program; torch's names are allowed.
  static std::string run(const std::string &program) {
    auto file = InputFile::fromMemory("x.pth", program);
    std::string message = getMessageAbout(
        "x.pth", Pickle::read(*file, 0, program.size(), getTorchNames()));
    llvm::StringRef rest = message;
    EXPECT_TRUE(rest.empty() || rest.consume_front("pickle: ")) << message;
    return rest.str();
  }

  /// What the reader of torch's legacy files says of one whose dict it is.
  static std::string runAsStateDict(const std::string &dict) {
    std::string file =
        std::string("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
                    "\x80\x02M\xe9\x03.\x80\x02}",
                    24) +
        binUnicode("little_endian") + "\x88s." + dict + kProtocol2 + "].";
    return getMessageAbout(
        "x.pth", readTorchPickle(InputFile::fromMemory("x.pth", file)));
  }

  /// A refusal that names a global, whatever its arguments.
  static std::string refersTo(int byte, const std::string &name) {
    return "byte " + std::to_string(byte) + ": refers to '" + name +
           "', which tensors have no need of";
  }
  static std::string isNoOperation(int byte, const std::string &code) {
    return "byte " + std::to_string(byte) + ": operation '" + code +
           "' is not one that data needs";
  }

  void TearDown() override { EXPECT_TRUE(std::filesystem::is_empty(folder)); }

  TempFolder temporary;
  std::string folder = temporary.path;
  /// What an attack would have a shell, or Python, do.
  std::string shell = binUnicode("touch " + folder + "/executed");
  std::string python = binUnicode("open('" + folder + "/executed', 'w')");
};

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

TEST_F(PickleAttack, ReduceWithOsSystem) {
  std::string call = shell + "\x85R.";
  EXPECT_EQ(run(kProtocol4 + global("os", "system") + call),
            refersTo(2, "os.system"));
  EXPECT_EQ(run(kProtocol4 + global("posix", "system") + call),
            refersTo(2, "posix.system"));
  EXPECT_EQ(run(kProtocol4 + stackGlobal("nt", "system") + call),
            refersTo(20, "nt.system"));
}

TEST_F(PickleAttack, BuiltinsEval) {
  for (std::string module : {"builtins", "__builtin__"})
    for (std::string name :
         {"eval", "exec", "compile", "getattr", "__import__"})
      EXPECT_EQ(run(kProtocol2 + global(module, name) + python + "\x85R."),
                refersTo(2, module + "." + name));
}

TEST_F(PickleAttack, Subprocess) {
  EXPECT_EQ(run(kProtocol2 + global("subprocess", "Popen") + shell + "\x85R."),
            refersTo(2, "subprocess.Popen"));
  EXPECT_EQ(run(kProtocol4 + stackGlobal("subprocess", "check_output") + "."),
            refersTo(34, "subprocess.check_output"));
}

TEST_F(PickleAttack, InsideOfAStateDict) {
  std::string message =
      runAsStateDict(kProtocol2 + "}(" + binUnicode("w") +
                     global("os", "system") + shell + "\x85Ru.");
  EXPECT_EQ(message, "pickle: byte 55: refers to 'os.system', which tensors "
                     "have no need of");
}

TEST_F(PickleAttack, InstAndObj) {
  EXPECT_EQ(run(kProtocol2 + "(" + shell + "ios\nsystem\n."),
            isNoOperation(int(3 + shell.size()), "i"));
  EXPECT_EQ(run(kProtocol2 + "(" + global("os", "system") + shell + "o."),
            refersTo(3, "os.system"));
  // Of a name that is allowed, too.
  EXPECT_EQ(run(kProtocol2 + "(" + kOrderedDict + "o."),
            isNoOperation(28, "o"));
}

TEST_F(PickleAttack, NewObj) {
  EXPECT_EQ(run(kProtocol2 + kOrderedDict + ")\x81."),
            isNoOperation(28, "\\81"));
  EXPECT_EQ(run(kProtocol4 + kOrderedDict + ")}\x92."),
            isNoOperation(29, "\\92"));
}

TEST_F(PickleAttack, BuildWithSetstate) {
  // An object that is given os.system as its __setstate__, and then a command.
  std::string object = kOrderedDict + ")R}" + binUnicode("__setstate__");
  EXPECT_EQ(
      run(kProtocol2 + object + global("os", "system") + "sb" + shell + "b."),
      refersTo(int(2 + object.size()), "os.system"));
  // With a harmless name there is an object; state is a remark.
  EXPECT_EQ(run(kProtocol2 + object + kOrderedDict + "sb" + shell + "b."), "");
  // Nor may a class itself be changed.
  EXPECT_EQ(run(kProtocol2 + kOrderedDict + "}b."),
            "byte 28: expected something to build, found "
            "'collections.OrderedDict'");
}

TEST_F(PickleAttack, WhatIsCalledIsAName) {
  EXPECT_EQ(run(kProtocol2 + shell + ")R."),
            "byte " + std::to_string(3 + shell.size()) +
                ": expected a global to call, found the string 'touch " +
                folder + "/executed'");
  EXPECT_EQ(run(kProtocol2 + kOrderedDict + ")R)R."),
            "byte 30: expected a global to call, found a dict");
  EXPECT_EQ(run(kProtocol2 + kOrderedDict + shell + "R."),
            "byte " + std::to_string(27 + shell.size()) +
                ": expected a tuple of arguments, found the string 'touch " +
                folder + "/executed'");
}

TEST_F(PickleAttack, NamesThatBeginLikeAllowedOnes) {
  for (std::string name : {"_rebuild_tensor_v2.__globals__",
                           "_rebuild_tensor_v2 ", "_rebuild_tensor_v3", "sys"})
    EXPECT_EQ(run(kProtocol2 + global("torch._utils", name) + "."),
              refersTo(2, "torch._utils." + name));
  EXPECT_EQ(run(kProtocol2 + global("torch.nn", "Linear") + "."),
            "byte 2: refers to 'torch.nn.Linear', a module that was pickled "
            "whole; expected its state_dict");
  EXPECT_EQ(run(kProtocol4 + stackGlobal("torch\nos", "system\r\x1b[2J") + "."),
            refersTo(31, "torch\\0Aos.system\\0D\\1B[2J"));
  EXPECT_EQ(run(kProtocol4 + binUnicode("os") + "K\1\x93."),
            "byte 11: expected the name of a global, found the integer 1");
}

TEST_F(PickleAttack, ExtensionRegistry) {
  EXPECT_EQ(run(kProtocol2 + "\x82\x01" + shell + "\x85R."),
            isNoOperation(2, "\\82"));
  EXPECT_EQ(run(kProtocol2 + "\x83\x01\x01."), isNoOperation(2, "\\83"));
  EXPECT_EQ(run(kProtocol2 + "\x84\x01\x01\x01\x01."),
            isNoOperation(2, "\\84"));
}

TEST_F(PickleAttack, PersistentIds) {
  EXPECT_EQ(run(kProtocol2 + "Pos.system\n."), isNoOperation(2, "P"));
  std::string begin = kProtocol2 + "}(" + binUnicode("w");
  EXPECT_EQ(runAsStateDict(begin + shell + "Qu."),
            "tensor 'w': expected a tensor, found a persistent id");
  std::string arguments =
      "(" + shell + "Q" + std::string("K\0", 2) + "K\1\x85" + "K\1\x85" + "t";
  EXPECT_EQ(runAsStateDict(begin +
                           global("torch._utils", "_rebuild_tensor_v2") +
                           arguments + "Ru."),
            "tensor 'w': its storage is not described as torch does");
}

TEST_F(PickleAttack, ProtocolsOfText) {
  EXPECT_EQ(run("cos\nsystem\n(S'true'\ntR."),
            "byte 0: expected a protocol, found operation 'c'");
  EXPECT_EQ(run("\x80\x01" + global("os", "system") + "."),
            "byte 0: protocol 1, expected 2 to 5");
  EXPECT_EQ(run("\x80\x06."), "byte 0: protocol 6, expected 2 to 5");
  EXPECT_EQ(run(kProtocol2 + "S'true'\n."), isNoOperation(2, "S"));
}

//===----------------------------------------------------------------------===//
// Memory and time
//===----------------------------------------------------------------------===//

TEST_F(PickleAttack, BillionLaughs) {
  // Each tuple is the one before, twice: 2^n values if anybody wrote them out.
  auto laugh = [](int levels) {
    std::string program = kProtocol2 + binUnicode("lol") + binPut(0);
    for (int i = 0; i < levels; ++i)
      program += binGet(i) + binGet(i) + "\x86" + binPut(i + 1);
    return program + "\x86."; // of two of them: whatever is left on the stack
  };
  EXPECT_EQ(run(laugh(40)), "byte 240: nests deeper than 32 levels");
  // Those that are let through are as large as their program.
  std::string program = kProtocol2 + "]" + binPut(0);
  for (int i = 0; i < 30; ++i)
    program += "](" + repeat(binGet(i), 10) + "e" + binPut(i + 1);
  program = kProtocol2 + "(" + program.substr(2) + "t.";
  auto file = InputFile::fromMemory("x", program);
  auto pickle =
      llvm::cantFail(Pickle::read(*file, 0, program.size(), getTorchNames()));
  size_t values = 0;
  pickle.visit([&](const PickleValue &) { ++values; });
  EXPECT_EQ(values, 32u);
  EXPECT_EQ(runAsStateDict(program),
            "expected a dict of tensors, found a tuple");
}

TEST_F(PickleAttack, MemoBomb) {
  // Python's unpickler makes its memo as large as the highest place.
  EXPECT_EQ(run(kProtocol2 + "}r\xff\xff\xff\xff."), "");
  EXPECT_EQ(run(kProtocol2 + "j\xff\xff\xff\xff."),
            "byte 2: refers to value 4294967295, which was not remembered");
  EXPECT_EQ(run(kProtocol2 + "q" + std::string(1, '\0') + "."),
            "byte 2: expected 1 values on the stack, found 0");
}

TEST_F(PickleAttack, TooManyValuesAndOperations) {
  EXPECT_EQ(run(kProtocol2 + repeat("N", (1 << 20) + 1) + "."),
            "byte 1048578: has more than 1048576 values");
  EXPECT_EQ(run(kProtocol2 + "N" + binPut(0) + repeat(binGet(0), 1 << 22)),
            "byte 8388607: has more than 4194304 operations");
}

TEST_F(PickleAttack, RecursiveList) {
  EXPECT_EQ(run(kProtocol2 + "]" + binPut(0) + binGet(0) + "a."), "");
  EXPECT_EQ(
      run(kProtocol2 + "]" + binPut(0) + repeat(binGet(0) + "a", 40) + "."),
      "byte 103: nests deeper than 32 levels");
  EXPECT_EQ(runAsStateDict(kProtocol2 + "]" + binPut(0) + binGet(0) + "a."),
            "expected a dict of tensors, found a list");
}

TEST_F(PickleAttack, RecursiveDict) {
  // A state_dict that is its own state_dict.
  EXPECT_EQ(runAsStateDict(kProtocol2 + "}" + binPut(0) +
                           binUnicode("state_dict") + binGet(0) + "s."),
            "tensor 'state_dict': expected a tensor, found a dict");
}

TEST_F(PickleAttack, RecursiveTuple) {
  // t = ([t],), as Python writes it: made twice, and once dropped.
  EXPECT_EQ(run(kProtocol2 + "](" + binPut(0) + "](" + "t."),
            "byte 4: expected 1 values on the stack, found 0");
  EXPECT_EQ(run(kProtocol2 + "]" + binPut(0) + binGet(0) + "\x85" + binPut(1) +
                "a0" + binGet(1) + "."),
            isNoOperation(11, "0"));
  // The same without dropping anything.
  EXPECT_EQ(run(kProtocol2 + "]" + binPut(0) + binGet(0) + "\x85" + "a."), "");
  EXPECT_EQ(runAsStateDict(kProtocol2 + "]" + binPut(0) + binGet(0) + "\x85" +
                           "a\x85."),
            "expected a dict of tensors, found a tuple");
}

TEST_F(PickleAttack, DeepNesting) {
  EXPECT_EQ(run(kProtocol2 + repeat("(", 100000)),
            "byte 66: nests deeper than 64 marks");
  EXPECT_EQ(run(kProtocol2 + repeat("]", 100) + repeat("a", 99) + "."),
            "byte 134: nests deeper than 32 levels");
  EXPECT_EQ(run(kProtocol2 + "N" + repeat("\x85", 100000) + "."),
            "byte 35: nests deeper than 32 levels");
}

//===----------------------------------------------------------------------===//
// Lengths, and a stack that is not what an operation expects
//===----------------------------------------------------------------------===//

TEST_F(PickleAttack, HugeLengths) {
  std::string most(8, '\xff');
  EXPECT_EQ(run(kProtocol2 + "X\xff\xff\xff\xff."),
            "byte 2: a string of 4294967295 bytes, expected at most 1048576");
  EXPECT_EQ(run(kProtocol4 + "\x8d" + most + "."),
            "byte 2: a string of 18446744073709551615 bytes, expected at most "
            "1048576");
  EXPECT_EQ(run(kProtocol4 + "X" + toBytes(uint32_t(1000)) + "abc."),
            "expected 1000 more bytes at byte 7, found 4");
  EXPECT_EQ(run(kProtocol4 + "\x8e" + most + "abc."),
            "expected 18446744073709551615 more bytes at byte 11, found 4");
  EXPECT_EQ(run(kProtocol4 + "B\xff\xff\xff\xff."),
            "expected 4294967295 more bytes at byte 7, found 1");
  EXPECT_EQ(run("\x80\x05\x96" + most + "."),
            "expected 18446744073709551615 more bytes at byte 11, found 1");
  EXPECT_EQ(run(kProtocol4 + "\x95" + most + "."),
            "expected 18446744073709551615 more bytes at byte 11, found 1");
  EXPECT_EQ(run(kProtocol2 + "\x8a\xff" + most + "."),
            "byte 2: an integer of 255 bytes, expected at most 8");
  EXPECT_EQ(run(kProtocol2 + "\x8b\xff\xff\xff\x7f."),
            isNoOperation(2, "\\8B"));
  EXPECT_EQ(run(kProtocol2 + "c" + std::string(1000, 'a') + "\n"),
            "byte 2: the name of a global has more than 256 bytes");
}

TEST_F(PickleAttack, OperationsWithoutTheirMark) {
  for (char code : {'t', 'l', 'd', 'e', 'u'})
    EXPECT_EQ(run(kProtocol2 + "NNN" + code + "."),
              "byte 5: expected a mark on the stack, found none");
  // Values under a mark belong to nobody above it.
  EXPECT_EQ(run(kProtocol2 + "]N(a."),
            "byte 5: expected 2 values on the stack, found 0");
  EXPECT_EQ(run(kProtocol2 + kOrderedDict + ")(R."),
            "byte 29: expected 2 values on the stack, found 0");
  EXPECT_EQ(run(kProtocol2 + "(."), "byte 3: ends with 0 values, expected one");
  EXPECT_EQ(run(kProtocol2 + "NN."),
            "byte 4: ends with 2 values, expected one");
}

TEST_F(PickleAttack, OperationsOnTheWrongValues) {
  EXPECT_EQ(run(kProtocol2 + "R."),
            "byte 2: expected 2 values on the stack, found 0");
  EXPECT_EQ(run(kProtocol2 + ")Na."), "byte 4: expected a list, found a tuple");
  EXPECT_EQ(run(kProtocol2 + "]NNs."), "byte 5: expected a dict, found a list");
  EXPECT_EQ(run(kProtocol2 + "}(Nu."),
            "byte 5: a dict of 1 keys and values, expected an even number");
  EXPECT_EQ(run(kProtocol2 + "N"), "expected 1 more bytes at byte 3, found 0");
}

} // namespace
