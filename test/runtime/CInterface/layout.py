"""Offsets of every struct of llamart.h and the symbols of libllamart.so, against kept files.

    python layout.py BUILD              compares
    python layout.py BUILD --write      writes the files, for a version that changes them

A struct may get fields at its end, a library symbols; whatever else changes breaks programs that are
built already. The rules of the header name their tests.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).parent
HEADERS = HERE.parents[2] / "runtime" / "include"
BUILD = pathlib.Path(sys.argv.pop(1))


def find_structs():
    """{struct: [field, ...]} of all headers, in their order."""
    structs = {}
    for header in sorted((HEADERS / "llamart").glob("*.h")):
        text = re.sub(r"/\*.*?\*/", "", header.read_text(encoding="utf-8"), flags=re.DOTALL)
        for name, body in re.findall(r"typedef struct (\w+) \{(.*?)\} \1;", text, re.DOTALL):
            fields = []
            for declaration in filter(None, (part.strip() for part in body.split(";"))):
                if function := re.search(r"\(\*(\w+)\)", declaration):
                    fields.append(function.group(1))
                else:
                    fields += re.findall(r"(\w+)\s*(?:,|$)", declaration)
            structs[name] = fields
    return structs


def describe_layout():
    """A line for each field: struct.field offset size; and for each struct."""
    lines = []
    for name, fields in find_structs().items():
        lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
        lines += [f'printf("{name}.{field} %zu %zu\\n", offsetof({name}, {field}), sizeof((({name} *)0)->{field}));'
                  for field in fields]
    program = "#include <llamart/llamart.h>\n#include <stdio.h>\nint main(void) {\n" + "\n".join(lines) + "\n}\n"
    with tempfile.TemporaryDirectory() as folder:
        source, binary = pathlib.Path(folder, "layout.c"), pathlib.Path(folder, "layout")
        source.write_text(program, encoding="utf-8")
        subprocess.run(["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", f"-I{HEADERS}", source, "-o", binary],
                       check=True)
        return subprocess.run([binary], check=True, capture_output=True, text=True).stdout


def describe_symbols():
    """What the library exports, each with its version."""
    names = subprocess.run(["nm", "-D", "--defined-only", "--with-symbol-versions", BUILD / "lib" / "libllamart.so"],
                           check=True, capture_output=True, text=True).stdout
    return "".join(sorted(f"{line.split()[2]}\n" for line in names.splitlines()))


FILES = {"layout.txt": describe_layout, "symbols.txt": describe_symbols}


class Layout(unittest.TestCase):
    maxDiff = None

    def test_is_what_it_was(self):
        for name, describe in FILES.items():
            with self.subTest(name):
                self.assertEqual(describe(), (HERE / "Inputs" / name).read_text(encoding="utf-8"))

    def test_declares_what_is_exported(self):
        headers = "".join(path.read_text(encoding="utf-8") for path in (HEADERS / "llamart").glob("*.h"))
        declared = set(re.findall(r"LLAMART_API[^;]*?\b(llamart_\w+)\(", headers))
        exported = {line.split("@")[0] for line in describe_symbols().splitlines() if "@@" in line}
        self.assertEqual(declared, exported)

    def test_rules_name_tests_that_are_there(self):
        rules = (HEADERS / "llamart" / "llamart.h").read_text(encoding="utf-8").split("#ifndef")[0]
        tests = {f"{suite}.{name}" for path in HERE.parent.rglob("*.cpp")
                 for suite, name in re.findall(r"TEST(?:_F)?\((\w+),\s*(\w+)\)", path.read_text(encoding="utf-8"))}
        named = re.findall(r"\b[A-Z]\w+\.(?:[A-Z]\w+|\*)", rules)
        self.assertGreater(len(named), 8)
        for name in named:
            found = any(test.startswith(name[:-1]) for test in tests) if name.endswith("*") else name in tests
            self.assertTrue(found, name)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        (HERE / "Inputs").mkdir(exist_ok=True)
        for file, make in FILES.items():
            (HERE / "Inputs" / file).write_text(make(), encoding="utf-8")
    else:
        unittest.main()
