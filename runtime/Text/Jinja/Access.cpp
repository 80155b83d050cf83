//===- Access.cpp - Attributes, items and slices --------------------------===//
//
// Jinja's rules: x.name is an attribute, or else an item; x['name'] is an item,
// or else an attribute; what is neither is undefined.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Jinja/Builtins.h"
#include "runtime/Text/Jinja/Format.h"
#include "runtime/Text/Jinja/Meter.h"
#include "runtime/Text/Jinja/TemplateError.h"
#include "runtime/Text/Jinja/Unicode.h"

#include <algorithm>
#include <limits>

namespace llamart::jinja {
namespace {

/// How Jinja names the type of an object in an error.
std::string describeObject(const Value &value) {
  if (value.isNone())
    return "None";
  std::string type = getTypeName(value);
  if (value.is(Kind::Namespace))
    type = "jinja2.utils.Namespace";
  else if (value.isMarkup())
    type = "markupsafe.Markup";
  return type + " object";
}

Value makeUndefined(const Value &object, const Value &key) {
  std::string shown(toRepr(key).bytes());
  if (key.isString())
    return Value::undefined("'" + describeObject(object) +
                            "' has no attribute " + shown);
  return Value::undefined(describeObject(object) + " has no element " + shown);
}

std::optional<Value> findAttribute(const Value &object, std::string_view name) {
  if (object.is(Kind::Namespace)) {
    const Value *found = object.getNamespace().attributes->find(name);
    return found ? std::optional(*found) : std::nullopt;
  }
  if (object.is(Kind::Function))
    return object.getFunction().getAttribute(name);
  if (object.isGroup() && (name == "grouper" || name == "list"))
    return object.getItems()[name == "list"];
  return findMethod(object, name);
}

std::optional<Value> findElement(const Value &object, int64_t index) {
  int64_t size = getLength(object);
  if (index < 0)
    index += size;
  if (index < 0 || index >= size)
    return std::nullopt;
  auto at = static_cast<size_t>(index);
  if (object.isString()) {
    std::vector<size_t> begins = findCharacters(object.getBytes());
    return Value::string(object.getText().slice(begins[at], begins[at + 1]),
                         object.isMarkup());
  }
  if (object.is(Kind::Range))
    return Value::integer(object.getRange().begin +
                          index * object.getRange().step);
  return object.getItems()[at];
}

bool isIndexable(const Value &object) {
  return object.isString() || object.isList() || object.is(Kind::Tuple) ||
         object.is(Kind::Range);
}

bool isHashable(const Value &key) {
  if (key.is(Kind::Tuple))
    return std::ranges::all_of(key.getItems(), isHashable);
  return !key.isList() && !key.isDict() && !key.is(Kind::View);
}

std::optional<Value> findItem(const Value &object, const Value &key) {
  if (object.isDict()) {
    const Value *found = isHashable(key) ? object.getDict().find(key) : nullptr;
    return found ? std::optional(*found) : std::nullopt;
  }
  if (isIndexable(object) && key.isInteger())
    return findElement(object, key.getInt());
  return std::nullopt;
}

struct SliceBounds {
  int64_t begin, end, step, count;
};

/// As Python's slice.indices.
SliceBounds findBounds(int64_t size, const Value &begin, const Value &end,
                       const Value &step) {
  int64_t stride = step.isNone() ? 1 : toIndex("slice", step);
  if (stride == 0)
    fail("slice: expected a step other than 0, found 0");
  stride = std::max(stride, -std::numeric_limits<int64_t>::max());
  int64_t lower = stride < 0 ? -1 : 0, upper = stride < 0 ? size - 1 : size;
  auto clamp = [&](const Value &value, int64_t otherwise) {
    if (value.isNone())
      return otherwise;
    int64_t index = toIndex("slice", value);
    if (index < 0)
      return std::max(index + size, lower);
    return std::min(index, upper);
  };
  int64_t first = clamp(begin, stride < 0 ? upper : lower);
  int64_t last = clamp(end, stride < 0 ? lower : upper);
  RangeObject range;
  range.begin = first;
  range.end = last;
  range.step = stride;
  return {first, last, stride, range.getSize()};
}

Value sliceString(const Value &object, const SliceBounds &bounds) {
  std::vector<size_t> begins = findCharacters(object.getBytes());
  auto at = [&](int64_t index) { return begins[static_cast<size_t>(index)]; };
  Text text;
  if (bounds.step == 1 && bounds.count > 0)
    text = object.getText().slice(at(bounds.begin),
                                  at(bounds.begin + bounds.count));
  else
    for (int64_t i = 0; i < bounds.count; ++i) {
      int64_t index = bounds.begin + i * bounds.step;
      text.append(object.getText(), at(index), at(index + 1));
    }
  return Value::string(std::move(text), object.isMarkup());
}

/// As Python says it: range(2, 9, 3)[1:] is range(5, 11, 3).
Value sliceRange(const RangeObject &range, const SliceBounds &bounds) {
  auto at = [&](int64_t index) {
    Value offset =
        computeBinary("*", Value::integer(index), Value::integer(range.step));
    return computeBinary("+", Value::integer(range.begin), offset).getInt();
  };
  int64_t step = computeBinary("*", Value::integer(bounds.step),
                               Value::integer(range.step))
                     .getInt();
  return Value::range(at(bounds.begin), at(bounds.end), step);
}

} // namespace

int64_t toIndex(const char *what, const Value &value) {
  if (value.isUndefined())
    failUndefined(value);
  if (!value.isInteger())
    fail(what, ": expected an integer, found '", getTypeName(value), "'");
  return value.getInt();
}

Value getItem(const Value &object, const Value &key) {
  if (object.isUndefined())
    failUndefined(object);
  if (std::optional<Value> item = findItem(object, key))
    return *item;
  if (key.isString())
    if (std::optional<Value> found = findAttribute(object, key.getBytes()))
      return *found;
  return makeUndefined(object, key);
}

Value getAttribute(const Value &object, std::string_view name) {
  if (object.isUndefined())
    failUndefined(object);
  if (std::optional<Value> found = findAttribute(object, name))
    return *found;
  if (object.isDict())
    if (const Value *found = object.getDict().find(name))
      return *found;
  return makeUndefined(object, Value::string(name, Origin::Literal));
}

Value getSlice(const Value &object, const Value &begin, const Value &end,
               const Value &step) {
  if (object.isUndefined())
    failUndefined(object);
  if (!isIndexable(object))
    fail("slice: expected a string, a list, a tuple or a range, found '",
         getTypeName(object), "'");
  SliceBounds bounds = findBounds(getLength(object), begin, end, step);
  if (object.isString())
    return sliceString(object, bounds);
  if (object.is(Kind::Range))
    return sliceRange(object.getRange(), bounds);
  Items items;
  for (int64_t i = 0; i < bounds.count; ++i)
    if (auto item = findElement(object, bounds.begin + i * bounds.step))
      items.push_back(*item);
  return object.isList() ? Value::list(std::move(items))
                         : Value::tuple(std::move(items));
}

Value callValue(Interpreter &interpreter, const Value &function,
                Arguments arguments) {
  // The object lives as long as the call, whatever that does.
  // NOLINTNEXTLINE(performance-unnecessary-copy-initialization)
  const Value kept = function;
  if (function.isUndefined())
    failUndefined(function);
  if (!function.is(Kind::Function))
    fail("expected something that can be called, found '",
         getTypeName(function), "'");
  return kept.getFunction().call(interpreter, std::move(arguments));
}

const Value *ArgumentReader::find(std::string_view name) {
  const Value *found = nullptr;
  if (position < arguments.positional.size())
    found = &arguments.positional[position];
  ++position;
  for (const auto &[given, value] : arguments.named)
    if (given == name) {
      if (found)
        fail(what, ": expected argument '", name, "' once, found it twice");
      found = &value;
      ++namedUsed;
    }
  return found;
}

const Value &ArgumentReader::require(std::string_view name) {
  const Value *found = find(name);
  if (!found)
    fail(what, ": expected argument '", name, "', found none");
  return *found;
}

int64_t ArgumentReader::getInteger(std::string_view name, int64_t otherwise) {
  const Value *found = find(name);
  return found ? toIndex(what, *found) : otherwise;
}

bool ArgumentReader::getBool(std::string_view name, bool otherwise) {
  const Value *found = find(name);
  return found ? isTrue(*found) : otherwise;
}

Text ArgumentReader::getText(std::string_view name, const Text &otherwise) {
  const Value *found = find(name);
  if (!found)
    return otherwise;
  if (!found->isString())
    fail(what, ": expected a string as '", name, "', found '",
         getTypeName(*found), "'");
  return found->getText();
}

void ArgumentReader::finish() const {
  if (position < arguments.positional.size())
    fail(what, ": expected at most ", position, " arguments, found ",
         arguments.positional.size());
  if (namedUsed < arguments.named.size())
    fail(what, ": expected only arguments that it has, found one more by name");
}

} // namespace llamart::jinja
