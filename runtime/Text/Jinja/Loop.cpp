//===- Loop.cpp - The variable `loop` of a for ----------------------------===//

#include "runtime/Text/Jinja/Loop.h"

#include "runtime/Text/Jinja/Builtins.h"
#include "runtime/Text/Jinja/TemplateError.h"

namespace llamart::jinja {
namespace {

/// loop.cycle and loop.changed
struct LoopMethod : Function {
  std::shared_ptr<LoopContext> loop;
  bool cycles = false;

  Value call(Interpreter &, Arguments arguments) override {
    if (cycles)
      return loop->cycle(arguments.positional);
    return Value::boolean(loop->hasChanged(std::move(arguments.positional)));
  }
  const char *getType() const override { return "method"; }
};

Value valueOr(const Value *item, const char *why) {
  return item ? *item : Value::undefined(why);
}

} // namespace

LoopContext::LoopContext(Next next, const Value &items,
                         const Statement &statement, ScopePtr outer,
                         int64_t depth)
    : next(std::move(next)), statement(statement), outer(std::move(outer)),
      depth(depth) {
  if (!statement.filter && !items.is(Kind::Generator))
    length = jinja::getLength(items);
}

const Value *LoopContext::peek() {
  if (!after)
    after = next();
  return after ? &*after : nullptr;
}

std::optional<Value> LoopContext::advance() {
  before = std::move(current);
  peek();
  current = std::move(after);
  after.reset();
  ++index;
  return current;
}

void LoopContext::finish() {
  before.reset();
  current.reset();
  after.reset();
  lastChange.reset();
  next = [] { return std::optional<Value>(); };
}

int64_t LoopContext::getLength() {
  if (length)
    return *length;
  Items rest;
  while (std::optional<Value> item = next())
    rest.push_back(std::move(*item));
  length = static_cast<int64_t>(rest.size()) + index + 1 + after.has_value();
  next = [rest = std::move(rest), i = size_t(0)]() mutable {
    return i < rest.size() ? std::optional(rest[i++]) : std::nullopt;
  };
  return *length;
}

bool LoopContext::hasChanged(Items values) {
  Value value = Value::tuple(std::move(values));
  if (lastChange && isEqual(*lastChange, value))
    return false;
  lastChange = value;
  return true;
}

Value LoopContext::cycle(const Items &values) const {
  if (values.empty())
    fail("loop.cycle: expected values, found none");
  return values[static_cast<size_t>(index) % values.size()];
}

std::optional<Value> LoopContext::getAttribute(std::string_view name) {
  if (name == "index" || name == "index0")
    return Value::integer(index + (name == "index"));
  if (name == "first")
    return Value::boolean(index == 0);
  if (name == "last")
    return Value::boolean(!peek());
  if (name == "length")
    return Value::integer(getLength());
  if (name == "revindex" || name == "revindex0")
    return Value::integer(getLength() - index - (name == "revindex0"));
  if (name == "depth" || name == "depth0")
    return Value::integer(depth + (name == "depth"));
  if (name == "cycle" || name == "changed") {
    auto method = std::make_shared<LoopMethod>();
    method->loop = shared_from_this();
    method->cycles = name == "cycle";
    return Value::function(method);
  }
  if (name == "previtem")
    return valueOr(before ? &*before : nullptr, "there is no previous item");
  if (name == "nextitem")
    return valueOr(peek(), "there is no next item");
  return std::nullopt;
}

Value LoopContext::call(Interpreter &interpreter, Arguments arguments) {
  if (!statement.isRecursive)
    fail("expected a loop with 'recursive' to call, found one without");
  ArgumentReader reader("loop", arguments);
  Value items = reader.require("iterable");
  reader.finish();
  return Value::string(interpreter.runLoop(statement, items, outer, depth + 1));
}

} // namespace llamart::jinja
