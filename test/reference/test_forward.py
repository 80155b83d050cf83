"""The reference against published results, and against itself in other words."""

import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import ml_dtypes
import numpy as np
import safetensors.numpy

import checkpoint
import forward

HERE = pathlib.Path(__file__).resolve().parent
MAKE = HERE.parent / "Inputs" / "make-checkpoint.py"
DATA = os.environ.get("LLAMA_TEST_DATA")
IDS = [0, 200, 17, 3, 3, 99, 140, 7, 255, 31]


def run(*arguments):
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


class Models(unittest.TestCase):
    """A folder of small models, each made once."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.made = {}

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def make(self, name, *flags):
        path = pathlib.Path(self.folder.name) / name
        if name not in self.made:
            self.made[name] = run(MAKE, path, *flags)
        self.assertEqual(self.made[name].returncode, 0, self.made[name].stderr)
        return path


def logits(path, ids=IDS, **options):
    model = forward.Model(path, **options)
    return model.forward(ids, model.new_cache())


@unittest.skipUnless(DATA, "LLAMA_TEST_DATA is not set")
class TrainedModel(unittest.TestCase):
    """260 thousand parameters, trained elsewhere; results computed elsewhere."""

    def check(self, name):
        folder = pathlib.Path(DATA) / "stories260K"
        ids = json.loads((folder / "golden-256-ids.json").read_text())
        expected = np.load(folder / "golden-logits-64.npy")
        chosen, _, _, found = forward.generate(forward.Model(folder / name), ids[:1], 256)
        self.assertEqual(chosen, ids[1:])
        self.assertLess(np.abs(found[:64] - expected).max(), 1e-4)

    def test_hugging_face_folder(self):
        self.check("hf")

    def test_gguf(self):
        self.check("stories260K.gguf")


class Formulas(unittest.TestCase):
    def config(self, head_dim, scaling):
        return checkpoint.Config(2048, 16, 2048 // head_dim, 8, head_dim, 1e-5, 500000.0,
                                 scaling, None, False, [])

    def test_rotary_scaling_of_llama_3(self):
        """Ratios worked out by hand for a head dimension of 64, theta 500000."""
        plain = checkpoint.rotary_frequencies(self.config(64, None))
        for factor, blended in ((8.0, (0.643743, 0.371122, 0.190211)),
                                (32.0, (0.605573, 0.303743, 0.103448))):
            scaling = {"factor": factor, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                       "original_max_position_embeddings": 8192}
            ratio = checkpoint.rotary_frequencies(self.config(64, scaling)) / plain
            np.testing.assert_allclose(ratio[:15], 1)
            np.testing.assert_allclose(ratio[15:18], blended, atol=1e-6)
            np.testing.assert_allclose(ratio[18:], 1 / factor)

    def test_rms_norm(self):
        x = np.array([[3.0, 4.0]])  # mean square 12.5
        found = forward.rms_norm(x, np.array([1.0, 2.0]), 3.5)
        np.testing.assert_allclose(found, [[3 / 4, 8 / 4]])

    def test_silu(self):
        np.testing.assert_allclose(forward.silu(np.array([0.0, 1.0, -800.0])),
                                   [0, 1 / (1 + math.exp(-1)), 0], atol=1e-300)

    def test_bfloat16_against_another_implementation(self):
        values = np.random.default_rng(1).normal(0, 3, 100000).astype(np.float32)
        bits = np.arange(0x7F80, dtype=np.uint16)  # every finite one that is not negative
        halfway = ((bits[:-1].astype(np.uint32) << 16) + 0x8000).view(np.float32)
        for sample in (values, halfway):
            expected = sample.astype(ml_dtypes.bfloat16).astype(np.float64)
            np.testing.assert_array_equal(forward.round_to_bf16(sample), expected)
        np.testing.assert_array_equal(
            checkpoint.bf16_to_f64(bits), bits.view(ml_dtypes.bfloat16).astype(np.float64))

    def test_ties_go_to_the_lowest_id(self):
        self.assertEqual(forward.top_two(np.array([1.0, 5.0, 5.0, 4.0])), (1, 2, 0.0))


class Files(Models):
    def test_safetensors_against_another_reader(self):
        for kind, dtype in (("bf16", ml_dtypes.bfloat16), ("f16", np.float16), ("f32", np.float32)):
            path = self.make(f"file-{kind}", f"--type={kind}") / "model.safetensors"
            ours = checkpoint.read_safetensors(path)
            theirs = safetensors.numpy.load_file(path)
            self.assertEqual(set(ours), set(theirs))
            for name, tensor in theirs.items():
                self.assertEqual(tensor.dtype, dtype)
                np.testing.assert_array_equal(ours[name][:], tensor.astype(np.float64))

    def test_every_format_means_the_same_model(self):
        expected = logits(self.make("hf"))
        for name, flags in (("sharded", ["--shards=5"]), ("npy", ["--format=npy"]),
                            ("bf16.gguf", ["--format=gguf"])):
            difference = np.abs(logits(self.make(name, *flags)) - expected).max()
            self.assertLess(difference, 1e-5, name)  # rope_freqs is float32

    def test_hyper_parameters_are_read_from_every_format(self):
        shape = ["--eps=0.01", "--theta=777", "--head-dim=16", "--rope-factor=0", "--heads=4", "--kv-heads=1"]
        for name, flags in (("keys", []), ("keys-npy", ["--format=npy"]), ("keys.gguf", ["--format=gguf"])):
            c = checkpoint.open_checkpoint(self.make(name, *shape, *flags)).config
            self.assertEqual((c.hidden, c.layers, c.heads, c.kv_heads, c.head_dim), (64, 2, 4, 1, 16), name)
            self.assertAlmostEqual(c.eps, 0.01, places=8, msg=name)  # GGUF: float32
            self.assertEqual((c.theta, c.scaling, c.divisors), (777, None, None), name)

    def test_params_json_with_scaled_rope(self):
        shape = ["--rope-factor=8", "--rope-original=8192", "--theta=500000"]
        path = self.make("params", "--format=npy", *shape)
        self.assertTrue((path / "params.json").exists())
        long = IDS * 20
        np.testing.assert_allclose(logits(path, long), logits(self.make("hf8", *shape), long))

    def test_the_factor_of_params_json_depends_on_the_model(self):
        for dim, layers, factor in ((2048, 16, 32), (3072, 28, 32), (4096, 32, 8), (2048, 2, 8)):
            params = {"dim": dim, "n_layers": layers, "use_scaled_rope": True}
            self.assertEqual(checkpoint.meta_scaling(params)["factor"], factor)
        self.assertIsNone(checkpoint.meta_scaling({"dim": 2048, "n_layers": 16}))

    def test_rope_parameters_of_newer_config_files(self):
        path = self.make("newer")
        expected = checkpoint.rotary_frequencies(checkpoint.hf_config(path / "config.json"))
        config = json.loads((path / "config.json").read_text())
        config["rope_parameters"] = config.pop("rope_scaling") | {"rope_theta": config.pop("rope_theta")}
        other = path / "newer.json"
        other.write_text(json.dumps(config))
        found = checkpoint.rotary_frequencies(checkpoint.hf_config(other))
        np.testing.assert_array_equal(found, expected)

    def test_a_separate_output_matrix_is_used(self):
        tied, untied = self.make("hf"), self.make("untied", "--no-tied")
        self.assertGreater(np.abs(logits(tied) - logits(untied)).max(), 1)

    def test_what_is_missing_is_named(self):
        path = self.make("incomplete", "--layers=1")
        config = json.loads((path / "config.json").read_text())
        config["num_hidden_layers"] = 2
        (path / "config.json").write_text(json.dumps(config))
        found = run(HERE / "forward.py", path, "--ids=1")
        self.assertEqual(found.returncode, 1)
        self.assertEqual(found.stderr.strip(), "tensor 'model.layers.1.input_layernorm.weight': expected, not found")
        found = run(HERE / "forward.py", self.folder.name, "--ids=1")
        self.assertEqual(found.returncode, 1)
        self.assertIn("expected a .gguf file or a folder", found.stderr)

    def test_a_broken_file_is_one_line(self):
        path = self.make("broken")
        (path / "config.json").write_text("{")
        found = run(HERE / "forward.py", path, "--ids=1")
        self.assertEqual((found.returncode, found.stderr.count("\n")), (1, 1), found.stderr)
        self.assertTrue(found.stderr.startswith(str(path)))


class Computation(Models):
    def test_feeding_in_pieces_changes_nothing(self):
        model = forward.Model(self.make("hf"))
        whole = model.forward(IDS, model.new_cache())
        cache = model.new_cache()
        pieces = [model.forward(IDS[a:b], cache) for a, b in ((0, 4), (4, 5), (5, 10))]
        np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-12)

    def test_a_row_does_not_see_what_follows(self):
        path = self.make("hf")
        changed = IDS[:-1] + [1]
        np.testing.assert_allclose(logits(path, changed)[:-1], logits(path)[:-1], atol=1e-12)
        self.assertGreater(np.abs(logits(path, changed)[-1] - logits(path)[-1]).max(), 0.1)

    def test_only_the_distance_of_positions_counts(self):
        """Rotary embedding: scores stay when query and key move together."""
        model = forward.Model(self.make("hf"))
        q, k = np.random.default_rng(2).normal(size=(2, 1, 1, model.config.head_dim))

        def score(query_at, key_at):
            return float((model.rotate(q, [query_at]) * model.rotate(k, [key_at])).sum())

        self.assertAlmostEqual(score(9, 2), score(109, 102))
        self.assertNotAlmostEqual(score(9, 2), score(9, 3))

    def test_shared_key_heads_are_repeated_in_order(self):
        """The same model with every key and value head written out."""
        grouped = self.make("hf")
        tensors = checkpoint.read_safetensors(grouped / "model.safetensors")
        config = json.loads((grouped / "config.json").read_text())
        times = config["num_attention_heads"] // config["num_key_value_heads"]
        self.assertGreater(times, 1)
        written = {}
        for name, tensor in tensors.items():
            array = tensor[:]
            if "k_proj" in name or "v_proj" in name:
                heads = array.reshape(-1, config["head_dim"], array.shape[1])
                array = np.repeat(heads, times, axis=0).reshape(-1, array.shape[1])
            written[name] = array
        config["num_key_value_heads"] = config["num_attention_heads"]
        path = pathlib.Path(self.folder.name) / "written-out"
        path.mkdir()
        (path / "config.json").write_text(json.dumps(config))
        safetensors.numpy.save_file(written, path / "model.safetensors")
        np.testing.assert_allclose(logits(path), logits(grouped), atol=1e-12)

    def test_widening_in_panels_changes_nothing(self):
        path = self.make("hf")
        expected = logits(path)
        keep, panel, forward.KEEP_BYTES, forward.PANEL = forward.KEEP_BYTES, forward.PANEL, 0, 48
        try:
            np.testing.assert_allclose(logits(path), expected, atol=1e-12)
        finally:
            forward.KEEP_BYTES, forward.PANEL = keep, panel

    def test_rounding_to_bf16_is_what_a_bf16_file_holds(self):
        rounded = logits(self.make("file-f32", "--type=f32"), weights="bf16")
        exact = logits(self.make("file-f32", "--type=f32"))
        stored = logits(self.make("hf"))
        # The norms are stored as float32 in one file and as bfloat16 in the other.
        self.assertLess(np.abs(rounded - stored).max(), np.abs(exact - stored).max())
        self.assertGreater(np.abs(rounded - exact).max(), 1e-3)


class CommandLine(Models):
    def test_outputs(self):
        path, out = self.make("hf"), pathlib.Path(self.folder.name)
        found = run(HERE / "forward.py", path, "--ids=0,200,17", "--max-tokens=5",
                    f"--logits={out / 'l.npy'}", f"--margins={out / 'm.txt'}")
        self.assertEqual(found.returncode, 0, found.stderr)
        chosen = [int(word) for word in found.stdout.strip().split(",")]
        fed = np.load(out / "l.npy")
        self.assertEqual((fed.dtype, fed.shape), (np.dtype(np.float32), (3 + 4, 256)))
        self.assertEqual(fed[2:].argmax(1).tolist(), chosen)
        ordered = np.sort(fed[2:], axis=1)
        margins = [line.split() for line in (out / "m.txt").read_text().splitlines()]
        np.testing.assert_allclose([float(m) for m, _ in margins],
                                   ordered[:, -1] - ordered[:, -2], atol=1e-5)
        self.assertEqual([int(second) for _, second in margins], np.argsort(fed[2:])[:, -2].tolist())

    def test_rows(self):
        path, out = self.make("hf"), pathlib.Path(self.folder.name)
        arguments = [HERE / "forward.py", path, "--ids=0,200,17", "--max-tokens=4"]
        run(*arguments, f"--logits={out / 'all.npy'}")
        for first in range(6):
            found = run(*arguments, f"--logits={out / 'some.npy'}", f"--rows={first}:")
            self.assertEqual(found.returncode, 0, found.stderr)
            np.testing.assert_allclose(np.load(out / "some.npy"), np.load(out / "all.npy")[first:], atol=1e-5)

    def test_stops_where_a_text_ends(self):
        path = self.make("stopping")
        everything = run(HERE / "forward.py", path, "--ids=0,200", "--max-tokens=9").stdout.split(",")
        config = json.loads((path / "config.json").read_text())
        config["eos_token_id"] = [int(everything[3])]
        (path / "config.json").write_text(json.dumps(config))
        found = run(HERE / "forward.py", path, "--ids=0,200", "--max-tokens=9", "--stop-at-eos")
        until = everything.index(everything[3]) + 1
        self.assertEqual(found.stdout.strip().split(","), everything[:until])

    def test_an_id_outside_the_vocabulary_is_refused(self):
        found = run(HERE / "forward.py", self.make("hf"), "--ids=0,256")
        self.assertEqual(found.returncode, 1)
        self.assertEqual(found.stderr.strip(), "--ids: expected ids from 0 to 255")


if __name__ == "__main__":
    unittest.main()
