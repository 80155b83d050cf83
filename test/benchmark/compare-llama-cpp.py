"""Prompt and decode beside llama.cpp: same machine, same weights, same threads, taking turns.

    ./dev bench compare-llama-cpp FOLDER [--shapes=1b,3b] [--weights=bf16,int8,int4]
                                         [--mcpu=native|x86-64-v3|x86-64-v4] [--python=PATH]

Random weights of Llama 3.2's shapes, compiled by llama-compile and written as a
GGUF file by llama-weights: bf16 meets BF16, int8 Q8_0, int4 Q4_0. Both sides have
the same bits: int8 and int4 have a scale for every 32 elements, and where the
layers have 4 bits, the embedding, which is the output matrix as well, has 8.

Both sides may use the same instructions, those of --mcpu. llama.cpp is the
package llama-cpp-python, built from source for them (a quarter of an hour on two
cores) in FOLDER/venv or FOLDER/venv-MCPU, unless --python names an interpreter
that has it; one that was built for other instructions is refused. Each round runs
both sides; a ratio is of one round, what is printed is the median of the rounds,
with the smallest and the largest.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

import models

# Ours, and the type that llama-weights writes for llama.cpp.
PAIRS = {"bf16": ("none", "bf16"), "int8": ("int8", "q8_0"), "int4": ("int4", "q4_0")}

# How llama.cpp is built for a processor of --mcpu.
CMAKE_ARGS = {"native": "-DGGML_NATIVE=ON", "x86-64-v3": "-DGGML_NATIVE=OFF",
              "x86-64-v4": "-DGGML_NATIVE=OFF -DGGML_AVX512=ON"}

# What llama.cpp calls the instructions that it may be built for, as /proc/cpuinfo calls them.
FEATURES = {"SSE3": "pni", "SSSE3": "ssse3", "AVX": "avx", "AVX2": "avx2", "F16C": "f16c", "FMA": "fma", "BMI2": "bmi2",
            "AVX512": "avx512f", "AVX512_VBMI": "avx512vbmi", "AVX512_VNNI": "avx512_vnni",
            "AVX512_BF16": "avx512_bf16", "AVX_VNNI": "avx_vnni", "AMX_INT8": "amx_int8"}
V3 = {"SSE3", "SSSE3", "AVX", "AVX2", "F16C", "FMA", "BMI2"}
LEVELS = {"x86-64-v3": V3, "x86-64-v4": V3 | {"AVX512"}}

SYSTEM_INFO = "import llama_cpp; print(llama_cpp.llama_print_system_info().decode())"

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
    parser.add_argument("--mcpu", default="native", choices=CMAKE_ARGS, help="the instructions of both sides (native)")
    parser.add_argument("--flags", default="", help="further flags of llama-compile")
    parser.add_argument("--layers", type=int, metavar="N", help="cut the models to so many layers")
    o = parser.parse_args()
    o.folder.mkdir(parents=True, exist_ok=True)
    return o


def find_python(o):
    if o.python:
        return o.python
    venv = o.folder / ("venv" if o.mcpu == "native" else f"venv-{o.mcpu}")
    python = venv / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    # Neither a finished package nor one kept from another build: those have instructions of their own.
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-cache-dir", "--no-binary=llama-cpp-python",
                    "llama-cpp-python"], env=os.environ | {"CMAKE_ARGS": CMAKE_ARGS[o.mcpu]}, check=True)
    return python


def get_instructions(mcpu):
    """Those of the processor, in llama.cpp's words."""
    if mcpu in LEVELS:
        return LEVELS[mcpu]
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        flags = next(line for line in file if line.startswith("flags")).split()
    return {name for name, flag in FEATURES.items() if flag in flags}


def check_instructions(o, python):
    """What llama.cpp says of its instructions, if they are those of --mcpu."""
    try:
        result = subprocess.run([python, "-c", SYSTEM_INFO], capture_output=True, text=True, check=False)
    except OSError as error:
        sys.exit(f"{python}: {error.strerror}")
    if result.returncode != 0:
        sys.exit(f"{python}: expected llama-cpp-python: {(result.stderr.splitlines() or ['no answer'])[-1]}")
    info = result.stdout.strip()
    if platform.machine() != "x86_64":
        return info
    found = {name for name in FEATURES if f" {name} = 1 " in f" {info} "}
    expected = get_instructions(o.mcpu)
    for wrong, word in ((found - expected, "has"), (expected - found, "lacks")):
        if wrong:
            sys.exit(f"{python}: expected a llama.cpp built for {o.mcpu}, found one that {word} "
                     f"{', '.join(sorted(wrong))}")
    return info


def make_models(o, shape, weights):
    """(model.so, model.gguf)"""
    quantize, dtype = PAIRS[weights]
    model, _, _ = models.compile_model(o, shape, f"-{weights}-{o.mcpu}", [f"--quantize={quantize}", f"--mcpu={o.mcpu}"])
    checkpoint = models.make_checkpoint(o, shape)
    gguf = o.folder / f"{checkpoint.name}-{dtype}.gguf"
    if not gguf.exists():
        subprocess.run([models.TOOLS / "llama-weights", "convert", checkpoint, gguf, "--to=gguf",
                        f"--dtype={dtype}", "--quiet"], check=True)
    return model, gguf


def run_ours(o, model):
    command = [models.TOOLS / "llama-measure", "speed", model, "-p", str(o.prompt), "-n", str(o.decode),
               "-r", "1", f"--threads={o.threads}", "--json", "--quiet"]
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
    info = check_instructions(o, python)
    rows = [["tokens/s", "llama-compile", "llama.cpp", "ratio", "of rounds"]]
    for shape in o.shapes.split(","):
        for weights in o.weights.split(","):
            rows.extend(compare(o, python, shape, weights))
    print(f"prompt of {o.prompt}, {o.decode} tokens decoded, {o.threads} threads, {o.rounds} rounds, --mcpu={o.mcpu}")
    models.print_table(rows)
    print(f"llama.cpp: {info}")


if __name__ == "__main__":
    main()
