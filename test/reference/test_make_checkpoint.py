"""What make-checkpoint.py writes, read with other people's readers."""

import importlib.util
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import types
import unittest

import gguf
import ml_dtypes
import numpy as np
import safetensors.numpy

import checkpoint
import forward

MAKE = pathlib.Path(__file__).resolve().parent.parent / "Inputs" / "make-checkpoint.py"
SAMPLE = ["model.embed_tokens.weight", "model.layers.1.mlp.down_proj.weight"]


def load_module():
    spec = importlib.util.spec_from_file_location("make_checkpoint", MAKE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class MakeCheckpointTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_make(self, name, *flags):
        command = [sys.executable, MAKE, self.folder / name, *flags]
        return subprocess.run(command, capture_output=True, text=True, timeout=300)

    def make(self, name, *flags):
        done = self.run_make(name, *flags)
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.folder / name

    def refuse(self, code, message, *flags):
        done = self.run_make("refused", *flags)
        self.assertEqual(done.returncode, code)
        self.assertIn(message, done.stderr)
        self.assertFalse((self.folder / "refused").exists())


class HuggingFace(MakeCheckpointTest):
    def test_shapes_and_config(self):
        path = self.make("m", "--hidden=96", "--ffn=200", "--heads=6", "--kv-heads=2", "--head-dim=32",
                         "--vocab=300", "--layers=3", "--theta=1234", "--no-tied", "--type=f16", "--rope-factor=0")
        tensors = safetensors.numpy.load_file(path / "model.safetensors")
        self.assertEqual(len(tensors), 3 * 9 + 3)
        for name, shape in (("model.embed_tokens", (300, 96)), ("lm_head", (300, 96)),
                            ("model.layers.2.self_attn.q_proj", (192, 96)),
                            ("model.layers.2.self_attn.k_proj", (64, 96)),
                            ("model.layers.2.self_attn.o_proj", (96, 192)),
                            ("model.layers.2.mlp.down_proj", (96, 200)), ("model.norm", (96,))):
            self.assertEqual(tensors[name + ".weight"].shape, shape, name)
            self.assertEqual(tensors[name + ".weight"].dtype, np.float16)
        config = json.loads((path / "config.json").read_text())
        self.assertEqual((config["rope_scaling"], config["rope_theta"], config["tie_word_embeddings"]),
                         (None, 1234.0, False))

    def test_values_have_the_deviation_meant_and_norms_are_near_one(self):
        path = self.make("m", "--hidden=256", "--ffn=512", "--vocab=2000")
        tensors = safetensors.numpy.load_file(path / "model.safetensors")
        for name, gain in (("model.embed_tokens", 2.5), ("model.layers.0.self_attn.q_proj", 1.6)):
            values = tensors[name + ".weight"].astype(np.float64)
            self.assertAlmostEqual(values.std() * math.sqrt(256) / gain, 1, delta=0.02)
            self.assertAlmostEqual(values.mean() * math.sqrt(256), 0, delta=0.02)
        norm = tensors["model.norm.weight"].astype(np.float64)
        self.assertTrue(((norm > 0.4) & (norm < 1.6)).all())

    def test_shards_hold_the_same_tensors_under_an_index(self):
        whole = safetensors.numpy.load_file(self.make("one") / "model.safetensors")
        largest = max(t.nbytes for t in whole.values())
        total = sum(t.nbytes for t in whole.values())
        for count in (2, 7, 20):
            path = self.make(f"{count}", f"--shards={count}")
            index = json.loads((path / "model.safetensors.index.json").read_text())
            files = sorted(file.name for file in path.glob("*.safetensors"))
            self.assertEqual(files, [f"model-{i + 1:05}-of-{count:05}.safetensors" for i in range(count)])
            found = {}
            for file in files:
                members = safetensors.numpy.load_file(path / file)
                size = sum(t.nbytes for t in members.values())
                self.assertTrue(0 < size <= total / count + largest, f"{file} of {count}: {size} of {total}")
                self.assertEqual({name: index["weight_map"][name] for name in members}, dict.fromkeys(members, file))
                found |= members
            self.assertEqual(set(found), set(whole))
            self.assertEqual(index["metadata"]["total_size"], total)
            for name in whole:
                np.testing.assert_array_equal(found[name], whole[name])

    def test_a_tensor_depends_on_seed_and_name_only(self):
        a = safetensors.numpy.load_file(self.make("a") / "model.safetensors")
        again = safetensors.numpy.load_file(self.make("b", "--layers=4") / "model.safetensors")
        other = safetensors.numpy.load_file(self.make("c", "--seed=2") / "model.safetensors")
        exact = safetensors.numpy.load_file(self.make("d", "--type=f32") / "model.safetensors")
        for name in SAMPLE:
            np.testing.assert_array_equal(a[name], again[name])
            self.assertGreater((a[name] != other[name]).mean(), 0.9)
            np.testing.assert_array_equal(a[name], exact[name].astype(ml_dtypes.bfloat16))

    def test_large_tensors_are_made_in_panels_that_differ(self):
        path = self.make("m", "--vocab=150000", "--layers=1")  # 9.6 million values in three panels
        embedding = safetensors.numpy.load_file(path / "model.safetensors")[SAMPLE[0]]
        panel = (1 << 22) // 64
        self.assertFalse(np.array_equal(embedding[:1000], embedding[panel : panel + 1000]))
        self.assertGreater(embedding[-1].astype(np.float64).std(), 0.1)

    def test_the_presets_are_the_published_models(self):
        module = load_module()
        for shape, tied, expected in (("1b", True, 1235814400), ("1b", False, 1498482688),
                                      ("3b", True, 3212749824), ("3b", False, 3606752256),
                                      ("8b", False, 8030261248)):
            o = types.SimpleNamespace(**module.SHAPES[shape] | {"tied": tied, "output_tokens": None})
            o.head_dim = o.hidden // o.heads
            self.assertEqual(sum(tensor.values for tensor in module.tensors(o)), expected)

    def test_only_8b_has_an_output_matrix_of_its_own(self):
        cut = ["--layers=1", "--hidden=64", "--heads=4", "--kv-heads=2", "--ffn=64", "--vocab=100"]
        for shape, flags, tied in (("1b", [], True), ("1b", ["--no-tied"], False), ("8b", [], False),
                                   ("8b", ["--tied"], True)):
            path = self.make(f"{shape}-{tied}", f"--shape={shape}", *cut, *flags)
            self.assertEqual(json.loads((path / "config.json").read_text())["tie_word_embeddings"], tied)
            names = safetensors.numpy.load_file(path / "model.safetensors")
            self.assertEqual("lm_head.weight" in names, not tied)

    def test_greedy_choices_vary_and_depend_on_the_first_token(self):
        model = forward.Model(self.make("m", "--hidden=256", "--ffn=512", "--vocab=1000", "--layers=4"))
        a, b = (forward.generate(model, [first, 5, 9, 77], 24)[0] for first in (0, 1))
        self.assertGreater(len(set(a)), 12)
        self.assertNotEqual(a, b)

    def test_tokenizer_files_are_copied(self):
        tiny = MAKE.parents[2] / "examples" / "tiny"
        path = self.make("m", f"--tokenizer={tiny}", "--vocab=1024")
        self.assertEqual((path / "tokenizer.json").read_bytes(), (tiny / "tokenizer.json").read_bytes())
        theirs, ours = (json.loads((p / "config.json").read_text()) for p in (tiny, path))
        self.assertEqual(ours["eos_token_id"], theirs["eos_token_id"])


class Npy(MakeCheckpointTest):
    def test_names_types_and_row_order(self):
        path = self.make("m", "--format=npy")
        self.assertEqual(len(list(path.glob("*.npy"))), 2 * 9 + 3)
        with open(path / "layers.0.attention.wq.weight.npy", "rb") as file:
            self.assertIn(b"'descr': '<V2'", file.read(128))
        hf = safetensors.numpy.load_file(self.make("hf") / "model.safetensors")
        for theirs, ours, heads in (("q_proj", "wq", 4), ("k_proj", "wk", 2)):
            matrix = hf[f"model.layers.0.self_attn.{theirs}.weight"]
            array = np.load(path / f"layers.0.attention.{ours}.weight.npy").view(ml_dtypes.bfloat16)
            for h in range(heads):
                for i in range(8):
                    for j in range(2):
                        np.testing.assert_array_equal(array[h * 16 + 2 * i + j], matrix[h * 16 + j * 8 + i])
        self.assertEqual((path / "output.weight.npy").read_bytes(), (path / "tok_embeddings.weight.npy").read_bytes())

    def test_params_json_where_it_says_enough_and_config_json_elsewhere(self):
        path = self.make("a", "--format=npy", "--rope-factor=0")
        self.assertEqual(json.loads((path / "params.json").read_text())["use_scaled_rope"], False)
        path = self.make("b", "--format=npy", "--rope-factor=8", "--rope-original=8192")
        self.assertEqual(json.loads((path / "params.json").read_text())["use_scaled_rope"], True)
        path = self.make("c", "--format=npy", "--rope-factor=4")
        self.assertFalse((path / "params.json").exists())
        self.assertEqual(json.loads((path / "config.json").read_text())["rope_scaling"]["factor"], 4.0)


class Gguf(MakeCheckpointTest):
    # Steps between the largest of 32 normal numbers (2.4 deviations from zero)
    # and zero, or between the least and the largest (4.2 deviations apart).
    STEPS = {"q8_0": 2.4 / 127, "q5_0": 2.4 / 16, "q4_0": 2.4 / 8, "q5_1": 4.2 / 31, "q4_1": 4.2 / 15}

    def test_quantized_values_are_near_those_of_the_other_formats(self):
        exact = checkpoint.open_checkpoint(self.make("exact.gguf", "--format=gguf", "--type=f32"))
        for kind, step in self.STEPS.items():
            path = self.make(f"{kind}.gguf", "--format=gguf", f"--type={kind}")
            found = checkpoint.open_checkpoint(path)
            for role in ("embedding", "q", "down"):
                a, b = exact.get(role, 0)[:], found.get(role, 0)[:]
                error = np.linalg.norm(b - a) / np.linalg.norm(a)
                self.assertAlmostEqual(error / (step / math.sqrt(12)), 1, delta=0.1, msg=f"{kind} {role}")

    def test_k_types_are_valid_blocks_of_the_right_deviation(self):
        for kind in ("q2_k", "q3_k", "q4_k", "q5_k", "q6_k"):
            path = self.make(f"{kind}.gguf", "--format=gguf", f"--type={kind}", "--hidden=256", "--ffn=512")
            for entry in gguf.GGUFReader(path).tensors:
                if len(entry.shape) > 1:
                    self.assertEqual(entry.tensor_type.name.lower(), kind)
            values = checkpoint.open_checkpoint(path).get("up", 1)[:]
            self.assertEqual(values.shape, (512, 256))
            self.assertAlmostEqual(values.std() * 16, 1, delta=0.05, msg=kind)
            self.assertAlmostEqual(values.mean() * 16, 0, delta=0.05, msg=kind)
            self.assertEqual(len(np.unique(values, axis=0)), 512)

    def test_tokenizer_is_stored(self):
        tiny = MAKE.parents[2] / "examples" / "tiny"
        path = self.make("t.gguf", "--format=gguf", f"--tokenizer={tiny}", "--vocab=1100")
        fields = gguf.GGUFReader(path).fields
        content = json.loads((tiny / "tokenizer.json").read_text(encoding="utf-8"))
        tokens = fields["tokenizer.ggml.tokens"].contents()
        self.assertEqual(len(tokens), 1100)
        for token, i in content["model"]["vocab"].items():
            self.assertEqual(tokens[i], token)
        bos = fields["tokenizer.ggml.bos_token_id"].contents()
        self.assertEqual(tokens[bos], "<|begin_of_text|>")
        self.assertEqual(fields["tokenizer.ggml.token_type"].contents()[bos], gguf.TokenType.CONTROL)
        self.assertEqual(fields["tokenizer.ggml.token_type"].contents()[1099], gguf.TokenType.UNUSED)
        self.assertEqual(len(fields["tokenizer.ggml.merges"].contents()), len(content["model"]["merges"]))
        self.assertIn("start_header_id", fields["tokenizer.chat_template"].contents())


class Refused(MakeCheckpointTest):
    def test_usage(self):
        self.refuse(2, "--heads is 5, but must be a multiple of --kv-heads (2)", "--heads=5")
        self.refuse(2, "--type is q8_0, but --format=hf stores bf16, f16 or f32", "--type=q8_0")
        self.refuse(2, "--shards is 21, but there are 20 tensors", "--shards=21")
        self.refuse(2, "the head dimension is 15, but must be even", "--head-dim=15")

    def test_blocks_that_do_not_fit(self):
        self.refuse(1, "rows of 64, but q4_k has blocks of 256", "--format=gguf", "--type=q4_k")
        self.refuse(1, "--type is q9, which GGUF does not know", "--format=gguf", "--type=q9")


if __name__ == "__main__":
    unittest.main()
