//===- JsonReader.cpp - JSON to values of a template ----------------------===//

#include "runtime/Text/Jinja/JsonReader.h"

#include "runtime/Text/Jinja/Meter.h"
#include "runtime/Text/Jinja/TemplateError.h"

#include <nlohmann/json.hpp>

#include <limits>

namespace llamart::jinja {
namespace {

/// Makes values of what nlohmann's parser reads.
class Builder : public nlohmann::json_sax<nlohmann::json> {
public:
  explicit Builder(Origin origin) : origin(origin) {}

  bool null() override { return put(Value::none()); }
  bool boolean(bool value) override { return put(Value::boolean(value)); }
  bool number_integer(int64_t value) override {
    return put(Value::integer(value));
  }
  bool number_unsigned(uint64_t value) override {
    if (value > uint64_t(std::numeric_limits<int64_t>::max()))
      fail("expected integers of 64 bits, found ", value);
    return put(Value::integer(static_cast<int64_t>(value)));
  }
  bool number_float(double value, const std::string &text) override {
    if (text.find_first_of(".eE") == std::string::npos)
      fail("expected integers of 64 bits, found ", text);
    return put(Value::real(value));
  }
  bool string(std::string &value) override {
    return put(Value::string(value, origin));
  }
  bool binary(nlohmann::json::binary_t &) override { return false; }
  bool start_object(size_t) override { return open(true); }
  bool end_object() override { return close(); }
  bool start_array(size_t) override { return open(false); }
  bool end_array() override { return close(); }
  bool key(std::string &value) override {
    levels.back().key = value;
    return true;
  }
  bool parse_error(size_t position, const std::string &,
                   const nlohmann::detail::exception &) override {
    fail("expected JSON, found something else at byte ", position);
  }

  Value result;

private:
  struct Level {
    std::shared_ptr<DictObject> dict; // null: a list
    Items items;
    std::string key;
  };

  bool open(bool isObject) {
    if (levels.size() >= kMaxNesting - 1)
      fail("expected JSON nested at most ", kMaxNesting - 1,
           " deep, found more");
    levels.emplace_back();
    if (isObject)
      levels.back().dict = std::make_shared<DictObject>();
    return true;
  }

  bool close() {
    Level level = std::move(levels.back());
    levels.pop_back();
    return put(level.dict ? Value::dict(level.dict)
                          : Value::list(std::move(level.items)));
  }

  bool put(Value value) {
    if (levels.empty())
      result = std::move(value);
    else if (Level &level = levels.back(); level.dict)
      level.dict->set(level.key, std::move(value), origin);
    else
      level.items.push_back(std::move(value));
    return true;
  }

  Origin origin;
  std::vector<Level> levels;
};

} // namespace

Value readJson(std::string_view text, const std::string &what, Origin origin) {
  Builder builder(origin);
  try {
    nlohmann::json::sax_parse(text, &builder);
  } catch (const Failure &failure) {
    throw TemplateError(what + ": " + failure.what());
  }
  return builder.result;
}

} // namespace llamart::jinja
