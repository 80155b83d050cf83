// What most files of the runtime include from libraries, compiled once for all of
// them. A file still includes what it uses.
#ifndef LLAMA_RUNTIME_PRECOMPILED_H
#define LLAMA_RUNTIME_PRECOMPILED_H

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
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#endif
