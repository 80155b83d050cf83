"""The sides of a comparison: ours, llama.cpp, OpenVINO GenAI, and llama-bench of llama.cpp or a fork.

Each has a name; `check` finds out its version and instructions, or ends the program with a line
that says why it cannot be had; `prepare` makes a model for it; `run` measures: tokens/s of a prompt
of o.prompt tokens, and of o.decode tokens decoded after it.
"""

import json
import math
import os
import pathlib
import shlex
import subprocess
import sys

import instructions
import models
import pairs

# Ours, and the type that llama-weights writes for llama.cpp.
TYPES = {"bf16": ("none", "bf16"), "int8": ("int8", "q8_0"), "int4": ("int4", "q4_0")}
# OpenVINO reads no BF16: it gets the same numbers, as many bits of each, as F16.
OPENVINO_TYPES = {"bf16": "f16", "int8": "q8_0", "int4": "q4_0"}
NAMES = {"bf16": "bf16", "int8": "int8 and Q8_0", "int4": "int4 and Q4_0"}

LLAMA_CPP_INFO = """
import json, llama_cpp
print(json.dumps([llama_cpp.__version__, llama_cpp.llama_print_system_info().decode()]))
"""

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
    while count > 0:
        now = min(count, 512)
        ids = (l.llama_token * now)(*[rng.randrange(vocab) for _ in range(now)])
        if l.llama_decode(context, l.llama_batch_get_one(ids, now)) != 0:
            sys.exit("llama_decode failed")
        l.llama_synchronize(context)
        count -= now
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

OPENVINO_INFO = """
import json, openvino, openvino_genai
print(json.dumps([openvino_genai.get_version(),
                  " ".join(openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))]))
"""

# It is fed ids. Of the tokenizer, that of a small model, it needs no more than that there is one.
# The time to the first token is that of the prompt; a token more is asked for, so that as many
# forward calls as with the others lie between the first and the last. The first run, of other ids
# since prompts are kept, compiles what these lengths need.
OPENVINO = r"""
import json, random, sys
import numpy, openvino, openvino_genai
path, tokenizer, prompt, decode, threads = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
try:
    pipeline = openvino_genai.LLMPipeline(path, openvino_genai.Tokenizer(tokenizer), "CPU",
                                          INFERENCE_NUM_THREADS=threads)
    rng = random.Random(1)
    options = openvino_genai.GenerationConfig(max_new_tokens=decode + 1, ignore_eos=True, do_sample=False)
    def generate():
        ids = numpy.array([[rng.randrange(1000) for _ in range(prompt)]], numpy.int64)
        return pipeline.generate(openvino.Tensor(ids), options)
    generate()
    found = generate().perf_metrics
except Exception as error:
    sys.exit(path + ": OpenVINO: " + " ".join(str(error).split()))
if (found.get_num_input_tokens(), found.get_num_generated_tokens()) != (prompt, decode + 1):
    sys.exit(path + ": OpenVINO: expected %d tokens and %d more, found %d and %d" % (
        prompt, decode + 1, found.get_num_input_tokens(), found.get_num_generated_tokens()))
print(json.dumps({"prompt": 1e3 * prompt / found.get_ttft().mean, "decode": 1e3 / found.get_tpot().mean}))
"""


def run_program(command, **options):
    """What it prints. Ends the program with one line if it fails."""
    name = command[0]
    try:
        result = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, capture_output=True,
                                text=True, errors="replace", check=False, **options)
    except OSError as error:
        sys.exit(f"{name}: {error.strerror}")
    if result.returncode != 0:
        said = [line for line in result.stderr.splitlines() if line.strip()]
        sys.exit(f"{name}: exit code {result.returncode}: {said[-1] if said else 'no word of why'}")
    return result.stdout


def read_json(name, text, what):
    try:
        return json.loads(text)
    except ValueError:
        sys.exit(f"{name}: expected {what}, found {text.strip()[:60]!r}")


def make_gguf(o, shape, dtype):
    """The checkpoint of a shape as a GGUF file; made if it is not there."""
    checkpoint = models.make_checkpoint(o, shape)
    return convert(checkpoint, o.folder / f"{checkpoint.name}-{dtype}.gguf", dtype)


def convert(checkpoint, gguf, dtype):
    if not gguf.exists():
        run_program([models.TOOLS / "llama-weights", "convert", checkpoint, gguf, "--to=gguf",
                     f"--dtype={dtype}", "--quiet"])
    return gguf


class Ours:
    name = pairs.OURS
    instructions = "those of --mcpu"

    def check(self, o):
        self.version = run_program([models.TOOLS / "llama-measure", "--version"]).strip()

    def prepare(self, o, shape, weights):
        flags = [f"--quantize={TYPES[weights][0]}", f"--mcpu={o.mcpu}"]
        return models.compile_model(o, shape, f"-{weights}-{o.mcpu}", flags)[0]

    def run(self, o, model):
        """Besides tokens/s: what llama-measure says of the machine and of noise."""
        tool = models.TOOLS / "llama-measure"
        found = read_json(tool, run_program([
            tool, "speed", model, "-p", o.prompt, "-n", o.decode, "-r", "1", f"--threads={o.threads}",
            f"--load={o.load}", "--json", "--quiet"]), "JSON of a speed")
        of_machine = ("cpu", "read_bytes_per_s", "peak_unit", "peak_operations_per_s")
        of_line = ("weight_bytes_per_s", "share_of_read", "operations_per_s", "share_of_peak")
        limits = {key: found[key] for key in of_machine}
        for kind in pairs.WORDS:
            limits[kind] = {key: found[kind][0][key] for key in of_line}
        return {kind: found[kind][0]["tokens_per_s"]["median"] for kind in pairs.WORDS} | {
            "limits": limits, "noise": found["noise"], "measurements": found["measurements"]}


class PythonPeer:
    """A package of Python, in o.folder/venv or where --python says."""

    def check(self, o):
        self.python = o.python or self.install(o)
        text = run_program([self.python, "-c", self.INFO])
        self.version, self.instructions = read_json(self.python, text.strip().splitlines()[-1], "a version")

    def install(self, o):
        venv = o.folder / ("venv" if o.mcpu == "native" else f"venv-{o.mcpu}")
        python = venv / "bin" / "python"
        if not python.exists():
            run_program([sys.executable, "-m", "venv", venv])
        if subprocess.run([python, "-c", self.INFO], capture_output=True, check=False).returncode != 0:
            print(f"installs {self.package} in {venv}", file=sys.stderr, flush=True)
            run_program([python, "-m", "pip", "install", "-q", *self.flags, self.package],
                        env=os.environ | {"CMAKE_ARGS": instructions.CMAKE_ARGS[o.mcpu]})
        return python

    def run_script(self, o, *arguments):
        text = run_program([self.python, "-c", self.SCRIPT, *arguments, o.prompt, o.decode, o.threads])
        return read_json(self.python, text.strip().splitlines()[-1], "two rates")


class LlamaCpp(PythonPeer):
    name, package = "llama.cpp", "llama-cpp-python"
    # Neither a finished package nor one kept from another build: those have instructions of their own.
    flags = ["--no-cache-dir", "--no-binary=llama-cpp-python"]
    INFO, SCRIPT = LLAMA_CPP_INFO, LLAMA_CPP

    def check(self, o):
        super().check(o)
        problem = instructions.explain_difference(self.instructions, o.mcpu)
        if problem:
            sys.exit(f"{self.python}: {problem}")
        self.version = f"llama-cpp-python {self.version}"
        self.instructions = self.instructions.strip(" |")

    def prepare(self, o, shape, weights):
        return make_gguf(o, shape, TYPES[weights][1])

    def run(self, o, model):
        return self.run_script(o, model)


class OpenVino(PythonPeer):
    name, package = "openvino", "openvino-genai"
    flags = []
    INFO, SCRIPT = OPENVINO_INFO, OPENVINO

    def check(self, o):
        if o.mcpu != "native":
            sys.exit(f"--peers: openvino takes all instructions of the processor: expected --mcpu=native, "
                     f"found --mcpu={o.mcpu}")
        super().check(o)
        self.version = f"openvino-genai {self.version}"

    def prepare(self, o, shape, weights):
        self.tokenizer = convert(models.ROOT / "examples" / "tiny", o.folder / "tokenizer.gguf", "q8_0")
        return make_gguf(o, shape, OPENVINO_TYPES[weights])

    def run(self, o, model):
        return self.run_script(o, model, self.tokenizer)


PEERS = {peer.name: peer for peer in (LlamaCpp, OpenVino)}


# --- llama-bench ------------------------------------------------------------

def parse_llama_bench(text, prompt, decode, threads):
    """The only result in what `llama-bench -o json` prints. ValueError: expected, found."""
    lines = text.splitlines()
    begin = next((i for i, line in enumerate(lines) if line.startswith("[")), 0)
    try:
        found = json.loads("\n".join(lines[begin:]))
    except ValueError:
        raise ValueError(f"expected JSON of llama-bench -o json, found {text.strip()[:60]!r}") from None
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], dict):
        count = len(found) if isinstance(found, list) else 0
        raise ValueError(f"expected one result, found {count}")
    for key, expected in (("n_prompt", prompt), ("n_gen", decode), ("n_threads", threads)):
        if found[0].get(key) != expected:
            raise ValueError(f"{key}: expected {expected}, found {found[0].get(key)!r}")
    rate = found[0].get("avg_ts")
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < rate < math.inf:
        raise ValueError(f"avg_ts: expected tokens per second, found {rate!r}")
    return found[0]


def choose_depth(usage, prompt, decode):
    """Flags to decode after a prompt, and n_prompt of that result. Forks differ: llama.cpp has -d,
    ik_llama.cpp -gp. (None, 0) if the usage names neither."""
    if "--n-depth" in usage:
        return ["-p", 0, "-n", decode, "-d", prompt], 0
    if "-gp <" in usage:
        return ["-p", 0, "-n", 0, "-gp", f"{prompt},{decode}"], prompt
    return None, 0


class LlamaBench:
    """A program as llama.cpp's llama-bench is; its instructions are those that it was built for."""

    instructions = "those it was built for, which it does not say"
    version = "unknown"

    def __init__(self, path, name):
        self.path, self.name = pathlib.Path(path).expanduser(), name

    def check(self, o):
        self.usage = run_program([self.path, "--help"])
        if "--n-prompt" not in self.usage or "--output" not in self.usage:
            sys.exit(f"{self.path}: expected llama-bench of llama.cpp or of a fork, found a program whose --help "
                     f"names no --n-prompt")
        if choose_depth(self.usage, 1, 1)[0] is None:
            sys.exit(f"{self.path}: expected --n-depth or -gp in its --help, so that it decodes after the prompt, "
                     f"found neither")

    def prepare(self, o, shape, weights):
        return make_gguf(o, shape, TYPES[weights][1])

    def measure(self, o, model, flags, expected):
        text = run_program([self.path, "-m", model, "-r", 1, "-t", o.threads, "-ngl", 0, "-o", "json", *flags,
                            *shlex.split(o.llama_bench_flags)])
        try:
            found = parse_llama_bench(text, *expected, o.threads)
        except ValueError as error:
            sys.exit(f"{self.path}: {error}")
        self.version = f"commit {found.get('build_commit', 'unknown')}, build {found.get('build_number', 'unknown')}"
        return found["avg_ts"]

    def run(self, o, model):
        flags, tokens = choose_depth(self.usage, o.prompt, o.decode)
        return {"prompt": self.measure(o, model, ["-p", o.prompt, "-n", 0], (o.prompt, 0)),
                "decode": self.measure(o, model, flags, (tokens, o.decode))}
