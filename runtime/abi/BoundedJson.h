//===- BoundedJson.h - JSON that somebody else wrote ------------*- C++ -*-===//
//
// One parser for whatever is not believed: checkpoints, and what a model.so
// says about itself. Its time and memory are bounded by the text's length.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_ABI_BOUNDEDJSON_H
#define LLAMA_RUNTIME_ABI_BOUNDEDJSON_H

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace llamaabi {

/// Arrays and objects within each other, and values in all.
constexpr size_t kDeepestJson = 32;
constexpr size_t kMostJsonValues = size_t(1) << 22;

/// What is wrong with a text: `before`, then `quoted` between quotes unless it
/// is empty, then `after`. Quoting is left to who shows it: `quoted` may be any
/// bytes.
struct JsonFault {
  std::string before, quoted, after;
};

/// Parses `text` into `into`. Refused: broken syntax, a key that occurs twice
/// in one object, nesting deeper than kDeepestJson, more than kMostJsonValues
/// values.
std::optional<JsonFault> parseBoundedJson(std::string_view text,
                                          nlohmann::json &into);

} // namespace llamaabi

#endif // LLAMA_RUNTIME_ABI_BOUNDEDJSON_H
