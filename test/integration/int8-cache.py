"""Compares a model with a KV cache of 8 bits with a reference that has one.

    python int8-cache.py MODEL.so CHECKPOINT

The reference is that of test/reference, in float64, but of every key (after it was
turned) and value of a head the cache keeps whole multiples of a scale: a 127th of
the largest magnitude, rounded up to bfloat16. The model must have been compiled
with --activations=f32, so that nothing else is rounded.

Float32 arithmetic now and then tips a number over the middle of two multiples, so
what agreement means is what check_rounding in logits.py says.

Exit code 0: they agree, 1: they do not.
"""

import argparse
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "reference"))
import forward  # noqa: E402
import logits  # noqa: E402


def round_up_to_bf16(x):
    """Of float32 that are not negative."""
    bits = x.astype(np.float32).view(np.uint32)
    return ((bits + np.uint32(0xFFFF)) & np.uint32(0xFFFF0000)).view(np.float32)


class Int8CacheModel(forward.Model):
    def cached(self, x):
        largest = np.abs(x).max(axis=-1, keepdims=True).astype(np.float32)
        scale = round_up_to_bf16(largest / np.float32(127)).astype(np.float64)
        return np.rint(x / np.where(scale == 0, 1, scale)) * scale


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("checkpoint")
    o = parser.parse_args()
    return not logits.check_rounding(o.model, Int8CacheModel(o.checkpoint), forward.Model(o.checkpoint))


if __name__ == "__main__":
    sys.exit(main())
