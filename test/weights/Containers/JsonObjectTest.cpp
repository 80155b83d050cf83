//===- JsonObjectTest.cpp - Reading JSON that somebody else wrote ---------===//
//
// What parses, and one message for each way in which a file or a key is wrong.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/JsonObject.h"

#include "test/weights/Messages.h"
#include "test/weights/TempFolder.h"

#include <filesystem>
#include <functional>

using namespace llamatest;
using namespace llamaweights;
using nlohmann::json;

namespace {

TEST(Json, ParsesWhatItIs) {
  llvm::StringRef text =
      R"({"a": [1, -2, 3.5, {"b": null}], "c": {"d": true}, "e": "\u00e9"})";
  json parsed = llvm::cantFail(parseJson(text, "x"));
  EXPECT_EQ(parsed, json::parse(text.str()));
}

TEST(Json, RefusesWhatIsBroken) {
  auto message = [](const std::string &text) {
    return getMessage(parseJson(text, "x.json"));
  };
  EXPECT_EQ(message("{\"a\": 1,}"),
            "x.json: is not valid JSON: parse error at line 1, column 9: "
            "syntax error while parsing object key - unexpected '}'; expected "
            "string literal");
  EXPECT_EQ(message("{\"a\": nul}"),
            "x.json: is not valid JSON: parse error at line 1, column 10: "
            "syntax error while parsing value - invalid literal, last read "
            "'\"a\": nul}'");
  EXPECT_EQ(message(""), "x.json: is not valid JSON: parse error at line 1, "
                         "column 1: syntax error while parsing value - "
                         "unexpected end of input; expected '[', '{', or a "
                         "literal");
  EXPECT_EQ(message("{\"a\": 1, \"b\": 2, \"a\": 3}"),
            "x.json: key 'a': is there twice");
  EXPECT_EQ(message(std::string(33, '[')), "x.json: is nested deeper than 32");
  EXPECT_EQ(message("[" + std::string(32, '[') + std::string(32, ']')),
            "x.json: is nested deeper than 32");
  EXPECT_EQ(message("[\"\xff\n\"]").find('\n'), std::string::npos);
  EXPECT_NE(message("[1e999]"), "");
}

TEST(Json, RefusesTooManyValues) {
  std::string text = "[";
  for (int i = 0; i < (1 << 22); ++i)
    text += "0,";
  EXPECT_EQ(getMessage(parseJson(text + "0]", "x.json")),
            "x.json: holds more than 4194304 values");
}

TEST(Json, RefusesLargeFiles) {
  TempFolder folder;
  std::string path = folder.write("x.json", "{}");
  std::filesystem::resize_file(path, (64 << 20) + 1);
  EXPECT_EQ(getMessage(readJsonFile(path)),
            path + ": has 67108865 bytes, expected at most 67108864");
}

class JsonObjectTest : public testing::Test {
protected:
  /// finish()'s message after `use`.
  std::string use(const std::string &text,
                  const std::function<void(JsonObject &)> &use) {
    json parsed = json::parse(text);
    JsonObject object("x.json", parsed);
    use(object);
    return getMessage(object.finish());
  }
  int64_t integer = 7;
  double number = 7;
  bool truth = false;
  std::string text = "old";
  std::optional<int64_t> maybe;
  std::vector<int64_t> integers;
};

TEST_F(JsonObjectTest, ReadsEveryType) {
  EXPECT_EQ(use(R"({"i": -3, "n": 2, "t": true, "s": "new", "m": 5,
                    "one": 1, "many": [2, 3], "null": null,
                    "inner": {"x": 1}, "skip": {}})",
                [&](JsonObject &object) {
                  object.read("i", integer);
                  object.read("n", number);
                  object.read("t", truth);
                  object.read("s", text);
                  object.find("m", maybe);
                  object.findIntegers("one", integers);
                  object.findIntegers("many", integers);
                  object.findIntegers("null", integers);
                  auto inner = object.findObject("inner");
                  int64_t x = 0;
                  inner->read("x", x);
                  EXPECT_EQ(x, 1);
                  object.absorb(*inner);
                  EXPECT_FALSE(object.findObject("none").has_value());
                  object.allow({"skip"});
                }),
            "");
  EXPECT_EQ(integer, -3);
  EXPECT_EQ(number, 2.0);
  EXPECT_TRUE(truth);
  EXPECT_EQ(text, "new");
  EXPECT_EQ(maybe, 5);
  EXPECT_EQ(integers, (std::vector<int64_t>{1, 2, 3}));
}

TEST_F(JsonObjectTest, AbsentAndNullLeaveTheValueAlone) {
  EXPECT_EQ(use(R"({"i": null})",
                [&](JsonObject &object) {
                  object.find("i", integer);
                  object.find("n", number);
                  object.find("m", maybe);
                }),
            "");
  EXPECT_EQ(integer, 7);
  EXPECT_FALSE(maybe.has_value());
}

TEST_F(JsonObjectTest, ComplainsAboutWrongTypes) {
  auto readInteger = [&](JsonObject &object) { object.read("k", integer); };
  EXPECT_EQ(use(R"({"k": "64"})", readInteger),
            "x.json: key 'k': expected an integer, found the string '64'");
  EXPECT_EQ(use(R"({"k": 64.0})", readInteger),
            "x.json: key 'k': expected an integer, found 64.0");
  EXPECT_EQ(use(R"({"k": null})", readInteger),
            "x.json: key 'k': expected an integer, found null");
  EXPECT_EQ(use(R"({"k": 9223372036854775808})", readInteger),
            "x.json: key 'k': expected an integer below 2^63, found "
            "9223372036854775808");
  EXPECT_EQ(use("{}", readInteger), "x.json: key 'k': is missing");
  EXPECT_EQ(use("[]", readInteger),
            "x.json: expected an object, found an array");
  EXPECT_EQ(use(R"({"k": true})", [&](auto &o) { o.read("k", number); }),
            "x.json: key 'k': expected a number, found true");
  EXPECT_EQ(use(R"({"k": 1})", [&](auto &o) { o.read("k", truth); }),
            "x.json: key 'k': expected true or false, found 1");
  EXPECT_EQ(use(R"({"k": {}})", [&](auto &o) { o.read("k", text); }),
            "x.json: key 'k': expected a string, found an object");
  EXPECT_EQ(use(R"({"k": [1, "2"]})",
                [&](auto &o) { o.findIntegers("k", integers); }),
            "x.json: key 'k': expected an integer or an array of integers, "
            "found the string '2'");
  EXPECT_EQ(use(R"({"k": 3})", [&](auto &o) { o.findObject("k"); }),
            "x.json: key 'k': expected an object, found 3");
}

TEST_F(JsonObjectTest, SuggestsTheNearestKey) {
  auto readHidden = [&](JsonObject &object) {
    object.read("hidden", integer);
    object.find("layers", integer);
  };
  EXPECT_EQ(use(R"({"hiden": 1})", readHidden),
            "x.json: key 'hiden': is not known; did you mean 'hidden'?");
  EXPECT_EQ(use(R"({"hidden": 1, "zzzzzzzz": 1})", readHidden),
            "x.json: key 'zzzzzzzz': is not known");
}

TEST_F(JsonObjectTest, NamesTheWayToAnInnerKey) {
  EXPECT_EQ(use(R"({"rope": {"theta": "x"}})",
                [&](JsonObject &object) {
                  auto rope = object.readObject("rope");
                  rope->read("theta", number);
                  object.absorb(*rope);
                }),
            "x.json: key 'rope.theta': expected a number, found the string "
            "'x'");
}

TEST_F(JsonObjectTest, KeepsMessagesOnOneLine) {
  std::string message = use(R"({"a\nb": 1})", [](JsonObject &) {});
  EXPECT_EQ(message, "x.json: key 'a\\0Ab': is not known");
  message = use("{\"" + std::string(5000, 'k') + "\": 1}", [](JsonObject &) {});
  EXPECT_LT(message.size(), 200u);
}

} // namespace
