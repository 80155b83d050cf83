#!/usr/bin/env python3
"""Writes a few small valid files per reader: seeds.py FOLDER

FOLDER/READER/* are the seeds, FOLDER/READER.dict words the fuzzer may insert.
"""

import base64
import io
import json
import pickle
import re
import struct
import sys
import types
import zipfile
from collections import OrderedDict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "runtime/Text/Jinja"))
import snippets  # noqa: E402  one template for each thing that Jinja has

# One layer of hidden 4, ffn 6, vocab 3, 2 heads of 2, 1 key-value head, tied.
SHAPES = {
    "tok_embeddings": (3, 4), "norm": (4,), "attention_norm": (4,), "wq": (4, 4), "wk": (2, 4),
    "wv": (2, 4), "wo": (4, 4), "ffn_norm": (4,), "w1": (6, 4), "w2": (4, 6), "w3": (6, 4),
}  # fmt: skip
HF = {
    "tok_embeddings": "model.embed_tokens", "norm": "model.norm", "attention_norm": "input_layernorm",
    "wq": "self_attn.q_proj", "wk": "self_attn.k_proj", "wv": "self_attn.v_proj",
    "wo": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm", "w1": "mlp.gate_proj",
    "w2": "mlp.down_proj", "w3": "mlp.up_proj",
}  # fmt: skip
GGUF = {
    "tok_embeddings": "token_embd", "norm": "output_norm", "attention_norm": "attn_norm",
    "wq": "attn_q", "wk": "attn_k", "wv": "attn_v", "wo": "attn_output", "ffn_norm": "ffn_norm",
    "w1": "ffn_gate", "w2": "ffn_down", "w3": "ffn_up",
}  # fmt: skip


def rename(name, table, layer):
    outside = name in ("tok_embeddings", "norm")
    return ("" if outside else layer) + table[name] + ".weight"


def count(shape):
    return shape[0] * (shape[1] if len(shape) == 2 else 1)


def safetensors(dtype, size):
    header, data = {}, b""
    for name, shape in SHAPES.items():
        begin = len(data)
        data += bytes(i % 256 for i in range(count(shape) * size))
        header[rename(name, HF, "model.layers.0.")] = {
            "dtype": dtype, "shape": shape, "data_offsets": [begin, len(data)],
        }  # fmt: skip
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def npy(descr, shape, size, major):
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    length = struct.pack("<H" if major == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([major, 0]) + length + text + bytes(count(shape) * size)


class FakeTensor:
    """Pickled as torch pickles a tensor of that shape."""

    def __init__(self, storage, *shape):
        self.storage, self.shape = storage, shape

    def __reduce__(self):
        strides = tuple(count(self.shape[i + 1 :] or (1,)) for i in range(len(self.shape)))
        return torch._utils._rebuild_tensor_v2, (self.storage, 0, self.shape, strides, False, OrderedDict())


class Storage(str):
    """Class, key and number of elements, with colons between them."""


def fake_module(name, *members):
    module = sys.modules[name] = types.ModuleType(name)
    for member in members:
        member.__module__ = name
        setattr(module, member.__name__, member)
    return module


def _rebuild_tensor_v2(*arguments):
    raise NotImplementedError


torch = fake_module("torch", type("FloatStorage", (), {}), type("CharStorage", (), {}))
torch._utils = fake_module("torch._utils", _rebuild_tensor_v2)


class TorchPickler(pickle.Pickler):
    def persistent_id(self, value):
        if not isinstance(value, Storage):
            return None
        kind, key, elements = value.split(":")
        return "storage", getattr(torch, kind), key, "cpu", int(elements)


def torch_dict():
    stream = io.BytesIO()
    floats = Storage("FloatStorage:1:8")
    content = {
        "w.weight": FakeTensor(Storage("CharStorage:0:8"), 2, 4), "w.scales": FakeTensor(floats, 2, 4),
        "module.v": FakeTensor(floats, 8), "w.adaptor.A.weight": FakeTensor(floats, 1, 4),
        "w.adaptor.B.weight": FakeTensor(floats, 2, 1),
    }  # fmt: skip
    TorchPickler(stream, 2).dump({"model": OrderedDict(content)})
    return stream.getvalue()


def torch_zip():
    stream = io.BytesIO()
    contents = {"data.pkl": torch_dict(), "byteorder": b"little", "data/0": bytes(range(8)),
                "data/1": struct.pack("<8f", *range(8)), "version": b"3\n"}  # fmt: skip
    with zipfile.ZipFile(stream, "w") as file:
        for name, content in contents.items():
            file.writestr("archive/" + name, content)
    return stream.getvalue()


def torch_legacy():
    def dump(value):
        return pickle.dumps(value, 2)

    machine = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    storages = struct.pack("<q", 8) + bytes(range(8)) + struct.pack("<q8f", 8, *range(8))
    return dump(0x1950A86A20F9469CFC6C) + dump(1001) + dump(machine) + torch_dict() + dump(["0", "1"]) + storages


def layer_pickle(protocol, fortran):
    """As numpy writes it, by hand: this script needs nothing but Python."""

    def text(value):
        return b"X" + struct.pack("<I", len(value)) + value

    dtype = b"cnumpy\ndtype\n(" + text(b"f4") + b"\x89\x88tR(K\x03" + text(b"<")
    dtype += b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
    data = bytes(24)
    if protocol == 5:
        array = b"cnumpy._core.numeric\n_frombuffer\n(\x96" + struct.pack("<Q", 24) + data + dtype + b"K\2K\3\x86"
        array += text(b"F" if fortran else b"C") + b"tR"
    else:
        array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\0\x85C\1btR(K\1K\2K\3\x86" + dtype
        array += (b"\x88" if fortran else b"\x89") + b"B" + struct.pack("<I", 24) + data + b"tb"
    return bytes([0x80, protocol]) + b"}(" + text(b"attention") + b"}(" + text(b"wq") + array + b"uu."


def nanotron():
    files = []
    for rank in range(2):
        pair = f"0,2,None|0,2,None#0,2,None|{2 * rank},{2 * rank + 2},None"
        header = {"__metadata__": {"version": "1.5", "unsharded_shape": "(np.int64(2), np.int64(4))",
                                   "local_global_slices_pairs": pair},
                  "data": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}  # fmt: skip
        raw = json.dumps(header).encode()
        files.append(struct.pack("<Q", len(raw)) + raw + bytes(16))
    return struct.pack("<H", len(files[0])) + files[0] + files[1]


def shared_object():
    """An ELF file with the symbols of a compiled model, and no code."""
    norm = {"name": "norm", "dtype": "f32", "layout": "rows", "shape": [4], "offset": 0, "bytes": 16}
    tensors = [norm] + [
        {"name": dtype, "dtype": dtype, "layout": "panels16", "shape": [1, 100], "offset": 16, "bytes": size}
        for dtype, size in [("int8g64", 2112), ("int4g32", 1152), ("int8g64m", 2176)]
    ]
    info = json.dumps({
        "name": "m", "hidden": 4, "ffn": 6, "vocab": 3, "layers": 1, "heads": {"query": 2, "kv": 1, "dim": 2},
        "max_seq_len": 8, "bos_token": None, "eos_tokens": [2], "activations": "f32", "kv_type": "int8",
        "target": {"triple": "x", "cpu": "y", "features": ["z"], "steps": [
            {"name": "s", "bytes": 1, "row_bytes": 0, "multiplies": 2, "rows": "prompt_rows", "cache": True},
        ], "others": [{"cpu": "w", "features": [], "steps": [], "forward": "f", "workspace": "g"}]},
        "weights": {"storage": "embed", "file": "", "bytes": 16 + 2176, "tensors": tensors},
        "chat_template": "", "compiler": "c",
    }).encode()  # fmt: skip
    abi = (Path(__file__).parents[2] / "runtime/abi/LlamaABI.h").read_text()
    version = int(re.search(r"LLAMA_ABI_VERSION (\d+)", abi)[1])
    hashes = bytes(range(32)) * len(tensors)
    sizes = [16 + 2176, len(info), 0, 0, len(hashes)]
    header = struct.pack("<QII5Q", 0x4F53414D414C4C, version, 184, *sizes) + bytes(128)
    parts = {"llama_header": header, "llama_info": info, "llama_hashes": hashes, "llama_weights": bytes(16 + 2176)}
    strings = b"\0" + b"".join(name.encode() + b"\0" for name in parts)
    at = 64 + 56
    places = [at + sum(map(len, list(parts.values())[:i])) for i in range(len(parts))]
    body = b"".join(parts.values())
    symbols_at = (at + len(body) + 7) // 8 * 8
    symbols, offset = bytes(24), 1
    for name, place in zip(parts, places, strict=True):
        symbols += struct.pack("<IBBHQQ", offset, 0x11, 0, 1, place, 0)
        offset += len(name) + 1
    strings_at = symbols_at + len(symbols)
    sections_at = (strings_at + len(strings) + 7) // 8 * 8
    program = struct.pack("<IIQQQQQQ", 1, 4, 0, 0, 0, symbols_at, symbols_at, 4096)
    elf = b"\x7fELF\2\1\1" + bytes(9)
    elf += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, sections_at, 0, 64, 56, 1, 64, 3, 2)
    file = (elf + program + body).ljust(symbols_at, b"\0") + symbols + strings
    sections = bytes(64) + struct.pack("<IIQQQQIIQQ", 0, 11, 2, symbols_at, symbols_at, len(symbols), 2, 1, 8, 24)
    sections += struct.pack("<IIQQQQIIQQ", 0, 3, 2, strings_at, strings_at, len(strings), 0, 0, 1, 0)
    return file.ljust(sections_at, b"\0") + sections


def text(value):
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def array(kind, values):
    body = b"".join(text(v) if kind == 8 else struct.pack("<f" if kind == 6 else "<i", v) for v in values)
    return struct.pack("<IQ", kind, len(values)) + body


def gguf(tokenizer, tensor_type=0, size=4, extra=()):
    keys = [
        ("general.architecture", 8, text("llama")),
        ("general.alignment", 4, struct.pack("<I", 32)),
        ("llama.embedding_length", 4, struct.pack("<I", 4)),
        ("llama.feed_forward_length", 4, struct.pack("<I", 6)),
        ("llama.block_count", 4, struct.pack("<I", 1)),
        ("llama.context_length", 10, struct.pack("<Q", 64)),
        ("llama.attention.head_count", 4, struct.pack("<I", 2)),
        ("llama.attention.head_count_kv", 9, array(5, [1])),
        ("llama.attention.layer_norm_rms_epsilon", 6, struct.pack("<f", 1e-5)),
        ("llama.rope.freq_base", 12, struct.pack("<d", 1e4)),
        *tokenizer,
    ]
    out = b"GGUF" + struct.pack("<IQQ", 3, len(SHAPES) + len(extra), len(keys))
    for key, kind, value in keys:
        out += text(key) + struct.pack("<I", kind) + value
    data = b""
    tensors = [(rename(n, GGUF, "blk.0."), s, tensor_type, count(s) * size) for n, s in SHAPES.items()]
    for name, shape, kind, length in [*tensors, *extra]:
        out += text(name) + struct.pack("<I", len(shape))
        out += struct.pack(f"<{len(shape)}Q", *reversed(shape)) + struct.pack("<IQ", kind, len(data))
        data += bytes((7 * i) % 120 for i in range(-(-length // 32) * 32))
    return out + bytes(-len(out) % 32) + data


BYTE_LEVEL = [
    ("tokenizer.ggml.model", 8, text("gpt2")),
    ("tokenizer.ggml.pre", 8, text("llama-bpe")),
    ("tokenizer.ggml.tokens", 9, array(8, ["a", "Ġ", "Ġa"])),
    ("tokenizer.ggml.token_type", 9, array(5, [1, 1, 1])),
    ("tokenizer.ggml.merges", 9, array(8, ["Ġ a"])),
    ("tokenizer.ggml.bos_token_id", 4, struct.pack("<I", 0)),
    ("tokenizer.ggml.add_bos_token", 7, b"\1"),
    ("tokenizer.chat_template", 8, text("{{ x }}")),
]
PIECES = [
    ("tokenizer.ggml.model", 8, text("llama")),
    ("tokenizer.ggml.tokens", 9, array(8, ["<unk>", "<s>", "▁a"])),
    ("tokenizer.ggml.scores", 9, array(6, [0.0, 0.0, -1.0])),
    ("tokenizer.ggml.token_type", 9, array(5, [2, 3, 1])),
    ("tokenizer.ggml.eos_token_id", 4, struct.pack("<I", 1)),
]
CONFIGS = {
    "h": {
        "model_type": "llama", "hidden_size": 64, "intermediate_size": 172, "vocab_size": 512,
        "num_hidden_layers": 5, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 8,
        "rope_theta": 1e4, "eos_token_id": [1, 2], "tie_word_embeddings": True,
        "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                         "high_freq_factor": 4.0, "original_max_position_embeddings": 8192},
    },
    "g": {"eos_token_id": [1, 2], "bos_token_id": 0, "temperature": 0.6},
    "p": {
        "dim": 2048, "n_layers": 16, "n_heads": 32, "n_kv_heads": 8, "vocab_size": 128256,
        "ffn_dim_multiplier": 1.5, "multiple_of": 256, "norm_eps": 1e-5, "rope_theta": 5e5,
        "use_scaled_rope": True, "output_tokens": [3, 1, 2],
    },
    "o": {"0": 19193, "1": 39257},
    "n": {
        "hidden_size": 64, "intermediate_size": 172, "vocab_size": 512, "num_hidden_layers": 5,
        "num_attention_heads": 8, "is_llama_config": True, "rope_interleaved": True, "tie_word_embeddings": True,
        "no_rope_layer": None, "moe_config": None,
    },
    "m": {
        "hidden": 64, "ffn": 172, "vocab": 512, "layers": 5, "heads": {"query": 8, "kv": 4, "dim": 8},
        "norm_eps": 1e-5, "max_seq_len": 512, "tied_embeddings": True, "bos_token": 1, "eos_tokens": [2],
        "rope": {"theta": 1e4, "scaling": {"factor": 8, "low_freq_factor": 1, "high_freq_factor": 4,
                                           "original_max_positions": 8192}},
        "weights": {"format": "hf", "path": "."}, "tokenizer": "t", "chat_template": {"file": "c"},
    },
}  # fmt: skip


def tokenizer_json():
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": 3, "content": "<|x|>", "single_word": False, "lstrip": False,
                          "rstrip": False, "normalized": False, "special": True}],
        "normalizer": None,
        "pre_tokenizer": level, "post_processor": level, "decoder": level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "ignore_merges": True,
                  "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]},
    }  # fmt: skip


def piece_json(model):
    """A tokenizer.json with steps, of characters or of a Unigram."""
    space = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    steps = [{"type": "NFKC"}, {"type": "Strip", "strip_left": True, "strip_right": False},
             {"type": "Prepend", "prepend": "▁"}, space]  # fmt: skip
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}
    return {**tokenizer_json(), "normalizer": {"type": "Sequence", "normalizers": steps},
            "pre_tokenizer": metaspace, "decoder": metaspace, "model": model}  # fmt: skip


def tokenizer_jsons():
    """A file for every step, and for every kind of added token, that is read."""
    bpe = {"type": "BPE", "byte_fallback": False, "unk_token": "a", "fuse_unk": True,
           "vocab": {"a": 0, "b": 1, "▁a": 2}, "merges": []}  # fmt: skip
    unigram = {"type": "Unigram", "unk_id": 0, "vocab": [["a", -1.5], ["b", 0], ["▁a", -2e-3]]}
    bytes_ = {**bpe, "byte_fallback": True, "unk_token": None,
              "vocab": {"a": 256, "▁": 257, "▁a": 258, **{f"<0x{i:02X}>": i for i in range(256)}},
              "merges": [["▁", "a"]]}  # fmt: skip
    files = [tokenizer_json(), piece_json(bpe), piece_json(unigram)]
    for kind in ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Precompiled"]:
        files.append({**tokenizer_json(), "normalizer": {"type": kind}})
    files.append({**tokenizer_json(), "normalizer": {"type": "Replace", "pattern": {"String": "a"}, "content": "b"}})
    for scheme in ["always", "first", "never"]:
        step = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": False}
        decoder = {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
            {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}  # fmt: skip
        files.append({**piece_json(bytes_), "normalizer": None, "pre_tokenizer": step, "decoder": decoder})
    split = {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True},
                                                   tokenizer_json()["pre_tokenizer"]]}  # fmt: skip
    template = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<|x|>", "type_id": 0}},
                                                         {"Sequence": {"id": "A", "type_id": 0}}],
                "special_tokens": {"<|x|>": {"id": "<|x|>", "ids": [3], "tokens": ["<|x|>"]}}}  # fmt: skip
    files.append({**tokenizer_json(), "pre_tokenizer": split, "post_processor": template})
    for flag in ["single_word", "lstrip", "rstrip", "normalized"]:
        token = {"id": 3, "content": "<n>", "special": False, flag: True}
        files.append({**tokenizer_json(), "added_tokens": [token]})
    return [b"j" + json.dumps(file).encode() for file in files]


def tokenizer_folders():
    """Files next to a tokenizer.model of five pieces."""
    token = {"content": "<n>", "special": False, "lstrip": True, "rstrip": False, "normalized": True}
    decoder = {"added_tokens_decoder": {"1": {"content": "<s>", "special": True}, "5": token}}
    named = [{"name": "default", "template": "{{ x }}"}, {"name": "tool_use", "template": "{{ y }}"}]
    names = {"bos_token": "<s>", "eos_token": {"content": "</s>"}, "additional_special_tokens": ["<n>"]}
    folders = [
        {"c": {**decoder, "bos_token": "<s>", "add_bos_token": True, "chat_template": named}},
        {"c": {"legacy": False}, "a": {"<n>": 5, "<e>": 6}, "m": names},
        {"c": {"add_prefix_space": False, "eos_token": "</s>", "add_eos_token": True}, "g": {"eos_token_id": [2, 3]}},
        {"j": {**tokenizer_json(), "normalizer": {"type": "Precompiled"},
               "added_tokens": [{"id": 5, "content": "<n>", "special": True}]}, "g": {"eos_token_id": 5}},
        {"j": tokenizer_json(), "c": {"pad_token": "<|x|>", "chat_template": "{{ x }}"}},
    ]  # fmt: skip
    texts = ["\1".join(name + json.dumps(file) for name, file in folder.items()) for folder in folders]
    return [text.encode() for text in [*texts, texts[0] + "\1t{{ z }}"]]


def message(number, raw):
    return bytes([number << 3 | 2, len(raw)]) + raw


def sentencepiece():
    pieces = [("<unk>", 2), ("<s>", 3), ("</s>", 3), ("▁a", 1)]
    out = b""
    for piece, kind in pieces:
        out += message(1, message(1, piece.encode()) + b"\x15" + struct.pack("<f", -1.0) + bytes([24, kind]))
    out += message(2, bytes([24, 2, 32, len(pieces)]))
    return out + message(3, message(1, b"identity") + bytes([24, 1, 32, 0, 40, 1]))


def session(length, logits=0, heads=0):
    """A saved session of the fake model; its checksums are not looked at."""
    vocab, block = 264, 2 * 2 * 2 * 64 * 4 * 4
    header = b"LLAMASES" + struct.pack("<II", 1, 136) + b"0123456789abcdef" * 4
    header += struct.pack("<QQQqqqq", 0, 7, block, length, 0, vocab if logits else 0, heads)
    sections = [
        header, struct.pack(f"<{length}i", *(i % vocab for i in range(length))),
        bytes(i % 5 == 4 for i in range(length)), b"", bytes(4 * vocab) if logits else b"",
        bytes(4 * heads * length), struct.pack("<q", length // 64), *[bytes(block)] * (length // 64),
    ]  # fmt: skip
    return b"".join(section + bytes(8) for section in sections)


CHATS = [
    b'\x01[{"role": "user", "content": "Hi"}]',
    b'\x01{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": [{"type": "text", '
    b'"text": "a"}]}], "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]}',
    b'\x00{"name": "f", "parameters": {"a": [1, "}"]}}; {"name": "g", "parameters": {}}',
    b'\x00text <function=f>{"x": 1}</function> more',
    b'\x00<|python_tag|>{"name": "f", "arguments": {}}',
]  # fmt: skip


def main():
    out = Path(sys.argv[1])
    ranks = b"".join(base64.b64encode(bytes([i])) + f" {i}\n".encode() for i in range(256))
    seeds = {
        "safetensors": [safetensors("F32", 4), safetensors("BF16", 2), safetensors("F16", 2)],
        "npy": [npy("<V2", (3, 2), 2, 1), npy("|V2", (5,), 2, 2), npy("<f4", (2, 2), 4, 3)],
        "gguf": [
            gguf(BYTE_LEVEL), gguf(PIECES), gguf([], 30, 2),
            gguf([], extra=[("rope_freqs.weight", (1,), 0, 4)]),
            *(gguf([], extra=[("q", (1, 256), kind, 400)]) for kind in range(2, 15) if kind not in (4, 5, 9)),
        ],
        "config": [(k + json.dumps(v)).encode() for k, v in CONFIGS.items()],
        "torch": [torch_zip(), torch_legacy()],
        "layers": [layer_pickle(p, f) for p in (4, 5) for f in (False, True)],
        "nanotron": [nanotron()],
        "compiled": [shared_object()],
        "chat": CHATS,
        "session": [session(0), session(3, 1), session(70, 1, 4)],
        "lists": [b"c" + b"0" * 32 + b"  params.json\n", b"m" + json.dumps({
            "hash": "blake3", "files": {"a": "0" * 64}, "tensors": {"norm": {"dtype": "f32", "shape": [4], "hash": ""}},
        }).encode()],
        "tokenizer": [*tokenizer_jsons(), b"s" + sentencepiece(), b"t" + ranks],
        "tokenizer-folder": tokenizer_folders(),
        "jinja": [source.encode() for group in snippets.GROUPS.values() for source in group],
    }  # fmt: skip
    words = {"safetensors": set(HF.values()) | {"dtype", "shape", "data_offsets", "__metadata__"}}
    words["config"] = {k for v in CONFIGS.values() for k in v} | {"rope_parameters", "null", "true"}
    words["jinja"] = {
        "{%", "%}", "{{", "}}", "{%-", "-%}", "for", "endfor", "if", "endif", "else", "set", "endset", "macro",
        "endmacro", "call", "endcall", "filter", "loop", "recursive", "namespace", "range", "messages", "tojson",
    }  # fmt: skip
    words["gguf"] = set(GGUF.values()) | {"llama.", "tokenizer.ggml.", "split.count"}
    words["npy"] = {"descr", "fortran_order", "shape", "True", "False"}
    words["tokenizer"] = {
        "vocab", "merges", "added_tokens", "special", "Metaspace", "ByteFallback", "normalizer", "normalizers",
        "pretokenizers", "decoders", "Sequence", "Replace", "Prepend", "Strip", "Unigram", "unk_id", "prepend_scheme",
        "normalized", "single_word", "TemplateProcessing", "null", "true", "false", "content",
    }  # fmt: skip
    words["tokenizer-folder"] = {
        "added_tokens_decoder", "added_tokens", "additional_special_tokens", "extra_special_tokens", "legacy",
        "add_prefix_space", "add_bos_token", "add_eos_token", "bos_token", "eos_token", "pad_token", "chat_template",
        "eos_token_id", "name", "template", "content", "special", "normalized", "null", "true", "false", "<n>", "</s>",
    }  # fmt: skip
    words["torch"] = {"torch", "_utils", "_rebuild_tensor_v2", "FloatStorage", "storage", "cpu", "state_dict"}
    words["layers"] = {"numpy", "dtype", "_frombuffer", "_reconstruct", "multiarray", "f4", "ndarray"}
    words["nanotron"] = {"unsharded_shape", "local_global_slices_pairs", "None", "np.int64", "torch.Size", "data"}
    words["compiled"] = {
        "llama_info", "llama_hashes", "weights", "tensors", "external", "storage", "panels16", "rotated",
        "int8g128", "int4g32", "int4g32m",
    }  # fmt: skip
    words["lists"] = {"blake3", "files", "tensors", "hash"}
    words["chat"] = {
        "role", "user", "assistant", "system", "tool", "ipython", "content", "tool_calls", "function", "name",
        "arguments", "parameters", "<function=", "</function>", "<|python_tag|>", "messages", "tools", "type", "text",
    }  # fmt: skip
    words["session"] = {"LLAMASES"}
    for reader, files in seeds.items():
        (out / reader).mkdir(parents=True, exist_ok=True)
        for i, raw in enumerate(files):
            (out / reader / f"seed-{i}").write_bytes(raw)
        lines = "".join(f'"{word}"\n' for word in sorted(words[reader]))
        (out / f"{reader}.dict").write_text(lines)


if __name__ == "__main__":
    main()
