#!/usr/bin/env python3
"""The entropy samplers against float64 numpy, value by value, and their draws.

usage: entropix_against_numpy.py [--tool=build/bin/sample-file]

The rules of entropix V2 to V4 are written down here a second time, with attention
over all 4096 slots of a cache. V5 is in dirichlet_against_numpy.py.
"""

import argparse
import math
import sys
from collections import Counter

import numpy as np

import against_numpy as standard
from against_numpy import ask, check, chi_square_limit, softmax

LN2 = math.log(2)
SLOTS = 4096
STATES = ["LELV", "HELV", "LEHV", "HEHV", "adaptive"]

# ------------------------------------------------------------------- metrics


def entropies(logits):
    p = softmax(logits)
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = np.where(p > 0, np.log2(p), 0)
    entropy = -math.fsum(p * bits)
    return entropy, math.fsum(p * (bits + entropy) ** 2)


def attention(scores, compat):
    """(entropy, varentropy, agreement, interaction strength) of [heads, length]."""
    scores = scores.astype(np.float64)
    if compat:
        zeros = np.zeros((len(scores), max(0, SLOTS - scores.shape[1])))
        scores = np.concatenate([scores, zeros], axis=1)
    p = np.array([softmax(row) for row in scores])
    least = 1e-10 if compat else 1e-300
    entropy = -np.sum(p * np.log2(np.clip(p, least, 1)), axis=1)
    agreement = np.mean(np.abs(p - p.mean(axis=0)))
    return [entropy.mean(), entropy.var(), agreement, np.mean(np.abs(scores))]


# ------------------------------------------------------------ V2, V3 and V4

DEFAULTS = {
    2: dict(T=0.666, P=0.9, K=27, M=0.03, H=(0.1, 3.0, 5.0), V=(0.1, 5.0)),
    3: dict(T=0.666, P=0.9, K=27, M=0.03, H=(0.01, 0.7, 2.1), V=(0.05, 5.8),
            AE=(11.915, 11.926), AV=(0.001, 0.009), AG=(2e-6, 5e-6), IS=(0.2, 0.264)),
    4: dict(T=0.8, P=0.9, K=40, M=0.05, H=(0.8, 1.7, 2.5), V=(0.4, 1.2), AE=(1.0, 2.0),
            AV=(0.3, 0.8)),
}


def find_state(version, d, H, V, AE, AV, AG, IS, compat):
    low, med, high = d["H"]
    vlow, vhigh = d["V"]
    if version == 2:
        rules = [H < low and V < vlow, H > (high if compat else med) and V < vlow,
                 H < high and V > vhigh, H > (med if compat else high) and V > vhigh]
    elif version == 3:
        lows = AE < d["AE"][0] and AV < d["AV"][0] and AG < d["AG"][0] and IS < d["IS"][0]
        rules = [H < low and V < vlow and lows, H > high and V < vlow and lows,
                 H < high and V > vhigh and AE < d["AE"][0] and AV > d["AV"][1]
                 and AG < d["AG"][0] and IS > d["IS"][0],
                 H > med and V > vhigh and AE > d["AE"][1] and AV > d["AV"][1]
                 and AG > d["AG"][1] and IS > d["IS"][1]]
    else:
        lows = AE < d["AE"][0] and AV < d["AV"][0]
        rules = [H < low and V < vlow and lows, H > high and V < vlow and lows,
                 H < high and V > vhigh and AE < d["AE"][0] and AV > d["AV"][1],
                 H > med and V > vhigh and AE > d["AE"][1] and AV > d["AV"][1]]
    return STATES[(rules + [True]).index(True)]


def parameters(version, d, state, H, V, AE, AV, AG, IS):
    """(temperature, top-p, top-k, min-p, draws)"""
    T, P, K, M = d["T"], d["P"], d["K"], d["M"]
    if state == "HELV" and version < 4:
        return min(1.5, T * (1.3 + 0.2 * AE)), P, K, M, 1
    if state == "LEHV":
        if version == 4:
            return T, P, K, M, 1
        return min(1.5, T * (1.2 + 0.3 * IS)), P, max(5, int(K * (1 + 0.5 * (1 - AG)))), M, 1
    if state == "HEHV":
        if version == 4:
            return min(2.0, T * (0.3 + 0.25 * AV)), max(0.5, P - 0.3 * AE), K, M, 1
        return max(2.0, T * (2.0 + 0.5 * AV)), max(0.5, P - 0.2 * AE), K, M, 1
    if version == 4:
        nats = H * LN2
        T = float(np.clip(T * math.sqrt((1.2 * nats + 2.0) / (nats + 1e-6)), 0.1, 2.0))
        return T, P, K, float(np.clip(M * (1 - 0.2 * V), 0.01, 0.5)), 5
    doubt, spread = (H + V, AE + AV) if version == 2 else (H, AE)
    T = T * (1 + 0.3 * doubt + 0.2 * spread - 0.2 * AG)
    P = float(np.clip(P * (1 + 0.1 * AV), 0.1, 1))
    K = int(np.clip(np.round(K * (1 + 0.3 * IS - 0.2 * AG)), 1, 100))
    M = float(np.clip(M * (1 - 0.5 * (H + V if version == 2 else V)), 0.01, 0.5))
    return T, P, K, M, 5


def draw_from(logits, version, compat, T, P, K, M):
    """{id: probability} of one draw."""
    logits = logits.astype(np.float64)
    p = softmax(logits / T)
    if not compat:
        p[p < M * p.max()] = 0
        p /= p.sum()
    if compat and version == 4:  # an ascending stable sort, the last K
        ids = np.argsort(logits, kind="stable")[-K:]
    else:
        ids = np.lexsort((np.arange(len(p)), -logits))[:K]
        if compat:
            ids = ids[::-1]  # ascending
    p = p[ids]
    p[np.cumsum(p) - p > P] = 0
    p /= p.sum()
    return {int(i): x for i, x in zip(ids, p) if x > 0}


def best_of(choices, logits, draws):
    """{id: probability} of the most probable of several draws."""
    order = sorted(choices, key=lambda i: (logits[i], -i))
    result, below = {}, 0.0
    for i in order:
        result[i] = (below + choices[i]) ** draws - below ** draws
        below += choices[i]
    return result


def logits_with(rng, vocab, kind):
    """Logits that reach the different states."""
    if kind == 0:  # certain
        logits = rng.normal(-30, 1, vocab)
        logits[rng.integers(vocab)] = 0
    elif kind == 1:  # all alike
        logits = rng.normal(0, 0.1, vocab)
    elif kind == 2:  # one likely, a flat rest
        logits = rng.normal(0, 0.3, vocab)
        logits[rng.integers(vocab)] = math.log(vocab) + rng.uniform(0.5, 4)
    elif kind == 3:
        logits = rng.normal(0, rng.uniform(1, 8), vocab)
    elif kind == 4:  # half of the mass on a few, half on many
        logits = np.full(vocab, -40.0) + rng.normal(0, 0.01, vocab)
        many = vocab // 2
        logits[:many] = rng.normal(0, 0.05, many)
        logits[many:many + 8] = math.log(many / 8)
    elif kind == 5:
        logits = rng.integers(-4, 4, vocab).astype(float)
    else:  # nearly sure, and long tailed
        logits = rng.normal(0, 0.3, vocab)
        logits[rng.integers(vocab)] = math.log(vocab) + rng.uniform(2, 3.5)
    return logits.astype(np.float32)


def scores_with(rng):
    heads, length = int(rng.choice([1, 4, 8, 32])), int(rng.choice([1, 2, 20, 64, 300, 600]))
    return (rng.normal(0, rng.choice([0.01, 0.3, 2.0, 8.0]), (heads, length))).astype(np.float32)


def bits(values):
    return np.asarray(values, np.float32).view(np.uint32).ravel().tolist()


def test_attention(args):
    """All lengths from 1 to 600, and the closed form for unwritten slots."""
    rng = np.random.default_rng(1)
    requests, all_scores = [], []
    for length in range(1, 601):
        for compat in (False, True):
            scores = rng.normal(0, rng.choice([0.3, 3.0]), (8, length)).astype(np.float32)
            all_scores.append((scores, compat))
            requests.append(([0.0, 1.0], {
                "attention": {"heads": 8, "bits": bits(scores)},
                "config": {"sampler": "entropix-v2", "mode": "compat" if compat else "exact"}}))
    worst = 0.0
    for (scores, compat), answer in zip(all_scores, ask(args.tool, requests)):
        expected = attention(scores, compat)
        found = answer["traces"][0]["attention"]
        worst = max(worst, *(abs(a - b) / (1e-12 + abs(b)) for a, b in zip(found, expected)))
    check(f"attention statistics, lengths 1 to 600: relative error {worst:.1e}", worst < 1e-9)


def test_steps(args):
    """State, and what is drawn from, of every step."""
    rng = np.random.default_rng(2)
    requests, expected, seen = [], [], Counter()
    for i in range(1500):
        version, compat = int(rng.integers(2, 5)), bool(rng.integers(2))
        d = dict(DEFAULTS[version])
        config = {"sampler": f"entropix-v{version}", "mode": "compat" if compat else "exact"}
        if i % 2 and version > 2:  # thresholds at which all states happen
            wanted = int(rng.integers(3))  # LELV or HELV, LEHV, HEHV
            for key, name, lows in [("AE", "attention_entropy", "110"),
                                    ("AV", "attention_varentropy", "1?0"), ("AG", "agreement", "110"),
                                    ("IS", "interaction_strength", "100")]:
                if key in d:
                    d[key] = (1e3 if lows[wanted] == "1" else 0.0, 0.0)
                    config[f"low_{name}"], config[f"high_{name}"] = d[key]
        vocab = int(rng.choice([60, 500, 1500]))
        logits, scores = logits_with(rng, vocab, i % 7), scores_with(rng)
        H, V = entropies(logits.astype(np.float64))
        metrics = (H, V, *attention(scores, compat))
        state = find_state(version, d, *metrics, compat)
        # A threshold must not lie within rounding of what it is compared with.
        nudged = {find_state(version, d, *(m * f for m in metrics), compat)
                  for f in (1 - 1e-9, 1 + 1e-9)}
        if nudged != {state}:
            continue
        T, P, K, M, draws = parameters(version, d, state, *metrics)
        best = int(np.argmax(logits))
        choices = {best: 1.0} if state == "LELV" else draw_from(logits, version, compat, T, P, K, M)
        # Nor may a sum of probabilities lie at the nucleus' end.
        if state != "LELV" and any(draw_from(logits, version, compat, T, P * f, K, M).keys() != choices.keys()
                                   for f in (1 - 1e-12, 1 + 1e-12)):
            continue
        requests.append((logits, {"config": config, "candidates": 300, "attention": {
            "heads": len(scores), "bits": bits(scores)}}))
        expected.append((state, choices, metrics))
        seen[f"V{version} {state}"] += 1
    wrong = []
    for (state, choices, metrics), answer, (_, request) in zip(
            expected, ask(args.tool, requests), requests):
        trace = answer["traces"][0]
        found = dict(trace["candidates"])
        if trace["state"] != state or set(found) != set(choices):
            wrong.append((request["config"], metrics, state, trace["state"], len(found), len(choices)))
        elif (max(abs(found[i] - p) for i, p in choices.items()) > 1e-9
              or abs(trace["entropy"] - metrics[0]) > 1e-9
              or abs(trace["varentropy"] - metrics[1]) > 1e-8):
            wrong.append((request["config"], "values"))
    check(f"states and distributions: {len(requests)}", not wrong, wrong)
    missing = [f"V{v} {s}" for v in (2, 3, 4) for s in STATES if seen[f"V{v} {s}"] < 3]
    check(f"every state of every version was seen: {dict(seen)}", not missing, missing)


def chi_square(name, tokens, distribution):
    steps = len(tokens)
    counts = Counter(tokens)
    groups, rare = [], [0.0, 0.0]
    for i, p in distribution.items():
        if p * steps < 10:
            rare[0] += counts.get(i, 0)
            rare[1] += p * steps
        else:
            groups.append((counts.get(i, 0), p * steps))
    if rare[1] > 0:
        groups.append(tuple(rare))
    statistic = sum((o - e) ** 2 / e for o, e in groups)
    limit = chi_square_limit(max(1, len(groups) - 1))
    check(f"draws, {name}: chi square {statistic:.1f} of {limit:.1f} with {len(groups) - 1} degrees",
          statistic < limit and set(counts) <= set(distribution), statistic)


def test_draws(args):
    rng = np.random.default_rng(3)
    steps = 100000
    cases = []
    for version in (2, 3, 4):
        for compat in (False, True):
            for name, logits in [("warm", rng.normal(0, 1.5, 40)), ("flat", rng.normal(0, 0.4, 40))]:
                logits = logits.astype(np.float32)
                config = {"sampler": f"entropix-v{version}", "attention": False,
                          "mode": "compat" if compat else "exact", "seed": version}
                request = {"config": config, "steps": steps, "candidates": 300}
                cases.append((f"V{version} {config['mode']} {name}", logits, request, version, compat))
    answers = ask(args.tool, [(logits, request) for _, logits, request, _, _ in cases])
    for (name, logits, _, version, compat), answer in zip(cases, answers):
        state = answer["traces"][0]["state"]
        H, V = entropies(logits.astype(np.float64))
        T, P, K, M, draws = parameters(version, DEFAULTS[version], state, H, V, 0, 0, 0, 0)
        choices = draw_from(logits, version, compat, T, P, K, M)
        chi_square(f"{name} ({state}, best of {draws})", answer["tokens"],
                   best_of(choices, logits, draws))


def test_bugs_by_name(args):
    """What compat does wrong and exact does right."""
    flat = np.zeros(27, np.float32)
    flat[:2] = 0.02
    peaked = np.array([0.0] + [-4.0] * 26, np.float32)
    base = {"attention": False, "samples": 1, "low_entropy": 0, "low_varentropy": 0,
            "high_varentropy": 1e6, "adaptive_entropy_coefficient": 0, "temperature": 1, "top_k": 27}

    def ids(logits, **options):
        (answer,) = ask(args.tool, [(logits, {"candidates": 300, "config": {
            "sampler": "entropix-v2", **base, **options}})])
        return {c[0] for c in answer["traces"][0]["candidates"]}

    minp = {"min_p": 0.5, "adaptive_min_p_coefficient": 0}
    check("min-p has no effect in compat", len(ids(peaked, mode="compat", top_p=1, **minp)) == 27)
    check("min-p acts in exact", ids(peaked, mode="exact", top_p=1, **minp) == {0})
    check("the ascending nucleus drops the most probable in compat",
          not ids(flat, mode="compat", top_p=0.9) & {0, 1})
    check("the nucleus keeps the most probable in exact",
          ids(flat, mode="exact", top_p=0.9) >= {0, 1} and len(ids(flat, mode="exact", top_p=0.5)) < 27)

    def state(sampler, logits, mode, **options):
        (answer,) = ask(args.tool, [(logits, {"config": {"sampler": sampler, "mode": mode,
                                                          "attention": False, **options}})])
        return answer["traces"][0]["state"]

    twelve = np.zeros(12, np.float32)  # 3.6 bits, no varentropy
    check("V2: high entropy is 5 bits for HELV in compat", state("entropix-v2", twelve, "compat") == "adaptive")
    check("V2: high entropy is 3 bits for HELV in exact", state("entropix-v2", twelve, "exact") == "HELV")
    (slots,) = ask(args.tool, [([0.0, 1.0], {"config": {"sampler": "entropix-v2", "mode": "compat"},
                                             "attention": {"heads": 2, "bits": bits(np.zeros((2, 20)))}})])
    check("unwritten slots count in compat: 12 bits for 20 positions",
          abs(slots["traces"][0]["attention"][0] - 12) < 1e-9, slots)


def test_errors(args):
    for config, expected in [
            ({"sampler": "entropix-v9"}, "sampler: sampler is \"entropix-v9\", expected one of greedy,"),
            ({"sampler": "entropix-v2", "mode": "bug"}, "sampler: mode is \"bug\", expected exact or compat"),
            ({"sampler": "entropix-v2", "low_agreement": 1}, "sampler: 'low_agreement' is not an option of"),
            ({"sampler": "entropix-v3", "low_entropy": -1}, "sampler: low_entropy is -1, expected 0 to"),
            ({"sampler": "entropix-v4", "samples": 1.5}, "sampler: samples is 1.5, expected a whole"),
            ({"sampler": "entropix-v2", "clarify": "x"}, "sampler: clarify is \"x\", expected no text"),
            ({"sampler": "entropix-v2"}, "sampler: it needs attention scores")]:
        (answer,) = ask(args.tool, [([0.0, 1.0], {"config": config})])
        text = answer.get("error", "")
        check(f"refused: {config}", text.startswith(expected) and "\n" not in text, text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", default="build/bin/sample-file")
    args = parser.parse_args()
    test_attention(args)
    test_steps(args)
    test_draws(args)
    test_bugs_by_name(args)
    test_errors(args)
    print(f"{standard.failures} failed")
    return 1 if standard.failures else 0


if __name__ == "__main__":
    sys.exit(main())
