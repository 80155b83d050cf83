#!/usr/bin/env python3
"""Checks every #include against the table of include rules.

A file belongs to the room with the longest name that begins its path. It may
include its own room's headers, those of the rooms named for it here with all
that is inside them, and the libraries named for it; only a tool includes from
a tools/ folder. Also refuses names for files and folders that say nothing.
"""
import re
import subprocess
import sys

# room: (rooms it may include from, libraries it may include)
RULES = {
    "weights": (["runtime/abi"], r"llvm/|nlohmann/|zip\.h"),
    "dialects": ([], r"mlir/|llvm/"),
    "compiler": (["dialects", "weights", "runtime/abi"],
                 r"mlir/|llvm/|lld/|nlohmann/"),
    "runtime": ([], r"$^"),
    "runtime/Error.h": ([], r"$^"),
    "runtime/abi": ([], r"$^"),
    "runtime/include": ([], r"llamart/"),
    "runtime/Text": (["runtime/abi", "runtime/Error.h"],
                     r"sentencepiece|pcre2"),
    "runtime/Sampler": (["runtime/Error.h", "runtime/Text"], r"nlohmann/"),
    "runtime/Model": (["runtime/abi", "runtime/Error.h", "runtime/Text"],
                      r"nlohmann/"),
    "runtime/Engine": (["runtime/abi", "runtime/Error.h", "runtime/Model",
                        "runtime/Sampler"], r"$^"),
    "runtime/Generate": (["runtime/Error.h", "runtime/Engine", "runtime/Model",
                          "runtime/Sampler", "runtime/Text"], r"$^"),
    "runtime/CInterface": (["runtime/include", "runtime/Error.h",
                            "runtime/Engine", "runtime/Generate",
                            "runtime/Model", "runtime/Sampler",
                            "runtime/Text"], r"$^"),
    "runtime/tools/generate": (["runtime/abi", "runtime/CInterface",
                                "runtime/Sampler", "runtime/Text"],
                               r"nlohmann/|CLI/|llamart/"),
    "runtime/tools/measure": (["runtime/CInterface", "runtime/Engine",
                               "runtime/Model", "runtime/Sampler"],
                              r"nlohmann/|CLI/|llamart/"),
}
SYSTEM = re.compile(r"^(sys|linux|asm)/|^[a-z0-9_]+(\.h)?$")
FORBIDDEN = re.compile(r"(^|/)(utils?|common|helpers?|misc|support|base)(\.|/|$)",
                       re.IGNORECASE)


def is_inside(path, room):
    return path == room or path.startswith(room + "/")


def room_of(path):
    """The longest key of RULES that the path is inside of, or its top folder."""
    rooms = [room for room in RULES if is_inside(path, room)]
    return max(rooms, key=len, default=path.split("/")[0])


def may_include(room, other):
    return other == room or any(is_inside(other, known)
                                for known in RULES[room][0])


def check(path, errors):
    room = room_of(path)
    libraries = RULES[room][1]
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        match = re.match(r'\s*#\s*include\s+(<([^>]+)>|"([^"]+)")', line)
        if not match:
            continue
        name = match.group(2) or match.group(3)
        where = f"{path}:{number}: "
        if name.split("/")[0] in {"weights", "dialects", "compiler", "runtime",
                                  "test"}:
            other = room_of(name)
            if not may_include(room, other):
                errors.append(f"{where}{room} may not include {name}, of {other}")
            cpu_gpu = {("compiler/CPU/", "compiler/GPU/"),
                       ("compiler/GPU/", "compiler/CPU/")}
            for here, there in cpu_gpu:
                if path.startswith(here) and name.startswith(there):
                    errors.append(f"{where}CPU and GPU may not include each other")
            if "/tools/" in name and "/tools/" not in path:
                errors.append(f"{where}only a tool includes from tools/: {name}")
        elif not SYSTEM.match(name) and not re.match(libraries, name):
            errors.append(f"{where}{room} may not include {name}")


def main():
    files = subprocess.run(["git", "ls-files"], capture_output=True, text=True,
                           check=True).stdout.split()
    errors = []
    for path in files:
        if FORBIDDEN.search(path):
            errors.append(f"{path}: a name that says nothing")
        if path.endswith((".h", ".cpp", ".c", ".hpp")) and room_of(path) in RULES:
            check(path, errors)
    print("\n".join(errors))
    return 1 if errors else 0


sys.exit(main())
