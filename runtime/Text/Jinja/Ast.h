//===- Ast.h - A parsed template --------------------------------*- C++ -*-===//
//
// Trees of at most kMaxNesting levels (Meter.h), so that nothing that walks one
// needs more stack than a thread has.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_JINJA_AST_H
#define LLAMA_RUNTIME_TEXT_JINJA_AST_H

#include "runtime/Text/Jinja/Value.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace llamart::jinja {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

enum class ExpressionKind : uint8_t {
  Constant,    ///< constant
  Name,        ///< name
  List,        ///< operands
  Tuple,       ///< operands
  Dict,        ///< operands: key, value, key, ...
  Unary,       ///< name: "-", "+", "not"; operands: 1
  Binary,      ///< name: "+", ..., "and", "or"; operands: 2
  Concat,      ///< operands: those of ~
  Compare,     ///< operands: n + 1; operators: n
  Conditional, ///< operands: test, value, otherwise (may be null)
  Attribute,   ///< operands: 1; name
  Item,        ///< operands: 2
  Slice,       ///< operands: begin, end, step; each may be null
  Call,        ///< operands: 1; arguments
  Filter,      ///< name; operands: 1, null in a block; arguments
  Test,        ///< name; operands: 1; arguments
};

struct ArgumentList {
  std::vector<ExpressionPtr> positional;
  std::vector<std::pair<std::string, ExpressionPtr>> named;
  ExpressionPtr star, doubleStar; ///< *x, **x
};

struct Expression {
  ExpressionKind kind = ExpressionKind::Constant;
  size_t offset = 0; ///< into the source
  std::string name;
  Value constant;
  std::vector<ExpressionPtr> operands;
  std::vector<std::string> operators;
  std::unique_ptr<ArgumentList> arguments;
  uint32_t depth = 1; ///< levels below and with this one
};

/// What is assigned to: a name, an attribute of a namespace or several.
struct Target {
  size_t offset = 0;
  std::string name;
  std::string attribute; ///< of the namespace `name`
  std::vector<Target> parts;
  bool isTuple = false;
};

struct Statement;
using Block = std::vector<std::unique_ptr<Statement>>;

struct Parameter {
  std::string name;
  ExpressionPtr otherwise; ///< may be null
};

/// A macro, or what stands in a call block.
struct MacroBody {
  std::string name; ///< empty: a call block's
  std::vector<Parameter> parameters;
  Block body;
  std::vector<std::string> hidden; ///< Symbols.h
  bool usesVarargs = false, usesKwargs = false, usesCaller = false;
};

enum class StatementKind : uint8_t {
  Text,        ///< text
  Output,      ///< value
  If,          ///< branches; otherwise
  For,         ///< target, value, filter, body, otherwise, isRecursive
  Set,         ///< target, value
  SetBlock,    ///< target, body, value: a chain of filters or null
  Macro,       ///< macro
  CallBlock,   ///< value: the call; macro: its body
  FilterBlock, ///< value: a chain of filters; body
  With,        ///< assignments, body
  Generation,  ///< body
  Break,
  Continue,
};

struct Branch {
  ExpressionPtr test;
  Block body;
};

struct Statement {
  StatementKind kind = StatementKind::Text;
  size_t offset = 0;
  Value text;
  ExpressionPtr value, filter;
  Target target;
  Block body, otherwise;
  std::vector<Branch> branches;
  std::vector<std::pair<Target, ExpressionPtr>> assignments;
  std::unique_ptr<MacroBody> macro;
  bool isRecursive = false;
  /// Names of the body's own scope, and of otherwise's: Symbols.h.
  std::vector<std::string> hidden, hiddenOtherwise;
};

} // namespace llamart::jinja

#endif // LLAMA_RUNTIME_TEXT_JINJA_AST_H
