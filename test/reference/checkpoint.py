"""Opens a checkpoint for the reference: its hyper-parameters and its tensors.

    open_checkpoint("folder or file.gguf")  =>  Checkpoint

Three formats: a Hugging Face folder (config.json, *.safetensors), a folder of
.npy files (params.json or config.json) and a GGUF file. Tensors keep the names
and the row order of their file; nothing is permuted. What differs between the
formats is said in two places: the table of names, and `interleaved`, which
tells whether a rotary pair is (2i, 2i + 1) or (i, i + head_dim / 2).
"""

import json
import math
import mmap
import pathlib
from dataclasses import dataclass

import numpy as np


class CheckpointError(Exception):
    """A checkpoint that cannot be used; the message names file and reason."""


@dataclass
class Config:
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    eps: float
    theta: float
    scaling: dict | None  # factor, low_freq_factor, high_freq_factor, original_...
    divisors: np.ndarray | None  # of the rotary frequencies, head_dim / 2 (GGUF)
    interleaved: bool
    eos: list
    output_tokens: list | None = None  # of a pruned head: the token of each row


@dataclass
class Tensor:
    """A stored tensor; t[rows] reads some rows as float64."""

    stored: np.ndarray
    widen: object  # stored rows -> float64

    def __getitem__(self, rows):
        return self.widen(self.stored[rows])

    def __len__(self):
        return len(self.stored)


@dataclass
class Checkpoint:
    config: Config
    names: dict  # role -> name in the file, with {i} for the layer
    tensors: dict  # name in the file -> Tensor

    def get(self, role, layer=None):
        name = self.names[role].format(i=layer)
        if name not in self.tensors:
            raise CheckpointError(f"tensor '{name}': expected, not found")
        return self.tensors[name]

    def has(self, role):
        return self.names[role] in self.tensors


HF_NAMES = {
    "embedding": "model.embed_tokens.weight",
    "norm": "model.norm.weight",
    "head": "lm_head.weight",
    "attention_norm": "model.layers.{i}.input_layernorm.weight",
    "q": "model.layers.{i}.self_attn.q_proj.weight",
    "k": "model.layers.{i}.self_attn.k_proj.weight",
    "v": "model.layers.{i}.self_attn.v_proj.weight",
    "o": "model.layers.{i}.self_attn.o_proj.weight",
    "ffn_norm": "model.layers.{i}.post_attention_layernorm.weight",
    "gate": "model.layers.{i}.mlp.gate_proj.weight",
    "up": "model.layers.{i}.mlp.up_proj.weight",
    "down": "model.layers.{i}.mlp.down_proj.weight",
}
META_NAMES = {
    "embedding": "tok_embeddings.weight",
    "norm": "norm.weight",
    "head": "output.weight",
    "attention_norm": "layers.{i}.attention_norm.weight",
    "q": "layers.{i}.attention.wq.weight",
    "k": "layers.{i}.attention.wk.weight",
    "v": "layers.{i}.attention.wv.weight",
    "o": "layers.{i}.attention.wo.weight",
    "ffn_norm": "layers.{i}.ffn_norm.weight",
    "gate": "layers.{i}.feed_forward.w1.weight",
    "up": "layers.{i}.feed_forward.w3.weight",
    "down": "layers.{i}.feed_forward.w2.weight",
}
GGUF_NAMES = {
    "embedding": "token_embd.weight",
    "norm": "output_norm.weight",
    "head": "output.weight",
    "attention_norm": "blk.{i}.attn_norm.weight",
    "q": "blk.{i}.attn_q.weight",
    "k": "blk.{i}.attn_k.weight",
    "v": "blk.{i}.attn_v.weight",
    "o": "blk.{i}.attn_output.weight",
    "ffn_norm": "blk.{i}.ffn_norm.weight",
    "gate": "blk.{i}.ffn_gate.weight",
    "up": "blk.{i}.ffn_up.weight",
    "down": "blk.{i}.ffn_down.weight",
}


# --- numbers ----------------------------------------------------------------

def bf16_to_f64(bits):
    """bfloat16 is the upper half of a float32."""
    return (bits.astype(np.uint32) << 16).view(np.float32).astype(np.float64)


def round_to_bf16(values):
    """The nearest bfloat16 of finite numbers, ties to even, as float64."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    half = 0x7FFF + ((bits >> 16) & 1)
    return bf16_to_f64(((bits + half) >> 16).astype(np.uint16))


def plain(stored):
    return stored.astype(np.float64)


# --- Hugging Face -----------------------------------------------------------

SAFETENSORS_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


def read_safetensors(path):
    """8 bytes with the length n of a JSON header, the header, the data."""
    with open(path, "rb") as file:
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    length = int.from_bytes(data[:8], "little")
    header = json.loads(bytes(data[8 : 8 + length]))
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] not in SAFETENSORS_TYPES:
            raise CheckpointError(f"{path}: tensor '{name}': type {entry['dtype']} is not known")
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        array = np.frombuffer(data[begin:end], SAFETENSORS_TYPES[entry["dtype"]])
        widen = bf16_to_f64 if entry["dtype"] == "BF16" else plain
        tensors[name] = Tensor(array.reshape(entry["shape"]), widen)
    return tensors


def as_list(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def hf_config(path):
    config = json.loads(path.read_text(encoding="utf-8"))
    for key in ("attention_bias", "mlp_bias"):
        if config.get(key):
            raise CheckpointError(f"{path}: {key} is true, expected false")
    # Newer files hold theta and the scaling together in rope_parameters.
    rope = config.get("rope_scaling") or config.get("rope_parameters") or {}
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind not in ("default", "llama3"):
        raise CheckpointError(f"{path}: rope_type is {kind}, expected llama3")
    heads = config["num_attention_heads"]
    return Config(
        hidden=config["hidden_size"],
        layers=config["num_hidden_layers"],
        heads=heads,
        kv_heads=config.get("num_key_value_heads") or heads,
        head_dim=config.get("head_dim") or config["hidden_size"] // heads,
        eps=config["rms_norm_eps"],
        theta=config.get("rope_theta") or rope.get("rope_theta", 10000.0),
        scaling=rope if kind == "llama3" else None,
        divisors=None,
        interleaved=False,
        eos=as_list(config.get("eos_token_id")),
    )


def open_hf(folder):
    tensors = {}
    for file in sorted(folder.glob("*.safetensors")):
        tensors |= read_safetensors(file)
    config = hf_config(folder / "config.json")
    # A head of its own counts, also where the embeddings are said to be tied: only a copy of them is left out.
    tied = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("tie_word_embeddings")
    head, embedding = (tensors.get(HF_NAMES[role]) for role in ("head", "embedding"))
    if tied and head and embedding and np.array_equal(head.stored, embedding.stored):
        tensors.pop(HF_NAMES["head"])
    return Checkpoint(config, HF_NAMES, tensors)


# --- .npy files -------------------------------------------------------------

def npy_tensor(path):
    array = np.load(path, mmap_mode="r")
    if array.dtype.kind == "V" and array.dtype.itemsize == 2:  # '<V2', '|V2'
        return Tensor(array.view("<u2"), bf16_to_f64)
    return Tensor(array, plain)


def meta_scaling(params):
    """params.json says whether, not how much: 32 for the 3.2 models, else 8."""
    if not params.get("use_scaled_rope"):
        return None
    is_3_2 = (params["dim"], params["n_layers"]) in ((2048, 16), (3072, 28))
    return {"factor": 32.0 if is_3_2 else 8.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}


def meta_config(path):
    params = json.loads(path.read_text(encoding="utf-8"))
    return Config(
        hidden=params["dim"],
        layers=params["n_layers"],
        heads=params["n_heads"],
        kv_heads=params.get("n_kv_heads") or params["n_heads"],
        head_dim=params.get("head_dim") or params["dim"] // params["n_heads"],
        eps=params["norm_eps"],
        theta=params.get("rope_theta", 10000.0),
        scaling=meta_scaling(params),
        divisors=None,
        interleaved=True,
        eos=[],
        output_tokens=params.get("output_tokens"),
    )


def open_npy(folder):
    if (folder / "params.json").exists():
        config = meta_config(folder / "params.json")
    else:
        config = hf_config(folder / "config.json")
        config.interleaved = True
    tensors = {file.name[: -len(".npy")]: npy_tensor(file) for file in sorted(folder.glob("*.npy"))}
    return Checkpoint(config, META_NAMES, tensors)


# --- GGUF -------------------------------------------------------------------

def open_gguf(path):
    import gguf  # only this format needs the package

    reader = gguf.GGUFReader(path)

    def value(key, default=None):
        field = reader.fields.get(key)
        if field is None and default is None:
            raise CheckpointError(f"{path}: key '{key}': expected, not found")
        return default if field is None else field.contents()

    def tensor(entry):
        kind = entry.tensor_type
        return Tensor(entry.data, lambda rows: gguf.dequantize(rows, kind).astype(np.float64))

    if value("general.architecture") != "llama":
        raise CheckpointError(f"{path}: general.architecture is not llama")
    tensors = {entry.name: tensor(entry) for entry in reader.tensors}
    hidden, heads = value("llama.embedding_length"), value("llama.attention.head_count")
    divisors = tensors.pop("rope_freqs.weight", None)
    return Checkpoint(Config(
        hidden=hidden,
        layers=value("llama.block_count"),
        heads=heads,
        kv_heads=value("llama.attention.head_count_kv", heads),
        head_dim=value("llama.attention.key_length", hidden // heads),
        eps=value("llama.attention.layer_norm_rms_epsilon"),
        theta=value("llama.rope.freq_base", 10000.0),
        scaling=None,
        divisors=None if divisors is None else divisors[:],
        interleaved=True,
        eos=as_list(value("tokenizer.ggml.eos_token_id", [])),
    ), GGUF_NAMES, tensors)


def open_checkpoint(path):
    path = pathlib.Path(path)
    if path.is_file() and path.suffix == ".gguf":
        return open_gguf(path)
    if any(path.glob("*.safetensors")):
        return open_hf(path)
    if any(path.glob("*.npy")):
        return open_npy(path)
    raise CheckpointError(f"{path}: expected a .gguf file or a folder of .safetensors or .npy files")


def rotary_frequencies(config):
    """Radians per position, head_dim / 2 of them.

    Llama 3.1: a wave shorter than original / high_freq_factor is kept, one
    longer than original / low_freq_factor is stretched by factor, and between
    the two the frequencies are blended.
    """
    frequencies = []
    for i in range(config.head_dim // 2):
        f = config.theta ** (-2 * i / config.head_dim)
        if config.scaling:
            low, high = config.scaling["low_freq_factor"], config.scaling["high_freq_factor"]
            original = config.scaling["original_max_position_embeddings"]
            factor = config.scaling["factor"]
            wavelength = 2 * math.pi / f
            if wavelength > original / low:
                f = f / factor
            elif wavelength >= original / high:
                smooth = (original / wavelength - low) / (high - low)
                f = (1 - smooth) * f / factor + smooth * f
        if config.divisors is not None:
            f = f / config.divisors[i]
        frequencies.append(f)
    return np.array(frequencies)
