"""Compares what the models of model-facts.test say. Their folder is the argument."""

import json
import pathlib
import re
import subprocess
import sys


def read_info(model):
    command = ["llama-weights", "inspect", "--json", model]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def main():
    folder = pathlib.Path(sys.argv[1])
    names = ("amx", "again", "other", "external", "int8", "rows16", "int4")
    infos = {name: read_info(folder / f"{name}.so") for name in names}
    prints = {name: info["fingerprint"] for name, info in infos.items()}
    assert all(re.fullmatch("[0-9a-f]{64}", text) for text in prints.values()), prints
    assert set(prints["amx"]) != {"0"}
    assert prints["amx"] == prints["again"]  # the same thing twice
    assert prints["other"] == prints["external"]  # wherever the weights are
    assert len(set(prints.values())) == len(prints) - 2, prints
    # A model that is linked has no symbols to ask: its text is in the file.
    assert prints["other"].encode() in (folder / "linked.so").read_bytes()

    targets = {name: [info["target"], *info["target"]["others"]] for name, info in infos.items()}
    alike = {name: [code.get("rows_alike", False) for code in codes] for name, codes in targets.items()}
    assert alike["amx"] == [False, True], alike
    assert alike["int8"] == alike["rows16"] == alike["int4"] == [True], alike
    for name, codes in targets.items():
        for code in codes:
            print(f"{name}, {code['cpu']}: {code['stack_bytes']} bytes of stack")
            assert 0 < code["stack_bytes"] <= 112 << 10


if __name__ == "__main__":
    main()
