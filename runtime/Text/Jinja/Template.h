//===- Template.h - A chat template, parsed and ready to run ----*- C++ -*-===//
//
// "{{ bos_token }}Hi {{ name }}"  with {"name": "Ann"}  =>  "<s>Hi Ann"
//
// Jinja2 3.1 with the settings of transformers. A run reaches nothing but its
// variables and the time it is given, and ends by its limits (Meter.h).
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_JINJA_TEMPLATE_H
#define LLAMA_RUNTIME_TEXT_JINJA_TEMPLATE_H

#include "runtime/Text/Jinja/Meter.h"
#include "runtime/Text/Jinja/Value.h"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace llamart::jinja {

class Template {
public:
  /// Throws TemplateError with the line and the column.
  static Template parse(std::string_view source);
  ~Template();
  Template(Template &&) noexcept;
  Template &operator=(Template &&) noexcept;

  /// The prompt, with the origin of each byte. `now` is what strftime_now
  /// shows. Throws TemplateError. Any number of threads may call this.
  Text render(const DictObject &variables, std::chrono::local_seconds now,
              const Limits &limits = {}) const;

private:
  struct Program;
  explicit Template(std::unique_ptr<Program> program);
  std::unique_ptr<Program> program;
};

} // namespace llamart::jinja

#endif // LLAMA_RUNTIME_TEXT_JINJA_TEMPLATE_H
