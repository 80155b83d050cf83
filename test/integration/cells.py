"""Every kernel: a model of each kind of numbers for each set of instructions.

kernels.py and hashes.py share what is compiled here. A cell has the name
MODEL-SET-NUMBERS, in a folder cells/ of the one they were given.
"""

import json
import os
import pathlib
import subprocess
import sys

import compile as compiling

HERE = pathlib.Path(__file__).resolve().parent
ARM = "--mtriple=aarch64-linux-gnu"
AMX = ["amx-tile", "amx-bf16", "amx-int8"]

# name => flags of llama-compile
SETS = {
    "avx2":        "--mcpu=x86-64-v3",
    "avx512":      "--mcpu=x86-64-v4",
    "vnni":        "--mcpu=x86-64-v4 --mattr=+avx512vnni",
    "znver4":      "--mcpu=znver4",
    "amx":         f"--mcpu=x86-64-v4 --mattr=+avx512vnni,{','.join('+' + name for name in AMX)}",
    "neon":        f"{ARM} --mcpu=generic",
    "cortex-a76":  f"{ARM} --mcpu=cortex-a76",
    "neoverse-v1": f"{ARM} --mcpu=neoverse-v1",
}  # fmt: skip

F32 = "--activations=f32"
NUMBERS = {
    "f32":             F32,
    "f32-kv8":         f"{F32} --kv-type=int8",
    "bf16":            "--activations=bf16",
    "int8g32":         f"{F32} --quantize=int8",
    "int8g256":        f"{F32} --quantize=int8 --group-size=256",
    "int8g32m":        f"{F32} --quantize=int8 --asymmetric",
    "int8g32-rows16":  f"{F32} --quantize=int8 --activation-bits=16",
    "int4g32":         f"{F32} --quantize=int4",
    "int4g128":        f"{F32} --quantize=int4 --group-size=128",
    "int4g32m":        f"{F32} --quantize=int4 --asymmetric",
    "int4g32m-rows16": f"{F32} --quantize=int4 --asymmetric --activation-bits=16",
    "int4g32-bf16":    "--quantize=int4",
}  # fmt: skip


def compile_cell(source, folder, model, name, numbers):
    """The file, and what --opt-report says about it."""
    path = pathlib.Path(folder) / "cells" / f"{model}-{name}-{numbers}.so"
    report = path.with_suffix(".json")
    flags = [*SETS[name].split(), *NUMBERS[numbers].split(), "--weights=external", f"--opt-report={report}"]
    if compiling.compile_once(source, path, flags) != 0:
        raise ValueError(f"{path.name} cannot be compiled")
    return path, json.loads(report.read_text(encoding="utf-8"))


def remove_check(path):
    """A copy of a model for AMX that does not ask for it, beside its weights."""
    copy = path.with_suffix(".emulated.so")
    subprocess.run([sys.executable, HERE / "without-amx-check.py", path, copy, *AMX], check=True)
    weights = pathlib.Path(f"{copy}.weights")
    weights.unlink(missing_ok=True)
    os.link(f"{path}.weights", weights)
    return copy


def read_vocab(source):
    return json.loads((pathlib.Path(source) / "config.json").read_text(encoding="utf-8"))["vocab_size"]
