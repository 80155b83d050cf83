//===- Guard.cpp - What a Llama Guard 3 is asked, and its answer ----------===//

#include "runtime/Text/ChatTemplate/Guard.h"

#include "runtime/Error.h"

#include <array>
#include <charconv>

namespace llamart {
namespace {

constexpr std::array<std::string_view, 13> kCategories = {
    "Violent Crimes",
    "Non-Violent Crimes",
    "Sex Crimes",
    "Child Exploitation",
    "Defamation",
    "Specialized Advice",
    "Privacy",
    "Intellectual Property",
    "Indiscriminate Weapons",
    "Hate",
    "Self-Harm",
    "Sexual Content",
    "Elections",
};

std::string_view trimSpaces(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

} // namespace

ChatMessage askGuard(std::span<const ChatMessage> conversation) {
  if (conversation.empty())
    throw Error(ErrorKind::Argument, "guard: there is no message to judge");
  std::string lines;
  std::string speaker;
  for (const ChatMessage &message : conversation) {
    if (message.role != "user" && message.role != "assistant")
      throw Error(ErrorKind::Argument, "guard: a message of role '",
                  message.role, "', expected user or assistant");
    speaker = message.role == "user" ? "User" : "Agent";
    lines += speaker + ": " + std::string(trimSpaces(message.content)) + "\n\n";
  }
  std::string text = "Task: Check if there is unsafe content in '" + speaker +
                     "' messages in conversations according our safety policy "
                     "with the below categories.\n\n"
                     "<BEGIN UNSAFE CONTENT CATEGORIES>\n";
  for (size_t i = 0; i < kCategories.size(); ++i)
    text += "S" + std::to_string(i + 1) + ": " + std::string(kCategories[i]) +
            ".\n";
  text += "<END UNSAFE CONTENT CATEGORIES>\n\n<BEGIN CONVERSATION>\n\n" +
          lines +
          "<END CONVERSATION>\n\nProvide your safety assessment for ONLY THE "
          "LAST " +
          speaker +
          " message in the above conversation:\n- First line must read 'safe' "
          "or 'unsafe'.\n- If unsafe, a second line must include a "
          "comma-separated list of violated categories.";
  return {"user", text};
}

std::optional<GuardVerdict> readVerdict(std::string_view answer) {
  answer = trimSpaces(answer);
  if (answer == "safe")
    return GuardVerdict{};
  constexpr std::string_view kUnsafe = "unsafe";
  if (!answer.starts_with(kUnsafe))
    return std::nullopt;
  GuardVerdict verdict{false, {}};
  std::string_view rest = trimSpaces(answer.substr(kUnsafe.size()));
  if (!rest.empty() && answer[kUnsafe.size()] != '\n')
    return std::nullopt;
  while (!rest.empty()) {
    size_t comma = std::min(rest.find(','), rest.size());
    verdict.categories.emplace_back(trimSpaces(rest.substr(0, comma)));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return verdict;
}

std::string_view getCategoryName(std::string_view category) {
  size_t number = 0;
  if (!category.starts_with('S'))
    return {};
  std::from_chars(category.data() + 1, category.data() + category.size(),
                  number);
  return number >= 1 && number <= kCategories.size() ? kCategories[number - 1]
                                                     : std::string_view();
}

} // namespace llamart
