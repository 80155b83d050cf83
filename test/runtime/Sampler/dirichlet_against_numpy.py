#!/usr/bin/env python3
"""entropix V5, the Dirichlet slider, against float64 numpy, step by step.

usage: dirichlet_against_numpy.py [--tool=build/bin/sample-file]

Its rules are written down here a second time, the Dirichlet's fit with the
published 140 iterations.
"""

import argparse
import math
import sys
from collections import Counter

import numpy as np

import against_numpy as standard
from against_numpy import ask, check, philox, softmax
from entropix_against_numpy import STATES, logits_with


def digamma(x):
    x = np.array(x, np.float64)
    total = np.zeros_like(x)
    for _ in range(20):
        total -= 1 / x
        x = x + 1
    r = 1 / x ** 2
    return total + np.log(x) - 0.5 / x - r * (1 / 12 - r * (1 / 120 - r * (1 / 252 - r / 240)))


def polygammas(x):
    """trigamma and tetragamma"""
    x = np.array(x, np.float64)
    first, second = np.zeros_like(x), np.zeros_like(x)
    for _ in range(20):
        first += x ** -2.0
        second -= 2 * x ** -3.0
        x = x + 1
    r = 1 / x ** 2
    first += 1 / x + r / 2 + r / x * (1 / 6 - r * (1 / 30 - r / 42))
    second += -r - r / x - r * r * (1 / 2 - r * (1 / 6 - r / 6))
    return first, second


def fit_published(target):
    """140 steps of Halley's method with the Jacobian inverted by Sherman and Morrison."""
    a = np.ones(len(target))
    for n in range(1, 141):
        rate = max(1.2 * math.exp(-0.1 * n ** 0.75) * abs(math.cos(2 / n ** 0.25)), 1e-8)
        S = a.sum()
        (p1, p2), (s1, s2) = polygammas(a), polygammas(np.array([S]))
        u = 1 / p1
        D = 1 - s1[0] * u.sum()
        kappa = s1[0] / (D if abs(D) > 1e-12 else 1e-12)
        e = digamma(a) - digamma(np.array([S]))[0] - target
        j = u * e + kappa * np.sum(u * e) * u
        h = p2 * j - s2[0] * j.sum()
        k = u * h + kappa * np.sum(u * h) * u
        a = np.maximum(a + np.clip(rate * (-j + k / 2), -a / 2, a / 2), a / 2)
    return a


def fit(target):
    """By bisection of the one equation that is left."""
    state = {"x": np.full(len(target), 0.1)}

    def total(u):
        x, y = state["x"], target + u  # from where the last u left it
        while True:
            step = (digamma(x) - y) / polygammas(x)[0]
            x = np.where(step < x, x - step, x / 2)
            if np.max(np.abs(step) / x) < 1e-13:
                break
        state["x"] = x
        return x.sum()
    low, high = -30.0, 13.8
    while digamma(np.array([total(low)]))[0] < low:
        low *= 2
    for _ in range(60):
        u = (low + high) / 2
        low, high = (u, high) if digamma(np.array([total(u)]))[0] > u else (low, u)
    return state["x"]


def log_gamma(x):
    return np.array([math.lgamma(v) for v in np.atleast_1d(x)])


class Slider:
    FLOOR, EPS, K = -12.0, 1e-8, 6

    def __init__(self, prompt, compat, seed=0):
        self.compat, self.seed = compat, seed
        rows = [self.norm(row.astype(np.float64)) for row in prompt]
        moments = [self.moments(y) for y in rows]
        tops = [self.norm(np.sort(y)[::-1][:self.K]) for y in rows]
        self.logp = np.mean(rows, axis=0)
        self.ent_s = self.ent_n = np.mean([m[0] for m in moments])
        self.var_n = np.mean([m[1] for m in moments])
        self.var_s = 0.0
        self.topk = np.mean([self.moments(t)[0] for t in tops])
        self.cross_s, self.cvar_s = self.ent_s, 0.0
        self.cross_n, self.cvar_n = -np.mean(tops), np.var(tops)
        self.temp = 1.0
        self.alpha = fit(self.logp)
        likelihood = np.mean([self.likelihood(self.alpha, y) for y in rows])
        self.dir = likelihood if compat else -likelihood

    def norm(self, x):
        y = x - x.max()
        y = y - math.log(math.fsum(np.exp(y))) - self.EPS
        return np.where(y < self.FLOOR, math.log(self.EPS), y)

    @staticmethod
    def moments(y):
        p = np.exp(y)
        ent = -math.fsum(p * y)
        return ent, math.fsum(p * (y + ent) ** 2)

    def likelihood(self, alpha, y):
        z = log_gamma(alpha.sum())[0] - math.fsum(log_gamma(alpha))
        return math.fsum((alpha - 1) * y) + (-z if self.compat else z)

    @staticmethod
    def tune(y, target):
        T = 1.0
        for _ in range(10):
            p = softmax(y / T)
            logs = y / T - y.max() / T - math.log(math.fsum(np.exp((y - y.max()) / T)))
            mean = math.fsum(p * logs)
            m2, m3 = math.fsum(p * (logs - mean) ** 2), math.fsum(p * (logs - mean) ** 3)
            err = -mean - target
            if abs(err) < 1e-6:
                break
            d1, d2 = m2 / T, -(2 * m3 + 3 * m2) / T ** 2
            below = 2 * d1 * d1 - err * d2
            step = (2 * err * d1 / below if below else err / d1 if d1
                    else math.copysign(0.1 * T, err))
            T = max(T - min(max(step, -T / 2), T / 2), T / 2)
        return T

    def uniform(self, position, index):
        words = philox([index, position, 0, 0], [self.seed, 0])
        return ((words[0] << 32 | words[1]) >> 11) / 2 ** 53

    def pick(self, ids, p, position):
        at = int(np.searchsorted(np.cumsum(p) / np.sum(p), self.uniform(position, 0), side="right"))
        return int(ids[min(at, len(ids) - 1)])

    def step(self, logits, position):
        """(token, {id: probability} of what it was chosen from)"""
        y = self.norm(logits)
        E, Va = self.moments(y)
        self.ent_n += 0.7 * (E - self.ent_n)
        self.var_n += 0.7 * (Va - self.var_n)
        s = np.array([self.cross_s, self.cross_n, self.ent_s, self.ent_n])
        d = np.sqrt([self.cvar_s, self.cvar_n, self.var_s, self.var_n])
        o = (s @ np.full((4, 4), 1.3) @ d + 0.8 * s.sum() + 0.8 * d.sum() + 1.2 * E + 1.2 * Va
             + self.bias)
        outlier = bool(o > 0)
        ids = np.lexsort((np.arange(len(y)), -y))[:self.K]
        top = self.norm(y[ids])
        Ek, old_topk = self.moments(top)[0], self.topk
        self.topk += 0.7 * (Ek - self.topk)
        token, chosen_from = None, None
        if not outlier:
            if Ek < 0.1 * old_topk + 1.2:
                token = int(ids[0])
                chosen_from = {token: 1.0}
            else:
                p = softmax(top / self.tune(top, old_topk))
                token = self.pick(ids, p, position)
                chosen_from = dict(zip(ids.tolist(), p))
        if math.isnan(self.cross_n):
            return token, chosen_from
        target = s.sum() + 8.0 / self.temp
        T = min(max(self.tune(y, target), 1e-4), 1e4)
        self.temp += 0.7 * (T - self.temp)
        ys = self.norm(y / T)
        p = np.exp(ys)
        kl = math.fsum(p * (ys - self.logp))
        part = 4.0 ** (-3.0 / (kl + self.EPS))
        minus = -self.likelihood(self.alpha, ys)
        limit = 0.1 * self.dir + 1.2
        self.logp = self.logp + part * (ys - self.logp)
        self.alpha = fit(self.logp)
        self.dir += 0.7 * (minus - self.dir)
        q = self.alpha / self.alpha.sum()  # the mean: wild = 0
        kl = math.fsum(q * (np.log(q) - ys))
        c = 1 - 10.0 ** (-1.0 / (kl + self.EPS))
        r = c * q + (1 - c) * p
        if outlier and minus < limit:
            token, chosen_from = int(np.argmax(r)), dict(enumerate(r / r.sum()))
        elif outlier:
            token, chosen_from = self.pick(np.arange(len(q)), q, position), dict(enumerate(q))
        logs = np.log(r + self.EPS)
        ent = -math.fsum(r * logs)
        var = math.fsum(r * (logs + ent) ** 2)
        self.ent_s += 0.7 * (ent - self.ent_s)
        self.var_s += 0.7 * (var - self.var_s)
        naked = y[token]
        if self.compat:
            with np.errstate(invalid="ignore"):
                naked = float(np.log(np.float32(y[token]) + np.float32(self.EPS)))
        self.cross_s = 0.65 * -logs[token] + 0.35 * self.cross_s
        self.cvar_s = 0.75 * (self.cross_s - logs[token]) ** 2 + 0.25 * self.cvar_s
        self.cross_n = 0.65 * -naked + 0.35 * self.cross_n
        self.cvar_n = 0.65 * (self.cross_n - naked) ** 2 + 0.35 * self.cvar_n
        return token, chosen_from

    bias = 0.0

    def sample(self, logits, position):
        logits = logits.astype(np.float64)
        E, Va = self.moments(self.norm(logits))
        lehv = 2.5 if self.compat else 1.2
        rules = [E < 0.3 and Va < 1.2, E > 2.5 and Va < 1.2, E < lehv and Va > 2.5,
                 E > 1.2 and Va > 2.5]
        state = (STATES[:4] + ["LELV" if self.compat else "adaptive"])[(rules + [True]).index(True)]
        before = dict(self.__dict__)
        token, choices = self.step(logits, position)
        if state == "HEHV":
            self.__dict__.update(before)
            logits[token] = -np.inf
            if not self.compat:
                self.uniform = lambda at, index: Slider.uniform(self, at, index + 2 ** 31)
            token, choices = self.step(logits, position)
            self.__dict__.pop("uniform", None)
        return state, token, choices


def test_slider(args):
    """Eight sequences of 40 steps: state, token and distribution of each."""
    rng = np.random.default_rng(5)
    requests, expected, seen = [], [], Counter()
    for i in range(8):
        compat, vocab, prompt, steps = bool(i % 2), 150, 5, 40
        rows = np.array([logits_with(rng, vocab, int(rng.choice([1, 2, 3, 3, 4])))
                         for _ in range(prompt + steps)])
        bias = -60.0 if i in (4, 6) else 0.0  # so that exact has inliers too
        slider = Slider(rows[:prompt], compat, seed=7)
        slider.bias = bias
        answers = []
        for position, row in enumerate(rows[prompt:]):
            answers.append(slider.sample(row, position))
            seen[f"{'compat' if compat else 'exact'} {answers[-1][0]}"] += 1
        expected.append(answers)
        requests.append((rows.ravel(), {
            "rows": prompt + steps, "prompt_rows": prompt, "trace_all": True, "candidates": 300,
            "config": {"sampler": "entropix-v5", "mode": "compat" if compat else "exact",
                       "wild": False, "seed": 7, "outlier_bias": bias}}))
    wrong, worst = [], 0.0
    for number, (answers, answer) in enumerate(zip(expected, ask(args.tool, requests))):
        for position, ((state, token, choices), trace, ours) in enumerate(
                zip(answers, answer["traces"], answer["tokens"])):
            found = dict(trace["candidates"])
            error = max(abs(found.get(i, 0) - p) for i, p in choices.items())
            worst = max(worst, error)
            if trace["state"] != state or ours != token or error > 1e-6:
                wrong.append((number, position, state, trace["state"], token, ours, error))
                break
    check(f"V5, 320 steps with the Dirichlet's mean: error {worst:.1e}; {dict(seen)}", not wrong, wrong)


def test_fit(args):
    """The one equation and the published iterations agree."""
    rng = np.random.default_rng(6)
    target = np.mean([Slider.norm(Slider, rng.normal(0, 2, 60)) for _ in range(9)], axis=0)
    published, ours = fit_published(target), fit(target)
    error = np.max(np.abs(published / ours - 1))
    check(f"the published 140 iterations reach the same Dirichlet: {error:.1e}", error < 1e-3)


def test_wild(args):
    """Draws of the Dirichlet: the mean of q over many steps is alpha over its sum, and the
    variance Dirichlet's."""
    rng = np.random.default_rng(8)
    vocab, steps = 12, 3000
    row = rng.normal(0, 1.0, vocab).astype(np.float32)
    prompt = np.array([row + rng.normal(0, 1.0, vocab) for _ in range(30)], np.float32)
    slider = Slider(prompt, False)
    # One step moves the picture; each sequence number draws another q from the same state.
    config = {"sampler": "entropix-v5", "dirichlet_bias": -1e6, "clarify": "", "medium_entropy": 1e3,
              "low_entropy": 0, "high_entropy": 1e3}
    requests = [(np.concatenate([prompt.ravel(), row]), {
        "rows": 31, "prompt_rows": 30, "candidates": 300, "sequence": i, "config": config})
        for i in range(steps)]
    draws = np.zeros((steps, vocab))
    for i, answer in enumerate(ask(args.tool, requests)):
        for token, p in answer["traces"][0]["candidates"]:
            draws[i, token] = p
    slider.step(row.astype(np.float64), 0)
    total = slider.alpha.sum()
    mean = slider.alpha / total
    variance = mean * (1 - mean) / (total + 1)
    off = np.max(np.abs(draws.mean(axis=0) - mean) / np.sqrt(variance / steps))
    fourth = np.mean((draws - mean) ** 4, axis=0)
    far = np.max(np.abs(draws.var(axis=0) - variance) / np.sqrt((fourth - variance ** 2) / steps))
    check(f"the Dirichlet's draws have its means, within {off:.1f} standard errors", off < 4.5)
    check(f"and its variances, within {far:.1f} standard errors", far < 4.5)


def test_compat_collapse(args):
    """After the first token the published V5 is the best of six or a draw from them."""
    rng = np.random.default_rng(9)
    rows = rng.normal(0, 3, (30, 200)).astype(np.float32)
    (answer,) = ask(args.tool, [(rows.ravel(), {
        "rows": 30, "prompt_rows": 2, "trace_all": True, "candidates": 300,
        "config": {"sampler": "entropix-v5", "mode": "compat", "low_varentropy": 0,
                   "high_varentropy": 1e6}})])
    sizes = [len(trace["candidates"]) for trace in answer["traces"]]
    check("a surprise of NaN makes every token of compat an inlier",
          sizes[0] > 6 and set(sizes[1:]) <= {1, 6}, sizes)


def test_errors(args):
    for config, expected in [
            ({"sampler": "entropix-v5", "outlier_topk": 0}, "sampler: outlier_topk is 0, expected 1 to"),
            ({"sampler": "entropix-v5", "wild": "yes"}, "sampler: wild is \"yes\", expected a number")]:
        (answer,) = ask(args.tool, [([0.0, 1.0], {"config": config})])
        text = answer.get("error", "")
        check(f"refused: {config}", text.startswith(expected) and "\n" not in text, text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", default="build/bin/sample-file")
    args = parser.parse_args()
    test_fit(args)
    test_slider(args)
    test_wild(args)
    test_compat_collapse(args)
    test_errors(args)
    print(f"{standard.failures} failed")
    return 1 if standard.failures else 0


if __name__ == "__main__":
    sys.exit(main())
