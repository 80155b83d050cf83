"""llama-measure quality against numpy, in float64, on logits of llama-generate.

    python test/runtime/tools/llama-measure-quality.py BUILD_DIRECTORY

The models are two fake ones of test/runtime with different weights.
"""

import json
import os
import shutil
import struct

import fake_model
import numpy
from fake_model import BOS, VOCAB, ToolTest, join, main

TEXT = "It is not the strongest of the species that survives.\nGr\u00fc\u00dfe \U0001f600!\n" * 9


def log_softmax(logits):
    logits = logits.astype(numpy.float64)
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - numpy.log(numpy.exp(shifted).sum(axis=1, keepdims=True))


class Quality(ToolTest):
    def setUp(self):
        super().setUp()
        self.generate = self.tool
        self.tool = os.path.join(fake_model.BUILD, "bin", "llama-measure")
        self.text = self.path("text")
        with open(self.text, "w", encoding="utf-8") as file:
            file.write(TEXT)

    def variant(self, name):
        return os.path.join(os.path.dirname(self.model), name + ".so")

    def other(self):
        """A model that differs from the first in its weights, which are zeros."""
        path = self.path("other.so")
        shutil.copy(self.variant("fake-external"), path)
        with open(self.path("fake.weights"), "wb") as file:
            file.truncate(160 << 20)
        return path

    def measure(self, *arguments, model=None):
        out = self.expect(f"--text={self.text}", "--json", *arguments, model=model)
        return json.loads(out)

    def run_tool(self, *arguments, model=None, **options):
        arguments = [model or self.model, *arguments]
        return super().run_tool(*arguments, model="quality", **options)

    def log_probabilities(self, model, ids):
        """[len(ids), VOCAB]"""
        path = self.path("l.npy")
        tool, self.tool = self.tool, self.generate
        super().run_tool(f"--prompt-ids={join(ids)}", "--max-tokens=0", f"--logits={path}",
                         model=model)
        self.tool = tool
        return log_softmax(numpy.load(path))

    def chunks(self, context, start):
        ids, body = list(TEXT.encode()), context - len(start)
        pieces = [start + ids[at : at + body] for at in range(0, len(ids), body)]
        return [piece for piece in pieces if len(piece) > 1]

    def expected(self, model, reference, context, start=(BOS,)):
        surprises, before, divergences, same = [], [], [], []
        for chunk in self.chunks(context, list(start)):
            p = self.log_probabilities(reference, chunk)[:-1]
            q = self.log_probabilities(model, chunk)[:-1]
            rows = numpy.arange(len(chunk) - 1)
            before += list(-p[rows, chunk[1:]])
            surprises += list(-q[rows, chunk[1:]])
            divergences += list((numpy.exp(p) * (p - q)).sum(axis=1))
            same += list(p.argmax(axis=1) == q.argmax(axis=1))
        return tuple(map(numpy.array, (before, surprises, divergences, same)))

    # -- numbers --------------------------------------------------------------

    def check_against(self, out, expected):
        before, surprises, divergences, same = expected
        first, second = out["models"]
        close = lambda a, b: self.assertAlmostEqual(a / b, 1, delta=1e-9)  # noqa: E731
        self.assertEqual(out["predicted"], len(before))
        for entry, values in [(first, before), (second, surprises)]:
            close(entry["nll"], values.mean())
            close(entry["perplexity"], numpy.exp(values.mean()))
        self.assertNotIn("kl", first)
        change = surprises - before
        close(second["perplexity_ratio"], numpy.exp(change.mean()))
        error = change.std(ddof=1) / numpy.sqrt(len(change))
        close(second["perplexity_ratio_error"], numpy.exp(change.mean()) * error)
        close(second["kl"]["mean"], divergences.mean())
        for name, share in [("median", 0.5), ("q90", 0.9), ("q99", 0.99), ("max", 1.0)]:
            close(second["kl"][name], numpy.quantile(divergences, share))
        self.assertAlmostEqual(second["same_best"], same.mean())

    def test_numbers_are_those_of_numpy(self):
        other = self.other()
        for context in (512, 100, 33):
            out = self.measure(f"--reference={self.model}", f"--context={context}", model=other)
            self.check_against(out, self.expected(other, self.model, context))
            self.assertEqual(out["chunks"], len(self.chunks(context, [BOS])))
            self.assertEqual(out["tokens"], len(TEXT.encode()))

    def test_a_tokenizer_without_bos_leaves_the_first_token_unpredicted(self):
        model = self.variant("fake-no-bos")
        out = self.measure(f"--reference={model}", "--context=64", model=model)
        self.assertEqual(out["start"], [])
        self.check_against_itself(out)
        self.assertEqual(out["predicted"], len(TEXT.encode()) - len(self.chunks(64, [])))
        before, *_ = self.expected(model, model, 64, start=())
        self.assertAlmostEqual(out["models"][0]["nll"], before.mean(), delta=1e-9)

    def check_against_itself(self, out):
        entry = out["models"][1]
        self.assertEqual(entry["kl"], dict.fromkeys(["mean", "median", "q90", "q99", "max"], 0))
        self.assertEqual((entry["perplexity_ratio"], entry["same_best"]), (1, 1))

    def test_a_model_is_no_different_from_itself(self):
        self.check_against_itself(self.measure(f"--reference={self.model}"))

    def test_a_model_alone_has_a_perplexity(self):
        out = self.measure()
        self.assertNotIn("reference", out)
        (entry,) = out["models"]
        self.assertEqual(set(entry), {"model", "weights_bytes", "nll", "perplexity"})

    def test_a_last_chunk_of_one_token_predicts_nothing_without_bos(self):
        with open(self.text, "w", encoding="utf-8") as file:
            file.write("x" * 65)
        out = self.measure("--context=64", model=self.variant("fake-no-bos"))
        self.assertEqual((out["chunks"], out["predicted"]), (1, 63))

    # -- what is shown --------------------------------------------------------

    def test_the_table_has_a_line_for_every_model(self):
        other = self.other()
        out = self.expect(other, f"--reference={self.model}", f"--text={self.text}").decode()
        lines = out.splitlines()
        self.assertRegex(lines[0], r"^\S+/text: \d+ tokens, \d+ of them predicted, in 2 chunks "
                                   r"of at most 512 that begin with bos$")
        self.assertEqual(len(lines), 6)  # head, blank, names, the reference and two models
        self.assertRegex(lines[3], r"^\S+/fake.so +0.1 +\d\.\d{4} +\d+\.\d{3}$")
        self.assertRegex(lines[4], r"fake.so .* \+0.00 \+- 0.00 % +0.00000 .* 100.00 %$")
        self.assertRegex(lines[5], r"other.so .* [+-]\d+.\d\d \+- \d+.\d\d %( +\d.\d{5}){3} +\d+.\d\d %$")

    # -- errors ---------------------------------------------------------------

    def fails(self, message, *arguments, **options):
        line = self.expect_error(1, *arguments, **options)
        self.assertEqual(line, "error: " + message)

    def test_texts_without_anything_to_predict(self):
        empty = self.path("empty")
        open(empty, "w", encoding="utf-8").close()
        self.fails(f"{empty}: is empty", f"--text={empty}")
        one = self.path("one")
        with open(one, "w", encoding="utf-8") as file:
            file.write("x")
        self.fails(f"{one}: is one token, expected at least two", f"--text={one}",
                   model=self.variant("fake-no-bos"))
        self.fails("/nowhere/text: No such file or directory", "--text=/nowhere/text")

    def patched(self, name, change):
        path = self.path(name)
        with open(self.model, "rb") as file:
            data = bytearray(file.read())
        change(data)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def test_models_that_cannot_be_compared(self):
        def shrink(data):
            at = data.index(b'"vocab": 264')
            data[at : at + 12] = b'"vocab": 263'

        text, reference = f"--text={self.text}", f"--reference={self.model}"
        path = self.patched("small.so", shrink)
        self.fails(f"{path}: has a vocabulary of 263 tokens, expected {VOCAB} as in {self.model}",
                   text, reference, model=path)
        path = self.variant("fake-no-bos")
        self.fails(f"{path}: its tokenizer makes other tokens of {self.text} than that of "
                   f"{self.model}", text, reference, model=path)
        path = self.variant("fake-nan")
        self.fails(f"{path}: a logit after token 0 of {self.text} is NaN", text, reference,
                   model=path)
        self.fails(f"{self.model}: its context has 512 positions, expected the 513 of --context",
                   text, "--context=513")

    def test_a_model_without_a_tokenizer(self):
        def forget(data):
            at = data.index(b"LLAMASO\0")
            self.assertNotEqual(struct.unpack_from("<Q", data, at + 32), (0,))
            struct.pack_into("<Q", data, at + 32, 0)

        path = self.patched("mute.so", forget)
        self.assertIn("tokenizer", self.expect_error(1, f"--text={self.text}", model=path))

    def test_wrong_usage(self):
        for arguments in [[], ["--text=x", "--context=1"], ["--text=x", "--hat"]]:
            self.assertEqual(self.run_tool(*arguments).returncode, 2)


if __name__ == "__main__":
    main(__doc__)
