"""Logits have the bits that are written down, for every kernel.

    python hashes.py TABLE SOURCE FOLDER MODEL SET... [--record] [--emulator=FILE.so]

Compiles the checkpoint SOURCE, called MODEL in TABLE, into FOLDER for each SET of
instructions and each kind of numbers, lets every model go on with one prompt and compares
the hash of its logits with the line

    MODEL SET NUMBERS HASH

of TABLE. --record writes the line instead. A refactoring changes none; a commit that
changes some on purpose says which and why.

Exit code 0: all are equal, 1: not.
"""

import hashlib
import json
import os
import pathlib
import subprocess
import sys

import program

HERE = pathlib.Path(__file__).resolve().parent

ARM = "--mtriple=aarch64-linux-gnu"
AMX = "+avx512vnni,+amx-tile,+amx-bf16,+amx-int8"

# name => flags of llama-compile
SETS = {
    "avx2": "--mcpu=x86-64-v3",
    "avx512": "--mcpu=x86-64-v4",
    "vnni": "--mcpu=x86-64-v4 --mattr=+avx512vnni",
    "znver4": "--mcpu=znver4",
    "amx": f"--mcpu=x86-64-v4 --mattr={AMX}",
    "neon": f"{ARM} --mcpu=generic",
    "cortex-a76": f"{ARM} --mcpu=cortex-a76",
    "neoverse-v1": f"{ARM} --mcpu=neoverse-v1",
}
F32 = "--activations=f32"
NUMBERS = {
    "f32": F32,
    "f32-kv8": f"{F32} --kv-type=int8",
    "bf16": "",
    "int8g32": f"{F32} --quantize=int8",
    "int8g256": f"{F32} --quantize=int8 --group-size=256",
    "int8g32m": f"{F32} --quantize=int8 --asymmetric",
    "int8g32-rows16": f"{F32} --quantize=int8 --activation-bits=16",
    "int4g32": f"{F32} --quantize=int4",
    "int4g128": f"{F32} --quantize=int4 --group-size=128",
    "int4g32m": f"{F32} --quantize=int4 --asymmetric",
    "int4g32m-rows16": f"{F32} --quantize=int4 --asymmetric --activation-bits=16",
    "int4g32-bf16": "--quantize=int4",
}


def compile_cell(source, folder, name, numbers):
    model = pathlib.Path(folder) / f"hashes-{name}-{numbers}.so"
    flags = [*SETS[name].split(), *NUMBERS[numbers].split()]
    subprocess.run(["llama-compile", source, "-o", model, "--quiet", *flags], check=True)
    if name == "amx":
        plain = model.with_suffix(".emulated.so")
        subprocess.run([sys.executable, HERE / "without-amx-check.py", model, plain,
                        "amx-tile", "amx-bf16", "amx-int8"], check=True)  # fmt: skip
        model.unlink()
        return plain
    return model


def hash_cell(source, folder, name, numbers, emulator):
    vocab = json.loads((pathlib.Path(source) / "config.json").read_text(encoding="utf-8"))["vocab_size"]
    model = compile_cell(source, folder, name, numbers)
    # Tiles of every height, then rows one by one; the second block of the cache.
    prompt = program.random_prompt(32 + 16 + 8 + 4 + 2 + 3, vocab)
    if name == "amx":
        os.environ["LD_PRELOAD"] = emulator
    try:
        _, logits = program.generate(model, prompt, 4)
    finally:
        os.environ.pop("LD_PRELOAD", None)
    model.unlink()
    return hashlib.sha256(logits.tobytes()).hexdigest()[:16]


def main():
    options = dict(flag[2:].partition("=")[::2] for flag in sys.argv[1:] if flag.startswith("--"))
    table, source, folder, checkpoint, *names = (word for word in sys.argv[1:] if not word.startswith("--"))
    table = pathlib.Path(table)
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    known = dict(line.rsplit(maxsplit=1) for line in table.read_text().splitlines()) if table.exists() else {}
    different = 0
    for name in names:
        for numbers in NUMBERS:
            cell = f"{checkpoint} {name} {numbers}"
            found = hash_cell(source, folder, name, numbers, options.get("emulator"))
            if "record" in options:
                known[cell] = found
            elif known.get(cell) != found:
                different += 1
                print(f"FAILED: {cell}: {found}, expected {known.get(cell)}", flush=True)
    if "record" in options:
        table.write_text("".join(f"{cell} {value}\n" for cell, value in known.items()))
    print(f"{len(names) * len(NUMBERS)} cells, {different} differ")
    return different > 0


if __name__ == "__main__":
    sys.exit(main())
