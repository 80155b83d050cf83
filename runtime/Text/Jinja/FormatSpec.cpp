//===- FormatSpec.cpp - "%5.2f" % x and "{:>8}".format(x) -----------------===//
//
// Python's two ways to format, for strings and numbers. What is not known is
// refused.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Jinja/Builtins.h"
#include "runtime/Text/Jinja/Format.h"
#include "runtime/Text/Jinja/Strings.h"
#include "runtime/Text/Jinja/TemplateError.h"
#include "runtime/Text/Jinja/Unicode.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace llamart::jinja {
namespace {

constexpr int64_t kWidest = 100000;

struct Spec {
  std::string fill = " ";
  char align = '\0'; ///< < > ^ =
  char sign = '-';
  bool alternate = false, zero = false;
  int64_t width = 0, precision = -1;
  char grouping = '\0';
  char type = '\0';
};

int64_t takeNumber(std::string_view &text, int64_t otherwise) {
  if (text.empty() || text[0] < '0' || text[0] > '9')
    return otherwise;
  int64_t value = 0;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    value = value * 10 + (text[0] - '0');
    if (value > kWidest)
      fail("expected a width of at most ", kWidest, ", found more");
    text.remove_prefix(1);
  }
  return value;
}

bool takeChar(std::string_view &text, char c) {
  bool found = text.starts_with(c);
  if (found)
    text.remove_prefix(1);
  return found;
}

bool isAlign(char c) { return c == '<' || c == '>' || c == '^' || c == '='; }

Spec parseSpec(std::string_view text) {
  Spec spec;
  std::string_view whole = text;
  size_t first = text.empty() ? 0 : getCharacterSize(text, 0);
  if (first > 0 && text.size() > first && isAlign(text[first])) {
    spec.fill = text.substr(0, first);
    spec.align = text[first];
    text.remove_prefix(first + 1);
  } else if (!text.empty() && isAlign(text[0])) {
    spec.align = text[0];
    text.remove_prefix(1);
  }
  if (!text.empty() && (text[0] == '+' || text[0] == '-' || text[0] == ' ')) {
    spec.sign = text[0];
    text.remove_prefix(1);
  }
  spec.alternate = takeChar(text, '#');
  if (takeChar(text, '0') && !spec.align) {
    spec.fill = "0";
    spec.align = '=';
    spec.zero = true;
  }
  spec.width = takeNumber(text, 0);
  if (!text.empty() && (text[0] == ',' || text[0] == '_')) {
    spec.grouping = text[0];
    text.remove_prefix(1);
  }
  if (takeChar(text, '.'))
    spec.precision = takeNumber(text, -1);
  if (text.size() == 1) {
    spec.type = text[0];
    text = {};
  }
  if (!text.empty())
    fail("expected a format of Python's, found '", whole, "'");
  return spec;
}

std::string printFloat(double value, const Spec &spec, char type,
                       int64_t precision) {
  if (!std::isfinite(value))
    return std::isnan(value) ? "nan" : "inf";
  std::string form =
      std::string("%") + (spec.alternate ? "#" : "") + ".*" + type;
  int size = std::snprintf(nullptr, 0, form.c_str(),
                           static_cast<int>(precision), std::abs(value));
  std::string text(static_cast<size_t>(size) + 1, '\0');
  std::snprintf(text.data(), text.size(), form.c_str(),
                static_cast<int>(precision), std::abs(value));
  text.pop_back();
  return text;
}

std::string spellInteger(int64_t value, unsigned base, bool upper) {
  uint64_t rest =
      value < 0 ? -static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  std::string text;
  do {
    text += (upper ? "0123456789ABCDEF" : "0123456789abcdef")[rest % base];
    rest /= base;
  } while (rest > 0);
  std::ranges::reverse(text);
  return text;
}

std::string group(const std::string &digits, char separator, size_t every) {
  size_t whole = std::min(digits.find_first_not_of("0123456789abcdefABCDEF"),
                          digits.size());
  std::string text;
  for (size_t i = 0; i < whole; ++i) {
    if (i > 0 && (whole - i) % every == 0)
      text += separator;
    text += digits[i];
  }
  return text + digits.substr(whole);
}

/// Without a sign.
std::string spellNumber(const Value &value, const Spec &spec,
                        std::string &prefix) {
  char type = spec.type;
  if (value.isInteger() && (type == '\0' || type == 'd' || type == 'n'))
    return spellInteger(value.getInt(), 10, false);
  if (value.isInteger() &&
      (type == 'x' || type == 'X' || type == 'o' || type == 'b')) {
    if (spec.alternate)
      prefix = std::string("0") + type;
    unsigned base = type == 'o' ? 8 : type == 'b' ? 2 : 16;
    return spellInteger(value.getInt(), base, type == 'X');
  }
  double number = value.getFloat();
  switch (type) {
  case 'e':
  case 'E':
  case 'f':
  case 'F':
  case 'g':
  case 'G':
    return printFloat(number, spec, type,
                      spec.precision < 0 ? 6 : spec.precision);
  case '%':
    return printFloat(number * 100, spec, 'f',
                      spec.precision < 0 ? 6 : spec.precision) +
           "%";
  case '\0':
    if (spec.precision < 0)
      return formatFloat(std::abs(number));
    break;
  default:
    break;
  }
  fail("expected a format for a number, found '", std::string(1, type), "'");
}

Text formatNumber(const Value &value, const Spec &spec) {
  std::string prefix;
  std::string digits = spellNumber(value, spec, prefix);
  if (spec.grouping)
    digits = group(digits, spec.grouping, prefix.empty() ? 3 : 4);
  bool negative = value.is(Kind::Float) ? std::signbit(value.getFloat()) &&
                                              !std::isnan(value.getFloat())
                                        : value.getInt() < 0;
  std::string sign = negative           ? "-"
                     : spec.sign == '-' ? ""
                                        : std::string(1, spec.sign);
  sign += prefix;
  Text fill(spec.fill, Origin::Literal);
  if (spec.align != '=') {
    Align align = spec.align == '<'   ? Align::Left
                  : spec.align == '^' ? Align::Center
                                      : Align::Right;
    return pad(Text(sign + digits, Origin::Literal), spec.width, align, fill);
  }
  if (spec.grouping && spec.zero)
    fail("expected zeros or separators in a number, found both");
  Text out(sign, Origin::Literal);
  out.append(pad(Text(digits, Origin::Literal),
                 spec.width - static_cast<int64_t>(sign.size()), Align::Right,
                 fill));
  return out;
}

Text cut(const Text &text, int64_t precision) {
  std::vector<size_t> begins = findCharacters(text.bytes());
  auto count = static_cast<int64_t>(begins.size()) - 1;
  if (precision < 0 || precision >= count)
    return text;
  return text.slice(0, begins[static_cast<size_t>(precision)]);
}

Text padString(const Text &text, const Spec &spec) {
  Text shown = cut(text, spec.precision);
  Text fill(spec.fill, Origin::Literal);
  if (spec.align != '^')
    return pad(shown, spec.width,
               spec.align == '>' ? Align::Right : Align::Left, fill);
  // Here the odd one is always on the right.
  auto size = static_cast<int64_t>(countCharacters(shown.bytes()));
  int64_t left = std::max<int64_t>(spec.width - size, 0) / 2;
  return pad(pad(shown, size + left, Align::Right, fill), spec.width,
             Align::Left, fill);
}

//===----------------------------------------------------------------------===//
// %
//===----------------------------------------------------------------------===//

class PercentFormatter {
public:
  PercentFormatter(const Text &format, const Value &arguments)
      : format(format), arguments(arguments) {}

  Text run() {
    while (at < format.size()) {
      size_t percent = std::min(format.bytes().find('%', at), format.size());
      out.append(format, at, percent);
      at = percent + 1;
      if (percent < format.size())
        formatOne(format.bytes().substr(at));
    }
    bool left = arguments.is(Kind::Tuple)
                    ? next < arguments.getItems().size()
                    : next == 0 && !arguments.isDict() && !arguments.isList() &&
                          !arguments.isUndefined();
    if (left)
      fail("'%': expected as many values as formats, found more");
    return std::move(out);
  }

private:
  Value take() {
    if (arguments.is(Kind::Tuple)) {
      if (next >= arguments.getItems().size())
        fail("'%': expected as many values as formats, found fewer");
      return arguments.getItems()[next++];
    }
    if (next++ > 0)
      fail("'%': expected as many values as formats, found fewer");
    return arguments;
  }

  Value takeNamed(std::string_view &rest) {
    size_t end = rest.find(')');
    if (end == std::string_view::npos || !arguments.isDict())
      fail("'%': expected a dict for a format with a name");
    const Value *found = arguments.getDict().find(rest.substr(1, end - 1));
    if (!found)
      fail("'%': expected a value named '", rest.substr(1, end - 1),
           "', found none");
    rest.remove_prefix(end + 1);
    ++next;
    return *found;
  }

  int64_t takeWidth(std::string_view &rest) {
    if (!takeChar(rest, '*'))
      return takeNumber(rest, 0);
    int64_t width = toIndex("'%'", take());
    if (width < 0 || width > kWidest)
      fail("'%': expected a width from 0 to ", kWidest, ", found ", width);
    return width;
  }

  void formatOne(std::string_view rest) {
    std::optional<Value> value;
    if (rest.starts_with('('))
      value = takeNamed(rest);
    Spec spec;
    spec.align = '>';
    while (!rest.empty() &&
           std::string_view("-+ 0#").find(rest[0]) != std::string_view::npos) {
      char flag = rest[0];
      rest.remove_prefix(1);
      if (flag == '-')
        spec.align = '<';
      else if (flag == '0')
        spec.zero = true;
      else if (flag == '#')
        spec.alternate = true;
      else if (spec.sign != '+')
        spec.sign = flag;
    }
    spec.width = takeWidth(rest);
    if (takeChar(rest, '.'))
      spec.precision = takeWidth(rest);
    if (rest.empty())
      fail("'%': expected a letter at the end of a format, found none");
    spec.type = rest[0];
    rest.remove_prefix(1);
    at = format.size() - rest.size();
    if (spec.type == '%')
      return out.append("%", Origin::Literal);
    write(spec, value ? *value : take());
  }

  void write(Spec &spec, const Value &value) {
    if (spec.type == 's' || spec.type == 'r')
      return out.append(
          padString(spec.type == 's' ? toText(value) : toRepr(value), spec));
    if (spec.type == 'c' && value.isString() &&
        countCharacters(value.getBytes()) == 1)
      return out.append(padString(value.getText(), spec));
    if (value.isUndefined())
      failUndefined(value);
    if (!value.isNumber())
      fail("'%", std::string(1, spec.type), "': expected a number, found '",
           getTypeName(value), "'");
    if (spec.zero && spec.align == '>') {
      spec.fill = "0";
      spec.align = '=';
    }
    out.append(formatNumber(toWanted(spec, value), spec));
  }

  static Value toWanted(Spec &spec, const Value &value) {
    bool whole = spec.type == 'd' || spec.type == 'i' || spec.type == 'u';
    if (!whole)
      return value;
    spec.type = 'd';
    if (spec.precision >= 0)
      fail("'%d': expected no precision, found one");
    if (value.isInteger())
      return value;
    double number = std::trunc(value.getFloat());
    if (!(std::abs(number) < 0x1p63))
      fail("'%d': expected an integer of 64 bits, found more");
    return Value::integer(static_cast<int64_t>(number));
  }

  const Text &format;
  const Value &arguments;
  Text out;
  size_t at = 0, next = 0;
};

//===----------------------------------------------------------------------===//
// {}
//===----------------------------------------------------------------------===//

class BraceFormatter {
public:
  BraceFormatter(const Text &format, const Arguments &arguments)
      : format(format), arguments(arguments) {}

  Text run() {
    while (at < format.size()) {
      size_t brace =
          std::min(format.bytes().find_first_of("{}", at), format.size());
      out.append(format, at, brace);
      at = brace;
      if (at == format.size())
        break;
      char c = format.bytes()[at];
      if (at + 1 < format.size() && format.bytes()[at + 1] == c) {
        out.append(format, at, at + 1);
        at += 2;
      } else if (c == '}') {
        fail("format: expected '{' before '}', found none");
      } else {
        formatField();
      }
    }
    return std::move(out);
  }

private:
  void formatField() {
    size_t end = format.bytes().find_first_of("{}", at + 1);
    if (end == std::string_view::npos || format.bytes()[end] == '{')
      fail("format: expected '}' after '{', found none");
    std::string_view field = format.bytes().substr(at + 1, end - at - 1);
    at = end + 1;
    size_t colon = std::min(field.find(':'), field.size());
    std::string_view spec = field.substr(std::min(colon + 1, field.size()));
    field = field.substr(0, colon);
    size_t mark = field.find('!');
    Value value = findField(field.substr(0, mark));
    if (mark != std::string_view::npos) {
      std::string_view conversion = field.substr(mark + 1);
      if (conversion != "s" && conversion != "r")
        fail("format: expected !s or !r, found '!", conversion, "'");
      value = Value::string(conversion == "s" ? toText(value) : toRepr(value));
    }
    out.append(formatSpec(value, spec));
  }

  Value findField(std::string_view field) {
    size_t end = std::min(field.find_first_of(".["), field.size());
    Value value = findArgument(field.substr(0, end));
    field.remove_prefix(end);
    while (!field.empty()) {
      bool dot = takeChar(field, '.');
      if (!dot)
        field.remove_prefix(1);
      end = std::min(field.find_first_of(dot ? ".[" : "]"), field.size());
      std::string_view name = field.substr(0, end);
      value = dot ? getAttribute(value, name) : getItem(value, toKey(name));
      field.remove_prefix(std::min(end + (dot ? 0 : 1), field.size()));
    }
    return value;
  }

  static Value toKey(std::string_view name) {
    std::string_view rest = name;
    int64_t index = takeNumber(rest, -1);
    return rest.empty() && index >= 0 ? Value::integer(index)
                                      : Value::string(name, Origin::Literal);
  }

  Value findArgument(std::string_view name) {
    std::string_view rest = name;
    int64_t index = takeNumber(rest, -1);
    if (name.empty())
      index = automatic++;
    if (name.empty() || (rest.empty() && index >= 0)) {
      if (static_cast<size_t>(index) >= arguments.positional.size())
        fail("format: expected a value at ", index, ", found none");
      return arguments.positional[static_cast<size_t>(index)];
    }
    for (const auto &[known, value] : arguments.named)
      if (known == name)
        return value;
    fail("format: expected a value named '", name, "', found none");
  }

  const Text &format;
  const Arguments &arguments;
  Text out;
  size_t at = 0;
  int64_t automatic = 0;
};

} // namespace

Text formatSpec(const Value &value, std::string_view text) {
  if (text.empty())
    return toText(value);
  Spec spec = parseSpec(text);
  if (value.isString()) {
    if ((spec.type != '\0' && spec.type != 's') || spec.sign != '-' ||
        spec.grouping || spec.align == '=')
      fail("expected a format for a string, found '", text, "'");
    return padString(value.getText(), spec);
  }
  if (value.is(Kind::Bool) && spec.type == '\0')
    return formatNumber(Value::integer(value.getInt()), spec);
  if (!value.isNumber())
    fail("expected a string or a number to format, found '", getTypeName(value),
         "'");
  return formatNumber(value, spec);
}

Text formatPercent(const Text &format, const Value &arguments) {
  return PercentFormatter(format, arguments).run();
}

Text formatBraces(const Text &format, const Arguments &arguments) {
  return BraceFormatter(format, arguments).run();
}

} // namespace llamart::jinja
