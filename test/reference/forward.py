"""The slow, obvious forward pass of a Llama, in float64.

    python forward.py MODEL --ids=1,2,3 --max-tokens=8 --logits=out.npy

Prints the greedily chosen ids on one line. Every formula stands as it does in
the paper and all arithmetic is float64; the one concession to speed is that
numpy multiplies whole matrices. Models that do not fit into memory as float64
are widened a panel of rows at a time.
"""

import argparse
import pathlib
import sys

import numpy as np

from checkpoint import CheckpointError, open_checkpoint, rotary_frequencies, round_to_bf16

KEEP_BYTES = 6e9  # larger models are widened again at every use
PANEL = 8192  # rows widened at a time


class Matrix:
    """[out, in]; times(x) is x times the transposed matrix."""

    def __init__(self, tensor, weights, keep):
        self.tensor = tensor
        self.round = round_to_bf16 if weights == "bf16" else lambda values: values
        self.whole = self.round(tensor[:]) if keep else None

    def rows(self, index):
        return self.whole[index] if self.whole is not None else self.round(self.tensor[index])

    def times(self, x):
        if self.whole is not None:
            return x @ self.whole.T
        panels = [x @ self.rows(slice(begin, begin + PANEL)).T
                  for begin in range(0, len(self.tensor), PANEL)]
        return np.concatenate(panels, axis=-1)


class Layer:
    def __init__(self, checkpoint, i, matrix):
        self.attention_norm = checkpoint.get("attention_norm", i)[:]
        self.ffn_norm = checkpoint.get("ffn_norm", i)[:]
        for role in ("q", "k", "v", "o", "gate", "up", "down"):
            setattr(self, role, matrix(checkpoint.get(role, i)))


class Cache:
    """Rotated keys and values of every position so far, per layer."""

    def __init__(self, config):
        empty = np.zeros((0, config.kv_heads, config.head_dim))
        self.keys = [empty] * config.layers
        self.values = [empty] * config.layers

    @property
    def length(self):
        return len(self.keys[-1])


def rms_norm(x, weight, eps):
    return weight * (x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + eps))


def silu(x):
    with np.errstate(over="ignore"):  # exp of a large number: the quotient is 0
        return x / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


class Model:
    """MODEL on disk, ready to run.

    weights: "as-stored", or "bf16" to round every matrix (not the norms) to
    bfloat16 first.
    """

    def __init__(self, path, weights="as-stored"):
        checkpoint = open_checkpoint(path)
        self.config = checkpoint.config
        values = sum(len(t) * len(t[0:1].ravel()) for t in checkpoint.tensors.values())
        keep = values * 8 <= KEEP_BYTES

        def matrix(tensor):
            return Matrix(tensor, weights, keep)

        self.embedding = matrix(checkpoint.get("embedding"))
        self.layers = [Layer(checkpoint, i, matrix) for i in range(self.config.layers)]
        self.norm = checkpoint.get("norm")[:]
        self.head = matrix(checkpoint.get("head")) if checkpoint.has("head") else self.embedding
        self.frequencies = rotary_frequencies(self.config)

    def new_cache(self):
        return Cache(self.config)

    def rotate(self, x, positions):
        """x [positions, heads, head_dim]: turns every pair by position * frequency."""
        angle = np.outer(positions, self.frequencies)[:, None, :]
        cos, sin = np.cos(angle), np.sin(angle)
        half = self.config.head_dim // 2
        if self.config.interleaved:
            first, second = slice(0, None, 2), slice(1, None, 2)
        else:
            first, second = slice(0, half), slice(half, None)
        a, b = x[..., first], x[..., second]
        result = np.empty_like(x)
        result[..., first] = a * cos - b * sin
        result[..., second] = a * sin + b * cos
        return result

    def cached(self, x):
        """What the cache keeps of keys or values [positions, KV heads, head_dim]."""
        return x

    def attention(self, x, layer, i, cache, positions):
        c = self.config
        q = layer.q.times(x).reshape(len(x), c.heads, c.head_dim)
        k = layer.k.times(x).reshape(len(x), c.kv_heads, c.head_dim)
        v = layer.v.times(x).reshape(len(x), c.kv_heads, c.head_dim)
        q, k = self.rotate(q, positions), self.rotate(k, positions)
        keys = cache.keys[i] = np.concatenate([cache.keys[i], self.cached(k)])
        values = cache.values[i] = np.concatenate([cache.values[i], self.cached(v)])
        hidden_from = np.arange(len(keys))[None, :] > positions[:, None]
        mixed = np.empty_like(q)
        for head in range(c.heads):
            group = head // (c.heads // c.kv_heads)
            scores = q[:, head] @ keys[:, group].T / np.sqrt(c.head_dim)
            scores[hidden_from] = -np.inf
            mixed[:, head] = softmax(scores) @ values[:, group]
        return layer.o.times(mixed.reshape(len(x), -1))

    def feed_forward(self, x, layer):
        return layer.down.times(silu(layer.gate.times(x)) * layer.up.times(x))

    def forward(self, ids, cache, first=0):
        """Appends `ids` to the cache; logits [len(ids) - first, vocab].

        `first`: the first of the ids whose logits are wanted.
        """
        positions = cache.length + np.arange(len(ids))
        x = self.embedding.rows(np.asarray(ids))
        for i, layer in enumerate(self.layers):
            y = rms_norm(x, layer.attention_norm, self.config.eps)
            x = x + self.attention(y, layer, i, cache, positions)
            y = rms_norm(x, layer.ffn_norm, self.config.eps)
            x = x + self.feed_forward(y, layer)
        return self.scatter(self.head.times(rms_norm(x[first:], self.norm, self.config.eps)))

    def scatter(self, logits):
        """A token without a row in a pruned head never comes out."""
        if self.config.output_tokens is None:
            return logits
        result = np.full((len(logits), len(self.embedding.tensor)), -np.inf)
        result[:, self.config.output_tokens] = logits
        return result


def top_two(row):
    """The best id (the lowest of equals), the runner-up, and their distance."""
    best = int(np.argmax(row))
    rest = row.copy()
    rest[best] = -np.inf
    second = int(np.argmax(rest))
    return best, second, float(row[best] - row[second])


def generate(model, ids, max_tokens, first=0, stop=()):
    """Greedy: (chosen ids, margins, runners-up, logits of the positions fed).

    Logits are float32 and begin at position `first`. The last chosen id is not
    fed. Ends early after an id of `stop`.
    """
    cache = model.new_cache()
    prompt_first = min(first, len(ids) - 1)  # the last row is always needed
    logits = model.forward(ids, cache, prompt_first)
    fed = [logits[first - prompt_first :].astype(np.float32)]
    chosen, margins, seconds = [], [], []
    while len(chosen) < max_tokens:
        best, second, margin = top_two(logits[-1])
        chosen.append(best)
        seconds.append(second)
        margins.append(margin)
        if len(chosen) == max_tokens or best in stop:
            break
        logits = model.forward([best], cache)
        if cache.length > first:
            fed.append(logits.astype(np.float32))
    return chosen, margins, seconds, np.concatenate(fed)


def parse_arguments():
    def ids(text):
        return [int(word) for word in text.replace(",", " ").split()]

    def first_row(text):
        if not text.endswith(":") or not text[:-1].isdigit():
            raise argparse.ArgumentTypeError("expected FIRST:, as in 2000:")
        return int(text[:-1])

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a Hugging Face folder, a folder of .npy files, or a .gguf file")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--ids", type=ids, help="the prompt, as in 1,2,3")
    source.add_argument("--ids-file", type=lambda name: ids(pathlib.Path(name).read_text()))
    parser.add_argument("--max-tokens", type=int, default=0, metavar="N", help="choose N tokens (default 0)")
    parser.add_argument("--stop-at-eos", action="store_true", help="end after a token that ends a text")
    parser.add_argument("--logits", metavar="FILE.npy", help="float32 [positions fed, vocab]")
    parser.add_argument("--rows", type=first_row, default=0, metavar="FIRST:", help="logits from this position on only")
    parser.add_argument("--margins", nargs="?", const="-", metavar="FILE",
                        help="per step 'distance-to-second second-id', to FILE or after the ids")
    parser.add_argument("--weights", choices=("as-stored", "bf16"), default="as-stored",
                        help="bf16: round the matrices first")
    options = parser.parse_args()
    options.ids = options.ids or options.ids_file
    if not options.ids:
        parser.error("the prompt has no ids")
    return options


def main():
    options = parse_arguments()
    try:
        model = Model(options.model, options.weights)
    except (CheckpointError, OSError, KeyError, ValueError) as error:
        sys.exit(str(error) if isinstance(error, CheckpointError) else f"{options.model}: {error!r}")
    vocab = len(model.embedding.tensor)
    if not all(0 <= i < vocab for i in options.ids):
        sys.exit(f"--ids: expected ids from 0 to {vocab - 1}")
    stop = model.config.eos if options.stop_at_eos else ()
    chosen, margins, seconds, logits = generate(
        model, options.ids, options.max_tokens, options.rows, stop)
    print(",".join(map(str, chosen)))
    lines = "".join(f"{margin:.9g} {second}\n" for margin, second in zip(margins, seconds))
    if options.margins == "-":
        print(lines, end="")
    elif options.margins:
        pathlib.Path(options.margins).write_text(lines)
    if options.logits:
        np.save(options.logits, logits)


if __name__ == "__main__":
    main()
