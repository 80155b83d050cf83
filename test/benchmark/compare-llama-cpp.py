"""Prompt and decode beside llama.cpp: same machine, same weights, same threads, taking turns.

    ./dev bench compare-llama-cpp FOLDER [--shapes=1b,3b] [--weights=bf16,int8,int4] [--python=PATH]

Random weights of Llama 3.2's shapes, compiled by llama-compile and written as a
GGUF file by llama-weights: bf16 meets BF16, int8 Q8_0, int4 Q4_0.
llama.cpp is the package llama-cpp-python, built for this machine when it is
installed (a quarter of an hour on two cores): into FOLDER/venv, unless --python
names one that has it. Each round runs both sides; a ratio is of one round, what
is printed is the median of the rounds, with the smallest and the largest.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

import models

# Ours, and the type that llama-weights writes for llama.cpp.
PAIRS = {"bf16": ("none", "bf16"), "int8": ("int8", "q8_0"), "int4": ("int4", "q4_0")}

LLAMA_CPP = r"""
import ctypes, json, os, random, sys, time
import llama_cpp as l
path, prompt, decode, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
silent = l.llama_log_callback(lambda level, text, data: None)
l.llama_log_set(silent, None)
l.llama_backend_init()
model = l.llama_model_load_from_file(path.encode(), l.llama_model_default_params())
if not model:
    sys.exit(path + ": llama.cpp does not load it")
options = l.llama_context_default_params()
options.n_ctx = prompt + decode + 8
options.n_batch = options.n_ubatch = 512
options.n_threads = options.n_threads_batch = threads
context = l.llama_init_from_model(model, options)
vocab = l.llama_vocab_n_tokens(l.llama_model_get_vocab(model))
rng = random.Random(1)
def feed(count):
    ids = (l.llama_token * count)(*[rng.randrange(vocab) for _ in range(count)])
    if l.llama_decode(context, l.llama_batch_get_one(ids, count)) != 0:
        sys.exit("llama_decode failed")
    l.llama_synchronize(context)
feed(8)
l.llama_memory_clear(l.llama_get_memory(context), True)
begin = time.monotonic()
feed(prompt)
middle = time.monotonic()
for _ in range(decode):
    feed(1)
end = time.monotonic()
print(json.dumps({"prompt": prompt / (middle - begin), "decode": decode / (end - middle)}))
"""


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path, help="where models are kept, up to 12 GB")
    parser.add_argument("--shapes", default="1b", help="1b (default), 3b or 1b,3b")
    parser.add_argument("--weights", default="bf16,int8,int4", help="some of bf16,int8,int4")
    parser.add_argument("--python", help="an interpreter that has llama-cpp-python")
    parser.add_argument("--prompt", type=int, default=512, help="tokens of the prompt (512)")
    parser.add_argument("--decode", type=int, default=32, help="tokens to decode (32)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--mcpu", default="native", help="of llama-compile")
    parser.add_argument("--layers", type=int, metavar="N", help="cut the models to so many layers")
    o = parser.parse_args()
    o.folder.mkdir(parents=True, exist_ok=True)
    return o


def find_python(o):
    if o.python:
        return o.python
    python = o.folder / "venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
    subprocess.run([python, "-m", "pip", "install", "-q", "llama-cpp-python"], check=True)
    return python


def make_models(o, shape, weights):
    """(model.so, model.gguf)"""
    quantize, dtype = PAIRS[weights]
    checkpoint = models.make_checkpoint(o, shape)
    model, gguf = (o.folder / f"{checkpoint.name}-{weights}{end}" for end in (".so", ".gguf"))
    subprocess.run([models.TOOLS / "llama-compile", checkpoint, "-o", model, "--quiet",
                    f"--quantize={quantize}", f"--mcpu={o.mcpu}"], check=True)
    if not gguf.exists():
        subprocess.run([models.TOOLS / "llama-weights", "convert", checkpoint, gguf, "--to=gguf",
                        f"--dtype={dtype}", "--quiet"], check=True)
    return model, gguf


def run_ours(o, model):
    command = [models.TOOLS / "llama-measure", "speed", model, "-p", str(o.prompt), "-n", str(o.decode),
               "-r", "1", f"--threads={o.threads}", "--json"]
    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return {kind: found[kind][0]["tokens_per_s"]["median"] for kind in ("prompt", "decode")}


def run_theirs(o, python, gguf):
    command = [python, "-c", LLAMA_CPP, gguf, str(o.prompt), str(o.decode), str(o.threads)]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return json.loads(result.stdout.splitlines()[-1])


def compare(o, python, shape, weights):
    model, gguf = make_models(o, shape, weights)
    rounds = [(run_ours(o, model), run_theirs(o, python, gguf)) for _ in range(o.rounds)]
    for kind in ("prompt", "decode"):
        ours, theirs = ([round[side][kind] for round in rounds] for side in (0, 1))
        ratios = [a / b for a, b in zip(ours, theirs)]
        yield [f"{shape} {weights} {kind}", f"{statistics.median(ours):.1f}", f"{statistics.median(theirs):.1f}",
               f"{statistics.median(ratios):.2f}", f"{min(ratios):.2f}-{max(ratios):.2f}"]


def main():
    o = parse()
    python = find_python(o)
    rows = [["tokens/s", "llama-compile", "llama.cpp", "ratio", "of rounds"]]
    for shape in o.shapes.split(","):
        for weights in o.weights.split(","):
            rows.extend(compare(o, python, shape, weights))
    print(f"prompt of {o.prompt}, {o.decode} tokens decoded, {o.threads} threads, {o.rounds} rounds, --mcpu={o.mcpu}")
    models.print_table(rows)


if __name__ == "__main__":
    main()
