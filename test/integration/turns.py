"""A conversation of many turns feeds each of them once: what was said stays in the cache.

    python turns.py MODEL.so [--turns=20] [--flags="--threads=2"]

Of a model whose template leaves earlier turns as they are. Of every turn --verbose says how many tokens were kept and
how many fed; the last reply is that of a process which has the whole conversation fed at once.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile

WORDS = ["a fox", "the moon", "two boats", "rain", "an old tree", "my hat", "seven stones"]


def say(o, *arguments, text=""):
    done = subprocess.run(["llama-generate", o.model, *o.flags.split(), *arguments], input=text, text=True,
                          capture_output=True, check=False, timeout=600)
    if done.returncode:
        sys.exit(f"{arguments}: {done.stderr}")
    return done


def check_counts(counts):
    """Whether each turn keeps all that was fed before it, and at most what was generated besides."""
    problems = []
    for turn, ((before, fed, generated), (kept, _, _)) in enumerate(zip(counts, counts[1:]), 2):
        if not before + fed <= kept <= before + fed + generated:
            problems.append(f"turn {turn}: {kept} tokens kept, expected {before + fed} to {before + fed + generated}")
    if counts[0][0] != 0:
        problems.append(f"turn 1: {counts[0][0]} tokens kept, expected none")
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--flags", default="")
    o = parser.parse_args()
    lines = [f"Tell me of {WORDS[i % len(WORDS)]} and of {i} more." for i in range(o.turns)]
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/chat.json"
        done = say(o, "--chat", "--verbose", "--max-tokens=8", text="\n".join([*lines, f"/save {path}", ""]))
        found = re.findall(r"(\d+) tokens of the conversation kept, (\d+) fed; generated: (\d+) tokens", done.stderr)
        counts = [tuple(map(int, row)) for row in found]
        print("kept, fed, generated:", *counts)
        with open(path, encoding="utf-8") as file:
            messages = json.load(file)
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"messages": messages[:-1], "add_generation_prompt": True}, file)
        again = say(o, f"--messages={path}", "--max-tokens=8", "--quiet").stdout
    problems = check_counts(counts) if len(counts) == o.turns else [f"{len(counts)} turns, expected {o.turns}"]
    if [m["content"] for m in messages if m["role"] == "user"] != lines:
        problems.append("the saved conversation is another one")
    if again != messages[-1]["content"] + "\n":
        problems.append(f"the last reply is {messages[-1]['content']!r}, of the whole conversation at once {again!r}")
    print("\n".join(problems) or "ok")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
