"""Compares the greedy ids of a compiled model with the reference's.

    python greedy.py MODEL.so CHECKPOINT --ids=1,2,3 --tokens=64 --allow-margin=1e-3

The first difference is accepted only where the reference saw its runner-up, the
id that was taken, no further than --allow-margin behind; it is shown. Exit code
0: the same ids, 1: others.
"""

import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "reference"))
import forward  # noqa: E402
import program  # noqa: E402
from compare import compare_ids  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("checkpoint")
    parser.add_argument("--ids", type=program.split, required=True, help="the prompt, as in 1,2,3")
    parser.add_argument("--tokens", type=int, default=64, metavar="N")
    parser.add_argument("--allow-margin", type=float, default=0.0, metavar="X")
    o = parser.parse_args()
    expected, margins, seconds, _ = forward.generate(forward.Model(o.checkpoint), o.ids, o.tokens)
    actual, _ = program.generate(o.model, o.ids, o.tokens)
    result = compare_ids(expected, actual, list(zip(margins, seconds)))
    print(f"{result}; closest decision {min(margins):.3g}")
    if not result.same and result.is_tie(o.allow_margin):
        print(f"accepted: the margin is at most {o.allow_margin:g}, and the runner-up was taken")
        return 0
    return not result.same


if __name__ == "__main__":
    sys.exit(main())
