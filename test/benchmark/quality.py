"""What quantization costs a model in quality, on a text of this project.

    ./dev bench quality CHECKPOINT [FOLDER] [--text=FILE]

Compiles the checkpoint with bf16 weights and with several kinds of integers into
FOLDER, and compares them: perplexities of the text, the divergence of their
predictions from those of the bf16 model (llama-measure quality).
"""

import argparse
import pathlib
import subprocess
import tempfile

import models

WIDE = "--activation-bits=16"
KINDS = {
    "bf16": [],
    "int8-g32": ["--quantize=int8"],
    "int8-g32-wide": ["--quantize=int8", WIDE],
    "int8-g128": ["--quantize=int8", "--group-size=128"],
    "int8-g128-wide": ["--quantize=int8", "--group-size=128", WIDE],
    "int4-g32": ["--quantize=int4"],
    "int4-g32-wide": ["--quantize=int4", WIDE],
    "int4-g128": ["--quantize=int4", "--group-size=128"],
    "int4-g128-asymmetric": ["--quantize=int4", "--group-size=128", "--asymmetric"],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path, nargs="?", help="where the models are kept; default: nowhere")
    parser.add_argument("--text", type=pathlib.Path, default=pathlib.Path(__file__).with_name("quality.txt"))
    parser.add_argument("--context", default="512")
    o = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = o.folder or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        compiled = []
        for kind, flags in KINDS.items():
            compiled.append(folder / f"{kind}.so")
            subprocess.run([models.TOOLS / "llama-compile", o.checkpoint, "-o", compiled[-1], "--quiet", *flags],
                           check=True)
        subprocess.run([models.TOOLS / "llama-measure", "quality", *compiled[1:], f"--reference={compiled[0]}",
                        f"--text={o.text}", f"--context={o.context}"], check=True)


if __name__ == "__main__":
    main()
