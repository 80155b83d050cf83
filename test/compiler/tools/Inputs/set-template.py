"""Gives a checkpoint's folder another chat template.

    python set-template.py FOLDER TEMPLATE [--named=NAME=TEMPLATE] [--token=NAME=TEXT]

With --named the templates are a list, TEMPLATE being the default.
"""

import argparse
import json
import pathlib

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("template")
parser.add_argument("--named", action="append", default=[])
parser.add_argument("--token", action="append", default=[])
o = parser.parse_args()
path = o.folder / "tokenizer_config.json"
config = json.loads(path.read_text(encoding="utf-8"))
others = [dict(zip(("name", "template"), pair.split("=", 1))) for pair in o.named]
config["chat_template"] = [{"name": "default", "template": o.template}, *others] if others else o.template
config.update(pair.split("=", 1) for pair in o.token)
path.write_text(json.dumps(config), encoding="utf-8")
