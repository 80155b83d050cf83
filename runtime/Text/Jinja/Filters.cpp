//===- Filters.cpp - x | trim, x | default(y), ... ------------------------===//

#include "runtime/Text/Jinja/Builtins.h"

#include <algorithm>

namespace llamart::jinja {

FilterFunction findFilter(std::string_view name) {
  for (auto filters :
       {getTextFilters(), getSequenceFilters(), getNumberFilters()}) {
    auto found =
        std::ranges::find(filters, name, &NamedFunction<FilterFunction>::name);
    if (found != filters.end())
      return found->function;
  }
  return nullptr;
}

} // namespace llamart::jinja
