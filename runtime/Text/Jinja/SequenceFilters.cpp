//===- SequenceFilters.cpp - Filters of lists and dicts -------------------===//

#include "runtime/Text/Jinja/Builtins.h"
#include "runtime/Text/Jinja/Format.h"
#include "runtime/Text/Jinja/Meter.h"
#include "runtime/Text/Jinja/Sorting.h"
#include "runtime/Text/Jinja/Strings.h"
#include "runtime/Text/Jinja/TemplateError.h"
#include "runtime/Text/Jinja/Unicode.h"

#include <algorithm>

namespace llamart::jinja {
namespace {

/// "a.0.b" to what is looked up one after the other; an integer alone is one.
Items parsePath(const Value &attribute) {
  if (attribute.isNone())
    return {};
  if (!attribute.isString())
    return {attribute};
  Items path;
  for (const Text &part : splitAt(attribute.getText(), ".", -1)) {
    bool digits =
        !part.empty() && std::ranges::all_of(part.bytes(), [](char c) {
          return c >= '0' && c <= '9';
        });
    path.push_back(digits && part.size() < 18
                       ? Value::integer(std::stoll(std::string(part.bytes())))
                       : Value::string(part));
  }
  return path;
}

/// The parameter `attribute` of many filters.
Items readPath(ArgumentReader &reader) {
  const Value *attribute = reader.find("attribute");
  return attribute ? parsePath(*attribute) : Items();
}

Value follow(Value item, const Items &path, const Value *otherwise = nullptr) {
  for (const Value &part : path) {
    item = getItem(item, part);
    if (otherwise && !otherwise->isNone() && item.isUndefined())
      item = *otherwise;
  }
  return item;
}

Value ignoreCase(const Value &value) {
  return value.isString() ? Value::string(makeLower(value.getText())) : value;
}

const Value &require(Arguments &arguments) {
  ArgumentReader reader("filter", arguments);
  const Value &value = reader.require("value");
  reader.finish();
  return value;
}

Value filterLength(Interpreter &, Arguments &arguments) {
  return Value::integer(getLength(require(arguments)));
}

Value filterList(Interpreter &, Arguments &arguments) {
  return Value::list(collect(require(arguments)));
}

Value filterFirst(Interpreter &, Arguments &arguments) {
  std::optional<Value> first = iterate(require(arguments))();
  return first ? *first
               : Value::undefined("No first item, sequence was empty.");
}

Items reverseOf(const Value &value) {
  if (value.is(Kind::Generator))
    fail("expected something to go through backwards, found 'generator'");
  Items items = collect(value);
  std::ranges::reverse(items);
  return items;
}

Value filterLast(Interpreter &, Arguments &arguments) {
  const Value &value = require(arguments);
  Items items = reverseOf(value);
  return items.empty() ? Value::undefined("No last item, sequence was empty.")
                       : items.front();
}

Value makeGenerator(Items items) {
  Value list = Value::list(std::move(items));
  return Value::generator(iterate(list), list);
}

Value filterReverse(Interpreter &, Arguments &arguments) {
  const Value &value = require(arguments);
  Items items = value.is(Kind::Generator) ? collect(value) : Items();
  if (value.is(Kind::Generator)) {
    std::ranges::reverse(items);
    return Value::list(std::move(items));
  }
  items = reverseOf(value);
  if (!value.isString())
    return makeGenerator(std::move(items));
  Text text;
  for (const Value &item : items)
    text.append(item.getText());
  return Value::string(std::move(text), value.isMarkup());
}

Value filterJoin(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("join", arguments);
  const Value &value = reader.require("value");
  const Value *separator = reader.find("d");
  Items path = readPath(reader);
  reader.finish();
  std::vector<Text> parts;
  for (const Value &item : collect(value))
    parts.push_back(toText(follow(item, path)));
  return Value::string(
      joinTexts(separator ? toText(*separator) : Text(), parts));
}

Value filterItems(Interpreter &, Arguments &arguments) {
  const Value &value = require(arguments);
  Items items;
  if (value.isDict())
    for (const auto &[key, item] : value.getDict().entries)
      items.push_back(Value::tuple({key, item}));
  else if (!value.isUndefined())
    fail("items: expected a dict, found '", getTypeName(value), "'");
  return makeGenerator(std::move(items));
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

/// Items in the order of their keys, as Python's sorted.
Items sortByKeys(const Items &items, const Items &keys, bool reverse) {
  std::vector<size_t> order(items.size());
  for (size_t i = 0; i < order.size(); ++i)
    order[i] = i;
  sortStably(order, [&](size_t a, size_t b) {
    addSteps(1);
    return reverse ? isLess(keys[b], keys[a]) : isLess(keys[a], keys[b]);
  });
  Items sorted;
  for (size_t i : order)
    sorted.push_back(items[i]);
  return sorted;
}

Value filterDictSort(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("dictsort", arguments);
  const Value &value = reader.require("value");
  bool caseSensitive = reader.getBool("case_sensitive", false);
  Text by = reader.getText("by", Text("key", Origin::Literal));
  // Python takes an integer only.
  bool reverse = reader.getInteger("reverse", 0) != 0;
  reader.finish();
  if (by.bytes() != "key" && by.bytes() != "value")
    fail("dictsort: expected by='key' or by='value', found '", by.bytes(), "'");
  if (value.isUndefined())
    failUndefined(value);
  if (!value.isDict())
    fail("dictsort: expected a dict, found '", getTypeName(value), "'");
  Items items, keys;
  for (const auto &[key, item] : value.getDict().entries) {
    items.push_back(Value::tuple({key, item}));
    const Value &sorted = by.bytes() == "key" ? key : item;
    keys.push_back(caseSensitive ? sorted : ignoreCase(sorted));
  }
  return Value::list(sortByKeys(items, keys, reverse));
}

Value filterSort(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("sort", arguments);
  const Value &value = reader.require("value");
  // Python takes an integer only.
  bool reverse = reader.getInteger("reverse", 0) != 0;
  bool caseSensitive = reader.getBool("case_sensitive", false);
  const Value *attribute = reader.find("attribute");
  reader.finish();
  std::vector<Items> paths;
  if (attribute && attribute->isString())
    for (const Text &part : splitAt(attribute->getText(), ",", -1))
      paths.push_back(parsePath(Value::string(part)));
  else
    paths.push_back(attribute ? parsePath(*attribute) : Items());
  Items items = collect(value), keys;
  for (const Value &item : items) {
    Items key;
    for (const Items &path : paths) {
      Value found = follow(item, path);
      key.push_back(caseSensitive ? found : ignoreCase(found));
    }
    keys.push_back(Value::list(std::move(key)));
  }
  return Value::list(sortByKeys(items, keys, reverse));
}

template <bool largest>
Value filterExtreme(Interpreter &, Arguments &arguments) {
  ArgumentReader reader(largest ? "max" : "min", arguments);
  const Value &value = reader.require("value");
  bool caseSensitive = reader.getBool("case_sensitive", false);
  Items path = readPath(reader);
  reader.finish();
  Value best = Value::undefined("No aggregated item, sequence was empty."),
        bestKey;
  bool first = true;
  for (const Value &item : collect(value)) {
    Value key = follow(item, path);
    if (!caseSensitive)
      key = ignoreCase(key);
    if (first || (largest ? isLess(bestKey, key) : isLess(key, bestKey))) {
      best = item;
      bestKey = key;
    }
    first = false;
  }
  return best;
}

Value filterUnique(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("unique", arguments);
  const Value &value = reader.require("value");
  bool caseSensitive = reader.getBool("case_sensitive", false);
  Items path = readPath(reader), items;
  reader.finish();
  DictObject seen;
  for (const Value &item : collect(value)) {
    Value key = follow(item, path);
    if (!caseSensitive)
      key = ignoreCase(key);
    if (seen.find(key))
      continue;
    seen.set(key, Value::none());
    items.push_back(item);
  }
  return makeGenerator(std::move(items));
}

Value filterGroupBy(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("groupby", arguments);
  const Value &value = reader.require("value");
  Items path = parsePath(reader.require("attribute"));
  const Value *otherwise = reader.find("default");
  bool caseSensitive = reader.getBool("case_sensitive", false);
  reader.finish();
  Items items = collect(value), keys;
  for (const Value &item : items) {
    Value key = follow(item, path, otherwise);
    keys.push_back(caseSensitive ? key : ignoreCase(key));
  }
  Items pairs;
  for (size_t i = 0; i < items.size(); ++i)
    pairs.push_back(Value::tuple({keys[i], items[i]}));
  pairs = sortByKeys(pairs, keys, false);
  Items groups;
  for (size_t i = 0; i < pairs.size();) {
    Value first = pairs[i].getItems()[0];
    Value shown = follow(pairs[i].getItems()[1], path, otherwise);
    Items group;
    for (; i < pairs.size() && isEqual(pairs[i].getItems()[0], first); ++i)
      group.push_back(pairs[i].getItems()[1]);
    groups.push_back(Value::group(shown, Value::list(std::move(group))));
  }
  return Value::list(std::move(groups));
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

Value filterBatch(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("batch", arguments);
  Items items = collect(reader.require("value"));
  int64_t count = toIndex("batch", reader.require("linecount"));
  const Value *fill = reader.find("fill_with");
  reader.finish();
  Items lines, line;
  for (const Value &item : items) {
    if (static_cast<int64_t>(line.size()) == count) {
      lines.push_back(Value::list(std::exchange(line, {})));
    }
    line.push_back(item);
  }
  if (!line.empty()) {
    if (fill && !fill->isNone())
      while (static_cast<int64_t>(line.size()) < count) {
        addBytes(sizeof(Value));
        line.push_back(*fill);
      }
    lines.push_back(Value::list(std::move(line)));
  }
  return makeGenerator(std::move(lines));
}

Value filterSlice(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("slice", arguments);
  Items items = collect(reader.require("value"));
  int64_t slices = toIndex("slice", reader.require("slices"));
  const Value *fill = reader.find("fill_with");
  reader.finish();
  if (slices == 0)
    fail("slice: expected a number of slices other than 0, found 0");
  Items columns;
  size_t at = 0;
  for (int64_t i = 0; i < slices; ++i) {
    addSteps(1);
    auto count = static_cast<int64_t>(items.size());
    bool longer = i < count % slices;
    Items column;
    for (int64_t j = 0; j < count / slices + longer; ++j)
      column.push_back(items[at++]);
    if (!longer && fill && !fill->isNone())
      column.push_back(*fill);
    columns.push_back(Value::list(std::move(column)));
  }
  return makeGenerator(std::move(columns));
}

Value filterSum(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("sum", arguments);
  const Value &value = reader.require("iterable");
  Items path = readPath(reader);
  const Value *start = reader.find("start");
  reader.finish();
  Value total = start ? *start : Value::integer(0);
  if (total.isString())
    fail("sum: expected a start that is no string, found one");
  for (const Value &item : collect(value))
    total = computeBinary("+", total, follow(item, path));
  return total;
}

Value filterAttr(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("attr", arguments);
  const Value &value = reader.require("obj");
  const Value &name = reader.require("name");
  reader.finish();
  if (!name.isString())
    fail("attr: expected a string, found '", getTypeName(name), "'");
  if (value.isUndefined())
    failUndefined(value);
  if (!value.isDict() || findMethod(value, name.getBytes()))
    return getAttribute(value, name.getBytes());
  return Value::undefined("'dict object' has no attribute '" +
                          std::string(name.getBytes()) + "'");
}

//===----------------------------------------------------------------------===//
// map, select, reject
//===----------------------------------------------------------------------===//

/// What is left of `arguments` after the value and `count` more.
Arguments dropFirst(const Arguments &arguments, size_t count) {
  Arguments rest = arguments;
  auto first = rest.positional.begin();
  rest.positional.erase(first, first + static_cast<ptrdiff_t>(std::min(
                                           count, rest.positional.size())));
  return rest;
}

/// The attribute that map(attribute=...) names, with its default.
struct MappedAttribute {
  Items path;
  Value otherwise;
};

std::optional<MappedAttribute> findMapped(Arguments &arguments) {
  auto named = [&](std::string_view name) {
    return std::ranges::find(arguments.named, name,
                             &std::pair<std::string, Value>::first);
  };
  if (arguments.positional.size() > 1 ||
      named("attribute") == arguments.named.end())
    return std::nullopt;
  ArgumentReader reader("map", arguments);
  reader.require("value");
  MappedAttribute mapped{parsePath(reader.require("attribute")), {}};
  if (const Value *otherwise = reader.find("default"))
    mapped.otherwise = *otherwise;
  reader.finish();
  return mapped;
}

Value mapAttribute(const Value &value, MappedAttribute mapped) {
  auto next = [items = iterate(value), mapped]() -> std::optional<Value> {
    std::optional<Value> item = items();
    if (item)
      *item = follow(*item, mapped.path, &mapped.otherwise);
    return item;
  };
  return Value::generator(next, value);
}

const Value &getName(const char *what, const Arguments &arguments, size_t at) {
  if (at >= arguments.positional.size() || !arguments.positional[at].isString())
    fail(what, ": expected a name, found none");
  return arguments.positional[at];
}

/// A generator that fails where it is used first, as Python's do.
Value filterMap(Interpreter &interpreter, Arguments &arguments) {
  Value value = arguments.positional.front();
  if (!isTrue(value))
    return makeGenerator({});
  if (auto mapped = findMapped(arguments))
    return mapAttribute(value, std::move(*mapped));
  Value name = getName("map", arguments, 1);
  FilterFunction filter = findFilter(name.getBytes());
  if (!filter)
    fail("expected a filter that is known, found '", name.getBytes(), "'");
  auto next = [items = iterate(value), filter, &interpreter,
               rest = dropFirst(arguments, 2)]() -> std::optional<Value> {
    std::optional<Value> item = items();
    if (!item)
      return item;
    addSteps(1);
    Arguments given = rest;
    given.positional.insert(given.positional.begin(), *item);
    return filter(interpreter, given);
  };
  return Value::generator(next, value);
}

template <bool wanted, bool ofAttribute>
Value filterSelect(Interpreter &interpreter, Arguments &arguments) {
  Value value = arguments.positional.front();
  if (!isTrue(value))
    return makeGenerator({});
  Items path;
  if (ofAttribute) {
    if (arguments.positional.size() < 2)
      fail("expected the name of an attribute, found none");
    path = parsePath(arguments.positional[1]);
  }
  size_t at = ofAttribute ? 2 : 1;
  TestFunction test = nullptr;
  if (at < arguments.positional.size()) {
    Value name = getName("select", arguments, at);
    test = findTest(name.getBytes());
    if (!test)
      fail("expected a test that is known, found '", name.getBytes(), "'");
  }
  auto next = [items = iterate(value), test, path, &interpreter,
               rest = dropFirst(arguments, at + 1)]() -> std::optional<Value> {
    while (std::optional<Value> item = items()) {
      addSteps(1);
      Value tested = follow(*item, path);
      Arguments given = rest;
      given.positional.insert(given.positional.begin(), tested);
      if ((test ? test(interpreter, given) : isTrue(tested)) == wanted)
        return item;
    }
    return std::nullopt;
  };
  return Value::generator(next, value);
}

constexpr NamedFunction<FilterFunction> kSequenceFilters[] = {
    {"attr", filterAttr},
    {"batch", filterBatch},
    {"count", filterLength},
    {"dictsort", filterDictSort},
    {"first", filterFirst},
    {"groupby", filterGroupBy},
    {"items", filterItems},
    {"join", filterJoin},
    {"last", filterLast},
    {"length", filterLength},
    {"list", filterList},
    {"map", filterMap},
    {"max", filterExtreme<true>},
    {"min", filterExtreme<false>},
    {"reject", filterSelect<false, false>},
    {"rejectattr", filterSelect<false, true>},
    {"reverse", filterReverse},
    {"select", filterSelect<true, false>},
    {"selectattr", filterSelect<true, true>},
    {"slice", filterSlice},
    {"sort", filterSort},
    {"sum", filterSum},
    {"unique", filterUnique},
};

} // namespace

std::span<const NamedFunction<FilterFunction>> getSequenceFilters() {
  return kSequenceFilters;
}

} // namespace llamart::jinja
