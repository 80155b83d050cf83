"""The same seed gives the same text, whatever else happens.

    python samplers.py MODEL.so

For every sampler: any number of threads, any rows of a call, other sequences
beside it. Compares whole traces, so the last bit of every metric. A fork of the
text, at the end, must differ by seed.
"""
import os
import subprocess
import sys
import tempfile

SAMPLERS = {
    "standard": ["--temp=1.2", "--top-k=50", "--dry-multiplier=0.8", "--xtc-probability=0.3"],
    "mirostat": ["--mirostat=2", "--mirostat-tau=3"],
    "entropix-v2": ["--sampler=entropix-v2"],
    "entropix-v3": ["--sampler=entropix-v3", "--sampler-mode=compat"],
    "entropix-v4": ["--sampler=entropix-v4"],
    "entropix-v5": ["--sampler=entropix-v5", "--sampler-option=outlier_bias=-90"],
}
PLACES = [
    ["--threads=1"],
    ["--threads=2", "--batch-rows=7"],
    ["--threads=3", "--beside-ids=5,6,7,8,9", "--beside-ids=300"],
    ["--threads=2", "--batch-rows=3", "--beside-ids=" + ",".join(map(str, range(100, 190)))],
]


def run(model, flags):
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "trace.jsonl")
        done = subprocess.run(
            ["llama-generate", model, "--quiet", "--ignore-eos", "--print-ids", "--max-tokens=80",
             "--prompt=Once upon a time there was a", f"--trace={trace}", *flags],
            check=True, capture_output=True)
        with open(trace, "rb") as file:
            return done.stdout, file.read()


def main():
    (model,) = sys.argv[1:]
    failed = 0
    for name, flags in SAMPLERS.items():
        results = {run(model, ["--seed=7", *flags, *place]) for place in PLACES}
        other = run(model, ["--seed=8", *flags])
        same, seeded = len(results) == 1, other[0] not in {ids for ids, _ in results}
        failed += not (same and seeded)
        print(f"{name}: {'one result' if same else 'DIFFERENT RESULTS'} in {len(PLACES)} places, "
              f"{'another' if seeded else 'THE SAME'} with another seed")
    if failed:
        sys.exit(f"{failed} samplers differ")


if __name__ == "__main__":
    main()
