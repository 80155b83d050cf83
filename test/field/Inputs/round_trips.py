"""Converts a checkpoint of foreign_models.py to every format, and checks the logits of each.

python round_trips.py CASE FOLDER
"""

import pathlib
import subprocess
import sys

import foreign_models


def main():
    case, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    source = folder / f"{case}-source"
    foreign_models.write(case, source)
    failures = 0
    for name in ["hf", "meta", "npy", "maxtext", "nanotron", "gguf"]:
        converted, model = folder / f"{case}-{name}", folder / f"{case}-{name}.so"
        subprocess.run(["llama-weights", "convert", source, converted, f"--to={name}", "--quiet"], check=True)
        subprocess.run(["llama-compile", converted, "-o", model, "--activations=f32", "--quiet"], check=True)
        failures += foreign_models.check(case, model)
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
