//===- Meter.cpp - What a run of a template may use -----------------------===//

#include "runtime/Text/Jinja/Meter.h"

#include "runtime/Text/Jinja/TemplateError.h"

namespace llamart::jinja {

static thread_local Meter *current = nullptr;

Meter::Meter(const Limits &limits) : limits(limits), outer(current) {
  current = this;
}

Meter::~Meter() { current = outer; }

void addBytes(uint64_t count) {
  if (!current)
    return;
  if (count > current->limits.bytes - current->bytes)
    fail("expected values of at most ", current->limits.bytes,
         " bytes together, found more");
  current->bytes += count;
}

void addSteps(uint64_t count) {
  if (!current)
    return;
  if (count > current->limits.steps - current->steps)
    fail("expected an end after at most ", current->limits.steps,
         " steps, found none");
  current->steps += count;
}

} // namespace llamart::jinja
