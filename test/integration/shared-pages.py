"""Two processes that use one model.so share the pages of its weights.

    python shared-pages.py MODEL.so WEIGHT-BYTES

Each is stopped at its first output, for which it has read all weights, by a
pipe that is full. Then /proc/PID/smaps tells: nothing of the weights is private
to a process, and each is charged with half of them.
"""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time


def full_pipe():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b" " * 4096)
    os.set_blocking(writer, True)
    return reader, writer


def largest_mapping(pid, path):
    """smaps fields, in kB, of the largest read-only mapping of a file."""
    text = pathlib.Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8")
    blocks = re.split(r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", text)
    mine = [b for b in blocks if b.splitlines() and b.splitlines()[0].endswith(path) and " r--" in b.splitlines()[0]]
    fields = [{name: int(kb) for name, kb in re.findall(r"(?m)^(\w+): +(\d+) kB", b)} for b in mine]
    return max(fields, key=lambda f: f["Size"], default=None)


def wait_for(pid, path, kilobytes):
    """The mapping, once the process has read all of the weights."""
    for _ in range(1200):
        mapping = largest_mapping(pid, path)
        if mapping and mapping["Rss"] >= kilobytes:
            return mapping
        time.sleep(0.05)
    raise SystemExit(f"FAILED: the weights were not read within a minute: {mapping}")


def main():
    kilobytes = int(sys.argv[2]) // 1024
    with tempfile.TemporaryDirectory() as folder:
        path = shutil.copy(sys.argv[1], folder)  # nobody else has mapped it
        reader, writer = full_pipe()
        command = ["llama-generate", path, "--prompt-ids=1,2,3", "--max-tokens=9", "--ignore-eos", "--print-ids"]
        processes = [subprocess.Popen(command, stdout=writer, stderr=subprocess.DEVNULL) for _ in range(2)]
        try:
            for process in processes:
                wait_for(process.pid, path, kilobytes)
            found = [wait_for(process.pid, path, kilobytes) for process in processes]
        finally:
            for process in processes:
                process.kill()
                process.wait()
    for fields in found:
        print({name: fields[name] for name in ("Rss", "Pss", "Private_Clean", "Private_Dirty")})
        private = fields["Private_Clean"] + fields["Private_Dirty"]
        if private or fields["Pss"] > fields["Rss"] * 0.51:
            print("FAILED: expected no private page and half of Rss as Pss")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
