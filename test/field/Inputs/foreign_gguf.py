"""Writes the tensors of foreign_models.py as a GGUF file with keys of one's own (gguf).

python foreign_gguf.py CASE FILE KEY=VALUE...

The hyper-parameters but for the scaling of RoPE are those of the case.
"""

import sys

import foreign_models
import gguf

NAMES = {
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm", "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}  # fmt: skip


def to_gguf(name, values):
    """Its name there, and wq and wk with pairs of rows that RoPE rotates side by side."""
    if name.endswith(("q_proj.weight", "k_proj.weight")):
        half = foreign_models.HIDDEN // foreign_models.HEADS // 2
        values = values.reshape(-1, 2, half, values.shape[-1]).swapaxes(1, 2).reshape(values.shape)
    for theirs, ours in NAMES.items():
        name = name.replace(theirs, ours)
    return name.replace("model.layers.", "blk."), values.copy()


def main():
    case, path = sys.argv[1:3]
    config = foreign_models.LLAMA | foreign_models.CASES[case][0]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(foreign_models.LAYERS)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(foreign_models.HIDDEN)
    writer.add_feed_forward_length(foreign_models.FFN)
    writer.add_head_count(foreign_models.HEADS)
    writer.add_head_count_kv(foreign_models.KV_HEADS)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config.get("rope_theta", 10000.0))
    writer.add_tokenizer_model("none")
    for text in sys.argv[3:]:
        key, value = text.split("=")
        if value.isdigit():
            writer.add_uint32(key, int(value))
        elif value.replace(".", "").isdigit():
            writer.add_float32(key, float(value))
        else:
            writer.add_string(key, value)
    for name, values in foreign_models.tensors().items():
        writer.add_tensor(*to_gguf(name, values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
