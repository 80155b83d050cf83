"""Compares every row of logits of a compiled model with the reference.

    python logits.py MODEL.so CHECKPOINT --activations=f32

llama-generate goes on greedily from a prompt; the reference is fed the same
ids, the generated ones included, so that a close decision does not end the
comparison. Errors are 2-norms of differences over 2-norms of what is expected.

f32: a row's error is at most (7 layers + 1) sqrt(n) 2^-24, n being the most
terms in a product: the rounding errors of n terms add up like a random walk to
sqrt(n) 2^-24 of the result, and a logit is behind 7 products a layer and one
more, whose errors may all point the same way. But never more than 1e-4.

bf16: a step of bfloat16 is 2^-8 of a number, so results are off by about 1 %,
however well the compiler does its work. Therefore (see rounded.py)
  - a row's error against the rounding reference is at most 2e-2,
  - all rows together: the error against the exact reference is at most 2e-2,
  - of 16 prompts of three ids, at least four agree with the rounding reference
    as f32 does with the exact one. In those no number was tipped over; if
    anything were rounded that should not be, or the other way round, none would
    agree. (Of a model with many layers none would anyway: for small ones only.)

Exit code 0: they agree, 1: they do not.
"""

import argparse
import math
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "reference"))
import forward  # noqa: E402
import program  # noqa: E402
import rounded  # noqa: E402
from compare import compare_logits  # noqa: E402

BF16_LIMIT = 2e-2


def f32_limit(model):
    c = model.config
    terms = max(c.hidden, c.heads * c.head_dim, len(model.layers[0].gate.tensor))
    return min((7 * c.layers + 1) * math.sqrt(terms) * 2.0**-24, 1e-4)


def within(name, value, limit):
    print(f"{name}: {value:.3g}, at most {limit:.3g}{'' if value <= limit else ': FAILED'}")
    return value <= limit


def distance(expected, actual):
    """Of all rows together; infinities must be the same."""
    with np.errstate(invalid="ignore"):
        difference = np.where(expected == actual, 0, actual - expected)
    return float(np.linalg.norm(difference) / np.linalg.norm(expected[np.isfinite(expected)]))


def check_f32(exact, actual, prompt, limit):
    """Rows of a prompt and generated rows come from different kernels."""
    parts = {"prompt": slice(0, prompt), "generated": slice(prompt, None)}
    return all([within(f"f32 {name} rows, worst", compare_logits(exact[part], actual[part]).max_relative, limit)
                for name, part in parts.items() if len(exact[part])])


def short_errors(so, rounding, prompts=16):
    """Of short prompts, against the rounding reference; ascending."""
    errors = []
    for seed in range(prompts):
        prompt = program.random_prompt(3, len(rounding.embedding.tensor), seed)
        ids, actual = program.generate(so, prompt, 2)
        expected = rounding.forward(prompt + ids[:1], rounding.new_cache())
        errors.append(compare_logits(expected, actual).max_relative)
    return sorted(errors)


def check_rounding(so, reference, unrounded, prompts=32):
    """Whether a model agrees with a reference that rounds to integers where the model does.

    Arithmetic of float32 now and then tips a number over the middle of two integers.
    Therefore all rows together may be off by as much as that rounding moves them, but of
    `prompts` prompts of three ids, if there are any, four must agree as f32 models do: in
    those no number was tipped over.
    """
    prompt = program.random_prompt(70, len(reference.embedding.tensor))
    ids, actual = program.generate(so, prompt, 6)
    fed = prompt + ids[:-1]
    expected = reference.forward(fed, reference.new_cache())
    moved = distance(unrounded.forward(fed, unrounded.new_cache()), expected)
    agrees = within("all rows together", distance(expected, actual), moved)
    if prompts:
        agrees &= within("short prompts, fourth best", short_errors(so, reference, prompts)[3], f32_limit(reference))
    return agrees


def check_bf16(so, exact, rounding, fed, actual):
    expected = rounding.forward(fed, rounding.new_cache())
    return all([
        within("bf16 rows, worst, to the rounding reference",
               compare_logits(expected, actual).max_relative, BF16_LIMIT),
        within("bf16, together, to the exact reference",
               distance(exact.forward(fed, exact.new_cache()), actual), BF16_LIMIT),
        within("bf16 short prompts, fourth best, to the rounding reference",
               short_errors(so, rounding)[3], f32_limit(exact))])


def check(so, checkpoint, activations, prompt, tokens):
    """Whether all rows agree. `prompt`: ids, or how many random ones."""
    exact = forward.Model(checkpoint)
    if isinstance(prompt, int):
        prompt = program.random_prompt(prompt, len(exact.embedding.tensor))
    ids, actual = program.generate(so, prompt, tokens)
    best = np.argmax(actual[len(prompt) - 1 :], axis=1).tolist()[:tokens]
    if best != ids:
        print(f"FAILED: the generated ids {ids} are not the best of their rows, {best}")
        return False
    fed = prompt + ids[:-1]
    if activations == "bf16":
        return check_bf16(so, exact, rounded.RoundedModel(checkpoint), fed, actual)
    return check_f32(exact.forward(fed, exact.new_cache()), actual, len(prompt), f32_limit(exact))


def encode(checkpoint, path, count):
    """The first ids of a text by the tokenizers package."""
    import tokenizers

    tokenizer = tokenizers.Tokenizer.from_file(f"{checkpoint}/tokenizer.json")
    ids = tokenizer.encode(pathlib.Path(path).read_text(encoding="utf-8")).ids
    if len(ids) < count:
        raise SystemExit(f"{path}: expected {count} tokens, found {len(ids)}")
    return ids[:count]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("checkpoint")
    parser.add_argument("--activations", choices=("f32", "bf16"), required=True)
    parser.add_argument("--prompt", type=int, default=70, metavar="N",
                        help="ids (default 70: more than a block of the cache)")
    parser.add_argument("--text", metavar="FILE", help="the ids are those of a text, else random")
    parser.add_argument("--tokens", type=int, default=6, metavar="N", help="generated after them (default 6)")
    o = parser.parse_args()
    prompt = encode(o.checkpoint, o.text, o.prompt) if o.text else o.prompt
    return not check(o.model, o.checkpoint, o.activations, prompt, o.tokens)


if __name__ == "__main__":
    sys.exit(main())
