"""Compares a quantized model with a reference that quantizes as it should.

    python quantized.py MODEL.so CHECKPOINT --bits=4 --group=32 [--kept | --found] [--hadamard]
        [--activation-bits=16]

The reference is that of test/reference with float64 between the roundings:
matrices are integers with a float16 scale for each group of a row (with 4 bits
the embeddings and the output have 8 and groups of 32), and what enters a product
is rounded to integers of 8 bits, or 16, with a scale for each group. Groups that are whole
multiples of one number already keep these integers. With --kept all matrices are what
they are in the checkpoint. With --found they
are what the model holds, compiled with --weights=external from a GGUF file; an element is
at most two steps of its group away from the checkpoint's. With --hadamard what enters w2
is multiplied by a Walsh-Hadamard matrix before it is rounded. The model must have been
compiled with --activations=f32, so that nothing else is rounded.

Like rounding to bfloat16 (see logits.py): float32 arithmetic now and then tips a
number over the middle of two integers, which is worth up to 1/254 of the largest
number of its group. So what agreement means is what check_rounding in logits.py says.

With 16 bits some number is tipped over in every prompt, one in a hundred, for a step is
about as wide as a hundred errors of float32. Therefore all rows together may be off by as
much as rounding to 16 bits moves them: a hundredth of a step's square is less than the
twelfth that rounding costs. But what was tipped over moves numbers of the layers behind it,
which tip over more often then: give such models one layer.

Exit code 0: they agree, 1: they do not.
"""

import argparse
import copy
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "reference"))
import forward  # noqa: E402
import kept  # noqa: E402
import logits  # noqa: E402


def grouped(x, group):
    """[n, k] as [n, groups, group], zeros behind the last."""
    padded = np.zeros((len(x), -(-x.shape[1] // group) * group))
    padded[:, : x.shape[1]] = x
    return padded.reshape(len(x), -1, group)


def divide(x, scale):
    return np.divide(x, scale, out=np.zeros_like(x), where=scale != 0)


def add_by_turns(x):
    """Sums over the last axis: eight sums that take turns, then those."""
    sums = np.zeros(x.shape[:2] + (8,), np.float32)
    for i in range(0, x.shape[2], 8):
        sums += x[..., i : i + 8]
    total = np.zeros(x.shape[:2] + (1,), np.float32)
    for lane in range(8):
        total += sums[..., lane : lane + 1]
    return total


def find_grids(parts, bits):
    """The scale of which a group is whole multiples, in the range, already; NaN where there is none."""
    half = 1 << (bits - 1)
    groups = parts.reshape(-1, parts.shape[2])
    largest = np.take_along_axis(groups, np.abs(groups).argmax(axis=1)[:, None], axis=1)
    size = np.where(largest == 0, 1, np.abs(largest))
    scales = np.full(len(groups), np.nan)
    for divisor in range(half, 0, -1):  # the last one found is the smallest
        unit = -largest / half if divisor == half else size / divisor
        unit = np.where(unit == 0, 1, unit)
        fits = np.ones(len(groups), bool)
        for columns in (slice(0, 4), slice(4, None)):  # most groups are ruled out by four numbers
            some = np.flatnonzero(fits)
            ratio = groups[some, columns] / unit[some]
            whole = np.rint(ratio)
            near = (np.abs(ratio - whole) <= 2.0**-14) & (whole >= -half) & (whole < half)
            fits[some] = near.all(axis=1)
        scales[fits] = unit[fits, 0]
    rounded = scales.astype(np.float16).astype(np.float64)
    rounded[np.abs(rounded - scales) > 2.0**-11 * np.abs(scales)] = np.nan
    return rounded.reshape(parts.shape[:2])[..., None]


def quantize_weights(x, bits, group):
    """The numbers that [n, k] become."""
    parts = grouped(x, group)
    if bits == 8:
        parts = parts.astype(np.float32)
        scale = np.abs(parts).max(axis=2, keepdims=True) / np.float32(127)
        scale = scale.astype(np.float16).astype(np.float32)
        best = scale * np.clip(np.rint(divide(parts, scale)), -128, 127)
    else:
        parts = parts.astype(np.float32)  # how close losses are decides: the same rounding
        at = np.abs(parts).argmax(axis=2)[..., None]
        largest = np.take_along_axis(parts, at, axis=2)
        best, least = parts, np.float32(np.inf)
        for cut in (1.0, 0.95, 0.9, 0.85, 0.8):
            scale = (np.float32(cut) * largest / np.float32(-8)).astype(np.float16).astype(np.float32)
            values = scale * np.clip(np.rint(divide(parts, scale)), -8, 7)
            loss = add_by_turns((parts - values) ** 2)
            best = np.where(loss < least, values, best)
            least = np.minimum(loss, least)
    grids = find_grids(grouped(x, group), bits)
    kept = np.rint(divide(grouped(x, group), grids)) * grids
    best = np.where(np.isnan(grids), best, kept)
    return best.astype(np.float64).reshape(len(x), -1)[:, : x.shape[1]]


def quantize_rows(x, group, limit):
    parts = grouped(x, group)
    largest = np.abs(parts).max(axis=2, keepdims=True)
    integers = np.rint(parts * divide(np.full_like(largest, limit), largest))
    return (integers * (largest / limit)).reshape(len(x), -1)[:, : x.shape[1]]


WIDE = 127.0 * 256  # of integers of two bytes, the upper at most 127


class QuantizedMatrix:
    """[out, in]; quantizes what it is multiplied with."""

    limit = 127.0  # of the integers; None: nothing is rounded

    def __init__(self, tensor, group, whole):
        self.tensor, self.group, self.whole = tensor, group, whole

    def rows(self, index):
        return self.whole[index]

    def times(self, x):
        rounded = quantize_rows(x, self.group, self.limit) if self.limit else x
        return rounded @ self.whole.T


def hadamard(size):
    matrix = np.ones((1, 1))
    while len(matrix) < size:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix / np.sqrt(size)


class RotatedMatrix:
    """Multiplies what it is multiplied with by a Walsh-Hadamard matrix first."""

    def __init__(self, matrix):
        self.matrix, self.tensor = matrix, matrix.tensor

    def times(self, x):
        return self.matrix.times(x @ hadamard(x.shape[1]))


def rotate(model):
    for layer in model.layers:
        layer.down = RotatedMatrix(layer.down)
    return model


def as_defined(bits, group, is_kept):
    def quantize(tensor, name):
        is_end = not name.startswith("layers.")
        ours = 32 if is_end and bits == 4 else group
        whole = tensor[:] if is_kept else quantize_weights(tensor[:], 8 if is_end else bits, ours)
        return QuantizedMatrix(tensor, ours, whole)

    return quantize


def in_halves(rows, head_dim):
    """Rows of heads: of pairs that are turned together, the first ones of all stand before the second ones."""
    return rows.reshape(-1, head_dim // 2, 2, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)


def as_found(path, config):
    found = kept.read_model(path)

    def quantize(tensor, name):
        matrix = found[name]
        steps = matrix.scales.astype(np.float64).repeat(matrix.group, axis=1)[:, : matrix.codes.shape[1]]
        values = matrix.values().astype(np.float64)
        if name.endswith(("wq", "wk")) and not config.interleaved:  # in models they are
            steps, values = (in_halves(x, config.head_dim) for x in (steps, values))
        assert (np.abs(values - tensor[:]) <= 2 * np.abs(steps)).all(), name
        return QuantizedMatrix(tensor, matrix.group, values)

    return quantize


ROLES = {"q": "attention.wq", "k": "attention.wk", "v": "attention.wv", "o": "attention.wo",
         "gate": "feed_forward.w1", "up": "feed_forward.w3", "down": "feed_forward.w2"}  # fmt: skip


class QuantizedModel(forward.Model):
    def __init__(self, path, quantize):
        super().__init__(path)
        tied = self.head is self.embedding
        self.embedding = quantize(self.embedding.tensor, "tok_embeddings")
        self.head = self.embedding if tied else quantize(self.head.tensor, "output")
        for i, layer in enumerate(self.layers):
            for role, name in ROLES.items():
                setattr(layer, role, quantize(getattr(layer, role).tensor, f"layers.{i}.{name}"))

    def round_rows(self, limit):
        """The same model with other integers of rows."""
        other = copy.copy(self)
        other.layers = [copy.copy(layer) for layer in self.layers]
        places = [(other, "head"), *((layer, role) for layer in other.layers for role in ROLES)]
        for owner, role in places:
            matrix = copy.copy(getattr(owner, role))
            matrix.limit = limit
            setattr(owner, role, matrix)
        return other


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("checkpoint")
    parser.add_argument("--bits", type=int, choices=(4, 8), required=True)
    parser.add_argument("--group", type=int, required=True)
    parser.add_argument("--kept", action="store_true", help="matrices are integers already")
    parser.add_argument("--found", action="store_true", help="matrices are what the model holds")
    parser.add_argument("--hadamard", action="store_true", help="w2 expects a transformed input")
    parser.add_argument("--activation-bits", type=int, choices=(8, 16), default=8)
    o = parser.parse_args()
    unrounded = forward.Model(o.checkpoint)
    quantize = as_found(o.model, unrounded.config) if o.found else as_defined(o.bits, o.group, o.kept)
    reference = QuantizedModel(o.checkpoint, quantize)
    if o.activation_bits == 16:
        unrounded = reference.round_rows(None)
        reference = reference.round_rows(WIDE)
    if o.hadamard:
        reference, unrounded = rotate(reference), rotate(unrounded)
    prompts = 32 if o.activation_bits == 8 else 0
    return not logits.check_rounding(o.model, reference, unrounded, prompts)


if __name__ == "__main__":
    sys.exit(main())
