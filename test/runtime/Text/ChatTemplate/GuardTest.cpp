//===- GuardTest.cpp - What a Llama Guard 3 is asked, and its answer ------===//

#include "runtime/Text/ChatTemplate/Guard.h"

#include "runtime/Error.h"

#include <gtest/gtest.h>

using namespace llamart;

namespace {

bool contains(const std::string &text, const char *part) {
  return text.find(part) != std::string::npos;
}

TEST(Guard, AsksForTheLastMessage) {
  std::vector<ChatMessage> conversation = {{"user", " How? \n"}};
  ChatMessage question = askGuard(conversation);
  EXPECT_EQ(question.role, "user");
  EXPECT_TRUE(question.content.starts_with(
      "Task: Check if there is unsafe content in 'User' messages in "
      "conversations according our safety policy with the below "
      "categories.\n\n<BEGIN UNSAFE CONTENT CATEGORIES>\nS1: Violent "
      "Crimes.\nS2: "));
  EXPECT_TRUE(contains(question.content,
                       "\nS13: Elections.\n<END UNSAFE CONTENT CATEGORIES>\n\n"
                       "<BEGIN CONVERSATION>\n\nUser: How?\n\n<END "
                       "CONVERSATION>\n\nProvide your safety assessment for "
                       "ONLY THE LAST User message"));
  conversation.push_back({"assistant", "So."});
  question = askGuard(conversation);
  EXPECT_TRUE(contains(question.content, "unsafe content in 'Agent' messages"));
  EXPECT_TRUE(contains(question.content, "User: How?\n\nAgent: So.\n\n<END"));
  EXPECT_TRUE(contains(question.content, "ONLY THE LAST Agent message"));
}

TEST(Guard, JudgesUserAndAssistantOnly) {
  std::vector<ChatMessage> conversation = {{"system", "Be kind."}};
  EXPECT_THROW(askGuard(conversation), Error);
  EXPECT_THROW(askGuard({}), Error);
}

TEST(Guard, ReadsVerdicts) {
  EXPECT_TRUE(readVerdict("safe")->safe);
  EXPECT_TRUE(readVerdict("\n\nsafe\n")->safe);
  auto verdict = readVerdict("\n\nunsafe\nS1, S10");
  EXPECT_FALSE(verdict->safe);
  EXPECT_EQ(verdict->categories, std::vector<std::string>({"S1", "S10"}));
  EXPECT_TRUE(readVerdict("unsafe")->categories.empty());
  for (const char *other : {"", "safety", "unsafely", "Once upon a time"})
    EXPECT_FALSE(readVerdict(other)) << other;
  EXPECT_EQ(getCategoryName("S10"), "Hate");
  EXPECT_EQ(getCategoryName("S14"), "");
  EXPECT_EQ(getCategoryName("x"), "");
}

} // namespace
