"""llama-generate as functions, for the scripts of this folder."""

import os
import pathlib
import random
import subprocess
import tempfile

import numpy as np


def join(ids):
    return ",".join(map(str, ids))


def split(text):
    return [int(word) for word in text.strip().split(",") if word]


def random_prompt(count, vocab, seed=0):
    rng = random.Random(f"{count} {vocab} {seed}")
    return [rng.randrange(vocab) for _ in range(count)]


def generate(model, prompt, tokens, *flags):
    """Greedily: (generated ids, logits [prompt + tokens - 1, vocab]).

    The model goes on for `tokens` ids whatever they are. A program that fails
    ends the test; what it said is on stderr.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "logits.npy"
        command = ["llama-generate", os.fspath(model), f"--prompt-ids={join(prompt)}",
                   f"--max-tokens={tokens}", "--ignore-eos", "--print-ids", "--quiet",
                   f"--logits={path}", *flags]
        result = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True)
        if result.returncode != 0:
            raise SystemExit(f"FAILED: exit code {result.returncode} of {' '.join(command)}")
        ids, logits = split(result.stdout), np.load(path)
    if len(ids) != tokens or len(logits) != len(prompt) + max(tokens - 1, 0):
        raise SystemExit(f"FAILED: {tokens} tokens after {len(prompt)}: found {len(ids)} ids, {len(logits)} rows")
    return ids, logits
