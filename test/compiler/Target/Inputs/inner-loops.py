"""Prints one line for each innermost loop of x86-64 assembly that multiplies vectors.

    python inner-loops.py model.s
    8 products of zmm, 9 widening loads, 0 on the stack

`products` are vfmadd231ps, `widening loads` vpmovzxwd from memory, which brings
bf16, and what is `on the stack` names %rsp or %rbp: a spill.
"""

import re
import sys


def innermost_loops(lines):
    """Bodies between a label and a jump back to it with no label in between."""
    label, start = None, 0
    for number, line in enumerate(lines):
        if found := re.match(r"(\.LBB\w+):", line):
            label, start = found.group(1), number + 1
        elif (found := re.match(r"\tj\w+\t(\.LBB\w+)", line)) and found.group(1) == label:
            yield lines[start : number + 1]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = file.read().splitlines()
    for body in innermost_loops(lines):
        products = [line for line in body if "\tvfmadd231ps" in line]
        if not products:
            continue
        loads = sum("\tvpmovzxwd" in line and "(" in line for line in body)
        stack = sum("%rsp" in line or "%rbp" in line for line in body)
        registers = sorted({name for line in products for name in re.findall(r"%([xyz]mm)", line)})
        print(f"{len(products)} products of {' '.join(registers)}, {loads} widening loads, {stack} on the stack")


if __name__ == "__main__":
    main()
