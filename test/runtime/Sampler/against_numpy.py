#!/usr/bin/env python3
"""The samplers against float64 numpy, and their draws against the distribution.

usage: against_numpy.py [--tool=build/bin/sample-file]

What llama.cpp's chain means is written down here a second time, in the slow and
obvious way: sort, then cut.
"""

import argparse
import json
import math
import subprocess
import sys
from collections import Counter

import numpy as np

failures = 0


def check(name, ok, detail=""):
    global failures
    failures += not ok
    print(f"{'ok  ' if ok else 'FAIL'} {name}{'' if ok else ': ' + str(detail)[:1000]}", flush=True)


def ask(tool, requests):
    lines = []
    for logits, request in requests:
        bits = np.asarray(logits, np.float32).view(np.uint32).tolist()
        lines.append(json.dumps({"bits": bits, **request}))
    done = subprocess.run([tool], input="\n".join(lines) + "\n", capture_output=True, text=True,
                          check=True)
    return [json.loads(line) for line in done.stdout.split("\n") if line]


# ------------------------------------------------------------------- reference


def penalize(logits, request):
    """In float32, as the logits are."""
    logits = np.array(logits, np.float32)
    window = request.get("penalty_window", 64)
    history = request.get("history", [])
    history = history if window < 0 else history[max(0, len(history) - window):]
    repeat = np.float32(request.get("repeat_penalty", 1))
    for token, count in Counter(history).items():
        if 0 <= token < len(logits):
            old = logits[token]
            new = old * repeat if old <= 0 else old / repeat
            logits[token] = new - (np.float32(count) * np.float32(request.get("frequency_penalty", 0))
                                   + np.float32(request.get("presence_penalty", 0)))
    return logits


def softmax(values):
    weights = np.exp(values - np.max(values))
    return weights / math.fsum(weights)


def reference(logits, request):
    """(ids, probabilities), ascending ids."""
    logits = penalize(logits, request).astype(np.float64)
    logits[np.isnan(logits)] = -np.inf
    order = np.lexsort((np.arange(len(logits)), -logits))  # largest first, then lowest id
    if request.get("top_k", 0) > 0:
        order = order[:request["top_k"]]
    top_p = float(np.float32(request.get("top_p", 1)))
    if top_p < 1:
        p, total, kept = softmax(logits[order]), 0.0, 0
        while kept < len(order):
            total = math.fsum(p[:kept + 1]) if kept < 64 else total + p[kept]
            kept += 1
            if total >= top_p:
                break
        order = order[:kept]
    min_p = float(np.float32(request.get("min_p", 0)))
    if min_p > 0:
        p = softmax(logits[order])
        order = order[p >= min_p * p[0]]
    order = np.sort(order)
    temperature = float(np.float32(request.get("temperature", 1)))
    return order, softmax(logits[order] / temperature)


def make_logits(rng, vocab, kind):
    if kind == 0:
        logits = rng.normal(0, 3, vocab)
    elif kind == 1:  # a few likely ones
        logits = rng.normal(0, 2, vocab)
        logits[rng.integers(0, vocab, 5)] += rng.uniform(5, 15, 5)
    elif kind == 2:  # many equal ones
        logits = rng.integers(-3, 4, vocab).astype(np.float64)
    elif kind == 3:
        logits = np.linspace(-5, 5, vocab)
    elif kind == 4:
        logits = np.zeros(vocab)
        logits[::2] = -0.0
    else:  # far apart, with infinities
        logits = rng.normal(0, 300, vocab)
        logits[rng.integers(0, vocab, max(1, vocab // 10))] = -np.inf
        logits[-1] = 1
    return logits.astype(np.float32)


def make_request(rng, vocab):
    request = {}
    if rng.random() < 0.5:
        request["history"] = rng.integers(-1, vocab + 1, rng.integers(1, 100)).tolist()
        request["repeat_penalty"] = float(rng.choice([1.0, 1.1, 1.5, 0.8]))
        request["frequency_penalty"] = float(rng.choice([0.0, 0.3, -0.2]))
        request["presence_penalty"] = float(rng.choice([0.0, 0.5]))
        request["penalty_window"] = int(rng.choice([0, 1, 10, 64, -1]))
    if rng.random() < 0.5:
        request["top_k"] = int(rng.choice([1, 2, 5, 40, 1000, 10 ** 6]))
    if rng.random() < 0.5:
        request["top_p"] = float(rng.choice([0.0, 0.1, 0.5, 0.9, 0.95, 0.999]))
    if rng.random() < 0.5:
        request["min_p"] = float(rng.choice([0.001, 0.05, 0.3, 1.0]))
    request["temperature"] = float(rng.choice([0.1, 0.7, 1.0, 1.3, 5.0]))
    return request


def test_distributions(args):
    """Which tokens are left is exact, how probable they are to rounding."""
    rng = np.random.default_rng(11)
    requests = []
    for i in range(600):
        vocab = int(rng.choice([1, 2, 7, 100, 512, 5000]))
        requests.append((make_logits(rng, vocab, i % 6), make_request(rng, vocab)))
    requests += [(make_logits(rng, 128256, i % 6), make_request(rng, 128256)) for i in range(12)]
    wrong = []
    worst = 0.0
    for (logits, request), answer in zip(requests, ask(args.tool, requests)):
        ids, probabilities = reference(logits, request)
        ours = np.array(answer["probabilities"])
        # Two units in the last place for each weight, a sum, a division, and what exp
        # makes of the rounding of the exponent: |exponent| * 2^-53.
        bound = 2.0 ** -53 * (8 + len(ids) ** 0.5 + 745)
        if answer["ids"] != ids.tolist():
            wrong.append((request, len(answer["ids"]), len(ids)))
            continue
        error = np.max(np.abs(ours - probabilities))
        worst = max(worst, error / bound)
        if error > bound:
            wrong.append((request, error))
        if answer["tokens"][0] not in set(ids[probabilities > 0].tolist()):
            wrong.append((request, "draws", answer["tokens"]))
    check(f"distributions: {len(requests)} (largest error {worst:.3f} of the bound)", not wrong, wrong)


def test_greedy(args):
    rng = np.random.default_rng(12)
    requests = []
    for i in range(300):
        vocab = int(rng.choice([1, 2, 100, 5000]))
        request = {**make_request(rng, vocab), "temperature": 0}
        requests.append((make_logits(rng, vocab, i % 6), request))
    wrong = [(request, answer["tokens"])
             for (logits, request), answer in zip(requests, ask(args.tool, requests))
             if answer["tokens"] != [int(np.argmax(penalize(logits, request)))]]
    check(f"greedy takes the first of the largest: {len(requests)}", not wrong, wrong)
    nan, inf = float("nan"), float("inf")
    special = [([nan, 1, nan, 1], 1), ([nan, nan], 0), ([-inf, -inf], 0), ([1, inf, inf], 1),
               ([nan, -inf], 1)]
    answers = ask(args.tool, [(logits, {"temperature": t}) for logits, _ in special for t in (0, 1)])
    check("not-a-number is never drawn, infinity always",
          [a["tokens"][0] for a in answers[::2]] == [token for _, token in special]
          and answers[1]["tokens"][0] in (1, 3) and answers[7]["tokens"][0] in (1, 2), answers)


def test_traces(args):
    rng = np.random.default_rng(13)
    requests = [(make_logits(rng, 5000, i % 4), {"temperature": 0.8, "top_k": 20}) for i in range(40)]
    wrong = []
    for (logits, request), answer in zip(requests, ask(args.tool, requests)):
        p = softmax(logits.astype(np.float64))
        bits = np.log2(p)
        entropy = -math.fsum(p * bits)
        varentropy = math.fsum(p * (bits + entropy) ** 2)
        ids, probabilities = reference(logits, request)
        top = sorted(zip(-probabilities, ids.tolist()))[:8]
        if (abs(answer["entropy"] - entropy) > 1e-11 or abs(answer["varentropy"] - varentropy) > 1e-10
                or abs(answer["probability"] - p[answer["tokens"][-1]]) > 1e-14
                or [c[0] for c in answer["candidates"]] != [i for _, i in top]
                or any(abs(c[1] + q) > 1e-12 for c, (q, _) in zip(answer["candidates"], top))):
            wrong.append((request, answer, entropy, varentropy))
    check(f"traces: {len(requests)}", not wrong, wrong)


def chi_square_limit(freedom, sigmas=4.0):
    """The Wilson-Hilferty quantile, `sigmas` of a normal variable (4: p = 3e-5)."""
    return freedom * (1 - 2 / (9 * freedom) + sigmas * math.sqrt(2 / (9 * freedom))) ** 3


def test_draws(args):
    """Draws at 200000 positions against what they are drawn from."""
    rng = np.random.default_rng(14)
    steps = 200000
    cases = {
        "temperature": (rng.normal(0, 1.5, 50), {"temperature": 0.9}),
        "top-k": (rng.normal(0, 1, 300), {"temperature": 1.2, "top_k": 12}),
        "top-p": (rng.normal(0, 1.5, 300), {"temperature": 1.0, "top_p": 0.7}),
        "min-p": (rng.normal(0, 2, 300), {"temperature": 1.5, "min_p": 0.1}),
        "another seed": (rng.normal(0, 1, 20), {"seed": 2 ** 63 + 5, "sequence": 2 ** 40 + 1}),
        "two tokens": ([0.0, math.log(3)], {}),
    }
    answers = ask(args.tool, [(logits, {**request, "steps": steps})
                              for logits, request in cases.values()])
    for (name, (logits, request)), answer in zip(cases.items(), answers):
        ids, probabilities = reference(logits, request)
        counts = Counter(answer["tokens"])
        expected = probabilities * steps
        rare = expected < 10  # counted together
        observed = np.array([counts.get(int(i), 0) for i in ids], float)
        groups = [*zip(observed[~rare], expected[~rare])]
        if rare.any():
            groups.append((observed[rare].sum(), expected[rare].sum()))
        statistic = sum((o - e) ** 2 / e for o, e in groups if e > 0)
        limit = chi_square_limit(len(groups) - 1)
        check(f"draws, {name}: chi square {statistic:.1f} of {limit:.1f} with {len(groups) - 1} degrees",
              statistic < limit and set(counts) <= set(ids.tolist()))
        # Neighbouring draws know nothing of each other.
        tokens = np.array(answer["tokens"])
        values = logits_to_uniform(tokens, ids, probabilities)
        correlation = np.corrcoef(values[:-1], values[1:])[0, 1]
        check(f"draws, {name}: neighbours correlate by {correlation:.4f}",
              abs(correlation) < 4 / math.sqrt(steps))


def logits_to_uniform(tokens, ids, probabilities):
    """The middle of each token's interval of the cumulative distribution."""
    middle = dict(zip(ids.tolist(), np.cumsum(probabilities) - probabilities / 2))
    return np.array([middle[int(t)] for t in tokens])


def philox(counter, key):
    """Philox4x32-10, from the description in its paper."""
    mask = 2 ** 32 - 1
    for _ in range(10):
        first, second = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [(second >> 32) ^ counter[1] ^ key[0], second & mask,
                   (first >> 32) ^ counter[3] ^ key[1], first & mask]
        key = [(key[0] + 0x9E3779B9) & mask, (key[1] + 0xBB67AE85) & mask]
    return counter


def test_random_numbers(args):
    """Every draw is the documented function of seed, sequence and position."""
    vocab = 1000
    logits = np.zeros(vocab, np.float32)
    seed, sequence, steps = 0x0123456789ABCDEF, 0xFEDCBA9876543210, 300
    (answer,) = ask(args.tool, [(logits, {"seed": seed, "sequence": sequence, "steps": steps})])
    expected = []
    for position in range(steps):
        words = philox([0, position, sequence & 0xFFFFFFFF, sequence >> 32],
                       [seed & 0xFFFFFFFF, seed >> 32])
        uniform = ((words[0] << 32 | words[1]) >> 11) / 2 ** 53
        expected.append(int(uniform * vocab))
    check("random numbers are Philox4x32-10", answer["tokens"] == expected)


def test_errors(args):
    bad = {"top_p": 1.5, "min_p": -0.1, "temperature": -1, "top_k": -1, "repeat_penalty": 0,
           "penalty_window": -2, "frequency_penalty": 1e9}
    answers = ask(args.tool, [([0.0], {key: value}) for key, value in bad.items()])
    for (key, value), answer in zip(bad.items(), answers):
        text = answer.get("error", "")
        check(f"refused: {key} {value}", text.startswith("sampler: ") and "expected" in text
              and "\n" not in text, text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", default="build/bin/sample-file")
    args = parser.parse_args()
    test_distributions(args)
    test_greedy(args)
    test_traces(args)
    test_draws(args)
    test_random_numbers(args)
    test_errors(args)
    print(f"{failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
