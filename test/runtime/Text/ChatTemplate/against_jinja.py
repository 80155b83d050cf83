#!/usr/bin/env python3
"""The runtime's chat templates against Jinja, set up as the transformers library does.

usage: against_jinja.py [--tool=build/bin/format-chat]

The templates that have a name are described by Jinja sources of this file; with LLAMA_TEST_DATA and
LLAMA_TEST_SMOLLM2 (a GGUF file) the sources that come with Llama 3 and SmolLM2 are
rendered too.
"""

import argparse
import json
import os
import random
import subprocess
import sys

import jinja2
import jinja2.ext
import jinja2.sandbox

LLAMA2 = (
    "{% set system = '' %}{% set turns = messages %}"
    "{% if messages[0].role == 'system' %}"
    "{% set system = '<<SYS>>\\n' + messages[0].content + '\\n<</SYS>>\\n\\n' %}"
    "{% set turns = messages[1:] %}{% endif %}"
    "{% for m in turns %}"
    "{% if m.role != ('user' if loop.index0 is even else 'assistant') %}"
    "{{ raise_exception('roles') }}{% endif %}"
    "{% if loop.index0 is even %}"
    "{{ bos_token + '[INST] ' + ((system if loop.first else '') + m.content).strip() + ' [/INST]' }}"
    "{% else %}{{ ' ' + m.content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}")

LLAMA3 = """{{ bos_token }}
{%- for m in messages %}
    {{- '<|start_header_id|>' ~ m.role ~ '<|end_header_id|>\\n\\n' ~ m.content | trim ~ '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""

LLAMA31 = """{%- if date_string is not defined %}
    {%- set date_string = "26 Jul 2024" %}
{%- endif %}
{%- if messages[0].role == 'system' %}
    {%- set system_message = messages[0].content | trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = '' %}
{%- endif %}
{{- bos_token ~ '<|start_header_id|>system<|end_header_id|>\\n\\n' }}
{{- 'Cutting Knowledge Date: December 2023\\n' ~ 'Today Date: ' ~ date_string ~ '\\n\\n' }}
{{- system_message ~ '<|eot_id|>' }}
{%- for m in messages %}
    {{- '<|start_header_id|>' ~ m.role ~ '<|end_header_id|>\\n\\n' ~ m.content | trim ~ '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""

CHATML = """{%- for m in messages %}
    {{- '<|im_start|>' ~ m.role ~ '\\n' ~ m.content ~ '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""

CHATML_DEFAULT = """{%- if messages[0].role != 'system' %}
    {{- '<|im_start|>system\\nYou answer in one word.\\nAlways.<|im_end|>\\n' }}
{%- endif %}
""" + CHATML

SPACES = ["", " ", "\n", "  \n", "\t", "\x1c", "\x85", "\xa0", "\u2003", "\u3000", "\u200b", "\u180e"]
TEXTS = ["Hello", "", "two\nlines", "  indented", "<|eot_id|> or [INST]", "'quoted' \"text\"",
         "{{ braces }} {% raw %}", "\\n is not a line end", "emoji 👩‍👩‍👧", "日本語", "<|im_end|>"]

failures = 0


def check(name, ok, detail=""):
    global failures
    failures += not ok
    print(f"{'ok  ' if ok else 'FAIL'} {name}{'' if ok else ': ' + detail}", flush=True)


def render(source, messages, prompt, date, bos, eos):
    """The text, or None if the template raises."""
    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols])
    environment.filters["tojson"] = lambda x, **_: json.dumps(x, ensure_ascii=False)
    environment.globals["raise_exception"] = raise_exception
    try:
        return environment.from_string(source).render(
            messages=messages, add_generation_prompt=prompt, bos_token=bos, eos_token=eos,
            **({"date_string": date} if date else {}))
    except jinja2.exceptions.TemplateError:
        return None


def make_conversation(rng, alternate):
    def content():
        return rng.choice(SPACES) + rng.choice(TEXTS) + rng.choice(SPACES)

    messages = [{"role": "system", "content": content()}] if rng.random() < 0.4 else []
    for i in range(rng.randint(1, 5)):
        role = ("user", "assistant")[i % 2]
        if not alternate and rng.random() < 0.2:
            role = rng.choice(["user", "assistant", "system"])
        messages.append({"role": role, "content": content()})
    return messages


def ask(tool, requests):
    done = subprocess.run([tool], input="".join(json.dumps(r) + "\n" for r in requests),
                          capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.split("\n") if line]


def compare(args, name, source, bos="", eos="", key=None, alternate=False):
    """Random conversations through a source; `key` asks by name instead."""
    rng = random.Random(3)
    requests, expected = [], []
    for _ in range(500):
        messages = make_conversation(rng, alternate)
        prompt, date = rng.random() < 0.7, rng.choice(["", "01 Jan 2031"])
        requests.append({"messages": messages, "prompt": prompt, "date": date, "bos": bos,
                         "eos": eos, **({"name": key} if key else {"template": source})})
        expected.append(render(source, messages, prompt, date, bos, eos))
    answers = ask(args.tool, requests)
    wrong = [(r, a, e) for r, a, e in zip(requests, answers, expected)
             if (a.get("text") != e if e else "error" not in a)]  # no text at all is an error
    check(f"{name}: {len(requests)} conversations", not wrong and len(answers) == len(requests),
          f"{len(wrong)} differ, as {wrong[0][0]['messages']}: {wrong[0][1]}, expected {wrong[0][2]!r}"
          if wrong else "")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", default="build/bin/format-chat")
    args = parser.parse_args()
    begin = "<|begin_of_text|>"
    compare(args, "llama2", LLAMA2, "<s>", "</s>", alternate=True)
    compare(args, "llama2, by name", LLAMA2, "<s>", "</s>", key="llama2", alternate=True)
    compare(args, "llama2, wrong roles", LLAMA2, "<s>", "</s>")
    compare(args, "llama3", LLAMA3, begin)
    compare(args, "llama3, by name", LLAMA3, begin, key="llama3")
    compare(args, "llama3 without trim or bos",
            LLAMA3.replace(" | trim", "").replace("{{ bos_token }}", ""), begin)
    compare(args, "llama3.1", LLAMA31, begin)
    compare(args, "llama3.1, by name", LLAMA31, begin, key="llama3.1")
    compare(args, "chatml", CHATML)
    compare(args, "chatml, by name", CHATML, key="chatml")
    compare(args, "chatml with a default system message", CHATML_DEFAULT)

    data = os.environ.get("LLAMA_TEST_DATA")
    if data:
        with open(f"{data}/tokenizers/llama3/tokenizer_config.json", encoding="utf-8") as file:
            compare(args, "Llama 3's own", json.load(file)["chat_template"], begin)
    else:
        print("skipped: Llama 3's own template (LLAMA_TEST_DATA is not set)")
    path = os.environ.get("LLAMA_TEST_SMOLLM2")
    if path:
        from gguf import GGUFReader
        source = GGUFReader(path).fields["tokenizer.chat_template"].contents()
        compare(args, "SmolLM2's own", source)
        compare(args, "SmolLM2's own, by name", source, key="smollm2")
    else:
        print("skipped: SmolLM2's own template (LLAMA_TEST_SMOLLM2 is not set)")
    print(f"{failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
