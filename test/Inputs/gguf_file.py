"""The GGUF side of make-checkpoint.py, on the gguf package.

    write(options, tensors, values)  =>  options.out, GGUF version 3

Norms are F32 and every matrix has the type asked for. The simple types are
quantized from the same values as in the other formats. The package cannot
quantize to K types, so their blocks are random bits under a scale that gives
the matrix the deviation it should have.
"""

import json
import zlib

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

# Per block: where the half-precision scale and minimum lie, and the minimum
# (in scales) that makes the mean zero.
K_BLOCKS = {Type.Q2_K: (80, 82, 1.5), Type.Q3_K: (108, None, 0), Type.Q4_K: (0, 2, 7.5),
            Type.Q5_K: (0, 2, 15.5), Type.Q6_K: (208, None, 0)}
PLAIN = {Type.F32: "f32", Type.F16: "f16", Type.BF16: "bf16"}
NAMES = {
    "model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight", "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm", "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}


def gguf_name(name):
    for theirs, ours in NAMES.items():
        name = name.replace(theirs, ours)
    return name.replace("model.layers.", "blk.")


def k_blocks(kind, rows, columns, rng):
    """Random blocks of a K type, uint8 [rows, bytes], of deviation about 1."""
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    scale_at, minimum_at, ratio = K_BLOCKS[kind]

    def blocks(count, scale):
        data = rng.integers(0, 256, (count, size), np.uint8)
        data[:, scale_at : scale_at + 2] = np.frombuffer(np.float16(scale).tobytes(), np.uint8)
        if minimum_at is not None:
            minimum = np.float16(scale * ratio).tobytes()
            data[:, minimum_at : minimum_at + 2] = np.frombuffer(minimum, np.uint8)
        return data

    deviation = float(np.std(gguf.dequantize(blocks(512, 1.0), kind)))
    return lambda target: blocks(rows * columns // elements, target / deviation).reshape(rows, -1)


def encode(tensor, kind, values, seed):
    """The bytes of a tensor as the file holds them."""
    if len(tensor.shape) == 1:  # rounded as in the other formats, then widened
        plain = kind if kind in PLAIN else Type.F32
        return gguf.dequantize(values(tensor, PLAIN[plain]).view(np.uint8), plain)
    if kind in PLAIN:
        return values(tensor, PLAIN[kind])
    if kind in K_BLOCKS:
        rng = np.random.default_rng([seed, zlib.crc32(tensor.name.encode())])
        rows, columns = tensor.shape
        return k_blocks(kind, rows, columns, rng)(tensor.gain / columns**0.5)
    return gguf.quantize(values(tensor, "f32"), kind)


def rope_divisors(o):
    """What rope_freqs.weight holds: 1 for short waves, the factor for long ones."""
    frequency = o.theta ** (-np.arange(0, o.head_dim, 2) / o.head_dim)
    turns = o.rope_original * frequency / (2 * np.pi)
    smooth = np.clip((turns - 1.0) / 3.0, 0, 1)
    return (1 / ((1 - smooth) / o.rope_factor + smooth)).astype(np.float32)


def add_keys(writer, o):
    writer.add_context_length(o.max_positions)
    writer.add_embedding_length(o.hidden)
    writer.add_block_count(o.layers)
    writer.add_feed_forward_length(o.ffn)
    writer.add_head_count(o.heads)
    writer.add_head_count_kv(o.kv_heads)
    writer.add_key_length(o.head_dim)
    writer.add_value_length(o.head_dim)
    writer.add_layer_norm_rms_eps(o.eps)
    writer.add_rope_freq_base(o.theta)
    writer.add_rope_dimension_count(o.head_dim)
    writer.add_vocab_size(o.vocab)
    writer.add_bos_token_id(o.bos)
    writer.add_eos_token_id(o.eos[0] if isinstance(o.eos, list) else o.eos)


def add_tokenizer(writer, folder, vocab):
    """A byte-level BPE of tokenizer.json; ids without a token are unused."""
    content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokens = [f"<unused{i}>" for i in range(vocab)]
    types = [gguf.TokenType.UNUSED] * vocab
    for token, i in content["model"]["vocab"].items():
        tokens[i], types[i] = token, gguf.TokenType.NORMAL
    for added in content["added_tokens"]:
        tokens[added["id"]], types[added["id"]] = added["content"], gguf.TokenType.CONTROL
    merges = [m if isinstance(m, str) else " ".join(m) for m in content["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    if "chat_template" in config:
        writer.add_chat_template(config["chat_template"])


def write(o, tensors, values):
    kind = Type.__members__.get(o.type.upper())
    if kind not in (*PLAIN, *K_BLOCKS, Type.Q8_0, Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1):
        raise ValueError(f"--type is {o.type}, which GGUF does not know")
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    writer = gguf.GGUFWriter(o.out, "llama")
    add_keys(writer, o)
    if o.tokenizer:
        add_tokenizer(writer, o.tokenizer, o.vocab)
    for tensor in tensors:
        *rows, columns = tensor.shape
        if not rows:
            writer.add_tensor_info(gguf_name(tensor.name), (columns,), np.dtype("f4"), 4 * columns, Type.F32)
            continue
        if columns % elements:
            raise ValueError(f"{tensor.name}: rows of {columns}, but {o.type} has blocks of {elements}")
        width = columns // elements * size
        writer.add_tensor_info(
            gguf_name(tensor.name), (*rows, width), np.dtype("u1"), rows[0] * width, kind)
    if o.rope_factor:
        divisors = rope_divisors(o)
        writer.add_tensor_info("rope_freqs.weight", divisors.shape, np.dtype("f4"), divisors.nbytes, Type.F32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for tensor in tensors:
        writer.write_tensor_data(np.ascontiguousarray(encode(tensor, kind, values, o.seed)))
    if o.rope_factor:
        writer.write_tensor_data(divisors)
    writer.close()
