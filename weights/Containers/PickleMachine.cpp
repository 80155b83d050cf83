//===- PickleMachine.cpp - The stack machine of pickles -------------------===//
//
// One function for the operations of each kind. None of them calls anything.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/ByteStream.h"
#include "weights/Containers/Pickle.h"
#include "weights/InputError.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"

#include <algorithm>
#include <bit>
#include <unordered_map>

using namespace llvm;

namespace llamaweights {
namespace {

constexpr size_t kMostValues = size_t(1) << 20;
constexpr size_t kMostOperations = size_t(1) << 22;
constexpr size_t kMostMarks = 64;
constexpr unsigned kDeepest = 32;
constexpr size_t kMostArguments = 16;
constexpr uint64_t kLongestName = 256;
constexpr uint64_t kLongestString = uint64_t(1) << 20;

std::string quoteOperation(uint8_t code) {
  return quote(StringRef(reinterpret_cast<const char *>(&code), 1));
}

} // namespace

class PickleMachine {
public:
  PickleMachine(const InputFile &file, uint64_t offset, uint64_t end,
                ArrayRef<StringRef> names, Pickle &pickle)
      : path(file.getPath()), stream(file, offset, end), names(names),
        pickle(pickle) {}

  Error run();

private:
  Error step(uint8_t code);
  Error pushConstant(uint8_t code);
  Error pushNumber(uint8_t code);
  Error pushText(uint8_t code);
  Error pushBytes(uint8_t code);
  Error makeContainer(uint8_t code);
  Error addItems(uint8_t code);
  Error remember(uint8_t code);
  Error pushGlobal(uint8_t code);
  Error call(uint8_t code);

  Error fail(const Twine &message) {
    return makeInputError(path, "pickle: byte " + Twine(at) + ": " + message);
  }
  Error unexpected(StringRef wanted, const PickleValue &found) {
    return fail("expected " + wanted + ", found " + describe(found));
  }

  /// A little-endian number of that many bytes.
  Expected<uint64_t> takeNumber(size_t bytes) {
    Expected<const char *> found = stream.take(bytes);
    if (!found)
      return found.takeError();
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; ++i)
      value |= uint64_t(uint8_t((*found)[i])) << (8 * i);
    return value;
  }

  Error push(PickleValue value) {
    if (pickle.values.size() == kMostValues)
      return fail("has more than " + Twine(kMostValues) + " values");
    pickle.values.push_back(std::move(value));
    stack.push_back(&pickle.values.back());
    return Error::success();
  }
  Error pushKind(PickleKind kind, int64_t integer = 0) {
    PickleValue value;
    value.kind = kind;
    value.integer = integer;
    return push(std::move(value));
  }

  /// The number of values above the innermost mark, or all.
  size_t getAvailable() const {
    return stack.size() - (marks.empty() ? 0 : marks.back());
  }
  Error need(size_t count) {
    if (getAvailable() < count)
      return fail("expected " + Twine(count) + " values on the stack, found " +
                  Twine(getAvailable()));
    return Error::success();
  }

  /// Moves the topmost `count` values to the end of `to`'s items.
  Error moveItems(size_t count, PickleValue &to) {
    for (PickleValue *item : ArrayRef(stack).take_back(count)) {
      to.depth = uint8_t(std::max<unsigned>(to.depth, item->depth + 1u));
      to.items.push_back(item);
    }
    if (to.depth > kDeepest)
      return fail("nests deeper than " + Twine(kDeepest) + " levels");
    stack.resize(stack.size() - count);
    return Error::success();
  }

  /// Closes the innermost mark; how many values are above it.
  Expected<size_t> closeMark() {
    if (marks.empty())
      return fail("expected a mark on the stack, found none");
    size_t count = stack.size() - marks.back();
    marks.pop_back();
    return count;
  }

  StringRef path;
  ByteStream stream;
  ArrayRef<StringRef> names;
  Pickle &pickle;
  uint64_t at = 0; ///< of the operation
  bool isDone = false;
  std::vector<PickleValue *> stack;
  std::vector<size_t> marks;
  std::unordered_map<uint64_t, PickleValue *> memo;
};

Error PickleMachine::run() {
  for (size_t count = 0; !isDone; ++count) {
    at = stream.getOffset();
    if (count == kMostOperations)
      return fail("has more than " + Twine(kMostOperations) + " operations");
    Expected<uint64_t> code = takeNumber(1);
    if (!code)
      return code.takeError();
    if (count == 0 && *code != 0x80)
      return fail("expected a protocol, found operation " +
                  quoteOperation(uint8_t(*code)));
    if (Error error = step(uint8_t(*code)))
      return error;
  }
  pickle.end = stream.getOffset();
  return Error::success();
}

Error PickleMachine::step(uint8_t code) {
  switch (code) {
  case 0x80: { // PROTO
    Expected<uint64_t> protocol = takeNumber(1);
    if (!protocol)
      return protocol.takeError();
    if (*protocol < 2 || *protocol > 5)
      return fail("protocol " + Twine(*protocol) + ", expected 2 to 5");
    return Error::success();
  }
  case 0x95: { // FRAME: a hint for buffers
    Expected<uint64_t> length = takeNumber(8);
    if (!length)
      return length.takeError();
    return *length > stream.getRest() ? stream.tooShort(*length)
                                      : Error::success();
  }
  case '.': // STOP
    if (stack.size() != 1 || !marks.empty())
      return fail("ends with " + Twine(stack.size()) + " values, expected one");
    pickle.root = stack.back();
    isDone = true;
    return Error::success();
  case '(': // MARK
    if (marks.size() == kMostMarks)
      return fail("nests deeper than " + Twine(kMostMarks) + " marks");
    marks.push_back(stack.size());
    return Error::success();
  case 'N':
  case 0x88:
  case 0x89:
  case ']':
  case '}':
  case ')':
    return pushConstant(code);
  case 'J':
  case 'K':
  case 'M':
  case 'G':
  case 0x8a:
    return pushNumber(code);
  case 'X':
  case 0x8c:
  case 0x8d:
    return pushText(code);
  case 'B':
  case 'C':
  case 'T':
  case 'U':
  case 0x8e:
  case 0x96:
    return pushBytes(code);
  case 't':
  case 'l':
  case 'd':
  case 0x85:
  case 0x86:
  case 0x87:
    return makeContainer(code);
  case 'a':
  case 'e':
  case 's':
  case 'u':
    return addItems(code);
  case 'q':
  case 'r':
  case 'h':
  case 'j':
  case 0x94:
    return remember(code);
  case 'c':
  case 0x93:
    return pushGlobal(code);
  case 'R':
  case 'b':
  case 'Q':
    return call(code);
  default:
    return fail("operation " + quoteOperation(code) +
                " is not one that data needs");
  }
}

Error PickleMachine::pushConstant(uint8_t code) {
  switch (code) {
  case 'N':
    return pushKind(PickleKind::None);
  case 0x88:
    return pushKind(PickleKind::Bool, 1);
  case 0x89:
    return pushKind(PickleKind::Bool, 0);
  case ']':
    return pushKind(PickleKind::List);
  case '}':
    return pushKind(PickleKind::Dict);
  default:
    return pushKind(PickleKind::Tuple);
  }
}

Error PickleMachine::pushNumber(uint8_t code) {
  size_t bytes = code == 'K' ? 1 : code == 'M' ? 2 : code == 'J' ? 4 : 8;
  if (code == 0x8a) { // LONG1: two's complement of as many bytes as it says
    Expected<uint64_t> length = takeNumber(1);
    if (!length)
      return length.takeError();
    if (*length > 8)
      return fail("an integer of " + Twine(*length) +
                  " bytes, expected at most 8");
    bytes = *length;
  }
  Expected<uint64_t> bits = takeNumber(bytes);
  if (!bits)
    return bits.takeError();
  if (code == 'G') { // big-endian
    PickleValue value;
    value.kind = PickleKind::Float;
    value.number = std::bit_cast<double>(llvm::byteswap(*bits));
    return push(std::move(value));
  }
  bool isSigned = code == 'J' || code == 0x8a;
  int64_t value = int64_t(*bits);
  if (isSigned && bytes > 0 && bytes < 8)
    value = int64_t(*bits << (64 - 8 * bytes)) >> (64 - 8 * bytes);
  return pushKind(PickleKind::Integer, value);
}

Error PickleMachine::pushText(uint8_t code) {
  Expected<uint64_t> length = takeNumber(code == 0x8c  ? 1
                                         : code == 'X' ? 4
                                                       : 8);
  if (!length)
    return length.takeError();
  if (*length > kLongestString)
    return fail("a string of " + Twine(*length) + " bytes, expected at most " +
                Twine(kLongestString));
  PickleValue value;
  value.kind = PickleKind::String;
  if (Error error = stream.takeString(*length, value.text))
    return error;
  return push(std::move(value));
}

Error PickleMachine::pushBytes(uint8_t code) {
  bool isShort = code == 'C' || code == 'U';
  Expected<uint64_t> length = takeNumber(isShort                      ? 1
                                         : code == 'B' || code == 'T' ? 4
                                                                      : 8);
  if (!length)
    return length.takeError();
  PickleValue value;
  value.kind = PickleKind::Bytes;
  value.offset = stream.getOffset();
  value.length = *length;
  if (Error error = stream.skip(*length))
    return error;
  return push(std::move(value));
}

Error PickleMachine::makeContainer(uint8_t code) {
  size_t count = 0;
  if (code >= 0x85 && code <= 0x87) {
    count = code - 0x84u;
    if (Error error = need(count))
      return error;
  } else if (Error error = closeMark().moveInto(count)) {
    return error;
  }
  if (code == 'd' && count % 2 != 0)
    return fail("a dict of " + Twine(count) +
                " keys and values, expected an even number");
  PickleValue value;
  value.kind = code == 'd'   ? PickleKind::Dict
               : code == 'l' ? PickleKind::List
                             : PickleKind::Tuple;
  if (Error error = moveItems(count, value))
    return error;
  return push(std::move(value));
}

Error PickleMachine::addItems(uint8_t code) {
  bool isDict = code == 's' || code == 'u';
  size_t count = isDict ? 2 : 1;
  if (code == 'e' || code == 'u')
    if (Error error = closeMark().moveInto(count))
      return error;
  if (Error error = need(count + 1))
    return error;
  PickleValue &to = *stack[stack.size() - 1 - count];
  if (to.kind != (isDict ? PickleKind::Dict : PickleKind::List))
    return unexpected(isDict ? "a dict" : "a list", to);
  if (isDict && count % 2 != 0)
    return fail("a dict of " + Twine(count) +
                " keys and values, expected an even number");
  return moveItems(count, to);
}

Error PickleMachine::remember(uint8_t code) {
  uint64_t place = memo.size(); // MEMOIZE
  if (code != 0x94)
    if (Error error =
            takeNumber(code == 'q' || code == 'h' ? 1 : 4).moveInto(place))
      return error;
  if (code == 'h' || code == 'j') {
    auto found = memo.find(place);
    if (found == memo.end())
      return fail("refers to value " + Twine(place) +
                  ", which was not remembered");
    stack.push_back(found->second);
    return Error::success();
  }
  if (Error error = need(1))
    return error;
  memo[place] = stack.back();
  return Error::success();
}

Error PickleMachine::pushGlobal(uint8_t code) {
  std::string name;
  if (code == 0x93) { // STACK_GLOBAL
    if (Error error = need(2))
      return error;
    for (PickleValue *part : ArrayRef(stack).take_back(2)) {
      if (part->kind != PickleKind::String)
        return unexpected("the name of a global", *part);
      name += (name.empty() ? "" : ".") + part->text;
    }
    stack.resize(stack.size() - 2);
  } else {
    for (int newlines = 0; newlines < 2;) {
      Expected<uint64_t> letter = takeNumber(1);
      if (!letter)
        return letter.takeError();
      if (*letter != '\n')
        name += char(*letter);
      else if (++newlines == 1)
        name += '.';
      if (name.size() > kLongestName)
        return fail("the name of a global has more than " +
                    Twine(kLongestName) + " bytes");
    }
  }
  if (!is_contained(names, name)) {
    bool isModule = StringRef(name).starts_with("torch.nn.");
    return fail("refers to " + quote(name) +
                (isModule ? ", a module that was pickled whole; expected its "
                            "state_dict"
                          : ", which tensors have no need of"));
  }
  PickleValue value;
  value.kind = PickleKind::Global;
  value.text = std::move(name);
  return push(std::move(value));
}

Error PickleMachine::call(uint8_t code) {
  size_t count = code == 'Q' ? 1 : 2;
  if (Error error = need(count))
    return error;
  PickleValue value;
  if (code == 'Q') { // BINPERSID
    value.kind = PickleKind::Handle;
    if (Error error = moveItems(1, value))
      return error;
    return push(std::move(value));
  }
  PickleValue &callee = *stack[stack.size() - 2];
  PickleValue &argument = *stack.back();
  if (code == 'b') { // BUILD
    if (callee.kind == PickleKind::Call)
      callee.state = &argument;
    else if (callee.kind != PickleKind::Dict) // its attributes are remarks
      return unexpected("something to build", callee);
    callee.depth =
        uint8_t(std::max<unsigned>(callee.depth, argument.depth + 1u));
    if (callee.depth > kDeepest)
      return fail("nests deeper than " + Twine(kDeepest) + " levels");
    stack.pop_back();
    return Error::success();
  }
  if (callee.kind != PickleKind::Global)
    return unexpected("a global to call", callee);
  if (argument.kind != PickleKind::Tuple)
    return unexpected("a tuple of arguments", argument);
  if (argument.items.size() > kMostArguments)
    return fail("a call with " + Twine(argument.items.size()) +
                " arguments, expected at most " + Twine(kMostArguments));
  value.kind = PickleKind::Call;
  value.text = callee.text;
  value.depth = argument.depth;
  value.items = argument.items;
  if (callee.text == "collections.OrderedDict") {
    if (!argument.items.empty())
      return fail("an OrderedDict with arguments, expected an empty one");
    value.kind = PickleKind::Dict;
    value.text.clear();
  }
  stack.resize(stack.size() - 2);
  return push(std::move(value));
}

Expected<Pickle> Pickle::read(const InputFile &file, uint64_t offset,
                              uint64_t end, ArrayRef<StringRef> names) {
  Pickle pickle;
  PickleMachine machine(file, offset, end, names, pickle);
  if (Error error = machine.run())
    return std::move(error);
  return pickle;
}

} // namespace llamaweights
