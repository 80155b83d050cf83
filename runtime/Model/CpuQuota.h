//===- CpuQuota.h - Time that a control group allows ------------*- C++ -*-===//

#ifndef LLAMA_RUNTIME_MODEL_CPUQUOTA_H
#define LLAMA_RUNTIME_MODEL_CPUQUOTA_H

#include <string>

namespace llamart {

/// Cores' worth of time that the control groups of this process allow: the
/// least of its own group and of those around it, of version 2 (cpu.max) and 1
/// (cpu.cfs_quota_us). Infinity if there is no limit. `root` precedes the paths
/// of /proc and of mounts: "" but in tests.
double getCpuQuota(const std::string &root = "");

} // namespace llamart

#endif // LLAMA_RUNTIME_MODEL_CPUQUOTA_H
