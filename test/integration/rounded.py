"""The reference of test/reference, rounding where a bf16 model rounds.

A model compiled with --activations=bf16 computes in float32, but what enters a
matrix product is rounded to bfloat16 first, and so are the keys (after they were
turned) and values that go into the cache. Matrices are stored as bfloat16,
except those that the checkpoint has as float16. Everything between the
roundings is float64 here, so the two differ by float32 rounding, and by a
bfloat16 step where that rounding tips a number over the middle of two.
"""

import numpy as np

import forward
from checkpoint import round_to_bf16


class RoundedMatrix:
    """[out, in]; rounds what it is multiplied with."""

    def __init__(self, matrix):
        self.tensor = matrix.tensor
        stored_as_f16 = self.tensor.stored.dtype == np.float16
        self.whole = self.tensor[:] if stored_as_f16 else round_to_bf16(self.tensor[:])

    def rows(self, index):
        return self.whole[index]

    def times(self, x):
        return round_to_bf16(x) @ self.whole.T


class RoundedModel(forward.Model):
    def __init__(self, path):
        super().__init__(path)
        tied = self.head is self.embedding
        self.embedding = RoundedMatrix(self.embedding)
        self.head = self.embedding if tied else RoundedMatrix(self.head)
        for layer in self.layers:
            for role in ("q", "k", "v", "o", "gate", "up", "down"):
                setattr(layer, role, RoundedMatrix(getattr(layer, role)))

    def cached(self, x):
        return round_to_bf16(x)
