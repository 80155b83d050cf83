//===- format-chat.cpp - Chat templates, for tests in other languages -----===//
//
// One JSON object a line on stdin, one on stdout:
//
//   {"template": JINJA or "name": NAME, "messages": [{"role":, "content":}],
//    "prompt": true, "date": "", "bos": "", "eos": ""}
//   =>  {"text": ..., "special": [...]} or {"error": ...}
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/ChatTemplate/ChatTemplate.h"

#include <nlohmann/json.hpp>

#include <exception>
#include <iostream>
#include <string>

using namespace llamart;
using nlohmann::json;

static json answer(const json &request) {
  ChatTemplate form =
      request.contains("name")
          ? ChatTemplate::byName(request["name"].get<std::string>())
          : ChatTemplate::recognize(request["template"].get<std::string>());
  std::vector<ChatMessage> messages;
  for (const json &message : request["messages"])
    messages.push_back({message["role"], message["content"]});
  ChatOptions options;
  options.addGenerationPrompt = request.value("prompt", true);
  options.date = request.value("date", "");
  options.bos = request.value("bos", "");
  options.eos = request.value("eos", "");
  std::vector<PromptPiece> pieces = form.format(messages, options);
  json special = json::array();
  for (const PromptPiece &piece : pieces)
    if (piece.special)
      special.push_back(piece.text);
  return {{"text", joinPieces(pieces)}, {"special", special}};
}

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    json result;
    try {
      result = answer(json::parse(line));
    } catch (const std::exception &error) {
      result = {{"error", error.what()}};
    }
    std::cout << result.dump() << '\n';
  }
  return 0;
}
