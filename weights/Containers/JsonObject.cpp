//===- JsonObject.cpp - Reading JSON that somebody else wrote -------------===//
//
// A SAX handler that builds the value and knows when to stop, and the typed
// getters over the result.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/JsonObject.h"

#include "weights/InputError.h"
#include "weights/InputFile.h"

#include "llvm/ADT/StringExtras.h"

#include <algorithm>
#include <limits>

using namespace llvm;
using nlohmann::json;

namespace llamaweights {
namespace {

constexpr size_t kDeepest = 32;
constexpr size_t kMostValues = size_t(1) << 22;

/// Builds a json value from parser events; false stops the parser.
class Builder : public nlohmann::json_sax<json> {
public:
  json root;
  std::string complaint;

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
      complaint = "key " + quote(place->first) + ": is there twice";
      return false;
    }
    member = &place->second;
    return true;
  }

  bool parse_error(size_t position, const std::string &,
                   const nlohmann::detail::exception &error) override {
    // "[json.exception...] parse error at line 1, column 2: what is wrong;
    // last read: 'the last bytes'"
    StringRef text = error.what();
    text = text.split("] ").second;
    auto [what, last] = text.split("; last read: ");
    complaint = "is not valid JSON: " + what.take_front(160).str();
    if (!what.contains("column"))
      complaint += " (byte " + std::to_string(position) + ")";
    if (last.consume_front("'") && last.consume_back("'"))
      complaint += ", last read " + quote(last.take_back(40));
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
    if (++values <= kMostValues)
      return true;
    complaint = "holds more than " + std::to_string(kMostValues) + " values";
    return false;
  }

  bool add(json value) {
    if (!countValue())
      return false;
    place(std::move(value));
    return true;
  }

  bool open(json value) {
    if (stack.size() == kDeepest) {
      complaint = "is nested deeper than " + std::to_string(kDeepest);
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

/// The name most like `key`, empty if none is close.
std::string findNearest(StringRef key, const std::set<std::string> &names) {
  constexpr size_t kLongest = 64;
  std::string nearest;
  if (key.size() > kLongest)
    return nearest;
  unsigned best = std::max<unsigned>(2, unsigned(key.size()) / 3) + 1;
  for (const std::string &name : names) {
    unsigned distance = key.edit_distance(name, true, best);
    if (distance < best) {
      best = distance;
      nearest = name;
    }
  }
  return nearest;
}

bool isBeyond63Bits(const json &value) {
  return value.is_number_unsigned() &&
         value.get<uint64_t>() > uint64_t(std::numeric_limits<int64_t>::max());
}

} // namespace

std::string describe(const json &value) {
  switch (value.type()) {
  case json::value_t::null:
    return "null";
  case json::value_t::object:
    return "an object";
  case json::value_t::array:
    return "an array";
  case json::value_t::string:
    return "the string " + quote(value.get_ref<const std::string &>());
  default:
    return value.dump();
  }
}

Expected<json> parseJson(StringRef text, StringRef where) {
  Builder builder;
  if (!json::sax_parse(text.begin(), text.end(), &builder))
    return makeInputError(where, builder.complaint);
  return std::move(builder.root);
}

Expected<json> readJsonFile(StringRef path) {
  Expected<std::string> text = readTextFile(path);
  if (!text)
    return text.takeError();
  return parseJson(*text, path);
}

JsonObject::JsonObject(StringRef where, const json &value, StringRef prefix)
    : KeyReader(where, prefix), value(&value) {
  if (!value.is_object())
    complaint = "expected an object, found " + describe(value);
}

const json *JsonObject::get(StringRef key) {
  known.insert(key.str());
  if (!value->is_object())
    return nullptr;
  auto found = value->find(key.str());
  return found == value->end() ? nullptr : &*found;
}

bool JsonObject::has(StringRef key) {
  const json *found = get(key);
  return found && !found->is_null();
}

std::optional<KeyValue> JsonObject::lookUp(StringRef key) {
  const json *found = get(key);
  if (!found)
    return std::nullopt;
  KeyValue result;
  result.found = describe(*found);
  result.isTooLarge = isBeyond63Bits(*found);
  if (found->is_number_integer() && !result.isTooLarge)
    result.integer = found->get<int64_t>();
  if (found->is_number())
    result.number = found->get<double>();
  if (found->is_boolean())
    result.truth = found->get<bool>();
  if (found->is_string())
    result.text = found->get_ref<const std::string &>();
  return result;
}

void JsonObject::failMissing(StringRef key) {
  if (missingKey.empty())
    missingKey = about(key, "is missing");
}

void JsonObject::expect(StringRef key, StringRef what, const json &found) {
  KeyReader::expect(key, what, describe(found));
}

void JsonObject::findIntegers(StringRef key, std::vector<int64_t> &out) {
  if (!has(key))
    return;
  const json *found = get(key);
  auto add = [&](const json &item) {
    if (!item.is_number_integer() || isBeyond63Bits(item))
      return expect(key, "an integer or an array of integers", item);
    out.push_back(item.get<int64_t>());
  };
  if (!found->is_array())
    return add(*found);
  for (const json &item : *found)
    add(item);
}

std::optional<JsonObject> JsonObject::findObject(StringRef key) {
  if (!has(key))
    return std::nullopt;
  const json *found = get(key);
  if (!found->is_object()) {
    expect(key, "an object", *found);
    return std::nullopt;
  }
  return JsonObject(where, *found, prefix + key.str() + ".");
}

std::optional<JsonObject> JsonObject::readObject(StringRef key) {
  const json *found = get(key);
  if (!found)
    failMissing(key);
  else if (found->is_null())
    expect(key, "an object", *found);
  return findObject(key);
}

void JsonObject::allow(ArrayRef<StringLiteral> keys) {
  for (StringRef key : keys)
    known.insert(key.str());
}

void JsonObject::absorb(JsonObject &inner) {
  inner.checkUnknownKeys();
  if (complaint.empty())
    complaint = inner.complaint;
  if (unknownKey.empty())
    unknownKey = inner.unknownKey;
  if (missingKey.empty())
    missingKey = inner.missingKey;
}

void JsonObject::checkUnknownKeys() {
  if (!value->is_object())
    return;
  for (const auto &[key, ignored] : value->items()) {
    if (known.count(key))
      continue;
    std::string message = about(key, "is not known");
    std::string nearest = findNearest(key, known);
    if (!nearest.empty())
      message += "; did you mean " + quote(prefix + nearest) + "?";
    if (unknownKey.empty())
      unknownKey = message;
    return;
  }
}

Error JsonObject::finish() {
  checkUnknownKeys();
  for (const std::string *message : {&complaint, &unknownKey, &missingKey})
    if (!message->empty())
      return makeInputError(where, *message);
  return Error::success();
}

} // namespace llamaweights
