"""Compares a model that an emulator runs with a reference, and with itself.

    python agrees.py MODEL.so CHECKPOINT --activations=f32 [--prompt=20]
    python agrees.py MODEL.so CHECKPOINT --activations=bf16
    python agrees.py MODEL.so CHECKPOINT --activations=f32 --bits=8 --group=32 [--found]
        [--activation-bits=16]
    python agrees.py MODEL.so CHECKPOINT --activations=f32 --kv-type=int8

The same rules as test/integration's logits.py, quantized.py, int8-cache.py and
same-bits.py, with fewer runs, for each takes a second: f32 agrees with the reference in
every row; what is rounded agrees as closely with the reference that rounds for one of
four prompts of three ids, rows of 16 bits as quantized.py says; two threads, chunks of
seven rows and company change no bit.

Exit code 0: they agree, 1: they do not.
"""

import argparse
import importlib
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "integration"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "reference"))
import forward  # noqa: E402
import logits  # noqa: E402
import program  # noqa: E402
import quantized  # noqa: E402
import rounded  # noqa: E402

TOKENS = 4
SHORT_PROMPTS = 4


def has_same_bits(model, prompt, vocab, ids, expected):
    beside = f"--beside-ids={program.join(program.random_prompt(9, vocab))}"
    same = True
    for flags in (["--threads=2"], ["--threads=2", "--batch-rows=7", beside]):
        other, actual = program.generate(model, prompt, TOKENS, *flags)
        rows = np.flatnonzero((expected.view(np.uint32) != actual.view(np.uint32)).any(axis=1))
        if other != ids or len(rows):
            print(f"FAILED: {flags[:2]}: {len(rows)} rows differ, of {len(expected)}")
            same = False
    return same


def make_reference(o, exact):
    """The one that rounds where the model does; None for f32."""
    if o.bits:
        quantize = (quantized.as_found(o.model, exact.config) if o.found
                    else quantized.as_defined(o.bits, o.group, False))
        return quantized.QuantizedModel(o.checkpoint, quantize)
    if o.kv_type:
        return importlib.import_module("int8-cache").Int8CacheModel(o.checkpoint)
    return rounded.RoundedModel(o.checkpoint) if o.activations == "bf16" else None


def agrees(o, exact, prompt, ids, actual):
    limit, reference = logits.f32_limit(exact), make_reference(o, exact)
    if o.activation_bits == 16:
        return logits.check_rounding(o.model, reference.round_rows(quantized.WIDE), reference.round_rows(None), 0)
    if reference:
        return logits.within("short prompts, best", logits.short_errors(o.model, reference, SHORT_PROMPTS)[0], limit)
    expected = exact.forward(prompt + ids[:-1], exact.new_cache())
    return logits.check_f32(expected, actual, len(prompt), limit)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("checkpoint")
    parser.add_argument("--activations", choices=("f32", "bf16"), required=True)
    parser.add_argument("--bits", type=int, choices=(4, 8))
    parser.add_argument("--group", type=int)
    parser.add_argument("--found", action="store_true")
    parser.add_argument("--activation-bits", type=int, choices=(8, 16), default=8)
    parser.add_argument("--kv-type", choices=("int8",))
    parser.add_argument("--prompt", type=int, default=20)
    o = parser.parse_args()
    exact = forward.Model(o.checkpoint)
    vocab = len(exact.embedding.tensor)
    prompt = program.random_prompt(o.prompt, vocab)
    ids, actual = program.generate(o.model, prompt, TOKENS, "--threads=1")
    return not all([has_same_bits(o.model, prompt, vocab, ids, actual), agrees(o, exact, prompt, ids, actual)])


if __name__ == "__main__":
    sys.exit(main())
