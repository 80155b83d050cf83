"""Compares the text that a compiled model writes with the text of its ids.

    python text.py MODEL.so CHECKPOINT TEXT-FILE

The ids of the prompt and the text of the generated ids come from the tokenizers
package.
"""

import pathlib
import subprocess
import sys

import program
import tokenizers


def main():
    model, checkpoint, path = sys.argv[1:]
    tokenizer = tokenizers.Tokenizer.from_file(f"{checkpoint}/tokenizer.json")
    text = pathlib.Path(path).read_text(encoding="utf-8")
    for prompt in (text, text[:50], "Once upon a time", "Grüße 日本 🙂\n"):
        ids, _ = program.generate(model, tokenizer.encode(prompt).ids, 40)
        expected = tokenizer.decode(ids, skip_special_tokens=True) + "\n"
        actual = subprocess.run(
            ["llama-generate", model, f"--prompt={prompt}", "--max-tokens=40", "--ignore-eos", "--quiet"],
            stdout=subprocess.PIPE, check=True).stdout.decode("utf-8")
        if actual != expected:
            print(f"FAILED: after {prompt!r} expected {expected!r}, found {actual!r}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
