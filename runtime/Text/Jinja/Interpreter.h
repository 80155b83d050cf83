//===- Interpreter.h - Runs a parsed template -------------------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_TEXT_JINJA_INTERPRETER_H
#define LLAMA_RUNTIME_TEXT_JINJA_INTERPRETER_H

#include "runtime/Text/Jinja/Ast.h"
#include "runtime/Text/Jinja/Meter.h"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace llamart::jinja {

/// Names that were set at one level of the template.
struct Scope {
  std::vector<std::pair<std::string, Value>> names;
  std::shared_ptr<Scope> outer;

  const Value *find(std::string_view name) const;
  void set(std::string_view name, Value value);
};
using ScopePtr = std::shared_ptr<Scope>;

class LoopContext;

/// One run. Nothing is reached from it but the variables it is given.
class Interpreter {
public:
  Interpreter(std::string_view source, const DictObject &variables,
              const Limits &limits, std::chrono::local_seconds now)
      : source(source), variables(variables), limits(limits), now(now) {}
  ~Interpreter();

  /// The prompt. Throws TemplateError.
  Text run(const Block &block, const std::vector<std::string> &hidden);

  std::chrono::local_seconds getTime() const { return now; }
  /// Keeps what may hold itself, to take it apart at the end.
  void keep(std::shared_ptr<NamespaceObject> object);

  Text callMacro(const MacroBody &macro, const ScopePtr &outer,
                 Arguments arguments);
  Text runLoop(const Statement &statement, const Value &items,
               const ScopePtr &outer, int64_t depth);

private:
  enum class Flow : uint8_t { Next, Break, Continue };
  /// Counts a step, and a level of nesting while it lives.
  struct Level {
    explicit Level(Interpreter &interpreter);
    ~Level() { --interpreter.depth; }
    Interpreter &interpreter;
  };

  Flow execute(const Block &block);
  Flow execute(const Statement &statement);
  Flow dispatch(const Statement &statement);
  Flow executeIf(const Statement &statement);
  Flow executeFor(const Statement &statement);
  Flow executeSetBlock(const Statement &statement);
  Flow executeFilterBlock(const Statement &statement);
  Flow executeWith(const Statement &statement);
  void executeCallBlock(const Statement &statement);
  void defineMacro(const Statement &statement);
  Flow loop(const Statement &statement, const Value &items, int64_t depth);
  Next filterItems(const Statement &statement, const Value &items);
  void write(const Text &text);
  void writeString(const Value &value);
  template <typename Function>
  Flow capture(const Statement &statement, Text &text, Function run);

  Value evaluate(const Expression &node);
  Value dispatch(const Expression &node);
  Value evaluateName(const Expression &node);
  Value evaluateDict(const Expression &node);
  Value evaluateUnary(const Expression &node);
  Value evaluateBinary(const Expression &node);
  Value evaluateConcat(const Expression &node);
  Value evaluateCompare(const Expression &node);
  Value evaluateConditional(const Expression &node);
  Value evaluateItem(const Expression &node);
  Value evaluateCall(const Expression &node);
  Value evaluateFilter(const Expression &node, const Value *input);
  Value evaluateTest(const Expression &node);
  Items evaluateAll(const std::vector<ExpressionPtr> &nodes);
  Value evaluateOptional(const ExpressionPtr &node);
  Arguments evaluateArguments(const ArgumentList *list);

  void assign(const Target &target, const Value &value);
  void assignAll(const std::vector<Target> &targets, const Value &value);
  void assignAttribute(const Target &target, const Value &value);
  Value lookup(std::string_view name) const;
  void bindParameters(const MacroBody &macro, Arguments &arguments);
  void bindRest(const MacroBody &macro, Arguments &arguments, size_t used);

  std::string_view source;
  const DictObject &variables;
  const Limits &limits;
  std::chrono::local_seconds now;
  ScopePtr scope = std::make_shared<Scope>();
  Text *output = nullptr;
  uint32_t depth = 0;
  std::vector<std::shared_ptr<NamespaceObject>> namespaces;
  std::vector<ScopePtr> captured; // by macros
};

} // namespace llamart::jinja

#endif // LLAMA_RUNTIME_TEXT_JINJA_INTERPRETER_H
