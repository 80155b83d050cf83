"""How fast a large model starts and decodes, and which share of memory's speed that is.

    ./dev bench decode-1b FOLDER [--shapes=1b,3b]

The first token is timed from the start of the process, with the file out of the
page cache (cold) and in it (warm). Decoding reads every weight once a token, so
share = tokens/s * bytes of weights / bytes/s that plain reads reach, measured
by llama-measure in the same run.
"""

import json
import os
import subprocess
import sys
import time

import models


def drop_from_cache(path):
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def time_first_token(model):
    """Seconds from the start of the process to the first output."""
    begin = time.monotonic()
    command = [models.TOOLS / "llama-generate", model, "--prompt-ids=1", "--max-tokens=1", "--print-ids", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        first = process.stdout.read(1)
        seconds = time.monotonic() - begin
        process.stdout.read()
    if not first or process.returncode != 0:
        raise SystemExit(f"failed: {' '.join(map(str, command))}")
    return seconds


def main():
    o = models.parse_arguments(__doc__.splitlines()[0])
    rows = [["shape", "weights GB", "first token ms: cold", "warm", "prompt tokens/s",
             "decode tokens/s", "of weights GB/s", "plain reads GB/s", "share %"]]
    for shape in o.shapes:
        model, _, _ = models.compile_model(o, shape)
        drop_from_cache(model)
        cold, warm = time_first_token(model), min(time_first_token(model) for _ in range(3))
        command = [models.TOOLS / "llama-measure", "speed", model, "-p", "256", "-n", "32", "-r", "3", "--json"]
        speed = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
        prompt, decode = (speed[kind][0]["tokens_per_s"]["median"] for kind in ["prompt", "decode"])
        weights, reads = speed["weight_bytes_per_call"], speed["read_bytes_per_s"]
        rows.append([shape, f"{weights / 1e9:.2f}", f"{cold * 1e3:.0f}", f"{warm * 1e3:.0f}",
                     f"{prompt:.1f}", f"{decode:.2f}", f"{decode * weights / 1e9:.1f}",
                     f"{reads / 1e9:.1f}", f"{100 * decode * weights / reads:.0f}"])
    models.print_table(rows)


if __name__ == "__main__":
    main()
