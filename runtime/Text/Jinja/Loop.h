//===- Loop.h - The variable `loop` of a for --------------------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_TEXT_JINJA_LOOP_H
#define LLAMA_RUNTIME_TEXT_JINJA_LOOP_H

#include "runtime/Text/Jinja/Interpreter.h"

namespace llamart::jinja {

/// Goes through items one by one and looks ahead only when it is asked to, as
/// what a template does in a loop may change which items a filter lets through.
class LoopContext : public Function,
                    public std::enable_shared_from_this<LoopContext> {
public:
  LoopContext(Next next, const Value &items, const Statement &statement,
              ScopePtr outer, int64_t depth);

  /// The next item becomes the current one.
  std::optional<Value> advance();
  /// Lets go of what may hold this loop.
  void finish();

  Value call(Interpreter &interpreter, Arguments arguments) override;
  std::optional<Value> getAttribute(std::string_view name) override;
  const char *getType() const override { return "jinja2.runtime.LoopContext"; }

  /// Whether one of these values is another than at the last call.
  bool hasChanged(Items values);
  Value cycle(const Items &values) const;

private:
  /// The next item, which stays the next one; null behind the last.
  const Value *peek();
  int64_t getLength();

  Next next;
  std::optional<int64_t> length; // known without looking at the items
  const Statement &statement;
  ScopePtr outer;
  int64_t depth, index = -1;
  std::optional<Value> before, current, after, lastChange;
};

} // namespace llamart::jinja

#endif // LLAMA_RUNTIME_TEXT_JINJA_LOOP_H
