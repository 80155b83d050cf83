//===- BuiltinTemplates.cpp - Chat templates that have a name -------------===//

#include "runtime/Text/ChatTemplate/BuiltinTemplates.h"

#include <array>

namespace llamart {
namespace {

constexpr const char *kLlama2 = R"({% set system = '' %}
{% if messages[0].role == 'system' %}
{% set system = '<<SYS>>\n' ~ messages[0].content ~ '\n<</SYS>>\n\n' %}
{% set messages = messages[1:] %}
{% endif %}
{% if not messages %}{{ raise_exception('llama2: there is no user message') }}{% endif %}
{% for message in messages %}
{% set role = 'user' if loop.index0 is even else 'assistant' %}
{% if message.role != role %}
{{ raise_exception('llama2: expected role \'' ~ role ~ '\', found \'' ~ message.role ~ '\'') }}
{% endif %}
{% if role == 'user' %}
{{- bos_token | default('<s>') ~ '[INST] ' ~ ((system if loop.first else '') ~ message.content).strip() ~ ' [/INST]' -}}
{% else %}
{{- ' ' ~ message.content.strip() ~ ' ' ~ eos_token | default('</s>') -}}
{% endif %}
{% endfor %}
)";

// The date is the one that Llama 3.1's own source has, or today's in 3.2's.
constexpr const char *kDate = R"({% if date_string is not defined %}
{% set date_string = DATE %}
{% endif %}
{% set system = '' %}
{% if messages[0].role == 'system' %}
{% set system = messages[0].content | trim %}
{% set messages = messages[1:] %}
{% endif %}
{{- bos_token | default('<|begin_of_text|>') ~ '<|start_header_id|>system<|end_header_id|>\n\n' -}}
{{- 'Cutting Knowledge Date: December 2023\nToday Date: ' ~ date_string ~ '\n\n' ~ system ~ '<|eot_id|>' -}}
)";

constexpr const char *kLlama3 = R"({% for message in messages %}
{% if message.role in ['tool', 'ipython'] %}
{{ raise_exception('llama3: role \'' ~ message.role ~ '\' is not supported') }}
{% endif %}
{{- '<|start_header_id|>' ~ message.role ~ '<|end_header_id|>\n\n' ~ message.content | trim ~ '<|eot_id|>' -}}
{% endfor %}
{% if add_generation_prompt %}
{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' -}}
{% endif %}
)";

constexpr const char *kSmolLM2 = R"({% if messages[0].role != 'system' %}
{{- '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' -}}
{% endif %}
)";

constexpr const char *kChatML = R"({% for message in messages %}
{{- '<|im_start|>' ~ message.role ~ '\n' ~ message.content ~ '<|im_end|>\n' -}}
{% endfor %}
{% if add_generation_prompt %}
{{- '<|im_start|>assistant\n' -}}
{% endif %}
)";

constexpr std::array<const char *, 6> kNames = {
    "llama2", "llama3", "llama3.1", "llama3.2", "chatml", "smollm2"};

std::string makeDated(const std::string &date) {
  std::string source = kDate;
  source.replace(source.find("DATE"), 4, date);
  return source + kLlama3;
}

} // namespace

std::string findBuiltinTemplate(std::string_view name) {
  if (name == "llama2")
    return kLlama2;
  if (name == "llama3")
    return std::string("{{- bos_token | default('<|begin_of_text|>') -}}\n") +
           kLlama3;
  if (name == "llama3.1")
    return makeDated("'26 Jul 2024'");
  if (name == "llama3.2")
    return makeDated("strftime_now('%d %b %Y')");
  if (name == "chatml")
    return kChatML;
  if (name == "smollm2")
    return std::string(kSmolLM2) + kChatML;
  return "";
}

std::string listBuiltinTemplates() {
  std::string names;
  for (const char *name : kNames)
    names += (names.empty() ? "" : ", ") + std::string(name);
  return names;
}

} // namespace llamart
