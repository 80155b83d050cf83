"""What an application waits for: cancelling in the middle of a prompt, a prompt that is known, an idle engine.

    ./dev bench embedding MODEL.so

Flags are set by another thread and by a signal handler while a prompt of 2000 tokens runs, in an eval of
its own and in a queue where another job goes on; step_ms is its default, 100.
"""

import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: ./dev bench embedding MODEL.so")
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder, "embedding")
        library = ROOT / "build" / "lib"
        subprocess.run(["c++", "-std=c++20", "-O2", HERE / "Inputs" / "embedding.cpp", "-o", program,
                        f"-I{ROOT / 'runtime' / 'include'}", f"-L{library}", f"-Wl,-rpath,{library}", "-lllamart",
                        "-pthread"], check=True)
        done = subprocess.run([program, sys.argv[1]], check=True, capture_output=True, text=True)
    print(done.stdout, end="")
    first = {words[1]: float(words[2]) for words in map(str.split, done.stdout.splitlines()) if words[0] == "first"}
    print(f"first token of what is known: {first['found'] / first['anew']:.3f} of the time of what is not")


if __name__ == "__main__":
    main()
