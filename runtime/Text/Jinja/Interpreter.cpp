//===- Interpreter.cpp - Runs the statements of a template ----------------===//
//
// Scopes are those of Jinja2: for, with, macro, call, filter, generation and
// set blocks have one of their own; an if has none.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Jinja/Interpreter.h"

#include "runtime/Text/Jinja/Builtins.h"
#include "runtime/Text/Jinja/Format.h"
#include "runtime/Text/Jinja/Loop.h"
#include "runtime/Text/Jinja/TemplateError.h"

#include <algorithm>

namespace llamart::jinja {
namespace {

/// Another value of a variable while it lives.
template <typename T>
class Replaced {
public:
  Replaced(T &variable, T value)
      : variable(variable), before(std::exchange(variable, std::move(value))) {}
  ~Replaced() { variable = std::move(before); }
  Replaced(const Replaced &) = delete;
  Replaced &operator=(const Replaced &) = delete;

private:
  T &variable;
  T before;
};

/// `hidden` are names that are not to be found further out.
ScopePtr openScope(const ScopePtr &outer,
                   const std::vector<std::string> &hidden) {
  auto scope = std::make_shared<Scope>();
  scope->outer = outer;
  for (const std::string &name : hidden)
    scope->names.emplace_back(name,
                              Value::undefined("'" + name + "' is undefined"));
  return scope;
}

/// A macro, or the caller of a call block.
struct Macro : Function {
  const MacroBody *body = nullptr;
  ScopePtr outer;

  Value call(Interpreter &interpreter, Arguments arguments) override {
    return Value::string(
        interpreter.callMacro(*body, outer, std::move(arguments)));
  }
  std::optional<Value> getAttribute(std::string_view name) override {
    if (name != "name")
      return std::nullopt;
    return Value::string(body->name, Origin::Literal);
  }
  const char *getType() const override { return "jinja2.runtime.Macro"; }
};

Value makeMacro(const MacroBody &body, const ScopePtr &outer) {
  auto macro = std::make_shared<Macro>();
  macro->body = &body;
  macro->outer = outer;
  return Value::function(macro);
}

} // namespace

const Value *Scope::find(std::string_view name) const {
  for (const Scope *scope = this; scope; scope = scope->outer.get())
    for (const auto &[known, value] : scope->names)
      if (known == name)
        return &value;
  return nullptr;
}

void Scope::set(std::string_view name, Value value) {
  for (auto &[known, old] : names)
    if (known == name) {
      old = std::move(value);
      return;
    }
  names.emplace_back(name, std::move(value));
}

Interpreter::Level::Level(Interpreter &interpreter) : interpreter(interpreter) {
  addSteps(1);
  if (interpreter.depth >= interpreter.limits.depth)
    fail("expected calls and blocks nested at most ", interpreter.limits.depth,
         " deep, found more");
  ++interpreter.depth;
}

Interpreter::~Interpreter() {
  for (const auto &object : namespaces)
    object->attributes = std::make_shared<DictObject>();
  for (const ScopePtr &kept : captured) {
    auto names = std::move(kept->names);
    kept->names.clear();
  }
}

void Interpreter::keep(std::shared_ptr<NamespaceObject> object) {
  namespaces.push_back(std::move(object));
}

Text Interpreter::run(const Block &block,
                      const std::vector<std::string> &hidden) {
  Text prompt;
  Meter meter(limits);
  scope = openScope(nullptr, hidden);
  output = &prompt;
  try {
    execute(block);
  } catch (const Failure &failure) {
    throw TemplateError(failure.what());
  }
  return prompt;
}

void Interpreter::write(const Text &text) {
  if (text.size() >
      limits.output - std::min<size_t>(limits.output, output->size()))
    fail("expected at most ", limits.output, " bytes of output, found more");
  output->append(text);
}

/// What a block gives: unlike {{ }}, it must be a string.
void Interpreter::writeString(const Value &value) {
  if (!value.isString())
    fail("expected a string of a block, found '", getTypeName(value), "'");
  write(value.getText());
}

/// Runs with all output going to `text`, in a scope of its own.
template <typename Function>
Interpreter::Flow Interpreter::capture(const Statement &statement, Text &text,
                                       Function run) {
  Replaced<Text *> into(output, &text);
  Replaced<ScopePtr> inner(scope, openScope(scope, statement.hidden));
  return run();
}

Interpreter::Flow Interpreter::execute(const Block &block) {
  for (const auto &statement : block)
    if (Flow flow = execute(*statement); flow != Flow::Next)
      return flow;
  return Flow::Next;
}

Interpreter::Flow Interpreter::execute(const Statement &statement) {
  try {
    Level level(*this);
    return dispatch(statement);
  } catch (const Failure &failure) {
    throw locate(source, statement.offset, failure.what());
  }
}

Interpreter::Flow Interpreter::dispatch(const Statement &statement) {
  switch (statement.kind) {
  case StatementKind::Text:
    write(statement.text.getText());
    break;
  case StatementKind::Output:
    write(toText(evaluate(*statement.value)));
    break;
  case StatementKind::If:
    return executeIf(statement);
  case StatementKind::For:
    return executeFor(statement);
  case StatementKind::Set:
    assign(statement.target, evaluate(*statement.value));
    break;
  case StatementKind::SetBlock:
    return executeSetBlock(statement);
  case StatementKind::Macro:
    defineMacro(statement);
    break;
  case StatementKind::CallBlock:
    executeCallBlock(statement);
    break;
  case StatementKind::FilterBlock:
    return executeFilterBlock(statement);
  case StatementKind::With:
    return executeWith(statement);
  case StatementKind::Generation:
    write(callMacro(*statement.macro, scope, {}));
    break;
  case StatementKind::Break:
    return Flow::Break;
  case StatementKind::Continue:
    return Flow::Continue;
  }
  return Flow::Next;
}

Interpreter::Flow Interpreter::executeIf(const Statement &statement) {
  for (const Branch &branch : statement.branches)
    if (isTrue(evaluate(*branch.test)))
      return execute(branch.body);
  return execute(statement.otherwise);
}

Interpreter::Flow Interpreter::executeFor(const Statement &statement) {
  Value items = evaluate(*statement.value);
  if (!statement.isRecursive)
    return loop(statement, items, 0);
  write(runLoop(statement, items, scope, 0));
  return Flow::Next;
}

Text Interpreter::runLoop(const Statement &statement, const Value &items,
                          const ScopePtr &outer, int64_t depth) {
  Level level(*this);
  Text text;
  Replaced<Text *> into(output, &text);
  Replaced<ScopePtr> inner(scope, outer);
  loop(statement, items, depth);
  return text;
}

/// The items that the loop's `if` lets through, looked at one by one.
Next Interpreter::filterItems(const Statement &statement, const Value &items) {
  Next next = iterate(items);
  if (!statement.filter)
    return next;
  return [this, next, &statement, outer = scope]() -> std::optional<Value> {
    while (std::optional<Value> item = next()) {
      Replaced<ScopePtr> inner(scope, openScope(outer, {}));
      assign(statement.target, *item);
      if (isTrue(evaluate(*statement.filter)))
        return item;
    }
    return std::nullopt;
  };
}

/// As in Jinja2, what stands in `else` is run if no round came to its end.
Interpreter::Flow Interpreter::loop(const Statement &statement,
                                    const Value &items, int64_t depth) {
  auto context = std::make_shared<LoopContext>(filterItems(statement, items),
                                               items, statement, scope, depth);
  bool completed = false;
  while (std::optional<Value> item = context->advance()) {
    addSteps(1);
    Replaced<ScopePtr> inner(scope, openScope(scope, statement.hidden));
    scope->set("loop", Value::function(context));
    assign(statement.target, *item);
    Flow flow = execute(statement.body);
    if (flow == Flow::Break)
      break;
    completed |= flow == Flow::Next;
  }
  context->finish();
  if (completed)
    return Flow::Next;
  Replaced<ScopePtr> inner(scope, openScope(scope, statement.hiddenOtherwise));
  return execute(statement.otherwise);
}

Interpreter::Flow Interpreter::executeSetBlock(const Statement &statement) {
  Text text;
  Flow flow = capture(statement, text, [&] { return execute(statement.body); });
  if (flow != Flow::Next)
    return flow;
  Value value = Value::string(std::move(text));
  if (statement.value)
    value = evaluateFilter(*statement.value, &value);
  assign(statement.target, value);
  return Flow::Next;
}

Interpreter::Flow Interpreter::executeFilterBlock(const Statement &statement) {
  Text text;
  Flow flow = capture(statement, text, [&] { return execute(statement.body); });
  if (flow != Flow::Next)
    return flow;
  Value value = Value::string(std::move(text));
  writeString(evaluateFilter(*statement.value, &value));
  return Flow::Next;
}

Interpreter::Flow Interpreter::executeWith(const Statement &statement) {
  Items values;
  for (const auto &[target, value] : statement.assignments)
    values.push_back(evaluate(*value));
  Replaced<ScopePtr> inner(scope, openScope(scope, statement.hidden));
  for (size_t i = 0; i < values.size(); ++i)
    assign(statement.assignments[i].first, values[i]);
  return execute(statement.body);
}

void Interpreter::defineMacro(const Statement &statement) {
  captured.push_back(scope);
  scope->set(statement.macro->name, makeMacro(*statement.macro, scope));
}

void Interpreter::executeCallBlock(const Statement &statement) {
  const Expression &call = *statement.value;
  Value function = evaluate(*call.operands[0]);
  Arguments arguments = evaluateArguments(call.arguments.get());
  captured.push_back(scope);
  arguments.named.emplace_back("caller", makeMacro(*statement.macro, scope));
  writeString(callValue(*this, function, std::move(arguments)));
}

//===----------------------------------------------------------------------===//
// Macros
//===----------------------------------------------------------------------===//

Text Interpreter::callMacro(const MacroBody &macro, const ScopePtr &outer,
                            Arguments arguments) {
  Level level(*this);
  Text text;
  Replaced<Text *> into(output, &text);
  Replaced<ScopePtr> inner(scope, openScope(outer, macro.hidden));
  bindParameters(macro, arguments);
  execute(macro.body);
  return text;
}

void Interpreter::bindParameters(const MacroBody &macro, Arguments &arguments) {
  size_t used = 0;
  std::vector<const Parameter *> missing;
  for (const Parameter &parameter : macro.parameters) {
    auto named = std::ranges::find(arguments.named, parameter.name,
                                   &std::pair<std::string, Value>::first);
    if (used < arguments.positional.size()) {
      scope->set(parameter.name, arguments.positional[used++]);
    } else if (named != arguments.named.end()) {
      scope->set(parameter.name, named->second);
      arguments.named.erase(named);
    } else {
      missing.push_back(&parameter);
    }
  }
  bindRest(macro, arguments, used);
  for (const Parameter *parameter : missing)
    scope->set(parameter->name,
               parameter->otherwise
                   ? evaluate(*parameter->otherwise)
                   : Value::undefined("parameter '" + parameter->name +
                                      "' was not provided"));
}

/// The arguments that no parameter took.
void Interpreter::bindRest(const MacroBody &macro, Arguments &arguments,
                           size_t used) {
  auto &named = arguments.named;
  if (macro.usesCaller) {
    auto caller = std::ranges::find(named, "caller",
                                    &std::pair<std::string, Value>::first);
    bool given = caller != named.end();
    bool isParameter =
        std::ranges::any_of(macro.parameters, [](const Parameter &p) {
          return p.name == "caller";
        });
    if (!isParameter)
      scope->set("caller", given ? caller->second
                                 : Value::undefined("No caller defined"));
    if (given)
      named.erase(caller);
  }
  if (macro.usesKwargs) {
    auto rest = std::make_shared<DictObject>();
    for (const auto &[name, value] : named)
      rest->set(name, value);
    scope->set("kwargs", Value::dict(rest));
  } else if (!named.empty()) {
    fail("macro '", macro.name, "' takes no keyword argument '",
         named.front().first, "'");
  }
  auto rest = arguments.positional.begin() + static_cast<ptrdiff_t>(used);
  if (macro.usesVarargs)
    scope->set("varargs",
               Value::tuple(Items(rest, arguments.positional.end())));
  else if (rest != arguments.positional.end())
    fail("macro '", macro.name, "' takes not more than ",
         macro.parameters.size(), " argument(s)");
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

Value Interpreter::lookup(std::string_view name) const {
  if (const Value *found = scope->find(name))
    return *found;
  if (const Value *found = variables.find(name))
    return *found;
  if (std::optional<Value> found = findGlobal(name))
    return *found;
  return Value::undefined("'" + std::string(name) + "' is undefined");
}

void Interpreter::assign(const Target &target, const Value &value) {
  if (target.isTuple)
    assignAll(target.parts, value);
  else if (!target.attribute.empty())
    assignAttribute(target, value);
  else
    scope->set(target.name, value);
}

void Interpreter::assignAll(const std::vector<Target> &targets,
                            const Value &value) {
  Items items = collect(value);
  if (items.size() != targets.size())
    fail("expected ", targets.size(), " values to unpack, found ",
         items.size());
  for (size_t i = 0; i < items.size(); ++i)
    assign(targets[i], items[i]);
}

void Interpreter::assignAttribute(const Target &target, const Value &value) {
  Value object = lookup(target.name);
  if (!object.is(Kind::Namespace))
    throw locate(source, target.offset,
                 std::string("expected a namespace to set '") +
                     target.attribute + "' of, found '" + getTypeName(object) +
                     "'");
  object.getNamespace().attributes->set(target.attribute, value);
}

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

Value Interpreter::evaluate(const Expression &node) {
  try {
    Level level(*this);
    return dispatch(node);
  } catch (const Failure &failure) {
    throw locate(source, node.offset, failure.what());
  }
}

Value Interpreter::evaluateName(const Expression &node) {
  return lookup(node.name);
}

} // namespace llamart::jinja
