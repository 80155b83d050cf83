//===- TextFilters.cpp - Filters of texts ---------------------------------===//

#include "runtime/Text/Jinja/Builtins.h"
#include "runtime/Text/Jinja/Format.h"
#include "runtime/Text/Jinja/Strings.h"
#include "runtime/Text/Jinja/TemplateError.h"
#include "runtime/Text/Jinja/Unicode.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>

namespace llamart::jinja {
namespace {

/// Jinja's soft_str and what `change` makes of it.
template <Text (*change)(const Text &)>
Value filterChange(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("filter", arguments);
  const Value &value = reader.require("value");
  reader.finish();
  return stringLike(value, change(toText(value)));
}

/// Jinja's title: a word begins after -, white space or an open bracket.
Text makeWords(const Text &text) {
  Text out;
  bool begins = true;
  std::vector<size_t> at = findCharacters(text.bytes());
  size_t word = 0;
  auto flush = [&](size_t end) {
    if (end == word)
      return;
    std::string_view first = text.bytes().substr(word);
    size_t size = getCharacterSize(first, 0);
    out.append(makeUpper(text.slice(word, word + size)));
    out.append(makeLower(text.slice(word + size, end)));
  };
  for (size_t i = 0; i + 1 < at.size(); ++i) {
    std::string_view rest = text.bytes().substr(at[i]);
    char32_t c = takeCharacter(rest);
    bool separates =
        isSpace(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
    if (!separates && begins)
      word = at[i];
    if (separates) {
      if (!begins)
        flush(at[i]);
      out.append(text, at[i], at[i + 1]);
    }
    begins = separates;
  }
  if (!begins)
    flush(text.size());
  return out;
}

Value filterTrim(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("trim", arguments);
  const Value &value = reader.require("value");
  const Value *characters = reader.find("chars");
  reader.finish();
  Text text = toText(value);
  if (!characters || characters->isNone())
    return stringLike(value, strip(text, Sides::Both));
  if (!characters->isString())
    fail("trim: expected a string, found '", getTypeName(*characters), "'");
  return stringLike(value, strip(text, Sides::Both, characters->getBytes()));
}

Value filterReplace(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("replace", arguments);
  const Value &value = reader.require("s");
  Text before = toText(reader.require("old"));
  Text after = toText(reader.require("new"));
  const Value *count = reader.find("count");
  reader.finish();
  int64_t most = count && !count->isNone() ? toIndex("replace", *count) : -1;
  return Value::string(replaceText(toText(value), before.bytes(), after, most));
}

Value filterString(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("string", arguments);
  const Value &value = reader.require("value");
  reader.finish();
  return value.isString() ? value : Value::string(toText(value));
}

Value filterEscape(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("escape", arguments);
  const Value &value = reader.require("value");
  reader.finish();
  return value.isMarkup() ? value : Value::string(escape(toText(value)), true);
}

Value filterForceEscape(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("forceescape", arguments);
  Text text = toText(reader.require("value"));
  reader.finish();
  return Value::string(escape(text), true);
}

Value filterSafe(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("safe", arguments);
  Text text = toText(reader.require("value"));
  reader.finish();
  return Value::string(std::move(text), true);
}

Value filterFormat(Interpreter &, Arguments &arguments) {
  Value format = arguments.positional.front();
  arguments.positional.erase(arguments.positional.begin());
  if (!arguments.positional.empty() && !arguments.named.empty())
    fail("format: expected values by position or by name, found both");
  Value values = Value::tuple(arguments.positional);
  if (!arguments.named.empty()) {
    auto dict = std::make_shared<DictObject>();
    for (const auto &[name, value] : arguments.named)
      dict->set(name, value);
    values = Value::dict(dict);
  }
  return Value::string(formatPercent(toText(format), values));
}

Value filterIndent(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("indent", arguments);
  const Value &value = reader.require("s");
  const Value *width = reader.find("width");
  bool first = reader.getBool("first", false);
  bool blank = reader.getBool("blank", false);
  reader.finish();
  if (!value.isString())
    fail("indent: expected a string, found '", getTypeName(value), "'");
  Text space(" ", Origin::Literal);
  Text indent =
      width && width->isString()
          ? width->getText()
          : pad({}, width ? toIndex("indent", *width) : 4, Align::Left, space);
  Text whole = value.getText(), out = first ? indent : Text();
  whole.append("\n", Origin::Literal);
  std::vector<Text> lines = splitLines(whole, false);
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0)
      out.append("\n", Origin::Literal);
    if (i > 0 && (blank || !lines[i].empty()))
      out.append(indent);
    out.append(lines[i]);
  }
  return stringLike(value, std::move(out));
}

Value filterTruncate(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("truncate", arguments);
  const Value &value = reader.require("s");
  int64_t length = reader.getInteger("length", 255);
  bool killWords = reader.getBool("killwords", false);
  Text end = reader.getText("end", Text("...", Origin::Literal));
  const Value *leeway = reader.find("leeway");
  reader.finish();
  int64_t slack =
      leeway && !leeway->isNone() ? toIndex("truncate", *leeway) : 5;
  auto endSize = static_cast<int64_t>(countCharacters(end.bytes()));
  if (length < endSize || slack < 0)
    fail("truncate: expected a length of at least ", endSize, ", found ",
         length);
  if (getLength(value) <= length + slack)
    return value;
  if (!value.isString())
    fail("truncate: expected a string, found '", getTypeName(value), "'");
  const Text &text = value.getText();
  std::vector<size_t> at = findCharacters(text.bytes());
  Text out = text.slice(0, at[static_cast<size_t>(length - endSize)]);
  if (!killWords)
    out = splitAtFromRight(out, " ", 1).front();
  out.append(end);
  return stringLike(value, std::move(out));
}

Value filterCenter(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("center", arguments);
  const Value &value = reader.require("value");
  int64_t width = reader.getInteger("width", 80);
  reader.finish();
  return stringLike(value, pad(toText(value), width, Align::Center,
                               Text(" ", Origin::Literal)));
}

Value filterWordCount(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("wordcount", arguments);
  Text text = toText(reader.require("s"));
  reader.finish();
  std::string_view rest = text.bytes();
  int64_t count = 0;
  bool inside = false;
  while (!rest.empty()) {
    char32_t c = takeCharacter(rest);
    bool isWord = c == '_' || isAlpha(c) || isDecimal(c) || isNumeric(c);
    count += isWord && !inside;
    inside = isWord;
  }
  return Value::integer(count);
}

/// What MarkupSafe leaves of a text: no comments, no tags, single spaces.
Value filterStripTags(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("striptags", arguments);
  Text text = toText(reader.require("value"));
  reader.finish();
  auto cut = [&](std::string_view open, std::string_view close) {
    size_t begin = 0;
    while ((begin = text.bytes().find(open, begin)) != std::string_view::npos) {
      size_t end = text.bytes().find(close, begin);
      if (end == std::string_view::npos)
        break;
      Text rest = text.slice(0, begin);
      rest.append(text, end + close.size(), text.size());
      text = std::move(rest);
    }
  };
  cut("<!--", "-->");
  cut("<", ">");
  if (text.bytes().find('&') != std::string_view::npos)
    fail("striptags: expected a text without entities, found '&'");
  return Value::string(
      joinTexts(Text(" ", Origin::Literal), splitAtSpace(text, -1)));
}

Text quoteUrl(const Text &text, bool isQuery) {
  Text out;
  for (size_t i = 0; i < text.size(); ++i) {
    auto byte = static_cast<unsigned char>(text.bytes()[i]);
    bool plain = byte < 0x80 &&
                 (std::isalnum(byte) != 0 || byte == '_' || byte == '.' ||
                  byte == '-' || byte == '~' || (byte == '/' && !isQuery));
    std::array<char, 4> code{};
    std::snprintf(code.data(), code.size(), "%%%02X", byte);
    if (plain)
      out.append(text, i, i + 1);
    else
      out.append(byte == ' ' && isQuery ? "+" : code.data(), text.getOrigin(i));
  }
  return out;
}

Value filterUrlEncode(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("urlencode", arguments);
  const Value &value = reader.require("value");
  reader.finish();
  if (value.isString() || value.isNumber() || value.isNone())
    return Value::string(quoteUrl(toText(value), false));
  std::vector<Text> parts;
  Items pairs;
  if (value.isDict())
    for (const auto &[key, item] : value.getDict().entries)
      pairs.push_back(Value::tuple({key, item}));
  else
    pairs = collect(value);
  for (const Value &pair : pairs) {
    Items items = collect(pair);
    if (items.size() != 2)
      fail("urlencode: expected pairs, found ", items.size(), " items");
    Text part = quoteUrl(toText(items[0]), true);
    part.append("=", Origin::Literal);
    part.append(quoteUrl(toText(items[1]), true));
    parts.push_back(std::move(part));
  }
  return Value::string(joinTexts(Text("&", Origin::Literal), parts));
}

/// Each line of the text becomes lines of a width.
Value filterWordWrap(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("wordwrap", arguments);
  const Value &value = reader.require("s");
  int64_t width = reader.getInteger("width", 79);
  WrapStyle style;
  style.breaksWords = reader.getBool("break_long_words", true);
  const Value *given = reader.find("wrapstring");
  style.breaksOnHyphens = reader.getBool("break_on_hyphens", true);
  reader.finish();
  bool isDefault = !given || given->isNone();
  if (!value.isString() || (!isDefault && !given->isString()))
    fail("wordwrap: expected strings, found '",
         getTypeName(value.isString() ? *given : value), "'");
  std::vector<Text> lines;
  for (const Text &line : splitLines(value.getText(), false)) {
    std::vector<Text> parts = wrapLine(line, width, style);
    if (parts.empty())
      parts.emplace_back();
    std::ranges::move(parts, std::back_inserter(lines));
  }
  Text end = isDefault ? Text("\n", Origin::Literal) : given->getText();
  if (isDefault || !given->isMarkup())
    return Value::string(joinTexts(end, lines));
  std::ranges::transform(lines, lines.begin(), escape);
  return Value::string(joinTexts(end, lines), true);
}

/// ` key="value"` of each entry whose value is neither none nor undefined.
Value filterXmlAttributes(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("xmlattr", arguments);
  const Value &value = reader.require("d");
  bool autoSpace = reader.getBool("autospace", true);
  reader.finish();
  if (!value.isDict())
    fail("xmlattr: expected a dict, found '", getTypeName(value), "'");
  auto escapeText = [](const Value &part) {
    return part.isMarkup() ? part.getText() : escape(toText(part));
  };
  Text out;
  for (const auto &[key, item] : value.getDict().entries) {
    if (item.isNone() || item.isUndefined())
      continue;
    if (!key.isString())
      fail("xmlattr: expected names as keys, found '", getTypeName(key), "'");
    if (key.getBytes().find_first_of(" \t\n\r\f\v/>=") !=
        std::string_view::npos)
      fail("xmlattr: expected a key without white space, '/', '>' and '=', "
           "found '",
           key.getBytes(), "'");
    if (autoSpace || !out.empty())
      out.append(" ", Origin::Literal);
    out.append(escapeText(key));
    out.append("=\"", Origin::Literal);
    out.append(escapeText(item));
    out.append("\"", Origin::Literal);
  }
  return Value::string(std::move(out));
}

constexpr NamedFunction<FilterFunction> kTextFilters[] = {
    {"capitalize", filterChange<makeCapitalized>},
    {"center", filterCenter},
    {"e", filterEscape},
    {"escape", filterEscape},
    {"forceescape", filterForceEscape},
    {"format", filterFormat},
    {"indent", filterIndent},
    {"lower", filterChange<makeLower>},
    {"replace", filterReplace},
    {"safe", filterSafe},
    {"string", filterString},
    {"striptags", filterStripTags},
    {"title", filterChange<makeWords>},
    {"trim", filterTrim},
    {"truncate", filterTruncate},
    {"upper", filterChange<makeUpper>},
    {"urlencode", filterUrlEncode},
    {"wordcount", filterWordCount},
    {"wordwrap", filterWordWrap},
    {"xmlattr", filterXmlAttributes},
};

} // namespace

std::span<const NamedFunction<FilterFunction>> getTextFilters() {
  return kTextFilters;
}

} // namespace llamart::jinja
