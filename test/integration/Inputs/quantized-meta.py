"""Writes a checkpoint as Meta quantizes Llama 3.2, with torch.

    python3 quantized-meta.py FOLDER [--qlora] [--ffn=256]     the system's Python, which has torch

FOLDER/model: consolidated.00.pth, params.json; matrices of layers are int8 codes of
4 bits with f32 scales for groups of 32 columns, those of the ends codes of 8 bits
with a scale for each row. SpinQuant, whose w2 expects a transformed input, or QLoRA,
with adaptors. FOLDER/codes.npz: the codes and scales by canonical name.
FOLDER/plain: the numbers that these stand for as npy files of f32, with scales that
f16 holds; what w2 expects is not part of them, adaptors are.
"""

import argparse
import json
import pathlib

import numpy as np
import torch

HIDDEN, VOCAB, LAYERS, HEADS, KV_HEADS, RANK = 128, 320, 2, 4, 2, 16


def shapes(ffn):
    kv = HIDDEN // HEADS * KV_HEADS
    result = {"tok_embeddings": (VOCAB, HIDDEN), "norm": (HIDDEN,), "output": (VOCAB, HIDDEN)}
    for i in range(LAYERS):
        layer = f"layers.{i}."
        result |= {layer + "attention_norm": (HIDDEN,), layer + "ffn_norm": (HIDDEN,)}
        result |= {layer + f"attention.{name}": (rows, HIDDEN)
                   for name, rows in [("wq", HIDDEN), ("wk", kv), ("wv", kv), ("wo", HIDDEN)]}
        result |= {layer + "feed_forward.w1": (ffn, HIDDEN), layer + "feed_forward.w3": (ffn, HIDDEN),
                   layer + "feed_forward.w2": (HIDDEN, ffn)}
    return result


def quantized(name, shape, qlora, generator):
    """Entries of the checkpoint, codes and scales, plain numbers."""
    is_layer = name.startswith("layers.")
    low, high, columns = (-8, 8, 32) if is_layer else (-128, 128, shape[1])
    codes = torch.randint(low, high, shape, generator=generator, dtype=torch.int8)
    scales = (torch.rand(shape[0], shape[1] // columns, generator=generator) + 0.5) / high / 8
    state = {f"{name}.weight": codes, f"{name}.scales": scales}
    has_adaptor = qlora and is_layer
    factors = scales if has_adaptor else scales.half().float()
    plain = codes.float() * factors.repeat_interleave(columns, 1)
    if has_adaptor:
        a = (torch.randn(RANK, shape[1], generator=generator) / 40).bfloat16()
        b = (torch.randn(shape[0], RANK, generator=generator) / 40).bfloat16()
        state |= {f"{name}.adaptor.A.weight": a, f"{name}.adaptor.B.weight": b}
        for i in range(RANK):  # one by one: sums of f32 have an order
            plain += (2 * b[:, i : i + 1].float()) * a[i : i + 1].float()
    return state, {name: codes.numpy(), f"{name}.scales": scales.numpy()}, plain


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--qlora", action="store_true")
    parser.add_argument("--ffn", type=int, default=256)
    o = parser.parse_args()
    for name in ("model", "plain"):
        (o.folder / name).mkdir(parents=True)
    generator = torch.Generator().manual_seed(11)
    state, kept = {}, {}
    for name, shape in shapes(o.ffn).items():
        if len(shape) == 1:
            plain = (1 + torch.randn(shape, generator=generator) / 10).bfloat16()
            state[f"{name}.weight"] = plain
        else:
            entries, codes, plain = quantized(name, shape, o.qlora, generator)
            state |= entries
            kept |= codes
        np.save(o.folder / "plain" / f"{name}.weight.npy", plain.float().numpy())
    torch.save(state, o.folder / "model" / "consolidated.00.pth")
    plain = {
        "dim": HIDDEN, "n_layers": LAYERS, "n_heads": HEADS, "n_kv_heads": KV_HEADS, "vocab_size": VOCAB,
        "hidden_dim": o.ffn, "norm_eps": 1e-5, "rope_theta": 10000.0,
    }  # fmt: skip
    params = plain | {"quantization_args": {"scheme": "int4_weight_int8_dynamic_activation", "group_size": 32,
                                            "spinquant": not o.qlora}}  # fmt: skip
    if o.qlora:
        params["lora_args"] = {"rank": RANK, "scale": 2.0}
    (o.folder / "model" / "params.json").write_text(json.dumps(params))
    (o.folder / "plain" / "params.json").write_text(json.dumps(plain))
    np.savez(o.folder / "codes.npz", **kept)


if __name__ == "__main__":
    main()
