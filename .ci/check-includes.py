#!/usr/bin/env python3
"""Checks every #include against the table of who may know whom.

A room may include its own headers, those of the rooms named for it here, and
the libraries named for it here; nobody includes from a tools/ folder but the
tool itself. A file's room is the longest key of RULES that its path begins
with. Also refuses names for files and folders that say nothing.
"""
import re
import subprocess
import sys

WEIGHTS = r"llvm/|nlohmann/"

# room: (rooms it may know, libraries it may know). A room with rooms inside
# stands for all of them, but not to one of these.
RULES = {
    "weights": (["weights/Quantization"], WEIGHTS),
    "weights/Quantization": (["weights"], WEIGHTS),
    "weights/Containers": (["weights"], WEIGHTS),
    "weights/Configs": (["weights", "weights/Containers"], WEIGHTS),
    "weights/Tokenizers": (["weights", "weights/Containers"], WEIGHTS),
    "weights/Formats": (["weights", "weights/Quantization",
                         "weights/Containers", "weights/Configs",
                         "weights/Tokenizers", "runtime/abi"], WEIGHTS),
    "weights/Writers": (["weights", "weights/Quantization",
                         "weights/Containers", "weights/Configs",
                         "weights/Tokenizers", "weights/Formats"], WEIGHTS),
    "weights/tools": (["weights", "weights/Quantization",
                       "weights/Containers", "weights/Configs",
                       "weights/Tokenizers", "weights/Formats",
                       "weights/Writers"], WEIGHTS),
    "dialects": ([], r"mlir/|llvm/"),
    "compiler": (["dialects", "weights", "runtime/abi"],
                 r"mlir/|llvm/|lld/|nlohmann/"),
    "runtime": (["runtime/abi"], r"nlohmann/|sentencepiece|pcre2|CLI/|llamart/"),
    "runtime/abi": ([], r"$^"),
}
SYSTEM = re.compile(r"^(sys|linux|asm)/|^[a-z0-9_]+(\.h)?$")
FORBIDDEN = re.compile(r"(^|/)(utils?|common|helpers?|misc|support|base)(\.|/|$)",
                       re.IGNORECASE)


def room_of(path):
    """The longest key of RULES that is a folder of the path, or None."""
    return max((room for room in RULES if path.startswith(room + "/")),
               key=len, default=None)


def may_know(room, other):
    rooms = RULES[room][0]
    top = other.split("/")[0]
    return (other == room or other in rooms
            or (top in rooms and top != room.split("/")[0]))


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
            if other is None or not may_know(room, other):
                errors.append(f"{where}{room} must not know {other or 'it'}: {name}")
            cpu_gpu = {("compiler/CPU/", "compiler/GPU/"),
                       ("compiler/GPU/", "compiler/CPU/")}
            for here, there in cpu_gpu:
                if path.startswith(here) and name.startswith(there):
                    errors.append(f"{where}CPU and GPU do not know each other")
            if "/tools/" in name and "/tools/" not in path:
                errors.append(f"{where}only a tool includes from tools/: {name}")
        elif not SYSTEM.match(name) and not re.match(libraries, name):
            errors.append(f"{where}{room} must not know {name}")


def main():
    files = subprocess.run(["git", "ls-files"], capture_output=True, text=True,
                           check=True).stdout.split()
    errors = []
    for path in files:
        if FORBIDDEN.search(path):
            errors.append(f"{path}: a name that says nothing")
        if path.endswith((".h", ".cpp", ".c", ".hpp")) and room_of(path):
            check(path, errors)
    print("\n".join(errors))
    return 1 if errors else 0


sys.exit(main())
