//===- ReplyParts.cpp - What a reply says and what it calls ---------------===//

#include "runtime/Text/ChatTemplate/ReplyParts.h"

#include <nlohmann/json.hpp>

#include <optional>
#include <vector>

using namespace llamart;
using Json = nlohmann::ordered_json; // arguments stay in their order

namespace {

constexpr std::string_view kBlank = " \t\r\n";
constexpr size_t kDeepest = 64; // braces and brackets within each other

struct Call {
  std::string name;
  Json arguments;
};

std::string_view trim(std::string_view text) {
  size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

bool takePrefix(std::string_view &text, std::string_view prefix) {
  if (!text.starts_with(prefix))
    return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// Where the object that the text begins with ends; none if it does not.
std::optional<size_t> findObjectEnd(std::string_view text) {
  size_t depth = 0;
  bool inString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (inString) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        inString = false;
    } else if (c == '"') {
      inString = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDeepest)
        return std::nullopt;
    } else if (c == '}' || c == ']') {
      if (--depth == 0)
        return i + 1;
    }
    if (depth == 0)
      return std::nullopt; // it does not begin with a brace
  }
  return std::nullopt;
}

/// The object at the beginning of the text, which is taken off.
std::optional<Json> takeObject(std::string_view &text) {
  std::optional<size_t> end = findObjectEnd(text);
  if (!text.starts_with('{') || !end)
    return std::nullopt;
  Json object = Json::parse(text.substr(0, *end), nullptr,
                            /*allow_exceptions=*/false);
  if (!object.is_object())
    return std::nullopt;
  text.remove_prefix(*end);
  return object;
}

/// {"name": ..., "parameters": {...}}
std::optional<Call> readCall(const Json &object) {
  auto name = object.find("name");
  auto arguments = object.find("parameters");
  if (arguments == object.end())
    arguments = object.find("arguments");
  if (name == object.end() || !name->is_string() || arguments == object.end() ||
      !arguments->is_object())
    return std::nullopt;
  return Call{name->get<std::string>(), *arguments};
}

/// The calls of a text that is nothing else; none if it is.
std::vector<Call> readObjects(std::string_view text) {
  std::vector<Call> calls;
  text = trim(text);
  takePrefix(text, "<|python_tag|>");
  while (!(text = trim(text)).empty()) {
    std::optional<Json> object = takeObject(text);
    std::optional<Call> call = object ? readCall(*object) : std::nullopt;
    if (!call)
      return {};
    calls.push_back(std::move(*call));
    text = trim(text);
    takePrefix(text, ";");
  }
  return calls;
}

/// NAME>{...}</function>, taken off the text.
std::optional<Call> takeTagged(std::string_view &text) {
  std::string_view rest = text;
  size_t end = rest.find('>');
  if (end == std::string_view::npos || end == 0 ||
      rest.find_first_of("<\n") < end)
    return std::nullopt;
  std::string name(rest.substr(0, end));
  rest = trim(rest.substr(end + 1));
  std::optional<Json> arguments = takeObject(rest);
  rest = trim(rest);
  if (!arguments || !takePrefix(rest, "</function>"))
    return std::nullopt;
  text = rest;
  return Call{std::move(name), std::move(*arguments)};
}

/// Moves the tagged calls of the text to `calls`; returns what is around them.
std::string readTagged(std::string_view text, std::vector<Call> &calls) {
  constexpr std::string_view kTag = "<function=";
  std::string content;
  while (!text.empty()) {
    size_t tag = std::min(text.find(kTag), text.size());
    content += text.substr(0, tag);
    text.remove_prefix(tag);
    if (!takePrefix(text, kTag))
      break;
    if (std::optional<Call> call = takeTagged(text))
      calls.push_back(std::move(*call));
    else
      content += kTag;
  }
  return calls.empty() ? content : std::string(trim(content));
}

std::string dump(const Json &json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace

std::string llamart::parseReply(std::string_view text) {
  std::vector<Call> calls = readObjects(text);
  std::string content;
  if (calls.empty())
    content = readTagged(text, calls);
  Json message = {{"role", "assistant"}, {"content", nullptr}};
  if (!content.empty() || calls.empty())
    message["content"] = content;
  for (const Call &call : calls)
    message["tool_calls"].push_back(
        {{"type", "function"},
         {"function",
          {{"name", call.name}, {"arguments", dump(call.arguments)}}}});
  return dump(message);
}
