//===- Methods.cpp - Methods of strings, lists and dicts ------------------===//
//
// Those that change a list or a dict are not there: values never change.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Jinja/Builtins.h"
#include "runtime/Text/Jinja/Format.h"
#include "runtime/Text/Jinja/Strings.h"
#include "runtime/Text/Jinja/TemplateError.h"
#include "runtime/Text/Jinja/Unicode.h"

#include <algorithm>
#include <cctype>

namespace llamart::jinja {
namespace {

using Method = Value (*)(const Value &self, Arguments &arguments);

struct BoundMethod : Function {
  Value self;
  Method method = nullptr;

  Value call(Interpreter &, Arguments arguments) override {
    return method(self, arguments);
  }
  const char *getType() const override { return "method"; }
};

Value toList(const Value &self, std::vector<Text> texts) {
  Items items;
  for (Text &text : texts)
    items.push_back(stringLike(self, std::move(text)));
  return Value::list(std::move(items));
}

template <Sides sides>
Value callStrip(const Value &self, Arguments &arguments) {
  ArgumentReader reader("strip", arguments);
  const Value *given = reader.find("chars");
  reader.finish();
  if (!given || given->isNone())
    return stringLike(self, strip(self.getText(), sides));
  if (!given->isString())
    fail("strip: expected a string, found '", getTypeName(*given), "'");
  return stringLike(self, strip(self.getText(), sides, given->getBytes()));
}

template <bool fromRight>
Value callSplit(const Value &self, Arguments &arguments) {
  ArgumentReader reader("split", arguments);
  const Value *separator = reader.find("sep");
  int64_t most = reader.getInteger("maxsplit", -1);
  reader.finish();
  if (!separator || separator->isNone())
    return toList(self, fromRight ? splitAtSpaceFromRight(self.getText(), most)
                                  : splitAtSpace(self.getText(), most));
  if (!separator->isString() || separator->getText().empty())
    fail("split: expected a separator that is a string and not empty");
  auto function = fromRight ? splitAtFromRight : splitAt;
  return toList(self, function(self.getText(), separator->getBytes(), most));
}

Value callSplitLines(const Value &self, Arguments &arguments) {
  ArgumentReader reader("splitlines", arguments);
  bool keepEnds = reader.getInteger("keepends", 0) != 0;
  reader.finish();
  return toList(self, splitLines(self.getText(), keepEnds));
}

Value callJoin(const Value &self, Arguments &arguments) {
  ArgumentReader reader("join", arguments);
  const Value &items = reader.require("iterable");
  reader.finish();
  std::vector<Text> parts;
  for (const Value &item : collect(items)) {
    if (!item.isString())
      fail("join: expected strings, found '", getTypeName(item), "'");
    parts.push_back(self.isMarkup() && !item.isMarkup() ? escape(item.getText())
                                                        : item.getText());
  }
  return stringLike(self, joinTexts(self.getText(), parts));
}

Value callReplace(const Value &self, Arguments &arguments) {
  ArgumentReader reader("replace", arguments);
  const Value &before = reader.require("old");
  const Value &after = reader.require("new");
  int64_t most = reader.getInteger("count", -1);
  reader.finish();
  if (!before.isString() || !after.isString())
    fail("replace: expected two strings, found '", getTypeName(before),
         "' and '", getTypeName(after), "'");
  return stringLike(self, replaceText(self.getText(), before.getBytes(),
                                      self.isMarkup() && !after.isMarkup()
                                          ? escape(after.getText())
                                          : after.getText(),
                                      most));
}

/// What [start:end] of a string is; where it begins, in characters.
struct Part {
  std::string_view text;
  int64_t begin = 0;
  bool inside = true; ///< start is not after the end of the string
};

Part takePart(const Value &self, const Value *start, const Value *end) {
  std::vector<size_t> begins = findCharacters(self.getBytes());
  auto size = static_cast<int64_t>(begins.size()) - 1;
  auto clamp = [&](const Value *given, int64_t otherwise) {
    if (!given || given->isNone())
      return otherwise;
    int64_t index = toIndex("start or end", *given);
    return index < 0 ? std::max<int64_t>(index + size, 0) : index;
  };
  int64_t first = clamp(start, 0), last = std::min(clamp(end, size), size);
  if (first > last)
    return {{}, first, false};
  size_t from = begins[static_cast<size_t>(first)];
  return {
      self.getBytes().substr(from, begins[static_cast<size_t>(last)] - from),
      first, true};
}

template <bool atEnd>
Value callStartsWith(const Value &self, Arguments &arguments) {
  ArgumentReader reader(atEnd ? "endswith" : "startswith", arguments);
  const Value &given = reader.require("prefix");
  const Value *start = reader.find("start"), *end = reader.find("end");
  reader.finish();
  Part part = takePart(self, start, end);
  Items affixes = given.is(Kind::Tuple) ? given.getItems() : Items{given};
  for (const Value &affix : affixes) {
    if (!affix.isString())
      fail("expected a string or a tuple of strings, found '",
           getTypeName(affix), "'");
    if (part.inside && (atEnd ? part.text.ends_with(affix.getBytes())
                              : part.text.starts_with(affix.getBytes())))
      return Value::boolean(true);
  }
  return Value::boolean(false);
}

template <bool fromRight, bool mustExist>
Value callFind(const Value &self, Arguments &arguments) {
  ArgumentReader reader("find", arguments);
  Text needle = reader.getText("sub", {});
  const Value *start = reader.find("start"), *end = reader.find("end");
  reader.finish();
  if (arguments.positional.empty())
    fail("find: expected a string to find, found none");
  Part part = takePart(self, start, end);
  size_t at = fromRight ? part.text.rfind(needle.bytes())
                        : part.text.find(needle.bytes());
  if (part.inside && at != std::string_view::npos)
    return Value::integer(part.begin + static_cast<int64_t>(countCharacters(
                                           part.text.substr(0, at))));
  if (mustExist)
    fail("index: expected a part that is there, found none");
  return Value::integer(-1);
}

Value callCount(const Value &self, Arguments &arguments) {
  ArgumentReader reader("count", arguments);
  Text needle = reader.getText("sub", {});
  const Value *start = reader.find("start"), *end = reader.find("end");
  reader.finish();
  if (arguments.positional.empty())
    fail("count: expected a string to count, found none");
  Part part = takePart(self, start, end);
  return Value::integer(part.inside ? countText(part.text, needle.bytes()) : 0);
}

template <Text (*change)(const Text &)>
Value callChange(const Value &self, Arguments &arguments) {
  ArgumentReader("method", arguments).finish();
  return stringLike(self, change(self.getText()));
}

/// str.isalpha and the like: all characters, and at least one.
template <bool (*test)(char32_t)>
Value callEach(const Value &self, Arguments &arguments) {
  ArgumentReader("method", arguments).finish();
  std::string_view rest = self.getBytes();
  bool all = !rest.empty();
  while (all && !rest.empty())
    all = test(takeCharacter(rest));
  return Value::boolean(all);
}

bool isAlphaNumeric(char32_t c) {
  return isAlpha(c) || isDecimal(c) || isDigit(c) || isNumeric(c);
}

/// str.isupper and str.islower
template <bool upper>
Value callIsCase(const Value &self, Arguments &arguments) {
  ArgumentReader("method", arguments).finish();
  std::string_view rest = self.getBytes();
  bool found = false;
  while (!rest.empty()) {
    char32_t c = takeCharacter(rest);
    bool right = upper ? isUpper(c) : isLower(c);
    if (isCased(c) && !right)
      return Value::boolean(false);
    found |= right;
  }
  return Value::boolean(found);
}

Value callIsTitle(const Value &self, Arguments &arguments) {
  ArgumentReader("istitle", arguments).finish();
  std::string_view rest = self.getBytes();
  bool wasCased = false, found = false;
  while (!rest.empty()) {
    char32_t c = takeCharacter(rest);
    if (isCased(c)) {
      if (isLower(c) != wasCased)
        return Value::boolean(false);
      found = true;
    }
    wasCased = isCased(c);
  }
  return Value::boolean(found);
}

Value callIsAscii(const Value &self, Arguments &arguments) {
  ArgumentReader("isascii", arguments).finish();
  return Value::boolean(std::ranges::all_of(self.getBytes(), [](char c) {
    return static_cast<unsigned char>(c) < 0x80;
  }));
}

Value callIsPrintable(const Value &self, Arguments &arguments) {
  return self.getText().empty() ? Value::boolean(true)
                                : callEach<isPrintable>(self, arguments);
}

template <Align align>
Value callPad(const Value &self, Arguments &arguments) {
  ArgumentReader reader("padding", arguments);
  int64_t width = toIndex("padding", reader.require("width"));
  Text fill = reader.getText("fillchar", Text(" ", Origin::Literal));
  reader.finish();
  if (countCharacters(fill.bytes()) != 1)
    fail("expected one character to fill with, found ",
         countCharacters(fill.bytes()));
  return stringLike(self, pad(self.getText(), width, align, fill));
}

Value callZeroFill(const Value &self, Arguments &arguments) {
  ArgumentReader reader("zfill", arguments);
  int64_t width = toIndex("zfill", reader.require("width"));
  reader.finish();
  const Text &text = self.getText();
  size_t sign = text.bytes().starts_with('-') || text.bytes().starts_with('+');
  Text digits =
      pad(text.slice(sign, text.size()), width - static_cast<int64_t>(sign),
          Align::Right, Text("0", Origin::Literal));
  Text out = text.slice(0, sign);
  out.append(digits);
  return stringLike(self, std::move(out));
}

template <bool fromRight>
Value callPartition(const Value &self, Arguments &arguments) {
  ArgumentReader reader("partition", arguments);
  Text separator = reader.getText("sep", {});
  reader.finish();
  if (separator.empty())
    fail("partition: expected a separator that is not empty");
  const Text &text = self.getText();
  size_t at = fromRight ? text.bytes().rfind(separator.bytes())
                        : text.bytes().find(separator.bytes());
  if (at == std::string_view::npos) {
    Value none = stringLike(self, {});
    return fromRight ? Value::tuple({none, none, self})
                     : Value::tuple({self, none, none});
  }
  size_t end = at + separator.size();
  return Value::tuple({stringLike(self, text.slice(0, at)),
                       stringLike(self, text.slice(at, end)),
                       stringLike(self, text.slice(end, text.size()))});
}

template <bool suffix>
Value callRemove(const Value &self, Arguments &arguments) {
  ArgumentReader reader(suffix ? "removesuffix" : "removeprefix", arguments);
  const Value &affix = reader.require("affix");
  reader.finish();
  if (!affix.isString())
    fail("expected a string, found '", getTypeName(affix), "'");
  const Text &text = self.getText();
  size_t size = affix.getText().size();
  if (suffix ? !text.bytes().ends_with(affix.getBytes())
             : !text.bytes().starts_with(affix.getBytes()))
    return self;
  return stringLike(self, suffix ? text.slice(0, text.size() - size)
                                 : text.slice(size, text.size()));
}

Value callExpandTabs(const Value &self, Arguments &arguments) {
  ArgumentReader reader("expandtabs", arguments);
  int64_t size = reader.getInteger("tabsize", 8), column = 0;
  reader.finish();
  const Text &text = self.getText();
  Text out;
  for (size_t at = 0; at < text.size();) {
    size_t next = at + getCharacterSize(text.bytes(), at);
    char c = text.bytes()[at];
    if (c == '\t') {
      int64_t spaces = size > 0 ? size - column % size : 0;
      out.append(pad({}, spaces, Align::Left, Text(" ", text.getOrigin(at))));
      column += spaces;
    } else {
      out.append(text, at, next);
      column = c == '\n' || c == '\r' ? 0 : column + 1;
    }
    at = next;
  }
  return stringLike(self, std::move(out));
}

Value callFormat(const Value &self, Arguments &arguments) {
  if (self.isMarkup())
    fail("format: expected a plain string, found markup");
  return Value::string(formatBraces(self.getText(), arguments));
}

Value callFormatMap(const Value &self, Arguments &arguments) {
  ArgumentReader reader("format_map", arguments);
  const Value &values = reader.require("mapping");
  reader.finish();
  if (!values.isDict())
    fail("format_map: expected a dict, found '", getTypeName(values), "'");
  Arguments named;
  for (const auto &[key, value] : values.getDict().entries)
    if (key.isString())
      named.named.emplace_back(key.getBytes(), value);
  return callFormat(self, named);
}

Value callIsIdentifier(const Value &self, Arguments &arguments) {
  ArgumentReader("isidentifier", arguments).finish();
  bool isName = !self.getBytes().empty();
  for (char c : self.getBytes()) {
    if (static_cast<unsigned char>(c) >= 0x80)
      fail("isidentifier: expected characters of ASCII, found others");
    isName &= c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0;
  }
  return Value::boolean(isName && std::isdigit(static_cast<unsigned char>(
                                      self.getBytes().front())) == 0);
}

//===----------------------------------------------------------------------===//
// Lists and dicts
//===----------------------------------------------------------------------===//

Value callCountItem(const Value &self, Arguments &arguments) {
  ArgumentReader reader("count", arguments);
  const Value &item = reader.require("value");
  reader.finish();
  return Value::integer(std::ranges::count_if(
      self.getItems(), [&](const Value &v) { return isEqual(v, item); }));
}

Value callIndexOfItem(const Value &self, Arguments &arguments) {
  ArgumentReader reader("index", arguments);
  const Value &item = reader.require("value");
  reader.finish();
  const Items &items = self.getItems();
  for (size_t i = 0; i < items.size(); ++i)
    if (isEqual(items[i], item))
      return Value::integer(static_cast<int64_t>(i));
  fail("index: expected an item that is in the list, found none");
}

Value callCopy(const Value &self, Arguments &arguments) {
  ArgumentReader("copy", arguments).finish();
  return self;
}

Value callGet(const Value &self, Arguments &arguments) {
  ArgumentReader reader("get", arguments);
  const Value &key = reader.require("key");
  const Value *otherwise = reader.find("default");
  reader.finish();
  if (!arguments.named.empty())
    fail("get: expected arguments by position, found one by name");
  if (const Value *found = self.getDict().find(key))
    return *found;
  return otherwise ? *otherwise : Value::none();
}

enum class Parts : uint8_t { Keys, Values, Items };

template <Parts parts>
Value callEntries(const Value &self, Arguments &arguments) {
  ArgumentReader("method", arguments).finish();
  Items items;
  for (const auto &[key, value] : self.getDict().entries)
    items.push_back(parts == Parts::Keys     ? key
                    : parts == Parts::Values ? value
                                             : Value::tuple({key, value}));
  return Value::view(parts == Parts::Keys     ? "dict_keys"
                     : parts == Parts::Values ? "dict_values"
                                              : "dict_items",
                     std::move(items));
}

using NamedMethod = NamedFunction<Method>;

constexpr NamedMethod kStringMethods[] = {
    {"capitalize", callChange<makeCapitalized>},
    {"casefold", callChange<foldCase>},
    {"center", callPad<Align::Center>},
    {"count", callCount},
    {"endswith", callStartsWith<true>},
    {"expandtabs", callExpandTabs},
    {"find", callFind<false, false>},
    {"format", callFormat},
    {"format_map", callFormatMap},
    {"index", callFind<false, true>},
    {"isalnum", callEach<isAlphaNumeric>},
    {"isalpha", callEach<isAlpha>},
    {"isascii", callIsAscii},
    {"isdecimal", callEach<isDecimal>},
    {"isdigit", callEach<isDigit>},
    {"isidentifier", callIsIdentifier},
    {"islower", callIsCase<false>},
    {"isnumeric", callEach<isNumeric>},
    {"isprintable", callIsPrintable},
    {"isspace", callEach<isSpace>},
    {"istitle", callIsTitle},
    {"isupper", callIsCase<true>},
    {"join", callJoin},
    {"ljust", callPad<Align::Left>},
    {"lower", callChange<makeLower>},
    {"lstrip", callStrip<Sides::Left>},
    {"partition", callPartition<false>},
    {"removeprefix", callRemove<false>},
    {"removesuffix", callRemove<true>},
    {"replace", callReplace},
    {"rfind", callFind<true, false>},
    {"rindex", callFind<true, true>},
    {"rjust", callPad<Align::Right>},
    {"rpartition", callPartition<true>},
    {"rsplit", callSplit<true>},
    {"rstrip", callStrip<Sides::Right>},
    {"split", callSplit<false>},
    {"splitlines", callSplitLines},
    {"startswith", callStartsWith<false>},
    {"strip", callStrip<Sides::Both>},
    {"swapcase", callChange<swapCase>},
    {"title", callChange<makeTitle>},
    {"upper", callChange<makeUpper>},
    {"zfill", callZeroFill},
};

constexpr NamedMethod kListMethods[] = {
    {"copy", callCopy}, {"count", callCountItem}, {"index", callIndexOfItem}};

constexpr NamedMethod kDictMethods[] = {
    {"copy", callCopy},
    {"get", callGet},
    {"items", callEntries<Parts::Items>},
    {"keys", callEntries<Parts::Keys>},
    {"values", callEntries<Parts::Values>},
};

/// What the sandbox forbids, as it changes a list or a dict.
constexpr std::string_view kUnsafeOfLists[] = {
    "append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"};
constexpr std::string_view kUnsafeOfDicts[] = {"clear", "pop", "popitem",
                                               "setdefault", "update"};

/// What Python has and is not there: an error, not an undefined value.
constexpr std::string_view kMissingOfStrings[] = {
    "encode", "maketrans", "translate", "unescape", "striptags", "escape"};
constexpr std::string_view kMissingOfDicts[] = {"fromkeys"};
constexpr std::string_view kMissingOfIntegers[] = {
    "as_integer_ratio", "bit_count",  "bit_length", "conjugate",
    "denominator",      "from_bytes", "imag",       "is_integer",
    "numerator",        "real",       "to_bytes"};
constexpr std::string_view kMissingOfFloats[] = {
    "as_integer_ratio", "conjugate", "fromhex", "hex", "imag",
    "is_integer",       "real"};
constexpr std::string_view kMissingOfRanges[] = {"count", "index", "start",
                                                 "step", "stop"};
constexpr std::string_view kMissingOfViews[] = {"isdisjoint", "mapping"};
constexpr std::string_view kMissingOfGenerators[] = {"close", "send", "throw"};

using MethodNames = std::span<const std::string_view>;

/// The names of a kind of values.
struct Members {
  std::span<const NamedMethod> methods;
  MethodNames unsafe, missing;
};

Members getMembers(const Value &value) {
  switch (value.getKind()) {
  case Kind::String: // the last three are those of markup
    return {kStringMethods,
            {},
            MethodNames(kMissingOfStrings).first(value.isMarkup() ? 6 : 3)};
  case Kind::List:
    return {kListMethods, kUnsafeOfLists, {}};
  case Kind::Tuple: // has no copy, the first
    return {std::span(kListMethods).subspan(1), {}, {}};
  case Kind::Dict:
    return {kDictMethods, kUnsafeOfDicts, kMissingOfDicts};
  case Kind::Bool:
  case Kind::Int:
    return {{}, {}, kMissingOfIntegers};
  case Kind::Float:
    return {{}, {}, kMissingOfFloats};
  case Kind::Range:
    return {{}, {}, kMissingOfRanges};
  case Kind::View:
    return {{}, {}, kMissingOfViews};
  case Kind::Generator:
    return {{}, {}, kMissingOfGenerators};
  default:
    return {};
  }
}

bool has(MethodNames names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

} // namespace

std::optional<Value> findMethod(const Value &self, std::string_view name) {
  Members members = getMembers(self);
  auto found = std::ranges::find(members.methods, name, &NamedMethod::name);
  if (found != members.methods.end()) {
    auto method = std::make_shared<BoundMethod>();
    method->self = self;
    method->method = found->function;
    method->depth = self.getDepth() + 1;
    return Value::function(method);
  }
  if (has(members.missing, name))
    fail("expected an attribute that is supported, found '", name, "' of '",
         getTypeName(self), "'");
  if (!has(members.unsafe, name))
    return std::nullopt;
  return Value::undefined("access to attribute '" + std::string(name) +
                          "' of '" + getTypeName(self) + "' object is unsafe.");
}

} // namespace llamart::jinja
