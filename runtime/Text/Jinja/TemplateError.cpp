//===- TemplateError.cpp - What a chat template cannot do -----------------===//

#include "runtime/Text/Jinja/TemplateError.h"

#include <algorithm>

namespace llamart::jinja {
namespace {

constexpr size_t kLongestMessage = 1000;

/// One printable line of a length that a person reads.
std::string toLine(std::string_view text) {
  std::string line;
  for (char c : text.substr(0, kLongestMessage))
    line += static_cast<unsigned char>(c) < 0x20 || c == '\x7f' ? ' ' : c;
  while (text.size() > kLongestMessage && !line.empty() &&
         (static_cast<unsigned char>(line.back()) & 0xC0) == 0x80)
    line.pop_back();
  return line;
}

} // namespace

TemplateError TemplateError::raise(const std::string &words) {
  TemplateError error(toLine(words));
  error.raised = true;
  error.words = words;
  return error;
}

TemplateError locate(std::string_view source, size_t offset,
                     const std::string &message) {
  std::string_view before = source.substr(0, std::min(offset, source.size()));
  auto line = 1 + std::count(before.begin(), before.end(), '\n');
  size_t column = 1;
  for (char c : before.substr(before.rfind('\n') + 1))
    column += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return TemplateError("line " + std::to_string(line) + ", column " +
                       std::to_string(column) + ": " + toLine(message));
}

} // namespace llamart::jinja
