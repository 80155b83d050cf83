"""Writes the checkpoint of a shape without its bytes: holes of a sparse file.

    python sparse.py FOLDER 1b|3b
"""

import json
import pathlib
import sys

SHAPES = {"1b": (2048, 8192, 16, 32), "3b": (3072, 8192, 28, 24)}
VOCAB, KV_HEADS = 128256, 8


def main():
    folder = pathlib.Path(sys.argv[1])
    hidden, ffn, layers, heads = SHAPES[sys.argv[2]]
    head_dim = hidden // heads
    kv = KV_HEADS * head_dim
    shapes = {"model.embed_tokens": [VOCAB, hidden], "model.norm": [hidden]}
    for layer in range(layers):
        at = f"model.layers.{layer}."
        shapes |= {at + "input_layernorm": [hidden], at + "post_attention_layernorm": [hidden],
                   at + "self_attn.q_proj": [hidden, hidden], at + "self_attn.k_proj": [kv, hidden],
                   at + "self_attn.v_proj": [kv, hidden], at + "self_attn.o_proj": [hidden, hidden],
                   at + "mlp.gate_proj": [ffn, hidden], at + "mlp.up_proj": [ffn, hidden],
                   at + "mlp.down_proj": [hidden, ffn]}  # fmt: skip
    header, offset = {}, 0
    for name, shape in shapes.items():
        end = offset + 2 * shape[0] * (shape[1] if len(shape) == 2 else 1)
        header[name + ".weight"] = {"dtype": "BF16", "shape": shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    folder.mkdir(parents=True)
    with open(folder / "model.safetensors", "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + offset)
    config = {"model_type": "llama", "hidden_size": hidden, "intermediate_size": ffn, "num_hidden_layers": layers,
              "num_attention_heads": heads, "num_key_value_heads": KV_HEADS, "head_dim": head_dim,
              "vocab_size": VOCAB, "rms_norm_eps": 1e-5, "rope_theta": 500000.0, "tie_word_embeddings": True,
              "max_position_embeddings": 131072}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))


if __name__ == "__main__":
    main()
