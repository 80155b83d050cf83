"""What compare.py accepts and what it does not."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np

import compare

HERE = pathlib.Path(__file__).resolve().parent


class CompareTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.logits = np.random.default_rng(1).normal(size=(150, 20)).astype(np.float32)

    def save(self, name, array):
        np.save(self.folder / name, array)
        return self.folder / name

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return self.folder / name

    def run_compare(self, *arguments):
        command = [sys.executable, HERE / "compare.py", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr


class LogitsTest(CompareTest):
    def test_equal_logits_agree(self):
        a = self.save("a.npy", self.logits)
        code, out, _ = self.run_compare("logits", a, a)
        self.assertEqual(code, 0)
        self.assertIn("150 rows: largest difference 0 ", out)

    def test_largest_difference_is_found_and_limited(self):
        changed = self.logits.copy()
        changed[130, 7] += 0.25
        a, b = self.save("a.npy", self.logits), self.save("b.npy", changed)
        self.assertEqual(self.run_compare("logits", a, b, "--atol=0.26")[0], 0)
        code, out, _ = self.run_compare("logits", a, b, "--atol=0.24")
        self.assertEqual(code, 1)
        self.assertIn("largest difference 0.25 at row 130, column 7", out)
        self.assertIn("FAILED: largest difference is more than 0.24", out)
        self.assertEqual(self.run_compare("logits", a, b)[0], 1)

    def test_infinities_agree_only_with_themselves(self):
        expected = self.logits.copy()
        expected[:, 3] = -np.inf
        self.assertEqual(compare.compare_logits(expected, expected.copy()).max_abs, 0)
        for row, column, value in [(4, 3, 0.0), (5, 3, np.inf), (6, 3, np.nan), (7, 2, -np.inf), (8, 1, np.nan)]:
            actual = expected.copy()
            actual[row, column] = value
            result = compare.compare_logits(expected, actual)
            self.assertEqual((result.max_abs, result.at), (np.inf, (row, column)))
            self.assertEqual((result.max_relative, result.relative_row), (np.inf, row))

    def test_relative_error_of_a_row(self):
        changed = self.logits.copy()
        changed[3] *= 1.5
        result = compare.compare_logits(self.logits, changed)
        self.assertAlmostEqual(result.max_relative, 0.5, places=6)
        self.assertEqual(result.relative_row, 3)
        a, b = self.save("a.npy", self.logits), self.save("b.npy", changed)
        self.assertEqual(self.run_compare("logits", a, b, "--row-relative=0.51")[0], 0)
        self.assertEqual(self.run_compare("logits", a, b, "--row-relative=0.49")[0], 1)

    def test_not_a_number_never_agrees(self):
        for value in (np.nan, np.inf):
            changed = self.logits.copy()
            changed[5, 5] = value
            a, b = self.save("a.npy", self.logits), self.save("b.npy", changed)
            self.assertEqual(self.run_compare("logits", a, b, "--atol=1e9")[0], 1)
            self.assertEqual(self.run_compare("logits", b, a, "--row-relative=1e9")[0], 1)

    def test_last_rows_only(self):
        a, b = self.save("a.npy", self.logits[100:]), self.save("b.npy", self.logits)
        self.assertEqual(self.run_compare("logits", a, b, "--tail")[0], 0)
        code, _, err = self.run_compare("logits", a, b)
        self.assertEqual(code, 2)
        self.assertIn("expected 50 rows, found 150", err)

    def test_other_vocabulary_cannot_be_compared(self):
        a, b = self.save("a.npy", self.logits), self.save("b.npy", self.logits[:, :19])
        code, _, err = self.run_compare("logits", a, b)
        self.assertEqual(code, 2)
        self.assertIn("expected shape (150, 20), found (150, 19)", err)

    def test_missing_or_broken_file(self):
        a = self.save("a.npy", self.logits)
        self.assertEqual(self.run_compare("logits", a, self.folder / "none.npy")[0], 2)
        self.assertEqual(self.run_compare("logits", a, self.write("text.npy", "no"))[0], 2)


class IdsTest(CompareTest):
    def test_equal_ids_agree(self):
        a = self.write("a.txt", "1,2,3\n0.5 9\n")
        code, out, _ = self.run_compare("ids", a, "1 2 3")
        self.assertEqual((code, out), (0, "3 ids: the same\n"))

    def test_first_difference_is_named(self):
        code, out, _ = self.run_compare("ids", "1,2,3,4", "1,2,5,4")
        self.assertEqual(code, 1)
        self.assertIn("ids differ at step 2: expected 3, found 5", out)

    def test_a_list_that_ends_early_differs(self):
        code, out, _ = self.run_compare("ids", "1,2,3", "1,2")
        self.assertEqual(code, 1)
        self.assertIn("step 2: expected 3, found None", out)

    def test_close_runner_up_is_accepted_if_allowed(self):
        margins = self.write("m.txt", "2.0 7\n0.0005 5\n2.0 7\n")
        same = ("ids", "1,2,3", "1,5,9", f"--margins={margins}")
        code, out, _ = self.run_compare(*same, "--allow-margin=1e-3")
        self.assertEqual(code, 0)
        self.assertIn("margin there 0.0005 over 5", out)
        self.assertIn("accepted", out)
        self.assertEqual(self.run_compare(*same, "--allow-margin=1e-4")[0], 1)
        self.assertEqual(self.run_compare(*same)[0], 1)

    def test_another_id_than_the_runner_up_is_not_accepted(self):
        margins = self.write("m.txt", "2.0 7\n0.0005 6\n2.0 7\n")
        code, _, _ = self.run_compare("ids", "1,2,3", "1,5,9", f"--margins={margins}", "--allow-margin=1e-3")
        self.assertEqual(code, 1)

    def test_ending_early_is_no_tie(self):
        margins = self.write("m.txt", "0.0001 7\n0.0001 6\n")
        code, _, _ = self.run_compare("ids", "1,2", "1", f"--margins={margins}", "--allow-margin=1")
        self.assertEqual(code, 1)

    def test_unreadable_input(self):
        self.assertEqual(self.run_compare("ids", "1,x", "1")[0], 2)
        self.assertEqual(self.run_compare("ids", "1", "2", f"--margins={self.write('m', '1')}")[0], 2)


if __name__ == "__main__":
    unittest.main()
