"""Changes one number of a model.safetensors of f32.

python spoil.py FOLDER TENSOR ROW COLUMN NUMBER
"""

import pathlib
import sys

from safetensors.numpy import load_file, save_file


def main():
    folder, name, row, column, number = sys.argv[1:]
    path = pathlib.Path(folder) / "model.safetensors"
    tensors = {key: value.copy() for key, value in load_file(path).items()}
    tensor = tensors[name]
    tensor.reshape(-1, tensor.shape[-1])[int(row), int(column)] = float(number)
    save_file(tensors, path, metadata={"format": "pt"})


if __name__ == "__main__":
    main()
