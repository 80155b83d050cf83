//===- jinja.cpp - Fuzzes the interpreter of chat templates ---------------===//
//
// The bytes are the template; it is parsed and run on a small conversation.
//
//===----------------------------------------------------------------------===//

#include "runtime/Text/Jinja/JsonReader.h"
#include "runtime/Text/Jinja/Template.h"
#include "runtime/Text/Jinja/TemplateError.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace llamart::jinja;

/// Small ones, so that an input takes a fraction of a millisecond.
static constexpr Limits kLimits = {
    .steps = 1000, .bytes = 1 << 17, .output = 1 << 14, .depth = 150};

static void run(std::string_view source) {
  static const Value variables = readJson(
      R"({"messages": [{"role": "user", "content": "Hi é"}], "n": 3, "x": 2.5,
          "add_generation_prompt": true, "tools": [{"name": "f"}], "e": null})",
      "variables");
  Template::parse(source).render(variables.getDict(), {}, kLimits);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  try {
    run({reinterpret_cast<const char *>(data), size});
  } catch (const TemplateError &error) {
    // One printable line.
    for (const char *c = error.what(); *c; ++c)
      if (static_cast<unsigned char>(*c) < 0x20 || *c == 0x7f)
        std::abort();
  }
  return 0;
}
