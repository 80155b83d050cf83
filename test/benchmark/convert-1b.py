"""Converts the shape of Llama 3.2 1B from format to format, back to the first.

    ./dev bench convert-1b [FOLDER]

For every step: seconds, GB/s of what is written, the peak of resident memory,
and the time that `cp -r` takes for the same bytes right after it. At the end the
hashes of all tensors are compared. Needs three times 3 GB.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = ROOT / "build" / "bin" / "llama-weights"
STEPS = [("meta", []), ("npy", []), ("nanotron", []), ("gguf", []), ("hf", ["--dtype=bf16"])]


def run(*command):
    """Seconds and the peak of resident memory, in bytes."""
    start = time.monotonic()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"failed: {command}")
    return time.monotonic() - start, usage.ru_maxrss * 1024


def size(path):
    return sum(f.stat().st_size for f in path.rglob("*") if f.is_file()) if path.is_dir() else path.stat().st_size


def remove(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def hashes(path, folder):
    manifest = folder / "manifest.json"
    seconds, peak = run(TOOL, "verify", path, f"--write-manifest={manifest}")
    print(f"verify {path.name}: {seconds:.2f} s, peak {peak / 1e6:.0f} MB", flush=True)
    return json.loads(manifest.read_text())["tensors"]


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="convert-1b-"))
    first = folder / "hf"
    if not first.exists():
        script = ROOT / "test" / "Inputs" / "make-checkpoint.py"
        subprocess.run([sys.executable, script, first, "--shape=1b"], check=True)
    expected = hashes(first, folder)
    before = first
    for number, (name, flags) in enumerate(STEPS):
        after = folder / (f"{number}.gguf" if name == "gguf" else f"{number}-{name}")
        seconds, peak = run(TOOL, "convert", before, after, f"--to={name}", *flags)
        copy = folder / "copy"
        copying, _ = run("cp", "-r", after, copy)
        remove(copy)
        written = size(after)
        print(f"{before.name} -> {after.name}: {written / 1e9:.2f} GB, {seconds:.2f} s, {written / seconds / 1e9:.2f} GB/s, "
              f"cp -r {copying:.2f} s ({100 * copying / seconds:.0f} % of its speed), peak {peak / 1e6:.0f} MB",
              flush=True)  # fmt: skip
        if before != first:
            remove(before)
        before = after
    same = hashes(before, folder) == expected
    print("hashes of all tensors:", "equal" if same else "DIFFERENT")
    remove(before)
    return not same


if __name__ == "__main__":
    sys.exit(main())
