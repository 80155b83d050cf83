// What most files of this folder include from libraries, compiled once for all of
// them. A file still includes what it uses.
#ifndef LLAMA_TEST_RUNTIME_PRECOMPILED_H
#define LLAMA_TEST_RUNTIME_PRECOMPILED_H

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#endif
