"""ORG/NAME is found where Hugging Face's own library finds it, and is never fetched.

    python test/field/hub-cache.py TOOLS CHECKPOINT OUT

CHECKPOINT is put into caches as `hf download` lays them out: blobs, links, a snapshot, a ref.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import unittest

FIND = """
import sys, huggingface_hub
print(huggingface_hub.snapshot_download(sys.argv[1], local_files_only=True))
"""


class HubCache(unittest.TestCase):
    def setUp(self):
        shutil.rmtree(OUT, ignore_errors=True)
        os.makedirs(OUT)
        self.home = os.path.join(OUT, "home")
        os.mkdir(self.home)

    def put(self, cache, repository="org/Tiny-1.5"):
        """CHECKPOINT as a snapshot; its folder."""
        folder = os.path.join(cache, "models--" + repository.replace("/", "--"))
        commit = "0123456789abcdef0123456789abcdef01234567"
        snapshot = os.path.join(folder, "snapshots", commit)
        for name in ["refs", "blobs", "snapshots/" + commit]:
            os.makedirs(os.path.join(folder, name))
        for name in os.listdir(CHECKPOINT):
            with open(os.path.join(CHECKPOINT, name), "rb") as file:
                data = file.read()
            blob = hashlib.sha256(data).hexdigest()
            with open(os.path.join(folder, "blobs", blob), "wb") as file:
                file.write(data)
            os.symlink("../../blobs/" + blob, os.path.join(snapshot, name))
        with open(os.path.join(folder, "refs", "main"), "w", encoding="utf-8") as file:
            file.write(commit)
        return snapshot

    def run_program(self, command, variables):
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGINGFACE", "XDG_"))}
        return subprocess.run(command, cwd=OUT, env={**environment, "HOME": self.home, **variables},
                              capture_output=True, text=True, check=False, timeout=120)

    def run_tool(self, tool, *arguments, **variables):
        return self.run_program([os.path.join(TOOLS, tool), *arguments], variables)

    def test_each_variable_names_the_place_that_the_library_looks_in(self):
        for cache, variables in [
            ("home/.cache/huggingface/hub", {}),
            ("xdg/huggingface/hub", {"XDG_CACHE_HOME": OUT + "/xdg"}),
            ("of-home/hub", {"HF_HOME": OUT + "/of-home"}),
            ("home/tilde/hub", {"HF_HOME": "~/tilde"}),
            ("of-cache", {"HF_HUB_CACHE": OUT + "/of-cache", "HF_HOME": OUT + "/elsewhere"}),
        ]:
            with self.subTest(cache):
                snapshot = self.put(os.path.join(OUT, cache))
                library = self.run_program([sys.executable, "-c", FIND, "org/Tiny-1.5"], variables)
                self.assertEqual(library.stdout.strip(), snapshot, library.stderr)
                result = self.run_tool("llama-weights", "inspect", "org/Tiny-1.5", "--json", **variables)
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertEqual(json.loads(result.stdout)["name"], "Tiny-1.5")
                shutil.rmtree(os.path.join(OUT, cache))

    def test_every_tool_takes_it(self):
        self.put(os.path.join(self.home, ".cache/huggingface/hub"))
        for command in [["llama-weights", "verify", "org/Tiny-1.5"],
                        ["llama-weights", "tokenize", "org/Tiny-1.5", "--encode=a"],
                        ["llama-weights", "convert", "org/Tiny-1.5", "tiny.gguf", "--to=gguf"],
                        ["llama-compile", "org/Tiny-1.5", "-o", "tiny.so", "--quiet"]]:
            result = self.run_tool(*command)
            self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.run_tool("llama-compile", CHECKPOINT, "-o", "same.so", "--quiet").returncode, 0)
        ids = [self.run_tool("llama-generate", name, "--prompt-ids=1,2", "--max-tokens=8", "--print-ids").stdout
               for name in ["./tiny.so", "./same.so"]]
        self.assertEqual(ids[0], ids[1])
        self.assertTrue(ids[0])

    def test_what_is_missing_is_named_with_the_command_that_fetches_it(self):
        cache = os.path.join(self.home, ".cache/huggingface/hub")
        expected = f"org/none: is neither here nor in {cache}; to fetch it: hf download org/none\n"
        for tool, *arguments in [["llama-compile", "org/none"], ["llama-weights", "inspect", "org/none"],
                                 ["llama-weights", "verify", "org/none"],
                                 ["llama-weights", "tokenize", "org/none", "--encode=a"],
                                 ["llama-weights", "convert", "org/none", "x.gguf", "--to=gguf"]]:
            result = self.run_tool(tool, *arguments)
            self.assertEqual((result.returncode, result.stdout, result.stderr),
                             (1, "", f"{tool}: error: {expected}"))
        snapshot = self.put(cache)
        shutil.rmtree(snapshot)
        result = self.run_tool("llama-compile", "org/Tiny-1.5")
        self.assertEqual(result.stderr, f"llama-compile: error: {snapshot}: is not there; to fetch it: "
                         "hf download org/Tiny-1.5\n")
        ref = os.path.join(os.path.dirname(os.path.dirname(snapshot)), "refs", "main")
        for text in ["", "../../elsewhere"]:
            with open(ref, "w", encoding="utf-8") as file:
                file.write(text)
            result = self.run_tool("llama-compile", "org/Tiny-1.5")
            self.assertEqual(result.stderr, f"llama-compile: error: {ref}: expected the name of a snapshot, "
                             f"found '{text}'\n")
        self.assertEqual(sorted(os.listdir(OUT)), ["home"])

    def test_a_folder_of_that_name_comes_first(self):
        self.put(os.path.join(self.home, ".cache/huggingface/hub"))
        os.makedirs(os.path.join(OUT, "org", "Tiny-1.5"))
        result = self.run_tool("llama-compile", "org/Tiny-1.5")
        self.assertIn("org/Tiny-1.5: holds none of", result.stderr)

    def test_paths_of_files_are_not_looked_for(self):
        for name in ["models/llama.gguf", "a/b/c", "../org", "./none", "org/model.json"]:
            result = self.run_tool("llama-compile", name)
            self.assertEqual(result.stderr, f"llama-compile: error: {name}: does not exist\n")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    TOOLS, CHECKPOINT, OUT = (os.path.abspath(path) for path in sys.argv[1:])
    unittest.main(argv=sys.argv[:1])
