"""Random templates, with variables for them."""

import random

import typed_templates
import untyped_templates

PIECES = ["a", "ab", "word", "-", "--", "---", " ", "  ", ".", ",", "1", "é", "日", "\t", "\n", "_", "'", "(", "\u2003", "&"]


def make_cases(count, seed):
    """`count` pairs of a template and its variables; one of five has no types."""
    cases = []
    for i in range(count):
        rng = random.Random(f"{seed}/{i}")
        maker = (untyped_templates if i % 5 == 4 else typed_templates).Maker(rng)
        cases.append((maker.block(), maker.variables))
    return cases


def make_wrap_cases(count, seed):
    """Lines of pieces that are broken in different ways, a hundred in each of `count` templates."""
    cases = []
    for i in range(count):
        rng = random.Random(f"wrap/{seed}/{i}")
        texts = [["".join(rng.choices(PIECES, k=rng.randint(0, 14))), rng.randint(1, 9), rng.random() < 0.7, rng.random() < 0.7]
                 for _ in range(100)]  # fmt: skip
        cases.append(("{% for s, w, b, h in texts %}{{ s|wordwrap(w, b, break_on_hyphens=h) }}|{% endfor %}", {"texts": texts}))
    return cases
