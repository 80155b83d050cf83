"""Prints one line for each innermost loop of aarch64 assembly that multiplies vectors.

    python inner-loops-aarch64.py model.s
    8 fmla, 9 loads, 0 of d registers, 0 on the stack

Counted are the instructions that multiply (fmla, bfdot, sdot, usdot, smull and
smull2), loads of whole registers, those of half ones, and what names sp: a spill.
"""

import re
import sys

PRODUCTS = ["fmla", "bfdot", "sdot", "usdot", "smull"]


def innermost_loops(lines):
    """Bodies between a label and a branch back to it with no label in between."""
    label, start = None, 0
    for number, line in enumerate(lines):
        if found := re.match(r"(\.LBB\w+):", line):
            label, start = found.group(1), number + 1
        elif (found := re.match(r"\t(?:b\.\w+|b|cbn?z|tbn?z)\t.*?(\.LBB\w+)$", line)) and found.group(1) == label:
            yield lines[start : number + 1]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = file.read().splitlines()
    for body in innermost_loops(lines):
        counts = {name: sum(re.match(rf"\t{name}2?\t", line) is not None for line in body) for name in PRODUCTS}
        if not any(counts.values()):
            continue
        loads = [re.match(r"\tld(?:u?r|p)\t((?:[qd]\d+, )+)", line) for line in body]
        registers = [name for load in loads if load for name in load.group(1).split(", ") if name]
        stack = sum(re.search(r"\[sp\b", line) is not None for line in body)
        print(", ".join([f"{count} {name}" for name, count in counts.items() if count])
              + f", {sum(name[0] == 'q' for name in registers)} loads, "
              f"{sum(name[0] == 'd' for name in registers)} of halves, {stack} on the stack")


if __name__ == "__main__":
    main()
