"""Finds the tests that belong to a file or a folder: ./dev test PATH.

    compiler/CPU/Tiling/tile-matmuls.mlir   a test of lit, with test/ before it or not
    runtime/KVCacheTest                 a GoogleTest source, with .cpp or not
    weights/tools/llama-weights.py      a test in Python
    compiler/CPU/Tiling/TileMatmuls.cpp     a source file: tile-matmuls.mlir, .test or TileMatmulsTest.cpp,
                                        at its path in test/, else in its room there
    test/integration/greedy.py          what tests are made of: the tests that name it
    compiler/CPU                        a folder: all that is in that of this name in test/

All of it is read off the files and the build folder; no list is kept.
"""

import difflib
import functools
import json
import os
import re
import shlex
from pathlib import Path
from typing import NamedTuple

from results import BUILD, ROOT

TEST = Path(ROOT) / "test"
LIT = (".mlir", ".test")
SOURCES = (".cpp", ".h", ".c", ".td", ".def")


@functools.cache
def read(path):
    return path.read_text(encoding="utf-8", errors="replace")


@functools.cache
def get_parts(path):
    """The test itself, and the scripts and pages that it names or imports."""
    parts, wanted = [], [path]
    while wanted:
        path = wanted.pop()
        parts.append(path)
        names = re.findall(r"[\w-]+\.(?:py|md)\b", read(path))
        if path.suffix == ".py":
            names += [f"{name}.py" for name in re.findall(r"^\s*(?:import|from) (\w+)", read(path), re.MULTILINE)]
        folders = [path.parent, path.parent / "Inputs", path.parent.parent, TEST / "integration", Path(ROOT)]
        found = [next((f / name for f in folders if (f / name).is_file()), None) for name in names]
        # What runs the tests names every program.
        found = [f for f in found if f and not (f.parent == TEST and f.suffix == ".py")]
        wanted += [f for f in dict.fromkeys(found) if f not in parts and f not in wanted]
    return parts


def read_parts(path):
    return "\n".join(map(read, get_parts(path)))


@functools.cache
def kind(path):
    """"lit", "googletest", "unittest", "checklist", or "" for a file that is not a test."""
    if "Inputs" in path.parts:
        return ""
    if path.suffix in LIT:
        return "lit"
    if path.suffix == ".cpp":
        return "googletest" if get_cases(path) else ""
    if path.suffix != ".py" or path.parent == TEST or "__main__" not in read(path):
        return ""
    text = read_parts(path)
    return "unittest" if "unittest.main" in text else "checklist" if "'ok  ' if" in text else ""


def get_cases(path):
    """What --gtest_filter calls the tests of a file."""
    cases = re.findall(r"^(?:TYPED_)?TEST(_F|_P|)\(\s*(\w+),\s*(\w+)\)", read(path), re.MULTILINE)
    return [f"*/{suite}.{name}/*" if form == "_P" else f"{suite}.{name}" for form, suite, name in cases]


def list_tests(folder=TEST):
    """Path => kind."""
    found = {path: kind(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    return {path: of for path, of in found.items() if of}


# --- from a word to tests ---------------------------------------------------

def to_kebab_case(name):
    """FuseQKV: fuse-qkv; TileMatmuls: tile-matmuls."""
    return "-".join(re.findall(r"[A-Z]+[0-9]*(?![a-z])|[A-Z]?[a-z0-9]+", name)).lower()


def of_source(path):
    """Tests of a source file: at its path, else in its room."""
    stem = path.stem
    names = {f"{stem}Test.cpp", *(name + suffix for name in (stem, to_kebab_case(stem)) for suffix in LIT)}
    names.add(f"{stem}.py")
    inner = path.parent.relative_to(ROOT)
    for folder in (TEST / inner, TEST / inner.parts[0]) if inner.parts else ():
        found = [f for f in list_tests(folder) if f.name in names] if folder.is_dir() else []
        if found:
            return found
    return []


def of_part(path):
    """Tests that use a script, or name a file, which is not a test itself."""
    name = re.compile(rf"(^|[/\s]){re.escape(path.name)}\b", re.MULTILINE)
    return [test for test, of in list_tests().items()
            if of != "googletest" and (path in get_parts(test) or name.search(read_parts(test)))]


def find(word):
    """Paths of tests; none if nothing is known by that word."""
    word = os.path.relpath(word, ROOT) if os.path.isabs(word) else os.path.normpath(word)
    inner = word.removeprefix("test/") if word != "test" else "."
    if (TEST / inner).is_dir():
        return list(list_tests(TEST / inner))
    for suffix in ("", *LIT, ".cpp", ".py"):
        path = TEST / (inner + suffix)
        if path.is_file():
            return [path] if kind(path) else of_part(path)
    path = Path(ROOT) / word
    return of_source(path) if path.is_file() and path.suffix in SOURCES else []


def nearest(word):
    names = [str(path.relative_to(TEST)) for path in list_tests()]
    by_name = {}
    for name in names:
        by_name.setdefault(os.path.basename(name), []).append(name)
    wanted = to_kebab_case(Path(word).stem) if word.endswith(SOURCES) else os.path.basename(word)
    close = [name for found in difflib.get_close_matches(wanted, by_name, 2, 0.6) for name in by_name[found]]
    close += difflib.get_close_matches(word, names, 2, 0.5)
    return list(dict.fromkeys(close))[:3]


# --- from tests to what they need -------------------------------------------

class Target(NamedTuple):
    name: str
    output: str
    objects: str
    is_module: bool


def list_targets():
    """Programs, and libraries that are loaded, of the build folder."""
    rule = re.compile(r"^build (\S+): CX?X?_(EXECUTABLE|MODULE_LIBRARY)_LINKER__(\S+)_[A-Za-z]+ ([^|\n]*)", re.MULTILINE)
    return [Target(name, output, objects, of == "MODULE_LIBRARY")
            for output, of, name, objects in rule.findall(read(Path(BUILD) / "build.ninja"))]


def find_program(source):
    """The target that a GoogleTest source is compiled into."""
    for command in json.loads(read(Path(BUILD) / "compile_commands.json")):
        if command["file"] == str(source):
            words = shlex.split(command["command"])
            made = words[words.index("-o") + 1]
            return next((t for t in list_targets() if made in t.objects.split()), None)
    return None


def find_needed(tests):
    """Names of the targets that tests of lit and in Python use."""
    words = set()
    for path in tests:
        words.update(re.findall(r"[\w-]+", read_parts(path).replace("%compile", "llama-compile")))
    # One of the models that a script loads is called as it says, the others by a longer name.
    return [t.name for t in list_targets()
            if t.name in words or (t.is_module and Path(t.output).stem.split("-")[0] in words)]
