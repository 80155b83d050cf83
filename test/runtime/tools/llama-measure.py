"""llama-measure from outside, with the fake model of test/runtime.

    python test/runtime/tools/llama-measure.py BUILD_DIRECTORY
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

BUILD = ""


class Speed(unittest.TestCase):
    def run_tool(self, *arguments):
        tool = os.path.join(BUILD, "bin", "llama-measure")
        model = os.path.join(BUILD, "test", "runtime", "models", "fake.so")
        return subprocess.run(
            [tool, "speed", model, *arguments], capture_output=True, timeout=120, check=False
        )

    def measure(self, *arguments):
        result = self.run_tool("--json", "-r", "2", *arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def test_what_is_derived_follows_from_what_is_measured(self):
        out = self.measure("-p", "100", "-n", "20", "--batch=3", "--threads=2")
        self.assertEqual(out["prompt_tokens"], 100)
        self.assertEqual(out["decode_tokens"], 20)
        self.assertEqual((out["batch"], out["threads"]), (3, 2))
        # Of the three tensors the embeddings are not read as a whole.
        self.assertEqual(out["weight_bytes_per_step"], 1024 + 16896)
        for rates in [out["prompt_tokens_per_s"], out["decode_tokens_per_s"]]:
            self.assertGreater(rates["min"], 0)
            self.assertLessEqual(rates["min"], rates["median"])
            self.assertLessEqual(rates["median"], rates["max"])
        steps = out["decode_tokens_per_s"]["median"] / 3
        self.assertAlmostEqual(
            out["decode_bytes_per_s"] / (steps * out["weight_bytes_per_step"]), 1
        )
        self.assertAlmostEqual(
            out["decode_share_of_read"],
            out["decode_bytes_per_s"] / out["read_bytes_per_s"],
        )

    def test_the_bandwidth_is_one_a_machine_can_have(self):
        bandwidth = self.measure("-p", "1", "-n", "0")["read_bytes_per_s"]
        self.assertGreater(bandwidth, 100e6)
        self.assertLess(bandwidth, 5e12)

    def test_usual_lengths_shrink_to_the_context(self):
        out = self.measure()
        self.assertEqual((out["prompt_tokens"], out["decode_tokens"]), (384, 128))

    def test_lengths_asked_for_do_not(self):
        result = self.run_tool("-p", "500", "-n", "13")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(
            result.stderr.decode(),
            "error: a prompt of 500 and 13 more tokens do not fit the model's "
            "context of 512\n",
        )

    def test_wrong_usage_has_its_own_code(self):
        self.assertEqual(self.run_tool("-r", "0").returncode, 2)
        self.assertEqual(self.run_tool("--hat").returncode, 2)

    def test_lines_for_people(self):
        result = self.run_tool("-p", "10", "-n", "5", "-r", "1", "--threads=1")
        lines = result.stdout.decode().splitlines()
        self.assertRegex(lines[0], r"^memory  read with 1 threads: [\d.]+ GB/s$")
        self.assertRegex(lines[1], r"^prompt +10 tokens +[\d.]+ tokens/s \(.*\)$")
        self.assertRegex(
            lines[2],
            r"^decode +5 tokens +[\d.]+ tokens/s \(.*\), [\d.]+ GB/s of weights, "
            r"\d+ % of the read bandwidth$",
        )


class TracePage(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def show(self, text):
        with open(self.path("in.jsonl"), "w", encoding="utf-8") as file:
            file.write(text)
        tool = os.path.join(BUILD, "bin", "llama-measure")
        return subprocess.run([tool, "trace", self.path("in.jsonl"), "-o", self.path("out.html")],
                              capture_output=True, timeout=60, check=False)

    HEADER = '{"model": "m</script>", "sampler": {"sampler": "greedy"}, "thresholds": null, "prompt": "<!--"}\n'
    TOKEN = ('{"position": 1, "id": 2, "text": "</script>", "probability": 0.5, "entropy": 1, '
             '"varentropy": 0, "state": "", "candidates": []}\n')

    def test_a_page_holds_the_trace(self):
        result = self.show(self.HEADER + self.TOKEN)
        self.assertEqual(result.returncode, 0, result.stderr)
        with open(self.path("out.html"), encoding="utf-8") as file:
            page = file.read()
        begin = page.index('type="application/json">') + len('type="application/json">')
        data = json.loads(page[begin : page.index("</script>", begin)])
        self.assertEqual(data["header"]["model"], "m</script>")
        self.assertEqual(data["tokens"][0]["text"], "</script>")
        self.assertNotIn("http://", page.replace("http://www.w3.org", ""))

    def test_what_is_no_trace_is_an_error(self):
        name = self.path("in.jsonl")
        for text, message in [
            ("", f"{name}: is empty"),
            ("x\n", f"{name}: line 1: is no JSON object"),
            ("{}\n", f"{name}: line 1: expected 'model' and 'sampler', as llama-generate --trace writes them"),
            (self.HEADER + "{}\n", f"{name}: line 2: expected a number 'position', as llama-generate --trace writes it"),
            (self.HEADER + self.TOKEN[:40], f"{name}: line 2: is no JSON object"),
        ]:
            result = self.show(text)
            self.assertEqual(result.returncode, 1)
            self.assertEqual(result.stderr.decode(), f"error: {message}\n")
            self.assertFalse(os.path.exists(self.path("out.html")))



if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main()
