//===- JsonWriter.cpp - Values as json.dumps writes them ------------------===//

#include "runtime/Text/Jinja/Format.h"

#include "runtime/Text/Jinja/Sorting.h"
#include "runtime/Text/Jinja/TemplateError.h"
#include "runtime/Text/Jinja/Unicode.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace llamart::jinja {
namespace {

std::string spellUnit(unsigned unit) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "\\u%04x", unit);
  return text.data();
}

std::string escapeJson(char32_t c, bool asciiOnly) {
  switch (c) {
  case '"':
    return "\\\"";
  case '\\':
    return "\\\\";
  case '\n':
    return "\\n";
  case '\r':
    return "\\r";
  case '\t':
    return "\\t";
  case '\f':
    return "\\f";
  case '\b':
    return "\\b";
  default:
    break;
  }
  if (c >= 0x10000 && asciiOnly)
    return spellUnit(0xD800 + ((c - 0x10000) >> 10)) +
           spellUnit(0xDC00 + ((c - 0x10000) & 0x3FF));
  if (c < 0x20 || (asciiOnly && c >= 0x7F))
    return spellUnit(c);
  std::string text;
  appendCharacter(text, c);
  return text;
}

class JsonWriter {
public:
  explicit JsonWriter(const JsonStyle &style) : style(style) {}

  void write(const Value &value) {
    switch (value.getKind()) {
    case Kind::None:
      return put("null");
    case Kind::Bool:
      return put(value.getBool() ? "true" : "false");
    case Kind::Int:
      return put(std::to_string(value.getInt()));
    case Kind::Float:
      return put(spellFloat(value.getFloat()));
    case Kind::String:
      return writeString(value.getText());
    case Kind::List:
    case Kind::Tuple:
      return writeList(value.getItems());
    case Kind::Dict:
      return writeDict(value.getDict());
    default:
      fail("tojson: expected a value that JSON has, found '",
           getTypeName(value), "'");
    }
  }

  Text out;

private:
  void put(std::string_view text) { out.append(text, Origin::Literal); }

  static std::string spellFloat(double value) {
    if (std::isnan(value))
      return "NaN";
    if (std::isinf(value))
      return value < 0 ? "-Infinity" : "Infinity";
    return formatFloat(value);
  }

  void writeString(const Text &text) {
    put("\"");
    for (size_t at = 0; at < text.size();) {
      std::string_view rest = text.bytes().substr(at);
      out.append(escapeJson(takeCharacter(rest), style.asciiOnly),
                 text.getOrigin(at));
      at = text.size() - rest.size();
    }
    put("\"");
  }

  void breakLine() {
    if (!style.indent)
      return;
    put("\n");
    for (int i = 0; i < level; ++i)
      out.append(*style.indent);
  }

  void separate(bool first) {
    if (!first)
      put(style.itemSeparator ? *style.itemSeparator
                              : (style.indent ? "," : ", "));
    breakLine();
  }

  void writeList(const Items &items) {
    if (items.empty())
      return put("[]");
    put("[");
    ++level;
    for (const Value &item : items) {
      separate(&item == &items.front());
      write(item);
    }
    --level;
    breakLine();
    put("]");
  }

  static Text getKey(const Value &key) {
    if (key.isString())
      return key.getText();
    if (!key.isNumber() && !key.isNone())
      fail("tojson: expected a key that JSON has, found '", getTypeName(key),
           "'");
    JsonWriter writer{JsonStyle()};
    writer.write(key);
    return std::move(writer.out);
  }

  void writeDict(const DictObject &dict) {
    if (dict.entries.empty())
      return put("{}");
    auto entries = dict.entries;
    if (style.sortKeys)
      sortStably(entries, [](const auto &a, const auto &b) {
        return isLess(a.first, b.first);
      });
    put("{");
    ++level;
    for (const auto &entry : entries) {
      separate(&entry == &entries.front());
      writeString(getKey(entry.first));
      put(style.keySeparator ? *style.keySeparator : ": ");
      write(entry.second);
    }
    --level;
    breakLine();
    put("}");
  }

  const JsonStyle style;
  int level = 0;
};

} // namespace

Text toJson(const Value &value, const JsonStyle &style) {
  JsonWriter writer(style);
  writer.write(value);
  return std::move(writer.out);
}

} // namespace llamart::jinja
