"""Runs one prompt in many ways and demands the same bits.

    python same-bits.py MODEL.so VOCAB

Ways: one, two and three threads; the prompt fed whole and in chunks of 1, 7 and
64; alone and beside three other sequences, which are at their prompts while
this one generates and the other way round. The prompt ends in the third block
of the cache and generation goes on into the fourth.
"""

import itertools
import sys

import numpy as np

import program

PROMPT, TOKENS = 187, 8


def ways(vocab):
    beside = [f"--beside-ids={program.join(program.random_prompt(n, vocab))}" for n in (3, 66, 400)]
    chunks = [[], ["--batch-rows=1"], ["--batch-rows=7"], ["--batch-rows=64"]]
    for threads, chunk, others in itertools.product((1, 2, 3), chunks, ([], beside)):
        yield [f"--threads={threads}", *chunk, *others]


def main():
    model, vocab = sys.argv[1], int(sys.argv[2])
    prompt = program.random_prompt(PROMPT, vocab)
    expected_ids = expected = None
    different = 0
    for count, flags in enumerate(ways(vocab)):
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
