#!/usr/bin/env python3
"""A GGUF file with several chat templates and named tokens, as the package gguf writes them.

    gguf-chat.py FOLDER EXAMPLE     makes FOLDER/chat.gguf of EXAMPLE; checks what becomes of it

Conversions keep templates and tokens, there and back; a prompt is the one that Jinja2 makes of the template with the
texts that transformers would show it.
"""

import json
import subprocess
import sys
from pathlib import Path

import gguf
import jinja2

NAMED = "{{ bos_token }}{{ messages[0].content }}|{{ unk_token }}{{ pad_token }}{{ mask_token }}"
TEMPLATES = [
    {"name": "default", "template": "{% for m in messages %}{{ m.content }}{% endfor %}{{ sep_token is defined }}"},
    {"name": "tool_use", "template": NAMED},
    {"name": "rag", "template": "{{ cls_token is defined }} {{ messages[0].content }}"},
]
CHAT = ("tokenizer.chat_template", "tokenizer.ggml.unknown", "tokenizer.ggml.padding", "tokenizer.ggml.mask",
        "GGUF.", "general.architecture")  # fmt: skip


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def write(plain, path, ids):
    """`plain` with other templates and tokens."""
    reader, writer = gguf.GGUFReader(plain), gguf.GGUFWriter(path, "llama")
    for field in reader.fields.values():
        if not field.name.startswith(CHAT):
            is_array = field.types[0] == gguf.GGUFValueType.ARRAY
            writer.add_key_value(field.name, field.contents(), field.types[0], field.types[-1] if is_array else None)
    writer.add_chat_template(TEMPLATES)
    writer.add_unk_token_id(ids["unk_token"])
    writer.add_pad_token_id(ids["pad_token"])
    writer.add_mask_token_id(ids["mask_token"])
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def check_folder(folder, texts):
    config = json.loads((folder / "tokenizer_config.json").read_text())
    key = lambda template: template["name"]  # noqa: E731
    assert sorted(config["chat_template"], key=key) == sorted(TEMPLATES, key=key), config["chat_template"]
    for name, text in texts.items():
        assert config[name] == text, f"{name}: {config[name]!r}, expected {text!r}"


def check_gguf(path, ids):
    fields = gguf.GGUFReader(path).fields
    for template in TEMPLATES:
        name = "" if template["name"] == "default" else f".{template['name']}"
        assert fields[f"tokenizer.chat_template{name}"].contents() == template["template"], name
    assert sorted(fields["tokenizer.chat_templates"].contents()) == ["rag", "tool_use"]
    found = {"unk_token": "unknown", "pad_token": "padding", "mask_token": "mask"}
    for name, key in found.items():
        assert fields[f"tokenizer.ggml.{key}_token_id"].contents() == ids[name], name


def check_prompts(path, folder, texts):
    model = folder / "chat.so"
    run("llama-compile", path, "-o", model, "--quiet")
    messages = [{"role": "user", "content": "Hi"}]
    for template in TEMPLATES:
        expected = jinja2.Template(template["template"]).render(messages=messages, **texts)
        name = [] if template["name"] == "default" else [f"--chat-template={template['name']}"]
        found = run("llama-generate", model, "--chat", "--prompt=Hi", "--print-prompt", *name)
        assert found.rstrip("\n") == expected, f"{template['name']}: {found!r}, expected {expected!r}"


def main():
    folder, example = Path(sys.argv[1]), sys.argv[2]
    folder.mkdir(parents=True, exist_ok=True)
    run("llama-weights", "convert", example, folder / "plain.gguf", "--to=gguf", "--quiet")
    fields = gguf.GGUFReader(folder / "plain.gguf").fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    types = fields["tokenizer.ggml.token_type"].contents()
    control = [i for i, kind in enumerate(types) if kind == gguf.TokenType.CONTROL]
    ids = dict(zip(["unk_token", "pad_token", "mask_token"], control[-3:], strict=True))
    texts = {name: tokens[i] for name, i in ids.items()}
    texts["bos_token"] = tokens[fields["tokenizer.ggml.bos_token_id"].contents()]

    path = folder / "chat.gguf"
    write(folder / "plain.gguf", path, ids)
    run("llama-weights", "convert", path, folder / "hf", "--to=hf", "--quiet")
    check_folder(folder / "hf", texts)
    run("llama-weights", "convert", folder / "hf", folder / "again.gguf", "--to=gguf", "--quiet")
    check_gguf(folder / "again.gguf", ids)
    check_prompts(path, folder, texts)


if __name__ == "__main__":
    main()
