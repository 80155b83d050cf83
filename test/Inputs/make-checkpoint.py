#!/usr/bin/env python3
"""Writes a Llama checkpoint of any shape with random weights.

    make-checkpoint.py OUT --shape=1b --layers=2

A tensor's values depend on --seed and its name only, so two runs that differ
in format, shards or number of layers share the tensors they have in common.
The gains are chosen so that the greedy choice depends on all of the context:
attention is peaked, and the residual stream outgrows the embedding (with tied
weights a model would otherwise repeat its last token).
"""

import argparse
import concurrent.futures
import json
import math
import pathlib
import shutil
import sys
import zlib
from dataclasses import dataclass

import numpy as np

PANEL = 1 << 22  # values made at a time
SHAPES = {
    "1b": dict(hidden=2048, ffn=8192, layers=16, heads=32, kv_heads=8, vocab=128256,
               theta=500000.0, rope_factor=32.0, rope_original=8192, max_positions=131072),
    "3b": dict(hidden=3072, ffn=8192, layers=28, heads=24, kv_heads=8, vocab=128256,
               theta=500000.0, rope_factor=32.0, rope_original=8192, max_positions=131072),
    "8b": dict(hidden=4096, ffn=14336, layers=32, heads=32, kv_heads=8, vocab=128256, tied=False,
               theta=500000.0, rope_factor=8.0, rope_original=8192, max_positions=131072),
    "tiny": dict(hidden=64, ffn=160, layers=2, heads=4, kv_heads=2, vocab=256,
                 theta=10000.0, rope_factor=4.0, rope_original=64, max_positions=512),
}
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model",
                   "generation_config.json")


@dataclass
class Tensor:
    name: str  # Hugging Face's
    shape: tuple
    gain: float = 0.0  # root mean square of a row's product with a unit-rms vector
    heads: int = 0  # of query and key matrices: how many blocks of rows

    @property
    def values(self):
        return math.prod(self.shape)


# --- what is in the model ---------------------------------------------------

def tensors(o):
    """Every tensor of the model, in the order in which it is stored."""
    result = [Tensor("model.embed_tokens.weight", (o.vocab, o.hidden), 2.5)]
    q, kv = o.heads * o.head_dim, o.kv_heads * o.head_dim
    for i in range(o.layers):
        layer = f"model.layers.{i}."
        result += [
            Tensor(layer + "input_layernorm.weight", (o.hidden,)),
            Tensor(layer + "self_attn.q_proj.weight", (q, o.hidden), 1.6, o.heads),
            Tensor(layer + "self_attn.k_proj.weight", (kv, o.hidden), 1.6, o.kv_heads),
            Tensor(layer + "self_attn.v_proj.weight", (kv, o.hidden), 1.0),
            Tensor(layer + "self_attn.o_proj.weight", (o.hidden, q), 2.0),
            Tensor(layer + "post_attention_layernorm.weight", (o.hidden,)),
            Tensor(layer + "mlp.gate_proj.weight", (o.ffn, o.hidden), 1.0),
            Tensor(layer + "mlp.up_proj.weight", (o.ffn, o.hidden), 1.0),
            Tensor(layer + "mlp.down_proj.weight", (o.hidden, o.ffn), 4.0),
        ]
    result.append(Tensor("model.norm.weight", (o.hidden,)))
    if not o.tied:
        result.append(Tensor("lm_head.weight", (len(o.output_tokens or range(o.vocab)), o.hidden), 2.5))
    return result


def random_values(tensor, seed, panel):
    """float32, row by row: panel number `panel` of the tensor."""
    count = min(PANEL, tensor.values - panel * PANEL)
    rng = np.random.Generator(np.random.SFC64([seed, zlib.crc32(tensor.name.encode()), panel]))
    values = rng.standard_normal(count, np.float32)
    if len(tensor.shape) == 1:  # a norm: near one
        return np.float32(1) + np.float32(0.1) * values
    values *= np.float32(tensor.gain / math.sqrt(tensor.shape[1]))
    return values


def to_type(values, dtype):
    """float32 values as little-endian numbers of the stored type."""
    if dtype == "f32":
        return values.astype("<f4", copy=False)
    if dtype == "f16":
        return values.astype("<f2")
    bits = values.view(np.uint32)  # bf16: the nearest, ties to even
    odd = (bits >> np.uint32(16)) & np.uint32(1)
    odd += np.uint32(0x7FFF)
    odd += bits
    odd >>= np.uint32(16)
    return odd.astype("<u2")


def panels(pool, tensor, seed, dtype):
    """The tensor in the stored type, a few panels in memory at a time."""
    numbers = range(-(-tensor.values // PANEL))
    for begin in numbers[::4]:
        yield from pool.map(
            lambda p: to_type(random_values(tensor, seed, p), dtype), numbers[begin : begin + 4])


def interleave(matrix, heads):
    """Hugging Face's row order (i, i + d/2) to Meta's (2i, 2i + 1), per head."""
    rows, columns = matrix.shape
    return matrix.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def whole(pool, tensor, seed, dtype):
    """The tensor in Meta's row order."""
    array = np.concatenate(list(panels(pool, tensor, seed, dtype))).reshape(tensor.shape)
    return interleave(array, tensor.heads) if tensor.heads else array


# --- Hugging Face -----------------------------------------------------------

def config_json(o):
    scaling = None
    if o.rope_factor:
        scaling = {"factor": o.rope_factor, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                   "original_max_position_embeddings": o.rope_original, "rope_type": "llama3"}
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama",
        "attention_bias": False, "mlp_bias": False, "hidden_act": "silu",
        "hidden_size": o.hidden, "intermediate_size": o.ffn, "num_hidden_layers": o.layers,
        "num_attention_heads": o.heads, "num_key_value_heads": o.kv_heads,
        "head_dim": o.head_dim, "vocab_size": o.vocab, "max_position_embeddings": o.max_positions,
        "rms_norm_eps": o.eps, "rope_theta": o.theta, "rope_scaling": scaling,
        "tie_word_embeddings": o.tied, "bos_token_id": o.bos, "eos_token_id": o.eos,
        "torch_dtype": {"bf16": "bfloat16", "f16": "float16", "f32": "float32"}[o.type],
    }


def write_json(path, content):
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def write_safetensors(pool, path, members, o):
    size = 4 if o.type == "f32" else 2
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for tensor in members:
        end = offset + size * tensor.values
        header[tensor.name] = {"dtype": o.type.upper(), "shape": tensor.shape,
                               "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for tensor in members:
            for panel in panels(pool, tensor, o.seed, o.type):
                file.write(panel)
    return offset


def split(members, count):
    """`count` groups of neighbours, about equally large, none empty."""
    total, done, groups = sum(t.values for t in members), 0, [[] for _ in range(count)]
    for i, tensor in enumerate(members):
        # not before the earlier groups have one, and leaving one for each later group
        lowest, highest = count - (len(members) - i), i
        group = min(done * count // total, highest)
        groups[max(group, lowest)].append(tensor)
        done += tensor.values
    return groups


def write_hf(pool, o):
    members = tensors(o)
    if o.shards == 1:
        write_safetensors(pool, o.out / "model.safetensors", members, o)
    else:
        total, where = 0, {}
        for i, group in enumerate(split(members, o.shards)):
            name = f"model-{i + 1:05}-of-{o.shards:05}.safetensors"
            total += write_safetensors(pool, o.out / name, group, o)
            where |= {tensor.name: name for tensor in group}
        write_json(o.out / "model.safetensors.index.json",
                   {"metadata": {"total_size": total}, "weight_map": where})
    write_json(o.out / "config.json", config_json(o))


# --- one .npy file a tensor -------------------------------------------------

META = {
    "model.embed_tokens": "tok_embeddings", "model.norm": "norm", "lm_head": "output",
    "model.layers": "layers", "input_layernorm": "attention_norm",
    "post_attention_layernorm": "ffn_norm", "self_attn.q_proj": "attention.wq",
    "self_attn.k_proj": "attention.wk", "self_attn.v_proj": "attention.wv",
    "self_attn.o_proj": "attention.wo", "mlp.gate_proj": "feed_forward.w1",
    "mlp.up_proj": "feed_forward.w3", "mlp.down_proj": "feed_forward.w2",
}


def meta_name(name):
    for theirs, metas in META.items():
        name = name.replace(theirs + ".", metas + ".")
    return name


def params_can_say(o):
    """params.json knows no head dimension and only two rotary factors."""
    is_3_2 = (o.hidden, o.layers) in ((2048, 16), (3072, 28))
    scaling = (32.0 if is_3_2 else 8.0, 8192)
    return o.head_dim * o.heads == o.hidden and (
        not o.rope_factor or (o.rope_factor, o.rope_original) == scaling)


def write_npy(pool, o):
    """Meta's names and row order; tied models hold the embedding twice.

    Writes params.json, or config.json where params.json cannot say it all.
    """
    for tensor in tensors(o):
        names = [meta_name(tensor.name)]
        if o.tied and names[0].startswith("tok_embeddings"):
            names.append("output.weight")
        array = whole(pool, tensor, o.seed, o.type)
        descr = "<V2" if o.type == "bf16" else array.dtype.str
        for name in names:
            with open(o.out / f"{name}.npy", "wb") as file:
                np.lib.format.write_array_header_1_0(
                    file, {"descr": descr, "fortran_order": False, "shape": tensor.shape})
                file.write(np.ascontiguousarray(array))
    if not params_can_say(o):
        write_json(o.out / "config.json", config_json(o))
        return
    pruned = {"output_tokens": o.output_tokens} if o.output_tokens else {}
    write_json(o.out / "params.json", pruned | {
        "dim": o.hidden, "n_layers": o.layers, "n_heads": o.heads, "n_kv_heads": o.kv_heads,
        "vocab_size": o.vocab, "hidden_dim": o.ffn, "norm_eps": o.eps, "rope_theta": o.theta,
        "use_scaled_rope": bool(o.rope_factor)})


# --- command line -----------------------------------------------------------

def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=pathlib.Path, help="folder to make; with --format=gguf a file")
    parser.add_argument("--shape", choices=SHAPES, default="tiny", help="what the rest starts from (default tiny)")
    for name in ("layers", "hidden", "ffn", "heads", "kv-heads", "head-dim", "vocab", "max-positions"):
        parser.add_argument(f"--{name}", type=int, metavar="N")
    parser.add_argument("--theta", type=float, metavar="X", help="RoPE base")
    parser.add_argument("--rope-factor", type=float, metavar="X", help="Llama 3.1 scaling; 0: none")
    parser.add_argument("--rope-original", type=int, metavar="N", help="positions before the scaling")
    parser.add_argument("--eps", type=float, default=1e-5)
    parser.add_argument("--tied", action=argparse.BooleanOptionalAction,
                        help="the output matrix is the embedding (default but for 8b)")
    parser.add_argument("--output-tokens", type=lambda text: [int(word) for word in text.split(",")], metavar="IDS",
                        help="the output matrix has rows for these tokens only; config.json cannot say so")
    parser.add_argument("--type", default="bf16", metavar="T",
                        help="bf16 (default), f16, f32; in GGUF also q8_0, q4_0, q4_1, q5_0, q5_1 "
                        "and, as random blocks, q2_k ... q6_k")
    parser.add_argument("--format", choices=("hf", "npy", "gguf"), default="hf")
    parser.add_argument("--shards", type=int, default=1, metavar="N", help="safetensors files (hf)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tokenizer", type=pathlib.Path, metavar="FOLDER", help="take the tokenizer's files from here")
    o = parser.parse_args()
    for name, value in ({"tied": True} | SHAPES[o.shape]).items():
        if getattr(o, name) is None:
            setattr(o, name, value)
    o.head_dim = o.head_dim or o.hidden // o.heads
    o.bos, o.eos = (128000, [128001, 128008, 128009]) if o.vocab == 128256 else (0, 1)
    if o.tokenizer:
        config = json.loads((o.tokenizer / "config.json").read_text(encoding="utf-8"))
        o.bos, o.eos = config["bos_token_id"], config["eos_token_id"]
    if o.heads % o.kv_heads:
        parser.error(f"--heads is {o.heads}, but must be a multiple of --kv-heads ({o.kv_heads})")
    if o.head_dim % 2:
        parser.error(f"the head dimension is {o.head_dim}, but must be even")
    if o.format != "gguf" and o.type not in ("bf16", "f16", "f32"):
        parser.error(f"--type is {o.type}, but --format={o.format} stores bf16, f16 or f32")
    if o.output_tokens and (o.tied or o.format == "gguf"):
        parser.error("--output-tokens needs --no-tied, and --format=hf or npy")
    if not 1 <= o.shards <= len(tensors(o)):
        parser.error(f"--shards is {o.shards}, but there are {len(tensors(o))} tensors")
    return o


def main():
    o = parse_arguments()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        if o.format == "gguf":
            import gguf_file  # needs the gguf package

            o.out.parent.mkdir(parents=True, exist_ok=True)
            gguf_file.write(o, tensors(o), lambda tensor, dtype: whole(pool, tensor, o.seed, dtype))
            return
        o.out.mkdir(parents=True, exist_ok=True)
        {"hf": write_hf, "npy": write_npy}[o.format](pool, o)
    for name in TOKENIZER_FILES if o.tokenizer else ():
        if (o.tokenizer / name).exists():
            shutil.copy(o.tokenizer / name, o.out / name)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:
        sys.exit(f"make-checkpoint: {error}")
