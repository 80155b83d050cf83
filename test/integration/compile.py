"""Compiles a model once, for all tests that ask for it.

    python compile.py INPUT MODEL.so [flags of llama-compile]

Does nothing where MODEL.so was made before by this command from these files
with this compiler. Tests that run at the same time wait for each other.
"""

import fcntl
import json
import pathlib
import shutil
import subprocess
import sys


def describe(arguments, path):
    """What the model depends on: the command, and date and size of each file."""
    compiler = pathlib.Path(shutil.which("llama-compile") or sys.exit("llama-compile: not on the path"))
    files = [compiler] + (sorted(path.rglob("*")) if path.is_dir() else [path])
    states = [(str(f), f.stat().st_mtime_ns, f.stat().st_size) for f in files if f.is_file()]
    return json.dumps([arguments, states])


def compile_once(source, model, flags):
    """Exit code of llama-compile, or 0 if there was nothing to do."""
    model = pathlib.Path(model)
    model.parent.mkdir(parents=True, exist_ok=True)
    stamp = model.with_suffix(".made")
    with open(model.with_suffix(".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = describe([str(source), *flags], pathlib.Path(source))
        if model.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            return 0
        stamp.unlink(missing_ok=True)
        command = ["llama-compile", str(source), "-o", str(model), "--quiet", *flags]
        # Threads of a model that runs meanwhile wait for each other: they go first.
        code = subprocess.run(["nice", *command], check=False).returncode
        if code == 0:
            stamp.write_text(wanted, encoding="utf-8")
        return code


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(compile_once(sys.argv[1], sys.argv[2], sys.argv[3:]))
