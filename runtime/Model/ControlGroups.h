//===- ControlGroups.h - The groups that limit this process -----*- C++ -*-===//

#ifndef LLAMA_RUNTIME_MODEL_CONTROLGROUPS_H
#define LLAMA_RUNTIME_MODEL_CONTROLGROUPS_H

#include <functional>
#include <string>

namespace llamart {

/// Calls `visit` with the folder of every control group that a controller
/// ("cpu", "memory") may limit this process by: its own group and those around
/// it, of version 2 and 1. Folders may not exist. `root` precedes the paths of
/// /proc and of mounts: "" but in tests.
void visitControlGroups(const std::string &root, const std::string &controller,
                        const std::function<void(const std::string &folder,
                                                 bool isVersion2)> &visit);

} // namespace llamart

#endif // LLAMA_RUNTIME_MODEL_CONTROLGROUPS_H
