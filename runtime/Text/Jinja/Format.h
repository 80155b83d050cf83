//===- Format.h - Values as Python writes them ------------------*- C++ -*-===//
//
// [1.0, "it's", none]  =>  [1.0, "it's", None]
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_JINJA_FORMAT_H
#define LLAMA_RUNTIME_TEXT_JINJA_FORMAT_H

#include "runtime/Text/Jinja/Value.h"

namespace llamart::jinja {

/// repr() of a double: the shortest digits that read back as it.
std::string formatFloat(double value);

/// str(). Texts keep their origins, numbers and the like are Literal. Throws
/// Failure for what prints with an address: a function, a generator.
Text toText(const Value &value);

/// repr()
Text toRepr(const Value &value);

/// "x" % arguments: the printf-like formats of Python's str.
Text formatPercent(const Text &format, const Value &arguments);

/// "x".format(arguments)
Text formatBraces(const Text &format, const Arguments &arguments);

/// format(value, spec): "{:>8.2f}"
Text formatSpec(const Value &value, std::string_view spec);

/// json.dumps as transformers calls it, with its options.
struct JsonStyle {
  bool asciiOnly = false;
  bool sortKeys = false;
  std::optional<Text> indent; ///< what one level is indented by
  std::optional<std::string> itemSeparator, keySeparator;
};
Text toJson(const Value &value, const JsonStyle &style);

/// markupsafe.escape of a text
Text escape(const Text &text);

} // namespace llamart::jinja

#endif // LLAMA_RUNTIME_TEXT_JINJA_FORMAT_H
