"""Which sources a change reaches: those that were changed, and those that include what was.

What includes what is what the last build found (ninja -t deps). A change of a .td file counts as one
of all that TableGen makes.
"""

import json
import os
import shlex
import subprocess

from results import BUILD, ROOT


def git(*words):
    return subprocess.run(["git", *words], cwd=ROOT, text=True, capture_output=True, check=False).stdout.split("\n")


def list_changed():
    """Paths that differ from where this branch left main, uncommitted and new ones included."""
    known = [name for name in ("origin/main", "main") if git("rev-parse", "-q", "--verify", name)[0]]
    base = git("merge-base", "HEAD", known[0])[0] if known else ""
    names = git("diff", "--name-only", base or "HEAD") + git("ls-files", "--others", "--exclude-standard")
    return {os.path.join(ROOT, name) for name in names if name}


def list_dependencies():
    """Path => paths that it was made of, all absolute."""
    text = subprocess.run(["ninja", "-C", BUILD, "-t", "deps"], text=True, capture_output=True, check=True).stdout
    found = {}
    for block in text.split("\n\n"):
        made, *lines = block.strip().split("\n")
        made = made.partition(": #deps")[0]
        found[os.path.join(BUILD, made)] = {os.path.normpath(os.path.join(BUILD, line.strip())) for line in lines}
    return found


def find_reached(sources):
    """Those of the sources (paths from the root) that list_changed() reaches."""
    changed = list_changed()
    if os.path.join(ROOT, ".clang-tidy") in changed:
        return sources
    dependencies = list_dependencies()
    if any(path.endswith(".td") for path in changed):
        made = set().union(*dependencies.values())
        changed |= {path for path in made if path.startswith(BUILD) and path.endswith(".inc")}
    reached = changed | {made for made, parts in dependencies.items() if parts & changed}
    with open(os.path.join(BUILD, "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    for command in commands:
        words = shlex.split(command["command"])
        made = os.path.join(command["directory"], words[words.index("-o") + 1])
        if made in reached or made not in dependencies:
            reached.add(command["file"])
    return [name for name in sources if os.path.join(ROOT, name) in reached]
