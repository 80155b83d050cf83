"""What kind of ELF file a model.so is.

    python elf.py MODEL.so

readelf has nothing to complain about; the weights are a section .lrodata, and the
hashes of tensors one .rodata.hashes, with contents, inside a segment that may only
be read; every undefined symbol is one of libc's. llvm-readelf and llvm-nm are asked, too: they are stricter.
"""

import ctypes
import re
import subprocess
import sys


def read(*command):
    """stdout of a tool that must succeed and say nothing on stderr."""
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0 or result.stderr:
        raise SystemExit(f"FAILED: {' '.join(command)}: exit code {result.returncode}, {result.stderr.strip()}")
    return result.stdout


def sections(text):
    """name -> (type, address, size, flags)"""
    pattern = r"^\s*\[ *\d+\] (\S+) +([A-Z_]+) +([0-9a-f]+) [0-9a-f]+ ([0-9a-f]+) [0-9a-f]+ +([A-Za-z]*) "
    return {name: (kind, int(address, 16), int(size, 16), flags)
            for name, kind, address, size, flags in re.findall(pattern, text, re.MULTILINE)}


def segments(text):
    """of LOAD segments: (address, bytes in the file, bytes in memory, rights)"""
    pattern = r"^\s*LOAD +0x[0-9a-f]+ 0x([0-9a-f]+) 0x[0-9a-f]+ 0x([0-9a-f]+) 0x([0-9a-f]+) ([RWE ]{3}) 0x"
    return [(int(address, 16), int(file, 16), int(memory, 16), rights.replace(" ", ""))
            for address, file, memory, rights in re.findall(pattern, text, re.MULTILINE)]


def check_constant(text, name, flag):
    """A section with contents that may only be read, as its segment; its flags contain `flag`."""
    kind, address, size, flags = sections(text)[name]
    assert kind == "PROGBITS" and size > 0, f"{name} is {kind} of {size} bytes"
    assert "A" in flags and flag in flags and not set(flags) & set("WX"), f"{name} has flags {flags}"
    holders = [s for s in segments(text) if s[0] <= address and address + size <= s[0] + s[1]]
    assert len(holders) == 1 and holders[0][3] == "R", f"segments of {name}: {holders}"


def check_sections(text):
    check_constant(text, ".lrodata", "l")
    check_constant(text, ".rodata.hashes", "A")
    assert sections(text)[".rodata.hashes"][2] % 32 == 0
    assert not any({"W", "E"} <= set(s[3]) for s in segments(text)), "a segment can be written and run"


def check_symbols(model):
    libc = ctypes.CDLL(None)
    undefined = [line.split()[-1] for line in read("nm", "-D", "--undefined-only", model).splitlines()]
    unknown = [name for name in undefined if not hasattr(libc, name.split("@")[0])]
    assert not unknown, f"undefined symbols that libc does not have: {unknown}"
    defined = {line.split()[-1] for line in read("nm", "-D", "--defined-only", model).splitlines()}
    expected = {"llama_header", "llama_info", "llama_hashes", "llama_forward", "llama_workspace_bytes"}
    assert expected <= defined, f"expected {expected}, found {defined}"
    assert all(name.startswith("llama_") for name in defined), f"exported: {defined}"
    for line in read("llvm-nm", "-D", model).splitlines():
        assert line.split()[-1] in defined | set(undefined), line


def main():
    model = sys.argv[1]
    try:
        check_sections(read("readelf", "-lSW", model))
        check_sections(read("llvm-readelf", "-lSW", model))
        check_symbols(model)
    except AssertionError as error:
        raise SystemExit(f"FAILED: {model}: {error}") from None


if __name__ == "__main__":
    main()
