"""Compares stories260K, compiled, with what came with it.

    python stories.py MODEL.so DATA --ids=256 [--atol=1e-4]
    python stories.py --text FILE DATA

--atol: of the logits of the first 64 rows. --text: FILE is the generated text.
"""

import argparse
import json
import pathlib
import sys

import numpy as np

import program


def check_text(path, data):
    expected = (data / "golden-256.txt").read_text(encoding="utf-8").strip()
    actual = pathlib.Path(path).read_text(encoding="utf-8").strip()
    if actual != expected:
        print(f"FAILED: expected {expected!r}, found {actual!r}")
    return actual == expected


def check_ids(model, data, count, atol):
    golden = json.loads((data / "golden-256-ids.json").read_text(encoding="utf-8"))
    ids, logits = program.generate(model, golden[:1], count)
    different = [i for i in range(count) if ids[i] != golden[i + 1]]
    if different:
        print(f"FAILED: ids differ at step {different[0]}: expected {golden[different[0] + 1]}, found {ids[different[0]]}")
        return False
    print(f"{count} ids: the same")
    if atol is None:
        return True
    worst = float(np.abs(np.load(data / "golden-logits-64.npy") - logits[:64]).max())
    print(f"logits of 64 rows: largest difference {worst:.3g}, at most {atol:g}{'' if worst <= atol else ': FAILED'}")
    return worst <= atol


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--text", metavar="FILE")
    parser.add_argument("--ids", type=int, metavar="N")
    parser.add_argument("--atol", type=float)
    o = parser.parse_args()
    return not (check_text(o.text, o.data) if o.text else check_ids(o.model, o.data, o.ids, o.atol))


if __name__ == "__main__":
    sys.exit(main())
