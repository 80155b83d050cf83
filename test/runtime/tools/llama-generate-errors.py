"""What llama-generate says when it cannot, and what files it leaves.

    python test/runtime/tools/llama-generate-errors.py BUILD_DIRECTORY
"""

import os
import signal
import subprocess
import time

from fake_model import ToolTest, join, main


class Errors(ToolTest):
    def test_a_failed_run_leaves_no_file(self):
        line = self.expect_error(1, "--prompt-ids=999", f"--logits={self.path('l.npy')}")
        self.assertEqual(line, "error: token 0: id 999, expected 0 to 263")
        self.assertEqual(os.listdir(self.folder.name), [])

    def test_an_interrupted_run_leaves_no_file(self):
        # Standard output is a pipe that is full, so the tool waits at its first
        # piece of text, with the logits half written.
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        try:
            while True:
                os.write(writer, b" " * 4096)
        except BlockingIOError:
            os.set_blocking(writer, True)
        for number in [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]:
            process = subprocess.Popen(
                [self.tool, self.model, "--prompt-ids=1", f"--logits={self.path('l.npy')}"],
                stdout=writer,
                stderr=subprocess.DEVNULL,
                # What runs the tests may have told its children to ignore it.
                preexec_fn=lambda number=number: signal.signal(number, signal.SIG_DFL),
            )
            while not os.listdir(self.folder.name):
                time.sleep(0.01)
            process.send_signal(number)
            self.assertEqual(process.wait(), -number)
            self.assertEqual(os.listdir(self.folder.name), [])
        os.close(reader)
        os.close(writer)

    def test_a_full_disk_is_one_line(self):
        line = self.expect_error(1, "--prompt-ids=1", "--max-tokens=1", "--logits=/dev/full")
        self.assertEqual(line, "error: /dev/full: No space left on device")
        with open("/dev/full", "wb") as full:
            line = self.expect_error(1, "--prompt-ids=1", "--max-tokens=3", stdout=full)
        self.assertEqual(line, "error: standard output: No space left on device")

    def test_an_unwritable_file_is_one_line_before_any_work(self):
        path = self.path("none/l.npy")
        result = self.run_tool("--prompt-ids=1", f"--logits={path}")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout, b"")
        self.assertEqual(
            result.stderr.decode(), f"error: {path}: No such file or directory\n"
        )

    def test_a_prompt_longer_than_the_context_is_an_error(self):
        line = self.expect_error(1, f"--prompt-ids={join([1] * 513)}")
        self.assertEqual(
            line,
            "error: a prompt of 513 tokens is longer than the model's context of 512",
        )

    def test_bad_files_are_one_line(self):
        line = self.expect_error(1, "--prompt=x", model="/nowhere/model.so")
        self.assertEqual(line, "error: /nowhere/model.so: No such file or directory")
        cut = self.path("cut.so")
        with open(self.model, "rb") as whole, open(cut, "wb") as part:
            part.write(whole.read()[:-1])
        self.assertTrue(
            self.expect_error(1, "--prompt=x", model=cut).startswith(f"error: {cut}: truncated: ")
        )
        line = self.expect_error(1, "--prompt-file=/nowhere/text")
        self.assertEqual(line, "error: /nowhere/text: No such file or directory")

    def test_a_model_that_is_not_there_comes_first(self):
        for arguments in [], ["--chat", "--prompt-ids=1"]:
            line = self.expect_error(1, *arguments, model="/nowhere/model.so")
            self.assertEqual(line, "error: /nowhere/model.so: No such file or directory")

    def test_the_largest_seed_is_one(self):
        result = self.run_tool("--prompt-ids=1", "--max-tokens=1", "--seed=18446744073709551615")
        self.assertEqual(result.returncode, 0)

    def test_nothing_to_feed_is_an_error(self):
        line = self.expect_error(1, "--prompt-ids=")
        self.assertEqual(line, "error: the prompt is empty: no token to feed")

    def test_a_cache_that_is_too_small_is_an_error(self):
        line = self.expect_error(1, f"--prompt-ids={join([1] * 200)}", "--kv-budget=16KB")
        self.assertIn("KV cache: all 2 blocks of 8192 bytes are in use", line)

    def test_wrong_sampler_options_are_one_line(self):
        for flags, message in [
            (["--temp=-1"], "error: sampler: temperature is -1, expected 0 to 1e+06"),
            (["--sampler=hot"], 'error: sampler: sampler is "hot", expected one of greedy, '),
            (["--sampler=standard", "--sampler-option=low_entropy=1"],
             "error: sampler: 'low_entropy' is not an option of the standard sampler"),
            (["--sampler=entropix-v2", "--sampler-option=low_entropy=-1"],
             "error: sampler: low_entropy is -1, expected 0 to 1e+06"),
            (["--sampler=entropix-v2", "--sampler-mode=old"],
             'error: sampler: mode is "old", expected exact or compat'),
            (["--sampler=entropix-v2", "--sampler-option=clarify=no such token"],
             'error: sampler: clarify is "no such token", expected the text of one token'),
            (["--samplers=top_k;top"], 'error: sampler: samplers is "top", expected some of '),
            (["--sampler-config=/nonexistent"], "error: /nonexistent: cannot be read"),
        ]:
            line = self.expect_error(1, "--prompt-ids=1", *flags)
            self.assertTrue(line.startswith(message), line)
        path = self.path("bad.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write('{"temperature": ')
        line = self.expect_error(1, "--prompt-ids=1", f"--sampler-config={path}")
        self.assertEqual(line, f"error: {path}: is not a JSON object of sampler options")
        for flags, message in [
            (["--logit-bias=5"], "--logit-bias: '5' is not ID+BIAS or ID-BIAS, as in 128-inf"),
            (["--sampling-seq=kz"], "--sampler-seq: 'z' is not a step, expected letters of edskypmxt"),
            (["--sampler-option=x"], "--sampler-option: 'x' is not NAME=VALUE"),
            (["--branches=0"], "--branches: Value 0 not in range 1 to 64"),
            (["--temperature=nan"], "--temperature: is 'nan', expected a finite number"),
            (["--top-p=-inf"], "--top-p: is '-inf', expected a finite number"),
            (["--logit-bias=5+nan"], "--logit-bias: '5+nan' is not ID+BIAS or ID-BIAS, as in 128-inf"),
            (["--seed=18446744073709551616"],
             "--seed: is '18446744073709551616', expected a whole number from 0 to 18446744073709551615"),
            (["--seed=-1"], "--seed: is '-1', expected a whole number from 0 to 18446744073709551615"),
            (["--temprature=1"],
             "The following argument was not expected: --temprature=1; did you mean --temperature?"),
            (["--guard", "--chat"], "--guard needs --prompt or --prompt-file"),
            (["--reply=x"], "--reply needs --guard"),
            (["--echo", "--print-ids"], "--echo needs text, without --chat, --guard, --print-ids"),
        ]:
            line = self.expect_error(2, "--prompt-ids=1", *flags)
            self.assertTrue(line.startswith(message), line)

    def test_an_unknown_template_is_an_error(self):
        line = self.expect_error(1, "--chat", "--prompt=Hi", "--chat-template=gpt")
        self.assertEqual(line, "error: chat template: there is none named 'gpt'; choose one of "
                               "llama2, llama3, llama3.1, llama3.2, chatml, smollm2, "
                               "or a file FILE.jinja")

    def test_wrong_usage_is_told_from_wrong_input(self):
        for arguments, message in [
            ([], "give one of --prompt, --prompt-file, --prompt-ids, --messages"),
            (
                ["--prompt=a", "--prompt-ids=1"],
                "give one of --prompt, --prompt-file, --prompt-ids, --messages",
            ),
            (["--prompt-ids=1,x"], "--prompt-ids: '1,x' is not a list of ids: 1,2,3"),
            (["--prompt-ids=1,"], "--prompt-ids: '1,' is not a list of ids: 1,2,3"),
            (["--chat", "--prompt-ids=1"], "--chat needs --prompt or --prompt-file"),
            (["--prompt=x", "--system=y"], "--system needs --chat"),
            (
                ["--prompt=x", "--quiet", "--verbose"],
                "--verbose and --quiet exclude each other",
            ),
            (
                ["--prompt=x", "--threads=0"],
                "--threads: is '0', expected a whole number of at least 1",
            ),
            (
                ["--prompt=x", "--sampler=greedy", "--top-k=3"],
                "--top-k: needs --sampler=standard",
            ),
            (["--prompt=x", "--hat"], "The following argument was not expected: --hat; did you mean --chat?"),
        ]:
            self.assertEqual(self.expect_error(2, *arguments), message)


if __name__ == "__main__":
    main(__doc__)
