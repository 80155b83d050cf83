//===- ProfileReport.h - Where a model's time goes --------------*- C++ -*-===//
//
// One line for every fused op, in the order in which they run; with layers, one
// for every op and layer. All per forward call.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TOOLS_MEASURE_PROFILEREPORT_H
#define LLAMA_RUNTIME_TOOLS_MEASURE_PROFILEREPORT_H

#include "runtime/tools/measure/Speed.h"

#include <nlohmann/json_fwd.hpp>

namespace llamart::tools {

/// On standard output.
void printProfile(const Measured &line, bool byLayers);

nlohmann::ordered_json describeProfile(const Measured &line, bool byLayers);

} // namespace llamart::tools

#endif // LLAMA_RUNTIME_TOOLS_MEASURE_PROFILEREPORT_H
