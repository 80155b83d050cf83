//===- ExpressionParser.h - Tokens to expressions ---------------*- C++ -*-===//
//
// messages[0].role == 'user' and x is defined
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_JINJA_EXPRESSIONPARSER_H
#define LLAMA_RUNTIME_TEXT_JINJA_EXPRESSIONPARSER_H

#include "runtime/Text/Jinja/Ast.h"
#include "runtime/Text/Jinja/Lexer.h"

#include <string_view>
#include <vector>

namespace llamart::jinja {

/// Jinja2's grammar of expressions. Every method throws TemplateError.
class ExpressionParser {
public:
  ExpressionParser(std::string_view source, std::vector<Token> tokens)
      : source(source), tokens(std::move(tokens)) {}

protected:
  struct TupleRules {
    bool conditional = true;          ///< a if b else c is allowed
    bool parentheses = false;         ///< () is an empty tuple
    std::string_view endingName = {}; ///< a name that ends it
  };

  ExpressionPtr parseExpression();
  ExpressionPtr parseOr();
  ExpressionPtr parseTuple(const TupleRules &rules);
  /// A filter and those after it; `operand` is null in a block. With `inlined`
  /// the first has no | in front.
  ExpressionPtr parseFilters(ExpressionPtr operand, bool inlined);

  const Token &current() const { return tokens[at]; }
  const Token &ahead() const {
    return tokens[std::min(at + 1, tokens.size() - 1)];
  }
  Token take();
  bool isOperator(std::string_view text) const;
  bool isName(std::string_view text) const;
  bool skipOperator(std::string_view text);
  bool skipName(std::string_view text);
  void expectOperator(std::string_view text);
  Token expectName();
  [[noreturn]] void failExpecting(const std::string &what) const;

  ExpressionPtr make(ExpressionKind kind, size_t offset, std::string name = {},
                     std::vector<ExpressionPtr> operands = {}) const;

  /// Counts levels of nesting while it lives.
  struct Level {
    explicit Level(ExpressionParser &parser);
    ~Level() { --parser.level; }
    ExpressionParser &parser;
  };

  std::string_view source;
  /// Macros that are being parsed: what special names they use.
  std::vector<MacroBody *> macros;
  /// Within an if, where Jinja lets a filter be unknown until it is used.
  uint32_t conditions = 0;

private:
  friend struct Level;
  ExpressionPtr parseAnd();
  ExpressionPtr parseNot();
  ExpressionPtr parseCompare();
  bool takeComparison(std::string &name);
  ExpressionPtr parseSum();
  ExpressionPtr parseConcat();
  ExpressionPtr parseProduct();
  ExpressionPtr parsePower();
  ExpressionPtr parseUnary(bool withFilters);
  ExpressionPtr parsePrimary();
  ExpressionPtr parseName();
  ExpressionPtr parseStrings();
  ExpressionPtr parseList();
  ExpressionPtr parseDict();
  ExpressionPtr parsePostfix(ExpressionPtr node);
  ExpressionPtr parseFilterChain(ExpressionPtr node);
  ExpressionPtr parseDot(ExpressionPtr node);
  ExpressionPtr parseSubscript(ExpressionPtr node);
  ExpressionPtr parseSubscribed();
  ExpressionPtr parseCall(ExpressionPtr node);
  ExpressionPtr parseTest(ExpressionPtr node);
  std::unique_ptr<ArgumentList> parseArguments();
  void parseArgument(ArgumentList &list);
  bool endsTuple(const TupleRules &rules) const;
  std::string parseDottedName();
  void checkKnown(const char *what, bool known, const std::string &name,
                  size_t offset) const;

  std::vector<Token> tokens;
  size_t at = 0;
  uint32_t level = 0;
};

} // namespace llamart::jinja

#endif // LLAMA_RUNTIME_TEXT_JINJA_EXPRESSIONPARSER_H
