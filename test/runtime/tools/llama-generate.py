"""llama-generate from outside: what it prints and writes.

    python test/runtime/tools/llama-generate.py BUILD_DIRECTORY

What it says when it cannot is tested in llama-generate-errors.py, conversations
in llama-generate-chat.py.
"""

import json
import os
import pty
import re
import stat
import subprocess
import termios

import numpy
from fake_model import BOS, EOS, VOCAB, FakeModel, ToolTest, join, main, to_text


def run_on_terminal(command, **environment):
    """What a command prints on a terminal that its standard output is."""
    controller, terminal = pty.openpty()
    attributes = termios.tcgetattr(terminal)
    attributes[1] &= ~termios.OPOST  # lines end as they do elsewhere
    termios.tcsetattr(terminal, termios.TCSANOW, attributes)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=terminal, stderr=subprocess.DEVNULL,
                          env={**os.environ, **environment}) as process:
        os.close(terminal)
        text = b""
        try:
            while piece := os.read(controller, 65536):
                text += piece
        except OSError:  # nobody has the terminal open any more
            pass
    os.close(controller)
    return text


class Generate(ToolTest):
    # -- the prompt before what follows --------------------------------------

    def test_a_terminal_shows_the_prompt_and_a_pipe_does_not(self):
        ids, _ = FakeModel.generate([BOS] + list(b"Hi"), 9)
        follows = to_text(ids).encode()
        common = ["--prompt=Hi", "--max-tokens=9", "--ignore-eos"]
        self.assertEqual(self.expect(*common), follows + b"\n")
        self.assertEqual(self.expect(*common, "--no-echo"), follows + b"\n")
        self.assertEqual(self.expect(*common, "--echo"), b"Hi" + follows + b"\n")

        def show(*flags, **environment):
            return run_on_terminal([self.tool, self.model, *common, *flags],
                                   **{"TERM": "xterm", "NO_COLOR": "", **environment})

        dim = b"\x1b[2mHi\x1b[22m"
        self.assertEqual(show(), dim + follows + b"\n")
        self.assertEqual(show("--echo"), dim + follows + b"\n")
        self.assertEqual(show("--no-echo"), follows + b"\n")
        self.assertEqual(show(TERM="dumb"), b"Hi" + follows + b"\n")
        self.assertEqual(show(NO_COLOR="1"), b"Hi" + follows + b"\n")
        text = run_on_terminal([self.tool, self.model, "--prompt=Hi", "--max-tokens=0"], TERM="xterm", NO_COLOR="")
        self.assertEqual(text, dim + b"\n")
        self.assertEqual(show("--print-ids"), (join(ids) + "\n").encode())

    def test_the_prompt_is_shown_as_it_was_given(self):
        with open(self.path("prompt"), "wb") as file:
            file.write("Gr\u00fc\u00dfe,\n  ".encode())
        out = self.expect(f"--prompt-file={self.path('prompt')}", "--max-tokens=0", "--echo")
        self.assertEqual(out, "Gr\u00fc\u00dfe,\n  \n".encode())
        with open(self.path("prompt"), "rb") as file:
            out = self.expect("--prompt-file=-", "--max-tokens=0", "--echo", stdin=file)
        self.assertEqual(out, "Gr\u00fc\u00dfe,\n  \n".encode())
        out = self.expect("--prompt-ids=72,105", "--max-tokens=0", "--echo")
        self.assertEqual(out, b"Hi\n")

    # -- results ------------------------------------------------------------

    def test_ids_are_the_greedy_ones(self):
        prompt = [BOS, 1, 2, 3]
        ids, _ = FakeModel.generate(prompt, 40)
        out = self.expect(
            f"--prompt-ids={join(prompt)}",
            "--max-tokens=40",
            "--ignore-eos",
            "--print-ids",
        )
        self.assertEqual(out.decode(), join(ids) + "\n")

    def test_the_id_that_ends_a_reply_is_the_last(self):
        for first in range(256):  # a prompt that leads to eos
            ids, _ = FakeModel.generate([first], 30)
            if EOS in ids[5:]:
                break
        ids = ids[: ids.index(EOS) + 1]
        out = self.expect(f"--prompt-ids={first}", "--max-tokens=30", "--print-ids")
        self.assertEqual(out.decode(), join(ids) + "\n")

    def test_a_text_prompt_gets_bos_and_ids_do_not(self):
        with_bos, _ = FakeModel.generate([BOS] + list(b"Hi"), 9)
        without, _ = FakeModel.generate(list(b"Hi"), 9)
        common = ["--max-tokens=9", "--ignore-eos", "--print-ids"]
        out = self.expect("--prompt=Hi", *common)
        self.assertEqual(out.decode(), join(with_bos) + "\n")
        out = self.expect(f"--prompt-ids={join(b'Hi')}", *common)
        self.assertEqual(out.decode(), join(without) + "\n")

    def test_an_empty_text_prompt_is_bos_alone(self):
        ids, _ = FakeModel.generate([BOS], 9)
        out = self.expect("--prompt=", "--max-tokens=9", "--ignore-eos", "--print-ids")
        self.assertEqual(out.decode(), join(ids) + "\n")

    def test_a_prompt_may_come_from_a_file_or_standard_input(self):
        text = "line one\nGr\u00fc\u00dfe\n".encode()
        with open(self.path("prompt"), "wb") as file:
            file.write(text)
        expected = self.expect(f"--prompt={text.decode()}", "--max-tokens=20")
        arguments = [f"--prompt-file={self.path('prompt')}", "--max-tokens=20"]
        self.assertEqual(self.expect(*arguments), expected)
        out = self.expect("--prompt-file=-", "--max-tokens=20", input=text)
        self.assertEqual(out, expected)

    def test_text_is_valid_utf8_whatever_the_model_says(self):
        for first in range(10):
            ids, _ = FakeModel.generate([first], 60)
            out = self.expect(f"--prompt-ids={first}", "--max-tokens=60", "--ignore-eos")
            self.assertEqual(out.decode("utf-8"), to_text(ids) + "\n")

    def test_pieces_of_text_never_cut_a_character(self):
        process = subprocess.Popen(
            [self.tool, self.model, "--prompt-ids=3", "--max-tokens=200", "--quiet"],
            stdout=subprocess.PIPE,
        )
        pieces = []
        while piece := os.read(process.stdout.fileno(), 65536):
            pieces.append(piece)
        process.stdout.close()
        self.assertEqual(process.wait(), 0)
        for piece in pieces:
            piece.decode("utf-8")

    def test_a_stop_text_ends_the_text_before_it(self):
        whole = self.expect("--prompt-ids=9", "--max-tokens=60", "--ignore-eos").decode()
        stop = whole[20:23]
        out = self.expect(
            "--prompt-ids=9", "--max-tokens=60", "--ignore-eos", "--stop=@@@", f"--stop={stop}"
        )
        self.assertEqual(out.decode(), whole[: whole.index(stop)] + "\n")

    def test_a_chat_is_laid_out_by_the_models_template(self):
        messages = [("system", "Be kind."), ("user", "Hi <|im_end|>")]
        prompt = []
        for role, content in messages:
            prompt += [259, *f"{role}\n{content}".encode(), 258, *b"\n"]
        prompt += [259, *b"assistant\n"]
        ids, _ = FakeModel.generate(prompt, 20)
        out = self.expect(
            "--chat",
            "--system=Be kind.",
            "--prompt=Hi <|im_end|>",
            "--max-tokens=20",
            "--ignore-eos",
            "--print-ids",
        )
        self.assertEqual(out.decode(), join(ids) + "\n")

    def test_control_tokens_in_a_prompt_are_text_unless_asked_for(self):
        common = ["--prompt=</s>", "--max-tokens=5", "--ignore-eos", "--print-ids"]
        ids, _ = FakeModel.generate([BOS, *b"</s>"], 5)
        self.assertEqual(self.expect(*common).decode(), join(ids) + "\n")
        ids, _ = FakeModel.generate([BOS, EOS], 5)
        self.assertEqual(self.expect(*common, "--special").decode(), join(ids) + "\n")

    def test_generation_ends_when_the_context_is_full(self):
        prompt = [7] * 510
        ids, _ = FakeModel.generate(prompt, 3)
        result = self.run_tool(f"--prompt-ids={join(prompt)}", "--ignore-eos", "--print-ids")
        self.assertEqual(result.stdout.decode(), join(ids) + "\n")
        self.assertIn(b"the context is full", result.stderr)

    def test_a_seed_makes_a_draw_repeatable(self):
        def draw(seed):
            return self.expect(
                "--prompt-ids=5",
                "--max-tokens=30",
                "--ignore-eos",
                f"--seed={seed}",
                "--temperature=0.9",
            )

        self.assertEqual(draw(1), draw(1))
        self.assertNotEqual(draw(1), draw(2))

    def test_temperature_zero_is_greedy(self):
        common = ["--prompt-ids=5", "--max-tokens=30", "--print-ids"]
        self.assertEqual(
            self.expect(*common, "--sampler=standard", "--temperature=0"),
            self.expect(*common, "--sampler=greedy"),
        )

    # -- logits -------------------------------------------------------------

    def test_logits_have_one_row_for_every_fed_position(self):
        prompt = list(range(70))
        _, expected = FakeModel.generate(prompt, 5)
        self.expect(
            f"--prompt-ids={join(prompt)}",
            "--max-tokens=5",
            "--ignore-eos",
            f"--logits={self.path('l.npy')}",
        )
        logits = numpy.load(self.path("l.npy"))
        self.assertEqual(logits.dtype, numpy.float32)
        self.assertEqual(logits.shape, (74, VOCAB))
        numpy.testing.assert_array_equal(logits, expected)
        self.assertEqual(os.listdir(self.folder.name), ["l.npy"])

    def test_without_tokens_to_generate_logits_are_the_prompts(self):
        out = self.expect(
            "--prompt-ids=1,2,3", "--max-tokens=0", f"--logits={self.path('l.npy')}"
        )
        self.assertEqual(out, b"")
        self.assertEqual(numpy.load(self.path("l.npy")).shape, (3, VOCAB))

    def test_threads_chunks_and_batches_change_no_bit(self):
        prompt = join(range(100))
        files = []

        def run(*arguments):
            path = self.path(f"{len(files)}.npy")
            out = self.expect(
                f"--prompt-ids={prompt}",
                "--max-tokens=8",
                "--ignore-eos",
                "--print-ids",
                f"--logits={path}",
                *arguments,
            )
            with open(path, "rb") as file:
                files.append((out, file.read()))

        run("--threads=1")
        run("--threads=3")
        run("--batch-rows=1")
        run("--batch-rows=33", "--threads=2")
        run("--concurrent-ids=5,6,7")
        run("--beside-ids=5,6,7")  # its old name
        run("--concurrent-ids=5,6,7", f"--concurrent-ids={join(range(200))}", "--batch-rows=40")
        run("--load=copy")
        run("--load=auto")
        for other in files[1:]:
            self.assertEqual(other, files[0])

    def test_concurrent_sequences_end_with_the_main_one(self):
        result = self.run_tool(
            "--prompt-ids=1", "--max-tokens=3", "--concurrent-ids=1,2", "--verbose"
        )
        self.assertIn(b"\nconcurrent: 2 tokens; generated: 4 tokens\n", result.stderr)

    # -- files --------------------------------------------------------------

    def test_a_file_is_replaced_and_has_the_usual_access(self):
        path = self.path("l.npy")
        with open(path, "w", encoding="utf-8") as file:
            file.write("old")
        self.expect("--prompt-ids=1", "--max-tokens=0", f"--logits={path}")
        self.assertEqual(numpy.load(path).shape, (1, VOCAB))
        umask = os.umask(0)
        os.umask(umask)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o666 & ~umask)

    # -- samplers, traces, chats ---------------------------------------------

    def trace(self, *arguments):
        path = self.path("trace.jsonl")
        self.expect("--prompt-ids=1,2,3", "--ignore-eos", f"--trace={path}", *arguments)
        with open(path, encoding="utf-8") as file:
            header, *tokens = [json.loads(line) for line in file]
        return header, tokens

    def test_a_trace_has_a_line_for_every_token(self):
        ids, logits = FakeModel.generate([1, 2, 3], 10)
        header, tokens = self.trace("--max-tokens=10")
        self.assertEqual(header["sampler"], {"sampler": "greedy"})
        self.assertEqual(header["thresholds"], None)
        self.assertEqual([t["id"] for t in tokens], ids)
        self.assertEqual([t["position"] for t in tokens], list(range(3, 13)))
        for token, row in zip(tokens, logits[2:].astype(float)):
            p = numpy.exp(row - row.max())
            p /= p.sum()
            entropy = -numpy.sum(p * numpy.log2(p))
            self.assertAlmostEqual(token["probability"], p.max())
            self.assertAlmostEqual(token["entropy"], entropy)
            self.assertAlmostEqual(
                token["varentropy"], numpy.sum(p * (numpy.log2(p) + entropy) ** 2)
            )
            self.assertNotIn("attention", token)

    def test_an_entropy_sampler_sees_attention(self):
        header, tokens = self.trace("--max-tokens=5", "--sampler=entropix-v2")
        self.assertEqual(header["thresholds"]["high_entropy"], 5.0)
        sequence = [1, 2, 3]
        for token in tokens:
            scores = numpy.array(
                [
                    [(FakeModel.mix(key * 4 + head) >> 56) / 64 - 2 for key in sequence]
                    for head in range(4)
                ]
            )
            self.assertAlmostEqual(
                token["attention"]["interaction_strength"], numpy.abs(scores).mean()
            )
            sequence.append(token["id"])

    def test_options_come_from_a_file_and_flags_win(self):
        path = self.path("sampler.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write('{"sampler": "entropix-v3", "low_entropy": 0.25, "attention": false}')
        header, _ = self.trace("--max-tokens=1", f"--sampler-config={path}")
        self.assertEqual(header["thresholds"]["low_entropy"], 0.25)
        header, _ = self.trace(
            "--max-tokens=1", f"--sampler-config={path}", "--sampler-option=low_entropy=0.5"
        )
        self.assertEqual(header["thresholds"]["low_entropy"], 0.5)

    def test_flags_of_llama_cpp_are_understood(self):
        self.expect(
            "--prompt-ids=1,2,3", "--max-tokens=5", "--temp=0.8", "--top-k=40", "--top-p=0.95",
            "--min-p=0.05", "--typical=0.9", "--top-nsigma=2", "--xtc-probability=0.1",
            "--xtc-threshold=0.2", "--repeat-last-n=64", "--repeat-penalty=1.1",
            "--presence-penalty=0.1", "--frequency-penalty=0.1", "--dry-multiplier=0.8",
            "--dry-base=1.75", "--dry-allowed-length=2", "--dry-penalty-last-n=-1",
            "--dry-sequence-breaker=ab", "--dynatemp-range=0.2", "--dynatemp-exp=1",
            "--logit-bias=5-inf", "--logit-bias=6+1.5", "--samplers=top_k;temperature", "--seed=3",
        )
        self.expect("--prompt-ids=1", "--max-tokens=5", "--mirostat=2", "--mirostat-lr=0.1",
                    "--mirostat-ent=5", "--sampling-seq=kt")

    def test_a_bias_forbids_a_token(self):
        first = self.expect("--prompt-ids=1,2", "--max-tokens=1", "--print-ids").decode().strip()
        biased = self.expect("--prompt-ids=1,2", "--max-tokens=1", "--print-ids",
                             "--temp=0", f"--logit-bias={first}-inf").decode().strip()
        self.assertNotEqual(first, biased)

    def test_colour_is_for_terminals(self):
        flags = ["--prompt-ids=1,2", "--max-tokens=20", "--ignore-eos"]
        plain = self.expect(*flags)
        self.assertEqual(self.expect(*flags, "--color"), plain)
        result = self.run_tool(*flags, "--color=always")
        self.assertIn(b"\x1b[3", result.stdout)
        self.assertEqual(re.sub(rb"\x1b\[\d+m", b"", result.stdout), plain)
        self.assertIn(b"bit", result.stderr)  # the legend

    def test_branches_begin_with_the_best_tokens(self):
        _, logits = FakeModel.generate([1, 2], 1)
        best = numpy.argsort(-logits[-1], kind="stable")[:3]
        out = self.expect("--prompt-ids=1,2", "--max-tokens=6", "--ignore-eos", "--branches=3")
        expected = b""
        for number, token in enumerate(best):
            model, ids = FakeModel(), [int(token)]
            for prompt in (1, 2):
                model.feed(prompt, True)
            while len(ids) < 6:
                ids.append(int(numpy.argmax(model.feed(ids[-1], False))))
            text = to_text(ids).encode()
            expected += (b"\n" if number else b"") + b"[%d]%s\n" % (number + 1, text)
        self.assertEqual(out, expected)

    # -- what is said -------------------------------------------------------

    def test_statistics_go_to_stderr_unless_quiet(self):
        result = self.run_tool("--prompt-ids=1,2,3", "--max-tokens=5", "--ignore-eos")
        lines = result.stderr.decode().splitlines()
        self.assertRegex(
            lines[0], r"^opened in [\d.]+ ms; first token after [\d.]+ ms$"
        )
        self.assertRegex(
            lines[1],
            r"^prompt: 3 tokens, [\d.]+ tokens/s; generated: 5 tokens, [\d.]+ tokens/s$",
        )
        result = self.run_tool("--prompt-ids=1", "--max-tokens=5", "--quiet")
        self.assertEqual(result.stderr, b"")
        result = self.run_tool("--prompt-ids=1", "--max-tokens=5", "--verbose")
        self.assertIn(b"fake: 2 layers, hidden 16, vocab 264, context 512", result.stderr)

    def test_help_and_version_go_to_stdout(self):
        for argument in ["--help", "--version"]:
            result = subprocess.run([self.tool, argument], capture_output=True, check=True)
            self.assertIn(b"llama-generate", result.stdout)
            self.assertEqual(result.stderr, b"")


if __name__ == "__main__":
    main(__doc__)
