//===- Value.cpp - What a template computes with --------------------------===//

#include "runtime/Text/Jinja/Value.h"

#include "runtime/Text/Jinja/Meter.h"
#include "runtime/Text/Jinja/TemplateError.h"

#include <algorithm>

namespace llamart::jinja {
namespace {

/// What a value takes besides the bytes of its strings.
constexpr uint64_t kValueBytes = sizeof(Value);

uint32_t addDepth(uint32_t inside) {
  if (inside >= kMaxNesting)
    fail("expected values nested at most ", kMaxNesting, " deep, found more");
  return inside + 1;
}

uint32_t findDepth(const Items &items) {
  uint32_t depth = 0;
  for (const Value &item : items)
    depth = std::max(depth, item.getDepth());
  return addDepth(depth);
}

std::shared_ptr<ListObject> makeList(Items items) {
  auto object = std::make_shared<ListObject>();
  object->depth = findDepth(items);
  addBytes(sizeof(ListObject) + items.size() * kValueBytes);
  object->items = std::move(items);
  return object;
}

} // namespace

Value Value::boolean(bool value) {
  Value result;
  result.kind = Kind::Bool;
  result.number = value;
  return result;
}

Value Value::integer(int64_t value) {
  Value result;
  result.kind = Kind::Int;
  result.number = value;
  return result;
}

Value Value::real(double value) {
  Value result;
  result.kind = Kind::Float;
  result.floating = value;
  return result;
}

Value Value::string(Text text, bool markup) {
  auto object = std::make_shared<StringObject>();
  addBytes(sizeof(StringObject));
  object->text = std::move(text);
  object->markup = markup;
  return {Kind::String, std::move(object)};
}

Value Value::string(std::string_view text, Origin origin) {
  return string(Text(text, origin));
}

Value stringLike(const Value &value, Text text) {
  return Value::string(std::move(text), value.isMarkup());
}

Value Value::list(Items items) {
  return {Kind::List, makeList(std::move(items))};
}

Value Value::tuple(Items items) {
  auto object = makeList(std::move(items));
  object->type = "tuple";
  return {Kind::Tuple, std::move(object)};
}

static constexpr const char *kGroup = "jinja2.filters._GroupTuple";

Value Value::group(Value grouper, Value list) {
  auto object = makeList({std::move(grouper), std::move(list)});
  object->type = kGroup;
  return {Kind::Tuple, std::move(object)};
}

bool Value::isGroup() const {
  return kind == Kind::Tuple &&
         static_cast<const ListObject &>(*object).type == kGroup;
}

Value Value::dict(std::shared_ptr<DictObject> entries) {
  uint32_t depth = 0;
  for (const auto &[key, value] : entries->entries)
    depth = std::max({depth, key.getDepth(), value.getDepth()});
  entries->depth = addDepth(depth);
  addBytes(sizeof(DictObject) + entries->entries.size() * 4 * kValueBytes);
  return {Kind::Dict, std::move(entries)};
}

Value Value::view(const char *type, Items items) {
  auto object = makeList(std::move(items));
  object->type = type;
  return {Kind::View, std::move(object)};
}

Value Value::range(int64_t begin, int64_t end, int64_t step) {
  auto object = std::make_shared<RangeObject>();
  addBytes(sizeof(RangeObject));
  object->begin = begin;
  object->end = end;
  object->step = step;
  return {Kind::Range, std::move(object)};
}

Value Value::generator(Next next, const Value &over) {
  auto object = std::make_shared<GeneratorObject>();
  addBytes(sizeof(GeneratorObject));
  object->depth = addDepth(over.getDepth());
  object->next = std::move(next);
  return {Kind::Generator, std::move(object)};
}

Value Value::nameSpace(std::shared_ptr<NamespaceObject> object) {
  return {Kind::Namespace, std::move(object)};
}

Value Value::function(std::shared_ptr<Function> object) {
  addDepth(object->depth);
  return {Kind::Function, std::move(object)};
}

Value Value::undefined(std::string message) {
  auto object = std::make_shared<UndefinedObject>();
  addBytes(message.size());
  object->message = std::move(message);
  return {Kind::Undefined, std::move(object)};
}

bool Value::isMarkup() const {
  return isString() && static_cast<const StringObject &>(*object).markup;
}

double Value::getFloat() const {
  return is(Kind::Float) ? floating : static_cast<double>(number);
}

const Text &Value::getText() const {
  return static_cast<const StringObject &>(*object).text;
}

const Items &Value::getItems() const {
  return static_cast<const ListObject &>(*object).items;
}

const DictObject &Value::getDict() const {
  return static_cast<const DictObject &>(*object);
}

const RangeObject &Value::getRange() const {
  return static_cast<const RangeObject &>(*object);
}

GeneratorObject &Value::getGenerator() const {
  return static_cast<GeneratorObject &>(*object);
}

NamespaceObject &Value::getNamespace() const {
  return static_cast<NamespaceObject &>(*object);
}

Function &Value::getFunction() const {
  return static_cast<Function &>(*object);
}

const std::string &Value::getUndefinedMessage() const {
  return static_cast<const UndefinedObject &>(*object).message;
}

const Value *DictObject::find(const Value &key) const {
  auto found = index.find(getHashKey(key));
  return found == index.end() ? nullptr : &entries[found->second].second;
}

const Value *DictObject::find(std::string_view key) const {
  auto found = index.find("s" + std::string(key));
  return found == index.end() ? nullptr : &entries[found->second].second;
}

void DictObject::set(const Value &key, Value value) {
  auto [place, isNew] = index.try_emplace(getHashKey(key), entries.size());
  if (isNew)
    entries.emplace_back(key, std::move(value));
  else
    entries[place->second].second = std::move(value);
}

void DictObject::set(std::string_view key, Value value, Origin origin) {
  set(Value::string(key, origin), std::move(value));
}

int64_t RangeObject::getSize() const {
  __int128 span = step > 0 ? __int128(end) - begin : __int128(begin) - end;
  __int128 stride = step > 0 ? __int128(step) : -__int128(step);
  return span <= 0 ? 0 : static_cast<int64_t>((span + stride - 1) / stride);
}

std::optional<Value> Function::getAttribute(std::string_view) {
  return std::nullopt;
}

} // namespace llamart::jinja
