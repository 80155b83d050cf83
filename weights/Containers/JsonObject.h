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

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace llamaweights {

/// Parses `text`. Refused, with the place: broken syntax, a key that occurs
/// twice in one object, nesting deeper than 32, more than 2^22 values.
llvm::Expected<nlohmann::json> parseJson(llvm::StringRef text,
                                         llvm::StringRef where);

/// Parses a file of at most 64 MiB.
llvm::Expected<nlohmann::json> readJsonFile(llvm::StringRef path);

class JsonObject {
public:
  /// `value` must outlive this object; that it is not a JSON object is
  /// finish()'s complaint. `prefix` ("rope.") precedes keys in messages.
  JsonObject(llvm::StringRef where, const nlohmann::json &value,
             llvm::StringRef prefix = "");

  // The key must be there and have that type. Numbers for `int64_t` have no
  // fraction and fit; any number serves for `double`.
  void read(llvm::StringRef key, int64_t &out);
  void read(llvm::StringRef key, double &out);
  void read(llvm::StringRef key, bool &out);
  void read(llvm::StringRef key, std::string &out);

  // Leaves `out` alone if the key is absent or null.
  template <typename T>
  void find(llvm::StringRef key, T &out) {
    if (has(key))
      read(key, out);
  }
  template <typename T>
  void find(llvm::StringRef key, std::optional<T> &out) {
    if (has(key))
      read(key, out.emplace());
  }

  /// One integer or an array of them; leaves `out` alone if absent or null.
  void findIntegers(llvm::StringRef key, std::vector<int64_t> &out);

  /// The value as it is, or null if it is absent; the key becomes a known one.
  const nlohmann::json *get(llvm::StringRef key);

  /// An object inside this one; nothing if the key is absent or null, or its
  /// value is not an object (which finish() will report).
  std::optional<JsonObject> findObject(llvm::StringRef key);
  /// The same, and the key must be there.
  std::optional<JsonObject> readObject(llvm::StringRef key);

  /// Whether the key is there and not null; it becomes a known one.
  bool has(llvm::StringRef key);

  /// Known keys that mean nothing here.
  void allow(llvm::ArrayRef<llvm::StringLiteral> keys);

  /// A complaint about a key: "where: key 'rope.theta': message".
  void fail(llvm::StringRef key, const llvm::Twine &message);

  /// Takes over the complaints of an object inside this one.
  void absorb(JsonObject &inner);

  /// The first complaint: about a value, else about an unknown key, else about
  /// a missing one.
  llvm::Error finish();

private:
  const nlohmann::json *require(llvm::StringRef key);
  void expect(llvm::StringRef key, llvm::StringRef what,
              const nlohmann::json &found);
  void checkUnknownKeys();

  std::string where, prefix;
  const nlohmann::json *value;
  std::set<std::string> known;
  std::string wrongValue, unknownKey, missingKey;
};

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CONTAINERS_JSONOBJECT_H
