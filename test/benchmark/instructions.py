"""Which instructions a llama.cpp was built for, and which --mcpu allows.

Both as llama.cpp calls them in what `llama_print_system_info` returns: "AVX2 = 1 | AVX512 = 1 | ...".
"""

import platform

# How llama.cpp is built for a processor of --mcpu.
CMAKE_ARGS = {"native": "-DGGML_NATIVE=ON", "x86-64-v3": "-DGGML_NATIVE=OFF",
              "x86-64-v4": "-DGGML_NATIVE=OFF -DGGML_AVX512=ON"}

# llama.cpp's word => that of /proc/cpuinfo.
FEATURES = {"SSE3": "pni", "SSSE3": "ssse3", "AVX": "avx", "AVX2": "avx2", "F16C": "f16c", "FMA": "fma", "BMI2": "bmi2",
            "AVX512": "avx512f", "AVX512_VBMI": "avx512vbmi", "AVX512_VNNI": "avx512_vnni",
            "AVX512_BF16": "avx512_bf16", "AVX_VNNI": "avx_vnni", "AMX_INT8": "amx_int8"}
V3 = {"SSE3", "SSSE3", "AVX", "AVX2", "F16C", "FMA", "BMI2"}
LEVELS = {"x86-64-v3": V3, "x86-64-v4": V3 | {"AVX512"}}


def get_allowed(mcpu):
    """Those of --mcpu; of `native`, those of this processor."""
    if mcpu in LEVELS:
        return LEVELS[mcpu]
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        flags = next(line for line in file if line.startswith("flags")).split()
    return {name for name, flag in FEATURES.items() if flag in flags}


def explain_difference(info, mcpu):
    """Why a llama.cpp that says `info` is not built for --mcpu; "" if it is, or if this is no x86-64."""
    if platform.machine() != "x86_64":
        return ""
    found = {name for name in FEATURES if f" {name} = 1 " in f" {info} "}
    allowed = get_allowed(mcpu)
    for wrong, word in ((found - allowed, "has"), (allowed - found, "lacks")):
        if wrong:
            return f"expected a llama.cpp built for {mcpu}, found one that {word} {', '.join(sorted(wrong))}"
    return ""
