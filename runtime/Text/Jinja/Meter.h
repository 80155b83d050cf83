//===- Meter.h - What a run of a template may use ---------------*- C++ -*-===//
//
// Whatever makes a string or a list says how large it is: addBytes. Counted is
// what was made, not what is left of it.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_JINJA_METER_H
#define LLAMA_RUNTIME_TEXT_JINJA_METER_H

#include <cstddef>
#include <cstdint>

namespace llamart::jinja {

/// Deepest nesting of a value, of an expression in the source and of blocks.
constexpr uint32_t kMaxNesting = 200;

struct Limits {
  uint64_t steps = 10'000'000;       ///< nodes evaluated and items visited
  uint64_t bytes = size_t(1) << 29;  ///< of all values together
  uint64_t output = size_t(1) << 26; ///< bytes of the prompt
  uint32_t depth = 700;              ///< of calls and nested blocks at run time
};

/// Counts for this thread while it lives; throws Failure at a limit. Without a
/// meter nothing is counted.
class Meter {
public:
  explicit Meter(const Limits &limits);
  ~Meter();
  Meter(const Meter &) = delete;
  Meter &operator=(const Meter &) = delete;

private:
  friend void addBytes(uint64_t);
  friend void addSteps(uint64_t);
  const Limits &limits;
  uint64_t steps = 0, bytes = 0;
  Meter *outer;
};

void addBytes(uint64_t count);
void addSteps(uint64_t count);

} // namespace llamart::jinja

#endif // LLAMA_RUNTIME_TEXT_JINJA_METER_H
