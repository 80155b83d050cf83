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

    def check_line(self, out, line, tokens, calls, operations):
        """What is derived follows from the median and from what a call costs."""
        rates = line["tokens_per_s"]
        self.assertGreater(rates["min"], 0)
        self.assertLessEqual(rates["min"], rates["median"])
        self.assertLessEqual(rates["median"], rates["max"])
        seconds = tokens / rates["median"]
        bytes_per_s = calls * out["weight_bytes_per_call"] / seconds
        self.assertAlmostEqual(line["weight_bytes_per_s"] / bytes_per_s, 1)
        self.assertAlmostEqual(line["operations_per_s"] / (operations / seconds), 1)
        self.assertAlmostEqual(line["share_of_read"], line["weight_bytes_per_s"] / out["read_bytes_per_s"])
        self.assertEqual(line["bound"],
                         "reads" if line["share_of_read"] >= line["share_of_peak"] else out["peak_unit"])
        self.assertAlmostEqual(line["share_of_peak"],
                               line["operations_per_s"] / out["peak_operations_per_s"])

    def operations(self, before, tokens, rows):
        """A layer's matrix of 16 x 16, an output matrix of 264 x 16; in the two
        layers, four heads of size 4 multiply a query by a key and a weight by a
        value for every token and those up to it."""
        pairs = sum(before + i + 1 for i in range(tokens))
        return 2 * 16 * 16 * tokens + 2 * 264 * 16 * rows + 2 * 2 * 2 * 4 * 4 * pairs

    def test_what_is_derived_follows_from_what_is_measured(self):
        out = self.measure("-p", "100,7", "-n", "20", "--batch=3,1", "--threads=2", "--batch-rows=64")
        self.assertEqual(out["threads"], 2)
        # Of the three tensors the embeddings are not read as a whole.
        self.assertEqual(out["weight_bytes_per_call"], 1024 + 16896)
        self.assertEqual([line["prompt_tokens"] for line in out["prompt"]], [100, 7])
        for line, calls in zip(out["prompt"], [2, 1]):
            count = line["prompt_tokens"]
            self.check_line(out, line, count, calls, self.operations(0, count, 1))
        self.assertEqual([(line["prompt_tokens"], line["decode_tokens"], line["batch"])
                          for line in out["decode"]],
                         [(100, 20, 3), (100, 20, 1), (7, 20, 3), (7, 20, 1)])
        for line in out["decode"]:
            operations = line["batch"] * self.operations(line["prompt_tokens"], 20, 20)
            self.check_line(out, line, 20 * line["batch"], 20, operations)

    def test_bounds_are_those_a_machine_can_have(self):
        out = self.measure("-p", "1", "-n", "0", "--threads=1")
        self.assertEqual(out["decode"], [])
        self.assertEqual([read["streams"] for read in out["reads"]], [1, 2, 4, 8, 16])
        best = max(out["reads"], key=lambda read: read["bytes_per_s"])
        self.assertEqual((best["streams"], best["bytes_per_s"]),
                         (out["read_streams"], out["read_bytes_per_s"]))
        self.assertGreater(best["bytes_per_s"], 100e6)
        self.assertLess(best["bytes_per_s"], 5e12)
        # The fake model's numbers are f32, so only f32 units bound it.
        peaks = {peak["unit"]: peak["operations_per_s"] for peak in out["peaks"]}
        self.assertEqual(out["peak_unit"], out["peaks"][0]["unit"])
        self.assertIn("f32", out["peak_unit"])
        self.assertEqual(out["peak_operations_per_s"], peaks[out["peak_unit"]])
        for unit, peak in peaks.items():
            self.assertGreater(peak, 1e9, unit)
            self.assertLess(peak, 1e13, unit)

    def test_noise_is_measured_again_and_said(self):
        """Whatever the reads were: what is said of them follows, and so does what was done."""
        result = self.run_tool("--json", "-p", "1", "-n", "0", "-r", "1", "--threads=1")
        out = json.loads(result.stdout)
        before, after = out["read_before_bytes_per_s"], out["read_after_bytes_per_s"]
        self.assertGreater(min(before, after), 0)
        self.assertLessEqual(max(before, after), out["read_bytes_per_s"])
        self.assertEqual(out["noise"], abs(before - after) / max(before, after) > 0.05)
        self.assertIn(out["measurements"], [1, 2, 3])
        if out["measurements"] < 3:
            self.assertFalse(out["noise"])
        said = result.stderr.decode().splitlines()
        self.assertEqual([line for line in said if line.startswith("reads")], said)
        self.assertEqual(len(said), out["measurements"] - 1)
        for number, line in enumerate(said, 2):
            self.assertRegex(line, rf"^reads before and after differ by \d+\.\d %: measures again "
                                   rf"\({number} of 3 at most\)$")
        quiet = self.run_tool("--json", "-p", "1", "-n", "0", "-r", "1", "--threads=1", "--quiet")
        self.assertEqual(quiet.stderr, b"")

    def test_the_units_are_those_of_the_cpu(self):
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            flags = set(file.read().split())
        peaks = self.measure_peaks()
        for flag, unit in [("avx512f", "avx512 fma f32"), ("avx512_bf16", "avx512 dot bf16"),
                           ("avx512_vnni", "avx512 dot int8"), ("amx_bf16", "amx bf16"),
                           ("amx_int8", "amx int8")]:
            self.assertEqual(unit in peaks, flag in flags, unit)
        if "avx512 dot int8" not in peaks:
            return
        for _ in range(8):  # another program may have had the core: a peak is the best of some
            ratio = peaks["avx512 dot int8"] / peaks["avx512 fma f32"]
            if 1.5 < ratio < 9:  # four products where a lane of f32 has one
                return
            peaks = {unit: max(peak, peaks[unit]) for unit, peak in self.measure_peaks().items()}
        self.fail(f"integers have {ratio:.2f} times the peak of f32, expected 1.5 to 9")

    def measure_peaks(self):
        return {peak["unit"]: peak["operations_per_s"]
                for peak in self.measure("-p", "1", "-n", "0", "--threads=1")["peaks"]}

    def test_usual_lengths_shrink_to_the_context(self):
        out = self.measure()
        self.assertEqual(out["prompt"][0]["prompt_tokens"], 384)
        self.assertEqual(out["decode"][0]["decode_tokens"], 128)

    def test_lengths_asked_for_do_not(self):
        result = self.run_tool("-p", "5,500", "-n", "13")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(
            result.stderr.decode(),
            "error: a prompt of 500 and 13 more tokens do not fit the model's "
            "context of 512\n",
        )

    def check_profile(self, line, calls, expected):
        """Steps by layer: name, layer, bytes of weights and keys, operations; per call."""
        profile = line["profile"]
        self.assertEqual(profile["calls"], calls)
        self.assertEqual([(step["name"], step["layer"], step["runs"]) for step in profile["steps"]],
                         [("start", None, 1)] + [(name, layer, 1) for name, layer, *_ in expected])
        for step, (_, _, weights, cache, operations) in zip(profile["steps"][1:], expected):
            self.assertAlmostEqual(step["weight_bytes"], weights)
            self.assertAlmostEqual(step["cache_bytes"], cache)
            self.assertAlmostEqual(step["operations"], operations)
        for step in profile["steps"]:
            self.assertGreaterEqual(step["waiting_seconds"], 0)
            self.assertLessEqual(step["waiting_seconds"], step["seconds"])
        total = sum(step["seconds"] for step in profile["steps"])
        self.assertAlmostEqual(total / profile["seconds"], 1)
        self.assertGreater(profile["seconds_outside"], 0)

    def test_a_profile_says_what_steps_take(self):
        out = self.measure("-p", "100", "-n", "20", "--batch=3", "--threads=2", "--batch-rows=64",
                           "--profile=layers")
        # The fake model says of its steps: 64 bytes for every row of embeddings;
        # 1000 bytes, 100 weights and attention in each of two layers; an output
        # matrix of 264 x 16. Two heads of 4 floats are a key, and a value.
        def attend(layer, rows, keys, pairs):
            return "attend", layer, 1000, 2 * 2 * 4 * 4 * keys, 2 * 100 * rows + 4 * 4 * 4 * pairs
        # Calls of 64 and 36 rows; logits of one row in two.
        each = (50, (64 + 100) / 2, 100 * 101 / 2 / 2)
        self.check_profile(out["prompt"][0], 2 * 2,
                           [("embed", None, 64 * 50, 0, 0), attend(0, *each), attend(1, *each),
                            ("logits", None, 16896 / 2, 0, 2 * 264 * 16 / 2)])
        each = (3, 3 * (101 + 120) / 2, 3 * (101 + 120) / 2)
        self.check_profile(out["decode"][0], 2 * 20,
                           [("embed", None, 64 * 3, 0, 0), attend(0, *each), attend(1, *each),
                            ("logits", None, 16896, 0, 2 * 264 * 16 * 3)])

    def test_a_profile_adds_layers_up(self):
        out = self.measure("-p", "10", "-n", "0", "--threads=1", "--profile")
        steps = {step["name"]: step for step in out["prompt"][0]["profile"]["steps"]}
        self.assertEqual(list(steps), ["start", "embed", "attend", "logits"])
        self.assertNotIn("layer", steps["attend"])
        self.assertEqual(steps["attend"]["runs"], 2)
        self.assertEqual(steps["attend"]["weight_bytes"], 2000)
        self.assertNotIn("profile", self.measure("-p", "10", "-n", "0")["prompt"][0])

    def test_a_profile_for_people(self):
        result = self.run_tool("-p", "10", "-n", "5", "-r", "1", "--threads=1", "--profile=layers")
        lines = result.stdout.decode().splitlines()
        at = lines.index("decode of 10 + 5 tokens, batch 1: 5 forward calls, per call:")
        number = r" +\d+\.\d+"
        self.assertRegex(lines[at + 1], r"^ +runs +ms +waiting +GB +GB/s +Gop/s$")
        self.assertRegex(lines[at + 2], rf"^  start +1.0{number}{number} %{number}$")
        self.assertRegex(lines[at + 4], rf"^  0  attend +1.0{number}{number} %{number}{number}{number}{number}$")
        self.assertRegex(lines[at + 7], rf"^  call +1.0{number} 100.0 %{number}{number}{number}{number}$")
        self.assertRegex(lines[at + 8], rf"^  outside of forward calls:{number} ms$")

    def test_wrong_usage_has_its_own_code(self):
        for arguments in [["-r", "0"], ["--hat"], ["-p", "0"], ["-p", "5,x"], ["--batch=0"],
                          ["--profile=hat"]]:
            self.assertEqual(self.run_tool(*arguments).returncode, 2, arguments)

    def test_lines_for_people(self):
        result = self.run_tool("-p", "10", "-n", "5", "-r", "1", "--threads=1", "--batch", "2")
        lines = result.stdout.decode().splitlines()
        self.assertRegex(lines[0], r"^.*, 1 threads$")
        self.assertRegex(lines[1], r"^reads, GB/s by streams of each thread:(  \d+: [\d.]+){5}$")
        self.assertRegex(lines[2], r"^reads before and after, GB/s: [\d.]+, [\d.]+ \([\d.]+ % apart(: noise)?\)$")
        self.assertRegex(lines[3], r"^multiplies and adds, G/s:  .*f32 \d+")
        self.assertRegex(lines[4], r"^weights of a forward call: 0.000 GB; % of reads with \d+ streams, "
                                   r"% of .*f32$")
        self.assertRegex(lines[6], r"^ +tokens +batch +tokens/s +spread +GB/s +% +Gop/s +%  bound$")
        self.assertRegex(lines[7], r"^prompt +10 +1( +[\d.]+){2} %( +[\d.]+){2} %( +[\d.]+){2} %  (reads|.*f32)$")
        self.assertRegex(lines[8], r"^decode +10 \+ 5 +2( +[\d.]+){2} %( +[\d.]+){2} %( +[\d.]+){2} %  (reads|.*f32)$")


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
            ("x\n", f"{name}: line 1: is not a JSON object"),
            ("{}\n", f"{name}: line 1: expected 'model' and 'sampler', as llama-generate --trace writes them"),
            (self.HEADER + "{}\n", f"{name}: line 2: expected a number 'position', as llama-generate --trace writes it"),
            (self.HEADER + self.TOKEN[:40], f"{name}: line 2: is not a JSON object"),
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
