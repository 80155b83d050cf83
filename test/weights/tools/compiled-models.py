"""llama-weights on models with integers: their types, numbers and hashes.

    python test/weights/tools/compiled-models.py BUILD_DIRECTORY

The models are made of GGUF files whose blocks they keep: what the gguf package
reads there is what llama-weights has to find in the models.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import gguf
import numpy as np

BUILD = ""
MAKE = pathlib.Path(__file__).resolve().parents[2] / "Inputs" / "make-checkpoint.py"
KINDS = {"int8g32": ("q8_0", ["--quantize=int8"]),
         "int4g32": ("q4_0", ["--quantize=int4"])}  # fmt: skip
NAMES = {"attention.wq": "attn_q", "attention.wk": "attn_k", "attention.wv": "attn_v", "attention.wo": "attn_output",
         "feed_forward.w1": "ffn_gate", "feed_forward.w2": "ffn_down", "feed_forward.w3": "ffn_up",
         "attention_norm": "attn_norm", "tok_embeddings": "token_embd", "norm": "output_norm"}  # fmt: skip


def tool(name, *arguments):
    command = [os.path.join(BUILD, "bin", name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def gguf_name(name):
    layer, _, rest = name.removeprefix("layers.").partition(".")
    if not name.startswith("layers."):
        return f"{NAMES.get(name, name)}.weight"
    return f"blk.{layer}.{NAMES.get(rest, rest)}.weight"


class CompiledModels(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def succeed(self, name, *arguments):
        result = tool(name, *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def make(self, kind, *flags):
        """The source and the model; the latter's tensors are of that kind."""
        stored, quantize = KINDS[kind]
        source, model = self.folder / f"{stored}.gguf", self.folder / f"{kind}.so"
        shape = ["--format=gguf", f"--type={stored}", "--hidden=96", "--heads=6", "--kv-heads=2", "--head-dim=16",
                 "--ffn=160", "--vocab=350", "--layers=2"]  # fmt: skip
        subprocess.run([sys.executable, MAKE, source, *shape], check=True)
        self.succeed("llama-compile", source, "-o", model, "--quiet", *quantize, *flags)
        return source, model

    def inspect(self, model):
        return {t["name"]: t for t in json.loads(self.succeed("llama-weights", "inspect", model, "--stats", "--json"))["tensors"]}

    def complain(self, model, *messages):
        """verify has exactly these complaints."""
        result = tool("llama-weights", "verify", model)
        self.assertEqual(result.returncode, 1, result.stdout)
        lines = result.stderr.splitlines()
        self.assertEqual(len(lines), len(messages), result.stderr)
        for line, message in zip(lines, messages):
            self.assertIn(message, line)

    def test_types_and_numbers(self):
        for kind in KINDS:
            with self.subTest(kind):
                source, model = self.make(kind)
                tensors = self.inspect(model)
                stored = {t.name: t for t in gguf.GGUFReader(source).tensors}
                bits = {}
                for name, tensor in tensors.items():
                    theirs = stored[gguf_name(name)]
                    values = gguf.dequantize(theirs.data, theirs.tensor_type)
                    is_end = name == "tok_embeddings"
                    expected = "f32" if values.ndim == 1 else "int8g32" if is_end else kind
                    self.assertEqual((tensor["dtype"], tensor["shape"]), (expected, list(values.shape)), name)
                    bits[tensor["dtype"]] = True
                    found, exact = tensor["statistics"], values.astype(np.float64)
                    self.assertEqual((found["min"], found["max"]), (exact.min(), exact.max()), name)
                    self.assertEqual(found["first"], values.ravel()[:8].tolist(), name)
                    self.assertAlmostEqual(found["mean"], exact.mean(), delta=1e-12)
                    self.assertAlmostEqual(found["deviation"] / exact.std(), 1, delta=1e-9)
                self.assertEqual(set(bits), {"f32", "int8g32", kind})
                # 160 columns and 5 scales; 350 rows are 22 panels of 16.
                width = 160 + 10 if kind == "int8g32" else 80 + 10
                self.assertEqual(tensors["tok_embeddings"]["bytes"], 352 * (96 + 6))
                self.assertEqual(tensors["layers.1.feed_forward.w2"]["bytes"], 96 * width)
                text = self.succeed("llama-weights", "inspect", model)
                self.assertRegex(text, f"layers.1.feed_forward.w2 +96x160 +{kind} +{96 * width:,}  {model.name}\n")
                self.assertEqual(self.succeed("llama-weights", "verify", model),
                                 f"{model}: {len(tensors)} tensors, 0 complaints\n")

    def test_damage_is_found(self):
        for kind in KINDS:
            with self.subTest(kind):
                _, model = self.make(kind, "--weights=external")
                weights = pathlib.Path(f"{model}.weights")
                text = model.read_bytes()
                info, _ = json.JSONDecoder().raw_decode(text[text.index(b'{"name":'):].decode("utf-8", "replace"))
                tensors = {t["name"]: t for t in info["weights"]["tensors"]}
                tensor, padded = tensors["layers.1.attention.wv"], tensors["tok_embeddings"]
                name, whole = "tensor 'layers.1.attention.wv'", weights.read_bytes()
                self.succeed("llama-weights", "verify", model)
                end = tensor["offset"] + tensor["bytes"]
                for at in (tensor["offset"], end - 1):  # an integer, a scale
                    damaged = bytearray(whole)
                    damaged[at] ^= 1
                    weights.write_bytes(damaged)
                    self.complain(model, f"{weights}: {name}: its hash is ")
                damaged = bytearray(whole)
                end = padded["offset"] + padded["bytes"]
                damaged[end - 2 : end] = b"\x00\x7e"  # a row that the last panel lacks: no number is lost
                weights.write_bytes(damaged)
                self.complain(model, f"{weights}: tensor 'tok_embeddings': its hash is ")
                # The scales of a panel's first group follow its integers, 16 rows of 32.
                first_scale = tensor["offset"] + 16 * 32 * int(kind[3]) // 8
                damaged = bytearray(whole)
                damaged[first_scale : first_scale + 2] = b"\x00\x7e"
                weights.write_bytes(damaged)
                self.complain(model, f"{weights}: {name}: holds 32 NaN and 0 Inf, the first in row 0, column 0",
                              f"{weights}: {name}: its hash is ")

    def test_manifests_know_the_types(self):
        _, model = self.make("int8g32")
        manifest = self.folder / "manifest.json"
        self.succeed("llama-weights", "verify", model, f"--write-manifest={manifest}")
        self.succeed("llama-weights", "verify", model, f"--manifest={manifest}")
        content = json.loads(manifest.read_text())
        self.assertEqual(content["tensors"]["layers.0.attention.wk"]["dtype"], "int8g32")
        content["tensors"]["layers.0.attention.wk"]["dtype"] = "int8g64"
        manifest.write_text(json.dumps(content))
        result = tool("llama-weights", "verify", model, f"--manifest={manifest}")
        self.assertEqual(result.returncode, 1)
        self.assertIn("tensor 'layers.0.attention.wk': is [32, 96] of int8g32, but the manifest says [32, 96] of int8g64",
                      result.stderr)


if __name__ == "__main__":
    BUILD = sys.argv.pop(1)
    unittest.main()
