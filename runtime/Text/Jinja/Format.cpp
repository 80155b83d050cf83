//===- Format.cpp - Values as Python writes them --------------------------===//

#include "runtime/Text/Jinja/Format.h"

#include "runtime/Text/Jinja/TemplateError.h"
#include "runtime/Text/Jinja/Unicode.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace llamart::jinja {
namespace {

constexpr Origin kLiteral = Origin::Literal;

/// What repr writes in place of a character, or "" for the character itself.
std::string escapeForRepr(char32_t c, char quote) {
  if (c == static_cast<unsigned char>(quote) || c == '\\')
    return {'\\', static_cast<char>(c)};
  if (c == '\n')
    return "\\n";
  if (c == '\r')
    return "\\r";
  if (c == '\t')
    return "\\t";
  if (isPrintable(c))
    return "";
  std::array<char, 16> text{};
  const char *form = c < 0x100     ? "\\x%02x"
                     : c < 0x10000 ? "\\u%04x"
                                   : "\\U%08x";
  std::snprintf(text.data(), text.size(), form, static_cast<unsigned>(c));
  return text.data();
}

void writeStringRepr(Text &out, const Text &text) {
  bool hasSingle = text.bytes().find('\'') != std::string_view::npos;
  bool hasDouble = text.bytes().find('"') != std::string_view::npos;
  char quote = hasSingle && !hasDouble ? '"' : '\'';
  out.append({&quote, 1}, kLiteral);
  size_t begin = 0;
  for (size_t i = 0; i < text.size();) {
    std::string_view rest = text.bytes().substr(i);
    std::string escaped = escapeForRepr(takeCharacter(rest), quote);
    size_t next = text.size() - rest.size();
    if (!escaped.empty()) {
      out.append(text, begin, i);
      out.append(escaped, text.getOrigin(i));
      begin = next;
    }
    i = next;
  }
  out.append(text, begin, text.size());
  out.append({&quote, 1}, kLiteral);
}

void writeRepr(Text &out, const Value &value);

void writeItems(Text &out, const char *open, const Items &items,
                const char *close) {
  out.append(open, kLiteral);
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0)
      out.append(", ", kLiteral);
    writeRepr(out, items[i]);
  }
  out.append(close, kLiteral);
}

void writeDict(Text &out, const DictObject &dict) {
  out.append("{", kLiteral);
  bool first = true;
  for (const auto &[key, value] : dict.entries) {
    if (!first)
      out.append(", ", kLiteral);
    first = false;
    writeRepr(out, key);
    out.append(": ", kLiteral);
    writeRepr(out, value);
  }
  out.append("}", kLiteral);
}

std::string formatRange(const RangeObject &range) {
  std::string text =
      "range(" + std::to_string(range.begin) + ", " + std::to_string(range.end);
  if (range.step != 1)
    text += ", " + std::to_string(range.step);
  return text + ")";
}

void writeString(Text &out, const Value &value) {
  if (value.isMarkup())
    out.append("Markup(", kLiteral);
  writeStringRepr(out, value.getText());
  if (value.isMarkup())
    out.append(")", kLiteral);
}

/// Namespaces hold what may hold them: not followed.
void writeRepr(Text &out, const Value &value) {
  switch (value.getKind()) {
  case Kind::Undefined:
    return out.append("Undefined", kLiteral);
  case Kind::None:
    return out.append("None", kLiteral);
  case Kind::Bool:
    return out.append(value.getBool() ? "True" : "False", kLiteral);
  case Kind::Int:
    return out.append(std::to_string(value.getInt()), kLiteral);
  case Kind::Float:
    return out.append(formatFloat(value.getFloat()), kLiteral);
  case Kind::String:
    return writeString(out, value);
  case Kind::List:
    return writeItems(out, "[", value.getItems(), "]");
  case Kind::Tuple:
    return writeItems(out, "(", value.getItems(),
                      value.getItems().size() == 1 ? ",)" : ")");
  case Kind::View:
    out.append(getTypeName(value), kLiteral);
    return writeItems(out, "([", value.getItems(), "])");
  case Kind::Dict:
    return writeDict(out, value.getDict());
  case Kind::Range:
    return out.append(formatRange(value.getRange()), kLiteral);
  default:
    fail("expected a value that can be printed, found '", getTypeName(value),
         "'");
  }
}

} // namespace

std::string formatFloat(double value) {
  if (std::isnan(value))
    return "nan";
  if (std::isinf(value))
    return value < 0 ? "-inf" : "inf";
  std::array<char, 64> buffer{};
  auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                           std::chars_format::scientific)
                 .ptr;
  std::string_view text(buffer.data(),
                        static_cast<size_t>(end - buffer.data()));
  std::string sign = text.starts_with('-') ? "-" : "";
  text.remove_prefix(sign.size());
  size_t e = text.find('e');
  int exponent = std::stoi(std::string(text.substr(e + 1)));
  std::string digits(1, text[0]);
  if (e > 2)
    digits += text.substr(2, e - 2);
  auto count = static_cast<int>(digits.size());
  if (exponent < -4 || exponent >= 16) {
    std::string mantissa = digits.substr(0, 1);
    if (count > 1)
      mantissa += "." + digits.substr(1);
    std::string power = std::to_string(std::abs(exponent));
    return sign + mantissa + (exponent < 0 ? "e-" : "e+") +
           (power.size() < 2 ? "0" : "") + power;
  }
  if (exponent < 0)
    return sign + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') +
           digits;
  if (count <= exponent + 1)
    return sign + digits +
           std::string(static_cast<size_t>(exponent + 1 - count), '0') + ".0";
  size_t whole = static_cast<size_t>(exponent) + 1;
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

Text toText(const Value &value) {
  if (value.isString())
    return value.getText();
  if (value.isUndefined())
    return {};
  return toRepr(value);
}

Text toRepr(const Value &value) {
  Text out;
  writeRepr(out, value);
  return out;
}

Text escape(const Text &text) {
  Text out;
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char *entity = nullptr;
    switch (text.bytes()[i]) {
    case '&':
      entity = "&amp;";
      break;
    case '<':
      entity = "&lt;";
      break;
    case '>':
      entity = "&gt;";
      break;
    case '"':
      entity = "&#34;";
      break;
    case '\'':
      entity = "&#39;";
      break;
    default:
      continue;
    }
    out.append(text, begin, i);
    out.append(entity, text.getOrigin(i));
    begin = i + 1;
  }
  out.append(text, begin, text.size());
  return out;
}

} // namespace llamart::jinja
