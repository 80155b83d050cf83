"""What a process that runs a large model needs of memory, beyond the weights and the cache.

    ./dev bench memory-1b FOLDER [--shapes=1b,3b] [--prompt=512] [--decode=32]

llama-generate reads a prompt and decodes, of bf16 and of int4, while
/proc/PID/status is read over and over; of each kind of pages the most that was
seen is printed. File pages are the weights and the programs, shared with whoever
else has mapped them. Anonymous pages are the cache and what the process has of
its own, `rest`: exit code 1 if that is 50 MB or more. VmHWM is the kernel's own
peak of the sum, which misses nothing between two readings.
"""

import json
import math
import random
import re
import subprocess
import time

import models

BLOCK = 64  # positions, by which the cache grows
KINDS = ["RssFile", "RssAnon", "RssShmem", "VmHWM"]
LIMIT = 50e6  # bytes


def read_status(pid):
    """Bytes of KINDS now; nothing of a process that has ended."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            text = file.read()
    except ProcessLookupError:
        return {}
    return {name: int(kb) * 1024 for name, kb in re.findall(r"(?m)^(\w+):\s+(\d+) kB", text) if name in KINDS}


def watch(command):
    """The most of KINDS that was seen of a process."""
    peaks, readings = dict.fromkeys(KINDS, 0), 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            found = read_status(process.pid)
            peaks = {name: max(peak, found.get(name, 0)) for name, peak in peaks.items()}
            readings += bool(found)
            time.sleep(0.002)
    if process.returncode != 0 or readings < 10:
        raise SystemExit(f"failed: {' '.join(map(str, command))}")
    return peaks


def describe(model):
    """(bytes of weights, of a block of the cache)"""
    command = [models.TOOLS / "llama-weights", "inspect", model, "--json"]
    info = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    heads = info["heads"]
    row = {"f32": 4 * heads["dim"], "bf16": 2 * heads["dim"], "int8": heads["dim"] + 2}[info["kv_type"]]  # + a scale
    return sum(tensor["bytes"] for tensor in info["tensors"]), info["layers"] * 2 * heads["kv"] * row * BLOCK


def measure(o, shape, weights, quantize):
    model, _, _ = models.compile_model(o, shape, f"-{weights}", [f"--quantize={quantize}"])
    ids = ",".join(map(str, random.Random(1).choices(range(10000), k=o.prompt)))
    peaks = watch([models.TOOLS / "llama-generate", model, f"--prompt-ids={ids}", f"--max-tokens={o.decode}",
                   "--ignore-eos", "--print-ids", "--quiet"])
    weight_bytes, block = describe(model)
    # The last token is generated, but not fed.
    cache = math.ceil((o.prompt + o.decode - 1) / BLOCK) * block
    rest = peaks["RssAnon"] - cache
    return rest, [f"{shape} {weights}"] + [f"{n / 1e6:.1f}" for n in (weight_bytes, *peaks.values(), cache, rest)]


def main():
    o = models.parse_arguments(__doc__.splitlines()[0], prompt=512, decode=32)
    rows, most = [["MB", "weights", *KINDS, "cache", "rest"]], 0
    for shape in o.shapes:
        for weights, quantize in (("bf16", "none"), ("int4", "int4")):
            rest, row = measure(o, shape, weights, quantize)
            most = max(most, rest)
            rows.append(row)
    models.print_table(rows)
    print(f"rest is {'below' if most < LIMIT else 'NOT below'} {LIMIT / 1e6:.0f} MB")
    return most >= LIMIT


if __name__ == "__main__":
    raise SystemExit(main())
