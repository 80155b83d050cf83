//===- KeyReader.cpp - Typed reading of keys, with complaints -------------===//
//
// A value either is what was asked for, or the complaint says what it is.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/KeyReader.h"

#include "weights/InputError.h"

using namespace llvm;

namespace llamaweights {

std::string KeyReader::about(StringRef key, const Twine &message) const {
  return ("key " + quote(prefix + key.str()) + ": " + message).str();
}

void KeyReader::fail(StringRef key, const Twine &message) {
  if (complaint.empty())
    complaint = about(key, message);
}

template <typename T, typename Value>
void KeyReader::readAs(StringRef key, std::optional<Value> KeyValue::*member,
                       StringRef what, T &out) {
  std::optional<KeyValue> value = lookUp(key);
  if (!value)
    failMissing(key);
  else if (const auto &found = (*value).*member)
    out = T(*found);
  else
    expect(key, what, value->found);
}

void KeyReader::read(StringRef key, int64_t &out) {
  std::optional<KeyValue> value = lookUp(key);
  bool isTooLarge = value && value->isTooLarge;
  readAs(key, &KeyValue::integer,
         isTooLarge ? "an integer below 2^63" : "an integer", out);
}

void KeyReader::read(StringRef key, double &out) {
  readAs(key, &KeyValue::number, "a number", out);
}

void KeyReader::read(StringRef key, bool &out) {
  readAs(key, &KeyValue::truth, "true or false", out);
}

void KeyReader::read(StringRef key, std::string &out) {
  readAs(key, &KeyValue::text, "a string", out);
}

} // namespace llamaweights
