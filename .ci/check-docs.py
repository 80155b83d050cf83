#!/usr/bin/env python3
"""Checks that pages say what is there. A line for every difference.

  - lines of *.md have at most 120 characters
  - links lead to files, folders and headings
  - paths in backticks that begin with a room, and those of @test, exist
  - the map in the README of each room names its folders, and so do the rules
    of check-includes.py; nothing else is named
  - compiler/README.md lists the stages of Stages.def
"""
import glob
import os
import re
import subprocess
import sys

ROOMS = ["weights", "dialects", "compiler", "runtime"]
LIMIT = 120


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def tracked(*patterns):
    return subprocess.run(["git", "ls-files", *patterns], capture_output=True,
                          text=True, check=True).stdout.split()


def numbered_lines(path, with_blocks=True):
    """(number, line) of a page; without blocks those outside of ``` alone."""
    is_block = False
    for number, line in enumerate(read(path).splitlines(), 1):
        is_fence = line.lstrip().startswith("```")
        is_block ^= is_fence
        if with_blocks or not (is_block or is_fence):
            yield number, line


def slugs(path):
    """The anchors of a page's headings."""
    headings = [line.lstrip("#").strip().lower()
                for _, line in numbered_lines(path, with_blocks=False)
                if re.match(r"#+ ", line)]
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")
            for heading in headings}


def check_lengths(page):
    for number, line in numbered_lines(page):
        if len(line) > LIMIT:
            yield f"{page}:{number}: {len(line)} characters, at most {LIMIT}"


def check_links(page):
    for number, line in numbered_lines(page, with_blocks=False):
        for target in re.findall(r"\]\(([^)\s]+)\)", line):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            path = os.path.normpath(os.path.join(os.path.dirname(page), name)) if name else page
            if not os.path.exists(path):
                yield f"{page}:{number}: link to {target}, which is not there"
            elif anchor and anchor not in slugs(path):
                yield f"{page}:{number}: link to {target}: no such heading"


def check_paths(page):
    room = "|".join([*ROOMS, "docs", "test", "examples", r"\.ci"])
    for number, line in numbered_lines(page, with_blocks=False):
        for path in re.findall(rf"`((?:{room})/[\w./*-]*)`", line):
            if not glob.glob(path):
                yield f"{page}:{number}: `{path}` is not there"


def check_tests(page):
    for number, line in numbered_lines(page):
        match = re.match(r"\s*@test (\S+)", line)
        if match and not os.path.exists(os.path.join("test", match[1])):
            yield f"{page}:{number}: @test {match[1]}: is not in test/"


def folders_of(room, files):
    """Every folder in a room, as paths within it."""
    found = set()
    for path in files:
        parts = path.split("/")[1:-1]
        if path.startswith(room + "/"):
            found |= {"/".join(parts[:i + 1]) for i in range(len(parts))}
    return found


def map_of(room):
    """The folders that the map of a room names: lines of a block that begin
    with one, indented for those inside of another, or rows of a table."""
    found, outer, fence = set(), [], None
    for line in read(f"{room}/README.md").splitlines():
        if line.startswith("```"):
            fence = line if fence is None else None
            continue
        is_map = fence == "```"
        inside = re.match(r"( *)((?:\w+/)+)(?:\s|$)", line) if is_map else None
        row = re.match(r"\| [`\[](\w+)/[`\]]", line)
        if inside:
            outer = [o for o in outer if o[0] < len(inside[1])]
            path = "".join(o[1] for o in outer) + inside[2]
            outer.append((len(inside[1]), inside[2]))
            parts = path.rstrip("/").split("/")
            found |= {"/".join(parts[:i + 1]) for i in range(len(parts))}
        elif row:
            found.add(row[1])
    return found


def rules_of(room):
    """The folders of a room that the include rules name."""
    names = re.findall(r'^    "([^"]+)": \(', read(".ci/check-includes.py"), re.MULTILINE)
    inside = [name.partition("/")[2] for name in names if name.startswith(room + "/")]
    found = set()
    for path in inside:
        if os.path.isfile(f"{room}/{path}"):
            continue
        parts = path.split("/")
        found |= {"/".join(parts[:i + 1]) for i in range(len(parts))}
    return found


def compare(room, where, named, folders):
    """All folders right in the room have to be named; of one inside of another,
    all or none."""
    opened = {path.rpartition("/")[0] for path in named}
    wanted = {path for path in folders
              if "/" not in path or path.rpartition("/")[0] in opened}
    for path in sorted(wanted - named):
        yield f"{where}: {room}/{path} is missing"
    for path in sorted(named - folders):
        yield f"{where}: {room}/{path} is not there"


def check_map(room, files):
    folders = folders_of(room, files)
    yield from compare(room, f"{room}/README.md, the map", map_of(room), folders)
    yield from compare(room, ".ci/check-includes.py, RULES", rules_of(room), folders)


def check_stages():
    stages = re.findall(r'^STAGE\(\w+, "(\w+)",\s*"([^"]*)"\)', read("compiler/Pipelines/Stages.def"), re.MULTILINE)
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", read("compiler/README.md"), re.MULTILINE)
    if stages != rows:
        yield f"compiler/README.md: the stages are {rows}, in Stages.def {stages}"


def main():
    pages, files = tracked("*.md"), tracked()
    differences = []
    for page in pages:
        for check in (check_lengths, check_links, check_paths, check_tests):
            differences += check(page)
    for page in tracked("*.td"):
        differences += check_tests(page)
    for room in ROOMS:
        differences += check_map(room, files)
    differences += check_stages()
    print("".join(line + "\n" for line in differences), end="")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
