"""How fast texts become ids, beside the tiktoken package on the same text.

    ./dev bench tokenizing TOKENIZER.MODEL [TEXT]

TOKENIZER.MODEL is a tiktoken file, as Llama 3's. The text is by default this
project's own sources, repeated to 8 MB. Both run on one thread; time is that
thread's. The ids must be the same.
"""
import argparse
import os
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "test", "runtime", "Tokenizer"))

from differential import Tool, load_tiktoken  # noqa: E402


def own_sources():
    names = subprocess.run(["git", "ls-files", "*.cpp", "*.h", "*.py", "*.md"], cwd=ROOT, check=True,
                           capture_output=True, text=True).stdout.split()
    text = "".join(open(os.path.join(ROOT, name), encoding="utf-8").read() for name in names)
    return text * (1 + 8_000_000 // len(text))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tokenizer")
    parser.add_argument("text", nargs="?")
    parser.add_argument("--tool", default="build/bin/tokenize-file")
    args = parser.parse_args()
    text = open(args.text, encoding="utf-8").read() if args.text else own_sources()
    size = len(text.encode())
    ours, tool = [], Tool(args.tool, args.tokenizer)
    encoding, theirs = load_tiktoken(args.tokenizer), []
    for _ in range(3):  # in turn, so that both meet the same machine
        count, seconds = tool.run("time", [text.encode()])[0].split()
        ours.append(float(seconds))
        begin = time.thread_time()
        ids = encoding.encode_ordinary(text)
        theirs.append(time.thread_time() - begin)
    if len(ids) != int(count):
        sys.exit(f"{count} ids, tiktoken has {len(ids)}")
    print(f"{size / 1e6:.1f} MB, {len(ids)} ids")
    for name, seconds in [("llama-generate", min(ours)), ("tiktoken", min(theirs))]:
        print(f"{name:16}{size / seconds / 1e6:6.1f} MB/s  {len(ids) / seconds / 1e6:5.2f} M ids/s")


if __name__ == "__main__":
    main()
