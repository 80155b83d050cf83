"""llama-weights from outside: what it writes is read by other people's packages.

    python test/weights/tools/llama-weights.py BUILD_DIRECTORY
"""

import hashlib
import itertools
import json
import os
import pathlib
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import gguf
import ml_dtypes
import numpy as np
import tokenizers
from safetensors import safe_open
from safetensors.numpy import load_file

BUILD = ""
ROOT = pathlib.Path(__file__).resolve().parents[3]
Blocks = gguf.GGMLQuantizationType
FORMATS = ["hf", "meta", "npy", "maxtext", "nanotron", "gguf"]
TYPES = {"bf16": ml_dtypes.bfloat16, "f16": np.float16, "f32": np.float32}
# Query and key heads differ, and so do all sizes.
SHAPE = ["--hidden=96", "--ffn=160", "--layers=2", "--heads=6", "--kv-heads=2", "--head-dim=16", "--vocab=352"]
HEAD_DIM = 16

DUMP_WITH_TORCH = """
import sys, torch
state = torch.load(sys.argv[1], map_location="cpu")
for name, value in state.items():
    assert value.is_contiguous()
    open(f"{sys.argv[2]}/{name}", "wb").write(bytes(value.reshape(-1).view(torch.int8).numpy()))
    print(name, str(value.dtype)[6:], *value.shape)
"""


def run(*arguments, **options):
    tool = os.path.join(BUILD, "bin", "llama-weights")
    return subprocess.run([tool, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False, **options)


def make(folder, *flags):
    script = ROOT / "test" / "Inputs" / "make-checkpoint.py"
    subprocess.run([sys.executable, script, folder, *SHAPE, *flags], check=True)
    return folder


def interleave(rows):
    heads = rows.reshape(-1, 2, HEAD_DIM // 2, rows.shape[-1])
    return heads.swapaxes(1, 2).reshape(rows.shape)


HF_NAMES = {
    "model.embed_tokens": "tok_embeddings", "model.norm": "norm", "lm_head": "output", "model.layers": "layers",
    "input_layernorm": "attention_norm", "post_attention_layernorm": "ffn_norm", "self_attn.q_proj": "attention.wq",
    "self_attn.k_proj": "attention.wk", "self_attn.v_proj": "attention.wv", "self_attn.o_proj": "attention.wo",
    "mlp.gate_proj": "feed_forward.w1", "mlp.up_proj": "feed_forward.w3", "mlp.down_proj": "feed_forward.w2",
}  # fmt: skip
GGUF_NAMES = {
    "token_embd": "tok_embeddings", "output_norm": "norm", "blk": "layers", "attn_norm": "attention_norm",
    "ffn_norm": "ffn_norm", "attn_q": "attention.wq", "attn_k": "attention.wk", "attn_v": "attention.wv",
    "attn_output": "attention.wo", "ffn_gate": "feed_forward.w1", "ffn_up": "feed_forward.w3",
    "ffn_down": "feed_forward.w2",
}  # fmt: skip


def rename(name, table):
    name = name.removesuffix(".weight") + "."
    for theirs, ours in table.items():
        name = name.replace(theirs + ".", ours + ".")
    return name.removesuffix(".")


def to_canonical(tensors, half_split=True):
    return {
        name: interleave(value) if half_split and name.endswith((".wq", ".wk")) else value
        for name, value in tensors.items()
    }


# --- one function for each format: canonical name => array --------------------


def read_hf(folder):
    tensors = load_file(folder / "model.safetensors")
    return to_canonical({rename(name, HF_NAMES): value for name, value in tensors.items()})


def read_meta(folder):
    with tempfile.TemporaryDirectory() as out:
        code = ["/usr/bin/python3", "-c", DUMP_WITH_TORCH, folder / "consolidated.00.pth", out]
        listing = subprocess.run(code, check=True, capture_output=True, text=True).stdout
        tensors = {}
        for line in listing.splitlines():
            name, dtype, *shape = line.split()
            dtype = {"bfloat16": ml_dtypes.bfloat16, "float16": np.float16, "float32": np.float32}[dtype]
            value = np.fromfile(pathlib.Path(out) / name, dtype).reshape([int(n) for n in shape])
            tensors[name.removesuffix(".weight")] = value
    return tensors


def read_npy(folder):
    tensors = {}
    for path in folder.glob("*.npy"):
        value = np.load(path)
        tensors[path.stem.removesuffix(".weight")] = value.view(ml_dtypes.bfloat16) if value.dtype == "V2" else value
    return tensors


def read_maxtext(folder):
    tensors = {}
    for path in folder.glob("layer_*.pkl"):
        layer = path.stem.removeprefix("layer_")
        content = pickle.loads(path.read_bytes())
        for part in ("attention", "feed_forward"):
            for name, value in content[part].items():
                tensors[f"layers.{layer}.{part}.{name}"] = value.T
        for norm in ("attention_norm", "ffn_norm"):
            tensors[f"layers.{layer}.{norm}"] = content[norm]["weight"]
    for name, value in pickle.loads((folder / "model.pkl").read_bytes()).items():
        tensors[name] = value["weight"].T if name == "output" else value["weight"]
    return to_canonical(tensors)


def read_nanotron(folder):
    def load(path):
        (file,) = (folder / "model" / "model" / path).glob("model_weight*.safetensors")
        with safe_open(file, "numpy") as opened:
            metadata = opened.metadata()
            value = opened.get_tensor("data")
        if value.ndim == 2:
            assert metadata["unsharded_shape"] == str(value.shape)
            local, whole = metadata["local_global_slices_pairs"].split("#")
            assert local == whole == "|".join(f"0,{n},None" for n in value.shape)
        return value

    config = json.loads((folder / "model_config.json").read_text())
    query = config["num_attention_heads"] * HEAD_DIM
    kv = config["num_key_value_heads"] * HEAD_DIM
    tensors = {
        "tok_embeddings": load("token_position_embeddings/pp_block/token_embedding"),
        "norm": load("final_layer_norm/pp_block"),
    }
    if not config["tie_word_embeddings"]:
        tensors["output"] = load("lm_head/pp_block")
    for layer in range(config["num_hidden_layers"]):
        at, path = f"layers.{layer}.", f"decoder/{layer}/pp_block/"
        parts = np.split(load(path + "attn/qkv_proj"), [query, query + kv])
        tensors |= dict(zip([at + f"attention.w{x}" for x in "qkv"], parts, strict=True))
        gate, up = np.split(load(path + "mlp/gate_up_proj"), 2)
        tensors |= {at + "feed_forward.w1": gate, at + "feed_forward.w3": up}
        tensors[at + "attention.wo"] = load(path + "attn/o_proj")
        tensors[at + "feed_forward.w2"] = load(path + "mlp/down_proj")
        tensors[at + "attention_norm"] = load(path + "input_layernorm")
        tensors[at + "ffn_norm"] = load(path + "post_attention_layernorm")
    return to_canonical(tensors)


def read_gguf(path):
    tensors = {}
    for tensor in gguf.GGUFReader(path).tensors:
        value = tensor.data
        if tensor.tensor_type == Blocks.BF16:
            value = value.view(ml_dtypes.bfloat16)
        if tensor.name != "rope_freqs.weight":
            tensors[rename(tensor.name, GGUF_NAMES)] = value
    return tensors


READERS = {
    "hf": read_hf, "meta": read_meta, "npy": read_npy, "maxtext": read_maxtext, "nanotron": read_nanotron,
    "gguf": read_gguf,
}  # fmt: skip


class ToolTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="llama-weights-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def succeed(self, *arguments):
        result = run(*arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def fail_with(self, code, message, *arguments):
        result = run(*arguments)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        self.assertIn(message, result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)

    def convert(self, source, name, format, *flags):
        target = self.folder / (name + ".gguf" if format == "gguf" else name)
        self.succeed("convert", source, target, f"--to={format}", *flags)
        return target

    def hashes(self, path):
        manifest = self.folder / "hashes.json"
        self.succeed("verify", path, f"--write-manifest={manifest}")
        return json.loads(manifest.read_text())["tensors"]


class Writers(ToolTest):
    def check(self, format, dtype, tied):
        source = make(self.folder / "source", f"--type={dtype}", "--tied" if tied else "--no-tied")
        expected = read_hf(source)
        target = self.convert(source, "target", format)
        found = READERS[format](target)
        if tied and format in ("meta", "npy"):
            self.assertEqual(found.pop("output").tobytes(), expected["tok_embeddings"].tobytes())
        self.assertEqual(sorted(found), sorted(expected))
        for name, value in expected.items():
            is_f32 = format == "maxtext" or (format == "gguf" and value.ndim == 1)
            self.assertEqual(found[name].dtype, np.float32 if is_f32 else TYPES[dtype], name)
            self.assertEqual(found[name].shape, value.shape, name)
            wanted = value.astype(np.float32) if is_f32 else value
            self.assertEqual(found[name].tobytes(), wanted.tobytes(), name)
        shutil.rmtree(source)
        shutil.rmtree(target) if target.is_dir() else target.unlink()

    def test_other_packages_read_what_was_written(self):
        for format in FORMATS:
            for dtype, tied in [("bf16", True), ("f16", False), ("f32", False)]:
                with self.subTest(format=format, dtype=dtype, tied=tied):
                    self.check(format, dtype, tied)

    def test_numbers_are_rounded_as_numpy_rounds(self):
        source = make(self.folder / "source", "--type=f32")
        expected = read_hf(source)
        for dtype in ("bf16", "f16"):
            found = read_hf(self.convert(source, dtype, "hf", f"--dtype={dtype}"))
            for name, value in expected.items():
                self.assertEqual(found[name].tobytes(), value.astype(TYPES[dtype]).tobytes(), name)

    def test_blocks_are_those_of_the_gguf_package(self):
        source = make(self.folder / "source", "--type=f32", "--no-tied")
        expected = read_hf(source)
        for dtype in (Blocks.Q8_0, Blocks.Q4_0):
            path = self.convert(source, dtype.name, "gguf", f"--dtype={dtype.name.lower()}")
            file = gguf.GGUFReader(path)
            file_type = file.get_field("general.file_type").contents()
            self.assertEqual(gguf.LlamaFileType(file_type).name, f"MOSTLY_{dtype.name}")
            types = {rename(tensor.name, GGUF_NAMES): tensor.tensor_type for tensor in file.tensors}
            for name, raw in read_gguf(path).items():
                value = expected[name]
                # The ends of the model keep 8 bits.
                kind = Blocks.Q8_0 if name in ("tok_embeddings", "output") else dtype
                kind = Blocks.F32 if value.ndim == 1 else kind
                self.assertEqual(types[name], kind, name)
                self.assertEqual(raw.tobytes(), gguf.quantize(value, kind).tobytes(), name)
            again = self.convert(path, dtype.name + "-again", "gguf")
            self.assertEqual(self.hashes(again), self.hashes(path))

    def test_ends_of_4_bits_keep_them(self):
        source = make(self.folder / "source.gguf", "--format=gguf", "--type=q4_0", "--no-tied")
        again = self.convert(source, "again", "gguf", "--dtype=q4_0")
        self.assertEqual(self.hashes(again), self.hashes(source))

    def test_large_checkpoints_are_cut_into_shards(self):
        # 5 GB would take long; the names of the shards are tested with reading.
        source = make(self.folder / "source", "--shards=3")
        self.assertEqual(self.hashes(self.convert(source, "one", "hf")), self.hashes(source))


class RoundTrips(ToolTest):
    def test_every_pair_there_and_back(self):
        for dtype in ("bf16", "f32"):
            source = make(self.folder / f"source-{dtype}", f"--type={dtype}", "--no-tied")
            first = {f: self.convert(source, f"{dtype}-{f}", f) for f in FORMATS}
            hashes = {f: self.hashes(path) for f, path in first.items()}
            for a, b in itertools.permutations(FORMATS, 2):
                with self.subTest(dtype=dtype, there=a, back=b):
                    there = self.convert(first[a], f"{dtype}-{a}-{b}", b)
                    # Where the way there widened bf16, the way back is told.
                    widened = dtype == "bf16" and (b == "maxtext" or (b == "gguf" and a != "maxtext"))
                    flag = [f"--dtype={dtype}"] if widened and a != "maxtext" else []
                    back = self.convert(there, f"{dtype}-{a}-{b}-{a}", a, *flag)
                    self.assertEqual(self.hashes(back), hashes[a])

    def test_hyper_parameters_survive(self):
        source = make(self.folder / "source", "--eps=3e-6", "--theta=123456", "--max-positions=777",
                      "--rope-factor=16", "--rope-original=128")  # fmt: skip
        keys = ["hidden", "ffn", "vocab", "layers", "heads", "norm_eps", "rope", "max_seq_len", "tied_embeddings",
                "bos_token", "eos_tokens"]  # fmt: skip
        expected = json.loads(self.succeed("inspect", source, "--json"))
        for format in FORMATS:
            found = json.loads(self.succeed("inspect", self.convert(source, format, format), "--json"))
            self.assertEqual({k: found[k] for k in keys}, {k: expected[k] for k in keys}, format)
            self.assertEqual(found["format"], format)

    def test_the_tokenizer_comes_along(self):
        source = ROOT / "examples" / "tiny"
        text = "Once upon a time, there was a 3-year-old.\n\n  Größe, 你好 🙂"
        expected = tokenizers.Tokenizer.from_file(str(source / "tokenizer.json")).encode(text).ids
        self.assertGreater(len(expected), 20)
        path = source
        for format in ("meta", "gguf", "hf"):
            path = self.convert(path, format, format)
        again = tokenizers.Tokenizer.from_file(str(path / "tokenizer.json"))
        self.assertEqual(again.encode(text).ids, expected)
        keys = ["tokens", "bos_token", "eos_tokens"]
        first, last = (json.loads(self.succeed("inspect", p, "--json")) for p in (source, path))
        self.assertEqual([first[k] for k in keys], [last[k] for k in keys])


class Verify(ToolTest):
    def test_a_flipped_byte_is_found(self):
        source = make(self.folder / "source", "--shards=2")
        manifest = self.folder / "manifest.json"
        self.succeed("verify", source, f"--write-manifest={manifest}")
        self.succeed("verify", source, f"--manifest={manifest}")
        shard = source / "model-00002-of-00002.safetensors"
        damaged = bytearray(shard.read_bytes())
        damaged[-100] ^= 1
        shard.write_bytes(damaged)
        result = run("verify", source, f"--manifest={manifest}")
        self.assertEqual(result.returncode, 1)
        of_file, of_tensor = result.stderr.splitlines()
        self.assertRegex(of_file, f"^llama-weights: {shard}: its sum is [0-9a-f]{{64}}, but the manifest says")
        self.assertRegex(of_tensor, f"^llama-weights: {shard}: tensor 'norm': its hash is [0-9a-f]{{64}}, but")
        self.assertEqual(result.stdout, f"{source}: 20 tensors, 2 complaints\n")

    def test_meta_s_checklist_names_the_file(self):
        source = make(self.folder / "source")
        meta = self.convert(source, "meta", "meta")
        names = ["consolidated.00.pth", "params.json"]
        again = self.convert(source, "again", "meta", "--checklist")
        written = "".join(f"{hashlib.md5((again / n).read_bytes()).hexdigest()}  {n}\n" for n in names)
        self.assertEqual((again / "checklist.chk").read_text(), written)
        self.fail_with(1, "--checklist: belongs to --to=meta", "convert", source, self.folder / "no", "--to=hf", "--checklist")
        lines = [f"{hashlib.md5((meta / name).read_bytes()).hexdigest()}  {name}" for name in names]
        (meta / "checklist.chk").write_text("\n".join(lines) + "\n")
        self.succeed("verify", meta)
        file = meta / "consolidated.00.pth"
        damaged = bytearray(file.read_bytes())
        damaged[len(damaged) // 2] ^= 0x10
        file.write_bytes(damaged)
        result = run("verify", meta)
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"{file}: its sum is ", result.stderr)
        self.assertIn("but checklist.chk says", result.stderr)
        self.assertRegex(result.stderr, "file 'consolidated.00/data/[0-9]+': its CRC-32 is")
        (meta / "checklist.chk").write_text(lines[0].replace("consolidated.00.pth", "consolidated.01.pth") + "\n")
        self.assertIn("consolidated.01.pth: is listed in checklist.chk, but is not there", run("verify", meta).stderr)
        (meta / "checklist.chk").write_text("0" * 32 + "  ../secret\n")
        self.fail_with(1, "line 1: expected an md5 and the name of a file next to it", "verify", meta)

    def test_numbers_that_are_none(self):
        source = make(self.folder / "source", "--type=f32")
        npy = self.convert(source, "npy", "npy")
        path = npy / "layers.1.attention.wv.weight.npy"
        values = np.load(path)
        values[3, 5], values[4, 0] = np.nan, -np.inf
        np.save(path, values)
        self.fail_with(1, f"{path}: tensor 'layers.1.attention.wv': holds 1 NaN and 1 Inf, the first in row 3, column 5",
                       "verify", npy)  # fmt: skip
        statistics = {t["name"]: t["statistics"] for t in json.loads(self.succeed("inspect", npy, "--stats", "--json"))["tensors"]}
        found = statistics["layers.1.attention.wv"]
        finite = values[np.isfinite(values)].astype(np.float64)
        self.assertEqual((found["nan"], found["inf"]), (1, 1))
        self.assertEqual((found["min"], found["max"]), (finite.min(), finite.max()))
        self.assertAlmostEqual(found["mean"], finite.mean(), delta=1e-12)
        self.assertAlmostEqual(found["deviation"] / finite.std(), 1, delta=1e-9)
        self.assertEqual(found["first"][:3], values[0, :3].astype(np.float64).tolist())

    def test_a_manifest_of_another_model(self):
        source = make(self.folder / "source")
        manifest = self.folder / "manifest.json"
        self.succeed("verify", self.convert(source, "a.gguf", "gguf"), f"--write-manifest={manifest}")
        other = make(self.folder / "other", "--seed=2")
        self.assertIn("is listed in the manifest, but is not there", run("verify", other, f"--manifest={manifest}").stderr)
        manifest.write_text("{}")
        self.fail_with(1, f"{manifest}: key 'hash': is missing", "verify", source, f"--manifest={manifest}")


class Inspect(ToolTest):
    def test_parameters_of_llama_3_2(self):
        # Sparse files: 1B and 3B without their bytes on the disk.
        for shape, count in (("1b", 1235814400), ("3b", 3212749824)):
            folder = self.folder / shape
            script = ROOT / "test" / "weights" / "tools" / "sparse.py"
            subprocess.run([sys.executable, script, folder, shape], check=True)
            text = self.succeed("inspect", folder)
            self.assertIn(f"parameters          {count:,}\n", text)
            self.assertEqual(json.loads(self.succeed("inspect", folder, "--json"))["parameters"], count)
            multiple = {"1b": 4096, "3b": 256}[shape]
            self.assertIn(f"8192 (Meta's rule with ffn_dim_multiplier 1, multiple_of {multiple})\n", text)

    def test_tensors_without_a_model(self):
        source = make(self.folder / "source")
        npy = self.convert(source, "npy", "npy")
        (npy / "params.json").unlink()
        for path in (npy, npy / "norm.weight.npy", source / "model.safetensors"):
            self.assertIn("tensors without hyper-parameters", self.succeed("inspect", path, "--stats"))
        self.succeed("inspect", self.convert(source, "meta", "meta") / "consolidated.00.pth")
        self.succeed("inspect", self.convert(source, "chunked", "maxtext") / "layer_1.pkl")


class Mistakes(ToolTest):
    def test_of_usage(self):
        for arguments in ([], ["inspect"], ["frobnicate", "x"], ["inspect", "x", "--frobnicate"], ["convert", "/", "b"],
                          ["convert", "a", "b", "--to=doc"], ["inspect", "x", "--manifest=y"]):  # fmt: skip
            result = run(*arguments)
            self.assertEqual(result.returncode, 2, arguments)
            self.assertLess((result.stdout + result.stderr).count("\n"), 4, arguments)

    def test_help_is_about_this_tool_alone(self):
        for arguments in (["--help"], ["inspect", "--help"], ["verify", "--help"], ["convert", "--help"]):
            text = run(*arguments).stdout
            self.assertIn("--follow-links", text)
            self.assertLess(text.count("\n"), 50, arguments)

    def test_of_conversions(self):
        source = make(self.folder / "source")
        q8 = self.convert(make(self.folder / "other", "--type=f32"), "q8", "gguf", "--dtype=q8_0")
        out = self.folder / "out"
        self.fail_with(1, "--dtype=q8_0: only GGUF files hold it, not hf", "convert", source, out, "--to=hf", "--dtype=q8_0")
        self.fail_with(1, "--dtype=bf16: layers are pickled as f32", "convert", source, out, "--to=maxtext", "--dtype=bf16")
        self.fail_with(1, "is q8_0, which npy cannot hold; expected --dtype=f32, f16 or bf16", "convert", q8, out, "--to=npy")
        self.fail_with(1, "is there already, and not empty", "convert", source, source, "--to=npy")
        self.fail_with(1, "cannot be written: it is a directory", "convert", source, source, "--to=gguf")
        self.fail_with(1, "does not exist", "convert", self.folder / "none", out, "--to=hf")
        self.fail_with(1, "does not exist", "convert", self.folder / "none", out)
        self.assertFalse(out.exists())
        self.assertEqual([p.name for p in self.folder.iterdir() if p.name.endswith(".tmp")], [])

    def test_an_interruption_leaves_nothing(self):
        source = make(self.folder / "source", "--hidden=1024", "--ffn=4096", "--layers=4", "--head-dim=16", "--type=f32")
        tool = os.path.join(BUILD, "bin", "llama-weights")
        for format in ("meta", "gguf"):
            out = self.folder / f"out-{format}"
            process = subprocess.Popen([tool, "convert", source, out, f"--to={format}"], stderr=subprocess.PIPE, text=True)
            while process.poll() is None and not list(self.folder.glob(f"out-{format}.*")):
                time.sleep(0.001)
            process.send_signal(signal.SIGINT)
            _, message = process.communicate(timeout=60)
            if process.returncode == 0:
                self.assertTrue(out.exists())
                continue
            self.assertEqual((process.returncode, message), (1, "llama-weights: error: interrupted\n"))
            self.assertFalse(out.exists())
            self.assertEqual(list(self.folder.glob("*.tmp")), [])

    def test_of_shared_objects(self):
        path = self.folder / "x.so"
        path.write_bytes(b"\x7fELF\2\1\1")
        self.fail_with(1, f"{path}: is not a shared object", "inspect", path)
        shutil.copy(os.path.join(BUILD, "bin", "llama-weights"), path)
        self.fail_with(1, f"{path}: has no symbol 'llama_header': it is not a compiled model", "verify", path)

    def test_a_link_out_of_the_folder(self):
        source = make(self.folder / "source")
        secret = self.folder / "secret.safetensors"
        shutil.move(source / "model.safetensors", secret)
        (source / "model.safetensors").symlink_to(secret)
        self.fail_with(1, "is a link out of its folder", "inspect", source)
        self.succeed("inspect", source, "--follow-links")


if __name__ == "__main__":
    BUILD = sys.argv.pop(1)
    unittest.main()
