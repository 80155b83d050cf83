"""What results.py reads off what programs of each kind print when they fail, and the lines that suites.py ends with.

    python -m unittest discover -s test/harness
"""

import contextlib
import io
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import results  # noqa: E402
import suites  # noqa: E402


class Names(unittest.TestCase):
    """One program of each kind that fails, by the lines that it prints."""

    def setUp(self):
        results.FAILED.clear()
        self.addCleanup(results.FAILED.clear)

    def check(self, function, text, code, counts, names):
        with mock.patch.object(results, "run", return_value=(code, text)):
            self.assertEqual(function(), counts)
        self.assertEqual(results.FAILED, names)

    def test_nothing_failed(self):
        self.check(lambda: results.googletest("a-tests"), "[  PASSED  ] 2 tests.\n", 0, (2, 0, 0), [])
        self.check(lambda: results.single(["check"]), "a.cpp:1: fine\n", 0, (1, 0, 0), [])

    def test_googletest(self):
        text = ("a.cpp:5: Failure\n[  FAILED  ] Team.Ends (2 ms)\n"
                "[  FAILED  ] Kinds/Reader.Reads/0, where GetParam() = \"a.b\" (0 ms)\n"
                "[  PASSED  ] 3 tests.\n[  FAILED  ] 2 tests, listed below:\n[  FAILED  ] Team.Ends\n"
                "[  FAILED  ] Kinds/Reader.Reads/0, where GetParam() = \"a.b\"\n")
        self.check(lambda: results.googletest("a-tests"), text, 1, (3, 2, 0), ["Team.Ends", "Kinds/Reader.Reads/0"])

    def test_program_that_crashes(self):
        self.check(lambda: results.googletest("a-tests"), "Running main()\n", -11, (0, 1, 0),
                   ["a-tests --gtest_brief=1: exit code -11"])

    def test_unittest(self):
        text = ("FAIL: test_a (m.C.test_a)\nERROR: test_b (m.C.test_b)\nRan 3 tests in 1s\n"
                "FAILED (failures=1, errors=1)\n")
        self.check(lambda: results.unittests(["python"]), text, 1, (1, 2, 0),
                   ["test_a (m.C.test_a)", "test_b (m.C.test_b)"])

    def test_checklist(self):
        self.check(lambda: results.checklist(["python"]), "ok   a\nFAIL b: 1 is not 2\n", 1, (1, 1, 0),
                   ["b: 1 is not 2"])

    def test_lint(self):
        text = ("[1/2][3.0s] clang-tidy a.cpp\n/r/a.cpp:3:4: error: use nullptr [modernize-use-nullptr]\n"
                "/r/a.cpp:2:1: note: here\n")
        self.check(lambda: results.single(["tidy"]), text, 1, (0, 1, 0),
                   ["/r/a.cpp:3:4: error: use nullptr [modernize-use-nullptr]"])
        results.FAILED.clear()
        self.check(lambda: results.single(["pages"]), "a.md:7: 130 characters, at most 120\n", 1, (0, 1, 0),
                   ["a.md:7: 130 characters, at most 120"])

    def test_build(self):
        warning = "/r/a.cpp:3:4: warning: unused variable 'a' [-Wunused-variable]"
        with mock.patch.object(results, "configure", return_value=True):
            self.check(lambda: results.build("release"), f"[1/1] Building\n{warning}\n", 0, False, [warning])
            results.FAILED.clear()
            self.check(lambda: results.build("release"), "FAILED: [code=1] a.o\n/r/a.h:1:2: error: no b\n", 1, False,
                       ["FAILED: [code=1] a.o", "/r/a.h:1:2: error: no b"])

    def test_lit(self):
        """lit itself, on one test that fails and one that passes."""
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            root = pathlib.Path(folder)
            root.joinpath("lit.cfg.py").write_text(
                "import lit.formats\nconfig.name = 'some'\nconfig.suffixes = ['.test']\n"
                "config.test_format = lit.formats.ShTest()\n", encoding="utf-8")
            root.joinpath("good.test").write_text("RUN: true\n", encoding="utf-8")
            root.joinpath("bad.test").write_text("RUN: false\n", encoding="utf-8")
            self.assertEqual(results.run_lit(folder), (1, 1, 0))
        self.assertEqual(results.FAILED, ["bad.test"])


class End(unittest.TestCase):
    """The last lines of the output."""

    def run_suites(self, *steps):
        output = io.StringIO()
        plan = [(name, f"tests of {name}", suite) for name, suite in steps]
        with mock.patch.object(suites, "plan", return_value=plan), contextlib.redirect_stdout(output):
            code = suites.main()
        return code, output.getvalue()

    @staticmethod
    def fail(*names):
        results.FAILED.extend(names)
        return 5, len(names), 0

    def test_names_come_right_before_the_table(self):
        code, output = self.run_suites(("unit", lambda: self.fail("Team.Ends")), ("lit", lambda: (7, 0, 1)),
                                       ("tidy", lambda: self.fail("a.cpp:1:2: error: b")))
        self.assertEqual(code, 1)
        self.assertRegex(output, r"""(?x)
            \nfailed:\ unit\ +Team\.Ends
            \nfailed:\ tidy\ +a\.cpp:1:2:\ error:\ b
            \nunit\ +failed\ .*
            \nlit\ +passed\ .*
            \ntidy\ +failed\ .*
            \n17\ passed,\ 2\ failed,\ 1\ skipped\n\Z""")

    def test_one_suite(self):
        _, output = self.run_suites(("unit", lambda: self.fail("Team.Ends")))
        self.assertTrue(output.endswith("\nfailed: unit        Team.Ends\n5 passed, 1 failed, 0 skipped\n"), output)

    def test_nothing_failed(self):
        code, output = self.run_suites(("unit", lambda: (1, 0, 0)), ("lit", lambda: (2, 0, 0)))
        self.assertEqual(code, 0)
        self.assertNotIn("failed:", output)

    def test_many(self):
        _, output = self.run_suites(("lit", lambda: self.fail(*(f"{n}.test" for n in range(suites.NAMED + 2)))))
        self.assertEqual(output.count("failed: lit"), suites.NAMED + 1)
        self.assertIn(" and 2 more\n", output)

    def test_what_was_not_run(self):
        with mock.patch.object(suites, "build", return_value=False):
            _, output = self.run_suites(("compiling", suites.compiling), ("unit", suites.unit))
        self.assertIn("failed: unit        not run: the build failed\n", output)


if __name__ == "__main__":
    unittest.main()
