"""Files and folders that are taken for a checkpoint: each tool says in one line what they are, and writes nothing.

    python no_checkpoint.py TOOLS OUT
"""

import json
import os
import shutil
import subprocess
import sys
import unittest

import gguf
import numpy as np
from safetensors.numpy import save

CONFIG = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64, "intermediate_size": 32,
          "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 300,
          "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "torch_dtype": "float32"}
LFS = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 4096\n"
WEB = "<!doctype html><html><body>Sign in</body></html>"
ADAPTER = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["q_proj"], "base_model_name_or_path": "x"}
LOW_RANK = {"base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight": np.ones((4, 64), np.float32)}
PARAMS = {"dim": 64, "n_layers": 1, "n_heads": 2, "n_kv_heads": 1, "norm_eps": 1e-5, "vocab_size": 300}

IS_LFS = "is a pointer of Git LFS, not the file itself: fetch the file with 'git lfs pull'"
IS_WEB = ("is a web page (HTML), not the file itself: download it again, logged in if the model asks for that")
MERGE = "not a model: merge it into its base model first"
# What is there (path: contents), what is given, what is said of which path.
CASES = {
    "lfs": ({"config.json": CONFIG, "model.safetensors": LFS}, "", "model.safetensors", IS_LFS),
    "lfs-file": ({"some.gguf": LFS}, "some.gguf", "some.gguf", IS_LFS),
    "lfs-pth": ({"params.json": PARAMS, "consolidated.00.pth": LFS}, "", "consolidated.00.pth", IS_LFS),
    "lfs-config": ({"config.json": LFS, "model.safetensors": save({"a": np.ones(1, np.float32)})}, "", "config.json",
                   IS_LFS),
    "page": ({"config.json": CONFIG, "model.safetensors": WEB}, "", "model.safetensors", IS_WEB),
    "page-bin": ({"config.json": CONFIG, "pytorch_model.bin": WEB}, "", "pytorch_model.bin", IS_WEB),
    "page-file": ({"some.gguf": WEB}, "some.gguf", "some.gguf", IS_WEB),
    "adapter": ({"adapter_config.json": ADAPTER, "adapter_model.safetensors": save(LOW_RANK)}, "", "",
                "is a LoRA adapter (adapter_config.json), " + MERGE),
    "adapter-named-model": ({"config.json": CONFIG, "model.safetensors": save(LOW_RANK)}, "", "", "LoRA adapter"),
    "adapter-gguf": ({"adapter.gguf": "made below"}, "adapter.gguf", "adapter.gguf", "adapter"),
    "mistral": ({"params.json": PARAMS, "consolidated.safetensors": save({"a": np.ones(1, np.float32)})}, "", "",
                "holds consolidated.safetensors, in Mistral's own naming: expected the same model in Hugging Face's"),
    "distributed": ({".metadata": b"\x80\x02}.", "__0_0.distcp": bytes(64)}, "", "",
                    "is a distributed checkpoint of torch (*.distcp): make one file of it first"),
    "hub-root": ({"models--a--b/refs/main": "5f3a", "models--a--b/snapshots/5f3a/config.json": CONFIG}, "", "",
                 "is the cache of Hugging Face's hub: give"),
    "hub-model": ({"refs/main": "5f3a", "snapshots/5f3a/config.json": CONFIG}, "", "",
                  "is a model's folder in the cache of Hugging Face's hub: give"),
    "hub-without-snapshot": ({"refs/main": "5f3a", "blobs/0a": "x"}, "", "",
                             "is a model's folder in the cache of Hugging Face's hub, but holds no snapshot"),
    "config-given": ({"config.json": CONFIG, "model.safetensors": save({"a": np.ones(1, np.float32)})}, "config.json",
                     "config.json", "is one file of a checkpoint: give its folder, "),
    "weights-given": ({"config.json": CONFIG, "pytorch_model.bin": "x"}, "pytorch_model.bin", "pytorch_model.bin",
                      "is one file of a checkpoint: give its folder, "),
    "empty": ({"notes.md": "x"}, "", "", "holds none of model.json, model.safetensors, "),
    "absent": ({"notes.md": "x"}, "no/such/folder", "no/such/folder", "does not exist"),
    "absent-gguf": ({"notes.md": "x"}, "absent.gguf", "absent.gguf", "does not exist"),
}  # fmt: skip
COMMANDS = [
    ["llama-compile", "{}", "-o", "new.so"],
    ["llama-compile", "{}", "--emit=import", "-o", "new.mlir"],
    ["llama-weights", "convert", "{}", "new", "--to=hf"],
    ["llama-weights", "convert", "{}", "new.gguf", "--to=gguf"],
    ["llama-weights", "inspect", "{}"],
    ["llama-weights", "verify", "{}"],
]


class NoCheckpoint(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shutil.rmtree(OUT, ignore_errors=True)
        for case, (files, _, _, _) in CASES.items():
            for name, data in files.items():
                path = os.path.join(OUT, case, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                text = data if isinstance(data, (bytes, str)) else json.dumps(data)
                with open(path, "wb") as file:
                    file.write(text if isinstance(text, bytes) else text.encode())
        writer = gguf.GGUFWriter(os.path.join(OUT, "adapter-gguf", "adapter.gguf"), "llama")
        writer.add_type("adapter")
        writer.add_string("adapter.type", "lora")
        writer.add_tensor("blk.0.attn_q.weight.lora_a", np.ones((4, 64), np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()

    @staticmethod
    def list_files():
        return sorted(os.path.join(parent, name) for parent, folders, names in os.walk(OUT) for name in folders + names)

    def run_tool(self, tool, *arguments):
        return subprocess.run([os.path.join(TOOLS, tool), *arguments], cwd=OUT, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, timeout=120)

    def test_every_tool_says_what_it_is(self):
        before = self.list_files()
        for case, (_, given, named, message) in CASES.items():
            for tool, *arguments in COMMANDS:
                if arguments[0] in ("inspect", "verify") and case == "weights-given":
                    continue  # they take a file of tensors alone, too
                command = [a.format(os.path.join(case, given).rstrip("/")) for a in arguments]
                with self.subTest(case, command=" ".join([tool, *command])):
                    result = self.run_tool(tool, *command)
                    lines = result.stderr.splitlines()
                    self.assertEqual((result.returncode, result.stdout, len(lines)), (1, "", 1), result.stderr)
                    where = os.path.join(case, named).rstrip("/")
                    self.assertRegex(lines[0], rf"^{tool}: (error: )?{where}: ")
                    self.assertIn(message, lines[0])
                    self.assertEqual(self.list_files(), before)

    def test_a_tokenizer_is_none_either(self):
        for name, data, message in [("lfs", LFS, IS_LFS), ("page", WEB, IS_WEB)]:
            path = os.path.join(OUT, name, "tokenizer.json")
            with open(path, "w", encoding="utf-8") as file:
                file.write(data)
            for given in [name, f"{name}/tokenizer.json"]:
                result = self.run_tool("llama-weights", "tokenize", given, "--encode=a")
                self.assertEqual((result.returncode, result.stdout, result.stderr),
                                 (1, "", f"llama-weights: error: {name}/tokenizer.json: {message}\n"))
            os.remove(path)

    def test_runtimes_say_what_makes_a_model(self):
        for given, message in [
            ("lfs", "is a folder, expected a model.so: llama-compile makes one of a checkpoint"),
            ("adapter-gguf/adapter.gguf", "not a model: not an ELF file; llama-compile makes one of a checkpoint"),
            ("lfs/config.json", "not a model: not an ELF file; llama-compile makes one of a checkpoint"),
            ("absent.so", "No such file or directory"),
        ]:
            for command in [["llama-generate", given, "--prompt-ids=1"], ["llama-generate", given, "--chat"],
                            ["llama-measure", "speed", given]]:
                result = self.run_tool(*command)
                self.assertEqual((result.returncode, result.stdout, result.stderr),
                                 (1, "", f"error: {given}: {message}\n"))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    TOOLS, OUT = (os.path.abspath(path) for path in sys.argv[1:])
    unittest.main(argv=sys.argv[:1])
