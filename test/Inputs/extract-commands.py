"""Prints the commands of a page, its blocks marked as sh, or those of all pages.

    python extract-commands.py [--language=bash] PAGE.md | ROOT
    python extract-commands.py --program PAGE.md

Of all READMEs and docs/ of ROOT, each in a folder of its own next to a folder
examples. With --language of blocks marked so; with --program of the first one in C.
"""

import pathlib
import re
import sys

PAGES = ["README.md", "*/README.md", "dialects/*/README.md", "docs/*.md"]


def read_commands(page, language="sh"):
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return "".join(blocks)


def main():
    root = pathlib.Path(sys.argv[-1])
    if root.is_file():
        option = sys.argv[1].partition("=")
        languages = {"--language": option[2], "--program": "c"}
        commands = read_commands(root, languages.get(option[0], "sh"))
        print(commands, end="")
        return f"{root}: has no block of commands" if not commands else 0
    for page in sorted(page for pattern in PAGES for page in root.glob(pattern)):
        commands = read_commands(page)
        folder = str(page.relative_to(root).with_suffix("")).replace("/", "-")
        if commands:
            print(f"mkdir {folder} && cd {folder} && ln -s ../examples examples\n{commands}cd ..")
    return 0


if __name__ == "__main__":
    sys.exit(main())
