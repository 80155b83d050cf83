//===- ChatTemplate.cpp - Messages to the prompt of a chat model ----------===//

#include "runtime/Text/ChatTemplate/ChatTemplate.h"

#include "runtime/Error.h"
#include "runtime/Text/ChatTemplate/BuiltinTemplates.h"
#include "runtime/Text/Jinja/JsonReader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

namespace llamart {
namespace {

using jinja::DictObject;
using jinja::Origin;
using jinja::Text;
using jinja::Value;

/// No template writes it, no tokenizer has it.
constexpr std::string_view kSentinel = "qZxAnswerOfTheAssistantxZq";

[[noreturn]] void fail(const std::string &message) {
  throw Error(ErrorKind::Argument, "chat template: ", message);
}

std::chrono::local_seconds getNow() {
  std::time_t now = std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  return std::chrono::local_seconds(
      std::chrono::seconds(now + parts.tm_gmtoff));
}

bool readNumber(std::string_view text, int &value) {
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

/// "26 Jul 2024" or "2024-07-26"
std::chrono::local_seconds parseDate(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun",
      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  int year = 0, month = 0, day = 0;
  bool known = false;
  if (text.size() == 11 && text[2] == ' ' && text[6] == ' ') {
    const auto *name = std::ranges::find(kMonths, text.substr(3, 3));
    month = static_cast<int>(name - kMonths.begin()) + 1;
    known =
        readNumber(text.substr(0, 2), day) && readNumber(text.substr(7), year);
  } else if (text.size() == 10 && text[4] == '-' && text[7] == '-') {
    known = readNumber(text.substr(0, 4), year) &&
            readNumber(text.substr(5, 2), month) &&
            readNumber(text.substr(8), day);
  }
  std::chrono::year_month_day date{std::chrono::year(year),
                                   std::chrono::month(unsigned(month)),
                                   std::chrono::day(unsigned(day))};
  if (!known || !date.ok())
    fail("date: expected a date as in '26 Jul 2024' or '2024-07-26', found '" +
         std::string(text) + "'");
  return std::chrono::local_days(date);
}

void addAll(DictObject &variables, const DictObject &more) {
  for (const auto &[key, value] : more.entries)
    variables.set(key, value);
}

/// Roles may be parts of special tokens; all else of a message is data.
Value markRoles(const Value &messages) {
  if (!messages.isList())
    fail(std::string("messages: expected a list, found '") +
         getTypeName(messages) + "'");
  jinja::Items marked;
  for (const Value &message : messages.getItems()) {
    if (!message.isDict())
      fail(std::string("messages: expected an object, found '") +
           getTypeName(message) + "'");
    const Value *role = message.getDict().find("role");
    if (!role || !role->isString() || role->getText().empty())
      fail("messages: expected a role in each message, found none");
    auto copy = std::make_shared<DictObject>();
    for (const auto &[key, value] : message.getDict().entries)
      copy->set(key, value);
    copy->set("role", Value::string(role->getBytes(), Origin::Name));
    marked.push_back(Value::dict(copy));
  }
  if (marked.empty())
    fail("there is no message");
  return Value::list(std::move(marked));
}

} // namespace

ChatTemplate ChatTemplate::parse(std::string_view source) {
  if (source.empty())
    fail("the model has none");
  return ChatTemplate(jinja::Template::parse(source));
}

ChatTemplate ChatTemplate::byName(std::string_view name) {
  std::string source = findBuiltinTemplate(name);
  if (source.empty())
    fail("there is none named '" + std::string(name) + "'; choose one of " +
         listNames());
  return parse(source);
}

std::string ChatTemplate::listNames() { return listBuiltinTemplates(); }

Text ChatTemplate::render(const Value &messages, const DictObject *given,
                          const ChatOptions &options) const {
  DictObject variables;
  variables.set("add_generation_prompt",
                Value::boolean(options.addGenerationPrompt));
  for (const auto &[name, text] : options.specialTokens)
    variables.set(name, Value::string(text, Origin::Literal));
  if (!options.bos.empty())
    variables.set("bos_token", Value::string(options.bos, Origin::Literal));
  if (!options.eos.empty())
    variables.set("eos_token", Value::string(options.eos, Origin::Literal));
  auto now = options.date.empty() ? getNow() : parseDate(options.date);
  if (!options.date.empty())
    variables.set("date_string", Value::string(options.date, Origin::Data));
  if (given)
    addAll(variables, *given);
  if (!options.variables.empty()) {
    Value more = jinja::readJson(options.variables, "variables");
    if (!more.isDict())
      fail("variables: expected a JSON object, found another value");
    addAll(variables, more.getDict());
  }
  variables.set("messages", messages);
  Text prompt = program.render(variables, now);
  if (prompt.empty())
    fail("expected a prompt, found an empty text");
  return prompt;
}

Text ChatTemplate::format(std::span<const ChatMessage> messages,
                          const ChatOptions &options) const {
  jinja::Items list;
  for (const ChatMessage &message : messages) {
    auto entries = std::make_shared<DictObject>();
    entries->set("role", Value::string(message.role, Origin::Data));
    entries->set("content", Value::string(message.content, Origin::Data));
    list.push_back(Value::dict(entries));
  }
  return render(markRoles(Value::list(std::move(list))), nullptr, options);
}

Text ChatTemplate::format(std::string_view messages,
                          const ChatOptions &options) const {
  Value given = jinja::readJson(messages, "messages");
  if (!given.isDict())
    return render(markRoles(given), nullptr, options);
  const Value *list = given.getDict().find("messages");
  if (!list)
    fail("messages: expected the key 'messages', found none");
  return render(markRoles(*list), &given.getDict(), options);
}

//===----------------------------------------------------------------------===//
// Special tokens
//===----------------------------------------------------------------------===//

namespace {

struct PieceWriter {
  std::vector<PromptPiece> pieces;

  void text(std::string_view text) {
    if (text.empty())
      return;
    if (pieces.empty() || pieces.back().special)
      pieces.emplace_back();
    pieces.back().text += text;
  }
};

/// Calls visit(begin, end) for the special tokens of the template's own text at
/// or after `from`, until it returns false.
template <typename Visit>
void visitSpecial(const Text &prompt, const Tokenizer &tokenizer, size_t from,
                  Visit visit) {
  const auto &runs = prompt.getRuns();
  size_t begin = 0;
  for (size_t i = 0; i < runs.size(); begin = runs[i++].end) {
    if (runs[i].origin == Origin::Data)
      continue;
    while (i + 1 < runs.size() && runs[i + 1].origin != Origin::Data)
      ++i;
    std::string_view text = prompt.bytes().substr(0, runs[i].end);
    size_t at = std::max(begin, from);
    while (at < text.size()) {
      auto match = tokenizer.findSpecial(text, at);
      if (!match)
        break;
      size_t end = match->begin + match->size;
      bool own = prompt.getOrigin(match->begin) == Origin::Literal;
      if (own && !visit(match->begin, end))
        return;
      at = own ? end : match->begin + 1;
    }
  }
}

} // namespace

std::vector<PromptPiece> splitPrompt(const Text &prompt,
                                     const Tokenizer &tokenizer) {
  PieceWriter out;
  size_t at = 0;
  visitSpecial(prompt, tokenizer, 0, [&](size_t begin, size_t end) {
    out.text(prompt.bytes().substr(at, begin - at));
    out.pieces.push_back(
        {std::string(prompt.bytes().substr(begin, end - begin)), true});
    at = end;
    return true;
  });
  out.text(prompt.bytes().substr(at));
  return std::move(out.pieces);
}

std::vector<int32_t> findStopTokens(const ChatTemplate &chatTemplate,
                                    const Tokenizer &tokenizer) {
  ChatOptions options;
  options.addGenerationPrompt = false;
  addTokens(options, tokenizer);
  std::vector<ChatMessage> messages = {
      {"user", "?"}, {"assistant", std::string(kSentinel)}, {"user", "?"}};
  std::vector<int32_t> ids;
  Text prompt;
  try {
    prompt = chatTemplate.format(messages, options);
  } catch (const Error &) {
    return ids; // it takes no such conversation
  }
  size_t at = prompt.bytes().find(kSentinel);
  if (at == std::string_view::npos)
    return ids;
  visitSpecial(
      prompt, tokenizer, at + kSentinel.size(), [&](size_t begin, size_t end) {
        std::string_view text = prompt.bytes().substr(begin, end - begin);
        if (auto id = tokenizer.findToken(text))
          ids.push_back(*id);
        return false;
      });
  return ids;
}

void addTokens(ChatOptions &options, const Tokenizer &tokenizer) {
  if (std::optional<int32_t> bos = tokenizer.getBos();
      bos && options.bos.empty())
    options.bos = tokenizer.tokenBytes(*bos);
  std::vector<int32_t> eos = tokenizer.getEos();
  if (!eos.empty() && options.eos.empty())
    options.eos = tokenizer.tokenBytes(eos.front());
}

} // namespace llamart
