//===- format-chat.cpp - Chat templates, for tests in other languages -----===//
//
// One JSON object a line on stdin, one on stdout:
//
//   {"template": JINJA or "name": NAME, "messages": [{"role":, "content":}],
//    "prompt": true, "date": "", "bos": "", "eos": "", "variables": "{...}"}
//   =>  {"text": ...} or {"error": ...}
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
          : ChatTemplate::parse(request["template"].get<std::string>());
  ChatOptions options;
  options.addGenerationPrompt = request.value("prompt", true);
  options.date = request.value("date", "");
  options.bos = request.value("bos", "");
  options.eos = request.value("eos", "");
  options.variables = request.value("variables", "");
  jinja::Text prompt =
      form.format(std::string_view(request["messages"].dump()), options);
  return {{"text", prompt.bytes()}};
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
