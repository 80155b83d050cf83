"""Small models as other programs save them, and what transformers computes with them.

    python foreign_models.py --record              writes transformers.json; needs torch and transformers 5
    python foreign_models.py CASE FOLDER           writes the checkpoint of a case
    python foreign_models.py CASE FOLDER --check   and compiles it, and compares its logits
    python foreign_models.py CASE MODEL.so --run   compares those of a compiled model

Numbers are made by integer arithmetic alone, so that they are the same everywhere.
"""

import json
import pathlib
import subprocess
import sys

import numpy as np

HIDDEN, FFN, VOCAB, LAYERS, HEADS, KV_HEADS = 64, 96, 64, 2, 4, 2
PROMPT = [(7 * i * i + 3 * i + 1) % VOCAB for i in range(48)]
ROWS = [0, 13, 30, 47]
EXPECTED = pathlib.Path(__file__).with_name("transformers.json")
# f32 on both sides, some hundred terms a sum: 2^-24 times the square root of all terms on the way
TOLERANCE = 1e-5

LLAMA = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": HIDDEN, "intermediate_size": FFN,
    "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS, "vocab_size": VOCAB,
    "max_position_embeddings": 256, "rms_norm_eps": 1e-5, "hidden_act": "silu", "tie_word_embeddings": False,
    "bos_token_id": 1, "eos_token_id": 2, "torch_dtype": "float32",
}  # fmt: skip
MISTRAL = {"architectures": ["MistralForCausalLM"], "model_type": "mistral"}
YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 64}
LLAMA3 = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
          "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
# Case: changes of config.json, prefix of the names, the case whose logits it has if not its own.
CASES = {
    "plain": ({}, None, None),
    "own-head": ({"tie_word_embeddings": True}, None, "plain"),
    "linear": ({"rope_theta": 500.0, "rope_scaling": {"type": "linear", "factor": 4.0}}, None, None),
    "llama3": ({"rope_parameters": LLAMA3}, None, None),
    "yarn": ({"rope_parameters": YARN}, None, None),
    "yarn-mscale": ({"rope_parameters": YARN | {"mscale": 0.9, "mscale_all_dim": 0.4}}, None, None),
    "yarn-stated": ({"rope_parameters": YARN | {"attention_factor": 0.75, "beta_fast": 16, "beta_slow": 2,
                                                "truncate": False}}, None, None),
    "swish": ({"hidden_act": "swish"}, None, "plain"),
    "mistral": (MISTRAL | {"sliding_window": None}, None, None),
    "mistral-window": (MISTRAL | {"sliding_window": 256}, None, "mistral"),
    "prefix-module": ({}, "module.", "plain"),
    "prefix-compile": ({}, "_orig_mod.", "plain"),
    "prefix-peft": ({}, "base_model.model.", "plain"),
    "prefix-both": ({}, "module._orig_mod.", "plain"),
    "prefix-none": ({"tie_word_embeddings": False}, "", "plain"),
}  # fmt: skip


def numbers(seed, shape, scale):
    """In [-scale, scale): the finalizer of splitmix64."""
    z = np.arange(np.prod(shape), dtype=np.uint64) + np.uint64(seed << 32)
    z = (z + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    whole = ((z ^ (z >> np.uint64(31))) >> np.uint64(48)).astype(np.float64)
    return ((whole / 32768 - 1) * scale).astype(np.float32).reshape(shape)


def tensors():
    kv = HIDDEN * KV_HEADS // HEADS
    layer = {
        "self_attn.q_proj": (HIDDEN, HIDDEN), "self_attn.k_proj": (kv, HIDDEN), "self_attn.v_proj": (kv, HIDDEN),
        "self_attn.o_proj": (HIDDEN, HIDDEN), "mlp.gate_proj": (FFN, HIDDEN), "mlp.up_proj": (FFN, HIDDEN),
        "mlp.down_proj": (HIDDEN, FFN), "input_layernorm": (HIDDEN,), "post_attention_layernorm": (HIDDEN,),
    }  # fmt: skip
    shapes = {"model.embed_tokens": (VOCAB, HIDDEN), "model.norm": (HIDDEN,), "lm_head": (VOCAB, HIDDEN)}
    shapes |= {f"model.layers.{i}.{name}": shape for i in range(LAYERS) for name, shape in layer.items()}
    scales = {"model.embed_tokens": 1.0, "lm_head": 0.3}
    result = {}
    for seed, (name, shape) in enumerate(shapes.items()):
        values = numbers(seed, shape, scales.get(name, 0.5 if len(shape) == 1 else 0.25))
        result[name + ".weight"] = values + np.float32(1) if len(shape) == 1 else values
    return result


def rename(name, prefix):
    if prefix is None:
        return name
    return prefix + name if prefix else name.removeprefix("model.")


def write(case, folder):
    from safetensors.numpy import save_file

    changes, prefix, _ = CASES[case]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(LLAMA | changes), encoding="utf-8")
    save_file({rename(name, prefix): value for name, value in tensors().items()}, folder / "model.safetensors",
              metadata={"format": "pt"})  # fmt: skip


def record():
    import tempfile

    import torch
    from transformers import AutoModelForCausalLM

    rows = {}
    for case, (_, _, same) in CASES.items():
        if same and case != "own-head":
            continue
        with tempfile.TemporaryDirectory() as folder:
            write(case, pathlib.Path(folder))
            model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
            logits = model(torch.tensor([PROMPT])).logits[0].detach().numpy()
        rows[case] = [[float(f"{x:.8g}") for x in logits[row]] for row in ROWS]
    assert rows.pop("own-head") == rows["plain"]
    lines = [f'"{case}": {json.dumps(values)}' for case, values in rows.items()]
    EXPECTED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def check(case, model):
    """The logits of a compiled model and those of transformers."""
    output = model.with_suffix(".npy")
    prompt = ",".join(map(str, PROMPT))
    subprocess.run(["llama-generate", model, f"--prompt-ids={prompt}", "--max-tokens=0", f"--logits={output}",
                    "--quiet"], check=True)  # fmt: skip
    found = np.load(output)[ROWS]
    expected = np.array(json.loads(EXPECTED.read_text(encoding="utf-8"))[CASES[case][2] or case])
    error = np.abs(found - expected).max() / np.abs(expected).max()
    print(f"{case}: {model}: error {error:.2g}, at most {TOLERANCE:.2g}")
    return not error <= TOLERANCE


def main():
    if sys.argv[1] == "--record":
        return record()
    case, path = sys.argv[1], pathlib.Path(sys.argv[2])
    if sys.argv[3:] == ["--run"]:
        return check(case, path)
    write(case, path)
    if sys.argv[3:] != ["--check"]:
        return 0
    model = path.with_suffix(".so")
    subprocess.run(["llama-compile", path, "-o", model, "--activations=f32", "--quiet"], check=True)
    return check(case, model)


if __name__ == "__main__":
    sys.exit(main())
