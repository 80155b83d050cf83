//===- KeyReader.h - Typed reading of keys, with complaints -----*- C++ -*-===//
//
//   keys.read("hidden_size", config.hidden);       // must be there
//   keys.find("head_dim", headDim);                // may be absent
//   if (Error error = keys.finish()) return error; // the first complaint
//
// What JSON objects (JsonObject.h) and GGUF files (GgufKeys.h) share: readers
// ask for every key and hear about mistakes once, at the end.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_WEIGHTS_CONTAINERS_KEYREADER_H
#define LLAMA_WEIGHTS_CONTAINERS_KEYREADER_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>

namespace llamaweights {

/// A single value: it has what it can be read as.
struct KeyValue {
  std::optional<bool> truth;
  std::optional<int64_t> integer;
  std::optional<double> number; ///< of integers too
  std::optional<llvm::StringRef> text;
  bool isTooLarge = false; ///< an integer, but 2^63 or more
  std::string found;       ///< "the string 'x'": for messages
};

class KeyReader {
public:
  /// Whether the key is there and not null; it becomes a known one.
  virtual bool has(llvm::StringRef key) = 0;

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

  /// A complaint about a key: "where: key 'rope.theta': message". The first one
  /// counts.
  void fail(llvm::StringRef key, const llvm::Twine &message);

protected:
  /// `prefix` ("rope.") precedes keys in messages.
  explicit KeyReader(llvm::StringRef where, llvm::StringRef prefix = "")
      : where(where), prefix(prefix) {}
  KeyReader(const KeyReader &) = default;
  KeyReader &operator=(const KeyReader &) = default;
  ~KeyReader() = default;

  /// The value of a key, which becomes a known one; none if it is absent.
  virtual std::optional<KeyValue> lookUp(llvm::StringRef key) = 0;
  /// A complaint about a key that is not there.
  virtual void failMissing(llvm::StringRef key) { fail(key, "is missing"); }

  void expect(llvm::StringRef key, llvm::StringRef what,
              llvm::StringRef found) {
    fail(key, "expected " + what + ", found " + found);
  }
  /// `message` about this key, as fail() words it.
  std::string about(llvm::StringRef key, const llvm::Twine &message) const;

  std::string where, prefix;
  std::set<std::string> known;
  std::string complaint; ///< empty: none

private:
  template <typename T, typename Value>
  void readAs(llvm::StringRef key, std::optional<Value> KeyValue::*member,
              llvm::StringRef what, T &out);
};

} // namespace llamaweights

#endif // LLAMA_WEIGHTS_CONTAINERS_KEYREADER_H
