"""The models that the benchmarks of this folder use, made in a folder once.

The shapes of Llama 3.2 1B and 3B and of Llama 3.1 8B, with random bf16 weights:
2.5, 6.4 and 16 GB as a checkpoint, and as much again compiled.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHAPES = ("1b", "3b", "8b")
TOOLS = pathlib.Path(os.environ.get("LLAMA_BUILD", ROOT / "build")) / "bin"


def parse_arguments(text, **numbers):
    """`numbers`: further flags with whole numbers, and what they are unless given."""
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("folder", type=pathlib.Path, help="where models are kept, some gigabytes")
    parser.add_argument("--shapes", default="1b", help="some of 1b,3b,8b (1b)")
    parser.add_argument("--layers", type=int, metavar="N", help="cut the models to so many layers")
    parser.add_argument("--flags", default="", help="further flags of llama-compile")
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default, metavar="N", help=f"{default} (default)")
    o = parser.parse_args()
    o.shapes = o.shapes.split(",")
    o.folder.mkdir(parents=True, exist_ok=True)
    return o


def make_checkpoint(o, shape):
    """The checkpoint's folder; made if it is not there."""
    path = o.folder / (shape if o.layers is None else f"{shape}-{o.layers}")
    if not (path / "config.json").exists():  # written last
        cut = [] if o.layers is None else [f"--layers={o.layers}"]
        subprocess.run([sys.executable, ROOT / "test/Inputs/make-checkpoint.py", path, f"--shape={shape}", *cut],
                       check=True)
    return path


def compile_model(o, shape, suffix="", flags=()):
    """(model.so, seconds, peak resident bytes of the compiler); `suffix` tells models of other flags apart"""
    checkpoint = make_checkpoint(o, shape)
    model = o.folder / f"{checkpoint.name}{suffix}.so"
    command = [TOOLS / "llama-compile", checkpoint, "-o", model, "--quiet", *flags, *o.flags.split()]
    begin = time.monotonic()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"failed: {' '.join(map(str, command))}")
    return model, time.monotonic() - begin, usage.ru_maxrss * 1024


def print_table(rows):
    """Rows of texts, the first being the head; numbers to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join([row[0].ljust(widths[0])] + [cell.rjust(w) for cell, w in zip(row[1:], widths[1:])]))
