"""compare.py without its peers: figures, errors, and whole runs with programs that only say what others would.

    python -m unittest discover -s test/benchmark -p test_compare.py
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import instructions
import neighbours
import pairs
import sides

COMPARE = pathlib.Path(__file__).resolve().parent / "compare.py"


def make_rounds(ours, theirs):
    """Rounds of one peer: tokens/s of decode, and of prompts ten times as many; a token reads 2 GB, computes 3 Gop."""
    rounds = []
    for a, b in zip(ours, theirs):
        limits = {"peak_unit": "dot", "read_bytes_per_s": 100e9, "peak_operations_per_s": 300e9, "cpu": "a CPU"}
        for kind, rate in (("prompt", 10 * a), ("decode", a)):
            limits[kind] = {"weight_bytes_per_s": 2e9 * rate, "share_of_read": rate / 50,
                            "operations_per_s": 3e9 * rate, "share_of_peak": rate / 100}
        rounds.append({pairs.OURS: {"prompt": 10 * a, "decode": a, "limits": limits, "noise": False},
                       "llama.cpp": {"prompt": 10 * b, "decode": b}})
    return rounds


class Figures(unittest.TestCase):
    def test_whoever_is_first_is_last_next_time(self):
        self.assertEqual([pairs.order("abc", number) for number in range(4)], ["abc", "bca", "cab", "abc"])
        self.assertEqual(pairs.order(["a"], 5), ["a"])

    def test_a_ratio_is_of_one_round(self):
        """Medians are 20 and 25: their quotient, 0.8, is no ratio that any round had."""
        rounds = make_rounds([10, 20, 40], [5, 25, 30])
        self.assertEqual(pairs.ratios(rounds, "llama.cpp", "decode"), [2, 0.8, 40 / 30])
        self.assertEqual(pairs.summarize(pairs.ratios(rounds, "llama.cpp", "decode")), (40 / 30, 0.8, 2))

    def test_the_median_of_two_lies_between_them(self):
        self.assertEqual(pairs.summarize([4, 1]), (2.5, 1, 4))

    def test_every_figure_follows_from_those_printed(self):
        head, ours, theirs, ratio, reads, bytes_read, read_share, peak, computed, peak_share = pairs.round_table(
            make_rounds([10, 20.5, 40], [5, 25, 30]), "decode")
        self.assertEqual(head, ["", "", "round 1", "round 2", "round 3", "median", "smallest", "largest"])
        self.assertEqual(ours, ["llama-compile", "tokens/s", "10", "20.5", "40", "20.5", "10", "40"])
        self.assertEqual(ratio, ["ours / llama.cpp", "", "2.00", "0.82", "1.33", "1.33", "0.82", "2.00"])
        self.assertEqual(bytes_read[0], "  ours: tokens/s x 2 GB")
        self.assertEqual(computed[0], "  ours: tokens/s x 3 Gop")
        for i in range(2, 5):
            self.assertEqual(f"{float(ours[i]) / float(theirs[i]):.2f}", ratio[i])
            self.assertEqual(float(ours[i]) * 2, float(bytes_read[i]))
            self.assertEqual(f"{100 * float(bytes_read[i]) / float(reads[i]):.1f}", read_share[i])
            self.assertEqual(float(ours[i]) * 3, float(computed[i]))
            self.assertEqual(f"{100 * float(computed[i]) / float(peak[i]):.1f}", peak_share[i])

    def test_the_table_is_the_one_of_the_readme(self):
        rounds = make_rounds([10, 20, 40], [5, 25, 30])
        result = {"shape": "1b", "weights": "int4", "busy": 0, "rounds": rounds}
        lines = ["| | llama-compile | llama.cpp | ratio (median of pairs) | range |", "|---|---|---|---|---|",
                 "| int4 and Q4_0, prefill | 200 | 250 | 1.33 | 0.80 to 2.00 |",
                 "| int4 and Q4_0, decode | 20.0 | 25.0 | 1.33 | 0.80 to 2.00 |"]
        self.assertEqual(pairs.markdown([result], sides.NAMES), lines)
        several = pairs.markdown([result, result | {"shape": "8b", "weights": "bf16", "busy": 2}], sides.NAMES)
        self.assertEqual([line.split(" |")[0] for line in several[2:]],
                         ["| 1B, int4 and Q4_0, prefill, quiet", "| 1B, int4 and Q4_0, decode, quiet",
                          "| 8B, bf16, prefill, 2 neighbours", "| 8B, bf16, decode, 2 neighbours"])

    def test_rounds_with_noise_are_named(self):
        rounds = make_rounds([1, 2, 3], [1, 2, 3])
        rounds[1][pairs.OURS]["noise"] = True
        self.assertEqual(pairs.noisy(rounds), [2])


class LlamaBenchOutput(unittest.TestCase):
    RESULT = {"build_commit": "abc", "n_prompt": 512, "n_gen": 0, "n_threads": 2, "avg_ts": 136.5}

    def parse(self, found, before=""):
        return sides.parse_llama_bench(before + json.dumps(found, indent=2), 512, 0, 2)["avg_ts"]

    def test_the_one_result_is_found(self):
        self.assertEqual(self.parse([self.RESULT]), 136.5)
        self.assertEqual(self.parse([self.RESULT], "warming up [1]\n"), 136.5)

    def test_what_is_not_understood_is_said(self):
        def but(**other):
            return [self.RESULT | other]
        for found, message in [
            ([], "expected one result, found 0"),
            ([self.RESULT] * 2, "expected one result, found 2"),
            (self.RESULT, "expected one result, found 0"),
            ("x", "expected one result, found 0"),
            (but(n_prompt=256), "n_prompt: expected 512, found 256"),
            (but(n_gen=3), "n_gen: expected 0, found 3"),
            (but(n_threads=None), "n_threads: expected 2, found None"),
            (but(avg_ts="136"), "avg_ts: expected tokens per second, found '136'"),
            (but(avg_ts=0), "avg_ts: expected tokens per second, found 0"),
            (but(avg_ts=True), "avg_ts: expected tokens per second, found True"),
            (but(avg_ts=float("inf")), "avg_ts: expected tokens per second, found inf"),
            (but(avg_ts=float("nan")), "avg_ts: expected tokens per second, found nan"),
        ]:
            with self.assertRaises(ValueError) as caught:
                self.parse(found)
            self.assertEqual(str(caught.exception), message)
        with self.assertRaises(ValueError) as caught:
            sides.parse_llama_bench("| model | t/s |\n", 512, 0, 2)
        self.assertEqual(str(caught.exception), "expected JSON of llama-bench -o json, found '| model | t/s |'")

    def test_forks_decode_after_a_prompt_in_their_own_way(self):
        self.assertEqual(sides.choose_depth("  -d, --n-depth <n>", 512, 32), (["-p", 0, "-n", 32, "-d", 512], 0))
        self.assertEqual(sides.choose_depth("  -gp <pp,tg>", 512, 32), (["-p", 0, "-n", 0, "-gp", "512,32"], 512))
        self.assertEqual(sides.choose_depth("  -p, --n-prompt <n>", 512, 32), (None, 0))


class Instructions(unittest.TestCase):
    @unittest.skipUnless(os.uname().machine == "x86_64", "names of x86-64")
    def test_a_llama_cpp_for_others_is_refused(self):
        def info(*names):
            return "CPU : " + " | ".join(f"{name} = 1" for name in names) + " | OPENMP = 1 | "
        v3 = sorted(instructions.V3)
        self.assertEqual(instructions.explain_difference(info(*v3), "x86-64-v3"), "")
        self.assertEqual(instructions.explain_difference(info(*v3, "AVX512"), "x86-64-v3"),
                         "expected a llama.cpp built for x86-64-v3, found one that has AVX512")
        self.assertEqual(instructions.explain_difference(info(*v3), "x86-64-v4"),
                         "expected a llama.cpp built for x86-64-v4, found one that lacks AVX512")


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Neighbours(unittest.TestCase):
    def test_they_run_for_as_long_as_it_takes(self):
        with neighbours.computing(2) as pids:
            self.assertEqual([is_running(pid) for pid in pids], [True, True])
        self.assertEqual([is_running(pid) for pid in pids], [False, False])
        with neighbours.computing(0) as pids:
            self.assertEqual(pids, [])

    def test_an_error_ends_them_too(self):
        with self.assertRaises(KeyError), neighbours.computing(1) as pids:
            raise KeyError
        self.assertFalse(is_running(pids[0]))

    def test_they_do_not_outlive_whoever_started_them(self):
        code = ("import neighbours, time\n"
                "with neighbours.computing(1) as pids:\n    print(pids[0], flush=True)\n    time.sleep(600)\n")
        with subprocess.Popen([sys.executable, "-c", code], cwd=COMPARE.parent, stdout=subprocess.PIPE) as process:
            pid = int(process.stdout.readline())
            self.assertTrue(is_running(pid))
            process.send_signal(signal.SIGKILL)
        for _ in range(600):
            if not is_running(pid):
                return
            time.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
        self.fail("the neighbour is still there")


# --- whole runs -------------------------------------------------------------

LOG = 'import json, os, sys\nopen(os.environ["LOG"], "a").write(" ".join([NAME, *sys.argv[1:]]) + "\\n")\n'

MEASURE = LOG + """
if sys.argv[1] == "--version":
    sys.exit(print("llama-measure 9"))
line = {"tokens_per_s": {"median": 40}, "weight_bytes_per_s": 80e9, "share_of_read": 0.8,
        "operations_per_s": 120e9, "share_of_peak": 0.4}
print(json.dumps({"cpu": "a CPU", "read_bytes_per_s": 100e9, "peak_unit": "dot", "peak_operations_per_s": 300e9,
                  "noise": False, "measurements": 1, "prompt": [line], "decode": [line]}))
"""

# Writes the file that it is asked for.
WRITE = LOG + 'open(sys.argv[-1] if NAME == "bench" else sys.argv[3], "w").close()\n'

BENCH = LOG + """
if sys.argv[1] == "--help":
    sys.exit(print("-p, --n-prompt <n>\\n-o, --output <csv|json>\\n" + DEPTH))
def get(flag):
    return sys.argv[sys.argv.index(flag) + 1] if flag in sys.argv else "0"
prompt, decode = get("-gp").split(",") if "-gp" in sys.argv else (get("-p"), get("-n"))
print(json.dumps([{"build_commit": "abc", "build_number": 7, "n_prompt": int(prompt), "n_gen": int(decode),
                   "n_threads": int(get("-t")), "avg_ts": 25 if int(decode) else 20}]))
"""

PYTHON = LOG + """
if "openvino" in sys.argv[2]:
    print(json.dumps(["2026", "FP32"] if "get_version" in sys.argv[2] else {"prompt": 10, "decode": 16}))
else:
    print(json.dumps(["0.3", INFO] if "system_info" in sys.argv[2] else {"prompt": 32, "decode": 80}))
"""


class WithFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write_program(self, path, text, **constants):
        path = self.folder / path
        path.parent.mkdir(parents=True, exist_ok=True)
        names = "".join(f"{name} = {value!r}\n" for name, value in constants.items())
        path.write_text(f"#!{sys.executable}\n{names}{text}", encoding="utf-8")
        path.chmod(0o755)
        return path

    def compare(self, *arguments, **environment):
        return subprocess.run([sys.executable, COMPARE, self.folder / "models", *arguments], text=True,
                              capture_output=True, check=False, timeout=120,
                              env=os.environ | {"LLAMA_BUILD": str(self.folder), **environment})


class Whole(WithFolder):
    def setUp(self):
        super().setUp()
        self.write_program("bin/llama-measure", MEASURE, NAME="measure")
        self.write_program("bin/llama-compile", WRITE, NAME="compile")
        self.write_program("bin/llama-weights", WRITE, NAME="weights")
        # A checkpoint that is there is not made.
        (self.folder / "models" / "1b-2").mkdir(parents=True)
        (self.folder / "models" / "1b-2" / "config.json").write_text("{}")
        self.log = self.folder / "log"
        self.common = ["--layers=2", "--prompt=64", "--decode=8", "--threads=3"]

    def run_whole(self, *arguments):
        result = self.compare(*self.common, *arguments, LOG=str(self.log))
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout.splitlines()

    def get_runs(self):
        """What measured, in order: the first words of the lines of the log."""
        return [line for line in self.log.read_text().splitlines()
                if "--version" not in line and "--help" not in line and not line.startswith(("compile", "weights"))]

    def test_sides_take_turns_and_a_table_ends_it(self):
        bench = self.write_program("llama-bench", BENCH, NAME="bench", DEPTH="-d, --n-depth <n>")
        out = self.folder / "out.json"
        lines = self.run_whole("--peers=", f"--llama-bench={bench}", "--llama-bench-flags=-fa 1", "--rounds=2",
                               "--weights=int8", "--load=copy", f"--json={out}")
        self.assertEqual(lines[-4:], [
            "| | llama-compile | llama-bench | ratio (median of pairs) | range |", "|---|---|---|---|---|",
            "| int8 and Q8_0, prefill | 40.0 | 20.0 | 2.00 | 2.00 to 2.00 |",
            "| int8 and Q8_0, decode | 40.0 | 25.0 | 1.60 | 1.60 to 1.60 |"])
        model, gguf = (self.folder / "models" / name for name in ("1b-2-int8-native.so", "1b-2-q8_0.gguf"))
        ours = f"measure speed {model} -p 64 -n 8 -r 1 --threads=3 --load=copy --json --quiet"
        theirs = [f"bench -m {gguf} -r 1 -t 3 -ngl 0 -o json {flags} -fa 1" for flags in ("-p 64 -n 0", "-p 0 -n 8 -d 64")]
        self.assertEqual(self.get_runs(), [ours, *theirs, *theirs, ours])
        found = json.loads(out.read_text())
        self.assertEqual(found["sides"]["llama-bench"]["version"], "commit abc, build 7")
        self.assertEqual([round["llama-bench"] for round in found["results"][0]["rounds"]],
                         [{"prompt": 20, "decode": 25}] * 2)
        self.assertIn(found["command"], lines)
        self.assertEqual([path.name for path in self.folder.glob("tmp*")], [])

    def test_every_peer_has_its_columns(self):
        info = " | ".join(f"{name} = 1" for name in sorted(instructions.get_allowed("native")))
        python = self.write_program("python", PYTHON, NAME="python", INFO=info)
        one, two = (self.write_program(f"{name}/llama-bench", BENCH, NAME=name, DEPTH="-gp <pp,tg>") for name in "ab")
        lines = self.run_whole(f"--python={python}", f"--llama-bench={one}", f"--llama-bench={two}", "--rounds=1",
                               "--weights=bf16", "--busy=0,1")
        self.assertEqual(lines[-4], "| bf16, prefill, quiet | 40.0 | 32.0 | 1.25 | 1.25 to 1.25 | 10.0 | 4.00 | "
                                    "4.00 to 4.00 | 20.0 | 2.00 | 2.00 to 2.00 | 20.0 | 2.00 | 2.00 to 2.00 |")
        self.assertTrue(lines[-1].startswith("| bf16, decode, 1 neighbour | 40.0 | 80.0 | 0.50 |"))
        self.assertIn(str(one), lines[-6])
        log = self.log.read_text()
        self.assertIn("a -m " + str(self.folder / "models/1b-2-bf16.gguf") + " -r 1 -t 3 -ngl 0 -o json "
                      "-p 0 -n 0 -gp 64,8\n", log)
        self.assertIn(f"{self.folder}/models/1b-2-f16.gguf {self.folder}/models/tokenizer.gguf 64 8 3\n", log)

    def test_a_peer_that_fails_is_one_line(self):
        wrong = self.write_program("llama-bench", BENCH.replace("else 20", "else None"), NAME="bench",
                                   DEPTH="--n-depth")
        out = self.folder / "out.json"
        result = self.compare(*self.common, "--peers=", f"--llama-bench={wrong}", "--rounds=1", f"--json={out}",
                              LOG=str(self.log))
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr.splitlines()[-1], f"{wrong}: avg_ts: expected tokens per second, found None")
        self.assertNotIn("Traceback", result.stderr)
        self.assertFalse(out.exists())


class Errors(WithFolder):
    def check(self, code, message, *arguments):
        result = self.compare(*arguments, LOG=os.devnull)
        self.assertEqual((result.returncode, result.stderr, result.stdout), (code, message + "\n", ""))

    def test_wrong_usage_has_its_own_code(self):
        for argument, message in [
            ("--peers=vllm", "argument --peers: expected some of llama.cpp,openvino, found 'vllm'"),
            ("--shapes=1b,70b", "argument --shapes: expected some of 1b,3b,8b, found '70b'"),
            ("--weights=", "argument --weights: expected some of bf16,int8,int4, found ''"),
            ("--busy=0,x", "argument --busy: expected a whole number from 0 on, found 'x'"),
            ("--rounds=0", "argument --rounds: expected a whole number from 1 on, found '0'"),
            ("--load=fast", "argument --load: expected one of map,copy, found 'fast'"),
            ("--mcpu=znver4", "argument --mcpu: expected one of native,x86-64-v3,x86-64-v4, found 'znver4'"),
            ("--hat", "unrecognized arguments: --hat"),
        ]:
            self.check(2, f"compare: {message}", argument)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_what_cannot_be_had_is_one_line(self):
        self.write_program("bin/llama-measure", MEASURE, NAME="measure")
        no_bench = self.write_program("other", "print('usage: other')")
        old = self.write_program("old", "print('--n-prompt --output')")
        fails = self.write_program("fails", "import sys; print('why', file=sys.stderr); sys.exit('no model')")
        for arguments, message in [
            (["--peers=", "--llama-bench=/none"], "/none: No such file or directory"),
            (["--peers=", f"--llama-bench={no_bench}"], f"{no_bench}: expected llama-bench of llama.cpp or of a fork, "
             "found a program whose --help names no --n-prompt"),
            (["--peers=", f"--llama-bench={old}"], f"{old}: expected --n-depth or -gp in its --help, so that it decodes "
             "after the prompt, found neither"),
            (["--peers=", f"--llama-bench={fails}"], f"{fails}: exit code 1: no model"),
            (["--python=/none"], "/none: No such file or directory"),
            (["--peers=openvino", "--mcpu=x86-64-v3"], "--peers: openvino takes all instructions of the processor: "
             "expected --mcpu=native, found --mcpu=x86-64-v3"),
            (["--json=/none/out.json"], "/none/out.json: expected a folder that can be written to, found none"),
            ([f"--json={self.folder}"], f"{self.folder}: expected a file, found a folder"),
        ]:
            self.check(1, message, *arguments)

    def test_without_our_tools_it_says_which(self):
        self.check(1, f"{self.folder}/bin/llama-measure: No such file or directory", "--peers=")


if __name__ == "__main__":
    unittest.main()
