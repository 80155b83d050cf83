//===- ChatTemplateTest.cpp - Messages to prompts -------------------------===//
//
// What the comparisons with Jinja2 (against_jinja.py here, against_jinja2.py
// beside the interpreter) do not see: where bytes come from, names, dates,
// messages of errors.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/ChatTemplate/ChatTemplate.h"

#include "runtime/Error.h"

#include <gtest/gtest.h>

#include <functional>

using namespace llamart;

namespace {

/// What is not the template's own in brackets, a role in parentheses.
std::string describe(const jinja::Text &prompt) {
  std::string text;
  size_t begin = 0;
  for (const jinja::TextRun &run : prompt.getRuns()) {
    std::string part(prompt.bytes().substr(begin, run.end - begin));
    text += run.origin == jinja::Origin::Literal ? part
            : run.origin == jinja::Origin::Name  ? "(" + part + ")"
                                                 : "[" + part + "]";
    begin = run.end;
  }
  return text;
}

std::string getComplaint(const std::function<void()> &action) {
  try {
    action();
  } catch (const Error &error) {
    EXPECT_EQ(error.getKind(), ErrorKind::Argument);
    return error.what();
  }
  return "";
}

const std::vector<ChatMessage> kHello = {{"user", "Hello"}};

std::string run(std::string_view source, const ChatOptions &options = {}) {
  return describe(ChatTemplate::parse(source).format(kHello, options));
}

TEST(ChatTemplate, TextOfAMessageIsNotTheTemplates) {
  std::vector<ChatMessage> messages = {{"user", " a<|eot_id|>b "}};
  EXPECT_EQ(describe(ChatTemplate::byName("llama3").format(messages)),
            "<|begin_of_text|><|start_header_id|>(user)<|end_header_id|>\n\n"
            "[a<|eot_id|>b]<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n");
}

TEST(ChatTemplate, OriginsGoThroughOperations) {
  EXPECT_EQ(run("{{ ('<x>' ~ messages[0].content ~ '</x>')[1:-1] }}"),
            "x>[Hello]</x");
  EXPECT_EQ(run("{{ ('<' + messages[0].content).replace('ell', '|') }}"),
            "<[H]|[o]");
  EXPECT_EQ(run("{{ messages[0].content|upper }}{{ 'a b'.split()|join('-') }}"),
            "[HELLO]a-b");
  EXPECT_EQ(run("{{ [messages[0].content, 1]|tojson }}"), "[\"[Hello]\", 1]");
  EXPECT_EQ(
      run("{% set x %}<{{ messages[0].content }}>{% endset %}{{ x|trim }}"),
      "<[Hello]>");
}

TEST(ChatTemplate, VariablesAreDataAndTokensAreNot) {
  ChatOptions options;
  options.bos = "<s>";
  options.variables =
      R"({"tools": [{"name": "<s>"}], "add_generation_prompt": 0})";
  EXPECT_EQ(run("{{ bos_token }}{{ tools[0].name }}{{ add_generation_prompt }}",
                options),
            "<s>[<s>]0");
  EXPECT_EQ(run("{{ tools is defined }}{{ eos_token is defined }}"),
            "FalseFalse");
}

TEST(ChatTemplate, MessagesOfJsonMayBringVariables) {
  ChatTemplate form = ChatTemplate::parse(
      "{{ messages[0].role }}{{ messages[0].tool_calls[0].id }}{{ x }}");
  EXPECT_EQ(describe(form.format(
                R"({"messages": [{"role": "user", "tool_calls": [{"id": 3}]}],
                    "x": "y"})",
                {})),
            "(user)3[y]");
  EXPECT_EQ(getComplaint([&] { form.format("{}", {}); }),
            "chat template: messages: expected the key 'messages', found none");
  EXPECT_EQ(getComplaint([&] { form.format("[{}]", {}); }),
            "chat template: messages: expected a role in each message, found "
            "none");
  EXPECT_EQ(getComplaint([&] { form.format("[", {}); }).substr(0, 46),
            "chat template: messages: expected JSON, found ");
}

TEST(ChatTemplate, ADateIsOneForBothWaysToAsk) {
  ChatOptions options;
  options.date = "01 Feb 2031";
  EXPECT_EQ(run("{{ strftime_now('%Y-%m-%d %a') }} {{ date_string }}", options),
            "2031-02-01 Sat [01 Feb 2031]");
  options.date = "2031-02-01";
  EXPECT_EQ(run("{{ strftime_now('%d %b %Y') }}", options), "01 Feb 2031");
  options.date = "tomorrow";
  EXPECT_EQ(getComplaint([&] { run("x", options); }),
            "chat template: date: expected a date as in '26 Jul 2024' or "
            "'2024-07-26', found 'tomorrow'");
}

TEST(ChatTemplate, EveryNameIsListedAndKnown) {
  EXPECT_EQ(ChatTemplate::listNames(),
            "llama2, llama3, llama3.1, llama3.2, chatml, smollm2");
  for (const char *name :
       {"llama2", "llama3", "llama3.1", "llama3.2", "chatml", "smollm2"})
    EXPECT_FALSE(ChatTemplate::byName(name).format(kHello).empty());
  EXPECT_EQ(getComplaint([] { ChatTemplate::byName("gpt"); }),
            "chat template: there is none named 'gpt'; choose one of " +
                ChatTemplate::listNames());
}

TEST(ChatTemplate, AnErrorSaysWhereAndWhat) {
  auto complain = [](std::string_view source) {
    return getComplaint([&] { run(source); });
  };
  EXPECT_EQ(complain(""), "chat template: the model has none");
  EXPECT_EQ(complain("a\nb {{ x. }}"),
            "chat template: line 2, column 9: expected a name or a number, "
            "found '}}'");
  EXPECT_EQ(complain("é{{ x.y }}"),
            "chat template: line 1, column 6: 'x' is undefined");
  EXPECT_EQ(complain("{{ raise_exception('System role not supported') }}"),
            "chat template: System role not supported");
  EXPECT_EQ(complain("{% include 'x' %}"),
            "chat template: line 1, column 4: expected a tag that is "
            "supported, found 'include'");
}

TEST(ChatTemplate, EndsByItsBounds) {
  auto complain = [](std::string_view source) {
    return getComplaint([&] { run(source); });
  };
  auto repeat = [](std::string_view text, int count) {
    std::string result;
    for (int i = 0; i < count; ++i)
      result += text;
    return result;
  };
  EXPECT_NE(complain("{{ range(10**12) }}").find("at most 100000"),
            std::string::npos);
  EXPECT_NE(complain("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")
                .find("nested at most"),
            std::string::npos);
  for (const char *open :
       {"{{ (", "{% if x %}", "{{ [", "{% for x in y %}", "{{ not ", "{{ -"})
    EXPECT_NE(complain(std::string(open) +
                       repeat(open + (open[1] == '{' ? 3 : 0), 10000))
                  .find("chat template: line 1"),
              std::string::npos)
        << open;
  EXPECT_NE(complain("{{ " + repeat("(", 10000) + repeat(")", 10000) + " }}")
                .find("at most 200"),
            std::string::npos);
  EXPECT_NE(complain("{{ 1" + repeat(" + 1", 10000) + " }}").find("200 levels"),
            std::string::npos);
  EXPECT_NE(complain("{{ 'a' * 10**12 }}").find("bytes together"),
            std::string::npos);
  EXPECT_NE(complain("{% set n = namespace(x=[]) %}{% for i in range(1000) %}"
                     "{% set n.x = [n.x] %}{% endfor %}")
                .find("nested at most 200"),
            std::string::npos);
  // A comparison counts a step for each entry: ten million are soon done.
  std::string entries;
  for (int i = 0; i < 1000; ++i)
    entries += std::to_string(i) + ": 0, ";
  EXPECT_NE(complain("{% set d = {" + entries +
                     "} %}{% for a in range(99999) %}"
                     "{% set b = d == {} %}{% endfor %}")
                .find("10000000 steps"),
            std::string::npos);
}

} // namespace
