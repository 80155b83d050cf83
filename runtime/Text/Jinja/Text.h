//===- Text.h - A string that knows where it is from ------------*- C++ -*-===//
//
// "<|im_start|>" + message.role + "\n" + message.content
//    Literal         Name       Literal     Data
//
// UTF-8, with the origin of each byte as runs. slice and append keep origins;
// all that a template does to strings is made of the two.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_JINJA_TEXT_H
#define LLAMA_RUNTIME_TEXT_JINJA_TEXT_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llamart::jinja {

enum class Origin : uint8_t {
  Literal, ///< the template's own: it may hold special tokens
  Name,    ///< a role: a part of a special token that the template begins
  Data,    ///< anything else: text, whatever it looks like
};

/// Bytes [previous end, end) are of one origin.
struct TextRun {
  size_t end = 0;
  Origin origin = Origin::Data;
};

class Text {
public:
  Text() = default;
  Text(std::string_view bytes, Origin origin) { append(bytes, origin); }

  std::string_view bytes() const { return string; }
  size_t size() const { return string.size(); }
  bool empty() const { return string.empty(); }
  const std::vector<TextRun> &getRuns() const { return runs; }

  void append(std::string_view bytes, Origin origin);
  void append(const Text &text) { append(text, 0, text.size()); }
  void append(const Text &text, size_t begin, size_t end);
  Text slice(size_t begin, size_t end) const;

  /// Of the byte at `offset`.
  Origin getOrigin(size_t offset) const;

  /// Data if any byte is; otherwise Name if any byte is.
  Origin getWeakestOrigin() const;

private:
  std::string string;
  std::vector<TextRun> runs;
};

} // namespace llamart::jinja

#endif // LLAMA_RUNTIME_TEXT_JINJA_TEXT_H
