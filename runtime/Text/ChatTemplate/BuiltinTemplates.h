//===- BuiltinTemplates.h - Chat templates that have a name -----*- C++ -*-===//

#ifndef LLAMA_RUNTIME_TEXT_CHATTEMPLATE_BUILTINTEMPLATES_H
#define LLAMA_RUNTIME_TEXT_CHATTEMPLATE_BUILTINTEMPLATES_H

#include <string>
#include <string_view>

namespace llamart {

/// Jinja source of "llama3" and so on; empty if there is none of this name.
std::string findBuiltinTemplate(std::string_view name);

/// "llama2, llama3, llama3.1, ..."
std::string listBuiltinTemplates();

} // namespace llamart

#endif // LLAMA_RUNTIME_TEXT_CHATTEMPLATE_BUILTINTEMPLATES_H
