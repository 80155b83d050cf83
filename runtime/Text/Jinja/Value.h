//===- Value.h - What a template computes with ------------------*- C++ -*-===//
//
// Python's values, as far as a sandboxed template can make them. All but
// namespaces and functions with a state (loop, cycler, joiner) never change, so
// that no value holds itself; how deep one is nested is known when it is made.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_JINJA_VALUE_H
#define LLAMA_RUNTIME_TEXT_JINJA_VALUE_H

#include "runtime/Text/Jinja/Text.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace llamart::jinja {

enum class Kind : uint8_t {
  Undefined,
  None,
  Bool,
  Int,
  Float,
  String,
  List,
  Tuple,
  Dict,
  View, ///< what dict.keys(), .values() and .items() give
  Range,
  Generator, ///< what filters such as map give: can be gone through once
  Namespace,
  Function,
};

/// What a value of a kind above Float points to.
struct Object {
  virtual ~Object() = default;
  uint32_t depth = 1; ///< nesting, at most kMaxNesting
};

struct StringObject;
struct ListObject;
struct DictObject;
struct RangeObject;
struct GeneratorObject;
struct NamespaceObject;
struct Function;
class Value;

using Items = std::vector<Value>;
/// The next item, or nothing at the end.
using Next = std::function<std::optional<Value>()>;

class Value {
public:
  Value() = default; ///< None
  static Value none() { return {}; }
  static Value boolean(bool value);
  static Value integer(int64_t value);
  static Value real(double value);
  static Value string(Text text, bool markup = false);
  static Value string(std::string_view text, Origin origin);
  /// Throws Failure where nesting is too deep, as do all below.
  static Value list(Items items);
  static Value tuple(Items items);
  /// What groupby gives: a tuple whose parts have the names grouper and list.
  static Value group(Value grouper, Value list);
  static Value dict(std::shared_ptr<DictObject> entries);
  static Value view(const char *type, Items items);
  static Value range(int64_t begin, int64_t end, int64_t step);
  /// `over` is what it goes through.
  static Value generator(Next next, const Value &over);
  static Value nameSpace(std::shared_ptr<NamespaceObject> object);
  static Value function(std::shared_ptr<Function> object);
  /// Undefined; `message` is what an error says that comes of using it.
  static Value undefined(std::string message);

  Kind getKind() const { return kind; }
  bool is(Kind other) const { return kind == other; }
  bool isUndefined() const { return kind == Kind::Undefined; }
  bool isNone() const { return kind == Kind::None; }
  bool isString() const { return kind == Kind::String; }
  /// Bool and Int: bool is an int in Python.
  bool isInteger() const { return kind == Kind::Int || kind == Kind::Bool; }
  bool isNumber() const { return isInteger() || kind == Kind::Float; }
  bool isList() const { return kind == Kind::List; }
  bool isDict() const { return kind == Kind::Dict; }
  bool isMarkup() const;
  bool isGroup() const;

  bool getBool() const { return number != 0; }
  int64_t getInt() const { return number; }
  /// Of a number of any kind.
  double getFloat() const;
  const Text &getText() const;
  std::string_view getBytes() const { return getText().bytes(); }
  /// Of a list, a tuple or a view.
  const Items &getItems() const;
  const DictObject &getDict() const;
  const RangeObject &getRange() const;
  GeneratorObject &getGenerator() const;
  NamespaceObject &getNamespace() const;
  Function &getFunction() const;
  const std::string &getUndefinedMessage() const;
  uint32_t getDepth() const { return object ? object->depth : 0; }
  const Object *getObject() const { return object.get(); }

private:
  Value(Kind kind, std::shared_ptr<Object> object)
      : kind(kind), object(std::move(object)) {}

  Kind kind = Kind::None;
  int64_t number = 0;
  double floating = 0;
  std::shared_ptr<Object> object;
};

struct StringObject : Object {
  Text text;
  bool markup = false; ///< markupsafe's: what is added to it is escaped
};

struct ListObject : Object {
  Items items;
  const char *type = "list"; ///< "tuple", of a view "dict_items", ...
};

/// In the order in which keys came.
struct DictObject : Object {
  std::vector<std::pair<Value, Value>> entries;
  std::unordered_map<std::string, size_t> index; ///< by getHashKey

  const Value *find(const Value &key) const;
  const Value *find(std::string_view key) const;
  void set(const Value &key, Value value);
  void set(std::string_view key, Value value, Origin origin = Origin::Literal);
};

struct RangeObject : Object {
  int64_t begin = 0, end = 0, step = 1;
  int64_t getSize() const;
};

struct GeneratorObject : Object {
  Next next;
};

struct NamespaceObject : Object {
  std::shared_ptr<DictObject> attributes = std::make_shared<DictObject>();
};

struct UndefinedObject : Object {
  std::string message;
};

class Interpreter;

struct Arguments {
  Items positional;
  std::vector<std::pair<std::string, Value>> named;
};

/// Whatever can be called.
struct Function : Object {
  virtual Value call(Interpreter &interpreter, Arguments arguments) = 0;
  /// Nothing: it has no such attribute.
  virtual std::optional<Value> getAttribute(std::string_view name);
  virtual const char *getType() const { return "function"; }
};

//===----------------------------------------------------------------------===//
// What Python does with values
//===----------------------------------------------------------------------===//

/// type(value).__name__: "int", "str", "NoneType", ...
const char *getTypeName(const Value &value);
/// Markup if `value` is.
Value stringLike(const Value &value, Text text);
bool isTrue(const Value &value);
bool isEqual(const Value &a, const Value &b);
/// Whether a < b. Throws Failure if the two have no order.
bool isLess(const Value &a, const Value &b);
/// A text that is the same for equal keys. Throws Failure for a list or a dict.
std::string getHashKey(const Value &key);
/// Throws Failure if there is nothing to go through.
Next iterate(const Value &value);
Items collect(const Value &value);
/// len(). Throws Failure if there is none.
int64_t getLength(const Value &value);
/// `needle in haystack`
bool contains(const Value &haystack, const Value &needle);
/// The error of using an undefined value.
[[noreturn]] void failUndefined(const Value &value);

} // namespace llamart::jinja

#endif // LLAMA_RUNTIME_TEXT_JINJA_VALUE_H
