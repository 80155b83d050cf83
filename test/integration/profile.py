"""The profile of the bundled model is complete: steps add up to calls, their
bytes to the weights and keys that a call needs, their operations to its own.

    python profile.py MODEL.so
"""

import json
import subprocess
import sys

import numpy as np

PROMPT, DECODE, LAYERS, THREADS = 70, 5, 4, 2
HIDDEN, KV_HEADS, HEAD_DIM = 128, 2, 32


def measure(model, profile):
    command = ["llama-measure", "speed", model, f"-p{PROMPT}", f"-n{DECODE}", "-r2", "--quiet",
               f"--threads={THREADS}", "--json", profile]
    out = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return out, out["prompt"][0], out["decode"][0]


def total(line, key):
    return sum(step[key] for step in line["profile"]["steps"])


def check(out, line, tokens, calls, row_bytes, positions):
    profile = line["profile"]
    assert profile["calls"] == 2 * calls, profile["calls"]
    assert profile["seconds"] > 0 and profile["seconds_outside"] > 0
    np.testing.assert_allclose(total(line, "seconds"), profile["seconds"], rtol=1e-9)
    for step in profile["steps"]:
        assert 0 <= step["waiting_seconds"] <= step["seconds"], step
    # Every weight once; of the embeddings, which are the output matrix too, a
    # row for every token as well.
    np.testing.assert_allclose(total(line, "weight_bytes"),
                               out["weight_bytes_per_call"] + row_bytes * tokens / calls, rtol=1e-9)
    np.testing.assert_allclose(total(line, "cache_bytes"),
                               LAYERS * 2 * KV_HEADS * HEAD_DIM * 2 * positions, rtol=1e-9)
    seconds = tokens / line["tokens_per_s"]["median"]
    np.testing.assert_allclose(total(line, "operations") * calls, line["operations_per_s"] * seconds, rtol=1e-9)


def check_layers(line):
    """All layers have the same steps, as often; attention and products are among them."""
    steps = line["profile"]["steps"]
    of_layers = [[(step["name"], step["runs"]) for step in steps if step["layer"] == layer]
                 for layer in range(LAYERS)]
    assert all(names == of_layers[0] for names in of_layers), of_layers
    names = [name for name, _ in of_layers[0]]
    assert names[0] == "rms_norm" and "swiglu" in names and "linear+add" in names, names
    assert any("fused_attention" in name for name in names), names
    outside = [step["name"] for step in steps if step["layer"] is None]
    assert outside[0] == "start" and "embed" in outside[1] and outside[-1] == "logits", outside
    return of_layers[0]


def main():
    model = sys.argv[1]
    out, prompt, decode = measure(model, "--profile=layers")
    int4 = out["weight_bytes_per_call"] < 1e6
    row_bytes = HIDDEN + 2 * HIDDEN // 32 if int4 else 2 * HIDDEN  # a scale for every 32
    for line, tokens, calls, positions in [(prompt, PROMPT, 1, PROMPT),
                                           (decode, DECODE, DECODE, PROMPT + (DECODE + 1) / 2)]:
        check(out, line, tokens, calls, row_bytes, positions)
        check_layers(line)

    # Without layers, each name stands for all of them.
    out, _, merged = measure(model, "--profile")
    check(out, merged, DECODE, DECODE, row_bytes, PROMPT + (DECODE + 1) / 2)
    runs = {step["name"]: step["runs"] for step in merged["profile"]["steps"]}
    assert len(runs) == len(merged["profile"]["steps"]) and runs["start"] == 1
    for name, count in check_layers(decode):
        assert runs[name] >= LAYERS * count, (name, runs)
    # A row has one step where products of many rows have several.
    assert runs["swiglu"] in (LAYERS, 2 * LAYERS), runs


main()
