"""Logits have the bits that are written down, for every kernel.

    python hashes.py TABLE SOURCE FOLDER MODEL SET... [--emulator=FILE.so] [--record]

Compiles the checkpoint SOURCE, called MODEL in TABLE, into FOLDER for each SET of instructions
and each kind of numbers (cells.py), lets every model go on with one prompt and compares the hash
of its logits with the line

    MODEL SET NUMBERS HASH

of TABLE. A change that only moves code changes none; a commit that changes some on purpose says
which and why, and writes them with --record. The sets are in hashes/*.test; these rows are
checked by hand, as docs/testing.md says:

    1b                              make-checkpoint.py --shape=1b --layers=2 --vocab=4096
    neon, cortex-a76, neoverse-v1   with test/emulated/Inputs first on the path

Exit code 0: all are equal, 1: not.
"""

import argparse
import hashlib
import os
import pathlib
import sys

import cells
import program


def hash_cell(o, name, numbers):
    model, _ = cells.compile_cell(o.source, o.folder, o.model, name, numbers)
    # Tiles of every height, then rows one by one; the second block of the cache.
    prompt = program.random_prompt(32 + 16 + 8 + 4 + 2 + 3, cells.read_vocab(o.source))
    if name != "amx":
        return hash_logits(program.generate(model, prompt, 4))
    os.environ["LD_PRELOAD"] = o.emulator
    try:
        return hash_logits(program.generate(cells.remove_check(model), prompt, 4))
    finally:
        del os.environ["LD_PRELOAD"]


def hash_logits(generated):
    _, logits = generated
    return hashlib.sha256(logits.tobytes()).hexdigest()[:16]


def read_table(path):
    """"MODEL SET NUMBERS" => hash, in the order of the lines."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return dict(line.rsplit(maxsplit=1) for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=pathlib.Path)
    parser.add_argument("source")
    parser.add_argument("folder")
    parser.add_argument("model")
    parser.add_argument("sets", nargs="+", choices=list(cells.SETS), metavar="SET")
    parser.add_argument("--emulator", metavar="FILE.so", help="preloaded where the set is amx")
    parser.add_argument("--record", action="store_true")
    o = parser.parse_args()
    if "amx" in o.sets and not o.emulator:
        parser.error("amx: needs --emulator")
    known = read_table(o.table)
    checked = [f"{o.model} {name} {numbers}" for name in o.sets for numbers in cells.NUMBERS]
    found = {cell: hash_cell(o, *cell.split()[1:]) for cell in checked}
    if o.record:
        o.table.write_text("".join(f"{cell} {value}\n" for cell, value in (known | found).items()), encoding="utf-8")
        return 0
    # A row of these sets that there is no cell for would be checked by nobody.
    rows = [cell for cell in known if cell.split()[0] == o.model and cell.split()[1] in o.sets]
    wrong = [cell for cell in {*checked, *rows} if known.get(cell) != found.get(cell)]
    for cell in sorted(wrong):
        print(f"FAILED: {cell}: {found.get(cell, 'no such cell')}, expected {known.get(cell, 'no such line')}")
    print(f"{len(checked)} cells, {len(wrong)} differ")
    return len(wrong) > 0


if __name__ == "__main__":
    sys.exit(main())
