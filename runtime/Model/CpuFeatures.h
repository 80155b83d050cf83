//===- CpuFeatures.h - What a model asks of the CPU -------------*- C++ -*-===//
//
// {"avx2", "avx512f", "amx-tile"} against CPUID and what the kernel saves,
// {"dotprod", "bf16"} against what the kernel of an aarch64 machine says.
//
// Names are LLVM's. Only features a compiler can use in the code of a model are
// compared; names such as "clzero" or "shstk" are known and ignored.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_MODEL_CPUFEATURES_H
#define LLAMA_RUNTIME_MODEL_CPUFEATURES_H

#include "runtime/abi/ModelInfo.h"

#include <string>
#include <string_view>
#include <vector>

namespace llamart {

enum class CpuFeature : unsigned char { Present, Missing, Ignored, Unknown };

/// What this CPU, under this kernel, says about one feature.
CpuFeature queryCpuFeature(std::string_view name);

/// Throws Error(Model) "PATH: built for CPU name, this machine (its name) lacks
/// b" unless every feature is present or ignored. Asks the kernel for the use
/// of AMX tiles if the list needs them.
void requireCpuFeatures(const std::string &path, const std::string &cpu,
                        const std::vector<std::string> &features);

/// The first of a model's variants that this machine runs. If there is none,
/// throws what the last, which asks for least, lacks.
const llamaabi::CodeVariant &
chooseVariant(const std::string &path,
              const std::vector<llamaabi::CodeVariant> &variants);

/// Asks the kernel for the use of AMX tiles in this process: they are off until
/// then. False if it refuses, or where there are none.
bool requestTiles();

/// The name the CPU gives itself; on aarch64 the numbers of its kind.
std::string getCpuName();

} // namespace llamart

#endif // LLAMA_RUNTIME_MODEL_CPUFEATURES_H
