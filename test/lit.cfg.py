# Configuration of the lit suite: see test/README.md.
import os
import sys

import lit.formats

config.name = "llama-compile"
config.test_format = lit.formats.ShTest(execute_external=False)
config.test_source_root = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(config.test_source_root)
build = os.environ.get("LLAMA_BUILD", os.path.join(root, "build"))
config.test_exec_root = os.path.join(build, "test")
sanitized = os.path.basename(build) == "build-asan"

# ./dev test quick: ops and passes alone.
quick = "quick" in lit_config.params
config.suffixes = [".mlir"] if quick else [".mlir", ".test"]
# emulated/ needs a build of its own; it is a suite of its own.
config.excludes = ["Inputs", "fuzz", "benchmark", "reference", "emulated"]
if sanitized:
    # These look at generated code or at what it computes, and it has no sanitizer
    # in it: docs/testing.md says what reaches the rest.
    config.excludes += ["kernels", "hashes", "shapes", "amx.test", "attention.test", "elf.test",
                        "emit-object.test", "emit-object-aarch64.test", "int8-cache.test", "kept.test",
                        "dealt.test", "linked.test", "load.test", "long-rope.test", "model-facts.test",
                        "quantized.test", "stories.test", "readme.test"]

config.environment["PATH"] = os.pathsep.join(
    [os.path.join(build, "bin"), "/usr/lib/llvm-22/bin", os.environ["PATH"]])
config.environment["PYTHONDONTWRITEBYTECODE"] = "1"
for name in ["HOME", "LLAMA_TEST_DATA", "ASAN_OPTIONS", "UBSAN_OPTIONS"]:
    if name in os.environ:
        config.environment[name] = os.environ[name]
if sanitized:
    # LLVM's allocator poisons what it has not handed out yet, in our code alone:
    # its libraries, built without sanitizers, would hand it out still poisoned.
    options = [os.environ.get("ASAN_OPTIONS", ""), "allow_user_poisoning=0"]
    config.environment["ASAN_OPTIONS"] = ":".join(filter(None, options))

# A test that names one of these with REQUIRES is reported as unsupported, not
# passed, where it is absent.
huge_pages = "/sys/kernel/mm/transparent_hugepage/enabled"
if os.path.exists(huge_pages):
    with open(huge_pages) as choice:
        if "[never]" not in choice.read():
            config.available_features.add("huge-pages")
if os.path.isdir(os.environ.get("LLAMA_TEST_DATA", "")):
    config.available_features.add("data")
with open("/proc/cpuinfo") as cpuinfo:
    flags = cpuinfo.read().split()
for flag in ["avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16"]:
    if flag in flags:
        config.available_features.add(flag)

config.substitutions += [
    ("%python", sys.executable),
    ("%root", root),
    ("%build", build),
    # Generated code is the same under sanitizers, and slow to run there.
    ("%short", "--short" if sanitized else ""),
    ("%models", os.path.join(config.test_exec_root, "models")),
    ("%data", os.environ.get("LLAMA_TEST_DATA", "/nonexistent")),
]
