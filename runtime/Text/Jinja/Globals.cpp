//===- Globals.cpp - Functions that every template has --------------------===//

#include "runtime/Text/Jinja/Builtins.h"
#include "runtime/Text/Jinja/Format.h"
#include "runtime/Text/Jinja/Interpreter.h"
#include "runtime/Text/Jinja/TemplateError.h"

#include <algorithm>

namespace llamart::jinja {
namespace {

/// As Jinja2's sandbox has it.
constexpr int64_t kLongestRange = 100000;

using GlobalFunction = Value (*)(Interpreter &, Arguments &);

struct Global : Function {
  GlobalFunction function = nullptr;

  Value call(Interpreter &interpreter, Arguments arguments) override {
    return function(interpreter, arguments);
  }
};

Value makeRange(Interpreter &, Arguments &arguments) {
  const Items &given = arguments.positional;
  if (given.empty() || given.size() > 3 || !arguments.named.empty())
    fail("range: expected 1 to 3 arguments, found ", given.size());
  int64_t first = toIndex("range", given[0]), begin = 0, end = first, step = 1;
  if (given.size() > 1) {
    begin = first;
    end = toIndex("range", given[1]);
  }
  if (given.size() > 2)
    step = toIndex("range", given[2]);
  if (step == 0)
    fail("range: expected a step other than 0, found 0");
  Value range = Value::range(begin, end, step);
  if (range.getRange().getSize() > kLongestRange)
    fail("range: expected at most ", kLongestRange, " numbers, found ",
         range.getRange().getSize());
  return range;
}

/// What dict() and namespace() are given: a dict or pairs, then names.
std::shared_ptr<DictObject> readEntries(const char *what,
                                        const Arguments &arguments) {
  auto dict = std::make_shared<DictObject>();
  if (arguments.positional.size() > 1)
    fail(what, ": expected at most one argument without a name, found ",
         arguments.positional.size());
  for (const Value &given : arguments.positional) {
    if (given.isUndefined()) // Nothing to go through elsewhere, but not here.
      failUndefined(given);
    if (given.isDict()) {
      for (const auto &[key, value] : given.getDict().entries)
        dict->set(key, value);
      continue;
    }
    for (const Value &pair : collect(given)) {
      Items items = collect(pair);
      if (items.size() != 2)
        fail(what, ": expected pairs, found ", items.size(), " items");
      dict->set(items[0], items[1]);
    }
  }
  for (const auto &[name, value] : arguments.named)
    dict->set(name, value);
  return dict;
}

Value makeDict(Interpreter &, Arguments &arguments) {
  return Value::dict(readEntries("dict", arguments));
}

Value makeNamespace(Interpreter &interpreter, Arguments &arguments) {
  auto object = std::make_shared<NamespaceObject>();
  object->attributes = readEntries("namespace", arguments);
  interpreter.keep(object);
  return Value::nameSpace(object);
}

Value raiseException(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("raise_exception", arguments);
  Text words = toText(reader.require("message"));
  reader.finish();
  throw TemplateError::raise(std::string(words.bytes()));
}

Value formatNow(Interpreter &interpreter, Arguments &arguments) {
  ArgumentReader reader("strftime_now", arguments);
  const Value &format = reader.require("format");
  reader.finish();
  if (!format.isString())
    fail("strftime_now: expected a string, found '", getTypeName(format), "'");
  return Value::string(formatTime(format.getBytes(), interpreter.getTime()),
                       format.getText().getWeakestOrigin());
}

//===----------------------------------------------------------------------===//
// Those with a state
//===----------------------------------------------------------------------===//

struct Cycler : Function, std::enable_shared_from_this<Cycler> {
  Items items;
  size_t position = 0;

  Value call(Interpreter &, Arguments) override {
    fail("expected something that can be called, found 'Cycler'");
  }
  std::optional<Value> getAttribute(std::string_view name) override;
  const char *getType() const override { return "jinja2.utils.Cycler"; }
};

/// cycler.next and cycler.reset
struct CyclerMethod : Function {
  std::shared_ptr<Cycler> cycler;
  bool resets = false;

  Value call(Interpreter &, Arguments) override {
    size_t at = cycler->position;
    cycler->position = resets ? 0 : (at + 1) % cycler->items.size();
    return resets ? Value::none() : cycler->items[at];
  }
};

struct Joiner : Function {
  Text separator;
  bool used = false;

  Value call(Interpreter &, Arguments) override {
    Value text = Value::string(used ? separator : Text());
    used = true;
    return text;
  }
  const char *getType() const override { return "jinja2.utils.Joiner"; }
};

std::optional<Value> Cycler::getAttribute(std::string_view name) {
  if (name == "current")
    return items[position];
  if (name != "next" && name != "reset")
    return std::nullopt;
  auto method = std::make_shared<CyclerMethod>();
  method->cycler = shared_from_this();
  method->depth = depth + 1;
  method->resets = name == "reset";
  return Value::function(method);
}

Value makeCycler(Interpreter &, Arguments &arguments) {
  if (arguments.positional.empty() || !arguments.named.empty())
    fail("cycler: expected values, found none");
  auto cycler = std::make_shared<Cycler>();
  Value list = Value::list(arguments.positional);
  cycler->items = list.getItems();
  cycler->depth = list.getDepth();
  return Value::function(cycler);
}

Value makeJoiner(Interpreter &, Arguments &arguments) {
  ArgumentReader reader("joiner", arguments);
  auto joiner = std::make_shared<Joiner>();
  joiner->separator = reader.getText("sep", Text(", ", Origin::Literal));
  reader.finish();
  return Value::function(joiner);
}

constexpr NamedFunction<GlobalFunction> kGlobals[] = {
    {"cycler", makeCycler},      {"dict", makeDict},
    {"joiner", makeJoiner},      {"namespace", makeNamespace},
    {"range", makeRange},        {"raise_exception", raiseException},
    {"strftime_now", formatNow},
};

} // namespace

std::optional<Value> findGlobal(std::string_view name) {
  for (const auto &known : kGlobals)
    if (known.name == name) {
      auto global = std::make_shared<Global>();
      global->function = known.function;
      return Value::function(global);
    }
  if (name == "lipsum")
    fail("expected a function that is supported, found 'lipsum'");
  return std::nullopt;
}

} // namespace llamart::jinja
