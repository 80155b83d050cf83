"""Compares logits at positions beyond 2000 with the reference.

    python long-rope.py FOLDER [flags of make-checkpoint.py]

The model is made in FOLDER, with the rotary scaling of Llama 3.2 (factor 32),
and fed a prompt of 2100 random ids; the last 60 rows and 4 generated ones are
compared. The limits are those of logits.py. That the test sees the scaling is
checked as well: with the angles of another factor the reference itself has to be
much further off than what is allowed.
"""

import dataclasses
import pathlib
import shutil
import subprocess
import sys
import time

import logits
import program
import rounded

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "reference"))
import forward  # noqa: E402
from checkpoint import rotary_frequencies  # noqa: E402
from compare import compare_logits  # noqa: E402

MAKE = pathlib.Path(__file__).resolve().parents[1] / "Inputs" / "make-checkpoint.py"
SCALING = ["--rope-factor=32", "--rope-original=8192", "--theta=500000", "--max-positions=131072"]
PROMPT, FIRST, TOKENS = 2100, 2040, 5


def run(model, fed):
    """The reference's rows from FIRST on."""
    return model.forward(fed, model.new_cache(), FIRST)


def check(checkpoint, so, activations):
    exact = forward.Model(checkpoint)
    prompt = program.random_prompt(PROMPT, len(exact.embedding.tensor))
    begin = time.monotonic()
    ids, actual = program.generate(so, prompt, TOKENS)
    print(f"{activations}: {PROMPT} + {TOKENS} tokens in {time.monotonic() - begin:.1f} s")
    fed, actual = prompt + ids[:-1], actual[FIRST:]
    expected = run(exact, fed)
    limit = logits.f32_limit(exact)
    if activations == "f32":
        passed = logits.within("f32 rows, worst", compare_logits(expected, actual).max_relative, limit)
        scaling = exact.config.scaling | {"factor": 8.0}
        exact.frequencies = rotary_frequencies(dataclasses.replace(exact.config, scaling=scaling))
        other = logits.distance(expected, run(exact, fed))
        print(f"another factor: {other:.3g}{'' if other > 100 * limit else ': FAILED, that is not seen'}")
        return passed and other > 100 * limit
    del exact
    rounding = run(rounded.RoundedModel(checkpoint), fed)
    return all([
        logits.within("bf16 rows, worst, to the rounding reference",
                      compare_logits(rounding, actual).max_relative, logits.BF16_LIMIT),
        logits.within("bf16, together, to the exact reference",
                      logits.distance(expected, actual), logits.BF16_LIMIT)])


def main():
    folder, flags = pathlib.Path(sys.argv[1]), sys.argv[2:]
    shutil.rmtree(folder / "model", ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint, so = folder / "model", folder / "model.so"
    subprocess.run([sys.executable, MAKE, checkpoint, *flags, *SCALING], check=True)
    passed = True
    for activations in ("f32", "bf16"):
        subprocess.run(["llama-compile", checkpoint, "-o", so, "--quiet",
                        f"--activations={activations}"], check=True)
        passed &= check(checkpoint, so, activations)
    return not passed


if __name__ == "__main__":
    sys.exit(main())
