//===- ReplyPartsTest.cpp - What a reply says and what it calls -----------===//

#include "runtime/Text/ChatTemplate/ReplyParts.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using nlohmann::json;

namespace {

json parse(std::string_view text) {
  return json::parse(llamart::parseReply(text));
}

json call(const char *name, const char *arguments) {
  return {{"type", "function"},
          {"function", {{"name", name}, {"arguments", arguments}}}};
}

json calls(std::vector<json> list) {
  return {{"role", "assistant"}, {"content", nullptr}, {"tool_calls", list}};
}

json content(const char *text) {
  return {{"role", "assistant"}, {"content", text}};
}

TEST(ReplyParts, ATextIsContent) {
  for (const char *text :
       {"Hello.", "", "{\"a\": 1}", "{\"name\": \"f\"}",
        "{\"name\": 1, \"parameters\": {}}",
        "{\"name\": \"f\", \"parameters\": []}",
        "{\"name\": \"f\", \"parameters\": {}",
        "{\"name\": \"f\", \"parameters\": {}} and more", "<function=f>",
        "<function=>{}</function>", "<function=f>{}",
        "<function=f>[1]</function>", "{{\"name\": \"f\"}}",
        " {\"name\": \"f\", \"parameters\": {}} x"})
    EXPECT_EQ(parse(text), content(text)) << text;
}

TEST(ReplyParts, AnObjectIsACall) {
  EXPECT_EQ(parse(R"({"name": "add", "parameters": {"b": 1, "a": [2, "}"]}})"),
            calls({call("add", R"({"b":1,"a":[2,"}"]})")}));
  EXPECT_EQ(parse("<|python_tag|>{\"name\": \"f\", \"arguments\": {}}\n"),
            calls({call("f", "{}")}));
  EXPECT_EQ(
      parse(
          R"( {"type": "function", "name": "f", "parameters": {"s": "a\"{"}} ; {"name": "g", "parameters": {}})"),
      calls({call("f", R"({"s":"a\"{"})"), call("g", "{}")}));
  EXPECT_EQ(parse("{\"name\": \"f\", \"parameters\": {}}\n{\"name\": \"g\", "
                  "\"parameters\": {}}"),
            calls({call("f", "{}"), call("g", "{}")}));
}

TEST(ReplyParts, ATagIsACallWithTextAround) {
  json expected = calls({call("f", R"({"x":1})"), call("g", "{}")});
  expected["content"] = "Let me see. and then";
  EXPECT_EQ(parse("Let me see. <function=f>{\"x\": 1}</function>and "
                  "then\n<function=g> {} </function>\n"),
            expected);
  EXPECT_EQ(parse("<function=f>{}</function>"), calls({call("f", "{}")}));
}

TEST(ReplyParts, BytesThatAreNoTextDoNoHarm) {
  EXPECT_EQ(parse("a\xff z"), content("a\xef\xbf\xbd z"));
  EXPECT_EQ(parse(std::string_view("a\0b", 3)),
            (json{{"role", "assistant"}, {"content", std::string("a\0b", 3)}}));
  std::string deep =
      "{\"name\": \"f\", \"parameters\": " + std::string(100000, '[');
  EXPECT_EQ(parse(deep), content(deep.c_str()));
}

} // namespace
