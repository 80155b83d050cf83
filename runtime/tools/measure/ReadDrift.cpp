//===- ReadDrift.cpp - Whether a machine stayed the same ------------------===//

#include "runtime/tools/measure/ReadDrift.h"

#include <algorithm>
#include <cmath>

namespace llamart::tools {

double ReadDrift::getShare() const {
  return std::abs(before - after) / std::max(before, after);
}

} // namespace llamart::tools
