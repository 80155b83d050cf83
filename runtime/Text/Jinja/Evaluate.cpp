//===- Evaluate.cpp - Values of a template's expressions ------------------===//

#include "runtime/Text/Jinja/Builtins.h"
#include "runtime/Text/Jinja/Format.h"
#include "runtime/Text/Jinja/Interpreter.h"
#include "runtime/Text/Jinja/TemplateError.h"

#include <algorithm>

namespace llamart::jinja {

Value Interpreter::dispatch(const Expression &node) {
  switch (node.kind) {
  case ExpressionKind::Constant:
    return node.constant;
  case ExpressionKind::Name:
    return evaluateName(node);
  case ExpressionKind::List:
    return Value::list(evaluateAll(node.operands));
  case ExpressionKind::Tuple:
    return Value::tuple(evaluateAll(node.operands));
  case ExpressionKind::Dict:
    return evaluateDict(node);
  case ExpressionKind::Unary:
    return evaluateUnary(node);
  case ExpressionKind::Binary:
    return evaluateBinary(node);
  case ExpressionKind::Concat:
    return evaluateConcat(node);
  case ExpressionKind::Compare:
    return evaluateCompare(node);
  case ExpressionKind::Conditional:
    return evaluateConditional(node);
  case ExpressionKind::Attribute:
    return getAttribute(evaluate(*node.operands[0]), node.name);
  case ExpressionKind::Item:
    return evaluateItem(node);
  case ExpressionKind::Slice:
    fail("expected one slice, found several");
  case ExpressionKind::Call:
    return evaluateCall(node);
  case ExpressionKind::Filter:
    return evaluateFilter(node, nullptr);
  case ExpressionKind::Test:
    return evaluateTest(node);
  }
  return {};
}

Items Interpreter::evaluateAll(const std::vector<ExpressionPtr> &nodes) {
  Items items;
  items.reserve(nodes.size());
  for (const ExpressionPtr &node : nodes)
    items.push_back(evaluate(*node));
  return items;
}

Value Interpreter::evaluateOptional(const ExpressionPtr &node) {
  return node ? evaluate(*node) : Value::none();
}

Value Interpreter::evaluateDict(const Expression &node) {
  auto dict = std::make_shared<DictObject>();
  for (size_t i = 0; i < node.operands.size(); i += 2) {
    Value key = evaluate(*node.operands[i]);
    dict->set(key, evaluate(*node.operands[i + 1]));
  }
  return Value::dict(std::move(dict));
}

Value Interpreter::evaluateUnary(const Expression &node) {
  Value value = evaluate(*node.operands[0]);
  if (node.name == "not")
    return Value::boolean(!isTrue(value));
  if (node.name == "-")
    return negate(value);
  if (!value.isNumber())
    return negate(value); // which says why not
  return value.isInteger() ? Value::integer(value.getInt()) : value;
}

Value Interpreter::evaluateBinary(const Expression &node) {
  Value left = evaluate(*node.operands[0]);
  if (node.name == "and")
    return isTrue(left) ? evaluate(*node.operands[1]) : left;
  if (node.name == "or")
    return isTrue(left) ? left : evaluate(*node.operands[1]);
  Value right = evaluate(*node.operands[1]);
  return computeBinary(node.name, left, right);
}

Value Interpreter::evaluateConcat(const Expression &node) {
  Text text;
  for (const ExpressionPtr &operand : node.operands)
    text.append(toText(evaluate(*operand)));
  return Value::string(std::move(text));
}

static bool compareValues(std::string_view name, const Value &a,
                          const Value &b) {
  if (name == "==")
    return isEqual(a, b);
  if (name == "!=")
    return !isEqual(a, b);
  if (name == "in")
    return contains(b, a);
  if (name == "not in")
    return !contains(b, a);
  if (name == "<")
    return isLess(a, b);
  if (name == ">")
    return isLess(b, a);
  // Not the opposite of > for a NaN.
  if (name == "<=")
    return isLess(a, b) || isEqual(a, b);
  return isLess(b, a) || isEqual(a, b);
}

Value Interpreter::evaluateCompare(const Expression &node) {
  Value left = evaluate(*node.operands[0]);
  for (size_t i = 0; i < node.operators.size(); ++i) {
    Value right = evaluate(*node.operands[i + 1]);
    if (!compareValues(node.operators[i], left, right))
      return Value::boolean(false);
    left = std::move(right);
  }
  return Value::boolean(true);
}

Value Interpreter::evaluateConditional(const Expression &node) {
  if (isTrue(evaluate(*node.operands[0])))
    return evaluate(*node.operands[1]);
  if (node.operands[2])
    return evaluate(*node.operands[2]);
  return Value::undefined("the inline if-expression evaluated to false and no "
                          "else section was defined");
}

Value Interpreter::evaluateItem(const Expression &node) {
  Value object = evaluate(*node.operands[0]);
  const Expression &index = *node.operands[1];
  if (index.kind != ExpressionKind::Slice)
    return getItem(object, evaluate(index));
  Value begin = evaluateOptional(index.operands[0]);
  Value end = evaluateOptional(index.operands[1]);
  return getSlice(object, begin, end, evaluateOptional(index.operands[2]));
}

Arguments Interpreter::evaluateArguments(const ArgumentList *list) {
  Arguments arguments;
  if (!list)
    return arguments;
  arguments.positional = evaluateAll(list->positional);
  for (const auto &[name, node] : list->named) {
    bool again = std::ranges::any_of(arguments.named,
                                     [&name = name](const auto &argument) {
                                       return argument.first == name;
                                     });
    if (again)
      fail("expected argument '", name, "' once, found it twice");
    arguments.named.emplace_back(name, evaluate(*node));
  }
  if (list->star)
    for (Value &item : collect(evaluate(*list->star)))
      arguments.positional.push_back(std::move(item));
  if (!list->doubleStar)
    return arguments;
  Value rest = evaluate(*list->doubleStar);
  if (!rest.isDict())
    fail("expected a dict after '**', found '", getTypeName(rest), "'");
  for (const auto &[key, value] : rest.getDict().entries) {
    if (!key.isString())
      fail("expected names as keys after '**', found '", getTypeName(key), "'");
    arguments.named.emplace_back(key.getBytes(), value);
  }
  return arguments;
}

Value Interpreter::evaluateCall(const Expression &node) {
  Value function = evaluate(*node.operands[0]);
  return callValue(*this, function, evaluateArguments(node.arguments.get()));
}

/// `input` is what a filter block holds.
Value Interpreter::evaluateFilter(const Expression &node, const Value *input) {
  Level level(*this);
  const ExpressionPtr &operand = node.operands[0];
  Value value = !operand ? *input
                : operand->kind == ExpressionKind::Filter
                    ? evaluateFilter(*operand, input)
                    : evaluate(*operand);
  FilterFunction filter = findFilter(node.name);
  if (!filter)
    fail("expected a filter that is known, found '", node.name, "'");
  Arguments arguments = evaluateArguments(node.arguments.get());
  arguments.positional.insert(arguments.positional.begin(), std::move(value));
  return filter(*this, arguments);
}

Value Interpreter::evaluateTest(const Expression &node) {
  TestFunction test = findTest(node.name);
  Arguments arguments;
  Value value = evaluate(*node.operands[0]);
  if (!test)
    fail("expected a test that is known, found '", node.name, "'");
  arguments = evaluateArguments(node.arguments.get());
  arguments.positional.insert(arguments.positional.begin(), std::move(value));
  return Value::boolean(test(*this, arguments));
}

} // namespace llamart::jinja
