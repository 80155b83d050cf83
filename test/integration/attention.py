"""What samplers see of the last layer's attention agrees with the reference.

    python attention.py MODEL.so CHECKPOINT

Lengths 1 to 600: one sequence, once as generated tokens and at some lengths as
prompts, in exact and in compat mode, where the cache has 4096 slots and those
not written score 0. The reference computes over all of them.
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "test", "reference"), os.path.dirname(os.path.abspath(__file__))]

import forward  # noqa: E402

LENGTHS, SLOTS = 600, 4096
PROMPTS = [1, 2, 63, 64, 65, 129, 300, 511, 600]


class Reference(forward.Model):
    """Keeps the last layer's rotated queries."""

    def attention(self, x, layer, i, cache, positions):
        q = layer.q.times(x).reshape(len(x), self.config.heads, self.config.head_dim)
        self.queries = self.rotate(q, positions)
        return super().attention(x, layer, i, cache, positions)

    def scores(self, ids):
        """[positions, heads, positions] before mask and softmax"""
        cache = self.new_cache()
        self.forward(ids, cache)
        group = self.config.heads // self.config.kv_heads
        keys = np.repeat(cache.keys[-1], group, axis=1)
        return np.einsum("thd,phd->thp", self.queries, keys) / np.sqrt(self.config.head_dim)


def statistics(scores, compat):
    if compat:
        scores = np.pad(scores, [(0, 0), (0, SLOTS - scores.shape[1])])
    p = forward.softmax(scores)
    entropy = -np.sum(p * np.log2(np.clip(p, 1e-10 if compat else 1e-300, 1)), axis=1)
    return [entropy.mean(), entropy.var(), np.mean(np.abs(p - p.mean(axis=0))),
            np.mean(np.abs(scores))]


def trace(model, prompt, count, mode):
    """(ids, attention statistics) of generated tokens."""
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "trace.jsonl")
        subprocess.run(["llama-generate", model, "--quiet", "--ignore-eos",
                        "--prompt-ids=" + ",".join(map(str, prompt)), f"--max-tokens={count}",
                        "--sampler=entropix-v2", f"--sampler-mode={mode}", f"--trace={file}"],
                       check=True, stdout=subprocess.DEVNULL)
        with open(file, encoding="utf-8") as lines:
            tokens = [json.loads(line) for line in lines][1:]
    keys = ["entropy", "varentropy", "agreement", "interaction_strength"]
    return [t["id"] for t in tokens], [[t["attention"][key] for key in keys] for t in tokens]


def main():
    model, checkpoint = sys.argv[1:]
    reference = Reference(checkpoint)
    worst = 0.0
    for mode in ["exact", "compat"]:
        ids, found = trace(model, [1018], LENGTHS, mode)
        ids = [1018] + ids[:-1]
        scores = reference.scores(ids)
        expected = [statistics(scores[n - 1, :, :n], mode == "compat") for n in range(1, LENGTHS + 1)]
        errors = np.abs(np.array(found) - expected)
        for n in PROMPTS:
            _, (last,) = trace(model, ids[:n], 1, mode)
            errors = np.append(errors, [np.abs(np.array(last) - expected[n - 1])], axis=0)
        print(f"{mode}: largest errors {errors.max(axis=0)}")
        worst = max(worst, errors.max())
    if not worst < 1e-4:
        sys.exit(f"attention statistics differ by {worst}, expected less than 1e-4")


if __name__ == "__main__":
    main()
