//===- chat.cpp - Fuzzes conversations in JSON and replies ----------------===//
//
// The first byte chooses: a conversation for a template of ours, or a reply that
// is taken apart.
//
//===----------------------------------------------------------------------===//

#include "runtime/Error.h"
#include "runtime/Text/ChatTemplate/ChatTemplate.h"
#include "runtime/Text/ChatTemplate/ReplyParts.h"

#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

using namespace llamart;

static void format(std::string_view conversation) {
  static const ChatTemplate form = ChatTemplate::byName("llama3.1");
  try {
    form.format(conversation, ChatOptions());
  } catch (const Error &error) {
    for (const char *c = error.what(); *c; ++c) // one printable line
      if (static_cast<unsigned char>(*c) < 0x20 || *c == 0x7f)
        std::abort();
  }
}

static void takeApart(std::string_view reply) {
  nlohmann::json message = nlohmann::json::parse(parseReply(reply));
  if (message.at("content").is_null() && message.at("tool_calls").empty())
    std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  std::string_view text(reinterpret_cast<const char *>(data) + 1, size - 1);
  if (data[0] & 1)
    format(text);
  else
    takeApart(text);
  return 0;
}
