#!/usr/bin/env python3
"""Writes UnicodeTables.inc from what this Python's str does: make_unicode_tables.py > UnicodeTables.inc"""

import unicodedata

LAST = 0x110000
CLASSES = ["alpha", "decimal", "digit", "numeric", "upper", "lower", "printable"]


def ranges(test):
    begin, found = None, []
    for code in range(LAST + 1):
        inside = code < LAST and not 0xD800 <= code < 0xE000 and test(chr(code))
        if inside and begin is None:
            begin = code
        if not inside and begin is not None:
            found.append((begin, code - 1))
            begin = None
    return found


def case_runs(change):
    """(first, last, step, difference): characters that become one other."""
    runs = []
    for code in range(LAST):
        if 0xD800 <= code < 0xE000 or len(change(chr(code))) != 1:
            continue
        difference = ord(change(chr(code))) - code
        if not difference:
            continue
        if runs and runs[-1][3] == difference:
            first, last, step, _ = runs[-1]
            if code - last == step or (first == last and code - last <= 2):
                runs[-1] = (first, code, code - last, difference)
                continue
        runs.append((code, code, 1, difference))
    return runs


def write(kind, name, rows):
    print(f"\nconstexpr {kind} k{name}[] = {{")
    line = "   "
    for row in rows:
        if len(line) + len(row) + 2 > 80:
            print(line)
            line = "   "
        line += f" {row},"
    print(line + "\n};")


def write_exceptions(name, change, is_one):
    special = [chr(code) for code in range(LAST)
               if not 0xD800 <= code < 0xE000 and is_one(chr(code), change(chr(code)))]  # fmt: skip
    rows = ["{" + f"{ord(c):#x}, \"" + "".join(f"\\x{b:02x}" for b in change(c).encode()) + "\"}" for c in special]
    write("CaseException", f"To{name}Exceptions", rows)


def main():
    print(f"// Made by make_unicode_tables.py of Unicode {unicodedata.unidata_version}.\n// clang-format off")
    for name in CLASSES:
        rows = ranges(lambda c, name=name: getattr(c, "is" + name)())
        write("CharacterRange", name.title(), [f"{{{a:#x}, {b:#x}}}" for a, b in rows])
    write("CharacterRange", "TitleCase",
          [f"{{{a:#x}, {b:#x}}}" for a, b in ranges(lambda c: unicodedata.category(c) == "Lt")])
    for name in ("upper", "lower", "title"):
        rows = case_runs(getattr(str, name))
        write("CaseRun", "To" + name.title(), [f"{{{a:#x}, {b:#x}, {s}, {d}}}" for a, b, s, d in rows])
        write_exceptions(name.title(), getattr(str, name), lambda c, changed: len(changed) != 1)
    # What is lower case but for these.
    write_exceptions("Folded", str.casefold, lambda c, changed: changed != c.lower() or len(changed) != 1)


if __name__ == "__main__":
    main()
