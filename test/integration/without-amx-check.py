"""Copies a model.so as one that does not ask for AMX.

    python without-amx-check.py MODEL.so COPY.so

The runtime looks for the features that llama_info lists and asks the kernel for
tiles; where amx-emulator.so computes them there is neither. The names are
replaced by others of the same length, which every machine with AVX-512 has.
"""

import os
import sys

with open(sys.argv[1], "rb") as file:
    data = file.read()
for name, other in [(b'"amx-tile"', b'"avx512bw"'), (b'"amx-bf16"', b'"avx512dq"')]:
    if data.count(name) != 1:
        raise SystemExit(f"{sys.argv[1]}: has {data.count(name)} times {name}, expected 1")
    data = data.replace(name, other)
with open(sys.argv[2], "wb") as file:
    file.write(data)
os.chmod(sys.argv[2], 0o755)
