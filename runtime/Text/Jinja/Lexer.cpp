//===- Lexer.cpp - The source of a template to tokens ---------------------===//

#include "runtime/Text/Jinja/Lexer.h"

#include "runtime/Text/Jinja/StringLiteral.h"
#include "runtime/Text/Jinja/TemplateError.h"
#include "runtime/Text/Jinja/Unicode.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

namespace llamart::jinja {
namespace {

/// Longest first.
constexpr std::array<std::string_view, 26> kOperators = {
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[",
    "]",  "(",  ")",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ",", ";"};

bool isDigitByte(char c) { return c >= '0' && c <= '9'; }

/// A character of a name, as \w of Python's re.
bool isWord(char32_t c) {
  return c == '_' || isAlpha(c) || isNumeric(c) || isDecimal(c);
}

size_t skipSpace(std::string_view text, size_t at) {
  while (at < text.size()) {
    std::string_view rest = text.substr(at);
    if (!isSpace(takeCharacter(rest)))
      break;
    at = text.size() - rest.size();
  }
  return at;
}

bool isBlank(std::string_view text) {
  return skipSpace(text, 0) == text.size();
}

/// Bytes without the white space at the end.
size_t trimEnd(std::string_view text) {
  size_t end = 0;
  for (size_t at = 0; at < text.size();) {
    std::string_view rest = text.substr(at);
    bool space = isSpace(takeCharacter(rest));
    at = text.size() - rest.size();
    if (!space)
      end = at;
  }
  return end;
}

class Lexer {
public:
  explicit Lexer(std::string_view source) : source(source) {}

  std::vector<Token> run() {
    while (at < source.size())
      lexRoot();
    add(TokenKind::End, source.size());
    return std::move(tokens);
  }

private:
  bool startsWith(std::string_view text) const {
    return source.substr(at).starts_with(text);
  }

  Token &add(TokenKind kind, size_t offset, std::string text = {}) {
    Token &token = tokens.emplace_back();
    token.kind = kind;
    token.offset = offset;
    token.text = std::move(text);
    return token;
  }

  /// Where the next tag begins, or the end of the source.
  size_t findTag(size_t from) const {
    for (size_t i = source.find('{', from); i != std::string_view::npos;
         i = source.find('{', i + 1))
      if (i + 1 < source.size() &&
          (source[i + 1] == '{' || source[i + 1] == '%' ||
           source[i + 1] == '#'))
        return i;
    return source.size();
  }

  /// Text before a tag, without what its sign or lstrip_blocks takes away.
  void addData(size_t begin, size_t end, char sign, bool isVariable) {
    std::string_view text = source.substr(begin, end - begin);
    if (sign == '-') {
      text = text.substr(0, trimEnd(text));
    } else if (sign != '+' && !isVariable) {
      size_t line = text.rfind('\n') + 1;
      if ((line > 0 || lineStarting) && isBlank(text.substr(line)))
        text = text.substr(0, line);
    }
    if (!text.empty())
      add(TokenKind::Data, begin, std::string(text));
  }

  char getSign(size_t offset) const {
    if (offset < source.size() &&
        (source[offset] == '-' || source[offset] == '+'))
      return source[offset];
    return '\0';
  }

  void setStarting() { lineStarting = at > 0 && source[at - 1] == '\n'; }

  void lexRoot() {
    size_t begin = at, tag = findTag(at);
    if (tag == source.size()) {
      add(TokenKind::Data, begin, std::string(source.substr(begin)));
      at = tag;
      return;
    }
    char kind = source[tag + 1], sign = getSign(tag + 2);
    addData(begin, tag, sign, kind == '{');
    at = tag + (sign ? 3 : 2);
    if (kind == '#')
      return lexComment(tag);
    if (kind == '%' && lexRaw(tag))
      return;
    add(kind == '{' ? TokenKind::VariableBegin : TokenKind::BlockBegin, tag);
    lexTag(kind == '{' ? "}}" : "%}", kind == '%', tag);
  }

  /// The end of a tag, "%}", with what it takes from the text after it; false
  /// if it does not stand here.
  bool takeEnd(std::string_view mark, bool trimsLine, bool plusAllowed = true) {
    if (startsWith("-" + std::string(mark))) {
      at = skipSpace(source, at + 3);
    } else if (trimsLine && plusAllowed &&
               startsWith("+" + std::string(mark))) {
      at += 3;
    } else if (startsWith(mark)) {
      at += 2;
      if (trimsLine && at < source.size() && source[at] == '\n')
        ++at;
    } else {
      return false;
    }
    setStarting();
    return true;
  }

  void lexComment(size_t tag) {
    for (; at < source.size(); ++at)
      if (takeEnd("#}", true))
        return;
    if (tag + 2 == source.size())
      return; // as Jinja2 has it
    throw locate(source, tag, "expected '#}' after '{#', found none");
  }

  bool lexRaw(size_t tag) {
    size_t before = at;
    at = skipSpace(source, at);
    if (startsWith("raw")) {
      at = skipSpace(source, at + 3);
      if (takeEnd("%}", false)) {
        lexRawText(tag);
        return true;
      }
    }
    at = before;
    return false;
  }

  void lexRawText(size_t tag) {
    size_t begin = at;
    for (size_t end = source.find("{%", begin); end != std::string_view::npos;
         end = source.find("{%", end + 1)) {
      char sign = getSign(end + 2);
      at = skipSpace(source, end + (sign ? 3 : 2));
      if (!startsWith("endraw"))
        continue;
      at = skipSpace(source, at + 6);
      bool starting = lineStarting;
      if (!takeEnd("%}", true))
        continue;
      std::swap(starting, lineStarting);
      addData(begin, end, sign, false);
      lineStarting = starting;
      return;
    }
    at = source.size();
    if (begin < source.size()) // at the very end Jinja2 lets it be
      throw locate(source, tag, "expected '{% endraw %}', found none");
  }

  void lexTag(std::string_view mark, bool trimsLine, size_t tag) {
    while (true) {
      at = skipSpace(source, at);
      if (at >= source.size())
        throw locate(source, tag,
                     "expected '" + std::string(mark) +
                         "', found the end of the template");
      size_t offset = at;
      if (brackets.empty() && takeEnd(mark, trimsLine)) {
        add(trimsLine ? TokenKind::BlockEnd : TokenKind::VariableEnd, offset);
        return;
      }
      lexExpression();
    }
  }

  void lexExpression() {
    char c = source[at];
    std::string_view rest = source.substr(at);
    if (isDigitByte(c))
      return lexNumber();
    if (isWord(takeCharacter(rest)))
      return lexName();
    if (c == '\'' || c == '"')
      return lexString(c);
    lexOperator();
  }

  void lexName() {
    size_t begin = at;
    while (at < source.size()) {
      std::string_view rest = source.substr(at);
      if (!isWord(takeCharacter(rest)))
        break;
      at = source.size() - rest.size();
    }
    add(TokenKind::Name, begin, std::string(source.substr(begin, at - begin)));
  }

  /// The end of digits with single _ between them, or `from`.
  size_t skipDigits(size_t from, std::string_view digits) const {
    size_t end = from;
    while (end < source.size()) {
      size_t next = end + (end > from && source[end] == '_' ? 1 : 0);
      if (next >= source.size() ||
          digits.find(source[next]) == std::string_view::npos)
        break;
      end = next + 1;
    }
    return end;
  }

  std::string getDigits(size_t begin, size_t end) const {
    std::string text(source.substr(begin, end - begin));
    std::erase(text, '_');
    return text;
  }

  /// The end of a float that begins here; `at` if it is none.
  size_t findFloatEnd() const {
    constexpr std::string_view kDecimal = "0123456789";
    if (at > 0 && source[at - 1] == '.')
      return at;
    size_t whole = skipDigits(at, kDecimal), end = at;
    if (whole < source.size() && source[whole] == '.') {
      size_t fraction = skipDigits(whole + 1, kDecimal);
      if (fraction > whole + 1)
        end = whole = fraction;
    }
    if (whole < source.size() && (source[whole] | 0x20) == 'e') {
      size_t power = whole + 1 + (getSign(whole + 1) ? 1 : 0);
      if (skipDigits(power, kDecimal) > power)
        end = skipDigits(power, kDecimal);
    }
    return end;
  }

  void lexNumber() {
    size_t begin = at, end = findFloatEnd();
    if (end > at) {
      Token &token = add(TokenKind::Float, begin, getDigits(begin, end));
      token.real = std::strtod(token.text.c_str(), nullptr);
      at = end;
      return;
    }
    lexInteger(begin);
  }

  void lexInteger(size_t begin) {
    int base = 10;
    size_t digits = begin;
    std::string_view known = "0123456789";
    if (source[begin] == '0' && begin + 1 < source.size()) {
      char letter = static_cast<char>(source[begin + 1] | 0x20);
      base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
      if (base != 10) {
        digits =
            begin + 2 + (source.substr(begin + 2).starts_with('_') ? 1 : 0);
        known = base == 16 ? "0123456789abcdefABCDEF"
                           : known.substr(0, static_cast<size_t>(base));
      } else {
        known = "0";
      }
    }
    size_t end = skipDigits(digits, known);
    if (end == digits) { // "0x" without digits is 0 and a name
      base = 10;
      digits = begin;
      end = begin + 1;
    }
    Token &token = add(TokenKind::Integer, begin, getDigits(digits, end));
    auto [stop, error] = std::from_chars(token.text.data(),
                                         token.text.data() + token.text.size(),
                                         token.integer, base);
    if (error != std::errc())
      throw locate(source, begin,
                   "expected an integer of 64 bits, found '" + token.text +
                       "'");
    at = end;
  }

  void lexString(char quote) {
    size_t begin = at++;
    while (at < source.size() && source[at] != quote)
      at += source[at] == '\\' ? 2 : 1;
    if (at >= source.size())
      throw locate(source, begin,
                   std::string("expected the closing ") + quote +
                       ", found the end of the template");
    try {
      add(TokenKind::String, begin,
          unescapeString(source.substr(begin + 1, at - begin - 1)));
    } catch (const Failure &failure) {
      throw locate(source, begin, failure.what());
    }
    ++at;
  }

  void lexOperator() {
    for (std::string_view text : kOperators)
      if (startsWith(text)) {
        checkBrackets(text.front());
        add(TokenKind::Operator, at, std::string(text));
        at += text.size();
        return;
      }
    std::string_view rest = source.substr(at);
    takeCharacter(rest);
    throw locate(
        source, at,
        "expected an expression, found '" +
            std::string(source.substr(at, source.size() - rest.size() - at)) +
            "'");
  }

  void checkBrackets(char c) {
    if (c == '(' || c == '[' || c == '{') {
      brackets += c == '(' ? ')' : c == '[' ? ']' : '}';
    } else if (c == ')' || c == ']' || c == '}') {
      std::string found = std::string("found '") + c + "'";
      if (brackets.empty())
        throw locate(source, at, "expected an expression, " + found);
      if (brackets.back() != c)
        throw locate(source, at,
                     std::string("expected '") + brackets.back() + "', " +
                         found);
      brackets.pop_back();
    }
  }

  std::string_view source;
  size_t at = 0;
  bool lineStarting = true;
  std::string brackets; // those that are open, as what closes them
  std::vector<Token> tokens;
};

} // namespace

std::string normalizeSource(std::string_view source) {
  std::string result;
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r' && i + 1 < source.size() && source[i + 1] == '\n')
      continue;
    result += source[i] == '\r' ? '\n' : source[i];
  }
  if (result.ends_with('\n'))
    result.pop_back();
  return result;
}

std::vector<Token> tokenize(std::string_view source) {
  return Lexer(source).run();
}

std::string describe(const Token &token) {
  switch (token.kind) {
  case TokenKind::Data:
    return "text";
  case TokenKind::VariableBegin:
    return "'{{'";
  case TokenKind::VariableEnd:
    return "'}}'";
  case TokenKind::BlockBegin:
    return "'{%'";
  case TokenKind::BlockEnd:
    return "'%}'";
  case TokenKind::String:
    return "a string";
  case TokenKind::End:
    return "the end of the template";
  default:
    return "'" + token.text + "'";
  }
}

} // namespace llamart::jinja
