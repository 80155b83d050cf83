//===- JsonObject.h - Reading JSON that somebody else wrote -----*- C++ -*-===//
//
//   JsonObject object(path, json);
//   object.read("hidden_size", config.hidden);       // must be there
//   object.find("head_dim", headDim);                // may be absent or null
//   object.allow({"use_cache"});                     // known, means nothing
//   if (Error error = object.finish()) return error; // the first complaint
//
// finish() also refuses every key nobody asked for, and suggests the known key
// that is spelt most like it.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_CONTAINERS_JSONOBJECT_H
#define LLAMA_WEIGHTS_CONTAINERS_JSONOBJECT_H

#include "weights/Containers/KeyReader.h"

#include "llvm/ADT/ArrayRef.h"

#include <nlohmann/json.hpp>

#include <vector>

namespace llamaweights {

/// Parses `text`. Refused, with the place: broken syntax, a key that occurs
/// twice in one object, nesting deeper than 32, more than 2^22 values.
llvm::Expected<nlohmann::json> parseJson(llvm::StringRef text,
                                         llvm::StringRef where);

/// Parses a file of at most 64 MiB.
llvm::Expected<nlohmann::json> readJsonFile(llvm::StringRef path);

/// The object in a file; null if the file is not there.
llvm::Expected<nlohmann::json> readJsonIfThere(llvm::StringRef path);

/// What a value is: "the string 'x'", "-3", "an array": for messages.
std::string describe(const nlohmann::json &value);

class JsonObject final : public KeyReader {
public:
  /// `value` must outlive this object; that it is not a JSON object is
  /// finish()'s complaint. `prefix` ("rope.") precedes keys in messages.
  JsonObject(llvm::StringRef where, const nlohmann::json &value,
             llvm::StringRef prefix = "");

  /// One integer or an array of them; leaves `out` alone if absent or null.
  void findIntegers(llvm::StringRef key, std::vector<int64_t> &out);

  /// The value as it is, or null if it is absent; the key becomes a known one.
  const nlohmann::json *get(llvm::StringRef key);

  /// An object inside this one; nothing if the key is absent or null, or its
  /// value is not an object (which finish() will report).
  std::optional<JsonObject> findObject(llvm::StringRef key);
  /// The same, and the key must be there.
  std::optional<JsonObject> readObject(llvm::StringRef key);

  bool has(llvm::StringRef key) override;

  /// Known keys that mean nothing here.
  void allow(llvm::ArrayRef<llvm::StringLiteral> keys);

  /// Takes over the complaints of an object inside this one.
  void absorb(JsonObject &inner);

  /// The first complaint: about a value, else about an unknown key, else about
  /// a missing one.
  llvm::Error finish();

private:
  std::optional<KeyValue> lookUp(llvm::StringRef key) override;
  void failMissing(llvm::StringRef key) override;
  void expect(llvm::StringRef key, llvm::StringRef what,
              const nlohmann::json &found);
  void checkUnknownKeys();

  const nlohmann::json *value;
  std::string unknownKey, missingKey;
};

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CONTAINERS_JSONOBJECT_H
