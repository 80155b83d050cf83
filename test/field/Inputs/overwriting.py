"""Outputs that are inputs: refused by every tool, and the input is what it was.

    python overwriting.py TOOLS CHECKPOINT OUT

CHECKPOINT has a tokenizer. Each row of ONTO is a tool, what it reads and which of its outputs goes there. Each is
tried with the file itself, a hard link, a symbolic link, one to that, and, as /dev/stdout, with standard output
appended to it. What is printed, names that are made of others, standard input and two outputs in one file have tables
of their own.
"""

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
MAKE = os.path.join(HERE, "..", "..", "Inputs", "make-checkpoint.py")

# (what is written onto, relative to the folder of inputs; the command, {} stands for the output)
ONTO = [
    ("hf/config.json", "llama-compile hf -o {}"),
    ("hf/model.safetensors", "llama-compile hf -o {}"),
    ("hf/tokenizer.model", "llama-compile hf -o {}"),  # it is not read: tokenizer.json is
    ("hf/config.json", "llama-compile hf --emit=fuse -o {}"),
    ("hf/config.json", "llama-compile hf --emit=asm -o {}"),
    ("hf/config.json", "llama-compile hf --emit=obj -o {}"),
    ("hf/config.json", "llama-compile hf -o new.so --opt-report={}"),
    ("model.gguf", "llama-compile model.gguf -o {}"),
    ("model.gguf", "llama-compile model.gguf --emit=import -o {}"),
    ("model.gguf", "llama-compile by-hand/model.json -o {}"),
    ("by-hand/model.json", "llama-compile by-hand -o {}"),
    ("hf/tokenizer.json", "llama-compile by-hand -o {}"),
    ("fuse.mlir", "llama-compile fuse.mlir --emit=linalg -o {}"),
    ("fuse.mlir", "llama-compile fuse.mlir -o {}"),
    ("fuse.mlir", "llama-compile fuse.mlir -o new.so --opt-report={}"),
    ("hf/config.json", "llama-compile fuse.mlir -o new.so --opt-report={}"),
    ("model.gguf", "llama-compile model.gguf -o new.so --weights=external --opt-report={}"),
    ("hf/config.json", "llama-compile hf --emit=fuse -o new.mlir --mlir-pass-statistics --info-output-file={}"),
    ("fuse.mlir", "llama-compile fuse.mlir -o new.so --mlir-pass-pipeline-crash-reproducer={}"),
    ("fuse.mlir", "llama-opt fuse.mlir -o {}"),
    ("hf/config.json", "llama-weights convert hf {} --to=gguf"),
    ("hf/model.safetensors", "llama-weights convert hf {} --to=gguf"),
    ("model.gguf", "llama-weights convert model.gguf {} --to=gguf"),
    ("hf/config.json", "llama-weights verify hf --write-manifest={}"),
    ("model.gguf", "llama-weights verify model.gguf --write-manifest={}"),
    ("manifest.json", "llama-weights verify hf --manifest=manifest.json --write-manifest={}"),
    ("model.so", "llama-weights verify model.so --write-manifest={}"),
    ("model.so", "llama-generate model.so --prompt-ids=1 --max-tokens=2 --trace={}"),
    ("model.so", "llama-generate model.so --prompt-ids=1 --max-tokens=2 --logits={}"),
    ("external.so", "llama-generate external.so --prompt-ids=1 --max-tokens=2 --trace={}"),
    ("external.so.weights", "llama-generate external.so --prompt-ids=1 --max-tokens=2 --logits={}"),
    ("external.so.weights", "llama-generate external.so --prompt-ids=1 --max-tokens=2 --trace={}"),
    ("prompt", "llama-generate model.so --prompt-file=prompt --max-tokens=2 --trace={}"),
    ("prompt", "llama-generate model.so --prompt-file=prompt --max-tokens=2 --logits={}"),
    ("sampler.json", "llama-generate model.so --prompt-ids=1 --max-tokens=2 --sampler-config=sampler.json --trace={}"),
    ("messages.json", "llama-generate model.so --messages=messages.json --max-tokens=2 --trace={}"),
    ("messages.json", "llama-generate model.so --messages=messages.json --max-tokens=2 --logits={}"),
    ("given.jinja", "llama-generate model.so --chat --prompt=a --chat-template=given.jinja --max-tokens=2 --trace={}"),
    ("given.jinja", "llama-generate model.so --chat --prompt=a --chat-template=given.jinja --max-tokens=2 --logits={}"),
    ("trace.jsonl", "llama-measure trace trace.jsonl -o {}"),
]
# Outputs whose names are made of another: what is written onto is linked to under that name.
MADE_NAMES = [
    ("model.gguf", "links/new.so.weights", "llama-compile model.gguf -o links/new.so --weights=external"),
    ("hf/model.safetensors", "links/new.so.weights", "llama-compile hf -o links/new.so --weights=external"),
    ("hf/config.json", "links/1-import.mlir", "llama-compile hf -o new.so --dump-stages=links"),
    ("hf/config.json", "links/5-llvm.mlir", "llama-compile hf -o new.so --dump-stages=links"),
    ("fuse.mlir", "links/3-linalg.x86-64-v4.mlir",
     "llama-compile fuse.mlir -o new.so --mcpu=x86-64-v3,x86-64-v4 --dump-stages=links"),
]
# Two outputs of one command in one file.
TWICE = [
    "llama-compile hf -o {} --opt-report={}",
    "llama-compile hf --emit=asm -o {} --opt-report={}",
    "llama-compile hf -o new.so --weights=external --opt-report=new.so.weights",
    "llama-compile hf --emit=linalg -o stages/2-fuse.mlir --dump-stages=stages",
    "llama-generate model.so --prompt-ids=1 --max-tokens=2 --logits={} --trace={}",
]
# The same of what is printed, which has no name: appended to the file.
PRINTED = [
    ("hf/config.json", "llama-compile hf --emit=fuse"),
    ("fuse.mlir", "llama-compile fuse.mlir --emit=linalg"),
    ("hf/config.json", "llama-compile hf --emit=asm -o -"),
    ("hf/config.json", "llama-weights inspect hf"),
    ("model.gguf", "llama-weights inspect model.gguf --json"),
    ("hf/config.json", "llama-weights verify hf"),
    ("model.gguf", "llama-weights convert model.gguf - --to=gguf"),
    ("hf/config.json", "llama-weights verify hf --write-manifest=new.json"),
    ("model.so", "llama-weights inspect model.so --stats"),
    ("hf/tokenizer.json", "llama-weights tokenize hf --encode=a"),
    ("hf/tokenizer.json", "llama-weights tokenize hf/tokenizer.json --decode=1,2 --json"),
    ("model.so", "llama-weights tokenize model.so --encode=a --json"),
    ("prompt", "llama-weights tokenize hf --encode-file=prompt"),
    ("model.so", "llama-generate model.so --prompt-ids=1 --max-tokens=2 --print-ids"),
    ("external.so.weights", "llama-generate external.so --prompt-ids=1 --max-tokens=2"),
    ("prompt", "llama-generate model.so --prompt-file=prompt --max-tokens=2"),
    ("prompt", "llama-generate model.so --prompt-file=prompt --max-tokens=2 --branches=2"),
    ("prompt", "llama-generate model.so --prompt-file=prompt --print-ids --max-tokens=2"),
    ("prompt", "llama-generate model.so --prompt-file=prompt --echo --max-tokens=2"),
    ("prompt", "llama-generate model.so --chat --prompt-file=prompt --print-prompt"),
    ("messages.json", "llama-generate model.so --messages=messages.json --max-tokens=2"),
    ("messages.json", "llama-generate model.so --messages=messages.json --print-prompt --print-ids"),
    ("given.jinja", "llama-generate model.so --chat --prompt=a --chat-template=given.jinja --max-tokens=2"),
    ("sampler.json", "llama-generate model.so --prompt-ids=1 --max-tokens=2 --sampler-config=sampler.json"),
    ("model.so", "llama-measure speed model.so -p 4 -n 1 -r 1"),
    ("model.so", "llama-measure speed model.so -p 4 -n 1 -r 1 --json"),
    ("prompt", "llama-measure quality model.so --text=prompt"),
    ("external.so", "llama-measure quality model.so --text=prompt --reference=external.so --json"),
    ("trace.jsonl", "llama-measure trace trace.jsonl -o -"),
]
# What is read from standard input, and printed onto it.
PIPED = [
    ("prompt", "llama-generate model.so --prompt-file=- --max-tokens=2"),
    ("prompt", "llama-generate model.so --prompt-file=- --max-tokens=2 --trace=/dev/stdout"),
    ("prompt", "llama-generate model.so --chat --max-tokens=2"),
    ("fuse.mlir", "llama-opt"),
    ("fuse.mlir", "llama-opt - -o -"),
]


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def snapshot(folder):
    """Every file with its bytes."""
    return {os.path.relpath(os.path.join(parent, name), folder): digest(os.path.join(parent, name))
            for parent, _, names in os.walk(folder) for name in names}


class Overwriting(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shutil.rmtree(OUT, ignore_errors=True)
        os.makedirs(OUT)
        cls.make_inputs()

    @classmethod
    def run_tool(cls, command, **options):
        tool, *arguments = command.split()
        return subprocess.run([os.path.join(TOOLS, tool), *arguments], cwd=OUT, check=False, timeout=300,
                              **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                                 **options})

    @classmethod
    def make(cls, command):
        result = cls.run_tool(command)
        if result.returncode:
            raise AssertionError(f"{command}: {result.stderr.decode()}")

    @classmethod
    def make_inputs(cls):
        for name, form in (("hf", "hf"), ("model.gguf", "gguf")):
            subprocess.run([sys.executable, MAKE, os.path.join(OUT, name), f"--format={form}", "--vocab=1024",
                            "--layers=1", f"--tokenizer={EXAMPLE}"], check=True, stdout=subprocess.DEVNULL)
        files = {"hf/tokenizer.model": "never read", "prompt": "Once upon a time", "sampler.json": '{"temperature": 0}',
                 "messages.json": '{"messages": [{"role": "user", "content": "a"}]}',
                 "given.jinja": "{{ messages[0].content }}"}
        for name, text in files.items():
            with open(os.path.join(OUT, name), "w", encoding="utf-8") as file:
                file.write(text)
        shape = json.loads(cls.run_tool("llama-weights inspect model.gguf --json").stdout)
        config = {key: shape[key] for key in ("name", "hidden", "ffn", "vocab", "layers", "heads", "norm_eps", "rope",
                                              "max_seq_len", "tied_embeddings")}
        config |= {"weights": {"format": "gguf", "path": "../model.gguf"}, "tokenizer": "../hf/tokenizer.json"}
        os.mkdir(os.path.join(OUT, "by-hand"))
        with open(os.path.join(OUT, "by-hand", "model.json"), "w", encoding="utf-8") as file:
            json.dump(config, file)
        cls.make("llama-compile hf -o model.so --quiet")
        cls.make("llama-compile hf -o external.so --weights=external --quiet")
        cls.make("llama-compile hf --emit=fuse -o fuse.mlir --quiet")
        cls.make("llama-weights verify hf --write-manifest=manifest.json --quiet")
        cls.make("llama-generate model.so --prompt-ids=1 --max-tokens=2 --trace=trace.jsonl --quiet")

    def links(self, name):
        """Other names of a file, outside of its folder."""
        target, folder = os.path.join(OUT, name), os.path.join(OUT, "links")
        shutil.rmtree(folder, ignore_errors=True)
        os.mkdir(folder)
        os.link(target, os.path.join(folder, "hard"))
        os.symlink(target, os.path.join(folder, "soft"))
        os.symlink("soft", os.path.join(folder, "twice"))
        return [name, "links/hard", "links/soft", "links/twice"]

    def expect_refusal(self, command, before, result, reason="is a file that is read, expected another one to write"):
        message = result.stderr.decode()
        self.assertEqual((result.returncode, len(message.splitlines())), (1, 1), f"{command}: {message}")
        self.assertIn(reason, message, command)
        self.assertEqual(snapshot(OUT), before, command)

    def test_named_outputs(self):
        for name, command in ONTO:
            for output in self.links(name):
                given = command.format(output)
                with self.subTest(given):
                    before = snapshot(OUT)
                    result = self.run_tool(given)
                    self.expect_refusal(given, before, result)
                    self.assertIn(output, result.stderr.decode())

    def test_standard_output_appended_to_an_input(self):
        rows = [(name, command.format("/dev/stdout")) for name, command in ONTO] + PRINTED
        for name, command in rows:
            with self.subTest(command):
                before = snapshot(OUT)
                with open(os.path.join(OUT, name), "ab") as file:
                    result = self.run_tool(command, stdout=file)
                self.expect_refusal(command, before, result)

    def test_standard_output_appended_to_standard_input(self):
        for name, command in PIPED:
            with self.subTest(command):
                before = snapshot(OUT)
                with open(os.path.join(OUT, name), "rb") as given, open(os.path.join(OUT, name), "ab") as file:
                    result = self.run_tool(command, stdin=given, stdout=file)
                self.expect_refusal(command, before, result)

    def test_names_that_are_made_of_others(self):
        for name, made, command in MADE_NAMES:
            for link in [os.link, os.symlink]:
                with self.subTest(command, link=link.__name__):
                    shutil.rmtree(os.path.join(OUT, "links"), ignore_errors=True)
                    os.mkdir(os.path.join(OUT, "links"))
                    link(os.path.join(OUT, name), os.path.join(OUT, made))
                    before = snapshot(OUT)
                    result = self.run_tool(command)
                    self.expect_refusal(command, before, result)
                    self.assertIn(made, result.stderr.decode())

    def test_two_outputs_are_two_files(self):
        os.mkdir(os.path.join(OUT, "places"))
        os.symlink("one", os.path.join(OUT, "places", "link"))
        with open(os.path.join(OUT, "places", "one"), "w", encoding="utf-8") as file:
            file.write("before")
        for command in TWICE:
            for names in [("places/one",) * 2, ("places/one", "places/../places/one"), ("places/one", "places/link")]:
                given = command.format(*names)
                with self.subTest(given):
                    before = snapshot(OUT)
                    self.expect_refusal(given, before, self.run_tool(given),
                                        "is where two outputs go, expected a file for each")
        self.make("llama-compile hf -o /dev/null --opt-report=/dev/null")
        shutil.rmtree(os.path.join(OUT, "places"))

    def test_stages_are_not_dumped_onto_the_input(self):
        folder = os.path.join(OUT, "stages")
        os.mkdir(folder)
        shutil.copy(os.path.join(OUT, "fuse.mlir"), os.path.join(folder, "4-kernels.mlir"))
        before = snapshot(OUT)
        command = "llama-compile stages/4-kernels.mlir -o new.so --dump-stages=stages"
        self.expect_refusal(command, before, self.run_tool(command))
        shutil.rmtree(folder)

    def test_a_conversation_is_not_saved_onto_the_model(self):
        flags = "--sampler-config=sampler.json --chat-template=given.jinja --max-tokens=1 --quiet"
        for name in ["external.so", "external.so.weights", "given.jinja", "sampler.json", "lines"]:
            for output in [name] if name == "lines" else self.links(name):
                with open(os.path.join(OUT, "lines"), "w", encoding="utf-8") as lines:
                    lines.write(f"Hi\n/save {output}\n/quit\n")
                before = snapshot(OUT)
                with open(os.path.join(OUT, "lines"), "rb") as lines:
                    result = self.run_tool(f"llama-generate external.so --chat {flags}", stdin=lines)
                self.assertEqual(result.stderr.decode(),
                                 f"{output}: is a file that is read, expected another one to write\n")
                self.assertEqual(snapshot(OUT), before)

    def test_a_folder_is_not_made_where_an_input_is(self):
        for destination in ["hf", "hf/", "links/folder"]:
            shutil.rmtree(os.path.join(OUT, "links"), ignore_errors=True)
            os.mkdir(os.path.join(OUT, "links"))
            os.symlink("../hf", os.path.join(OUT, "links", "folder"))
            for form in ["hf", "meta", "npy", "maxtext", "nanotron"]:
                before = snapshot(OUT)
                result = self.run_tool(f"llama-weights convert hf {destination} --to={form} --quiet")
                self.assertEqual(result.returncode, 1)
                self.assertIn("is there already, and not empty", result.stderr.decode())
                self.assertEqual(snapshot(OUT), before)

    def test_the_same_command_twice_is_no_overwriting_of_inputs(self):
        for command in ["llama-compile hf -o hf/again.so --quiet", "llama-weights convert hf hf/again.gguf --to=gguf",
                        "llama-compile hf -o hf/again.mlir --emit=fuse",
                        "llama-compile hf -o hf/again.so --opt-report=hf/report.json --quiet"]:
            for _ in range(2):
                self.make(command)
        for name in ["again.so", "again.gguf", "again.mlir", "report.json"]:
            os.remove(os.path.join(OUT, "hf", name))


class Places(unittest.TestCase):
    """Where outputs go that are no inputs."""

    run_tool, make = Overwriting.run_tool, Overwriting.make
    OUTPUTS = {
        "so": "llama-compile hf -o {} --quiet", "mlir": "llama-compile hf --emit=fuse -o {}",
        "gguf": "llama-weights convert hf {} --to=gguf --quiet",
        "manifest": "llama-weights verify hf --write-manifest={} --quiet",
        "trace": "llama-generate model.so --prompt-ids=1 --max-tokens=2 --quiet --trace={}",
        "npy": "llama-generate model.so --prompt-ids=1 --max-tokens=2 --quiet --logits={}",
        "page": "llama-measure trace trace.jsonl -o {}",
    }
    NOT_IN_ORDER = {"so", "npy"}

    def path(self, name):
        return os.path.join(OUT, name)

    def setUp(self):
        os.makedirs(self.path("places"))
        self.addCleanup(shutil.rmtree, self.path("places"))

    def test_a_link_is_followed_and_its_file_replaced_whole(self):
        for kind, command in self.OUTPUTS.items():
            with self.subTest(kind):
                self.make(command.format("places/expected"))
                expected = digest(self.path("places/expected"))
                with open(self.path("places/target"), "w", encoding="utf-8") as file:
                    file.write("before")
                os.chmod(self.path("places/target"), 0o640)
                os.link(self.path("places/target"), self.path("places/other"))
                os.symlink("target", self.path("places/link"))
                os.symlink("absent", self.path("places/dangling"))
                self.make(command.format("places/link"))
                self.make(command.format("places/dangling"))
                self.assertTrue(os.path.islink(self.path("places/link")))
                self.assertTrue(os.path.islink(self.path("places/dangling")))
                self.assertEqual(digest(self.path("places/target")), expected)
                self.assertEqual(digest(self.path("places/absent")), expected)
                with open(self.path("places/other"), encoding="utf-8") as file:
                    self.assertEqual(file.read(), "before")
                mode = stat.S_IMODE(os.stat(self.path("places/target")).st_mode)
                self.assertEqual(mode, 0o750 if kind == "so" else 0o640)
                self.assertEqual(len(os.listdir(self.path("places"))), 6)
                shutil.rmtree(self.path("places"))
                os.makedirs(self.path("places"))

    def test_pipes_take_what_is_written_in_order(self):
        for kind, command in self.OUTPUTS.items():
            for name in ["-", "/dev/stdout"]:
                with self.subTest(f"{kind} {name}"):
                    self.make(command.format("places/expected"))
                    result = self.run_tool(command.format(name))
                    with open(self.path("places/expected"), "rb") as file:
                        expected = file.read()
                    if kind in self.NOT_IN_ORDER:
                        message = result.stderr.decode()
                        self.assertEqual((result.returncode, result.stdout), (1, b""))
                        self.assertEqual(len(message.splitlines()), 1)
                        self.assertIn("standard output: expected a file" if name == "-" else
                                      "/dev/stdout: is a pipe, expected a file", message)
                    elif kind in ("gguf", "mlir", "page"):
                        self.assertEqual(result.stdout, expected)
                    else:  # among other things that are printed
                        for line in expected.splitlines():
                            self.assertIn(line, result.stdout)
        self.assertFalse(os.path.exists(self.path("-")))

    def test_devices_are_not_replaced(self):
        for command in self.OUTPUTS.values():
            self.make(command.format("/dev/null"))
            self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    TOOLS, EXAMPLE, OUT = (os.path.abspath(path) for path in sys.argv[1:])
    unittest.main(argv=sys.argv[:1])
