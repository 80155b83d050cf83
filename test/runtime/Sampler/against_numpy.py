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


def f32(config, name, default):
    """The library keeps the standard sampler's options in single precision."""
    return float(np.float32(config.get(name, default)))


def window_of(history, size):
    return history if size < 0 else history[max(0, len(history) - size):]


def softmax(values):
    weights = np.exp(values - np.max(values))
    return weights / math.fsum(weights)


class Chain:
    """What is left, largest first, then lowest id; logits are float32 until the temperature acts."""

    ORDER = ["penalties", "dry", "top_n_sigma", "top_k", "typ_p", "top_p", "min_p", "xtc",
             "temperature"]

    def __init__(self, logits, request):
        self.config = request.get("config", {})
        self.history = request.get("history", [])
        self.coin = request.get("coin", 1.0)
        self.logits = np.array(logits, np.float32)
        for token, bias in self.config.get("logit_bias", {}).items():
            if int(token) < len(self.logits):
                self.logits[int(token)] += np.float32(-np.inf if bias is False else bias)
        self.logits[np.isnan(self.logits)] = -np.inf
        self.ids = np.arange(len(self.logits))
        self.scale = 1.0
        self.breakers = []

    def sort(self):
        order = np.lexsort((self.ids, -self.logits.astype(np.float64)))
        self.ids, self.logits = self.ids[order], self.logits[order]

    def keep(self, mask_or_count):
        chosen = (slice(0, mask_or_count) if isinstance(mask_or_count, int)
                  else np.asarray(mask_or_count))
        self.ids, self.logits = self.ids[chosen], self.logits[chosen]

    def p(self):
        return softmax(self.logits.astype(np.float64) / self.scale)

    def entropy(self):
        p = self.p()
        return -math.fsum(x * math.log(x) for x in p if x > 0)

    def penalties(self):
        config = self.config
        repeat = np.float32(config.get("repeat_penalty", 1))
        for token, count in Counter(window_of(self.history, config.get("repeat_last_n", 64))).items():
            for at in np.flatnonzero(self.ids == token):
                # In single precision, as the logits are, but for logits of another temperature.
                kind = np.float32 if self.scale == 1 else np.float64
                old = kind(self.logits[at]) / kind(self.scale)
                new = old * repeat if old <= 0 else old / repeat
                new -= (kind(count) * np.float32(config.get("frequency_penalty", 0))
                        + np.float32(config.get("presence_penalty", 0)))
                self.logits[at] = np.float32(kind(self.scale) * new)

    def dry(self):
        """Quadratic, with nothing clever: for every token that came before, how much of what
        stands before it stands at the end too."""
        config = self.config
        multiplier = f32(config, "dry_multiplier", 0)
        base, allowed = f32(config, "dry_base", 1.75), config.get("dry_allowed_length", 2)
        history = window_of(self.history, config.get("dry_penalty_last_n", -1))
        if multiplier == 0 or base < 1 or not history:
            return
        longest = {}
        for i in range(1, len(history)):
            length = 0
            while length < i and history[i - 1 - length] == history[-1 - length]:
                length += 1
            if length >= allowed:
                longest[history[i]] = max(longest.get(history[i], 0), length)
        limit = math.floor(math.log(3.4028234663852886e38) / math.log(base)) if base > 1.000001 else 1e9
        for token, length in longest.items():
            for at in np.flatnonzero(self.ids == token):
                penalty = multiplier * base ** min(length - allowed, limit)
                self.logits[at] = np.float32(float(self.logits[at]) - self.scale * penalty)

    def top_n_sigma(self):
        n = f32(self.config, "top_n_sigma", -1)
        values = self.logits.astype(np.float64)
        if n > 0 and np.isfinite(values.max()):
            finite = values[np.isfinite(values)]
            self.keep(values >= values.max() - n * np.std(finite))

    def top_k(self):
        if self.config.get("top_k", 0) > 0:
            self.keep(self.config["top_k"])

    def typ_p(self):
        mass = f32(self.config, "typical_p", 1)
        if mass >= 1:
            return
        p, entropy = self.p(), self.entropy()
        with np.errstate(divide="ignore"):
            score = np.abs(-np.log(p) - entropy)
        order, total, kept = np.lexsort((self.ids, -self.logits.astype(np.float64), score)), 0.0, []
        for i in order:
            if p[i] == 0 or total > mass:
                break
            kept.append(i)
            total = math.fsum(p[kept]) if len(kept) < 64 else total + p[i]
        self.keep(np.sort(kept))

    def top_p(self):
        mass = f32(self.config, "top_p", 1)
        if mass >= 1:
            return
        p, total, kept = self.p(), 0.0, 0
        while kept < len(p):
            total = math.fsum(p[:kept + 1]) if kept < 64 else total + p[kept]
            kept += 1
            if total >= mass:
                break
        self.keep(kept)

    def min_p(self):
        share = f32(self.config, "min_p", 0)
        if share > 0:
            p = self.p()
            self.keep(p >= share * p[0])

    def xtc(self):
        threshold = f32(self.config, "xtc_threshold", 0.1)
        if threshold > 0.5 or self.coin >= f32(self.config, "xtc_probability", 0):
            return
        above = int(np.sum(self.p() >= threshold))
        if above >= 2:
            self.keep(np.arange(len(self.ids)) >= above - 1)

    def temperature(self):
        temperature = f32(self.config, "temperature", 1)
        spread = f32(self.config, "dynatemp_range", 0)
        if spread > 0:
            if len(self.ids) < 2:
                return
            low, high = max(0.0, temperature - spread), temperature + spread
            part = self.entropy() / math.log(len(self.ids))
            temperature = low + (high - low) * part ** f32(self.config, "dynatemp_exponent", 1)
        if temperature < 1e-6:
            self.keep(1)
        else:
            self.scale *= temperature

    def mirostat(self):
        """Version 1 (Basu et al. 2021) or 2, at the state it starts with."""
        self.temperature()
        surprise = 2 * f32(self.config, "mirostat_tau", 5)
        p = self.p()
        if self.config["mirostat"] == 2:
            self.keep(max(1, int(np.sum(-np.log2(p) <= surprise))))
            return
        n = min(100, len(p)) - 1
        t = np.log((np.arange(n) + 2) / (np.arange(n) + 1))
        s = math.fsum(t * np.log(p[:n] / p[1:n + 1])) / math.fsum(t * t)
        k = ((s - 1) * 2 ** surprise / (1 - len(p) ** -(s - 1))) ** (1 / s)
        self.keep(max(1, int(min(k, len(p)))))

    def run(self):
        self.sort()
        if self.config.get("mirostat"):
            self.mirostat()
        else:
            order = self.config.get("samplers", ";".join(self.ORDER))
            for step in order.split(";"):
                getattr(self, step)()
                self.sort()
        order = np.argsort(self.ids)
        self.ids, self.logits = self.ids[order], self.logits[order]
        return self.ids, self.p()


def reference(logits, request):
    """(ids, probabilities), ascending ids."""
    return Chain(logits, request).run()


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


def repetitive(rng, vocab):
    """A history with repetitions, some of them at its end."""
    part = rng.integers(-1, vocab + 1, rng.integers(1, 12)).tolist()
    history = rng.integers(-1, vocab + 1, rng.integers(1, 60)).tolist() + part
    history += rng.integers(-1, vocab + 1, rng.integers(0, 9)).tolist()
    return history + part[:rng.integers(0, len(part) + 1)] * int(rng.integers(1, 3))


def make_request(rng, vocab):
    config = {}
    request = {"config": config, "coin": float(rng.random())}

    def maybe(name, *values):
        if rng.random() < 0.35:
            config[name] = rng.choice(values).item()

    if rng.random() < 0.5:
        request["history"] = repetitive(rng, vocab)
        maybe("repeat_penalty", 1.1, 1.5, 0.8)
        maybe("frequency_penalty", 0.3, -0.2)
        maybe("presence_penalty", 0.5)
        maybe("repeat_last_n", 0, 1, 10, 64, -1)
        maybe("dry_multiplier", 0.8, 2.0)
        maybe("dry_base", 1.5, 1.0, 0.9, 3.0)
        maybe("dry_allowed_length", 1, 2, 4)
        maybe("dry_penalty_last_n", 0, 5, 30, -1)
    if rng.random() < 0.2 and vocab > 10:
        config["logit_bias"] = {str(i): rng.choice([1.5, -3.0]).item() for i in rng.integers(0, vocab, 3)}
        config["logit_bias"][str(rng.integers(0, vocab))] = False
    maybe("top_n_sigma", 0.7, 1.0, 2.5, -1.0)
    maybe("top_k", 1, 2, 5, 40, 1000, 10 ** 6)
    maybe("typical_p", 0.11, 0.53, 0.91)
    maybe("top_p", 0.0, 0.1, 0.5, 0.9, 0.95, 0.999)
    maybe("min_p", 0.001, 0.05, 0.3, 1.0)
    maybe("xtc_probability", 0.5, 1.0)
    maybe("xtc_threshold", 0.07, 0.03, 0.31, 0.6)
    maybe("dynatemp_range", 0.3, 2.0)
    maybe("dynatemp_exponent", 0.5, 2.0)
    config["temperature"] = float(rng.choice([0.1, 0.7, 1.0, 1.3, 5.0]))
    if rng.random() < 0.3:
        config["samplers"] = ";".join(rng.permutation(Chain.ORDER))
    return request


def test_distributions(args):
    """Which tokens are left is exact, how probable they are to rounding."""
    rng = np.random.default_rng(11)
    requests = []
    for i in range(2000):
        vocab = int(rng.choice([1, 2, 7, 100, 512, 5000]))
        requests.append((make_logits(rng, vocab, i % 6), make_request(rng, vocab)))
    requests += [(make_logits(rng, 128256, i % 6), make_request(rng, 128256)) for i in range(12)]
    wrong = []
    worst = 0.0
    for (logits, request), answer in zip(requests, ask(args.tool, requests)):
        ids, probabilities = reference(logits, request)
        ours = np.array(answer["probabilities"])
        if "error" in answer:
            wrong.append((request, answer))
            continue
        # Two units in the last place for each weight, a sum, a division, and what exp
        # makes of the rounding of the exponent: |exponent| * 2^-53. With a temperature that
        # is itself computed, twice that.
        bound = 2.0 ** -53 * (8 + len(ids) ** 0.5 + 745) * (2 if "dynatemp_range" in request["config"] else 1)
        if answer["ids"] != ids.tolist():
            wrong.append((request, len(answer["ids"]), len(ids)))
            continue
        error = np.max(np.abs(ours - probabilities))
        worst = max(worst, error / bound)
        if error > bound:
            wrong.append((request, error))
        if "xtc_probability" not in request["config"] and (
                answer["tokens"][0] not in set(ids[probabilities > 0].tolist())):
            wrong.append((request, "draws", answer["tokens"]))
    check(f"distributions: {len(requests)} (largest error {worst:.3f} of the bound)", not wrong, wrong)


def test_greedy(args):
    rng = np.random.default_rng(12)
    requests = []
    for i in range(300):
        vocab = int(rng.choice([1, 2, 100, 5000]))
        request = make_request(rng, vocab)
        request["config"]["temperature"] = 0
        for name in ("dynatemp_range", "typical_p", "xtc_probability", "samplers"):
            request["config"].pop(name, None)  # they may drop the best
        requests.append((make_logits(rng, vocab, i % 6), request))
    wrong = []
    for (logits, request), answer in zip(requests, ask(args.tool, requests)):
        chain = Chain(logits, request)
        chain.penalties()
        chain.dry()
        if answer["tokens"] != [int(np.argmax(chain.logits))]:
            wrong.append((request, answer["tokens"]))
    check(f"greedy takes the first of the largest: {len(requests)}", not wrong, wrong)
    nan, inf = float("nan"), float("inf")
    special = [([nan, 1, nan, 1], 1), ([nan, nan], 0), ([-inf, -inf], 0), ([1, inf, inf], 1),
               ([nan, -inf], 1)]
    answers = ask(args.tool, [(logits, {"config": {"temperature": t}})
                              for logits, _ in special for t in (0, 1)])
    check("not-a-number is never drawn, infinity always",
          [a["tokens"][0] for a in answers[::2]] == [token for _, token in special]
          and answers[1]["tokens"][0] in (1, 3) and answers[7]["tokens"][0] in (1, 2), answers)


def test_traces(args):
    rng = np.random.default_rng(13)
    requests = [(make_logits(rng, 5000, i % 4), {"coin": 0.5, "config": {"temperature": 0.8, "top_k": 20}})
                for i in range(40)]
    wrong = []
    for (logits, request), answer in zip(requests, ask(args.tool, requests)):
        p = softmax(logits.astype(np.float64))
        bits = np.log2(p)
        entropy = -math.fsum(p * bits)
        varentropy = math.fsum(p * (bits + entropy) ** 2)
        ids, probabilities = reference(logits, request)
        top = sorted(zip(-probabilities, ids.tolist()))[:8]
        trace = answer["traces"][0]
        if (abs(trace["entropy"] - entropy) > 1e-11 or abs(trace["varentropy"] - varentropy) > 1e-10
                or abs(trace["probability"] - p[answer["tokens"][-1]]) > 1e-14
                or [c[0] for c in trace["candidates"]] != [i for _, i in top]
                or any(abs(c[1] + q) > 1e-12 for c, (q, _) in zip(trace["candidates"], top))):
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
        "dynamic temperature": (rng.normal(0, 1.5, 50), {"dynatemp_range": 0.5}),
        "top-n-sigma": (rng.normal(0, 1, 300), {"top_n_sigma": 1.5}),
        "top-k": (rng.normal(0, 1, 300), {"temperature": 1.2, "top_k": 12}),
        "typical": (rng.normal(0, 1.5, 300), {"typical_p": 0.6}),
        "top-p": (rng.normal(0, 1.5, 300), {"temperature": 1.0, "top_p": 0.7}),
        "min-p": (rng.normal(0, 2, 300), {"temperature": 1.5, "min_p": 0.1}),
        "xtc always": ([2.0, 1.9, 1.7, 1.0, 0.5], {"xtc_probability": 1, "xtc_threshold": 0.2}),
        "penalties": (rng.normal(0, 1, 40), {"repeat_penalty": 1.5, "dry_multiplier": 0.5}),
        "mirostat 1": (rng.normal(0, 3, 300), {"mirostat": 1, "mirostat_tau": 2, "mirostat_eta": 0}),
        "mirostat 2": (rng.normal(0, 3, 300), {"mirostat": 2, "mirostat_tau": 2, "mirostat_eta": 0}),
        "another seed": (rng.normal(0, 1, 20), {"seed": 2 ** 63 + 5}),
        "two tokens": ([0.0, math.log(3)], {}),
    }
    cases = {name: (logits, {"config": config, "coin": 0.0, "sequence": 2 ** 40 + 1,
                             "history": [1, 2, 3, 4, 1, 2, 3]})
             for name, (logits, config) in cases.items()}
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
    (answer,) = ask(args.tool, [(logits, {"config": {"seed": seed}, "sequence": sequence,
                                         "steps": steps})])
    expected = []
    for position in range(steps):
        words = philox([0, position, sequence & 0xFFFFFFFF, sequence >> 32],
                       [seed & 0xFFFFFFFF, seed >> 32])
        uniform = ((words[0] << 32 | words[1]) >> 11) / 2 ** 53
        expected.append(int(uniform * vocab))
    check("random numbers are Philox4x32-10", answer["tokens"] == expected)


def test_xtc_coin(args):
    """XTC acts as often as it should: 200000 coins."""
    steps, share = 200000, 0.3
    config = {"xtc_probability": share, "xtc_threshold": 0.3, "temperature": 1}
    (answer,) = ask(args.tool, [([2.0, 1.0], {"config": config, "steps": steps})])
    (plain,) = ask(args.tool, [([2.0, 1.0], {"config": {}, "steps": steps})])
    p = softmax(np.array([2.0, 1.0]))[0]  # of the token that XTC drops: 1 is below 0.3
    check("xtc leaves a lone top choice alone", answer["tokens"] == plain["tokens"])
    config["xtc_threshold"] = 0.2
    (answer,) = ask(args.tool, [([2.0, 1.0], {"config": config, "steps": steps})])
    expected = (1 - share) * p
    found = answer["tokens"].count(0) / steps
    check(f"xtc acts with its probability: {found:.4f} of {expected:.4f}",
          abs(found - expected) < 4 * math.sqrt(expected * (1 - expected) / steps))


def test_mirostat_follows(args):
    """The state after each draw, replayed: the next step draws from what it leaves."""
    rng = np.random.default_rng(15)
    vocab, steps = 400, 300
    for version in (1, 2):
        rows = rng.normal(0, 3, (steps, vocab)).astype(np.float32)
        config = {"mirostat": version, "mirostat_tau": 3.0, "mirostat_eta": 0.25, "temperature": 0.9}
        (answer,) = ask(args.tool, [(rows.ravel(), {"config": config, "rows": steps})])
        surprise, wrong, seen = 6.0, [], []
        for row, token in zip(rows, answer["tokens"]):
            state = {"mirostat": version, "temperature": 0.9, "mirostat_tau": surprise / 2}
            chain = Chain(row, {"config": state})
            # The replayed state is not a float32 option.
            chain.config = type("Exact", (dict,), {})(state)
            ids, p = mirostat_exact(chain, surprise)
            if token not in ids:
                wrong.append((surprise, token))
                break
            observed = -math.log2(p[list(ids).index(token)])
            seen.append(observed)
            surprise -= 0.25 * (observed - 3.0)
        mean = float(np.mean(seen))
        check(f"mirostat {version} draws from what its state leaves; surprise {mean:.2f} bits for 3",
              not wrong and abs(mean - 3.0) < 0.5, wrong)


def mirostat_exact(chain, surprise):
    chain.sort()
    chain.temperature()
    p = chain.p()
    if chain.config["mirostat"] == 2:
        chain.keep(max(1, int(np.sum(p >= p.sum() * 2.0 ** -surprise))))
    else:
        n = 99
        t = np.log((np.arange(n) + 2) / (np.arange(n) + 1))
        s = math.fsum(t * np.log(p[:n] / p[1:n + 1])) / math.fsum(t * t)
        k = ((s - 1) * 2 ** surprise / (1 - len(p) ** -(s - 1))) ** (1 / s)
        chain.keep(max(1, int(min(k, len(p)))))
    return chain.ids, chain.p()


def test_errors(args):
    bad = {"top_p": 1.5, "min_p": -0.1, "temperature": -1, "top_k": -1, "repeat_penalty": 0,
           "repeat_last_n": -2, "frequency_penalty": 1e9, "typical_p": 2, "mirostat": 3,
           "xtc_threshold": -1, "top_k": 1.5, "dry_base": -1, "dry_multiplier": "a",
           "samplers": "top_k;topp", "logit_bias": [1], "seed": -1,
           "dry_sequence_breakers": "x", "sampler": "hot"}
    answers = ask(args.tool, [([0.0], {"config": {key: value}}) for key, value in bad.items()])
    for (key, value), answer in zip(bad.items(), answers):
        text = answer.get("error", "")
        check(f"refused: {key} {value}", text.startswith("sampler: ") and "expected" in text
              and "\n" not in text, text)
    (answer,) = ask(args.tool, [([0.0], {"config": {"tempature": 1}})])
    check("refused: an unknown key", answer.get("error", "")
          == "sampler: 'tempature' is not an option of the standard sampler", answer)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", default="build/bin/sample-file")
    args = parser.parse_args()
    test_distributions(args)
    test_greedy(args)
    test_traces(args)
    test_draws(args)
    test_xtc_coin(args)
    test_mirostat_follows(args)
    test_random_numbers(args)
    test_errors(args)
    print(f"{failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
