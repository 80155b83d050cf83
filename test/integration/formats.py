"""Converts a model to every format, compiles each: the same logits, bit for bit.

    python formats.py FOLDER

Also flips a byte of the last model's weights, which llama-weights must find.
"""

import json
import pathlib
import shutil
import subprocess
import sys

import program

MAKE = pathlib.Path(__file__).resolve().parents[1] / "Inputs" / "make-checkpoint.py"
FORMATS = ("meta", "npy", "maxtext", "nanotron", "gguf")
SHAPE = ["--hidden=96", "--ffn=160", "--layers=2", "--heads=6", "--kv-heads=2", "--head-dim=16", "--vocab=352",
         "--rope-factor=8", "--rope-original=64", "--max-positions=256"]  # fmt: skip


def run(*command):
    subprocess.run([str(word) for word in command], check=True)


def get_logits(checkpoint, model):
    run("llama-compile", checkpoint, "-o", model, "--quiet")
    run("llama-weights", "verify", model)
    return program.generate(model, program.random_prompt(70, 352), 4)


def check_damage(model):
    """Of the shared object, and of weights beside one."""
    tensor = "layers.1.feed_forward.w2"
    lines = subprocess.run(["llama-weights", "inspect", str(model), "--json"], check=True, capture_output=True, text=True)
    file = pathlib.Path(next(t["file"] for t in json.loads(lines.stdout)["tensors"] if t["name"] == tensor))
    bytes_ = bytearray(file.read_bytes())
    bytes_[-50] ^= 4
    file.write_bytes(bytes_)
    result = subprocess.run(["llama-weights", "verify", str(model)], check=False, capture_output=True, text=True)
    found = result.returncode == 1 and f"{file}: tensor " in result.stderr and "but the model says" in result.stderr
    print(result.stderr, end="")
    return found


def main():
    folder = pathlib.Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    source = folder / "hf"
    run(sys.executable, MAKE, source, *SHAPE)
    ids, expected = get_logits(source, folder / "hf.so")
    passed = True
    for name in FORMATS:
        target = folder / (name + (".gguf" if name == "gguf" else ""))
        run("llama-weights", "convert", source, target, f"--to={name}", "--quiet")
        found_ids, found = get_logits(target, folder / f"{name}.so")
        same = found_ids == ids and found.tobytes() == expected.tobytes()
        print(f"{name}: {'the same logits' if same else 'FAILED: other logits'}")
        passed &= same
    run("llama-compile", source, "-o", folder / "external.so", "--quiet", "--weights=external")
    run("llama-weights", "verify", folder / "external.so")
    for model in (folder / "hf.so", folder / "external.so"):
        if not check_damage(model):
            print(f"FAILED: the damage of {model} was not found")
            passed = False
    return not passed


if __name__ == "__main__":
    sys.exit(main())
