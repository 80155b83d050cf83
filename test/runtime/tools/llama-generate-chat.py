"""Conversations with llama-generate, by pipes and on a terminal.

    python test/runtime/tools/llama-generate-chat.py BUILD_DIRECTORY
"""

import fcntl
import json
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time

from fake_model import ToolTest, main

CTRL_C, CTRL_D, CTRL_S = b"\x03", b"\x04", b"\x13"


class Terminal:
    """A process with a terminal of its own."""

    def __init__(self, command):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave,
                                        start_new_session=True, preexec_fn=self.take)
        os.close(slave)
        self.seen = b""

    @staticmethod
    def take():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C reaches it

    def type(self, keys):
        os.write(self.master, keys)

    def read_until(self, end, seconds=30):
        """What is shown up to `end`, and it; without it, all there is within the time."""
        limit = time.monotonic() + seconds
        while end not in self.seen and time.monotonic() < limit:
            if not select.select([self.master], [], [], 0.1)[0]:
                continue
            try:
                self.seen += os.read(self.master, 65536)
            except OSError:  # the process has gone
                break
        at = self.seen.find(end)
        shown, self.seen = self.seen[:at + len(end)], self.seen[at + len(end):]
        assert at >= 0, f"{end} did not come: {shown + self.seen}"
        return shown.decode("utf-8")

    def finish(self, seconds=30):
        """The exit code, and what was left to read; what does not end is ended, by SIGKILL."""
        limit = time.monotonic() + seconds
        left = b""
        while True:
            if time.monotonic() > limit:
                self.process.kill()
            if not select.select([self.master], [], [], 0.1)[0]:
                continue
            try:
                left += os.read(self.master, 65536)
            except OSError:  # the process has gone
                break
        os.close(self.master)
        return self.process.wait(), (self.seen + left).decode("utf-8")


class Conversations(ToolTest):
    def test_a_conversation_goes_on_and_is_saved(self):
        path = self.path("chat.json")
        lines = f"Hello\nMore\n/save {path}\n/help\n/reset\nHello\n"
        result = self.run_tool("--chat", "--system=S", "--max-tokens=5", input=lines.encode())
        self.assertEqual(result.returncode, 0, result.stderr)
        with open(path, encoding="utf-8") as file:
            messages = json.load(file)
        self.assertEqual([m["role"] for m in messages],
                         ["system", "user", "assistant", "user", "assistant"])
        self.assertEqual(messages[3]["content"], "More")
        # After /reset the same as at first, and as without a conversation.
        first = self.expect("--chat", "--system=S", "--max-tokens=5", "--prompt=Hello")
        self.assertTrue(result.stdout.startswith(first))
        self.assertTrue(result.stdout.endswith(first))
        self.assertIn(b"/reset", result.stderr)

    def test_a_conversation_outgrows_the_context(self):
        result = self.run_tool("--chat", input=b"x" * 600 + b"\nHi\n/quit\n")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(b"longer than the model's context of 512; /reset begins anew", result.stderr)

    def test_ctrl_c_ends_a_conversation_that_waits(self):
        process = subprocess.Popen([self.tool, self.model, "--chat", "--max-tokens=3"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdin.write(b"Hi\n")
        process.stdin.flush()
        self.assertTrue(process.stdout.readline())
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(10), 0)
        process.stdin.close()
        process.stdout.close()

    def test_ctrl_c_stops_a_reply_and_not_the_conversation(self):
        # The reply waits for its reader, so that the signal comes in its midst.
        read, write = os.pipe()
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
        os.write(write, b"x" * 4095)
        process = subprocess.Popen(
            [self.tool, self.model, "--chat", "--ignore-eos", "--max-tokens=300"],
            stdin=subprocess.PIPE, stdout=write, stderr=subprocess.DEVNULL)
        os.close(write)
        process.stdin.write(b"Hi\n")
        process.stdin.flush()
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
        process.stdin.write(b"Hi\n")
        process.stdin.close()
        with os.fdopen(read, "rb") as file:
            replies = file.read()[4095:]
        self.assertEqual(process.wait(10), 0)
        whole = self.expect("--chat", "--ignore-eos", "--max-tokens=300", "--prompt=Hi")
        self.assertGreater(len(replies), 250)  # the second one
        self.assertFalse(replies.startswith(whole))

    def test_ignored_ends_are_those_of_a_given_layout_too(self):
        common = ["--chat", "--ignore-eos", "--max-tokens=300", "--prompt=Hi", "--print-ids"]
        whole = self.expect(*common)
        self.assertEqual(whole.count(b","), 299)
        # The model's own layout, by its name.
        self.assertEqual(self.expect(*common, "--chat-template=chatml"), whole)

    # -- on a terminal -------------------------------------------------------

    def open(self, *arguments):
        if not any(argument.startswith("--max-tokens") for argument in arguments):
            arguments = (*arguments, "--max-tokens=8")
        terminal = Terminal([self.tool, self.model, "--chat", *arguments])
        self.addCleanup(lambda: terminal.process.poll() is None and terminal.process.kill())
        terminal.read_until(b"> ")
        return terminal

    def say(self, terminal, line):
        """The reply to a line, as a terminal shows it."""
        terminal.type(line.encode() + b"\n")
        shown = terminal.read_until(b"> ")
        self.assertTrue(shown.startswith(line + "\r\n"), shown)  # the echo
        return shown[len(line) + 2 : -2]

    def test_a_terminal_is_told_what_can_be_typed(self):
        terminal = Terminal([self.tool, self.model, "--chat"])
        self.assertIn("/help", terminal.read_until(b"> "))
        self.assertIn("/system TEXT", self.say(terminal, "/help"))
        self.assertTrue(self.say(terminal, "/what").startswith("there is no /what\r\n/reset"))
        terminal.type(b"/quit\n")
        self.assertEqual(terminal.finish()[0], 0)

    def test_turns_on_a_terminal_keep_what_was_said(self):
        terminal = self.open("--verbose", "--ignore-eos")
        kept = []
        for line in ["Hello", "More", "And more"]:
            shown = self.say(terminal, line)
            match = re.search(r"(\d+) tokens of the conversation kept, (\d+) fed; "
                              r"generated: (\d+) tokens", shown)
            self.assertTrue(match, shown)
            kept.append(tuple(map(int, match.groups())))
        # The last token of a reply is not fed until the conversation goes on.
        for (before, fed, generated), (now, _, _) in zip(kept, kept[1:]):
            self.assertGreaterEqual(now, before + fed)
            self.assertLessEqual(now, before + fed + generated)
        self.assertEqual(kept[0][0], 0)
        path = self.path("chat.json")
        self.assertEqual(self.say(terminal, f"/save {path}"), "saved 6 messages\r\n")
        with open(path, encoding="utf-8") as file:
            self.assertEqual([m["content"] for m in json.load(file)][::2],
                             ["Hello", "More", "And more"])
        self.say(terminal, "/reset")
        # The same beginning is still in the cache; the last token must be fed again.
        self.assertIn(f"{kept[0][1] - 1} tokens of the conversation kept, 1 fed",
                      self.say(terminal, "Hello"))
        terminal.type(CTRL_D)
        code, left = terminal.finish()
        self.assertEqual((code, left), (0, "\r\nweights: mapped\r\n"))

    def test_a_system_message_changes_the_reply(self):
        terminal = self.open()
        plain = self.say(terminal, "Hello")
        self.say(terminal, "/system Be brief.")
        other = self.say(terminal, "Hello")
        self.say(terminal, "/reset")
        self.assertEqual(self.say(terminal, "Hello"), other)
        self.assertNotEqual(other, plain)
        expected = self.expect("--chat", "--system=Be brief.", "--prompt=Hello", "--max-tokens=8")
        self.assertEqual(other.replace("\r\n", "\n"), expected.decode())
        terminal.type(CTRL_D)
        self.assertEqual(terminal.finish()[0], 0)

    def test_ctrl_c_on_a_terminal_stops_a_reply(self):
        terminal = self.open("--ignore-eos", "--max-tokens=300")
        terminal.type(CTRL_S)  # output waits, so that the reply is in its midst
        terminal.type(b"Hi\n")
        time.sleep(0.5)
        terminal.type(CTRL_C)  # which lets output go on, too
        terminal.read_until(b"> ")
        path = self.path("chat.json")
        self.say(terminal, f"/save {path}")
        with open(path, encoding="utf-8") as file:
            (_, stopped) = json.load(file)
        whole = self.expect("--chat", "--ignore-eos", "--max-tokens=300", "--prompt=Hi").decode()
        self.assertTrue(whole.startswith(stopped["content"]))
        self.assertLess(len(stopped["content"]), len(whole) // 2)
        self.assertGreater(len(self.say(terminal, "Hi")), len(whole) // 2)
        terminal.type(CTRL_C)  # nothing to stop: the end
        code, left = terminal.finish()
        self.assertEqual(code, 0)
        self.assertTrue(left.endswith("\r\n"), left)

    def test_ctrl_c_ends_a_conversation_however_early_it_comes(self):
        # Just before the program waits for a line it must not be lost.
        terminals = [self.open() for _ in range(20)]
        for terminal in terminals:
            terminal.type(CTRL_C)
        self.assertEqual([terminal.finish()[0] for terminal in terminals], [0] * 20)
        for _ in range(40):
            terminal = self.open()
            terminal.type(CTRL_C)
            self.assertEqual(terminal.finish(3)[0], 0)

    def test_colours_on_a_terminal_leave_the_text(self):
        plain, coloured = self.open(), self.open("--color")
        expected = self.say(plain, "Hello")
        shown = self.say(coloured, "Hello")
        self.assertIn("\x1b[3", shown)
        self.assertEqual(re.sub(r"\x1b\[\d+m", "", shown), expected)
        for terminal, legend in [(plain, False), (coloured, True)]:
            terminal.type(CTRL_D)
            code, left = terminal.finish()
            self.assertEqual((code, "bit" in left), (0, legend), left)


if __name__ == "__main__":
    main(__doc__)
