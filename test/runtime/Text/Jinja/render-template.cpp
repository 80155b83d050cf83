//===- render-template.cpp - Runs templates, for tests in Python ----------===//
//
// One JSON object a line on stdin, one on stdout:
//
//   {"template": JINJA, "variables": {...}, "now": seconds}
//   =>  {"text": ..., "literal": [begin, end, ...]}
//       or {"raises": words} or {"error": line}
//
// "literal" has the bytes that come from the template itself. Strings named
// bos_token and eos_token do, too.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Jinja/JsonReader.h"
#include "runtime/Text/Jinja/Template.h"
#include "runtime/Text/Jinja/TemplateError.h"

#include <nlohmann/json.hpp>

#include <exception>
#include <iostream>
#include <string>

using namespace llamart::jinja;
using nlohmann::json;

static json describe(const Text &text) {
  json literal = json::array();
  size_t begin = 0;
  for (const TextRun &run : text.getRuns()) {
    if (run.origin == Origin::Literal)
      literal.insert(literal.end(), {begin, run.end});
    begin = run.end;
  }
  return {{"text", text.bytes()}, {"literal", literal}};
}

static json answer(const std::string &line) {
  // The reader of the library keeps the order of keys.
  Value request = readJson(line, "request");
  const DictObject &fields = request.getDict();
  DictObject variables;
  for (const auto &[key, value] : fields.find("variables")->getDict().entries) {
    bool isToken =
        key.getBytes() == "bos_token" || key.getBytes() == "eos_token";
    variables.set(key, isToken
                           ? Value::string(value.getBytes(), Origin::Literal)
                           : value);
  }
  const Value *now = fields.find("now");
  std::chrono::local_seconds time{
      std::chrono::seconds(now ? now->getInt() : 1721995200)};
  return describe(Template::parse(fields.find("template")->getBytes())
                      .render(variables, time));
}

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    json result;
    try {
      result = answer(line);
    } catch (const TemplateError &error) {
      if (error.wasRaised())
        result = {{"raises", error.getRaised()}};
      else
        result = {{"error", error.what()}};
    }
    std::cout << result.dump(-1, ' ', false, json::error_handler_t::replace)
              << '\n';
  }
  return 0;
}
