//===- RecognizeTemplate.cpp - Which layout a Jinja source describes ------===//
//
// A source is known by the marks that it writes around a message. Where sources
// of one layout differ (trimming, a default system message, a date), the words
// that make the difference are looked for; a source that does something else
// with the system message is refused, because a prompt that is nearly right
// makes a model worse without anybody noticing.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/ChatTemplate/ChatTemplate.h"

#include "runtime/Error.h"

#include <array>
#include <initializer_list>

namespace llamart {
namespace {

constexpr const char *kSmolLMSystem =
    "You are a helpful AI assistant named SmolLM, trained by Hugging Face";

constexpr std::array<const char *, 6> kNames = {
    "llama2", "llama3", "llama3.1", "llama3.2", "chatml", "smollm2"};

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool hasAll(std::string_view text,
            std::initializer_list<std::string_view> parts) {
  for (std::string_view part : parts)
    if (!has(text, part))
      return false;
  return true;
}

bool trims(std::string_view jinja) {
  return has(jinja, "| trim") || has(jinja, "|trim") || has(jinja, ".strip()");
}

[[noreturn]] void refuse(const std::string &why) {
  throw Error(ErrorKind::Argument, "chat template: ", why, "; choose one of ",
              ChatTemplate::listNames());
}

/// A string inside a Jinja source: "\\n" is a line end, as a real one is.
std::string unescape(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      result += text[i];
      continue;
    }
    ++i;
    result += text[i] == 'n' ? '\n' : text[i];
  }
  return result;
}

/// The system message that a ChatML source writes by itself: what stands
/// between
/// "<|im_start|>system\n" and "<|im_end|>" inside one string.
std::string findDefaultSystem(std::string_view jinja) {
  constexpr std::string_view open = "<|im_start|>system", close = "<|im_end|>";
  for (size_t at = jinja.find(open); at != std::string_view::npos;
       at = jinja.find(open, at + 1)) {
    std::string_view rest = jinja.substr(at + open.size());
    if (rest.starts_with("\\n"))
      rest.remove_prefix(2);
    else if (rest.starts_with("\n"))
      rest.remove_prefix(1);
    else
      continue;
    std::string_view message = rest.substr(0, rest.find(close));
    if (message.size() < rest.size() &&
        message.find_first_of("'\"{}") == std::string_view::npos)
      return unescape(message);
  }
  return {};
}

} // namespace

ChatTemplate ChatTemplate::recognize(std::string_view jinja) {
  ChatTemplate form;
  form.startsWithBos = has(jinja, "bos_token");
  form.trimContent = trims(jinja);
  form.alwaysPrompts = !has(jinja, "add_generation_prompt");
  if (hasAll(jinja,
             {"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"})) {
    form.layout = ChatLayout::Llama3;
    form.datedSystem = hasAll(
        jinja, {"Cutting Knowledge Date: December 2023", "Today Date: "});
    form.readsClock = form.datedSystem && has(jinja, "strftime_now");
    if (has(jinja, "system_message") && !form.datedSystem)
      refuse("looks like llama3 but treats the system message in its own way");
    return form;
  }
  if (hasAll(jinja, {"<|im_start|>", "<|im_end|>"})) {
    form.layout = ChatLayout::ChatML;
    form.defaultSystem = findDefaultSystem(jinja);
    if (has(jinja, "set system_message"))
      refuse("looks like chatml but treats the system message in its own way");
    return form;
  }
  if (hasAll(jinja,
             {"[INST]", "[/INST]", "<<SYS>>", "bos_token", "eos_token"})) {
    form.layout = ChatLayout::Llama2;
    return form;
  }
  refuse(jinja.empty() ? "the model has none"
                       : "the model's is of an unknown layout");
}

ChatTemplate ChatTemplate::byName(std::string_view name) {
  ChatTemplate form;
  if (name == "llama2") {
    form.layout = ChatLayout::Llama2;
  } else if (name.starts_with("llama3")) {
    form.layout = ChatLayout::Llama3;
    form.startsWithBos = form.trimContent = true;
    form.datedSystem = name != "llama3";
    form.readsClock = name == "llama3.2";
  } else if (name == "chatml" || name == "smollm2") {
    form.layout = ChatLayout::ChatML;
    if (name == "smollm2")
      form.defaultSystem = kSmolLMSystem;
  }
  for (const char *known : kNames)
    if (name == known)
      return form;
  refuse("there is none named '" + std::string(name) + "'");
}

std::string ChatTemplate::listNames() {
  std::string names;
  for (const char *name : kNames)
    names += (names.empty() ? "" : ", ") + std::string(name);
  return names;
}

} // namespace llamart
