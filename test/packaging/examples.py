#!/usr/bin/env python3
"""The programs of examples/, built and run as their pages say, against an installed tree.

usage: examples.py [unittest's options]     after a build of llamart, llamart-static and the tools
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build"
EXAMPLES = ROOT / "examples"


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="llamart-examples-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        prefix = cls.folder / "tree"
        for component in ("runtime", "development", "tools", "compiler"):
            subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix, "--component", component], check=True,
                           stdout=subprocess.DEVNULL)
        cls.environment = {
            **os.environ, "PATH": f"{prefix}/bin:{os.environ['PATH']}", "CMAKE_PREFIX_PATH": str(prefix),
            "PKG_CONFIG_PATH": f"{prefix}/lib/pkgconfig", "LD_LIBRARY_PATH": f"{prefix}/lib",
        }  # fmt: skip
        subprocess.run(["llama-compile", EXAMPLES / "tiny", "--quiet", "-o", cls.folder / "tiny.so"], check=True,
                       env=cls.environment)

    def prepare(self, name):
        """A copy of the example with the model beside it; what its page says to type."""
        place = self.folder / name
        shutil.copytree(EXAMPLES / name, place)
        (place / "tiny.so").symlink_to(self.folder / "tiny.so")
        page = (place / "README.md").read_text(encoding="utf-8")
        return place, re.search(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[1]

    def type(self, place, commands, **options):
        done = subprocess.run(["bash", "-eo", "pipefail", "-c", commands], cwd=place, env=self.environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def follow(self, name):
        """What is printed by all that the page says to type."""
        place, commands = self.prepare(name)
        return self.type(place, commands)

    def generate(self, prompt, *options):
        return subprocess.run(["llama-generate", self.folder / "tiny.so", f"--prompt={prompt}", "--quiet", *options],
                              check=True, capture_output=True, text=True, env=self.environment).stdout

    def test_c(self):
        text = self.follow("01-generate-c")
        expected = self.generate("Once upon a time", "--max-tokens=60").rstrip("\n")
        self.assertEqual(text, f"{expected}\n60 tokens\n")
        place = self.folder / "01-generate-c"
        done = subprocess.run([place / "generate", "nowhere.so", "x"], env=self.environment, capture_output=True,
                              text=True)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, r"^error: nowhere.so: .*\n$")

    def test_cpp(self):
        text = self.follow("02-generate-cpp")
        expected = self.generate("Once upon a time", "--max-tokens=60", "--temperature=0.8", "--seed=42")
        self.assertIn(expected.rstrip("\n") + "\n", text)
        self.assertRegex(text, r"\n\d+ tokens\n$")

    def test_own_sampler(self):
        text = self.follow("04-own-sampler")
        self.assertGreater(len(text), 40)
        self.assertNotRegex(text, "[eE]")

    def test_queue(self):
        text = self.follow("05-queue")
        for prompt in ("Once upon a time", "The dog", "A girl named Anna"):
            expected = self.generate(prompt, "--max-tokens=40").rstrip("\n")
            self.assertIn(f"{prompt}|{expected}\n", text)
        place = self.folder / "05-queue"
        program = subprocess.Popen([place / "queue", "tiny.so", *["Once upon a time"] * 2000], cwd=place, text=True,
                                   env=self.environment, stdout=subprocess.PIPE)
        try:
            program.wait(0.5)
        except subprocess.TimeoutExpired:
            program.send_signal(signal.SIGINT)
        text, _ = program.communicate(timeout=60)
        self.assertEqual(program.returncode, 0)
        self.assertRegex(text, r"cancelled after \d+ tokens")

    def test_your_checkpoint(self):
        place, commands = self.prepare("07-your-checkpoint")
        commands = re.sub(r"~\S+", str(EXAMPLES / "tiny"), commands)
        text = self.type(place, commands, input="Hello\n/quit\n")
        self.assertIn("int8", text)

    def test_linked_model(self):
        place, commands = self.prepare("08-linked-model")
        text = self.type(place, commands.replace("FOLDER", str(EXAMPLES / "tiny")))
        self.assertGreater(len(text.splitlines()[-1]), 40)
        self.assertNotIn("INTERP", self.type(place, "readelf -lW build/story"))

    def test_save_and_resume(self):
        text = self.follow("09-save-and-resume")
        place = self.folder / "09-save-and-resume"
        whole = self.generate("Once upon a time", "--max-tokens=60", "--temperature=1", "--ignore-eos")
        self.assertEqual(text.replace("\n", ""), whole.replace("\n", ""))
        (place / "state").write_bytes((place / "state").read_bytes()[:-9])
        done = subprocess.run([place / "resume", "tiny.so", "state"], cwd=place, env=self.environment,
                              capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (1, "error: state: saved session: it ends too early\n"))


if __name__ == "__main__":
    sys.exit(unittest.main())
