//===- Parser.cpp - The source of a template to a tree --------------------===//

#include "runtime/Text/Jinja/Parser.h"

#include "runtime/Text/Jinja/ExpressionParser.h"
#include "runtime/Text/Jinja/TemplateError.h"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace llamart::jinja {
namespace {

using StatementPtr = std::unique_ptr<Statement>;

/// Tags of Jinja2 that need other templates, or switches that are not here.
constexpr std::array<std::string_view, 6> kRefusedTags = {
    "block", "extends", "include", "import", "from", "autoescape"};

class Parser : public ExpressionParser {
public:
  using ExpressionParser::ExpressionParser;

  Block parseTemplate() { return parseBlock({}); }

private:
  using Ends = std::initializer_list<std::string_view>;

  bool isEnd(Ends ends) const {
    return std::ranges::any_of(
        ends, [&](std::string_view end) { return isName(end); });
  }

  static StatementPtr make(StatementKind kind, size_t offset) {
    auto statement = std::make_unique<Statement>();
    statement->kind = kind;
    statement->offset = offset;
    return statement;
  }

  void expectBlockEnd() {
    if (current().kind != TokenKind::BlockEnd)
      failExpecting("'%}'");
    take();
  }

  /// Up to the tag that ends it, whose name is current then.
  Block parseBlock(Ends ends) {
    Level level(*this);
    Block block;
    while (current().kind != TokenKind::End) {
      Token token = take();
      if (token.kind == TokenKind::Data) {
        block.push_back(make(StatementKind::Text, token.offset));
        block.back()->text = Value::string(token.text, Origin::Literal);
      } else if (token.kind == TokenKind::VariableBegin) {
        block.push_back(make(StatementKind::Output, token.offset));
        block.back()->value = parseTuple({});
        if (current().kind != TokenKind::VariableEnd)
          failExpecting("'}}'");
        take();
      } else {
        if (isEnd(ends))
          return block;
        block.push_back(parseStatement());
        expectBlockEnd();
      }
    }
    if (ends.size() > 0)
      failExpecting("'{% " + std::string(*(ends.end() - 1)) + " %}'");
    return block;
  }

  /// What stands between two tags; the name of the second is current then.
  Block parseBody(Ends ends) {
    skipOperator(":");
    expectBlockEnd();
    return parseBlock(ends);
  }

  Block parseWholeBody(std::string_view end) {
    Block body = parseBody({end});
    take();
    return body;
  }

  StatementPtr parseStatement() {
    Token token = expectName();
    const std::string &name = token.text;
    if (name == "for")
      return parseFor(token.offset);
    if (name == "if")
      return parseIf(token.offset);
    if (name == "set")
      return parseSet(token.offset);
    if (name == "macro")
      return parseMacro(token.offset);
    if (name == "call")
      return parseCallBlock(token.offset);
    if (name == "filter")
      return parseFilterBlock(token.offset);
    if (name == "with")
      return parseWith(token.offset);
    if (name == "print")
      return parsePrint(token.offset);
    if (name == "generation")
      return parseGeneration(token.offset);
    if (name == "break" || name == "continue")
      return parseJump(token);
    failUnknown(token);
  }

  [[noreturn]] void failUnknown(const Token &token) const {
    bool refused =
        std::ranges::find(kRefusedTags, token.text) != kRefusedTags.end();
    throw locate(source, token.offset,
                 std::string("expected a tag that ") +
                     (refused ? "is supported" : "is known and opens a block") +
                     ", found '" + token.text + "'");
  }

  StatementPtr parsePrint(size_t offset) {
    auto statement = make(StatementKind::Output, offset);
    statement->value = parseTuple({});
    return statement;
  }

  StatementPtr parseJump(const Token &token) {
    if (loops == 0)
      throw locate(source, token.offset,
                   "expected '" + token.text + "' in a loop, found it outside");
    return make(token.text == "break" ? StatementKind::Break
                                      : StatementKind::Continue,
                token.offset);
  }

  StatementPtr parseFor(size_t offset) {
    auto statement = make(StatementKind::For, offset);
    statement->target = parseTarget("in", false);
    checkLoopTarget(statement->target);
    if (!skipName("in"))
      failExpecting("'in'");
    statement->value =
        parseTuple({.conditional = false, .endingName = "recursive"});
    if (skipName("if"))
      statement->filter = parseExpression();
    statement->isRecursive = skipName("recursive");
    ++loops;
    ++loopVariables;
    statement->body = parseBody({"else", "endfor"});
    --loops;
    if (take().text == "else")
      statement->otherwise = parseWholeBody("endfor");
    --loopVariables;
    return statement;
  }

  StatementPtr parseIf(size_t offset) {
    auto statement = make(StatementKind::If, offset);
    while (true) {
      Branch &branch = statement->branches.emplace_back();
      ++conditions;
      branch.test = parseTuple({.conditional = false});
      branch.body = parseBody({"elif", "else", "endif"});
      --conditions;
      std::string name = take().text;
      if (name == "elif")
        continue;
      ++conditions;
      if (name == "else")
        statement->otherwise = parseWholeBody("endif");
      --conditions;
      return statement;
    }
  }

  StatementPtr parseSet(size_t offset) {
    auto statement = make(StatementKind::Set, offset);
    statement->target = parseTarget({}, true);
    if (loopVariables > 0)
      checkLoopTarget(statement->target);
    if (skipOperator("=")) {
      statement->value = parseTuple({});
      return statement;
    }
    statement->kind = StatementKind::SetBlock;
    if (isOperator("|"))
      statement->value = parseFilters(nullptr, false);
    statement->body = parseWholeBody("endset");
    return statement;
  }

  void checkLoopTarget(const Target &target) const {
    if (target.name == "loop" && target.attribute.empty())
      throw locate(source, target.offset,
                   "expected another name in a loop, found 'loop'");
    for (const Target &part : target.parts)
      checkLoopTarget(part);
  }

  Target parseTarget(std::string_view endingName, bool withNamespace) {
    Target target;
    target.offset = current().offset;
    while (true) {
      bool ends = current().kind == TokenKind::BlockEnd || isOperator(")") ||
                  (!endingName.empty() && isName(endingName));
      if (ends && target.isTuple)
        break;
      target.parts.push_back(parseOneTarget(withNamespace));
      if (!skipOperator(","))
        break;
      target.isTuple = true;
    }
    if (target.isTuple)
      return target;
    return std::move(target.parts.front());
  }

  Target parseOneTarget(bool withNamespace) {
    Level level(*this);
    if (skipOperator("(")) {
      Target target = parseTarget({}, false);
      expectOperator(")");
      return target;
    }
    Target target;
    target.offset = current().offset;
    target.name = expectTargetName();
    if (withNamespace && skipOperator("."))
      target.attribute = expectName().text;
    return target;
  }

  std::string expectTargetName() {
    constexpr std::array<std::string_view, 6> kConstants = {
        "true", "false", "none", "True", "False", "None"};
    if (current().kind == TokenKind::Name &&
        std::ranges::find(kConstants, current().text) != kConstants.end())
      failExpecting("a name that can be set");
    return expectName().text;
  }

  void parseParameters(MacroBody &macro) {
    expectOperator("(");
    while (!isOperator(")")) {
      if (!macro.parameters.empty())
        expectOperator(",");
      Parameter parameter;
      parameter.name = expectTargetName();
      if (skipOperator("="))
        parameter.otherwise = parseExpression();
      else if (!macro.parameters.empty() && macro.parameters.back().otherwise)
        failExpecting("a default for '" + parameter.name + "'");
      macro.parameters.push_back(std::move(parameter));
    }
    expectOperator(")");
  }

  /// The body of a function of Python's: jumps do not leave it.
  void parseFunction(MacroBody &macro, std::string_view end) {
    uint32_t outside = loops;
    loops = 0;
    macros.push_back(&macro);
    macro.body = parseWholeBody(end);
    macros.pop_back();
    loops = outside;
  }

  StatementPtr parseMacro(size_t offset) {
    auto statement = make(StatementKind::Macro, offset);
    statement->macro = std::make_unique<MacroBody>();
    MacroBody &macro = *statement->macro;
    macro.name = expectTargetName();
    parseParameters(macro);
    parseFunction(macro, "endmacro");
    return statement;
  }

  StatementPtr parseCallBlock(size_t offset) {
    auto statement = make(StatementKind::CallBlock, offset);
    statement->macro = std::make_unique<MacroBody>();
    if (isOperator("("))
      parseParameters(*statement->macro);
    statement->value = parseExpression();
    if (statement->value->kind != ExpressionKind::Call)
      throw locate(source, statement->value->offset,
                   "expected a call in the tag 'call', found another value");
    parseFunction(*statement->macro, "endcall");
    return statement;
  }

  StatementPtr parseGeneration(size_t offset) {
    auto statement = make(StatementKind::Generation, offset);
    statement->macro = std::make_unique<MacroBody>();
    parseFunction(*statement->macro, "endgeneration");
    return statement;
  }

  StatementPtr parseFilterBlock(size_t offset) {
    auto statement = make(StatementKind::FilterBlock, offset);
    statement->value = parseFilters(nullptr, true);
    statement->body = parseWholeBody("endfilter");
    return statement;
  }

  StatementPtr parseWith(size_t offset) {
    auto statement = make(StatementKind::With, offset);
    while (current().kind != TokenKind::BlockEnd) {
      if (!statement->assignments.empty())
        expectOperator(",");
      Target target = parseOneTarget(false);
      expectOperator("=");
      statement->assignments.emplace_back(std::move(target), parseExpression());
    }
    statement->body = parseWholeBody("endwith");
    return statement;
  }

  uint32_t loops = 0;         // that a jump could leave
  uint32_t loopVariables = 0; // `loop` is set by a loop
};

} // namespace

Block parse(std::string_view source) {
  return Parser(source, tokenize(source)).parseTemplate();
}

} // namespace llamart::jinja
