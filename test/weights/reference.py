#!/usr/bin/env python3
"""Writes checkpoints with other people's packages, and the numbers in them.

    reference.py FOLDER     then     LLAMA_WEIGHTS_REFERENCE=FOLDER weights-tests

    quantized/TYPE.blocks      random blocks, quantized/TYPE.f32 their values (gguf)
    models/NAME/               one small model in every format
    expected/NAME/TENSOR.f32   its tensors under canonical names and in canonical
                               row order; .bf16 and .f16: rounded by ml_dtypes, numpy
    vocabularies/              a sentencepiece model and a byte-level one, as GGUF
    and what reference_torch.py adds, with the system's Python and its torch

The names, row orders and formulas here are written from the formats'
descriptions, not taken from the code under test.
"""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import gguf
import ml_dtypes
import numpy as np
import sentencepiece
from safetensors.numpy import save_file

BF16 = ml_dtypes.bfloat16
HIDDEN, FFN, VOCAB, LAYERS, HEADS, KV_HEADS, HEAD_DIM = 256, 512, 24, 2, 4, 2, 64
QUERY, KV = HEADS * HEAD_DIM, KV_HEADS * HEAD_DIM

LAYER_SHAPES = {
    "attention_norm": (HIDDEN,),
    "attention.wq": (QUERY, HIDDEN),
    "attention.wk": (KV, HIDDEN),
    "attention.wv": (KV, HIDDEN),
    "attention.wo": (HIDDEN, QUERY),
    "ffn_norm": (HIDDEN,),
    "feed_forward.w1": (FFN, HIDDEN),
    "feed_forward.w2": (HIDDEN, FFN),
    "feed_forward.w3": (FFN, HIDDEN),
}
HF_NAMES = {
    "tok_embeddings": "model.embed_tokens",
    "norm": "model.norm",
    "output": "lm_head",
    "attention_norm": "input_layernorm",
    "attention.wq": "self_attn.q_proj",
    "attention.wk": "self_attn.k_proj",
    "attention.wv": "self_attn.v_proj",
    "attention.wo": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "feed_forward.w1": "mlp.gate_proj",
    "feed_forward.w2": "mlp.down_proj",
    "feed_forward.w3": "mlp.up_proj",
}
GGUF_NAMES = {
    "tok_embeddings": "token_embd",
    "norm": "output_norm",
    "output": "output",
    "attention_norm": "attn_norm",
    "attention.wq": "attn_q",
    "attention.wk": "attn_k",
    "attention.wv": "attn_v",
    "attention.wo": "attn_output",
    "ffn_norm": "ffn_norm",
    "feed_forward.w1": "ffn_gate",
    "feed_forward.w2": "ffn_down",
    "feed_forward.w3": "ffn_up",
}
GGUF_SHAPE_KEYS = {
    "block_count": LAYERS, "embedding_length": HIDDEN, "feed_forward_length": FFN,
    "attention.head_count": HEADS, "attention.head_count_kv": KV_HEADS,
    "context_length": 512, "rope.dimension_count": HEAD_DIM,
}  # fmt: skip
Q = gguf.GGMLQuantizationType
BLOCK_TYPES = [Q.Q4_0, Q.Q4_1, Q.Q5_0, Q.Q5_1, Q.Q8_0, Q.Q2_K, Q.Q3_K, Q.Q4_K, Q.Q5_K, Q.Q6_K]
# Where the f16 scales of a block are, in bytes.
SCALES = {
    Q.Q4_0: [0], Q.Q4_1: [0, 2], Q.Q5_0: [0], Q.Q5_1: [0, 2], Q.Q8_0: [0],
    Q.Q2_K: [80, 82], Q.Q3_K: [108], Q.Q4_K: [0, 2], Q.Q5_K: [0, 2], Q.Q6_K: [208],
}  # fmt: skip


def rename(name, table, layer_prefix):
    if name.startswith("layers."):
        _, index, rest = name.split(".", 2)
        return f"{layer_prefix}.{index}.{table[rest]}.weight"
    return table[name] + ".weight"


def random_model(rng, tied):
    """Canonical name => f32 values that bfloat16 and f16 can hold exactly."""
    shapes = {"tok_embeddings": (VOCAB, HIDDEN), "norm": (HIDDEN,)}
    for layer in range(LAYERS):
        shapes |= {f"layers.{layer}.{name}": shape for name, shape in LAYER_SHAPES.items()}
    if not tied:
        shapes["output"] = (VOCAB, HIDDEN)
    values = {}
    for name, shape in shapes.items():
        integers = rng.integers(-255, 256, size=shape)  # eight bits of mantissa
        values[name] = (integers / 2.0 ** rng.integers(0, 12, size=shape)).astype(np.float32)
    return values


def to_half_split(rows):
    """Interleaved rows of each head => the order of Hugging Face."""
    heads = rows.reshape(-1, HEAD_DIM // 2, 2, rows.shape[-1])
    return heads.swapaxes(1, 2).reshape(rows.shape)


def write_expected(folder, values):
    folder.mkdir(parents=True)
    for name, value in values.items():
        np.ascontiguousarray(value, dtype="<f4").tofile(folder / f"{name}.f32")


def write_hf(folder, values, dtype, shards=1, config=None, extra=None):
    folder.mkdir(parents=True)
    tensors = dict(extra or {})
    for name, value in values.items():
        if name.endswith((".wq", ".wk")):
            value = to_half_split(value)
        tensors[rename(name, HF_NAMES, "model.layers")] = np.ascontiguousarray(value.astype(dtype))
    names = sorted(tensors)
    if shards == 1:
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    else:
        weight_map = {}
        for i in range(shards):
            file = f"model-{i + 1:05}-of-{shards:05}.safetensors"
            part = names[i::shards]
            save_file({n: tensors[n] for n in part}, folder / file)
            weight_map |= {n: file for n in part}
        index = {"metadata": {"total_size": 0}, "weight_map": weight_map}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    full = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": HIDDEN,
        "intermediate_size": FFN, "vocab_size": VOCAB, "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS, "head_dim": HEAD_DIM,
        "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "max_position_embeddings": 512,
        "tie_word_embeddings": "output" not in values,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(full | (config or {})))


def write_npy(folder, values, dtype):
    folder.mkdir(parents=True)
    for name, value in values.items():
        np.save(folder / f"{name}.weight.npy", value.astype(dtype))
    params = {
        "dim": HIDDEN, "n_layers": LAYERS, "n_heads": HEADS, "n_kv_heads": KV_HEADS,
        "vocab_size": -1, "multiple_of": 256, "norm_eps": 1e-5, "rope_theta": 10000.0,
    }  # fmt: skip
    (folder / "params.json").write_text(json.dumps(params))


def random_blocks(rng, qtype, count):
    """Random codes; scales are finite and of every sign, zero and subnormal too."""
    _, size = gguf.GGML_QUANT_SIZES[qtype]
    blocks = rng.integers(0, 256, size=(count, size), dtype=np.uint8)
    for at in SCALES[qtype]:
        scales = rng.normal(0, 0.05, size=count).astype(np.float16)
        scales[:3] = [0.0, 2.0**-24, -3 * 2.0**-20]
        blocks[:, at : at + 2] = scales.view(np.uint8).reshape(count, 2)
    return blocks


def write_gguf(path, values, store):
    """`store(name, value)` says how a tensor is stored: array, type or None."""
    path.parent.mkdir(parents=True)
    writer = gguf.GGUFWriter(path, "llama")
    for key, value in GGUF_SHAPE_KEYS.items():
        writer.add_uint32(f"llama.{key}", value)
    writer.add_float32("llama.attention.layer_norm_rms_epsilon", 1e-5)
    writer.add_uint32("general.quantization_version", 2)
    expected = {}
    for name, value in values.items():
        array, qtype = store(name, value)
        writer.add_tensor(rename(name, GGUF_NAMES, "blk"), array, raw_dtype=qtype)
        expected[name] = value if qtype is None else gguf.dequantize(array, qtype).reshape(value.shape)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return expected


def write_models(out, rng):
    values = random_model(rng, tied=True)
    untied = random_model(rng, tied=False)
    models, expected = out / "models", out / "expected"

    write_hf(models / "hf-bf16", values, BF16)
    write_expected(expected / "hf-bf16", values)
    write_hf(models / "hf-f16-sharded", untied, np.float16, shards=3)
    write_expected(expected / "hf-f16-sharded", untied)
    # A tied model with a copy of its output and its table of frequencies.
    precise = {n: rng.normal(size=v.shape).astype(np.float32) for n, v in values.items()}
    stray = {
        "lm_head.weight": precise["tok_embeddings"],
        "model.layers.0.self_attn.rotary_emb.inv_freq": np.ones(HEAD_DIM // 2, np.float32),
    }
    write_hf(models / "hf-f32-stray", precise, np.float32, extra=stray)
    write_expected(expected / "hf-f32-stray", precise)
    for name, value in precise.items():
        value.astype(BF16).tofile(expected / "hf-f32-stray" / f"{name}.bf16")
        value.astype(np.float16).tofile(expected / "hf-f32-stray" / f"{name}.f16")

    for name, dtype in ("npy-bf16", BF16), ("npy-f16", np.float16), ("npy-f32", np.float32):
        write_npy(models / name, untied, dtype)
        write_expected(expected / name, untied)

    write_layers(models / "maxtext", precise)
    write_expected(expected / "maxtext", precise)
    write_nanotron(models / "nanotron", untied, BF16, tp=2, interleaved=False)
    write_expected(expected / "nanotron", untied)
    write_nanotron(models / "nanotron-tied", values, np.float32, tp=1, interleaved=True)
    write_expected(expected / "nanotron-tied", values)

    def plain(name, value):
        return value, None

    def half(name, value):
        return (value, None) if value.ndim == 1 else (value.astype(np.float16), Q.F16)

    def brain(name, value):
        return (value, None) if value.ndim == 1 else (gguf.quantize(value, Q.BF16), Q.BF16)

    turn = iter(BLOCK_TYPES * 10)

    def blocks(name, value):
        if value.ndim == 1:
            return value, None
        qtype = next(turn)
        elements, size = gguf.GGML_QUANT_SIZES[qtype]
        raw = random_blocks(rng, qtype, value.size // elements)
        return raw.reshape(value.shape[0], value.shape[1] // elements * size), qtype

    for name, store in ("plain", plain), ("half", half), ("brain", brain), ("blocks", blocks):
        found = write_gguf(models / f"gguf-{name}" / "model.gguf", untied, store)
        write_expected(expected / f"gguf-{name}", found)


def write_layers(folder, values):
    """A pickle for each layer: [in, out], half-split, numpy's newest protocol."""
    folder.mkdir(parents=True)

    def array(name):
        value = to_half_split(values[name]) if name.endswith((".wq", ".wk")) else values[name]
        return value if value.ndim == 1 or name == "tok_embeddings" else value.T

    for layer in range(LAYERS):
        at = f"layers.{layer}."
        content = {
            "attention": {n: array(f"{at}attention.{n}") for n in ("wq", "wk", "wv", "wo")},
            "feed_forward": {n: np.ascontiguousarray(array(f"{at}feed_forward.{n}")) for n in ("w1", "w2", "w3")},
            "attention_norm": {"weight": array(f"{at}attention_norm")},
            "ffn_norm": {"weight": array(f"{at}ffn_norm")},
        }
        (folder / f"layer_{layer}.pkl").write_bytes(pickle.dumps(content, pickle.HIGHEST_PROTOCOL))
    outside = {name: {"weight": array(name)} for name in ("tok_embeddings", "norm")}
    (folder / "model.pkl").write_bytes(pickle.dumps(outside, pickle.HIGHEST_PROTOCOL))
    config = json.loads((folder.parent / "hf-bf16" / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config))


def slices(*bounds):
    return "|".join(f"{start},{stop},None" for start, stop in bounds)


def write_nanotron_tensor(folder, value, dtype, chunks, axis, tp):
    """Cuts each chunk of rows (or all columns) into `tp` parts; one file a rank."""
    folder.mkdir(parents=True)
    if value.ndim == 1:
        save_file({"data": value.astype(dtype)}, folder / "model_weight.safetensors")
        return
    for rank in range(tp):
        parts, pairs, local, start = [], [], 0, 0
        for rows in chunks:
            size = rows // tp if axis == 0 else value.shape[1] // tp
            begin = start + rank * size if axis == 0 else rank * size
            if axis == 0:
                parts.append(value[begin : begin + size])
                here, there = (local, local + size), (begin, begin + size)
                pairs.append(f"{slices(here, (0, value.shape[1]))}#{slices(there, (0, value.shape[1]))}")
            else:
                parts.append(value[:, begin : begin + size])
                there = slices((0, rows), (begin, begin + size))
                pairs.append(f"{slices((0, rows), (0, size))}#{there}")
            local, start = local + size, start + rows
        metadata = {
            "version": "1.5", "unsharded_shape": str(tuple(np.int64(n) for n in value.shape)),
            "local_global_slices_pairs": ";".join(pairs),
        }  # fmt: skip
        name = f"model_weight_pp-rank-0-of-1_tp-rank-{rank}-of-{tp}.safetensors"
        save_file({"data": np.concatenate(parts).astype(dtype)}, folder / name, metadata=metadata)


def write_nanotron(folder, values, dtype, tp, interleaved):
    model = folder / "model" / "model"

    def write(path, value, chunks=None, axis=0):
        write_nanotron_tensor(model / path, value, dtype, chunks or [len(value)], axis, tp)

    def rows(name):
        return values[name] if interleaved else to_half_split(values[name])

    write("token_position_embeddings/pp_block/token_embedding", values["tok_embeddings"])
    write("final_layer_norm/pp_block", values["norm"])
    if "output" in values:
        write("lm_head/pp_block", values["output"])
    for layer in range(LAYERS):
        at, path = f"layers.{layer}.", f"decoder/{layer}/pp_block/"
        qkv = [rows(at + "attention.wq"), rows(at + "attention.wk"), values[at + "attention.wv"]]
        gate_up = [values[at + "feed_forward.w1"], values[at + "feed_forward.w3"]]
        write(path + "attn/qkv_proj", np.concatenate(qkv), [len(part) for part in qkv])
        write(path + "mlp/gate_up_proj", np.concatenate(gate_up), [len(part) for part in gate_up])
        write(path + "attn/o_proj", values[at + "attention.wo"], axis=1)
        write(path + "mlp/down_proj", values[at + "feed_forward.w2"], axis=1)
        write(path + "input_layernorm", values[at + "attention_norm"])
        write(path + "post_attention_layernorm", values[at + "ffn_norm"])
    config = {
        "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu", "hidden_size": HIDDEN,
        "initializer_range": 0.02, "intermediate_size": FFN, "is_llama_config": True,
        "max_position_embeddings": 512, "num_attention_heads": HEADS, "num_hidden_layers": LAYERS,
        "num_key_value_heads": KV_HEADS, "pad_token_id": None, "pretraining_tp": 1,
        "rms_norm_eps": 1e-5, "rope_scaling": None, "rope_theta": 10000.0,
        "rope_interleaved": interleaved, "tie_word_embeddings": "output" not in values,
        "use_cache": True, "vocab_size": VOCAB,
    }  # fmt: skip
    (folder / "model_config.json").write_text(json.dumps(config))
    metadata = {"version": "1.5", "tp": tp, "dp": 1, "metas": {}, "custom_metas": None}
    (folder / "checkpoint_metadata.json").write_text(json.dumps(metadata))


def write_quantized(out, rng):
    (out / "quantized").mkdir(parents=True)
    for qtype in BLOCK_TYPES:
        blocks = random_blocks(rng, qtype, 400)
        name = qtype.name.lower()
        blocks.tofile(out / "quantized" / f"{name}.blocks")
        gguf.dequantize(blocks, qtype).astype("<f4").tofile(out / "quantized" / f"{name}.f32")


SENTENCES = [
    "The quick brown fox jumps over the lazy dog.",
    "  Two spaces,\nthen a line and a\ttab ",
    "Größe, naïve café, 你好, 🙂 and \u00a0",
    "1234567890 + 3.14 = ?",
    "",
]


def write_sentencepiece(folder):
    corpus = [f"{a} {b} {c} number {a * b + c}." for a in range(20) for b in range(20) for c in range(3)]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus + SENTENCES[:1] * 20), model_prefix=str(folder / "spm"),
        vocab_size=330, model_type="bpe", byte_fallback=True, normalization_rule_name="identity",
        remove_extra_whitespaces=False, split_digits=True, minloglevel=2,
    )  # fmt: skip
    model = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spm.model"))
    ids = range(model.vocab_size())
    kinds = [
        gguf.TokenType.UNKNOWN if model.is_unknown(i) else gguf.TokenType.CONTROL if model.is_control(i)
        else gguf.TokenType.BYTE if model.is_byte(i) else gguf.TokenType.NORMAL
        for i in ids
    ]  # fmt: skip
    writer = gguf.GGUFWriter(folder / "spm.gguf", "llama")
    writer.add_tokenizer_model("llama")
    writer.add_token_list([model.id_to_piece(i) for i in ids])
    writer.add_token_scores([model.get_score(i) for i in ids])
    writer.add_token_types(kinds)
    writer.add_bos_token_id(model.bos_id())
    writer.add_eos_token_id(model.eos_id())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    encoded = [{"text": text, "ids": model.encode(text)} for text in SENTENCES]
    (folder / "spm.json").write_text(json.dumps(encoded))


def byte_alphabet():
    """GPT-2's characters for bytes: printable ones stand for themselves."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in printable]
    return {b: chr(b) for b in printable} | {b: chr(256 + i) for i, b in enumerate(others)}


def write_byte_level(folder):
    """Every byte, and merges that make each of a few words out of them."""
    alphabet = byte_alphabet()
    tokens = [bytes([b]) for b in range(256)]
    merges = []
    for word in (" the", "\n\n", "naïve", "🙂", "\u00a0x"):
        raw = word.encode()
        for end in range(2, len(raw) + 1):
            if raw[:end] not in tokens:
                merges.append((raw[: end - 1], raw[end - 1 : end]))
                tokens.append(raw[:end])
    spell = lambda raw: "".join(alphabet[b] for b in raw)
    special = ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"]
    writer = gguf.GGUFWriter(folder / "bytes.gguf", "llama")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list([spell(t) for t in tokens] + special)
    writer.add_token_types([gguf.TokenType.NORMAL] * len(tokens) + [gguf.TokenType.CONTROL] * len(special))
    writer.add_token_merges([f"{spell(a)} {spell(b)}" for a, b in merges])
    writer.add_bos_token_id(len(tokens))
    writer.add_eos_token_id(len(tokens) + 2)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    expected = {
        "tokens": [t.hex() for t in tokens] + [s.encode().hex() for s in special],
        "merges": [[tokens.index(a), tokens.index(b), tokens.index(a + b)] for a, b in merges],
    }
    (folder / "bytes.json").write_text(json.dumps(expected))


def main():
    out = Path(sys.argv[1])
    rng = np.random.default_rng(20240607)
    write_quantized(out, rng)
    write_models(out, rng)
    (out / "vocabularies").mkdir()
    write_sentencepiece(out / "vocabularies")
    write_byte_level(out / "vocabularies")
    script = Path(__file__).with_name("reference_torch.py")
    subprocess.run(["/usr/bin/python3", script, out], check=True)


if __name__ == "__main__":
    main()
