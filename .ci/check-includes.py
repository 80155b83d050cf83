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

WEIGHTS = r"llvm/|nlohmann/"
MLIR = r"mlir/|llvm/"

# room: (rooms it may include from, libraries it may include). A room stands for
# all rooms inside of it, but to these for its own files alone.
RULES = {
    "files": ([], r"$^"),
    "weights": (["files", "weights/Quantization", "runtime/abi"], WEIGHTS),
    "weights/Quantization": (["weights", "runtime/abi"], WEIGHTS),
    "weights/Containers": (["weights", "runtime/abi"], WEIGHTS),
    "weights/Configs": (["weights", "weights/Containers"], WEIGHTS),
    "weights/Tokenizers": (["weights", "weights/Containers",
                            "runtime/abi"], WEIGHTS),
    "weights/Formats": (["files", "weights", "weights/Quantization",
                         "weights/Containers", "weights/Configs",
                         "weights/Tokenizers", "runtime/abi"], WEIGHTS),
    "weights/Writers": (["files", "weights", "weights/Quantization",
                         "weights/Containers", "weights/Configs",
                         "weights/Tokenizers", "weights/Formats"], WEIGHTS),
    # `tokenize` shows what a compiled model is given, so it goes the same way.
    "weights/tools": (["files", "weights", "weights/Quantization",
                       "weights/Containers", "weights/Configs",
                       "weights/Tokenizers", "weights/Formats",
                       "weights/Writers", "compiler/Output",
                       "runtime/Error.h", "runtime/Text"], WEIGHTS),
    "dialects/Llama": (["runtime/abi"], MLIR),
    "dialects/Kernel": (["dialects/Llama", "runtime/abi"], MLIR),
    "compiler": ([], MLIR),
    "compiler/Machine": (["dialects"], MLIR),
    "compiler/Frontend": (["dialects", "weights", "runtime/abi"], MLIR),
    "compiler/Transforms": (["dialects"], MLIR),
    "compiler/Placement": (["dialects"], MLIR),
    "compiler/CPU": (["dialects"], MLIR),
    "compiler/CPU/Conversion": (["dialects", "compiler/Placement"], MLIR),
    "compiler/CPU/Schedule": (["dialects", "compiler/CPU",
                               "compiler/Machine"], MLIR),
    "compiler/CPU/Tiling": (["dialects", "compiler/CPU"], MLIR),
    "compiler/CPU/Kernels": (["dialects", "compiler/CPU"], MLIR),
    "compiler/CPU/Threads": (["dialects", "compiler/CPU", "compiler/Placement",
                              "runtime/abi"], MLIR),
    "compiler/CPU/Lowering": (["dialects", "compiler/CPU"], MLIR),
    "compiler/Pipelines": (["dialects", "compiler/CPU", "compiler/Machine",
                            "compiler/Placement", "compiler/Transforms"], MLIR),
    "compiler/Output": (["dialects", "weights", "compiler/Machine",
                         "runtime/abi"], MLIR + r"|lld/|nlohmann/"),
    "compiler/Driver": (["dialects", "files", "weights", "compiler/CPU/Schedule",
                         "compiler/Frontend", "compiler/Machine",
                         "compiler/Output", "compiler/Pipelines",
                         "runtime/Text/Jinja"],
                        MLIR + r"|nlohmann/"),
    "compiler/tools": (["files", "weights", "compiler/Driver", "compiler/Output",
                        "compiler/Pipelines"], MLIR),
    "runtime": ([], r"$^"),
    "runtime/Error.h": ([], r"$^"),
    "runtime/abi": ([], r"nlohmann/"),
    "runtime/include": ([], r"llamart/"),
    "runtime/Text": ([], r"$^"),
    "runtime/Text/Tokenizer": (["runtime/abi", "runtime/Error.h"],
                               r"pcre2|utf8proc"),
    "runtime/Text/Jinja": (["runtime/Error.h"], r"nlohmann/"),
    "runtime/Text/ChatTemplate": (["runtime/Error.h", "runtime/Text/Jinja",
                                   "runtime/Text/Tokenizer"], r"nlohmann/"),
    "runtime/Sampler": (["runtime/Error.h", "runtime/Text"], r"nlohmann/"),
    "runtime/Model": (["runtime/abi", "runtime/Error.h", "runtime/Text"],
                      r"nlohmann/"),
    "runtime/Engine": (["runtime/abi", "runtime/Error.h", "runtime/Model",
                        "runtime/Sampler"], r"$^"),
    "runtime/Generate": (["runtime/Error.h", "runtime/Engine", "runtime/Model",
                          "runtime/Sampler", "runtime/Text"], r"$^"),
    "runtime/CInterface": (["runtime/include", "runtime/abi", "runtime/Error.h",
                            "runtime/Engine", "runtime/Generate",
                            "runtime/Model", "runtime/Sampler",
                            "runtime/Text"], r"$^"),
    "runtime/tools/NearestOption.h": ([], r"CLI/"),
    "runtime/tools/Precompiled.h": ([], r"nlohmann/|CLI/"),
    "runtime/tools/ModelFiles.h": (["files", "runtime/CInterface"], r"llamart/"),
    "runtime/tools/generate": (["files", "runtime/abi", "runtime/CInterface",
                                "runtime/Error.h", "runtime/Sampler",
                                "runtime/Text",
                                "runtime/tools/ModelFiles.h",
                                "runtime/tools/NearestOption.h"],
                               r"nlohmann/|CLI/|llamart/"),
    "runtime/tools/measure": (["files", "runtime/CInterface", "runtime/Engine",
                               "runtime/Model", "runtime/Sampler",
                               "runtime/tools/ModelFiles.h",
                               "runtime/tools/NearestOption.h"],
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
    return other == room or any(
        other == known or (is_inside(other, known) and not is_inside(room, known))
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
        if name.split("/")[0] in {"files", "weights", "dialects", "compiler",
                                  "runtime", "test"}:
            other = room_of(name)
            if not may_include(room, other):
                errors.append(f"{where}{room} may not include {name}, of {other}")
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
