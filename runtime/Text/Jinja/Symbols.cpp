//===- Symbols.cpp - Names that a scope hides -----------------------------===//

#include "runtime/Text/Jinja/Symbols.h"

#include <map>
#include <set>

namespace llamart::jinja {
namespace {

using Names = std::vector<std::string>;

struct Symbols {
  enum class Load : uint8_t { Hidden, Other };

  const Symbols *outer = nullptr;
  std::map<std::string, Load, std::less<>> loads; // of each name it refers to
  std::set<std::string, std::less<>> stores;

  bool knows(const std::string &name) const {
    for (const Symbols *symbols = this; symbols; symbols = symbols->outer)
      if (symbols->loads.contains(name))
        return true;
    return false;
  }
  void load(const std::string &name) {
    if (!knows(name))
      loads[name] = Load::Other;
  }
  void store(const std::string &name) {
    stores.insert(name);
    if (!loads.contains(name))
      loads[name] = outer && outer->knows(name) ? Load::Other : Load::Hidden;
  }
  void declare(const std::string &name) {
    stores.insert(name);
    loads[name] = Load::Other;
  }
  Names getHidden() const {
    Names names;
    for (const auto &[name, load] : loads)
      if (load == Load::Hidden)
        names.push_back(name);
    return names;
  }
};

void visit(Symbols &symbols, const ExpressionPtr &node) {
  if (!node)
    return;
  if (node->kind == ExpressionKind::Name)
    symbols.load(node->name);
  for (const ExpressionPtr &operand : node->operands)
    visit(symbols, operand);
  if (!node->arguments)
    return;
  for (const ExpressionPtr &argument : node->arguments->positional)
    visit(symbols, argument);
  for (const auto &[name, argument] : node->arguments->named)
    visit(symbols, argument);
  visit(symbols, node->arguments->star);
  visit(symbols, node->arguments->doubleStar);
}

void visitTarget(Symbols &symbols, const Target &target, bool declares) {
  for (const Target &part : target.parts)
    visitTarget(symbols, part, declares);
  if (target.isTuple)
    return;
  if (!target.attribute.empty())
    symbols.load(target.name);
  else if (declares)
    symbols.declare(target.name);
  else
    symbols.store(target.name);
}

void visitBlock(Symbols &symbols, const Block &block);

/// What all branches set is set; what only some do is looked up first.
void joinBranches(Symbols &symbols, const std::vector<Symbols> &branches) {
  std::map<std::string, size_t> counts;
  for (const Symbols &branch : branches)
    for (const std::string &name : branch.stores)
      counts[name] += !symbols.stores.contains(name);
  for (const Symbols &branch : branches) {
    for (const auto &[name, load] : branch.loads)
      symbols.loads.insert_or_assign(name, load);
    symbols.stores.insert(branch.stores.begin(), branch.stores.end());
  }
  for (const auto &[name, count] : counts)
    if (count > 0 && count < branches.size())
      symbols.loads[name] = Symbols::Load::Other;
}

/// An if has three branches for Jinja2: its body, all of its elif together,
/// each an if of its own there, and its else.
void visitIf(Symbols &symbols, const Statement &statement) {
  visit(symbols, statement.branches[0].test);
  std::vector<Symbols> branches(3, symbols);
  visitBlock(branches[0], statement.branches[0].body);
  for (size_t i = 1; i < statement.branches.size(); ++i) {
    visit(branches[1], statement.branches[i].test);
    std::vector<Symbols> inner(3, branches[1]);
    visitBlock(inner[0], statement.branches[i].body);
    joinBranches(branches[1], inner);
  }
  visitBlock(branches[2], statement.otherwise);
  joinBranches(symbols, branches);
}

void visitStatement(Symbols &symbols, const Statement &statement) {
  switch (statement.kind) {
  case StatementKind::If:
    return visitIf(symbols, statement);
  case StatementKind::Set:
    visit(symbols, statement.value);
    return visitTarget(symbols, statement.target, false);
  case StatementKind::SetBlock:
    return visitTarget(symbols, statement.target, false);
  case StatementKind::Macro:
    return symbols.store(statement.macro->name);
  case StatementKind::With:
    for (const auto &[target, value] : statement.assignments)
      visit(symbols, value);
    return;
  default:
    return visit(symbols, statement.value);
  }
}

void visitBlock(Symbols &symbols, const Block &block) {
  for (const auto &statement : block)
    visitStatement(symbols, *statement);
}

void openScopes(const Symbols &outer, Block &block);

void openMacro(const Symbols &outer, MacroBody &macro) {
  Symbols inner;
  inner.outer = &outer;
  for (const Parameter &parameter : macro.parameters)
    inner.declare(parameter.name);
  for (const Parameter &parameter : macro.parameters)
    visit(inner, parameter.otherwise);
  visitBlock(inner, macro.body);
  macro.hidden = inner.getHidden();
  openScopes(inner, macro.body);
}

void openInner(const Symbols &outer, Statement &statement) {
  Symbols inner;
  inner.outer = &outer;
  if (statement.kind == StatementKind::For) {
    inner.declare("loop");
    visitTarget(inner, statement.target, true);
  }
  for (const auto &[target, value] : statement.assignments)
    visitTarget(inner, target, true);
  visitBlock(inner, statement.body);
  statement.hidden = inner.getHidden();
  openScopes(inner, statement.body);
  if (statement.kind != StatementKind::For)
    return;
  Symbols otherwise;
  otherwise.outer = &outer;
  visitBlock(otherwise, statement.otherwise);
  statement.hiddenOtherwise = otherwise.getHidden();
  openScopes(otherwise, statement.otherwise);
}

void openScopes(const Symbols &outer, Block &block) {
  for (const auto &statement : block) {
    for (Branch &branch : statement->branches)
      openScopes(outer, branch.body);
    if (statement->macro)
      openMacro(outer, *statement->macro);
    else if (statement->kind == StatementKind::If)
      openScopes(outer, statement->otherwise);
    else if (!statement->body.empty() || !statement->otherwise.empty())
      openInner(outer, *statement);
  }
}

} // namespace

std::vector<std::string> findHiddenNames(Block &block) {
  Symbols symbols;
  visitBlock(symbols, block);
  openScopes(symbols, block);
  return symbols.getHidden();
}

} // namespace llamart::jinja
