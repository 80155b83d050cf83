"""The same bits wherever the weights are: --load=map, copy and auto.

    python load.py MODEL.so

Of a model whose weights are large enough for huge pages. --verbose says where they are in the end; where there is no
memory for a copy, --load=auto goes on without one, and copy is refused.
"""

import os
import re
import resource
import subprocess
import sys
import tempfile

import numpy as np
import program

MB = 1 << 20
COMMAND = ["llama-generate", sys.argv[1], f"--prompt-ids={program.join(program.random_prompt(20, 4096))}",
           "--ignore-eos", "--print-ids", "--verbose", "--kv-budget=64MB"]


def run(mode, *flags, tokens=200, limit=resource.RLIM_INFINITY):
    """The finished process; `limit`: bytes of address space that it may have."""
    command = [*COMMAND, f"--max-tokens={tokens}", f"--load={mode}", *flags]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))


def get_place(done):
    found = re.findall(r"(?m)^weights: (.*)$", done.stderr)
    return found[0] if done.returncode == 0 and len(found) == 1 else f"exit code {done.returncode}: {done.stderr}"


def check(what, found, pattern):
    print(f"{what}: {found}")
    if not re.fullmatch(pattern, found):
        sys.exit(f"FAILED: expected {pattern!r}")


def check_places():
    """The same ids and logits in every mode."""
    with tempfile.TemporaryDirectory() as folder:
        results = {}
        for mode, place in [("map", "mapped"), ("copy", "copied into huge pages"),
                            ("auto", r"copied into huge pages, in \d+\.\d\d s")]:
            for threads in (1, 2):
                path = f"{folder}/{mode}-{threads}.npy"
                done = run(mode, f"--threads={threads}", f"--logits={path}")
                check(f"--load={mode}, {threads} threads", get_place(done), place)
                results[mode, threads] = done.stdout, np.load(path).tobytes()
                os.remove(path)
    for key, result in results.items():
        if result != results["map", 1]:
            sys.exit(f"FAILED: {key} gives other {'ids' if result[0] != results['map', 1][0] else 'logits'}")


def check_first_token():
    """Nothing is copied for who wants one token."""
    check("one token", get_place(run("auto", tokens=1)), "mapped; a copy begins after the first token")


def check_limit():
    """What is enough for a mapped model, with a margin for one more thread, is too little for a copy."""
    size = os.path.getsize(sys.argv[1])
    limit = next(limit for limit in range(size, 20 * size, 32 * MB) if run("map", limit=limit).returncode == 0)
    limit += 32 * MB
    expected = run("map", limit=limit)
    done = run("auto", limit=limit)
    check("little memory", get_place(done), "mapped; too little memory is free for a copy")
    if done.stdout != expected.stdout:
        sys.exit("FAILED: other ids with little memory")
    check("copy in little memory", run("copy", limit=limit).stderr.strip(),
          r"error: weights: cannot get \d+ bytes of memory")


def main():
    check_places()
    check_first_token()
    check_limit()


if __name__ == "__main__":
    main()
