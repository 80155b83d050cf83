"""Prints the commands of a Markdown file: its blocks marked as sh."""
import re
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    blocks = re.findall(r"^```sh\n(.*?)^```$", file.read(),
                        re.MULTILINE | re.DOTALL)
if not blocks:
    sys.exit(f"{sys.argv[1]}: has no block of commands")
print("".join(blocks), end="")
