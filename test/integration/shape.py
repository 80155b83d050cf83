"""Makes a model of some shape, compiles it and compares it with the reference.

    python shape.py FOLDER [flags of make-checkpoint.py]

Both kinds of activations are compiled, and both compared as logits.py says. The
prompt of 70 random ids is longer than a block of the cache.
"""

import pathlib
import shutil
import subprocess
import sys

import logits

MAKE = pathlib.Path(__file__).resolve().parents[1] / "Inputs" / "make-checkpoint.py"


def main():
    folder, flags = pathlib.Path(sys.argv[1]), sys.argv[2:]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    checkpoint = folder / ("model.gguf" if "--format=gguf" in flags else "model")
    subprocess.run([sys.executable, MAKE, checkpoint, *flags], check=True)
    passed = True
    for activations in ("f32", "bf16"):
        model = folder / f"{activations}.so"
        subprocess.run(["llama-compile", checkpoint, "-o", model, "--quiet",
                        f"--activations={activations}"], check=True)
        passed &= logits.check(model, checkpoint, activations, prompt=70, tokens=4)
    return not passed


if __name__ == "__main__":
    sys.exit(main())
