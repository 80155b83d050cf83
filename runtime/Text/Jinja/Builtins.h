//===- Builtins.h - Filters, tests, globals and methods ---------*- C++ -*-===//
//
// x | trim      x is defined      range(3)      x.strip()
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_JINJA_BUILTINS_H
#define LLAMA_RUNTIME_TEXT_JINJA_BUILTINS_H

#include "runtime/Text/Jinja/Value.h"

#include <chrono>
#include <span>
#include <string_view>

namespace llamart::jinja {

/// The value that is filtered is the first of the positional arguments.
using FilterFunction = Value (*)(Interpreter &, Arguments &);
using TestFunction = bool (*)(Interpreter &, Arguments &);

/// Null if there is none.
FilterFunction findFilter(std::string_view name);
TestFunction findTest(std::string_view name);

template <typename T>
struct NamedFunction {
  std::string_view name;
  T function;
};
/// The filters of one kind each.
std::span<const NamedFunction<FilterFunction>> getTextFilters();
std::span<const NamedFunction<FilterFunction>> getSequenceFilters();
std::span<const NamedFunction<FilterFunction>> getNumberFilters();

/// range, dict, namespace, ...: nothing if there is none. Throws Failure for
/// the one of Jinja2 that is not there, lipsum.
std::optional<Value> findGlobal(std::string_view name);

/// x.name of a value with methods: a function, an undefined value where the
/// sandbox forbids it, or nothing if it has none of this name.
std::optional<Value> findMethod(const Value &self, std::string_view name);

/// x[key] and x.name as Jinja looks them up; undefined if there is none.
Value getItem(const Value &object, const Value &key);
Value getAttribute(const Value &object, std::string_view name);
/// x[begin:end:step]; each may be None.
Value getSlice(const Value &object, const Value &begin, const Value &end,
               const Value &step);

/// Calls a function; throws Failure if it is none.
Value callValue(Interpreter &interpreter, const Value &function,
                Arguments arguments);

/// Arguments by position or by name, each at most once.
class ArgumentReader {
public:
  ArgumentReader(const char *what, Arguments &arguments)
      : what(what), arguments(arguments) {}

  /// The next parameter; null if it was not given.
  const Value *find(std::string_view name);
  const Value &require(std::string_view name);
  int64_t getInteger(std::string_view name, int64_t otherwise);
  bool getBool(std::string_view name, bool otherwise);
  /// A string; the text of a value of another kind is not taken.
  Text getText(std::string_view name, const Text &otherwise);
  /// Throws Failure if something is left over.
  void finish() const;

private:
  const char *what;
  Arguments &arguments;
  size_t position = 0;
  size_t namedUsed = 0;
};

int64_t toIndex(const char *what, const Value &value);

/// strftime of Python for a date and time without a zone. Throws Failure for a
/// letter that needs more.
std::string formatTime(std::string_view format,
                       std::chrono::local_seconds time);

/// +, -, *, /, //, % and ** of Python, with integers of 64 bits.
Value computeBinary(std::string_view name, const Value &a, const Value &b);
Value negate(const Value &value);

} // namespace llamart::jinja

#endif // LLAMA_RUNTIME_TEXT_JINJA_BUILTINS_H
