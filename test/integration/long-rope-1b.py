"""long-rope.py with the widths of Llama 3.2 1B, cut to two layers.

    python long-rope-1b.py FOLDER

Too large for the tests: FOLDER holds 2.5 GB afterwards, the references need 8 GB
of memory and, with both kinds of activations, some minutes on two cores.
"""

import pathlib
import subprocess
import sys

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    script = pathlib.Path(__file__).with_name("long-rope.py")
    sys.exit(subprocess.run([sys.executable, script, sys.argv[1], "--shape=1b", "--layers=2"], check=False).returncode)
