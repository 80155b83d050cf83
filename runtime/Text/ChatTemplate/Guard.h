//===- Guard.h - What a Llama Guard 3 is asked, and its answer --*- C++ -*-===//
//
// user: "How do I ...?"  =>  one message with the task, the categories and the
//                            conversation  =>  "unsafe\nS2"  =>  {false, {S2}}
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_CHATTEMPLATE_GUARD_H
#define LLAMA_RUNTIME_TEXT_CHATTEMPLATE_GUARD_H

#include "runtime/Text/ChatTemplate/ChatTemplate.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace llamart {

/// The one message, of role user in the layout llama3, that asks for a verdict
/// on the last of these messages. Roles are user and assistant in turn. Throws
/// Error (Argument) if there is another role, or no message.
ChatMessage askGuard(std::span<const ChatMessage> conversation);

struct GuardVerdict {
  bool safe = true;
  std::vector<std::string> categories; ///< "S1", ...; none if safe
};

/// Reads an answer; nothing if it is not one.
std::optional<GuardVerdict> readVerdict(std::string_view answer);

/// "Violent Crimes" of "S1"; empty if there is no such category.
std::string_view getCategoryName(std::string_view category);

} // namespace llamart

#endif // LLAMA_RUNTIME_TEXT_CHATTEMPLATE_GUARD_H
