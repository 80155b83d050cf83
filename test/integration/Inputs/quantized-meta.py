"""Writes a checkpoint as Meta quantizes Llama 3.2, with torch.

    python3 quantized-meta.py FOLDER       the system's Python, which has torch

FOLDER/model: consolidated.00.pth, params.json; matrices of layers are int8 codes of
4 bits with f32 scales for groups of 32 columns, those of the ends codes of 8 bits
with a scale for each row. FOLDER/codes.npz: the codes and scales by canonical name.
"""

import json
import pathlib
import sys

import numpy as np
import torch

HIDDEN, FFN, VOCAB, LAYERS, HEADS, KV_HEADS = 128, 256, 320, 2, 4, 2


def shapes():
    kv = HIDDEN // HEADS * KV_HEADS
    result = {"tok_embeddings": (VOCAB, HIDDEN), "norm": (HIDDEN,), "output": (VOCAB, HIDDEN)}
    for i in range(LAYERS):
        layer = f"layers.{i}."
        result |= {layer + "attention_norm": (HIDDEN,), layer + "ffn_norm": (HIDDEN,)}
        result |= {layer + f"attention.{name}": (rows, HIDDEN)
                   for name, rows in [("wq", HIDDEN), ("wk", kv), ("wv", kv), ("wo", HIDDEN)]}
        result |= {layer + "feed_forward.w1": (FFN, HIDDEN), layer + "feed_forward.w3": (FFN, HIDDEN),
                   layer + "feed_forward.w2": (HIDDEN, FFN)}
    return result


def main():
    folder = pathlib.Path(sys.argv[1])
    generator = torch.Generator().manual_seed(11)
    state, kept = {}, {}
    for name, shape in shapes().items():
        if len(shape) == 1:
            state[f"{name}.weight"] = (1 + torch.randn(shape, generator=generator) / 10).bfloat16()
            continue
        low, high, columns = (-8, 8, 32) if name.startswith("layers.") else (-128, 128, shape[1])
        codes = torch.randint(low, high, shape, generator=generator, dtype=torch.int8)
        scales = (torch.rand(shape[0], shape[1] // columns, generator=generator) + 0.5) / high / 8
        state[f"{name}.weight"], state[f"{name}.scales"] = codes, scales
        kept |= {name: codes.numpy(), f"{name}.scales": scales.numpy()}
    (folder / "model").mkdir(parents=True)
    torch.save(state, folder / "model" / "consolidated.00.pth")
    params = {
        "dim": HIDDEN, "n_layers": LAYERS, "n_heads": HEADS, "n_kv_heads": KV_HEADS, "vocab_size": VOCAB,
        "multiple_of": 256, "norm_eps": 1e-5, "rope_theta": 10000.0,
        "quantization_args": {"scheme": "int4_weight_int8_dynamic_activation", "group_size": 32, "spinquant": True},
    }  # fmt: skip
    (folder / "model" / "params.json").write_text(json.dumps(params))
    np.savez(folder / "codes.npz", **kept)


if __name__ == "__main__":
    main()
