//===- JsonObject.cpp - Reading JSON that somebody else wrote -------------===//
//
// The typed getters, over what the bounded parser made.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/JsonObject.h"

#include "runtime/abi/BoundedJson.h"
#include "weights/InputError.h"
#include "weights/InputFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"

#include <algorithm>
#include <limits>

using namespace llvm;
using nlohmann::json;

namespace llamaweights {
namespace {

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
  json value;
  auto fault = llamaabi::parseBoundedJson({text.data(), text.size()}, value);
  if (!fault)
    return std::move(value);
  std::string found = fault->quoted.empty() ? "" : quote(fault->quoted);
  return makeInputError(where, fault->before + found + fault->after);
}

Expected<json> readJsonFile(StringRef path) {
  Expected<std::string> text = readTextFile(path);
  if (!text)
    return text.takeError();
  return parseJson(*text, path);
}

Expected<json> readJsonIfThere(StringRef path) {
  if (!sys::fs::exists(path))
    return json();
  Expected<json> value = readJsonFile(path);
  if (value && !value->is_object())
    return makeInputError(path,
                          "expected an object, found " + describe(*value));
  return value;
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
