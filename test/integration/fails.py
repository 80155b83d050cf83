"""Runs a command that has to fail, with one line that says why.

    python fails.py CODE "error: model.so: ... expected 4 ... found 3" COMMAND...

Demands the exit code, nothing on stdout, and on stderr one line (for exit code 2,
wrong usage, one that is followed by a hint at most) with these pieces in this
order; '...' stands for anything.
"""

import re
import subprocess
import sys


def main():
    code, text, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    lines = result.stderr.splitlines()
    pattern = ".*".join(re.escape(piece.strip()) for piece in text.split("..."))
    problems = []
    if result.returncode != code:
        problems.append(f"exit code {result.returncode}, expected {code}")
    if result.stdout:
        problems.append(f"{len(result.stdout)} characters on stdout: {result.stdout[:80]!r}")
    if not 1 <= len(lines) <= code:
        problems.append(f"{len(lines)} lines on stderr")
    if not re.fullmatch(pattern, lines[0] if lines else ""):
        problems.append(f"expected: {text}")
    print("\n".join(lines))
    if problems:
        print(f"FAILED: {' '.join(command)[:300]}: {'; '.join(problems)}")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
