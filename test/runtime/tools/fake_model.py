"""The fake model of test/runtime, and what tests of the tools around it share.

FakeModel is its network written again in Python, so that ids and logits have a
second opinion.
"""

import os
import subprocess
import sys
import tempfile
import unittest

import numpy

BUILD = ""
VOCAB, BOS, EOS = 264, 256, 257
MASK = (1 << 64) - 1


class FakeModel:
    """Logits are a hash of the sequence: test/runtime/FakeModel.h."""

    @staticmethod
    def mix(x):
        x &= MASK
        x = ((x ^ x >> 31) * 0x7FB5D329728EA185) & MASK
        x = ((x ^ x >> 27) * 0x81DADEF4BC2DD44D) & MASK
        return x ^ x >> 33

    def __init__(self):
        self.hash = 0xF00D

    def feed(self, token, prompt):
        word = token * (65536 // 4 // VOCAB)
        weight = (self.mix(word + 99) >> 20) & 0xFFFFFFFF
        self.hash = self.mix(self.hash ^ (token << 40 | int(prompt) << 32 | weight))
        return self.logits()

    def logits(self):
        rows = [self.mix(self.hash + i) >> 40 for i in range(VOCAB)]
        return numpy.array(rows, dtype=numpy.float32) / (1 << 21) - 4

    @classmethod
    def generate(cls, prompt, count):
        """Greedy ids, eos not heeded, and the logits of every fed row."""
        model, ids = cls(), []
        rows = [model.feed(token, True) for token in prompt]
        while len(ids) < count:
            ids.append(int(numpy.argmax(rows[-1])))
            rows.append(model.feed(ids[-1], False))
        return ids, numpy.stack(rows[: len(prompt) + max(count - 1, 0)])


def join(ids):
    return ",".join(str(i) for i in ids)


def to_text(ids):
    return bytes(i for i in ids if i < 256).decode("utf-8", errors="replace")


class ToolTest(unittest.TestCase):
    """Runs llama-generate on the fake model, in a folder of its own."""

    def setUp(self):
        self.tool = os.path.join(BUILD, "bin", "llama-generate")
        self.model = os.path.join(BUILD, "test", "runtime", "models", "fake.so")
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def run_tool(self, *arguments, model=None, **options):
        command = [self.tool, model or self.model, *arguments]
        options.setdefault("stdout", subprocess.PIPE)
        return subprocess.run(
            command, stderr=subprocess.PIPE, timeout=60, check=False, **options
        )

    def expect(self, *arguments, **options):
        """stdout of a run that must succeed."""
        result = self.run_tool(*arguments, **options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def expect_error(self, code, *arguments, **options):
        """stderr of a run that must fail: one line, for wrong usage two."""
        result = self.run_tool(*arguments, **options)
        lines = result.stderr.decode().splitlines()
        self.assertEqual(result.returncode, code, lines)
        self.assertEqual(len(lines), 1 if code == 1 else 2, lines)
        return lines[0]


def main(usage):
    """Runs the tests of a script that was given the build folder."""
    global BUILD
    if len(sys.argv) < 2:
        sys.exit(usage)
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main()
