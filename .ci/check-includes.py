#!/usr/bin/env python3
"""Checks every #include against the table of who may know whom.

A room may include its own headers, those of the rooms named for it here, and
the libraries named for it here; nobody includes from a tools/ folder but the
tool itself. Also refuses names for files and folders that say nothing.
"""
import re
import subprocess
import sys

# room: (rooms it may know, libraries it may know)
RULES = {
    "weights": (["runtime/abi"], r"llvm/|nlohmann/|zip\.h"),
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
    if path.startswith("runtime/abi/"):
        return "runtime/abi"
    return path.split("/")[0]


def check(path, errors):
    room = room_of(path)
    rooms, libraries = RULES[room]
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        match = re.match(r'\s*#\s*include\s+(<([^>]+)>|"([^"]+)")', line)
        if not match:
            continue
        name = match.group(2) or match.group(3)
        where = f"{path}:{number}: "
        if name.split("/")[0] in {"weights", "dialects", "compiler", "runtime",
                                  "test"}:
            other = room_of(name)
            if other != room and other not in rooms:
                errors.append(f"{where}{room} must not know {other}: {name}")
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
        if path.endswith((".h", ".cpp", ".c", ".hpp")) and room_of(path) in RULES:
            check(path, errors)
    print("\n".join(errors))
    return 1 if errors else 0


sys.exit(main())
