// What most files of the tools include from libraries, compiled once for all of
// them. A file still includes what it uses.
#ifndef LLAMA_RUNTIME_TOOLS_PRECOMPILED_H
#define LLAMA_RUNTIME_TOOLS_PRECOMPILED_H

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#endif
