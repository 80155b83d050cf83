//===- GgufKeys.cpp - Typed access to the keys of a *.gguf file -----------===//
//
// Elements are stored as they are in the file; here they become integers,
// numbers and strings, or a complaint.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/GgufKeys.h"

#include "weights/InputError.h"

#include <cassert>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

using namespace llvm;

namespace llamaweights {
namespace {

template <typename T>
T getElement(const GgufValue &value, size_t i) {
  T element;
  assert((i + 1) * sizeof(T) <= value.bytes.size() && "an element of it");
  std::memcpy(&element, value.bytes.data() + i * sizeof(T), sizeof(T));
  return element;
}

/// The double that the shortest decimal form of `value` stands for.
double widenDecimally(float value) {
  if (!std::isfinite(value))
    return value;
  char digits[64];
  char *end = std::to_chars(digits, std::end(digits), value).ptr;
  double result = value;
  std::from_chars(digits, end, result);
  return result;
}

size_t getElementBytes(GgufType type) {
  switch (type) {
  case GgufType::U16:
  case GgufType::I16:
    return 2;
  case GgufType::U32:
  case GgufType::I32:
  case GgufType::F32:
    return 4;
  case GgufType::U64:
  case GgufType::I64:
  case GgufType::F64:
    return 8;
  default:
    return 1;
  }
}

} // namespace

size_t GgufValue::getCount() const {
  return type == GgufType::String ? strings.size()
                                  : bytes.size() / getElementBytes(type);
}

std::optional<int64_t> GgufValue::getInteger(size_t i) const {
  switch (type) {
  case GgufType::U8:
    return getElement<uint8_t>(*this, i);
  case GgufType::I8:
    return getElement<int8_t>(*this, i);
  case GgufType::U16:
    return getElement<uint16_t>(*this, i);
  case GgufType::I16:
    return getElement<int16_t>(*this, i);
  case GgufType::U32:
    return getElement<uint32_t>(*this, i);
  case GgufType::I32:
    return getElement<int32_t>(*this, i);
  case GgufType::I64:
    return getElement<int64_t>(*this, i);
  case GgufType::U64:
    if (uint64_t number = getElement<uint64_t>(*this, i);
        number <= uint64_t(std::numeric_limits<int64_t>::max()))
      return int64_t(number);
    return std::nullopt;
  default:
    return std::nullopt;
  }
}

std::optional<double> GgufValue::getNumber(size_t i) const {
  if (type == GgufType::F32)
    return widenDecimally(getElement<float>(*this, i));
  if (type == GgufType::F64)
    return getElement<double>(*this, i);
  if (std::optional<int64_t> integer = getInteger(i))
    return double(*integer);
  return std::nullopt;
}

std::string GgufValue::describe() const {
  if (isArray)
    return "an array";
  if (type == GgufType::String)
    return "the string " + quote(strings[0]);
  if (type == GgufType::Bool)
    return bytes[0] ? "true" : "false";
  if (type == GgufType::U64 && !getInteger(0))
    return std::to_string(getElement<uint64_t>(*this, 0));
  if (std::optional<int64_t> integer = getInteger(0))
    return std::to_string(*integer);
  char digits[64];
  double number = getNumber(0).value_or(0.0);
  return {digits, std::to_chars(digits, std::end(digits), number).ptr};
}

const GgufValue *GgufKeys::get(StringRef key) {
  known.insert(key.str());
  auto found = file.keys.find(key.str());
  return found == file.keys.end() ? nullptr : &found->second;
}

std::optional<KeyValue> GgufKeys::lookUp(StringRef key) {
  const GgufValue *value = get(key);
  if (!value)
    return std::nullopt;
  KeyValue result;
  result.found = value->describe();
  if (value->isArray)
    return result;
  result.integer = value->getInteger(0);
  result.number = value->getNumber(0);
  result.isTooLarge = value->type == GgufType::U64 && !result.integer;
  if (value->type == GgufType::Bool)
    result.truth = value->bytes[0] != 0;
  if (value->type == GgufType::String)
    result.text = value->strings[0];
  return result;
}

const GgufValue *GgufKeys::requireArray(StringRef key) {
  const GgufValue *value = get(key);
  if (!value)
    failMissing(key);
  else if (!value->isArray)
    expect(key, "an array", value->describe());
  else
    return value;
  return nullptr;
}

void GgufKeys::readPerLayer(StringRef key, int64_t count, int64_t &out) {
  const GgufValue *value = get(key);
  if (!value || !value->isArray)
    return read(key, out);
  if (int64_t(value->getCount()) != count || count == 0)
    return fail(key, "lists " + Twine(value->getCount()) +
                         " values, expected " + Twine(count));
  for (size_t i = 0; i < value->getCount(); ++i) {
    std::optional<int64_t> integer = value->getInteger(i);
    if (!integer)
      return fail(key, "expected integers");
    if (i > 0 && *integer != out)
      return fail(key, "is " + Twine(out) + " in layer 0 and " +
                           Twine(*integer) + " in layer " + Twine(i) +
                           ", expected the same in every layer");
    out = *integer;
  }
}

ArrayRef<std::string> GgufKeys::readStrings(StringRef key) {
  const GgufValue *value = requireArray(key);
  if (!value)
    return {};
  if (value->type != GgufType::String)
    fail(key, "expected an array of strings");
  return value->strings;
}

const GgufValue *GgufKeys::readArray(StringRef key, size_t count) {
  const GgufValue *value = requireArray(key);
  if (!value)
    return nullptr;
  if (value->getCount() == count)
    return value;
  fail(key, "lists " + Twine(value->getCount()) + " values, expected " +
                Twine(count));
  return nullptr;
}

void GgufKeys::refuseUnknown(StringRef prefix) {
  for (const auto &[key, ignored] : file.keys)
    if (StringRef(key).starts_with(prefix) && !known.count(key))
      return fail(key, "is not known");
}

Error GgufKeys::finish() {
  if (complaint.empty())
    return Error::success();
  return makeInputError(file.path, complaint);
}

} // namespace llamaweights
