//===- Tests.cpp - x is defined, x is divisibleby 3, ... ------------------===//

#include "runtime/Text/Jinja/Builtins.h"
#include "runtime/Text/Jinja/Format.h"
#include "runtime/Text/Jinja/TemplateError.h"
#include "runtime/Text/Jinja/Unicode.h"

#include <algorithm>

namespace llamart::jinja {
namespace {

const Value &only(Arguments &arguments) {
  ArgumentReader reader("test", arguments);
  const Value &value = reader.require("value");
  reader.finish();
  return value;
}

std::pair<const Value &, const Value &> both(Arguments &arguments) {
  ArgumentReader reader("test", arguments);
  const Value &value = reader.require("value");
  const Value &other = reader.require("other");
  reader.finish();
  return {value, other};
}

template <bool (*test)(const Value &)>
bool testOne(Interpreter &, Arguments &arguments) {
  return test(only(arguments));
}

template <bool (*test)(const Value &, const Value &)>
bool testTwo(Interpreter &, Arguments &arguments) {
  auto [value, other] = both(arguments);
  return test(value, other);
}

int64_t getRemainder(const Value &value, int64_t divisor) {
  Value rest = computeBinary("%", value, Value::integer(divisor));
  if (!rest.isNumber())
    fail("expected a number, found '", getTypeName(value), "'");
  return rest.is(Kind::Float) ? (rest.getFloat() == 0   ? 0
                                 : rest.getFloat() == 1 ? 1
                                                        : -1)
                              : rest.getInt();
}

bool isOdd(const Value &value) { return getRemainder(value, 2) == 1; }
bool isEven(const Value &value) { return getRemainder(value, 2) == 0; }
bool isDivisible(const Value &value, const Value &by) {
  return !isTrue(computeBinary("%", value, by));
}
bool isDefined(const Value &value) { return !value.isUndefined(); }
bool isUndefined(const Value &value) { return value.isUndefined(); }
bool isNone(const Value &value) { return value.isNone(); }
bool isBoolean(const Value &value) { return value.is(Kind::Bool); }
bool isFalse(const Value &value) {
  return isBoolean(value) && !value.getBool();
}
bool isTrueItself(const Value &value) {
  return isBoolean(value) && value.getBool();
}
bool isInteger(const Value &value) { return value.is(Kind::Int); }
bool isFloat(const Value &value) { return value.is(Kind::Float); }
bool isNumber(const Value &value) { return value.isNumber(); }
bool isString(const Value &value) { return value.isString(); }
bool isMapping(const Value &value) { return value.isDict(); }
bool isEscaped(const Value &value) { return value.isMarkup(); }
bool isCallable(const Value &value) {
  std::string_view type = getTypeName(value);
  return value.isUndefined() ||
         (value.is(Kind::Function) && type != "jinja2.utils.Cycler");
}
bool isSequence(const Value &value) {
  return value.isString() || value.isList() || value.is(Kind::Tuple) ||
         value.isDict() || value.is(Kind::Range) || value.isUndefined();
}
bool isIterable(const Value &value) {
  return isSequence(value) || value.is(Kind::View) || value.is(Kind::Generator);
}

/// str(value).islower() and .isupper()
template <bool upper>
bool hasCase(const Value &value) {
  Text text = toText(value);
  std::string_view rest = text.bytes();
  bool found = false;
  while (!rest.empty()) {
    char32_t c = takeCharacter(rest);
    bool right = upper ? isUpper(c) : isLower(c);
    if (isCased(c) && !right)
      return false;
    found |= right;
  }
  return found;
}

bool isSame(const Value &a, const Value &b) {
  if (a.getKind() != b.getKind())
    return false;
  if (a.isNone())
    return true;
  if (a.is(Kind::Bool))
    return a.getBool() == b.getBool();
  if (a.isNumber() || a.isString())
    fail(
        "test 'sameas': expected values that are objects of their own, found '",
        getTypeName(a), "'");
  return a.getObject() == b.getObject();
}

bool isIn(const Value &value, const Value &container) {
  return contains(container, value);
}
bool isUnequal(const Value &a, const Value &b) { return !isEqual(a, b); }
bool isGreater(const Value &a, const Value &b) { return isLess(b, a); }
bool isAtLeast(const Value &a, const Value &b) {
  return isLess(b, a) || isEqual(a, b);
}
bool isAtMost(const Value &a, const Value &b) {
  return isLess(a, b) || isEqual(a, b);
}

bool namesFilter(const Value &value) {
  return value.isString() && findFilter(value.getBytes());
}
bool namesTest(const Value &value) {
  return value.isString() && findTest(value.getBytes());
}

constexpr NamedFunction<TestFunction> kTests[] = {
    {"odd", testOne<isOdd>},
    {"even", testOne<isEven>},
    {"divisibleby", testTwo<isDivisible>},
    {"defined", testOne<isDefined>},
    {"undefined", testOne<isUndefined>},
    {"filter", testOne<namesFilter>},
    {"test", testOne<namesTest>},
    {"none", testOne<isNone>},
    {"boolean", testOne<isBoolean>},
    {"false", testOne<isFalse>},
    {"true", testOne<isTrueItself>},
    {"integer", testOne<isInteger>},
    {"float", testOne<isFloat>},
    {"lower", testOne<hasCase<false>>},
    {"upper", testOne<hasCase<true>>},
    {"string", testOne<isString>},
    {"mapping", testOne<isMapping>},
    {"number", testOne<isNumber>},
    {"sequence", testOne<isSequence>},
    {"iterable", testOne<isIterable>},
    {"callable", testOne<isCallable>},
    {"escaped", testOne<isEscaped>},
    {"sameas", testTwo<isSame>},
    {"in", testTwo<isIn>},
    {"==", testTwo<isEqual>},
    {"eq", testTwo<isEqual>},
    {"equalto", testTwo<isEqual>},
    {"!=", testTwo<isUnequal>},
    {"ne", testTwo<isUnequal>},
    {">", testTwo<isGreater>},
    {"gt", testTwo<isGreater>},
    {"greaterthan", testTwo<isGreater>},
    {">=", testTwo<isAtLeast>},
    {"ge", testTwo<isAtLeast>},
    {"<", testTwo<isLess>},
    {"lt", testTwo<isLess>},
    {"lessthan", testTwo<isLess>},
    {"<=", testTwo<isAtMost>},
    {"le", testTwo<isAtMost>},
};

} // namespace

TestFunction findTest(std::string_view name) {
  auto found =
      std::ranges::find(kTests, name, &NamedFunction<TestFunction>::name);
  return found == std::end(kTests) ? nullptr : found->function;
}

} // namespace llamart::jinja
