//===- ExpressionParser.cpp - Tokens to expressions -----------------------===//

#include "runtime/Text/Jinja/ExpressionParser.h"

#include "runtime/Text/Jinja/Builtins.h"
#include "runtime/Text/Jinja/Meter.h"
#include "runtime/Text/Jinja/TemplateError.h"

#include <algorithm>
#include <array>

namespace llamart::jinja {
namespace {

std::vector<ExpressionPtr> listOf(ExpressionPtr a) {
  std::vector<ExpressionPtr> list;
  list.push_back(std::move(a));
  return list;
}

std::vector<ExpressionPtr> listOf(ExpressionPtr a, ExpressionPtr b) {
  std::vector<ExpressionPtr> list = listOf(std::move(a));
  list.push_back(std::move(b));
  return list;
}

uint32_t getDepth(const ExpressionPtr &node) { return node ? node->depth : 0; }

uint32_t getDepth(const ArgumentList &list) {
  uint32_t depth = std::max(getDepth(list.star), getDepth(list.doubleStar));
  for (const ExpressionPtr &node : list.positional)
    depth = std::max(depth, getDepth(node));
  for (const auto &[name, node] : list.named)
    depth = std::max(depth, getDepth(node));
  return depth;
}

} // namespace

ExpressionParser::Level::Level(ExpressionParser &parser) : parser(parser) {
  if (parser.level >= kMaxNesting)
    throw locate(parser.source, parser.current().offset,
                 "expected nesting at most " + std::to_string(kMaxNesting) +
                     " deep, found more");
  ++parser.level;
}

Token ExpressionParser::take() {
  Token token = tokens[at];
  if (at + 1 < tokens.size())
    ++at;
  return token;
}

bool ExpressionParser::isOperator(std::string_view text) const {
  return current().kind == TokenKind::Operator && current().text == text;
}

bool ExpressionParser::isName(std::string_view text) const {
  return current().kind == TokenKind::Name && current().text == text;
}

bool ExpressionParser::skipOperator(std::string_view text) {
  bool found = isOperator(text);
  if (found)
    take();
  return found;
}

bool ExpressionParser::skipName(std::string_view text) {
  bool found = isName(text);
  if (found)
    take();
  return found;
}

void ExpressionParser::expectOperator(std::string_view text) {
  if (!skipOperator(text))
    failExpecting("'" + std::string(text) + "'");
}

Token ExpressionParser::expectName() {
  if (current().kind != TokenKind::Name)
    failExpecting("a name");
  return take();
}

void ExpressionParser::failExpecting(const std::string &what) const {
  throw locate(source, current().offset,
               "expected " + what + ", found " + describe(current()));
}

ExpressionPtr
ExpressionParser::make(ExpressionKind kind, size_t offset, std::string name,
                       std::vector<ExpressionPtr> operands) const {
  auto node = std::make_unique<Expression>();
  node->kind = kind;
  node->offset = offset;
  node->name = std::move(name);
  node->operands = std::move(operands);
  for (const ExpressionPtr &operand : node->operands)
    node->depth = std::max(node->depth, getDepth(operand) + 1);
  if (node->depth > kMaxNesting)
    throw locate(source, offset,
                 "expected an expression of at most " +
                     std::to_string(kMaxNesting) + " levels, found more");
  return node;
}

//===----------------------------------------------------------------------===//
// Operators, from those that bind least
//===----------------------------------------------------------------------===//

ExpressionPtr ExpressionParser::parseExpression() {
  Level level(*this);
  ExpressionPtr value = parseOr();
  while (isName("if")) {
    size_t offset = take().offset;
    ++conditions;
    ExpressionPtr test = parseOr();
    ExpressionPtr otherwise = skipName("else") ? parseExpression() : nullptr;
    --conditions;
    auto operands = listOf(std::move(test), std::move(value));
    operands.push_back(std::move(otherwise));
    value = make(ExpressionKind::Conditional, offset, {}, std::move(operands));
  }
  return value;
}

ExpressionPtr ExpressionParser::parseOr() {
  ExpressionPtr left = parseAnd();
  while (isName("or")) {
    size_t offset = take().offset;
    left = make(ExpressionKind::Binary, offset, "or",
                listOf(std::move(left), parseAnd()));
  }
  return left;
}

ExpressionPtr ExpressionParser::parseAnd() {
  ExpressionPtr left = parseNot();
  while (isName("and")) {
    size_t offset = take().offset;
    left = make(ExpressionKind::Binary, offset, "and",
                listOf(std::move(left), parseNot()));
  }
  return left;
}

ExpressionPtr ExpressionParser::parseNot() {
  if (!isName("not"))
    return parseCompare();
  Level level(*this);
  size_t offset = take().offset;
  return make(ExpressionKind::Unary, offset, "not", listOf(parseNot()));
}

bool ExpressionParser::takeComparison(std::string &name) {
  constexpr std::array<std::string_view, 6> kNames = {"==", "!=", "<",
                                                      "<=", ">",  ">="};
  if (current().kind == TokenKind::Operator &&
      std::ranges::find(kNames, current().text) != kNames.end()) {
    name = take().text;
    return true;
  }
  name = "in";
  if (skipName("in"))
    return true;
  if (!isName("not") || ahead().kind != TokenKind::Name || ahead().text != "in")
    return false;
  take();
  take();
  name = "not in";
  return true;
}

ExpressionPtr ExpressionParser::parseCompare() {
  size_t offset = current().offset;
  ExpressionPtr first = parseSum();
  std::string name;
  if (!takeComparison(name))
    return first;
  std::vector<std::string> operators;
  std::vector<ExpressionPtr> operands = listOf(std::move(first));
  do {
    operators.push_back(name);
    operands.push_back(parseSum());
  } while (takeComparison(name));
  auto node = make(ExpressionKind::Compare, offset, {}, std::move(operands));
  node->operators = std::move(operators);
  return node;
}

ExpressionPtr ExpressionParser::parseSum() {
  ExpressionPtr left = parseConcat();
  while (isOperator("+") || isOperator("-")) {
    Token token = take();
    left = make(ExpressionKind::Binary, token.offset, token.text,
                listOf(std::move(left), parseConcat()));
  }
  return left;
}

ExpressionPtr ExpressionParser::parseConcat() {
  size_t offset = current().offset;
  ExpressionPtr first = parseProduct();
  if (!isOperator("~"))
    return first;
  std::vector<ExpressionPtr> operands = listOf(std::move(first));
  while (skipOperator("~"))
    operands.push_back(parseProduct());
  return make(ExpressionKind::Concat, offset, {}, std::move(operands));
}

ExpressionPtr ExpressionParser::parseProduct() {
  ExpressionPtr left = parsePower();
  while (isOperator("*") || isOperator("/") || isOperator("//") ||
         isOperator("%")) {
    Token token = take();
    left = make(ExpressionKind::Binary, token.offset, token.text,
                listOf(std::move(left), parsePower()));
  }
  return left;
}

ExpressionPtr ExpressionParser::parsePower() {
  ExpressionPtr left = parseUnary(true);
  while (isOperator("**")) {
    Token token = take();
    left = make(ExpressionKind::Binary, token.offset, token.text,
                listOf(std::move(left), parseUnary(true)));
  }
  return left;
}

ExpressionPtr ExpressionParser::parseUnary(bool withFilters) {
  Level level(*this);
  ExpressionPtr node;
  if (isOperator("-") || isOperator("+")) {
    Token token = take();
    node = make(ExpressionKind::Unary, token.offset, token.text,
                listOf(parseUnary(false)));
  } else {
    node = parsePrimary();
  }
  node = parsePostfix(std::move(node));
  return withFilters ? parseFilterChain(std::move(node)) : std::move(node);
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

ExpressionPtr ExpressionParser::parsePrimary() {
  const Token &token = current();
  switch (token.kind) {
  case TokenKind::Name:
    return parseName();
  case TokenKind::String:
    return parseStrings();
  case TokenKind::Integer:
  case TokenKind::Float: {
    auto node = make(ExpressionKind::Constant, token.offset);
    node->constant = token.kind == TokenKind::Integer
                         ? Value::integer(token.integer)
                         : Value::real(token.real);
    take();
    return node;
  }
  default:
    break;
  }
  if (isOperator("[") || isOperator("{"))
    return isOperator("[") ? parseList() : parseDict();
  if (!skipOperator("("))
    failExpecting("an expression");
  ExpressionPtr node = parseTuple({.parentheses = true});
  expectOperator(")");
  return node;
}

ExpressionPtr ExpressionParser::parseName() {
  Token token = take();
  const std::string &name = token.text;
  auto constant = make(ExpressionKind::Constant, token.offset);
  if (name == "true" || name == "True" || name == "false" || name == "False") {
    constant->constant = Value::boolean(name == "true" || name == "True");
    return constant;
  }
  if (name == "none" || name == "None")
    return constant;
  for (MacroBody *macro : macros) {
    macro->usesVarargs |= name == "varargs";
    macro->usesKwargs |= name == "kwargs";
    macro->usesCaller |= name == "caller";
  }
  return make(ExpressionKind::Name, token.offset, name);
}

ExpressionPtr ExpressionParser::parseStrings() {
  size_t offset = current().offset;
  std::string text;
  while (current().kind == TokenKind::String)
    text += take().text;
  auto node = make(ExpressionKind::Constant, offset);
  node->constant = Value::string(text, Origin::Literal);
  return node;
}

ExpressionPtr ExpressionParser::parseList() {
  size_t offset = take().offset;
  std::vector<ExpressionPtr> items;
  while (!isOperator("]")) {
    if (!items.empty())
      expectOperator(",");
    if (isOperator("]"))
      break;
    items.push_back(parseExpression());
  }
  expectOperator("]");
  return make(ExpressionKind::List, offset, {}, std::move(items));
}

ExpressionPtr ExpressionParser::parseDict() {
  size_t offset = take().offset;
  std::vector<ExpressionPtr> items;
  while (!isOperator("}")) {
    if (!items.empty())
      expectOperator(",");
    if (isOperator("}"))
      break;
    items.push_back(parseExpression());
    expectOperator(":");
    items.push_back(parseExpression());
  }
  expectOperator("}");
  return make(ExpressionKind::Dict, offset, {}, std::move(items));
}

bool ExpressionParser::endsTuple(const TupleRules &rules) const {
  return current().kind == TokenKind::VariableEnd ||
         current().kind == TokenKind::BlockEnd || isOperator(")") ||
         (!rules.endingName.empty() && isName(rules.endingName));
}

ExpressionPtr ExpressionParser::parseTuple(const TupleRules &rules) {
  size_t offset = current().offset;
  std::vector<ExpressionPtr> items;
  bool isTuple = false;
  while (true) {
    if (!items.empty())
      expectOperator(",");
    if (endsTuple(rules))
      break;
    items.push_back(rules.conditional ? parseExpression() : parseOr());
    if (!isOperator(","))
      break;
    isTuple = true;
  }
  if (!isTuple && !items.empty())
    return std::move(items.front());
  if (!isTuple && !rules.parentheses)
    failExpecting("an expression");
  return make(ExpressionKind::Tuple, offset, {}, std::move(items));
}

//===----------------------------------------------------------------------===//
// What comes after a value
//===----------------------------------------------------------------------===//

ExpressionPtr ExpressionParser::parsePostfix(ExpressionPtr node) {
  while (true) {
    if (isOperator("."))
      node = parseDot(std::move(node));
    else if (isOperator("["))
      node = parseSubscript(std::move(node));
    else if (isOperator("("))
      node = parseCall(std::move(node));
    else
      return node;
  }
}

ExpressionPtr ExpressionParser::parseFilterChain(ExpressionPtr node) {
  while (true) {
    if (isOperator("|"))
      node = parseFilters(std::move(node), false);
    else if (isName("is"))
      node = parseTest(std::move(node));
    else if (isOperator("("))
      node = parseCall(std::move(node));
    else
      return node;
  }
}

ExpressionPtr ExpressionParser::parseDot(ExpressionPtr node) {
  size_t offset = take().offset;
  if (current().kind == TokenKind::Name)
    return make(ExpressionKind::Attribute, offset, take().text,
                listOf(std::move(node)));
  if (current().kind != TokenKind::Integer)
    failExpecting("a name or a number");
  auto index = make(ExpressionKind::Constant, current().offset);
  index->constant = Value::integer(take().integer);
  return make(ExpressionKind::Item, offset, {},
              listOf(std::move(node), std::move(index)));
}

ExpressionPtr ExpressionParser::parseSubscript(ExpressionPtr node) {
  size_t offset = take().offset;
  std::vector<ExpressionPtr> items;
  while (!isOperator("]")) {
    if (!items.empty())
      expectOperator(",");
    items.push_back(parseSubscribed());
  }
  expectOperator("]");
  ExpressionPtr index = items.size() == 1 ? std::move(items.front())
                                          : make(ExpressionKind::Tuple, offset,
                                                 {}, std::move(items));
  return make(ExpressionKind::Item, offset, {},
              listOf(std::move(node), std::move(index)));
}

ExpressionPtr ExpressionParser::parseSubscribed() {
  size_t offset = current().offset;
  std::vector<ExpressionPtr> parts(1);
  if (!isOperator(":")) {
    parts[0] = parseExpression();
    if (!isOperator(":"))
      return std::move(parts[0]);
  }
  take();
  auto parsePart = [&]() -> ExpressionPtr {
    bool ends = isOperator(":") || isOperator("]") || isOperator(",");
    return ends ? nullptr : parseExpression();
  };
  parts.push_back(parsePart());
  parts.push_back(skipOperator(":") ? parsePart() : nullptr);
  return make(ExpressionKind::Slice, offset, {}, std::move(parts));
}

ExpressionPtr ExpressionParser::parseCall(ExpressionPtr node) {
  size_t offset = current().offset;
  auto arguments = parseArguments();
  auto call = make(ExpressionKind::Call, offset, {}, listOf(std::move(node)));
  call->depth = std::max(call->depth, getDepth(*arguments) + 1);
  call->arguments = std::move(arguments);
  return call;
}

std::unique_ptr<ArgumentList> ExpressionParser::parseArguments() {
  auto list = std::make_unique<ArgumentList>();
  expectOperator("(");
  bool first = true;
  while (!isOperator(")")) {
    if (!first)
      expectOperator(",");
    first = false;
    if (isOperator(")"))
      break;
    parseArgument(*list);
  }
  expectOperator(")");
  return list;
}

void ExpressionParser::parseArgument(ArgumentList &list) {
  auto ensure = [&](bool condition) {
    if (!condition)
      failExpecting("arguments in Python's order");
  };
  if (isOperator("*")) {
    ensure(!list.star && !list.doubleStar);
    take();
    list.star = parseExpression();
  } else if (isOperator("**")) {
    ensure(!list.doubleStar);
    take();
    list.doubleStar = parseExpression();
  } else if (current().kind == TokenKind::Name &&
             ahead().kind == TokenKind::Operator && ahead().text == "=") {
    ensure(!list.doubleStar);
    std::string name = take().text;
    take();
    list.named.emplace_back(std::move(name), parseExpression());
  } else {
    ensure(!list.star && !list.doubleStar && list.named.empty());
    list.positional.push_back(parseExpression());
  }
}

std::string ExpressionParser::parseDottedName() {
  std::string name = expectName().text;
  while (skipOperator("."))
    name += "." + expectName().text;
  return name;
}

void ExpressionParser::checkKnown(const char *what, bool known,
                                  const std::string &name,
                                  size_t offset) const {
  if (!known && conditions == 0)
    throw locate(source, offset,
                 std::string("expected a ") + what + " that is known, found '" +
                     name + "'");
}

ExpressionPtr ExpressionParser::parseFilters(ExpressionPtr operand,
                                             bool inlined) {
  while (inlined || isOperator("|")) {
    size_t offset = current().offset;
    if (!inlined)
      take();
    inlined = false;
    std::string name = parseDottedName();
    checkKnown("filter", findFilter(name) != nullptr, name, offset);
    std::unique_ptr<ArgumentList> arguments;
    if (isOperator("("))
      arguments = parseArguments();
    operand = make(ExpressionKind::Filter, offset, std::move(name),
                   listOf(std::move(operand)));
    if (arguments)
      operand->depth = std::max(operand->depth, getDepth(*arguments) + 1);
    operand->arguments = std::move(arguments);
  }
  return operand;
}

ExpressionPtr ExpressionParser::parseTest(ExpressionPtr node) {
  size_t offset = take().offset;
  bool isNegated = skipName("not");
  std::string name = parseDottedName();
  checkKnown("test", findTest(name) != nullptr, name, offset);
  auto arguments = std::make_unique<ArgumentList>();
  bool namesOperator = isName("else") || isName("or") || isName("and");
  bool isOperand = current().kind == TokenKind::Name ||
                   current().kind == TokenKind::String ||
                   current().kind == TokenKind::Integer ||
                   current().kind == TokenKind::Float || isOperator("[") ||
                   isOperator("{");
  if (isOperator("(")) {
    arguments = parseArguments();
  } else if (isOperand && !namesOperator) {
    if (isName("is"))
      failExpecting("one test, not a chain of them");
    Level level(*this);
    arguments->positional.push_back(parsePostfix(parsePrimary()));
  }
  auto test = make(ExpressionKind::Test, offset, std::move(name),
                   listOf(std::move(node)));
  test->depth = std::max(test->depth, getDepth(*arguments) + 1);
  test->arguments = std::move(arguments);
  if (!isNegated)
    return test;
  return make(ExpressionKind::Unary, offset, "not", listOf(std::move(test)));
}

} // namespace llamart::jinja
