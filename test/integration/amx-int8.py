"""Products of bytes on AMX tiles give the bits of those beside them.

    python amx-int8.py EMULATOR.so CHECKPOINT VOCAB FOLDER [--all]

A prompt whose rows go through tiles of 32 and of 16 rows, then a block and a
single row, has the same logits in pieces of 7 rows, which are no tile; and for
some models, with --all for each, in a model without AMX. Every number of bits
and size of group occurs, minimums and rows of 16 bits; with --all in each
combination.
"""

import itertools
import os
import pathlib
import subprocess
import sys

import numpy as np

import program

HERE = pathlib.Path(__file__).parent
SOME = ["--quantize=int8 --group-size=128",
        "--quantize=int4 --group-size=32",
        "--quantize=int8 --group-size=32 --activation-bits=16",
        "--quantize=int8 --group-size=64 --asymmetric --activation-bits=16",
        "--quantize=int4 --group-size=256 --asymmetric"]
ALL = [f"--quantize=int{bits} --group-size={group} {' '.join(more)}".strip()
       for bits, group, *more in itertools.product((4, 8), (32, 64, 128, 256), ("", "--asymmetric"),
                                                   ("", "--activation-bits=16"))]
ROWS = 32 + 16 + 4 + 1


def compile_model(checkpoint, path, *flags):
    subprocess.run(["llama-compile", checkpoint, "-o", os.fspath(path), "--mcpu=x86-64-v4", "--quiet", *flags],
                   check=True)


def main():
    emulator, checkpoint, vocab, folder = sys.argv[1], sys.argv[2], int(sys.argv[3]), pathlib.Path(sys.argv[4])
    kinds = ALL if "--all" in sys.argv[5:] else SOME
    folder.mkdir(parents=True, exist_ok=True)
    prompt = program.random_prompt(ROWS, vocab)
    different = 0
    for number, kind in enumerate(kinds):
        compile_model(checkpoint, folder / "asks.so", "--mattr=+amx-int8", *kind.split())
        subprocess.run([sys.executable, os.fspath(HERE / "without-amx-check.py"), os.fspath(folder / "asks.so"),
                        os.fspath(folder / "amx.so"), "amx-tile", "amx-int8"], check=True)
        os.environ["LD_PRELOAD"] = emulator
        whole = program.generate(folder / "amx.so", prompt, 2)[1]
        others = {"in pieces of 7": program.generate(folder / "amx.so", prompt, 2, "--batch-rows=7")[1]}
        del os.environ["LD_PRELOAD"]
        if number < 2 or kinds is ALL:
            compile_model(checkpoint, folder / "plain.so", *kind.split())
            others["without AMX"] = program.generate(folder / "plain.so", prompt, 2)[1]
        for name, logits in others.items():
            rows = np.flatnonzero((whole.view(np.uint32) != logits.view(np.uint32)).any(axis=1))
            different += len(rows) > 0
            print(f"{'FAILED: ' if len(rows) else ''}{kind}, {name}: {len(rows)} rows of {len(whole)} differ; "
                  f"{len(np.unique(whole))} numbers")
    return different > 0


if __name__ == "__main__":
    sys.exit(main())
