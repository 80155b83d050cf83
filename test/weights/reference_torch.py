#!/usr/bin/env python3
"""Writes checkpoints with torch, and files that nobody should believe.

    reference_torch.py FOLDER      called by reference.py; needs torch and numpy

    models/meta-*, hf-bin*     the model of expected/npy-f32 in torch's formats
    models/maxtext-old         the same as pickled arrays of this numpy
    quantized-meta/            int4 and int8 matrices with scales and adaptors
    hostile/*                  broken and malicious files; expected.json says what
                               the complaint about each must contain
"""

import io
import json
import os
import pickle
import struct
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

HEADS, KV_HEADS, HEAD_DIM, HIDDEN, FFN, VOCAB, LAYERS = 4, 2, 64, 256, 512, 24, 2
PARAMS = {
    "dim": HIDDEN, "n_layers": LAYERS, "n_heads": HEADS, "n_kv_heads": KV_HEADS,
    "vocab_size": -1, "multiple_of": 256, "norm_eps": 1e-5, "rope_theta": 10000.0,
}  # fmt: skip
HF_NAMES = {
    "tok_embeddings": "model.embed_tokens", "norm": "model.norm", "output": "lm_head",
    "attention_norm": "input_layernorm", "attention.wq": "self_attn.q_proj",
    "attention.wk": "self_attn.k_proj", "attention.wv": "self_attn.v_proj",
    "attention.wo": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm",
    "feed_forward.w1": "mlp.gate_proj", "feed_forward.w2": "mlp.down_proj",
    "feed_forward.w3": "mlp.up_proj",
}  # fmt: skip


def load(folder):
    """Canonical name => tensor, in the order of a Llama's modules."""
    values = {}
    for path in sorted((folder / "expected" / "npy-f32").glob("*.f32")):
        rows = np.fromfile(path, "<f4")
        width = FFN if path.stem.endswith("w2") else HIDDEN
        shape = (-1,) if "norm" in path.stem else (-1, width)
        values[path.stem] = torch.from_numpy(rows.reshape(shape))
    return values


def expect(folder, name, values):
    target = folder / "expected" / name
    target.mkdir(parents=True)
    for key, value in values.items():
        value.contiguous().numpy().tofile(target / f"{key}.f32")


def hf_name(name):
    if name.startswith("layers."):
        _, index, rest = name.split(".", 2)
        return f"model.layers.{index}.{HF_NAMES[rest]}.weight"
    return HF_NAMES[name] + ".weight"


def to_half_split(rows):
    heads = rows.reshape(-1, HEAD_DIM // 2, 2, rows.shape[-1])
    return heads.transpose(1, 2).reshape(rows.shape).contiguous()


# --- Meta -------------------------------------------------------------------


def cut(name, value, shards, axis_of_embedding, repeats):
    """The part of a tensor that each of several files holds."""
    if value.dim() == 1:
        return [value] * shards
    axis = 1 if name.endswith((".wo", ".w2")) else 0
    if name == "tok_embeddings":
        axis = axis_of_embedding
    if name.endswith((".wk", ".wv")) and repeats > 1:
        return [part for part in value.chunk(shards // repeats, 0) for _ in range(repeats)]
    return list(value.chunk(shards, axis))


def write_meta(folder, name, values, dtype, shards=1, axis=0, repeats=1, **options):
    target = folder / "models" / name
    target.mkdir(parents=True)
    parts = {key: cut(key, value, shards, axis, repeats) for key, value in values.items()}
    for shard in range(shards):
        state = OrderedDict((f"{key}.weight", part[shard].to(dtype).clone()) for key, part in parts.items())
        state["rope.freqs"] = torch.ones(HEAD_DIM // 2, dtype=dtype)
        torch.save(state, target / f"consolidated.{shard:02}.pth", **options)
    (target / "params.json").write_text(json.dumps(PARAMS))
    expect(folder, name, values)


def write_views(folder, values):
    """Views of one storage, transposed and strided ones, parameters, wrappers."""
    state = OrderedDict()
    together = torch.cat([value.reshape(-1) for value in values.values()])
    start = 0
    for number, (key, value) in enumerate(values.items()):
        view = together[start : start + value.numel()].view(value.shape)
        start += value.numel()
        if value.dim() == 2 and number % 3 == 1:
            view = value.t().contiguous().t()  # columns lie together
        elif value.dim() == 2 and number % 3 == 2:
            wide = torch.zeros(value.shape[0] + 1, 2 * value.shape[1] + 3)
            wide[1:, 1:-2:2] = value
            view = wide[1:, 1:-2:2]
        elif value.dim() == 1:
            wide = torch.zeros(3 * len(value))
            wide[2::3] = value
            view = torch.nn.Parameter(wide[2::3])
        assert torch.equal(view.data, value)
        state[f"_orig_mod.module.{key}.weight"] = view
    target = folder / "models" / "meta-views"
    target.mkdir(parents=True)
    wrapped = {"model": {"state_dict": state}, "step": 7, "optimizer": {"lr": 0.5, "seen": torch.ones(2, 2, 2)}}
    torch.save(wrapped, target / "consolidated.00.pth")
    (target / "params.json").write_text(json.dumps(PARAMS))
    expect(folder, "meta-views", values)


# --- Hugging Face's pytorch_model.bin ----------------------------------------


def write_bin(folder, name, values, dtype, shards):
    target = folder / "models" / name
    target.mkdir(parents=True)
    state = OrderedDict()
    for key, value in values.items():
        rotated = key.endswith((".wq", ".wk"))
        state[hf_name(key)] = (to_half_split(value) if rotated else value).to(dtype)
    if shards == 1:
        torch.save(state, target / "pytorch_model.bin")
    else:
        where = {}
        for shard in range(shards):
            file = f"pytorch_model-{shard + 1:05}-of-{shards:05}.bin"
            part = OrderedDict(list(state.items())[shard::shards])
            where |= {key: file for key in part}
            torch.save(part, target / file)
        (target / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": where}))
    config = json.loads((folder / "models" / "hf-f16-sharded" / "config.json").read_text())
    (target / "config.json").write_text(json.dumps(config))
    expect(folder, name, values)


# --- pickled arrays -----------------------------------------------------------


def write_layers(folder, name, values, protocol):
    """[in, out]; transposed views, as the guide makes them, and real copies."""
    target = folder / "models" / name
    target.mkdir(parents=True)

    def array(key, copy):
        value = values[key]
        if key.endswith((".wq", ".wk")):
            value = to_half_split(value)
        if value.dim() == 1 or key == "tok_embeddings":
            return value.numpy()
        return np.ascontiguousarray(value.numpy().T) if copy else value.numpy().T

    for layer in range(LAYERS):
        at = f"layers.{layer}."
        content = {
            "attention": {n: array(f"{at}attention.{n}", layer) for n in ("wq", "wk", "wv", "wo")},
            "feed_forward": {n: array(f"{at}feed_forward.{n}", layer) for n in ("w1", "w2", "w3")},
            "attention_norm": {"weight": array(f"{at}attention_norm", layer)},
            "ffn_norm": {"weight": array(f"{at}ffn_norm", layer)},
        }
        (target / f"layer_{layer}.pkl").write_bytes(pickle.dumps(content, protocol))
    outside = {key: {"weight": array(key, True)} for key in ("tok_embeddings", "norm", "output")}
    (target / "model.pkl").write_bytes(pickle.dumps(outside, protocol))
    config = (folder / "models" / "hf-f16-sharded" / "config.json").read_text()
    (target / "config.json").write_text(config)
    expect(folder, name, values)


# --- quantized ----------------------------------------------------------------


def hadamard(size):
    matrix = torch.ones(1, 1, dtype=torch.float64)
    while len(matrix) < size:
        matrix = torch.cat([torch.cat([matrix, matrix], 1), torch.cat([matrix, -matrix], 1)])
    return matrix / size**0.5


def write_quantized(folder, name, values, spin, rank):
    """As SpinQuant (int4, transformed w2) or QLoRA (int4 and adaptors)."""
    generator = torch.Generator().manual_seed(3)
    state, expected = {}, {}
    for key, value in values.items():
        if value.dim() == 1:
            state[f"{key}.weight"], expected[key] = value.bfloat16(), value.bfloat16().float()
            continue
        per_row = key in ("tok_embeddings", "output")
        low, high = (-128, 128) if per_row else (-8, 8)
        codes = torch.randint(low, high, value.shape, generator=generator, dtype=torch.int8)
        columns = value.shape[1] if per_row else 32
        scales = torch.rand(value.shape[0], value.shape[1] // columns, generator=generator) / 64
        exact = codes.double() * scales.double().repeat_interleave(columns, 1)
        state[f"{key}.weight"] = codes
        state[f"{key}.scales"] = scales[:, 0].clone() if key == "output" else scales
        if rank and not per_row:
            a = torch.randn(rank, value.shape[1], generator=generator).bfloat16()
            b = torch.randn(value.shape[0], rank, generator=generator).bfloat16()
            state[f"{key}.adaptor.A.weight"], state[f"{key}.adaptor.B.weight"] = a, b
            exact += 2.0 * b.double() @ a.double()
        if spin and key.endswith(".w2"):
            exact = exact @ hadamard(value.shape[1])
        expected[key] = exact
    target = folder / "models" / name
    target.mkdir(parents=True)
    torch.save(state, target / "consolidated.00.pth")
    scheme = "int4_weight_int8_dynamic_activation"
    params = PARAMS | {"quantization_args": {"scheme": scheme, "group_size": 32, "spinquant": spin}}
    if rank:
        params["lora_args"] = {"rank": rank, "scale": 2.0}
    (target / "params.json").write_text(json.dumps(params))
    target = folder / "quantized-meta" / name
    target.mkdir(parents=True)
    for key, value in expected.items():
        value.double().numpy().tofile(target / f"{key}.f64")


# --- hostile files --------------------------------------------------------------


class Command:
    def __reduce__(self):
        return os.system, ("exit 1",)


class Evaluation:
    def __reduce__(self):
        return eval, ("1",)


def saved(content, **options):
    stream = io.BytesIO()
    torch.save(content, stream, **options)
    return stream.getvalue()


def rezip(data, change, method=zipfile.ZIP_STORED):
    """The archive again; change(name, bytes) => bytes or None."""
    source, stream = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as target:
        for info in source.infolist():
            content = change(info.filename, source.read(info))
            if content is not None:
                target.writestr(info.filename, content)
    return stream.getvalue()


def claiming(elements, size):
    """A kilobyte file whose one storage has a billion elements."""
    honest = saved({"w": torch.ones(16, dtype=torch.float32)})

    def change(name, content):
        if not name.endswith("data.pkl"):
            return content
        # K\x10: the 16 of the storage, then that of the size
        lie = b"\x8a\x08" + struct.pack("<q", elements), b"\x8a\x08" + struct.pack("<q", size)
        for number in lie:
            assert b"K\x10" in content
            content = content.replace(b"K\x10", number, 1)
        return content

    return rezip(honest, change)


def pickled(code):
    """An archive with that data.pkl."""
    return rezip(saved({"w": torch.ones(1)}), lambda name, content: code if name.endswith("data.pkl") else content)


def write_hostile(folder, values):
    target = folder / "hostile"
    target.mkdir()
    honest = saved({"w": torch.arange(8.0)})
    legacy = saved({"w": torch.arange(8.0)}, _use_new_zipfile_serialization=False)
    script = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), script)
    wide = {f"w{i}": torch.ones(1) for i in range(3)}
    strided = torch.as_strided(torch.ones(1), (4, 4), (0, 0))
    overlapping = bytearray(honest)
    directory = overlapping.rindex(b"PK\5\6")
    offset = struct.unpack_from("<I", overlapping, directory + 16)[0]
    first = overlapping.index(b"PK\1\2", offset)
    second = overlapping.index(b"PK\1\2", first + 4)
    files = {
        "system.pth": (saved({"w": Command()}), "refers to 'posix.system'"),
        "eval.pth": (saved({"w": Evaluation()}), "eval'"),
        "system-legacy.pth": (saved({"w": Command()}, _use_new_zipfile_serialization=False), "refers to 'posix.system'"),
        "deep-lists.pth": (pickled(b"\x80\x02" + b"]" * 100000 + b"a" * 99999 + b"."), "nests deeper than 32 levels"),
        "deep-marks.pth": (pickled(b"\x80\x02" + b"(" * 100000 + b"."), "nests deeper than 64 marks"),
        "deep-tuples.pth": (pickled(b"\x80\x02)" + b"\x85" * 100000 + b"."), "nests deeper than 32 levels"),
        "many-values.pth": (pickled(b"\x80\x02]" + b"(" + b"N" * 1100000 + b"e."), "more than 1048576 values"),
        "many-copies.pth": (pickled(b"\x80\x02(" + b"N" * 1000 + b"tq\0" + b"ccollections\nOrderedDict\nh\0R" * 9 + b"."),
                            "a call with 1000 arguments"),
        "billion.pth": (claiming(10**9, 10**9), "should have 1000000000 elements of f32, but has 64 bytes"),
        "huge-view.pth": (claiming(16, 10**9), "shape [1000000000] of f32 has 4000000000 bytes, but its storage 64"),
        "endless-view.pth": (saved({"w": strided}), "[4, 4] of f32 has 64 bytes, but its storage 4"),
        "truncated.pth": (honest[: len(honest) - 100], "has no end record"),
        "truncated-legacy.pth": (legacy[:-1], "elements of 4 bytes, but only 31 bytes follow"),
        "deflated.pth": (rezip(honest, lambda n, c: c, zipfile.ZIP_DEFLATED), "is compressed (method 8)"),
        "script.pth": (script.getvalue(), "is a TorchScript archive"),
        "module.pth": (saved(torch.nn.Linear(2, 2)), "'torch.nn.modules.linear.Linear', a module that was pickled whole"),
        "missing-storage.pth": (rezip(honest, lambda n, c: None if "/data/" in n else c), "storage '0' is missing"),
        "no-pickle.pth": (rezip(honest, lambda n, c: None if n.endswith(".pkl") else c), "without data.pkl"),
        "escaping.pth": (rezip(honest, lambda n, c: c).replace(b"archive/data/0", b"../../..ta/xx0"), "leads out of the archive"),
        "twice.pth": (rezip(saved(wide), lambda n, c: c).replace(b"archive/data/2", b"archive/data/1"), "is there twice"),
        "overlap.pth": (bytes(overlapping[: second + 42] + overlapping[first + 42 : first + 46] + overlapping[second + 46 :]),
                        "its header"),
        "integers.pth": (saved({"w": torch.arange(8)}), "expected elements f32, f16, bf16 or int8, found 'torch.LongStorage'"),
        "number.pth": (saved({"w": 5}), "tensor 'w': expected a tensor, found the integer 5"),
        "list.pth": (saved([torch.ones(1)]), "expected a dict of tensors, found a list"),
        "cube.pth": (saved({"w": torch.ones(2, 2, 2)}), "has 3 dimensions, expected at most 2"),
        "empty.pth": (b"", "begins neither as a zip file"),
        "text.pth": (b"once upon a time there was a text file\n", "begins neither as a zip file"),
        "protocol.pth": (pickled(pickle.dumps({}, 0)), "expected a protocol"),
        "no-stop.pth": (pickled(b"\x80\x02}"), "expected 1 more bytes"),
        "stack.pth": (pickled(b"\x80\x02a."), "expected 2 values on the stack, found 0"),
        "memo.pth": (pickled(b"\x80\x02h\5."), "refers to value 5, which was not remembered"),
        "instance.pth": (pickled(b"\x80\x02}}\x81."), "is not one that data needs"),
        "long-string.pth": (pickled(b"\x80\x02X\xff\xff\xff\x7f."), "a string of 2147483647 bytes"),
        "same-name.pth": (saved({"w": torch.ones(1), "module.w": torch.ones(1)}), "tensor 'w': is there twice"),
    }  # fmt: skip
    for name, (content, _) in files.items():
        (target / name).write_bytes(content)
    (target / "expected.json").write_text(json.dumps({name: message for name, (_, message) in files.items()}))


def main():
    folder = Path(sys.argv[1])
    values = load(folder)
    assert len(values) == 21
    write_meta(folder, "meta-bf16", values, torch.bfloat16)
    write_meta(folder, "meta-f16", values, torch.float16)
    write_meta(folder, "meta-legacy", values, torch.float32, _use_new_zipfile_serialization=False)
    write_meta(folder, "meta-rows", values, torch.bfloat16, shards=2)
    write_meta(folder, "meta-columns", values, torch.float16, shards=2, axis=1)
    write_meta(folder, "meta-repeated", values, torch.float32, shards=4, axis=0, repeats=2)
    write_views(folder, values)
    write_bin(folder, "hf-bin", values, torch.float32, shards=1)
    write_bin(folder, "hf-bin-sharded", values, torch.bfloat16, shards=3)
    write_layers(folder, "maxtext-old", values, 4)
    write_quantized(folder, "meta-spinquant", values, spin=True, rank=0)
    write_quantized(folder, "meta-qlora", values, spin=False, rank=16)
    write_hostile(folder, values)


if __name__ == "__main__":
    main()
