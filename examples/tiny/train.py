"""Makes every file of this folder's model from the grammar.

    python train.py [--out=FOLDER] [--scale=1.0]

Trains the tokenizer, then a Llama of 0.6 million parameters with AdamW in
float32 on short rows and, at the end, on rows as long as the model allows;
stores the weights as bfloat16. --scale multiplies the number of steps.
"""

import argparse
import json
import math
import pathlib
import time

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
from safetensors.numpy import save_file

import corpus
import vocabulary

HIDDEN, FFN, LAYERS, HEADS, KV_HEADS, HEAD_DIM = 128, 192, 4, 4, 2, 32
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "attention_bias": False,
    "attention_dropout": 0.0,
    "head_dim": HEAD_DIM,
    "hidden_act": "silu",
    "hidden_size": HIDDEN,
    "initializer_range": 0.02,
    "intermediate_size": FFN,
    "max_position_embeddings": 1024,
    "mlp_bias": False,
    "model_type": "llama",
    "num_attention_heads": HEADS,
    "num_hidden_layers": LAYERS,
    "num_key_value_heads": KV_HEADS,
    "rms_norm_eps": 1e-5,
    "rope_scaling": {
        "factor": 4.0,
        "high_freq_factor": 4.0,
        "low_freq_factor": 1.0,
        "original_max_position_embeddings": 256,
        "rope_type": "llama3",
    },
    "rope_theta": 10000.0,
    "tie_word_embeddings": True,
    "torch_dtype": "bfloat16",
    "vocab_size": vocabulary.SIZE,
}
# (steps, rows of a batch, tokens of a row, first and last learning rate)
PHASES = [(2600, 16, 256, 5e-3, 1e-3), (400, 4, 1024, 1e-3, 0.0)]
WARMUP = 100
WEIGHT_DECAY = 0.05


# --- model ------------------------------------------------------------------

def initial_weights(seed):
    rng = np.random.default_rng(seed)

    def matrix(rows, columns, scale=1.0):
        return rng.normal(0, scale / math.sqrt(columns), (rows, columns)).astype(np.float32)

    deep = 1 / math.sqrt(2 * LAYERS)  # what enters the residual stream
    weights = {
        "model.embed_tokens.weight": matrix(vocabulary.SIZE, HIDDEN, 0.5),
        "model.norm.weight": np.ones(HIDDEN, np.float32),
    }
    for i in range(LAYERS):
        weights |= {f"model.layers.{i}.{name}.weight": value for name, value in {
            "input_layernorm": np.ones(HIDDEN, np.float32),
            "self_attn.q_proj": matrix(HEADS * HEAD_DIM, HIDDEN),
            "self_attn.k_proj": matrix(KV_HEADS * HEAD_DIM, HIDDEN),
            "self_attn.v_proj": matrix(KV_HEADS * HEAD_DIM, HIDDEN),
            "self_attn.o_proj": matrix(HIDDEN, HEADS * HEAD_DIM, deep),
            "post_attention_layernorm": np.ones(HIDDEN, np.float32),
            "mlp.gate_proj": matrix(FFN, HIDDEN),
            "mlp.up_proj": matrix(FFN, HIDDEN),
            "mlp.down_proj": matrix(HIDDEN, FFN, deep),
        }.items()}
    return weights


def rotary_frequencies():
    """Radians per position, HEAD_DIM / 2 of them, with Llama 3.1's scaling."""
    scaling = CONFIG["rope_scaling"]
    original = scaling["original_max_position_embeddings"]
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    plain = CONFIG["rope_theta"] ** (-np.arange(0, HEAD_DIM, 2) / HEAD_DIM)
    turns = original * plain / (2 * math.pi)  # rotations within the original length
    keep = np.clip((turns - low) / (high - low), 0, 1)
    return plain * (keep + (1 - keep) / scaling["factor"])


def norm(x, weight):
    return x * jax.lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + CONFIG["rms_norm_eps"]) * weight


def rotate(x, cos, sin):
    """x [batch, positions, heads, HEAD_DIM], pairs (i, i + HEAD_DIM / 2)."""
    a, b = jnp.split(x, 2, -1)
    return jnp.concatenate([a * cos - b * sin, b * cos + a * sin], -1)


def attention(x, w, cos, sin):
    batch, length, _ = x.shape

    def heads(name, count):
        return (x @ w(f"self_attn.{name}_proj").T).reshape(batch, length, count, HEAD_DIM)

    q = rotate(heads("q", HEADS), cos, sin)
    k = rotate(heads("k", KV_HEADS), cos, sin)
    q = q.reshape(batch, length, KV_HEADS, HEADS // KV_HEADS, HEAD_DIM)
    scores = jnp.einsum("btgrd,bsgd->bgrts", q, k) / math.sqrt(HEAD_DIM)
    scores = jnp.where(jnp.tril(jnp.ones((length, length), bool)), scores, -1e30)
    mixed = jnp.einsum("bgrts,bsgd->btgrd", jax.nn.softmax(scores, -1), heads("v", KV_HEADS))
    return mixed.reshape(batch, length, -1) @ w("self_attn.o_proj").T


def loss(weights, ids):
    """Mean cross entropy in nats of ids[:, 1:] given what stands before."""
    angles = jnp.asarray(np.outer(np.arange(ids.shape[1] - 1), rotary_frequencies()), jnp.float32)
    cos, sin = jnp.cos(angles)[:, None], jnp.sin(angles)[:, None]
    x = weights["model.embed_tokens.weight"][ids[:, :-1]]
    for i in range(LAYERS):
        w = lambda name: weights[f"model.layers.{i}.{name}.weight"]
        x = x + attention(norm(x, w("input_layernorm")), w, cos, sin)
        y = norm(x, w("post_attention_layernorm"))
        x = x + (jax.nn.silu(y @ w("mlp.gate_proj").T) * (y @ w("mlp.up_proj").T)) @ w("mlp.down_proj").T
    logits = norm(x, weights["model.norm.weight"]) @ weights["model.embed_tokens.weight"].T
    picked = jnp.take_along_axis(logits, ids[:, 1:, None], -1)[..., 0]
    return jnp.mean(jax.nn.logsumexp(logits, -1) - picked)


# --- training ---------------------------------------------------------------

@jax.jit
def step(weights, first, second, ids, rate, count):
    """AdamW with gradients clipped to norm 1; norms and embeddings do not decay."""
    value, gradients = jax.value_and_grad(loss)(weights, ids)
    length = jnp.sqrt(sum(jnp.sum(g * g) for g in gradients.values()))
    clip = jnp.minimum(1.0, 1.0 / (length + 1e-6))
    for name, gradient in gradients.items():
        g = gradient * clip
        first[name] = 0.9 * first[name] + 0.1 * g
        second[name] = 0.98 * second[name] + 0.02 * g * g
        move = first[name] / (1 - 0.9**count) / (jnp.sqrt(second[name] / (1 - 0.98**count)) + 1e-8)
        decay = WEIGHT_DECAY if "_proj" in name else 0.0
        weights[name] = weights[name] - rate * (move + decay * weights[name])
    return weights, first, second, value


def train(tokenizer, scale, seed=3):
    weights = {name: jnp.asarray(value) for name, value in initial_weights(seed).items()}
    first = {name: jnp.zeros_like(value) for name, value in weights.items()}
    second = dict(first)
    count, begin = 0, time.time()
    for phase, (steps, number, length, high, low) in enumerate(PHASES):
        steps = max(1, round(steps * scale))
        source = corpus.batches(tokenizer, 100 + phase, number, length)
        for i in range(steps):
            count += 1
            rate = low + (high - low) * (1 + math.cos(math.pi * i / steps)) / 2
            rate *= min(1.0, count / WARMUP)
            weights, first, second, value = step(weights, first, second, next(source), rate, count)
            if count % 50 == 0:
                print(f"step {count}  loss {value:.4f}  {time.time() - begin:.0f} s", flush=True)
    return weights


def save(weights, tokenizer, folder):
    ids = tokenizer.token_to_id
    config = CONFIG | {
        "bos_token_id": ids(vocabulary.BOS),
        "eos_token_id": [ids(vocabulary.EOS), ids(vocabulary.EOT)],
        "pad_token_id": ids(vocabulary.PAD),
    }
    generation = {key: config[key] for key in ("bos_token_id", "eos_token_id", "pad_token_id")}
    generation |= {"do_sample": True, "temperature": 0.7, "top_p": 0.9}
    for name, content in (("config", config), ("generation_config", generation)):
        text = json.dumps(content, indent=2, sort_keys=True) + "\n"
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    vocabulary.save(tokenizer, folder, CONFIG["max_position_embeddings"])
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)  # the library writes it for the owner alone


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    tokenizer = vocabulary.train()
    weights = train(tokenizer, options.scale)
    stored = {name: np.asarray(value).astype(ml_dtypes.bfloat16) for name, value in weights.items()}
    save(stored, tokenizer, options.out)
    rounded = {name: jnp.asarray(value.astype(np.float32)) for name, value in stored.items()}
    unseen = corpus.batches(tokenizer, 9, 16, 256)
    mean = np.mean([jax.jit(loss)(rounded, next(unseen)) for _ in range(2)])
    parameters = sum(value.size for value in stored.values())
    print(f"{parameters} parameters, loss on unseen text as stored {mean:.4f} nats per token")


if __name__ == "__main__":
    main()
