//===- Operators.cpp - Arithmetic of Python's values ----------------------===//
//
// Integers have 64 bits here: what does not fit is an error. Strings, lists and
// tuples are added and repeated.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Jinja/Builtins.h"
#include "runtime/Text/Jinja/Format.h"
#include "runtime/Text/Jinja/Meter.h"
#include "runtime/Text/Jinja/TemplateError.h"

#include <cmath>
#include <limits>

namespace llamart::jinja {
namespace {

[[noreturn]] void failOperands(std::string_view name, const Value &a,
                               const Value &b) {
  for (const Value *value : {&a, &b})
    if (value->isUndefined())
      failUndefined(*value);
  fail("operator '", name, "': expected operands that it takes, found '",
       getTypeName(a), "' and '", getTypeName(b), "'");
}

[[noreturn]] void failOverflow(std::string_view name) {
  fail("operator '", name, "': expected an integer of 64 bits, found more");
}

[[noreturn]] void failZero(std::string_view name) {
  fail("operator '", name, "': expected a divisor, found zero");
}

int64_t raise(int64_t base, int64_t exponent) {
  int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) && __builtin_mul_overflow(result, base, &result))
      failOverflow("**");
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base))
      failOverflow("**");
  }
  return result;
}

Value computePower(double a, double b) {
  if (a == 0 && b < 0)
    failZero("**");
  if (a < 0 && std::isfinite(b) && std::trunc(b) != b)
    fail("operator '**': expected a real result, found a complex one");
  double result = std::pow(a, b);
  if (std::isinf(result) && std::isfinite(a) && std::isfinite(b))
    fail("operator '**': expected a result that a float holds, found more");
  return Value::real(result);
}

/// Python rounds towards minus infinity.
int64_t floorDivide(std::string_view name, int64_t a, int64_t b) {
  if (b == 0)
    failZero(name);
  if (b == -1 && a == std::numeric_limits<int64_t>::min())
    failOverflow(name);
  int64_t quotient = a / b;
  return a % b != 0 && (a % b < 0) != (b < 0) ? quotient - 1 : quotient;
}

int64_t floorModulo(int64_t a, int64_t b) {
  if (b == 0)
    failZero("%");
  if (b == -1)
    return 0;
  int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

/// divmod of floats as CPython computes it.
std::pair<double, double> divideFloats(std::string_view name, double a,
                                       double b) {
  if (b == 0)
    failZero(name);
  double rest = std::fmod(a, b);
  double quotient = (a - rest) / b;
  if (rest != 0) {
    if ((b < 0) != (rest < 0)) {
      rest += b;
      quotient -= 1;
    }
  } else {
    rest = std::copysign(0.0, b);
  }
  if (quotient == 0)
    return {std::copysign(0.0, a / b), rest};
  double floor = std::floor(quotient);
  return {quotient - floor > 0.5 ? floor + 1 : floor, rest};
}

Value computeIntegers(std::string_view name, int64_t a, int64_t b) {
  int64_t result = 0;
  if (name == "/") {
    if (b == 0)
      failZero(name);
    return Value::real(static_cast<double>(static_cast<long double>(a) /
                                           static_cast<long double>(b)));
  }
  if (name == "//")
    return Value::integer(floorDivide(name, a, b));
  if (name == "%")
    return Value::integer(floorModulo(a, b));
  if (name == "**")
    return b < 0 ? computePower(static_cast<double>(a), static_cast<double>(b))
                 : Value::integer(raise(a, b));
  bool overflows = name == "+"   ? __builtin_add_overflow(a, b, &result)
                   : name == "-" ? __builtin_sub_overflow(a, b, &result)
                                 : __builtin_mul_overflow(a, b, &result);
  if (overflows)
    failOverflow(name);
  return Value::integer(result);
}

Value computeFloats(std::string_view name, double a, double b) {
  if (name == "+")
    return Value::real(a + b);
  if (name == "-")
    return Value::real(a - b);
  if (name == "*")
    return Value::real(a * b);
  if (name == "**")
    return computePower(a, b);
  if (name == "//")
    return Value::real(divideFloats(name, a, b).first);
  if (name == "%")
    return Value::real(divideFloats(name, a, b).second);
  if (b == 0)
    failZero(name);
  return Value::real(a / b);
}

Text escapeUnlessMarkup(const Value &value) {
  return value.isMarkup() ? value.getText() : escape(value.getText());
}

Value addStrings(const Value &a, const Value &b) {
  bool markup = a.isMarkup() || b.isMarkup();
  Text text = markup ? escapeUnlessMarkup(a) : a.getText();
  text.append(markup ? escapeUnlessMarkup(b) : b.getText());
  return Value::string(std::move(text), markup);
}

Value addItems(const Value &a, const Value &b) {
  Items items = a.getItems();
  items.insert(items.end(), b.getItems().begin(), b.getItems().end());
  return a.isList() ? Value::list(std::move(items))
                    : Value::tuple(std::move(items));
}

/// Fails at once where so many would not fit, not after making them.
void addRepeated(uint64_t size, int64_t count) {
  uint64_t bytes = 0;
  if (count > 0 &&
      __builtin_mul_overflow(size, static_cast<uint64_t>(count), &bytes))
    bytes = UINT64_MAX;
  addBytes(bytes);
}

Value repeatString(const Value &value, int64_t count) {
  addRepeated(value.getText().size(), count);
  Text text;
  for (int64_t i = 0; i < count && !value.getText().empty(); ++i)
    text.append(value.getText());
  return Value::string(std::move(text), value.isMarkup());
}

Value repeatItems(const Value &value, int64_t count) {
  addRepeated(value.getItems().size() * sizeof(Value), count);
  Items items;
  for (int64_t i = 0; i < count && !value.getItems().empty(); ++i) {
    items.insert(items.end(), value.getItems().begin(), value.getItems().end());
  }
  return value.isList() ? Value::list(std::move(items))
                        : Value::tuple(std::move(items));
}

bool isSequence(const Value &value) {
  return value.isList() || value.is(Kind::Tuple);
}

} // namespace

Value computeBinary(std::string_view name, const Value &a, const Value &b) {
  if (a.isInteger() && b.isInteger())
    return computeIntegers(name, a.getInt(), b.getInt());
  if (a.isNumber() && b.isNumber())
    return computeFloats(name, a.getFloat(), b.getFloat());
  if (name == "+" && a.isString() && b.isString())
    return addStrings(a, b);
  if (name == "+" && isSequence(a) && a.getKind() == b.getKind())
    return addItems(a, b);
  if (name == "*" && (a.isString() || isSequence(a)) && b.isInteger())
    return a.isString() ? repeatString(a, b.getInt())
                        : repeatItems(a, b.getInt());
  if (name == "*" && a.isInteger() && (b.isString() || isSequence(b)))
    return computeBinary(name, b, a);
  if (name == "%" && a.isString()) {
    if (a.isMarkup())
      fail("operator '%': expected a plain string, found markup");
    return Value::string(formatPercent(a.getText(), b));
  }
  failOperands(name, a, b);
}

Value negate(const Value &value) {
  if (value.isUndefined())
    failUndefined(value);
  if (value.is(Kind::Float))
    return Value::real(-value.getFloat());
  if (!value.isInteger())
    fail("operator '-': expected a number, found '", getTypeName(value), "'");
  if (value.getInt() == std::numeric_limits<int64_t>::min())
    failOverflow("-");
  return Value::integer(-value.getInt());
}

} // namespace llamart::jinja
