"""Copies a model.so as one that does not ask for AMX.

    python without-amx-check.py MODEL.so COPY.so FEATURE...

The runtime looks for the features that llama_info lists and asks the kernel for
tiles; where amx-emulator.so computes them there is neither. The names, which are
all of AMX that the model asks for, are replaced by others of the same length,
which every machine with AVX-512 has.
"""

import os
import sys

with open(sys.argv[1], "rb") as file:
    data = file.read()
names = {b'"amx-tile"': b'"avx512bw"', b'"amx-bf16"': b'"avx512dq"', b'"amx-int8"': b'"avx512vl"'}
for name in sys.argv[3:]:
    quoted = f'"{name}"'.encode()
    if data.count(quoted) != 1:
        raise SystemExit(f"{sys.argv[1]}: has {data.count(quoted)} times {name}, expected 1")
    data = data.replace(quoted, names[quoted])
if b'"amx-' in data:
    raise SystemExit(f"{sys.argv[1]}: asks for more of AMX than {sys.argv[3:]}")
with open(sys.argv[2], "wb") as file:
    file.write(data)
os.chmod(sys.argv[2], 0o755)
