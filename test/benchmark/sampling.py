"""What choosing a token costs, at 128256 logits.

    ./dev bench sampling [MODEL.so | --step-ms=64]

Logits like a language model's: a few likely tokens before a long tail, another
row for every step, a history of 2000 tokens, 32 heads of attention over it. The
share is that of a decode step of MODEL.so, measured here, or of --step-ms, by
default 2.5 GB of weights at 39 GB/s.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "test", "runtime", "Sampler"))

from against_numpy import ask  # noqa: E402

VOCAB, ROWS, STEPS, HEADS, LENGTH = 128256, 8, 40, 32, 2000

CASES = {
    "greedy": {"temperature": 0},
    "temperature": {"temperature": 0.8},
    "llama.cpp's defaults": {"repeat_penalty": 1.1, "top_k": 40, "top_p": 0.95, "min_p": 0.05,
                             "temperature": 0.8},
    "DRY, top-k, XTC": {"dry_multiplier": 0.8, "top_k": 40, "xtc_probability": 0.5, "temperature": 0.8},
    "top-p over all": {"top_p": 0.95, "temperature": 0.8},
    "min-p over all": {"min_p": 0.05, "temperature": 0.8},
    "top-n-sigma": {"top_n_sigma": 1.0, "temperature": 0.8},
    "typical over all": {"typical_p": 0.95, "temperature": 0.8},
    "dynamic temperature": {"top_k": 40, "dynatemp_range": 0.5},
    "mirostat 1": {"mirostat": 1},
    "mirostat 2": {"mirostat": 2},
    "entropix-v2": {"sampler": "entropix-v2"},
    "entropix-v3": {"sampler": "entropix-v3"},
    "entropix-v4": {"sampler": "entropix-v4"},
    "entropix-v2 compat": {"sampler": "entropix-v2", "mode": "compat"},
    "entropix-v5": {"sampler": "entropix-v5"},
    "entropix-v5, mean": {"sampler": "entropix-v5", "wild": False},
    "entropix-v5 compat": {"sampler": "entropix-v5", "mode": "compat"},
}


def measure_step(model):
    """Milliseconds of a decode step of one sequence."""
    command = ["build/bin/llama-measure", "speed", model, "-p", "64", "-n", "24", "-r", "3", "--json", "--quiet"]
    speed = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return 1e3 / speed["decode"][0]["tokens_per_s"]["median"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", nargs="?")
    parser.add_argument("--tool", default="build/bin/sample-file")
    parser.add_argument("--step-ms", type=float, default=64)
    args = parser.parse_args()
    step_ms = measure_step(args.model) if args.model else args.step_ms
    rng = np.random.default_rng(1)
    rows = rng.normal(0, 2.2, (ROWS, VOCAB))
    for row in rows:
        row[rng.integers(0, VOCAB, 40)] += rng.uniform(4, 12, 40)
    history = rng.integers(0, VOCAB, LENGTH).tolist()
    scores = rng.normal(0, 2, HEADS * LENGTH).astype(np.float32).view(np.uint32).tolist()
    print(f"{'':24}    ms  of a step of {step_ms:.1f} ms")
    for name, config in CASES.items():
        request = {"config": config, "rows": ROWS, "steps": STEPS, "timed": True, "history": history}
        if config.get("sampler", "") in ("entropix-v2", "entropix-v3", "entropix-v4"):
            request["attention"] = {"heads": HEADS, "bits": scores}
        (answer,) = ask(args.tool, [(rows.ravel(), request)])
        ms = 1e3 * statistics.median(answer["seconds"])
        print(f"{name:24}{ms:6.2f}  {100 * ms / step_ms:5.1f} %")


if __name__ == "__main__":
    main()
