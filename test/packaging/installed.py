#!/usr/bin/env python3
"""Programs of others against an installed tree: pkg-config, CMake, static, moved elsewhere; what is missing is said.

usage: installed.py [unittest's options]     after a build of llamart, llamart-static and tool-pages
"""

import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build"
PROMPT = "Once upon a time"


def run(*command, **options):
    """(exit code, what was printed)."""
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False, **options)
    return done.returncode, done.stdout


def read_program():
    """The program of runtime/README.md."""
    page = (ROOT / "runtime/README.md").read_text(encoding="utf-8")
    return re.search(r"^```c\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[1]


def link_models(program):
    """The program with models inside: `tiny` if it has an argument, else `small`."""
    changes = [("static int fail(", "extern const llamart_linked_model tiny, small;\n\nstatic int fail("),
               ("llamart_model_open(argv[1],", "llamart_model_open_linked(argv[1] ? &tiny : &small,"),
               ("  if (argc != 2)\n    return 2;\n", "  (void)argc;\n")]
    for old, new in changes:
        assert old in program, old
        program = program.replace(old, new)
    return program


CPP_PROGRAM = """#include <llamart/llamart.hpp>
#include <cstdio>
int main(int, char **argv) {
  llamart::api::Model model(argv[1]);
  std::printf("%zu ids\\n", model.encode("Once upon a time").size());
}
"""


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="llamart-installed-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.prefix = cls.folder / "tree"
        for component in ("runtime", "development", "tools", "compiler"):
            cls.succeed("cmake", "--install", BUILD, "--prefix", cls.prefix, "--component", component)
        cls.model = cls.folder / "tiny.so"
        cls.succeed(cls.prefix / "bin/llama-compile", ROOT / "examples/tiny", "--quiet", "-o", cls.model)
        (cls.folder / "app.c").write_text(read_program(), encoding="utf-8")
        cls.text = cls.succeed(cls.prefix / "bin/llama-generate", cls.model, f"--prompt={PROMPT}", "--max-tokens=50",
                               "--quiet")

    @classmethod
    def succeed(cls, *command, **options):
        code, text = run(*command, **options)
        assert code == 0, f"{' '.join(map(str, command))}: exit {code}: {text}"
        return text

    def check_program(self, program, prefix, *, is_static=False):
        """It prints what llama-generate does, then a line with the number of tokens."""
        environment = {} if is_static else {"LD_LIBRARY_PATH": str(prefix / "lib")}
        text = self.succeed(program, self.model, env=environment)
        self.assertGreater(len(self.text), 50)
        self.assertEqual(text, f"{self.text.rstrip(chr(10))}\n50 tokens\n")

    def flags(self, prefix, *options):
        environment = {**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig")}
        return self.succeed("pkg-config", *options, "llamart", env=environment).split()

    def write_project(self, *lines):
        """A folder with app.c, app.cpp and these lines of CMake."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        (folder / "app.c").write_text(read_program(), encoding="utf-8")
        (folder / "app.cpp").write_text(CPP_PROGRAM, encoding="utf-8")
        (folder / "CMakeLists.txt").write_text("\n".join(("cmake_minimum_required(VERSION 3.22)", *lines, "")),
                                               encoding="utf-8")
        return folder

    def configure(self, prefix, folder, *options):
        code, text = run("cmake", "-S", folder, "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={prefix}", *options)
        return code, re.sub(r"\s+", " ", text)

    def build(self, prefix, *lines):
        """The program `app` of a project."""
        folder = self.write_project(*lines)
        code, text = self.configure(prefix, folder)
        self.assertEqual(code, 0, text)
        self.succeed("cmake", "--build", folder / "build")
        return folder / "build/app"

    def refuse(self, message, *lines, options=()):
        """Configuring ends with an error that says so."""
        code, text = self.configure(self.prefix, self.write_project(*lines), *options)
        self.assertNotEqual(code, 0, text)
        self.assertIn(message, text)

    # --- programs -----------------------------------------------------------

    def check_tree(self, prefix):
        """pkg-config and three lines of CMake."""
        program = self.folder / "app"
        self.succeed("cc", self.folder / "app.c", "-o", program, *self.flags(prefix, "--cflags", "--libs"))
        self.check_program(program, prefix)
        self.check_program(self.build(prefix, "project(app LANGUAGES C)", "find_package(llamart 0.2 REQUIRED)",
                                      "add_executable(app app.c)", "target_link_libraries(app llamart::llamart)"),
                           prefix)

    def test_tree(self):
        self.check_tree(self.prefix)

    def test_tree_that_was_moved(self):
        moved = self.folder / "else/where"
        moved.parent.mkdir()
        self.prefix.rename(moved)
        try:
            self.check_tree(moved)
        finally:
            moved.rename(self.prefix)

    def test_cpp(self):
        program = self.build(self.prefix, "project(app LANGUAGES CXX)",
                             "find_package(llamart 0.2 REQUIRED COMPONENTS hpp)",
                             "add_executable(app app.cpp)", "target_link_libraries(app llamart::hpp)")
        text = self.succeed(program, self.model, env={"LD_LIBRARY_PATH": str(self.prefix / "lib")})
        self.assertRegex(text, r"^\d+ ids\n$")

    def test_archive_by_cmake(self):
        program = self.build(self.prefix, "project(app LANGUAGES C)",
                             "find_package(llamart 0.2 REQUIRED COMPONENTS static)",
                             "add_executable(app app.c)", "target_link_libraries(app llamart::static)")
        self.assertNotIn("libllamart", self.succeed("ldd", program))
        self.check_program(program, self.prefix, is_static=True)

    def test_archive_by_pkg_config(self):
        program = self.folder / "static"
        self.succeed("cc", "-static", self.folder / "app.c", "-o", program,
                     *self.flags(self.prefix, "--static", "--cflags", "--libs"))
        self.assertNotIn("INTERP", self.succeed("readelf", "-lW", program))
        self.check_program(program, self.prefix, is_static=True)  # as long as glibc is that of the linker

    def test_linked_models(self):
        """Two models in one program, which needs no other file and no loader."""
        folder = self.write_project(
            "project(app LANGUAGES C)", "find_package(llamart 0.2 REQUIRED COMPONENTS static compiler)",
            f"llama_compile_model(tiny CHECKPOINT {ROOT}/examples/tiny)",
            f"llama_compile_model(small CHECKPOINT {ROOT}/examples/tiny OPTIONS --quantize=int4)",
            "add_executable(app app.c)", "target_link_libraries(app tiny small llamart::static)",
            "target_link_options(app PRIVATE -static)")
        (folder / "app.c").write_text(link_models(read_program()), encoding="utf-8")
        code, text = self.configure(self.prefix, folder)
        self.assertEqual(code, 0, text)
        self.succeed("cmake", "--build", folder / "build")
        self.assertNotIn("INTERP", self.succeed("readelf", "-lW", folder / "build/app"))
        self.check_program(folder / "build/app", self.prefix, is_static=True)
        small = self.succeed(folder / "build/app", env={})
        self.assertRegex(small, r"^.{50}")
        self.assertNotEqual(small, self.succeed(folder / "build/app", "tiny", env={}))

    # --- what is missing ----------------------------------------------------

    def test_newer_version(self):
        for version in ("0.3", "0.2.99", "1"):
            self.refuse(f"version: 0.2.0; {version} was asked for: install a newer llamart, or ask for less",
                        "project(app LANGUAGES C)", f"find_package(llamart {version} REQUIRED)")
        self.refuse("0.1 was asked for, whose interface differs: ask for 0.2",
                    "project(app LANGUAGES C)", "find_package(llamart 0.1 REQUIRED)")

    def test_no_cpp20(self):
        self.refuse("llamart.hpp needs C++20: the languages of this project are C,", "project(app LANGUAGES C)",
                    "find_package(llamart 0.2 REQUIRED COMPONENTS hpp)")
        self.refuse("take GCC 12, Clang 16 or later, or llamart.h, which is C", "project(app LANGUAGES CXX)",
                    "set(CMAKE_CXX_COMPILE_FEATURES cxx_std_17)",  # as of a compiler that knows no more
                    "find_package(llamart 0.2 REQUIRED COMPONENTS hpp)")

    def test_no_archive(self):
        hidden = "-DCMAKE_IGNORE_PATH=/usr/lib/x86_64-linux-gnu;/lib/x86_64-linux-gnu;/usr/lib/aarch64-linux-gnu"
        needs = "llamart::static needs libutf8proc.a, which is not found: install it (Debian: libutf8proc-dev), or say"
        lines = ["project(app LANGUAGES C)", "find_package(llamart 0.2 REQUIRED COMPONENTS static)"]
        self.refuse(needs, *lines, options=[hidden])
        folder = self.write_project(lines[0], "find_package(llamart 0.2 REQUIRED)")
        code, text = self.configure(self.prefix, folder, hidden)
        self.assertEqual(code, 0, text)

    def test_no_such_component(self):
        self.refuse("there is no component cuda; there are hpp, static and compiler", "project(app LANGUAGES C)",
                    "find_package(llamart 0.2 REQUIRED COMPONENTS cuda)")

    def test_no_checkpoint(self):
        lines = ["project(app LANGUAGES C)", "find_package(llamart 0.2 REQUIRED COMPONENTS compiler)"]
        self.refuse("(tiny): expected CHECKPOINT and a file or folder that is there, found 'nowhere'", *lines,
                    "llama_compile_model(tiny CHECKPOINT nowhere)")

    # --- what comes with the tools ------------------------------------------

    def test_pages(self):
        for tool in ("llama-generate", "llama-measure", "llama-compile", "llama-weights"):
            with gzip.open(self.prefix / f"share/man/man1/{tool}.1.gz", "rt") as file:
                page = file.read().replace("\\-", "-")
            self.assertIn(".SH NAME", page)
            shown = self.succeed(self.prefix / "bin" / tool, "--help")
            flags = re.findall(r"^\s+(--[a-z-]+)", shown, re.MULTILINE)
            self.assertTrue(flags or tool == "llama-measure")
            self.assertEqual([flag for flag in flags if flag not in page], [], tool)

    def complete(self, *words):
        """What bash offers for the last word."""
        tool = words[0]
        script = (f"source {self.prefix}/share/bash-completion/completions/{tool}; COMP_WORDS=({' '.join(words)}); "
                  f"COMP_CWORD={len(words) - 1}; COMP_LINE='{' '.join(words)}'; COMP_POINT=${{#COMP_LINE}}; "
                  "_llama_tool; printf '%s\\n' \"${COMPREPLY[@]}\"")
        path = f"{self.prefix}/bin:{os.environ['PATH']}"
        return self.succeed("bash", "-c", script, env={**os.environ, "PATH": path}).split()

    def test_completion(self):
        self.assertEqual(self.complete("llama-generate", "--prompt-f"), ["--prompt-file"])
        self.assertEqual(self.complete("llama-compile", "--kv-type="), ["bf16", "f32", "int8"])
        self.assertEqual(self.complete("llama-compile", "--quantize=int"), ["int8", "int4"])
        self.assertEqual(self.complete("llama-measure", "spe"), ["speed"])
        self.assertIn("--threads", self.complete("llama-measure", "speed", "--thr"))

    def test_licences(self):
        for package, others in (("libllamart0", ["nlohmann-json3-dev"]), ("llamart-tools", ["libcli11-dev"])):
            text = (self.prefix / "share/doc" / package / "copyright").read_text(encoding="utf-8")
            self.assertIn("Apache License 2.0 with LLVM Exceptions", text)
            for other in others:
                self.assertIn(f"Of {other}, parts of which are linked in:", text)


class AllInside(unittest.TestCase):
    """LLAMART_STATIC: libllamart.a and tools that need the C and C++ libraries only."""

    folder = BUILD / "test/static"

    def configure(self, folder, *options):
        names = ("CMAKE_C_COMPILER", "CMAKE_CXX_COMPILER", "CMAKE_BUILD_TYPE", "CMAKE_CXX_FLAGS_RELEASE")
        cache = (BUILD / "CMakeCache.txt").read_text(encoding="utf-8")
        kept = [f"-D{name}={value}" for name, value in re.findall(r"^(\w+):\w+=(.*)$", cache, re.MULTILINE)
                if name in names]
        return run("cmake", "-G", "Ninja", "-S", ROOT, "-B", folder, "-DLLAMA_RUNTIME_ONLY=ON", "-DLLAMART_STATIC=ON",
                   *kept, *options)

    def needs(self, file):
        code, text = run("readelf", "-dW", file)
        self.assertEqual(code, 0, text)
        return set(re.findall(r"NEEDED.*\[(.*)\]", text))

    def test_needs(self):
        code, text = self.configure(self.folder)
        self.assertEqual(code, 0, text)
        code, text = run("ninja", "-C", self.folder, "llamart-static", "llama-generate")
        self.assertEqual(code, 0, text)
        glibc = {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
        self.assertLessEqual(self.needs(self.folder / "bin/llama-generate"), glibc)
        with tempfile.TemporaryDirectory() as place:
            program = Path(place) / "app"
            (Path(place) / "app.c").write_text(read_program(), encoding="utf-8")
            code, text = run("cc", f"-I{ROOT}/runtime/include", f"{place}/app.c", self.folder / "lib/libllamart.a",
                             "-lstdc++", "-lm", "-o", program)
            self.assertEqual(code, 0, text)
            self.assertLessEqual(self.needs(program), glibc | {"libstdc++.so.6", "libgcc_s.so.1"})

    def test_missing_archive(self):
        with tempfile.TemporaryDirectory() as place:
            code, text = self.configure(place, "-DUTF8PROC_ARCHIVE=", "-DPCRE2_ARCHIVE=/dev/null")
            self.assertNotEqual(code, 0, text)
            self.assertIn("LLAMART_STATIC is set, and libutf8proc.a is not found: install it (Debian: libutf8proc-dev,",
                          re.sub(r"\s+", " ", text))


if __name__ == "__main__":
    sys.exit(unittest.main())
