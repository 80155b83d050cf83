//===- Symbols.h - Names that a scope hides ---------------------*- C++ -*-===//
//
//   {% for m in messages %}{{ x }}{% endfor %}{% set x = 1 %}
//
// Jinja2 decides when it compiles where a name comes from. A name that a scope
// sets before it reads it, whatever branch is taken, and that no scope around
// it knows, is one of that scope from its beginning on: here {{ x }} is
// undefined, even if the caller passed an x.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_JINJA_SYMBOLS_H
#define LLAMA_RUNTIME_TEXT_JINJA_SYMBOLS_H

#include "runtime/Text/Jinja/Ast.h"

#include <string>
#include <vector>

namespace llamart::jinja {

/// Sets the hidden names of all scopes inside of the template; returns those of
/// the template itself.
std::vector<std::string> findHiddenNames(Block &block);

} // namespace llamart::jinja

#endif // LLAMA_RUNTIME_TEXT_JINJA_SYMBOLS_H
