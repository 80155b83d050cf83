//===- Rendered.h - What a template makes of a few variables ----*- C++ -*-===//

#ifndef LLAMA_TEST_RUNTIME_TEXT_JINJA_RENDERED_H
#define LLAMA_TEST_RUNTIME_TEXT_JINJA_RENDERED_H

#include "runtime/Text/Jinja/JsonReader.h"
#include "runtime/Text/Jinja/Template.h"
#include "runtime/Text/Jinja/TemplateError.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace llamatest {

/// The text, or the error, of a template. It is 26 July 2024 in it.
inline std::string render(std::string_view source,
                          const llamart::jinja::Limits &limits = {}) {
  using namespace llamart::jinja;
  static const Value variables = readJson(
      R"({"s": "Hello <World>", "u": "Straße ΑΣ", "n": 7, "f": 2.5, "t": true,
          "no": null, "xs": [3, 1, 2], "names": ["bob", "Alice", "Bob"],
          "d": {"b": 1, "a": {"x": [1, 2.0, null]}},
          "rows": [{"k": "x", "v": 3}, {"k": "y", "v": 1}, {"k": "x", "v": 2}]
         })",
      "variables");
  std::chrono::local_seconds now{std::chrono::seconds(1721995200)};
  try {
    Template parsed = Template::parse(source);
    return std::string(parsed.render(variables.getDict(), now, limits).bytes());
  } catch (const TemplateError &error) {
    return error.what();
  }
}

struct RenderCase {
  std::string_view source, expected;
};

inline void checkAll(const std::vector<RenderCase> &cases) {
  for (const RenderCase &test : cases)
    EXPECT_EQ(render(test.source), test.expected) << test.source;
}

} // namespace llamatest

#endif // LLAMA_TEST_RUNTIME_TEXT_JINJA_RENDERED_H
