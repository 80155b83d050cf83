"""Processes that compute all the time beside what is measured.

    with neighbours.computing(2):
        ...
"""

import contextlib
import os
import subprocess
import sys

# Ends by itself, too, should the one who started it be gone.
COMPUTE = """
import os, sys
parent = int(sys.argv[1])
print("computing", flush=True)
while os.getppid() == parent:
    sum(range(1000000))
"""


@contextlib.contextmanager
def computing(count):
    """So many neighbours, each of which computes already; all have ended afterwards."""
    command = [sys.executable, "-c", COMPUTE, str(os.getpid())]
    started = []
    try:
        for _ in range(count):
            started.append(subprocess.Popen(command, stdout=subprocess.PIPE))
        for process in started:
            process.stdout.readline()
        yield [process.pid for process in started]
    finally:
        for process in started:
            process.kill()
            process.wait()
            process.stdout.close()
