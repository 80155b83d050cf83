//===- Pickle.h - Pickled data without Python -------------------*- C++ -*-===//
//
//   80 02 7d 58 01 00 00 00 61 4b 05 73 2e   =>   Dict {'a': 5}
//
// A pickle is a program for a stack machine that may call any function it can
// name. This one calls nothing: what a pickle would call becomes a value of
// kind Call, a name and arguments, which the reader of a format may understand.
// Rules:
//
//  K1  A name that is not on the reader's list ends the reading at once.
//  K2  Protocols 2 to 5, without sets, persistent text ids, extension codes and
//      instances of classes.
//  K3  Values are at most 2^20, operations 2^22, open marks 64, levels of
//      nesting 32; strings have the length the file has for them.
//  K4  Long runs of bytes are not read: a value says where they are.
//  K5  Values live as long as the Pickle, and may refer to each other in any
//      way, circles included: readers descend a fixed number of levels.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_CONTAINERS_PICKLE_H
#define LLAMA_WEIGHTS_CONTAINERS_PICKLE_H

#include "weights/InputFile.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"

#include <deque>
#include <string>
#include <vector>

namespace llamaweights {

enum class PickleKind : uint8_t {
  None,
  Bool,
  Integer,
  Float,
  String,
  Bytes,
  List,
  Tuple,
  Dict,   ///< also collections.OrderedDict
  Global, ///< a name
  Call,   ///< a name called with arguments
  Handle, ///< a persistent id: torch's storages
};

struct PickleValue {
  PickleKind kind = PickleKind::None;
  uint8_t depth = 0;   ///< levels of values inside
  int64_t integer = 0; ///< of Bool, Integer
  double number = 0.0; ///< of Float
  std::string text;    ///< of String; "module.name" of Global and Call
  uint64_t offset = 0; ///< of Bytes: where they are in the file
  uint64_t length = 0; ///< of Bytes
  /// Elements of List, Tuple; keys and values of Dict in turn; arguments of
  /// Call; the one of Handle.
  std::vector<const PickleValue *> items;
  const PickleValue *state = nullptr; ///< what a Call was built with

  bool isCall(llvm::StringRef name) const {
    return kind == PickleKind::Call && text == name;
  }
  /// The value of a string key of a Dict, or null.
  const PickleValue *find(llvm::StringRef key) const;
};

/// "a dict", "the integer 5", "the string 'x'": for messages.
std::string describe(const PickleValue &value);

class Pickle {
public:
  /// Reads the pickle that begins at `offset` and ends before `end`. `names`
  /// are the globals that may occur, as "module.name".
  static llvm::Expected<Pickle> read(const InputFile &file, uint64_t offset,
                                     uint64_t end,
                                     llvm::ArrayRef<llvm::StringRef> names);

  const PickleValue &getRoot() const { return *root; }
  /// Calls `see` with every value, in the order in which they were made.
  void visit(llvm::function_ref<void(const PickleValue &)> see) const {
    for (const PickleValue &value : values)
      see(value);
  }
  /// Of the first byte after the pickle.
  uint64_t getEnd() const { return end; }

private:
  friend class PickleMachine;
  std::deque<PickleValue> values;
  const PickleValue *root = nullptr;
  uint64_t end = 0;
};

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CONTAINERS_PICKLE_H
