"""Prompts of templates that do something of their own: Jinja2's, to the byte.

    python chat_templates.py TOOLS CHECKPOINT OUT

The first template is the model's own, the others go with it by name. The marks are tokens of CHECKPOINT's
tokenizer.json.
"""

import json
import os
import shutil
import subprocess
import sys
import unittest

import tokenizers
from jinja2.sandbox import ImmutableSandboxedEnvironment

BOS, BEGIN, MIDDLE, END = "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"
CONTENT = "m['content']"
TURN = "{{ '" + BEGIN + "' + m['role'] + '" + MIDDLE + "\n\n' + " + CONTENT + " + '" + END + "' }}"
REPLY = "{% if add_generation_prompt %}{{ '" + BEGIN + "assistant" + MIDDLE + "\n\n' }}{% endif %}"


def loop(turn=TURN, before="", condition="true"):
    return (before + "{% for m in messages %}{% if " + condition + " %}" + turn + "{% endif %}{% endfor %}" + REPLY)


TEMPLATES = {
    "default-system": loop(before="{{ bos_token }}{% if messages[0]['role'] != 'system' %}{{ '" + BEGIN + "system"
                           + MIDDLE + "\n\nTalk like a pirate." + END + "' }}{% endif %}"),
    "question": loop(TURN.replace(CONTENT, "('Question: ' if m['role'] == 'user' else '') + " + CONTENT)),
    "system-in-user": loop(TURN.replace(CONTENT, "(messages[0]['content'] + '\n' if loop.index0 == 1 and "
                                        "messages[0]['role'] == 'system' else '') + " + CONTENT),
                           condition="m['role'] != 'system'"),
    "role-names": loop(TURN.replace("m['role']", "('human' if m['role'] == 'user' else m['role'])")),
    "line-end": loop(TURN.replace(END + "'", END + "\n'")),
    "trims-system-only": loop(TURN.replace(CONTENT, "(m['content'] | trim if m['role'] == 'system' else "
                                           "m['content'])")),
    "thoughts-cut-off": loop(TURN.replace(CONTENT, "(m['content'].split('</think>')[-1].lstrip('\n') if "
                                          "m['role'] == 'assistant' else m['content'])")),
}
CONVERSATIONS = [
    [{"role": "user", "content": "hi"}],
    [{"role": "user", "content": "  hi "}],
    [{"role": "system", "content": " Be kind. "}, {"role": "user", "content": "hi"}],
    [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "<think>\nwell\n</think>\n\nhello"},
     {"role": "user", "content": f"what is {END}?"}],
]  # fmt: skip


def render(template, messages):
    """As transformers does: its environment, without what only tools need."""
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(messages=messages, add_generation_prompt=True,
                                                    bos_token=BOS)


class Templates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shutil.rmtree(OUT, ignore_errors=True)
        folder = os.path.join(OUT, "model")
        shutil.copytree(CHECKPOINT, folder)
        path = os.path.join(folder, "tokenizer_config.json")
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
        names = dict(TEMPLATES)
        names["default"] = names.pop("default-system")
        config["chat_template"] = [{"name": name, "template": template} for name, template in names.items()]
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file)
        cls.run_tool("llama-compile", folder, "-o", "model.so", "--quiet", "--require-chat")
        cls.library = tokenizers.Tokenizer.from_file(os.path.join(CHECKPOINT, "tokenizer.json"))

    @staticmethod
    def run_tool(tool, *arguments):
        done = subprocess.run([os.path.join(TOOLS, tool), *arguments], cwd=OUT, stdin=subprocess.DEVNULL,
                              capture_output=True, check=False, timeout=300)
        if done.returncode:
            raise AssertionError(f"{arguments}: {done.stderr.decode()}")
        return done.stdout.decode()

    def ids_of(self, prompt):
        """Of a prompt in which every mark is one that the template wrote."""
        return self.library.encode(prompt, add_special_tokens=False).ids

    def test_prompts_are_those_of_jinja2(self):
        for name, template in TEMPLATES.items():
            flags = [] if name == "default-system" else [f"--chat-template={name}"]
            for messages in CONVERSATIONS:
                with self.subTest(name, messages=messages):
                    with open(os.path.join(OUT, "messages.json"), "w", encoding="utf-8") as file:
                        json.dump({"messages": messages, "add_generation_prompt": True}, file)
                    common = ["model.so", "--messages=messages.json", "--print-prompt", *flags]
                    expected = render(template, messages)
                    self.assertEqual(self.run_tool("llama-generate", *common), expected)
                    if not any(END in message["content"] for message in messages):
                        self.assertEqual(self.run_tool("llama-generate", *common, "--print-ids").strip(),
                                         ",".join(map(str, self.ids_of(expected))))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    TOOLS, CHECKPOINT, OUT = (os.path.abspath(path) for path in sys.argv[1:])
    unittest.main(argv=sys.argv[:1])
