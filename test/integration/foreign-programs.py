"""Other programs run what llama-weights wrote, and choose the same tokens.

    python foreign-programs.py transformers|llama.cpp MODEL TOKENS [PROMPT]

transformers loads a folder that convert --to=hf wrote, llama.cpp (the package
llama-cpp-python) a file that convert --to=gguf wrote. Either continues the prompt
(ids with commas between them, default 1) greedily for as many tokens as TOKENS, a
JSON file with "ids" that begin with the prompt, or a plain list of them. Exit code
0: all are the same. Run by hand: neither package is needed for anything else.
"""

import json
import sys


def by_transformers(folder, prompt, count):
    import torch
    import transformers

    model = transformers.LlamaForCausalLM.from_pretrained(folder, torch_dtype=torch.float32)
    ids = list(prompt)
    with torch.no_grad():
        for _ in range(count):
            logits = model(torch.tensor([ids])).logits
            ids.append(int(logits[0, -1].argmax()))
    return ids[len(prompt):]


def by_llama_cpp(path, prompt, count):
    import llama_cpp

    model = llama_cpp.Llama(path, n_ctx=len(prompt) + count + 1, logits_all=False, verbose=False)
    ids = []
    for token in model.generate(prompt, top_k=1, temp=0.0, repeat_penalty=1.0):
        ids.append(int(token))
        if len(ids) == count:
            return ids
    return ids


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    program, model, tokens = sys.argv[1:4]
    prompt = [int(word) for word in sys.argv[4].split(",")] if len(sys.argv) > 4 else [1]
    with open(tokens, encoding="utf-8") as file:
        expected = json.load(file)
    expected = expected["ids"] if isinstance(expected, dict) else expected
    if expected[: len(prompt)] == prompt:
        expected = expected[len(prompt):]
    run = {"transformers": by_transformers, "llama.cpp": by_llama_cpp}[program]
    found = run(model, prompt, len(expected))
    same = sum(a == b for a, b in zip(found, expected))
    print(f"{program}: {same} of {len(expected)} tokens are the same")
    return found != expected


if __name__ == "__main__":
    sys.exit(main())
