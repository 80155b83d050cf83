"""Every kernel: all kinds of numbers, with one set of instructions.

    python kernels.py SET CHECKPOINT FOLDER [--short]

A cell (cells.py) is a model of CHECKPOINT, compiled into FOLDER. It passes if
  - its products are made of the instruction that the table below says (--opt-report),
  - nothing but a row itself changes the row's bits (P4: same-bits.py, with --short or not),
  - it agrees with the reference as the script of its row demands, and
  - where the table names another set, logits have the same bits as with that one: integers
    are added without rounding, in whatever order.

Rows of 16 bits meet a random checkpoint of one layer instead (quantized.py says why).

Prints a line for every cell and what a script said about one that fails. AMX is emulated,
by amx.test.

Exit code 0: all pass, 1: not.
"""

import contextlib
import io
import pathlib
import runpy
import subprocess
import sys
import tempfile
import time

import numpy as np

import cells
import program

HERE = pathlib.Path(__file__).resolve().parent
TEXT = f"--text={HERE}/Inputs/story.txt"

# Of a set in cells.py: the instruction of products of f32, of bf16 and of integers, "" where the
# rows would be those of another set; the set with which integers share their bits.
SETS = {
    "avx2":   ("fma", "fma",       "vpmaddwd", ""),
    "avx512": ("fma", "fma",       "vpmaddwd", ""),
    "vnni":   ("",    "",          "vpdpbusd", "avx512"),
    "znver4": ("",    "vdpbf16ps", "",         ""),
}  # fmt: skip

ONE_LAYER = "--layers=1 --hidden=128 --ffn=192 --heads=4 --kv-heads=2 --head-dim=32 --vocab=1024"

# Of numbers in cells.py: of what products are; how they are compared with the reference.
NUMBERS = {
    "f32":             ("f32",      f"logits.py --activations=f32 {TEXT}"),
    "f32-kv8":         ("f32",      "int8-cache.py"),
    "bf16":            ("bf16",     f"logits.py --activations=bf16 {TEXT}"),
    "int8g32":         ("integers", "quantized.py --bits=8 --group=32"),
    "int8g256":        ("integers", "quantized.py --bits=8 --group=256"),
    "int8g32m":        ("integers", "quantized.py --bits=8 --group=32 --found"),
    "int8g32-rows16":  ("integers", "quantized.py --bits=8 --group=32 --activation-bits=16"),
    "int4g32":         ("integers", "quantized.py --bits=4 --group=32"),
    "int4g128":        ("integers", "quantized.py --bits=4 --group=128"),
    "int4g32m":        ("integers", "quantized.py --bits=4 --group=32 --found"),
    "int4g32m-rows16": ("integers", "quantized.py --bits=4 --group=32 --found --activation-bits=16"),
}  # fmt: skip


def make_one_layer(folder):
    """That checkpoint; tests that run at the same time make one each and keep the first."""
    made = pathlib.Path(folder) / "kernels-one-layer"
    made.parent.mkdir(parents=True, exist_ok=True)
    if not made.exists():
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            new = pathlib.Path(temporary) / made.name
            subprocess.run([sys.executable, HERE.parent / "Inputs" / "make-checkpoint.py", new, *ONE_LAYER.split()],
                           check=True)
            with contextlib.suppress(OSError):  # it is there by now
                new.rename(made)
    return made


def find_instructions(report):
    products = report["targets"][0]["matmuls"]
    return {product[rows]["kernel"] for product in products for rows in ("blocks", "single_rows") if product["weight"]}


def fails(script, *arguments):
    """What a script of this folder said, if it fails. It runs in this process: numpy is there already."""
    said, before = io.StringIO(), sys.argv
    sys.argv = [script, *map(str, arguments)]
    try:
        with contextlib.redirect_stdout(said):
            runpy.run_path(str(HERE / script), run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code
    finally:
        sys.argv = before
    if not code:
        return []
    return [f"{script}:", *said.getvalue().splitlines(), *([code] if isinstance(code, str) else [])]


def differences(model, other, vocab):
    ids, logits = program.generate(model, program.random_prompt(70, vocab), 8)
    expected_ids, expected = program.generate(other, program.random_prompt(70, vocab), 8)
    rows = np.flatnonzero((logits.view(np.uint32) != expected.view(np.uint32)).any(axis=1))
    return [f"{len(rows)} rows of {len(logits)} differ from those of {other.name}"] if len(rows) or ids != expected_ids else []


def check_cell(source, folder, name, numbers, flags):
    """What is wrong with it."""
    vocab, checkpoint = cells.read_vocab(source), pathlib.Path(source).name
    kind, reference = NUMBERS[numbers]
    *instructions, other = SETS[name]
    wanted = dict(zip(("f32", "bf16", "integers"), instructions, strict=True))[kind]
    model, report = cells.compile_cell(source, folder, checkpoint, name, numbers)
    found = find_instructions(report)
    wrong = [] if found == {wanted} else [f"products are made of {', '.join(sorted(found))}, expected {wanted}"]
    wrong += fails("same-bits.py", model, vocab, *flags)
    script, *arguments = reference.split()
    wrong += fails(script, model, source, *arguments)
    if other and kind == "integers":
        wrong += differences(model, cells.compile_cell(source, folder, checkpoint, other, numbers)[0], vocab)
    return wrong


def main():
    name, source, folder, *flags = sys.argv[1:]
    passed = True
    instructions = dict(zip(("f32", "bf16", "integers"), SETS[name][:3], strict=True))
    for numbers in (numbers for numbers, (kind, _) in NUMBERS.items() if instructions[kind]):
        begin = time.monotonic()
        checkpoint = make_one_layer(folder) if "-rows16" in numbers else source
        try:
            wrong = check_cell(checkpoint, folder, name, numbers, flags)
        except (ValueError, SystemExit) as error:  # llama-generate failed, too
            wrong = [str(error)]
        print(f"{name:8}{numbers:18}{instructions[NUMBERS[numbers][0]]:10}"
              f"{time.monotonic() - begin:4.1f} s  {'FAILED' if wrong else 'passed'}", flush=True)
        for line in wrong:
            print(f"    {line}", flush=True)
        passed &= not wrong
    return not passed


if __name__ == "__main__":
    sys.exit(main())
