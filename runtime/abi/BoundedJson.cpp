//===- BoundedJson.cpp - JSON that somebody else wrote --------------------===//
//
// A SAX handler that builds the value and knows when to stop.
//
//===----------------------------------------------------------------------===//

#include "runtime/abi/BoundedJson.h"

#include <algorithm>
#include <vector>

using nlohmann::json;

namespace llamaabi {
namespace {

/// Builds a json value from parser events; false stops the parser.
class Builder : public nlohmann::json_sax<json> {
public:
  json root;
  JsonFault fault;

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(int64_t value) override { return add(value); }
  bool number_unsigned(uint64_t value) override { return add(value); }
  bool number_float(double value, const std::string &) override {
    return add(value);
  }
  bool string(std::string &value) override { return add(std::move(value)); }
  bool binary(json::binary_t &) override { return false; }
  bool start_object(size_t) override { return open(json::object()); }
  bool start_array(size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(std::string &name) override {
    auto [place, isNew] = stack.back()->get_ref<json::object_t &>().emplace(
        std::move(name), nullptr);
    if (!isNew) {
      fault = {"key ", place->first, ": is there twice"};
      return false;
    }
    member = &place->second;
    return true;
  }

  // "[json.exception...] parse error at line 1, column 2: what is wrong; last
  // read: 'the last bytes'"
  bool parse_error(size_t position, const std::string &,
                   const nlohmann::detail::exception &error) override {
    constexpr size_t kLongest = 160, kLastBytes = 40;
    constexpr std::string_view kLast = "; last read: '";
    std::string text = error.what();
    text.erase(0, std::min(text.find("] "), text.size() - 2) + 2);
    size_t last = text.find(kLast);
    std::string what = text.substr(0, last);
    fault.before = "is not valid JSON: " + what.substr(0, kLongest);
    if (what.find("column") == std::string::npos)
      fault.before += " (byte " + std::to_string(position) + ")";
    if (last == std::string::npos || text.back() != '\'')
      return false;
    text = text.substr(last + kLast.size());
    text.pop_back();
    fault.before += ", last read ";
    fault.quoted = text.substr(text.size() - std::min(text.size(), kLastBytes));
    return false;
  }

private:
  json *place(json value) {
    if (stack.empty())
      return &(root = std::move(value));
    if (stack.back()->is_object())
      return &(*member = std::move(value));
    return &stack.back()->get_ref<json::array_t &>().emplace_back(
        std::move(value));
  }

  bool countValue() {
    if (++values <= kMostJsonValues)
      return true;
    fault = {"holds more than " + std::to_string(kMostJsonValues) + " values",
             "", ""};
    return false;
  }

  bool add(json value) {
    if (!countValue())
      return false;
    place(std::move(value));
    return true;
  }

  bool open(json value) {
    if (stack.size() == kDeepestJson) {
      fault = {"is nested deeper than " + std::to_string(kDeepestJson), "", ""};
      return false;
    }
    if (!countValue())
      return false;
    stack.push_back(place(std::move(value)));
    return true;
  }

  bool close() {
    stack.pop_back();
    return true;
  }

  std::vector<json *> stack; ///< open arrays and objects, outermost first
  json *member = nullptr;    ///< where the value of the last key goes
  size_t values = 0;
};

} // namespace

std::optional<JsonFault> parseBoundedJson(std::string_view text, json &into) {
  Builder builder;
  if (!json::sax_parse(text.begin(), text.end(), &builder))
    return std::move(builder.fault);
  into = std::move(builder.root);
  return std::nullopt;
}

} // namespace llamaabi
