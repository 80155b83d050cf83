"""Runs one prompt in many ways and demands the same bits.

    python same-bits.py MODEL.so VOCAB [--short]

Ways: one, two and three threads; the prompt fed whole and in chunks of 1, 7 and
64; alone and beside three other sequences, which are at their prompts while
this one generates and the other way round; but of one row a call in company on
one thread only: those are hundreds of calls with dozens of barriers each, and a
barrier costs a time slice where threads outnumber the cores that are free. The
prompt ends in the third block of the cache and generation goes on into the
fourth. --short: a shorter prompt in fewer ways, for where instructions are
emulated.
"""

import itertools
import sys

import numpy as np

import program

TOKENS = 8


def ways(vocab, lengths, chunks):
    beside = [f"--beside-ids={program.join(program.random_prompt(n, vocab))}" for n in lengths]
    cuts = [[], *([f"--batch-rows={chunk}"] for chunk in chunks)]
    for threads, cut, others in itertools.product((1, 2, 3), cuts, ([], beside)):
        if not (threads > 1 and cut == ["--batch-rows=1"] and others):
            yield [f"--threads={threads}", *cut, *others]


def main():
    model, vocab = sys.argv[1], int(sys.argv[2])
    short = "--short" in sys.argv[3:]
    prompt = program.random_prompt(70 if short else 187, vocab)
    variants = ways(vocab, (3, 66), (7,)) if short else ways(vocab, (3, 66, 400), (1, 7, 64))
    expected_ids = expected = None
    different = 0
    for count, flags in enumerate(variants):
        ids, logits = program.generate(model, prompt, TOKENS, *flags)
        if expected is None:
            expected_ids, expected = ids, logits
        rows = np.flatnonzero((expected.view(np.uint32) != logits.view(np.uint32)).any(axis=1))
        if len(rows) or ids != expected_ids:
            different += 1
            name = " ".join(flag[:20] for flag in flags)
            print(f"FAILED: {name}: {len(rows)} rows differ, the first is {rows[:1]}, of {len(expected)}")
    print(f"{count + 1} ways, {different} differ; {len(np.unique(expected))} different numbers in {expected.shape}")
    return different > 0


if __name__ == "__main__":
    sys.exit(main())
