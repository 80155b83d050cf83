"""The training text as rows of token ids, without end, from a seed."""

import random

import numpy as np

import conversations
import stories
import vocabulary


def document(rng):
    """One training document: a story or a conversation, in equal shares."""
    if rng.random() < 0.5:
        return vocabulary.BOS + stories.story(rng).text + vocabulary.EOS
    return vocabulary.render(conversations.conversation(rng))


def rows(tokenizer, rng, length):
    """Endless rows of `length` + 1 ids; each begins with a new document."""
    while True:
        texts = [document(rng) for _ in range(256)]
        row = []
        for encoding in tokenizer.encode_batch(texts, add_special_tokens=False):
            row += encoding.ids
            if len(row) > length:
                yield row[: length + 1]
                row = []


def batches(tokenizer, seed, count, length):
    source = rows(tokenizer, random.Random(seed), length)
    while True:
        yield np.array([next(source) for _ in range(count)], np.int32)
