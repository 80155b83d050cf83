//===- NumberFilters.cpp - Filters of single values -----------------------===//

#include "runtime/Text/Jinja/Builtins.h"
#include "runtime/Text/Jinja/Format.h"
#include "runtime/Text/Jinja/Strings.h"
#include "runtime/Text/Jinja/TemplateError.h"
#include "runtime/Text/Jinja/Unicode.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace llamart::jinja {
namespace {

Value filterAbs(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("abs", arguments);
  const Value &value = reader.require("value");
  reader.finish();
  if (value.isUndefined())
    failUndefined(value);
  if (!value.isNumber())
    fail("abs: expected a number, found '", getTypeName(value), "'");
  if (value.is(Kind::Float))
    return Value::real(std::abs(value.getFloat()));
  return value.getInt() < 0 ? negate(value) : Value::integer(value.getInt());
}

Value filterDefault(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("default", arguments);
  const Value &value = reader.require("value");
  const Value *otherwise = reader.find("default_value");
  bool boolean = reader.getBool("boolean", false);
  reader.finish();
  if (!value.isUndefined() && (!boolean || isTrue(value)))
    return value;
  return otherwise ? *otherwise : Value::string("", Origin::Literal);
}

/// Digits with single _ between them, without those; nothing if it is not so.
std::optional<std::string> cleanDigits(std::string_view text) {
  std::string clean;
  for (size_t i = 0; i < text.size(); ++i) {
    std::string_view rest = text.substr(i);
    if (static_cast<unsigned char>(text[i]) >= 0x80) {
      if (isDecimal(takeCharacter(rest)))
        fail("expected digits of ASCII, found others");
      return std::nullopt;
    }
    bool between = i > 0 && i + 1 < text.size() && text[i - 1] != '_' &&
                   std::isalnum(static_cast<unsigned char>(text[i - 1])) &&
                   std::isalnum(static_cast<unsigned char>(text[i + 1]));
    if (text[i] != '_')
      clean += text[i];
    else if (!between)
      return std::nullopt;
  }
  return clean;
}

/// int(text, base); nothing if it is no integer.
std::optional<int64_t> parseInteger(const Text &text, int64_t base) {
  Text trimmed = strip(text, Sides::Both);
  std::string_view digits = trimmed.bytes();
  bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+'))
    digits.remove_prefix(1);
  char letter = digits.size() > 1 && digits[0] == '0'
                    ? static_cast<char>(digits[1] | 0x20)
                    : '\0';
  int64_t named = letter == 'x'   ? 16
                  : letter == 'o' ? 8
                  : letter == 'b' ? 2
                                  : 0;
  if (named != 0 && (base == named || base == 0)) {
    digits.remove_prefix(2);
    if (digits.starts_with('_'))
      digits.remove_prefix(1);
    base = named;
  } else if (base == 0) {
    base = 10;
  }
  std::optional<std::string> clean = cleanDigits(digits);
  if (!clean || clean->empty() ||
      !std::isalnum(static_cast<unsigned char>((*clean)[0])))
    return std::nullopt;
  if (negative)
    clean->insert(clean->begin(), '-');
  int64_t value = 0;
  auto [end, error] =
      std::from_chars(clean->data(), clean->data() + clean->size(), value,
                      static_cast<int>(base));
  if (end != clean->data() + clean->size())
    return std::nullopt;
  if (error == std::errc::result_out_of_range)
    fail("int: expected an integer of 64 bits, found more");
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

/// float(text); nothing if it is no number.
std::optional<double> parseFloat(const Text &text) {
  Text trimmed = makeLower(strip(text, Sides::Both));
  std::optional<std::string> clean = cleanDigits(trimmed.bytes());
  if (!clean || clean->empty())
    return std::nullopt;
  std::string_view rest = *clean;
  if (rest[0] == '+' || rest[0] == '-')
    rest.remove_prefix(1);
  constexpr std::array<std::string_view, 3> kNames = {"inf", "infinity", "nan"};
  bool named = std::ranges::find(kNames, rest) != kNames.end();
  bool digits =
      !rest.empty() &&
      (std::isdigit(static_cast<unsigned char>(rest[0])) || rest[0] == '.');
  if (!named && (!digits || rest.find_first_not_of("0123456789.e+-") !=
                                std::string_view::npos))
    return std::nullopt;
  char *end = nullptr;
  double value = std::strtod(clean->c_str(), &end);
  if (end != clean->c_str() + clean->size())
    return std::nullopt;
  return value;
}

/// int() of a float; nothing for an infinity or NaN.
std::optional<int64_t> truncate(double value) {
  if (!std::isfinite(value))
    return std::nullopt;
  if (std::abs(value) >= 0x1p63)
    fail("int: expected an integer of 64 bits, found more");
  return static_cast<int64_t>(value);
}

Value filterInt(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("int", arguments);
  const Value &value = reader.require("value");
  const Value *otherwise = reader.find("default");
  int64_t base = reader.getInteger("base", 10);
  reader.finish();
  if (base != 0 && (base < 2 || base > 36))
    fail("int: expected a base from 2 to 36, found ", base);
  if (value.isUndefined())
    failUndefined(value);
  std::optional<int64_t> result;
  if (value.isInteger())
    result = value.getInt();
  else if (value.is(Kind::Float)) {
    if (std::isinf(value.getFloat()))
      fail("int: expected a finite number, found an infinity");
    result = truncate(value.getFloat());
  } else if (value.isString()) {
    result = parseInteger(value.getText(), base);
    if (!result)
      if (std::optional<double> number = parseFloat(value.getText()))
        result = truncate(*number);
  }
  if (result)
    return Value::integer(*result);
  return otherwise ? *otherwise : Value::integer(0);
}

Value filterFloat(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("float", arguments);
  const Value &value = reader.require("value");
  const Value *otherwise = reader.find("default");
  reader.finish();
  if (value.isUndefined())
    failUndefined(value);
  if (value.isNumber())
    return Value::real(value.getFloat());
  if (value.isString())
    if (std::optional<double> number = parseFloat(value.getText()))
      return Value::real(*number);
  return otherwise ? *otherwise : Value::real(0);
}

/// round() of Python: of the decimal digits, a half to the even one.
double roundDigits(double value, int64_t digits) {
  if (!std::isfinite(value) || digits > 300)
    return value;
  if (digits >= 0) {
    std::array<char, 700> text{};
    std::snprintf(text.data(), text.size(), "%.*f", static_cast<int>(digits),
                  value);
    return std::strtod(text.data(), nullptr);
  }
  double unit =
      std::pow(10.0, static_cast<double>(std::min<int64_t>(-digits, 308)));
  return std::nearbyint(value / unit) * unit;
}

Value filterRound(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("round", arguments);
  const Value &value = reader.require("value");
  int64_t digits = reader.getInteger("precision", 0);
  Text method = reader.getText("method", Text("common", Origin::Literal));
  reader.finish();
  if (value.isUndefined())
    failUndefined(value);
  if (!value.isNumber())
    fail("round: expected a number, found '", getTypeName(value), "'");
  if (method.bytes() == "common") {
    if (value.isInteger()) {
      if (digits < 0)
        fail("round: expected a precision of at least 0 for an integer");
      return Value::integer(value.getInt());
    }
    return Value::real(roundDigits(value.getFloat(), digits));
  }
  if (method.bytes() != "ceil" && method.bytes() != "floor")
    fail("round: expected the method common, ceil or floor, found '",
         method.bytes(), "'");
  // 10^22 is the last that is a double.
  if (digits > 22)
    fail("round: expected a precision of at most 22, found ", digits);
  double unit = std::pow(10.0, static_cast<double>(digits));
  double scaled = value.getFloat() * unit;
  if (!std::isfinite(scaled))
    fail("round: expected a finite number, found ", scaled);
  // Python's is an integer, which has no -0.
  double whole =
      (method.bytes() == "ceil" ? std::ceil(scaled) : std::floor(scaled)) + 0.0;
  return Value::real(whole / unit);
}

/// "1 Byte", "12 Bytes", "1.2 MB": of a number or of a text of one.
Value filterFileSize(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("filesizeformat", arguments);
  const Value &value = reader.require("value");
  bool binary = reader.getBool("binary", false);
  reader.finish();
  if (value.isUndefined())
    failUndefined(value);
  std::optional<double> bytes;
  if (value.isNumber())
    bytes = value.getFloat();
  else if (value.isString())
    bytes = parseFloat(value.getText());
  if (!bytes)
    fail("filesizeformat: expected a number, found '", getTypeName(value), "'");
  if (*bytes == 1)
    return Value::string("1 Byte", Origin::Literal);
  double base = binary ? 1024 : 1000;
  if (*bytes < base) {
    std::optional<int64_t> whole = truncate(*bytes);
    if (!whole)
      fail("filesizeformat: expected a finite number, found ", *bytes);
    return Value::string(std::to_string(*whole) + " Bytes", Origin::Literal);
  }
  std::string_view letters = binary ? "KMGTPEZY" : "kMGTPEZY";
  // The largest, 1000^9, has 63 bits without its zeros: all are exact.
  long double unit = base;
  size_t prefix = 0;
  unit *= base;
  for (; !(*bytes < unit) && prefix + 1 < letters.size(); ++prefix)
    unit *= base;
  std::array<char, 400> text{};
  std::snprintf(text.data(), text.size(), "%.1f %c%s",
                base * *bytes / static_cast<double>(unit), letters[prefix],
                binary ? "iB" : "B");
  return Value::string(text.data(), Origin::Literal);
}

JsonStyle readStyle(ArgumentReader &reader) {
  JsonStyle style;
  style.asciiOnly = reader.getBool("ensure_ascii", false);
  const Value *indent = reader.find("indent");
  const Value *separators = reader.find("separators");
  style.sortKeys = reader.getBool("sort_keys", false);
  if (indent && indent->isString())
    style.indent = indent->getText();
  else if (indent && !indent->isNone())
    style.indent = pad({}, toIndex("tojson", *indent), Align::Left,
                       Text(" ", Origin::Literal));
  if (!separators || separators->isNone())
    return style;
  Items pair = collect(*separators);
  if (pair.size() != 2 || !pair[0].isString() || !pair[1].isString())
    fail("tojson: expected two strings as separators, found others");
  style.itemSeparator = pair[0].getBytes();
  style.keySeparator = pair[1].getBytes();
  return style;
}

Value filterToJson(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("tojson", arguments);
  const Value &value = reader.require("value");
  JsonStyle style = readStyle(reader);
  reader.finish();
  return Value::string(toJson(value, style));
}

constexpr NamedFunction<FilterFunction> kNumberFilters[] = {
    {"abs", filterAbs},         {"d", filterDefault},
    {"default", filterDefault}, {"filesizeformat", filterFileSize},
    {"float", filterFloat},     {"int", filterInt},
    {"round", filterRound},     {"tojson", filterToJson},
};

} // namespace

std::span<const NamedFunction<FilterFunction>> getNumberFilters() {
  return kNumberFilters;
}

} // namespace llamart::jinja
