r"""Copies a file with a defect.

    python damage.py cut FROM TO BYTES          only that many; -1: all but the last
    python damage.py replace FROM TO OLD NEW    as long as OLD, which is there once

Bytes in OLD and NEW may be written \x00; 'OLD@8' in OLD is the place eight bytes
behind it, 'NEW' then as long as it likes.
"""

import codecs
import pathlib
import sys


def to_bytes(text):
    return codecs.decode(text, "unicode_escape").encode("latin-1")


def replace(data, old, new):
    name, _, offset = old.partition("@")
    old, new = to_bytes(name), to_bytes(new)
    if data.count(old) != 1 or (not offset and len(old) != len(new)):
        sys.exit(f"damage: {name} is there {data.count(old)} times; lengths {len(old)} and {len(new)}")
    at = data.index(old) + int(offset or 0)
    return data[:at] + new + data[at + len(new) :]


def main():
    how, source, target, *rest = sys.argv[1:]
    data = pathlib.Path(source).read_bytes()
    data = data[: int(rest[0])] if how == "cut" else replace(data, *rest)
    pathlib.Path(target).write_bytes(data)


if __name__ == "__main__":
    main()
