"""Compares what two programs computed: logits, or chosen ids.

    python compare.py logits EXPECTED.npy ACTUAL.npy --atol=1e-3
    python compare.py ids EXPECTED ACTUAL --margins=FILE --allow-margin=1e-3

Prints what it found. Exit code 0: they agree; 1: they do not; 2: usage, or
files that cannot be compared. The functions return the same as objects.
"""

import argparse
import pathlib
import sys
from dataclasses import dataclass

import numpy as np

BLOCK = 64  # rows widened to float64 at a time


class CompareError(Exception):
    """Inputs that cannot be compared; the message says why."""


@dataclass
class Logits:
    rows: int
    max_abs: float
    at: tuple  # row, column of max_abs
    max_relative: float  # largest |actual - expected| / |expected| of a row, 2-norms
    relative_row: int
    same_best: int  # rows whose largest element is in the same column

    def __str__(self):
        return (f"{self.rows} rows: largest difference {self.max_abs:.3g} at row {self.at[0]}, "
                f"column {self.at[1]}; largest relative error of a row {self.max_relative:.3g} "
                f"(row {self.relative_row}); same best column in {self.same_best} rows")


@dataclass
class Ids:
    length: int
    first: int | None  # step of the first difference
    expected: int | None
    actual: int | None
    margin: float | None  # of the expected choice over its runner-up at that step
    runner_up: int | None

    @property
    def same(self):
        return self.first is None

    def is_tie(self, allowed):
        """The difference is the runner-up taken where the choice was close."""
        return (self.margin is not None and self.margin <= allowed
                and self.actual == self.runner_up)

    def __str__(self):
        if self.same:
            return f"{self.length} ids: the same"
        text = f"ids differ at step {self.first}: expected {self.expected}, found {self.actual}"
        if self.margin is not None:
            text += f"; margin there {self.margin:.3g} over {self.runner_up}"
        return text


def compare_logits(expected, actual, tail=False):
    """Two arrays [rows, vocab]; `tail` compares the last rows both have."""
    if expected.ndim != 2 or actual.ndim != 2 or expected.shape[1] != actual.shape[1]:
        raise CompareError(f"logits: expected shape {expected.shape}, found {actual.shape}")
    if tail:
        rows = min(len(expected), len(actual))
        expected, actual = expected[len(expected) - rows :], actual[len(actual) - rows :]
    if len(expected) != len(actual) or len(expected) == 0:
        raise CompareError(f"logits: expected {len(expected)} rows, found {len(actual)}")
    result = Logits(len(expected), -1.0, (0, 0), -1.0, 0, 0)
    for begin in range(0, result.rows, BLOCK):
        a = np.asarray(expected[begin : begin + BLOCK], np.float64)
        b = np.asarray(actual[begin : begin + BLOCK], np.float64)
        with np.errstate(invalid="ignore"):
            difference = np.abs(b - a)
        difference[~np.isfinite(difference)] = np.inf  # NaN is never near anything
        difference[a == b] = 0  # equal infinities
        row, column = np.unravel_index(np.argmax(difference), difference.shape)
        if difference[row, column] > result.max_abs:
            result.max_abs, result.at = float(difference[row, column]), (begin + int(row), int(column))
        size = np.linalg.norm(np.where(np.isfinite(a), a, 0), axis=1)
        relative = np.linalg.norm(difference, axis=1) / np.maximum(size, 1e-300)
        if relative.max() > result.max_relative:
            result.max_relative = float(relative.max())
            result.relative_row = begin + int(relative.argmax())
        result.same_best += int((a.argmax(1) == b.argmax(1)).sum())
    return result


def compare_ids(expected, actual, margins=None):
    """Two lists of ids; margins: (margin, runner-up) of each expected step."""
    for step in range(max(len(expected), len(actual))):
        a = expected[step] if step < len(expected) else None
        b = actual[step] if step < len(actual) else None
        if a != b:
            known = margins is not None and step < len(margins)
            margin, runner_up = margins[step] if known else (None, None)
            return Ids(len(expected), step, a, b, margin, runner_up)
    return Ids(len(expected), None, None, None, None, None)


def read_ids(source):
    """Ids from the first line of a file, or as they stand: 1,2,3."""
    path = pathlib.Path(source)
    text = (path.read_text().splitlines() or [""])[0] if path.is_file() else source
    try:
        return [int(word) for word in text.replace(",", " ").split()]
    except ValueError:
        raise CompareError(f"{source}: expected ids, found '{text[:40]}'") from None


def read_margins(path):
    """What forward.py --margins=FILE wrote: 'margin runner-up' a line."""
    try:
        words = (line.split() for line in pathlib.Path(path).read_text().splitlines())
        return [(float(margin), int(runner_up)) for margin, runner_up in words]
    except ValueError:
        raise CompareError(f"{path}: expected lines of 'margin runner-up'") from None


def run_logits(options):
    expected, actual = (np.load(f, mmap_mode="r") for f in (options.expected, options.actual))
    result = compare_logits(expected, actual, options.tail)
    limits = [("largest difference", result.max_abs, options.atol),
              ("relative error of a row", result.max_relative, options.row_relative)]
    if all(limit is None for _, _, limit in limits):
        limits[0] = ("largest difference", result.max_abs, 0.0)
    print(result)
    exceeded = [(what, limit) for what, value, limit in limits if limit is not None and value > limit]
    for what, limit in exceeded:
        print(f"FAILED: {what} is more than {limit:g}")
    return 1 if exceeded else 0


def run_ids(options):
    margins = read_margins(options.margins) if options.margins else None
    result = compare_ids(read_ids(options.expected), read_ids(options.actual), margins)
    print(result)
    if result.same:
        return 0
    if result.is_tie(options.allow_margin):
        print(f"accepted: the margin is at most {options.allow_margin:g}, and the runner-up was taken")
        return 0
    print("FAILED: not the same ids")
    return 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    logits = commands.add_parser("logits", help="two .npy files [rows, vocab]")
    logits.add_argument("--atol", type=float, help="largest difference allowed (0 if no limit is given)")
    logits.add_argument("--row-relative", type=float, metavar="X",
                        help="largest 2-norm of a row's difference over the row's 2-norm")
    logits.add_argument("--tail", action="store_true", help="compare the last rows that both have")
    logits.set_defaults(run=run_logits)
    ids = commands.add_parser("ids", help="two lists of ids: files, or 1,2,3")
    ids.add_argument("--margins", metavar="FILE", help="from forward.py --margins=FILE")
    ids.add_argument("--allow-margin", type=float, default=0.0, metavar="X",
                     help="a first difference is accepted where the runner-up was this close")
    ids.set_defaults(run=run_ids)
    for command in (logits, ids):
        command.add_argument("expected")
        command.add_argument("actual")
    options = parser.parse_args()
    try:
        return options.run(options)
    except (CompareError, OSError, ValueError) as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
