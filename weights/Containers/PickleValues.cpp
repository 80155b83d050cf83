//===- PickleValues.cpp - What a pickle holds -----------------------------===//
//
// Values by their keys, and in words.
//
//===----------------------------------------------------------------------===//

#include "weights/Containers/Pickle.h"
#include "weights/InputError.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ErrorHandling.h"

using namespace llvm;

namespace llamaweights {

const PickleValue *PickleValue::find(StringRef key) const {
  if (kind != PickleKind::Dict)
    return nullptr;
  for (size_t i = 0; i + 1 < items.size(); i += 2)
    if (items[i]->kind == PickleKind::String && items[i]->text == key)
      return items[i + 1];
  return nullptr;
}

std::string describe(const PickleValue &value) {
  switch (value.kind) {
  case PickleKind::None:
    return "None";
  case PickleKind::Bool:
    return value.integer ? "True" : "False";
  case PickleKind::Integer:
    return "the integer " + itostr(value.integer);
  case PickleKind::Float:
    return "a float";
  case PickleKind::String:
    return "the string " + quote(value.text);
  case PickleKind::Bytes:
    return "bytes";
  case PickleKind::List:
    return "a list";
  case PickleKind::Tuple:
    return "a tuple";
  case PickleKind::Dict:
    return "a dict";
  case PickleKind::Global:
    return quote(value.text);
  case PickleKind::Call:
    return "a call of " + quote(value.text);
  case PickleKind::Handle:
    return "a persistent id";
  }
  llvm_unreachable("a kind");
}
} // namespace llamaweights
