//===- ReplyParts.h - What a reply says and what it calls -------*- C++ -*-===//
//
// {"name": "add", "parameters": {"a": 1}}  =>  {"role": "assistant",
//   "content": null, "tool_calls": [{"type": "function", "function":
//   {"name": "add", "arguments": "{\"a\":1}"}}]}
//
// Calls are found in the forms that Llama 3.1 to 3.3 were taught (Meta's prompt
// formats, "Llama 3.1"): one JSON object or several, separated by semicolons or
// blanks, and nothing else but <|python_tag|> before them; and
// <function=NAME>{...}</function>, with any text around. A reply that is nearly
// of such a form is a text.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_CHATTEMPLATE_REPLYPARTS_H
#define LLAMA_RUNTIME_TEXT_CHATTEMPLATE_REPLYPARTS_H

#include <string>
#include <string_view>

namespace llamart {

/// A message in OpenAI's shape, as JSON. Bytes that are no UTF-8 become U+FFFD.
std::string parseReply(std::string_view text);

} // namespace llamart

#endif // LLAMA_RUNTIME_TEXT_CHATTEMPLATE_REPLYPARTS_H
