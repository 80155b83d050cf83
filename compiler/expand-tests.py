"""Shows what a test shows: IR before and after a pass.

    python expand-tests.py LLAMA_OPT TESTS FILE.md...

Replaces every line `@test PATH` of generated documentation by the first part of
TESTS/PATH (up to its first `// -----`) and what that test's own command makes of
it. A test that is absent or fails is an error.
"""
import os
import re
import shlex
import subprocess
import sys

SKIPPED = {"%s", "--split-input-file", "--verify-diagnostics"}


def read_test(path):
    """The arguments for llama-opt and the first part of the test's IR."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    run = re.search(r"^// RUN: llama-opt (.*?)(?<!\\)$", text, re.MULTILINE | re.DOTALL)
    command = re.sub(r"\\\n// RUN:", " ", run.group(1)).split("|")[0]
    arguments = [word for word in shlex.split(command) if word not in SKIPPED]
    lines = [line for line in text.split("// -----")[0].splitlines()
             if not re.match(r"\s*// (RUN|[A-Z0-9-]*CHECK[A-Z0-9-]*)[:-]", line)]
    return arguments, "\n".join(lines).strip()


def expand(opt, path):
    arguments, before = read_test(path)
    after = subprocess.run([opt, *arguments, "-"], input=before, text=True, check=True,
                           capture_output=True).stdout.strip()
    return f"Before:\n\n```mlir\n{before}\n```\n\nAfter `{' '.join(arguments)}`:\n\n```mlir\n{after}\n```"


def main():
    opt, tests, *documents = sys.argv[1:]
    for document in documents:
        with open(document, encoding="utf-8") as file:
            text = file.read()
        text = re.sub(r"^[ \t]*@test (\S+)$", lambda found: expand(opt, os.path.join(tests, found.group(1))),
                      text, flags=re.MULTILINE)
        with open(document, "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    main()
