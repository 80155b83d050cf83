"""Prints one line for each innermost loop of assembly that multiplies vectors.

    python inner-loops.py model.s
    16 products of zmm, 9 loads, 0 on the stack              x86-64
    8 fmla, 9 loads, 0 of halves, 0 on the stack             aarch64

What is counted is said in a table for each machine; what is on the stack is a spill.
"""

import re
import sys
from typing import NamedTuple


class Machine(NamedTuple):
    branch: str  # to a label
    products: dict[str, str]  # name => an instruction
    loads: dict[str, tuple[str, str]]  # name => where an instruction says what it loads; one of these
    stack: str  # an operand


X86_64 = Machine(
    branch=r"\tj\w+\t(\.LBB\w+)",
    products={f"products of {registers}": rf"\tvfmadd(?:231|213)ps\t.*%{registers}" for registers in ("xmm", "ymm", "zmm")}
    | {name: rf"\t{name}\t" for name in ("vdpbf16ps", "vpdpbusd", "vpmaddubsw", "vpmaddwd")},
    loads={"loads": (r"\tvmov(?:dqu|dqu64|ups)\t(.*\().*, %[yz]mm", r"\(")},
    stack=r"%r[sb]p",
)

AARCH64 = Machine(
    branch=r"\t(?:b\.\w+|b|cbn?z|tbn?z)\t.*?(\.LBB\w+)$",
    products={name: rf"\t{name}2?\t" for name in ("fmla", "bfdot", "sdot", "usdot", "smull")},
    loads={name: (r"\tld(?:u?r|p)\t((?:[qd]\d+, )+)", kind) for name, kind in (("loads", "q"), ("of halves", "d"))},
    stack=r"\[sp\b",
)


def innermost_loops(lines, branch):
    """Bodies between a label and a branch back to it with no label in between."""
    label, start = None, 0
    for number, line in enumerate(lines):
        if found := re.match(r"(\.LBB\w+):", line):
            label, start = found.group(1), number + 1
        elif (found := re.match(branch, line)) and found.group(1) == label:
            yield lines[start : number + 1]


def count_loads(body, where, kind):
    loads = filter(None, (re.match(where, line) for line in body))
    return sum(len(re.findall(kind, load.group(1))) for load in loads)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    machine = X86_64 if "%rsp" in text else AARCH64
    for body in innermost_loops(text.splitlines(), machine.branch):
        products = {name: sum(re.match(pattern, line) is not None for line in body)
                    for name, pattern in machine.products.items()}
        if not any(products.values()):
            continue
        counts = [f"{count} {name}" for name, count in products.items() if count]
        counts += [f"{count_loads(body, *patterns)} {name}" for name, patterns in machine.loads.items()]
        stack = sum(re.search(machine.stack, line) is not None for line in body)
        print(f"{', '.join(counts)}, {stack} on the stack")


if __name__ == "__main__":
    main()
