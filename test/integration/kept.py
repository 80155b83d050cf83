"""Integers and scales of a checkpoint, found again in a compiled model.

    python kept.py blocks FILE.gguf                 other blocks than gguf makes
    python kept.py gguf MODEL.so FILE.gguf          of a GGUF file
    python kept.py values MODEL.so FILE.gguf        only their products
    python kept.py meta MODEL.so CODES.npz [REST]   of a checkpoint of Meta's

MODEL.so must have been compiled with --weights=external. `blocks` rewrites those
of a Q4_0 or Q8_0 file: gguf gives the element of the largest magnitude the code -8
or 127, others do not, and one value has several codes then. `meta` leaves out tensors whose names contain REST. What is
read of the model is read as the description of !llama.quantized says.

Exit code 0: all the same, to the bit; 1: not.
"""

import json
import re
import sys
from typing import NamedTuple

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

NAMES = {"tok_embeddings": "token_embd", "output": "output", "attention.wq": "attn_q", "attention.wk": "attn_k",
         "attention.wv": "attn_v", "attention.wo": "attn_output", "feed_forward.w1": "ffn_gate",
         "feed_forward.w2": "ffn_down", "feed_forward.w3": "ffn_up"}  # fmt: skip


# --- a compiled model -------------------------------------------------------

def read_model(path):
    """Name => Quantized, of quantized tensors."""
    with open(path, "rb") as file:
        text = file.read()
    info, _ = json.JSONDecoder().raw_decode(text[text.index(b'{"name":'):].decode("utf-8", "replace"))
    weights = np.fromfile(f"{path}.weights", np.uint8)
    return {tensor["name"]: unpack(weights, tensor)
            for tensor in info["weights"]["tensors"] if tensor["dtype"].startswith("int")}


class Quantized(NamedTuple):
    codes: np.ndarray  # [rows, columns]
    scales: np.ndarray  # f16 [rows, groups]
    minimums: np.ndarray | None  # the same; without them codes are signed
    bits: int
    group: int

    def values(self):
        spread = [x.astype(np.float32).repeat(self.group, axis=1)[:, : self.codes.shape[1]]
                  for x in (self.scales, self.minimums) if x is not None]
        return self.codes * spread[0] if len(spread) == 1 else self.codes * spread[0] + spread[1]


def unpack(weights, tensor):
    bits, group, minimum = re.fullmatch(r"int(\d+)g(\d+)(m?)", tensor["dtype"]).groups()
    bits, group = int(bits), int(group)
    rows, columns = tensor["shape"]
    panels, groups = -(-rows // 16), -(-columns // group)
    stored = weights[tensor["offset"] : tensor["offset"] + tensor["bytes"]].reshape(panels, groups, -1)
    end = 16 * group * bits // 8  # of a group's integers; its factors follow, f16 of 16 rows each
    lines = stored[:, :, :end].reshape(panels, -1, 16, 4)  # 4 bytes of each row
    if bits == 4:  # the low halves, then the high halves
        lines = np.stack([lines & 15, lines >> 4], axis=2).reshape(panels, -1, 16, 4)
    integers = lines.swapaxes(1, 2).reshape(panels * 16, groups * group)[:rows, :columns]
    codes = integers.astype(np.float32) - (0 if minimum else 1 << (bits - 1))
    factors = np.ascontiguousarray(stored[:, :, end:]).view(np.float16).reshape(panels, groups, -1, 16)
    factors = factors.transpose(2, 0, 3, 1).reshape(-1, panels * 16, groups)[:, :rows]
    return Quantized(codes, factors[0], factors[1] if minimum else None, bits, group)


# --- GGUF -------------------------------------------------------------------

BYTES = {Type.Q4_0: 18, Type.Q8_0: 34, Type.Q4_1: 20}
BITS = {Type.Q4_0: 4, Type.Q8_0: 8, Type.Q4_1: 4}


def split_blocks(tensor):
    """Codes [rows, columns], scales [rows, blocks] and, of Q4_1, minimums."""
    rows = len(tensor.data)
    blocks = tensor.data.reshape(rows, -1, BYTES[tensor.tensor_type])
    halves = np.ascontiguousarray(blocks[..., :4]).view(np.float16)
    scales = halves[..., 0]
    if tensor.tensor_type == Type.Q8_0:
        return blocks[..., 2:].view(np.int8).astype(np.int32).reshape(rows, -1), scales, None
    has_minimum = tensor.tensor_type == Type.Q4_1
    packed = blocks[..., 4 if has_minimum else 2 :]
    nibbles = np.concatenate([packed & 15, packed >> 4], axis=2).astype(np.int32).reshape(rows, -1)
    return (nibbles, scales, halves[..., 1]) if has_minimum else (nibbles - 8, scales, None)


def other_blocks(path):
    """Blocks within a part of the range, with the lowest code, and of odd scales."""
    rng = np.random.default_rng(7)
    for tensor in gguf.GGUFReader(path, "r+").tensors:
        if tensor.tensor_type not in (Type.Q4_0, Type.Q8_0):
            continue
        size = 18 if tensor.tensor_type == Type.Q4_0 else 34
        blocks = tensor.data.reshape(-1, size)
        scales = np.ascontiguousarray(blocks[:, :2]).view(np.float16)[:, 0]
        scales = scales * rng.choice(np.array([1, -1, 0.37], np.float16), len(blocks))
        blocks[:, :2] = scales.astype(np.float16).view(np.uint8).reshape(-1, 2)
        reach = rng.choice([1, 3, 5, 7] if size == 18 else [1, 5, 90, 126], (len(blocks), 1))
        low, high = (-8, 7) if size == 18 else (-128, 127)
        codes = rng.integers(-reach, reach + 1, (len(blocks), 32))
        codes[rng.random(len(blocks)) < 0.25, 5] = low
        codes[rng.random(len(blocks)) < 0.05, 9] = high
        if size == 34:
            blocks[:, 2:] = codes.astype(np.int8).view(np.uint8)
        else:
            nibbles = (codes + 8).astype(np.uint8)
            blocks[:, 2:] = nibbles[:, :16] | nibbles[:, 16:] << 4


def gguf_name(name):
    layer = re.fullmatch(r"layers\.(\d+)\.(.*)", name)
    return f"blk.{layer[1]}.{NAMES[layer[2]]}.weight" if layer else f"{NAMES[name]}.weight"


def compare_gguf(model, path, only_values):
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    passed = True
    found = read_model(model)
    for name, matrix in found.items():
        tensor = tensors[gguf_name(name)]
        codes, scales, minimums = split_blocks(tensor)
        blocks = scales.shape[1]  # rows of the model are padded
        same_codes, same_scales = matrix.codes == codes, matrix.scales[:, :blocks] == scales
        good = matrix.group == 32 and np.array_equal(gguf.dequantize(tensor.data, tensor.tensor_type), matrix.values())
        if minimums is not None:
            good &= matrix.minimums is not None and np.array_equal(matrix.minimums[:, :blocks], minimums)
        as_stored = minimums is not None or matrix.bits == BITS[tensor.tensor_type]
        good &= only_values or not as_stored or bool(same_codes.all() and same_scales.all())
        passed &= report(name, good, same_codes.mean(), same_scales.mean())
    return passed and len(found) == sum(t.tensor_type in BYTES for t in tensors.values())


# --- Meta -------------------------------------------------------------------

def compare_meta(model, path, rest):
    """Codes must be the same, scales the same rounded to f16."""
    stored = np.load(path)
    passed = True
    found = read_model(model)
    for name, matrix in found.items():
        if rest and rest in name:
            continue
        theirs = stored[f"{name}.scales"]
        wanted = theirs.repeat(stored[name].shape[1] // theirs.shape[1] // matrix.group, axis=1).astype(np.float16)
        same_codes, same_scales = matrix.codes == stored[name], matrix.scales == wanted
        passed &= report(name, same_codes.all() and same_scales.all(), same_codes.mean(), same_scales.mean())
    return passed and len(found) == len(stored.files) // 2


def report(name, good, codes, scales):
    print(f"{name}: {'' if good else 'FAILED: '}{codes:.1%} of the codes, {scales:.1%} of the scales are the same")
    return bool(good)


def main():
    kind, *arguments = sys.argv[1:]
    if kind == "blocks":
        return other_blocks(arguments[0])
    if kind in ("gguf", "values"):
        return not compare_gguf(*arguments, kind == "values")
    return not compare_meta(*arguments[:2], *(arguments[2:] or [""]))


if __name__ == "__main__":
    sys.exit(main())
