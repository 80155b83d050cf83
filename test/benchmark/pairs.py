"""Figures of sides that take turns: medians, paired ratios, tables.

A round is a dict: name of a side => what it measured, of which `prompt` and `decode` are
tokens/s. Each round has the same sides; the first one is ours.
"""

import statistics

OURS = "llama-compile"
WORDS = {"prompt": "prefill", "decode": "decode"}


def order(sides, number):
    """The sides in the order of round `number`, 0 being the first: whoever was first is last next time."""
    first = number % len(sides)
    return sides[first:] + sides[:first]


def rates(rounds, side, kind):
    """tokens/s of a side, round by round."""
    return [found[side][kind] for found in rounds]


def ratios(rounds, peer, kind):
    """ours / peer of each round: both met the machine as it was then."""
    return [ours / theirs for ours, theirs in zip(rates(rounds, OURS, kind), rates(rounds, peer, kind))]


def summarize(values):
    """(median, smallest, largest)"""
    return statistics.median(values), min(values), max(values)


# --- what each round measured -----------------------------------------------

def digits(value):
    """Four significant ones, so that what follows from printed figures is right to 0.1 %."""
    return f"{value:.4g}" if value < 1000 else f"{value:.0f}"


def line(head, unit, values, form=digits):
    return [head, unit, *map(form, values), *map(form, summarize(values))]


def limit_lines(rounds, kind):
    """What the machine can do, measured by llama-measure in each round, and what of it ours reaches."""
    ours = [found[OURS]["limits"] | found[OURS]["limits"][kind] for found in rounds]
    for what, unit, scale, limit, reached, share in (
            ("reads", "GB/s", "GB", "read_bytes_per_s", "weight_bytes_per_s", "share_of_read"),
            (" or ".join(dict.fromkeys(found["peak_unit"] for found in ours)), "Gop/s", "Gop",
             "peak_operations_per_s", "operations_per_s", "share_of_peak")):
        each = ours[0][reached] / rounds[0][OURS][kind] / 1e9
        yield line(what, unit, [found[limit] / 1e9 for found in ours])
        yield line(f"  ours: tokens/s x {digits(each)} {scale}", unit, [found[reached] / 1e9 for found in ours])
        yield line("  share", "%", [100 * found[share] for found in ours], "{:.1f}".format)


def round_table(rounds, kind):
    """Rows of texts, the first being the head: all that the table at the end is made of."""
    sides = list(rounds[0])
    rows = [["", "", *(f"round {i + 1}" for i in range(len(rounds))), "median", "smallest", "largest"]]
    rows += [line(side, "tokens/s", rates(rounds, side, kind)) for side in sides]
    rows += [line(f"ours / {side}", "", ratios(rounds, side, kind), "{:.2f}".format) for side in sides[1:]]
    return rows + list(limit_lines(rounds, kind))


def noisy(rounds):
    """Numbers of the rounds, from 1, in which llama-measure found noise to the last."""
    return [i + 1 for i, found in enumerate(rounds) if found[OURS]["noise"]]


# --- the table at the end ---------------------------------------------------

def markdown(results, names):
    """Lines of a table in Markdown, a row for each result and kind.

    `results`: dicts of `shape`, `weights`, `busy` and `rounds`; `names`: weights => what both sides call them.
    """
    sides = list(results[0]["rounds"][0])
    head = ["", OURS, *(text for peer in sides[1:] for text in (peer, "ratio (median of pairs)", "range"))]
    rows = [head, ["---"] * len(head)]
    for result in results:
        for kind in WORDS:
            rows.append([title(results, result, names, kind), *cells(result["rounds"], sides, kind)])
    return ["|" + "|".join(f" {cell} " if cell and cell != "---" else cell or " " for cell in row) + "|"
            for row in rows]


def title(results, result, names, kind):
    """What tells a row from the others."""
    several = {key: len({other[key] for other in results}) > 1 for key in ("shape", "busy")}
    parts = [result["shape"].upper()] if several["shape"] else []
    parts += [names[result["weights"]], WORDS[kind]]
    return ", ".join(parts + ([count_neighbours(result["busy"])] if several["busy"] else []))


def count_neighbours(busy):
    return "quiet" if busy == 0 else f"{busy} neighbour{'s' if busy > 1 else ''}"


def cells(rounds, sides, kind):
    yield digits3(summarize(rates(rounds, OURS, kind))[0])
    for peer in sides[1:]:
        median, smallest, largest = summarize(ratios(rounds, peer, kind))
        yield digits3(summarize(rates(rounds, peer, kind))[0])
        yield f"{median:.2f}"
        yield f"{smallest:.2f} to {largest:.2f}"


def digits3(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
