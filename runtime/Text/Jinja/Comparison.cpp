//===- Comparison.cpp - Truth, order, length and items of values ----------===//

#include "runtime/Text/Jinja/Format.h"
#include "runtime/Text/Jinja/Meter.h"
#include "runtime/Text/Jinja/TemplateError.h"
#include "runtime/Text/Jinja/Unicode.h"
#include "runtime/Text/Jinja/Value.h"

#include <algorithm>
#include <cmath>

namespace llamart::jinja {
namespace {

bool isSequence(const Value &value) {
  return value.isList() || value.is(Kind::Tuple);
}

bool areItemsEqual(const Items &a, const Items &b) {
  addSteps(1);
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), isEqual);
}

bool areDictsEqual(const DictObject &a, const DictObject &b) {
  addSteps(1 + a.entries.size());
  return a.entries.size() == b.entries.size() &&
         std::ranges::all_of(a.entries, [&](const auto &entry) {
           const Value *other = b.find(entry.first);
           return other && isEqual(entry.second, *other);
         });
}

/// An exact number of either kind: long double has all 64 bits of an integer.
long double getExact(const Value &value) {
  return value.is(Kind::Float) ? static_cast<long double>(value.getFloat())
                               : static_cast<long double>(value.getInt());
}

bool isLessItems(const Items &a, const Items &b) {
  addSteps(1);
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    if (!isEqual(a[i], b[i]))
      return isLess(a[i], b[i]);
  return a.size() < b.size();
}

Next iterateItems(const Value &value) {
  return [value, i = size_t(0)]() mutable -> std::optional<Value> {
    if (i == value.getItems().size())
      return std::nullopt;
    return value.getItems()[i++];
  };
}

Next iterateCharacters(const Value &value) {
  return [value, i = size_t(0)]() mutable -> std::optional<Value> {
    const Text &text = value.getText();
    if (i == text.size())
      return std::nullopt;
    size_t begin = i;
    i += getCharacterSize(text.bytes(), i);
    return Value::string(text.slice(begin, i));
  };
}

Next iterateRange(const RangeObject &range) {
  return [begin = range.begin, step = range.step,
          left = range.getSize()]() mutable -> std::optional<Value> {
    if (left-- <= 0)
      return std::nullopt;
    int64_t value = begin;
    if (left > 0)
      begin += step;
    return Value::integer(value);
  };
}

Next iterateKeys(const Value &value) {
  return [value, i = size_t(0)]() mutable -> std::optional<Value> {
    const auto &entries = value.getDict().entries;
    if (i == entries.size())
      return std::nullopt;
    return entries[i++].first;
  };
}

} // namespace

void failUndefined(const Value &value) { fail(value.getUndefinedMessage()); }

const char *getTypeName(const Value &value) {
  switch (value.getKind()) {
  case Kind::Undefined:
    return "Undefined";
  case Kind::None:
    return "NoneType";
  case Kind::Bool:
    return "bool";
  case Kind::Int:
    return "int";
  case Kind::Float:
    return "float";
  case Kind::String:
    return value.isMarkup() ? "Markup" : "str";
  case Kind::List:
    return "list";
  case Kind::Dict:
    return "dict";
  case Kind::Tuple:
  case Kind::View:
    return static_cast<const ListObject *>(value.getObject())->type;
  case Kind::Range:
    return "range";
  case Kind::Generator:
    return "generator";
  case Kind::Namespace:
    return "Namespace";
  case Kind::Function:
    return value.getFunction().getType();
  }
  return "";
}

bool isTrue(const Value &value) {
  switch (value.getKind()) {
  case Kind::Undefined:
  case Kind::None:
    return false;
  case Kind::Bool:
  case Kind::Int:
    return value.getInt() != 0;
  case Kind::Float:
    return value.getFloat() != 0;
  case Kind::String:
    return !value.getText().empty();
  case Kind::List:
  case Kind::Tuple:
  case Kind::View:
    return !value.getItems().empty();
  case Kind::Dict:
    return !value.getDict().entries.empty();
  case Kind::Range:
    return value.getRange().getSize() > 0;
  case Kind::Generator:
  case Kind::Namespace:
  case Kind::Function:
    return true;
  }
  return false;
}

bool isEqual(const Value &a, const Value &b) {
  if (a.isNumber() && b.isNumber())
    return getExact(a) == getExact(b);
  if (a.getKind() != b.getKind())
    return false;
  switch (a.getKind()) {
  case Kind::Undefined:
  case Kind::None:
    return true;
  case Kind::String:
    return a.getBytes() == b.getBytes();
  case Kind::List:
  case Kind::Tuple:
  case Kind::View:
    return areItemsEqual(a.getItems(), b.getItems());
  case Kind::Dict:
    return areDictsEqual(a.getDict(), b.getDict());
  case Kind::Range:
    return areItemsEqual(collect(a), collect(b));
  default:
    return a.getObject() == b.getObject();
  }
}

bool isLess(const Value &a, const Value &b) {
  if (a.isUndefined())
    failUndefined(a);
  if (b.isUndefined())
    failUndefined(b);
  if (a.isNumber() && b.isNumber())
    return getExact(a) < getExact(b);
  if (a.isString() && b.isString())
    return a.getBytes() < b.getBytes();
  if (isSequence(a) && a.getKind() == b.getKind())
    return isLessItems(a.getItems(), b.getItems());
  fail("expected two values that have an order, found '", getTypeName(a),
       "' and '", getTypeName(b), "'");
}

std::string getHashKey(const Value &key) {
  switch (key.getKind()) {
  case Kind::String:
    return "s" + std::string(key.getBytes());
  case Kind::Bool:
  case Kind::Int:
    return "n" + std::to_string(key.getInt());
  case Kind::Float: {
    double value = key.getFloat();
    if (std::nearbyint(value) == value && std::abs(value) < 0x1p63)
      return "n" + std::to_string(static_cast<int64_t>(value));
    return "f" + formatFloat(value);
  }
  case Kind::None:
    return "N";
  case Kind::Undefined:
    return "U";
  case Kind::Tuple: {
    std::string text = "t";
    for (const Value &item : key.getItems()) {
      std::string part = getHashKey(item);
      text += std::to_string(part.size()) + ":" + part;
    }
    addBytes(text.size());
    return text;
  }
  case Kind::List:
  case Kind::Dict:
  case Kind::View:
    fail("expected a key that can be hashed, found '", getTypeName(key), "'");
  default:
    return "o" + std::to_string(reinterpret_cast<uintptr_t>(key.getObject()));
  }
}

Next iterate(const Value &value) {
  switch (value.getKind()) {
  case Kind::Undefined:
    return []() -> std::optional<Value> { return std::nullopt; };
  case Kind::String:
    return iterateCharacters(value);
  case Kind::List:
  case Kind::Tuple:
  case Kind::View:
    return iterateItems(value);
  case Kind::Dict:
    return iterateKeys(value);
  case Kind::Range:
    return iterateRange(value.getRange());
  case Kind::Generator:
    return [value] { return value.getGenerator().next(); };
  default:
    fail("expected something to go through, found '", getTypeName(value), "'");
  }
}

Items collect(const Value &value) {
  if (value.isList() || value.is(Kind::Tuple) || value.is(Kind::View))
    return value.getItems();
  Next next = iterate(value);
  Items items;
  while (std::optional<Value> item = next()) {
    addSteps(1);
    addBytes(sizeof(Value));
    items.push_back(std::move(*item));
  }
  return items;
}

int64_t getLength(const Value &value) {
  switch (value.getKind()) {
  case Kind::Undefined:
    return 0;
  case Kind::String:
    return static_cast<int64_t>(countCharacters(value.getBytes()));
  case Kind::List:
  case Kind::Tuple:
  case Kind::View:
    return static_cast<int64_t>(value.getItems().size());
  case Kind::Dict:
    return static_cast<int64_t>(value.getDict().entries.size());
  case Kind::Range:
    return value.getRange().getSize();
  default:
    fail("expected something with a length, found '", getTypeName(value), "'");
  }
}

bool contains(const Value &haystack, const Value &needle) {
  if (haystack.isString()) {
    if (!needle.isString())
      fail("operator 'in': expected a string, found '", getTypeName(needle),
           "'");
    return haystack.getBytes().find(needle.getBytes()) !=
           std::string_view::npos;
  }
  if (haystack.isDict())
    return haystack.getDict().find(needle) != nullptr;
  Next next = iterate(haystack);
  while (std::optional<Value> item = next()) {
    addSteps(1);
    if (isEqual(*item, needle))
      return true;
  }
  return false;
}

} // namespace llamart::jinja
