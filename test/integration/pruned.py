"""What models with a pruned output matrix have in common.

    python pruned.py same MODEL.so OTHER.so...       the same logits, bit for bit
    python pruned.py samplers MODEL.so 200,3,17      only these ids ever come out
    python pruned.py columns MODEL.so 7,200 WHOLE.so     their logits are the first of WHOLE

Exit code 0: so it is, 1: it is not.
"""

import sys

import numpy as np

import program

VOCAB = 256
SAMPLERS = ("greedy", "standard", "entropix-v2", "entropix-v3", "entropix-v4", "entropix-v5")


def same(models):
    """Whether all models compute the same bits."""
    prompt = program.random_prompt(70, VOCAB)
    ids, first = program.generate(models[0], prompt, 4)
    for model in models[1:]:
        found_ids, found = program.generate(model, prompt, 4)
        if found_ids != ids or found.tobytes() != first.tobytes():
            print(f"FAILED: {model}: other logits than {models[0]}")
            return False
    return True


def samplers(model, live):
    """Whether no sampler chooses a token that has no row, and none is stuck."""
    passed = True
    for name in SAMPLERS:
        ids, logits = program.generate(model, program.random_prompt(5, VOCAB), 24, f"--sampler={name}", "--seed=3")
        dead = np.delete(logits, live, axis=1)
        good = set(ids) <= set(live) and np.isneginf(dead).all() and np.isfinite(logits[:, live]).all()
        print(f"{name}: {'' if good else 'FAILED: '}{sorted(set(ids))}")
        passed &= bool(good)
    return passed


def columns(model, live, whole):
    """Whether the logits of `live` are the first columns of the whole model's, to the bit."""
    prompt = program.random_prompt(70, VOCAB)
    _, found = program.generate(model, prompt, 0)
    _, expected = program.generate(whole, prompt, 0)
    dead = np.delete(found, live, axis=1)
    same = found[:, live].tobytes() == expected[:, : len(live)].tobytes()
    print(f"{model}: {'the same' if same else 'FAILED: other'} logits as {whole}")
    return bool(same and np.isneginf(dead).all())


def main():
    kind, *arguments = sys.argv[1:]
    if kind == "same":
        return not same(arguments)
    if kind == "columns":
        return not columns(arguments[0], program.split(arguments[1]), arguments[2])
    return not samplers(arguments[0], program.split(arguments[1]))


if __name__ == "__main__":
    sys.exit(main())
