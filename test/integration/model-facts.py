"""What models say about themselves is what they do.

    python model-facts.py SET CHECKPOINT FOLDER PROGRAM

For all kinds of numbers with the instructions SET (cells.py), run by PROGRAM, which is
Inputs/model-facts.c:
  - "rows_alike": rows of prompts and of replies have the same bits, or not;
  - "stack_bytes": no thread of an engine takes more than that and 2 KiB for the
    runtime's part, and threads with 128 KiB are enough;
  - "fingerprint": no two kinds have the same one.
"""

import json
import pathlib
import subprocess
import sys

import cells

RUNTIME = 2 << 10  # bytes


def read_info(model):
    command = ["llama-weights", "inspect", "--json", model]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def find_problems(info, done):
    target = info["target"]
    said = target.get("rows_alike", False)
    if said != done["alike"]:
        yield f"says rows_alike {said}, found {done['alike']}"
    if not 0 < target["stack_bytes"] <= 112 << 10:
        yield f"stack_bytes {target['stack_bytes']}, expected at most 112 KiB"
    if done["stack"] > target["stack_bytes"] + RUNTIME:
        yield f"says stack_bytes {target['stack_bytes']}, a thread has taken {done['stack']}"


def main():
    name, source, folder, program = sys.argv[1:]
    vocab, seen, failed = cells.read_vocab(source), {}, 0
    for numbers in cells.NUMBERS:
        model, _ = cells.compile_cell(source, folder, pathlib.Path(source).name, name, numbers)
        run = subprocess.run([program, model, str(vocab)], stdout=subprocess.PIPE, check=True)
        info, done = read_info(model), json.loads(run.stdout)
        problems = list(find_problems(info, done))
        other = seen.setdefault(info["fingerprint"], numbers)
        if other != numbers:
            problems.append(f"has the fingerprint of {other}")
        print(f"{numbers}: {info['target']['stack_bytes']} bytes of stack said, {done['stack']} taken",
              *problems, sep="\n  FAILED: ")
        failed += bool(problems)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
