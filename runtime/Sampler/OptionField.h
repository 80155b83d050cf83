//===- OptionField.h - Options of samplers by name --------------*- C++ -*-===//
//
// {"top_k", &SamplerOptions::topK, 0, kMost, "the k largest"}
//   =>  a range check, a flag, a key of a JSON file
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_SAMPLER_OPTIONFIELD_H
#define LLAMA_RUNTIME_SAMPLER_OPTIONFIELD_H

#include "runtime/Error.h"

#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

namespace llamart {

/// One number of `Options`, both ends of its range included.
template <typename Options>
struct OptionField {
  using Member = std::variant<double Options::*, float Options::*,
                              int32_t Options::*, bool Options::*>;
  std::string_view name;
  Member member;
  double low = 0.0, high = 0.0;
  std::string_view text; ///< what it means, for --help

  double get(const Options &options) const {
    return std::visit([&](auto m) { return double(options.*m); }, member);
  }
  bool isWhole() const {
    return std::holds_alternative<int32_t Options::*>(member);
  }
  bool isSwitch() const {
    return std::holds_alternative<bool Options::*>(member);
  }

  /// Throws Error (Argument) if the value is out of range.
  void set(Options &options, double value) const {
    check(value);
    std::visit(
        [&](auto m) {
          using Type = std::remove_cvref_t<decltype(options.*m)>;
          options.*m = static_cast<Type>(value);
        },
        member);
  }

  void check(double value) const {
    if (!(value >= low && value <= high)) // also NaN
      throw Error(ErrorKind::Argument, "sampler: ", name, " is ", value,
                  ", expected ", low, " to ", high);
    if ((isWhole() || isSwitch()) && value != std::floor(value))
      throw Error(ErrorKind::Argument, "sampler: ", name, " is ", value,
                  ", expected a whole number");
  }
};

/// The field of that name, null if there is none.
template <typename Options>
const OptionField<Options> *
findField(std::span<const OptionField<Options>> fields, std::string_view name) {
  for (const OptionField<Options> &field : fields)
    if (field.name == name)
      return &field;
  return nullptr;
}

template <typename Options>
void checkFields(std::span<const OptionField<Options>> fields,
                 const Options &options) {
  for (const OptionField<Options> &field : fields)
    field.check(field.get(options));
}

} // namespace llamart

#endif // LLAMA_RUNTIME_SAMPLER_OPTIONFIELD_H
