"""How long a large model takes to compile, and how much memory.

    ./dev bench compile-1b FOLDER [--shapes=1b,3b]

Exit code 1 if a compile needed a gigabyte or more (P1), whatever the model has.
"""

import sys

import models

LIMIT = 1e9  # bytes


def main():
    o = models.parse_arguments(__doc__.splitlines()[0])
    rows, passed = [["shape", "layers", "seconds", "model.so GB", "peak RSS MB"]], True
    for shape in o.shapes:
        model, seconds, peak = models.compile_model(o, shape)
        size = model.stat().st_size
        rows.append([shape, str(o.layers or "all"), f"{seconds:.1f}", f"{size / 1e9:.2f}", f"{peak / 1e6:.0f}"])
        passed &= peak < LIMIT
    models.print_table(rows)
    print(f"peak RSS is {'below' if passed else 'NOT below'} 1 GB")
    return not passed


if __name__ == "__main__":
    sys.exit(main())
