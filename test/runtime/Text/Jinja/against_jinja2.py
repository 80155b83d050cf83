#!/usr/bin/env python3
"""The runtime's interpreter of templates against Jinja2.

usage: against_jinja2.py [--tool=build/bin/render-template] [--random=2500] [--seed=1]

Compared are the snippets beside this file, random templates and, with LLAMA_TEST_DATA, public
templates with public conversations. Equal means: the same text to the byte, the same words of
raise_exception, or an error on both sides.
"""

import argparse
import glob
import json
import os
import subprocess
import sys

import snippets
from jinja_reference import render
from random_templates import make_cases, make_wrap_cases

failures = 0


def check(name, ok, detail=""):
    global failures
    failures += not ok
    print(f"{'ok  ' if ok else 'FAIL'} {name}{'' if ok else ': ' + detail}", flush=True)


def ask(tool, cases):
    lines = "".join(json.dumps({"template": t, "variables": v}) + "\n" for t, v in cases)
    done = subprocess.run([tool], input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.split("\n") if line]


def is_equal(answer, expected):
    error = answer.get("error", "")
    # Python prints the address of a generator, "<reversed object at 0x7f...>": another in every run.
    if "expected a value that can be printed" in error:
        return True
    if "error" in expected:
        return bool(error) and "\n" not in error
    key = next(iter(expected))
    return answer.get(key) == expected[key]


def compare(tool, name, cases, expected=None, may_refuse=False):
    expected = expected or [render(t, v) for t, v in cases]
    answers = ask(tool, cases)
    wrong = [(c, a, e) for c, a, e in zip(cases, answers, expected)
             if not is_equal(a, e) and not (may_refuse and "error" in a)]
    for (template, variables), answer, want in wrong[:8]:
        print(f"  {template!r} with {list(variables)}:\n    {str(answer)[:900]}\n    {str(want)[:900]}")
    texts = sum("text" in e for e in expected)
    check(f"{name}: {texts} texts, {len(cases) - texts} errors",
          not wrong and len(answers) == len(cases), f"{len(wrong)} differ")
    return texts


def compare_public(tool, folder):
    with open(f"{folder}/conversations.json", encoding="utf-8") as file:
        conversations = json.load(file)
    for path in sorted(glob.glob(f"{folder}/*.jinja")):
        with open(path, encoding="utf-8", newline="") as file:
            source = file.read()
        with open(path[:-5] + "json", encoding="utf-8") as file:
            stated = json.load(file)
        cases = [(source, {"bos_token": "<s>", "eos_token": "</s>", **conversations[name]}) for name in stated]
        compare(tool, os.path.basename(path)[:-6], cases, list(stated.values()))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", default="build/bin/render-template")
    parser.add_argument("--random", type=int, default=2500)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    for name, sources in snippets.GROUPS.items():
        compare(args.tool, name, [(source, snippets.VARIABLES) for source in sources])
    texts = compare(args.tool, "random templates", make_cases(args.random, args.seed))
    check("of random templates, four of five run", texts >= 0.8 * args.random, f"{texts} do")
    compare(args.tool, "random wrapping", make_wrap_cases(args.random // 50, args.seed))
    data = os.environ.get("LLAMA_TEST_DATA")
    if data and os.path.isdir(f"{data}/chat-templates"):
        compare_public(args.tool, f"{data}/chat-templates")
    else:
        print("skipped: public templates (LLAMA_TEST_DATA is not set)")
    print(f"{failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
