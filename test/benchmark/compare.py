"""Prompt and decode beside other programs: same machine, same weights, same threads, taking turns.

    ./dev bench compare FOLDER [--peers=llama.cpp,openvino] [--llama-bench=PATH] [--shapes=1b,3b,8b]
                               [--weights=bf16,int8,int4] [--busy=0,1] [--json=FILE] ...

Random weights of Llama's shapes, compiled by llama-compile and written as a GGUF file by
llama-weights: bf16 meets BF16, int8 Q8_0, int4 Q4_0. All sides have the same bits: int8 and int4
have a scale for every 32 elements, and where the layers have 4 bits, embedding and output matrix
have 8. OpenVINO reads no BF16 and gets F16, as wide. Its cache of keys and values is its own choice.

Peers:

  llama.cpp      llama-cpp-python, built from source for the instructions of --mcpu (a quarter of an
                 hour on two cores); one that was built for others is refused
  openvino       OpenVINO GenAI, which takes all instructions of the processor: for --mcpu=native only
  --llama-bench  llama-bench of llama.cpp or of a fork, any number of them

The packages are installed in FOLDER/venv or FOLDER/venv-MCPU, unless --python names an interpreter
that has them. Each round runs every side once, in an order that rotates; a ratio is of one round,
and what is given of it is the median of the rounds, the smallest and the largest. Beside it stands
what the machine can do, as llama-measure finds it in the same rounds, and what of that ours reaches.
"""

import argparse
import json
import os
import pathlib
import shlex
import sys
import tempfile

import instructions
import models
import neighbours
import pairs
import sides


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"compare: {message}\n")


def some_of(known, empty=False):
    """A list such as 1b,3b of words that are known, without repetitions."""
    def parse(text):
        words = list(dict.fromkeys(text.split(","))) if text or not empty else []
        unknown = [word for word in words if word not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"expected some of {','.join(known)}, found {unknown[0]!r}")
        return words
    return parse


def one_of(known):
    def parse(text):
        if text not in known:
            raise argparse.ArgumentTypeError(f"expected one of {','.join(known)}, found {text!r}")
        return text
    return parse


def count_from(least):
    def parse(text):
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"expected a whole number from {least} on, found {text!r}")
        return int(text)
    return parse


def counts(text):
    return [count_from(0)(word) for word in dict.fromkeys(text.split(","))]


def parse(arguments):
    parser = Parser(prog="compare", description=__doc__.splitlines()[0], allow_abbrev=False)
    add = parser.add_argument
    add("folder", type=pathlib.Path, help="where models are kept: 10 GB for 1b, 25 for 3b, 60 for 8b")
    add("--peers", type=some_of(sides.PEERS, empty=True), default=list(sides.PEERS),
        help="some of llama.cpp,openvino (both); empty: none of them")
    add("--llama-bench", action="append", default=[], metavar="PATH", help="a llama-bench; may be given several times")
    add("--llama-bench-flags", default="", metavar="FLAGS", help='further flags for it, as in "-rtr 1"')
    add("--shapes", type=some_of(models.SHAPES), default=["1b"], help="some of 1b,3b,8b (1b)")
    add("--weights", type=some_of(sides.TYPES), default=list(sides.TYPES), help="some of bf16,int8,int4 (all)")
    add("--prompt", type=count_from(1), default=512, metavar="N", help="tokens of the prompt (512)")
    add("--decode", type=count_from(1), default=32, metavar="N", help="tokens to decode after it (32)")
    add("--rounds", type=count_from(1), default=3, metavar="N")
    add("--threads", type=count_from(1), default=2, metavar="N")
    add("--mcpu", type=one_of(instructions.CMAKE_ARGS), default="native",
        help="the instructions of all sides: native (default), x86-64-v3 or x86-64-v4")
    add("--busy", type=counts, default=[0], metavar="N,...",
        help="processes that compute all the time beside each run; each number is measured (0)")
    add("--layers", type=count_from(1), metavar="N", help="cut the models to so many layers")
    add("--load", type=one_of(("map", "copy")), default="map", help="how ours loads weights: map (default) or copy")
    add("--flags", default="", help="further flags of llama-compile")
    add("--python", help="an interpreter that has the packages of the peers")
    add("--json", type=pathlib.Path, metavar="FILE", help="write all figures there, too")
    return parser.parse_args(arguments)


def check_output(path):
    """A long measurement is not begun if what it writes cannot be written."""
    if path.is_dir():
        sys.exit(f"{path}: expected a file, found a folder")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        sys.exit(f"{path}: expected a folder that can be written to, found "
                 f"{'one that cannot' if path.parent.is_dir() else 'none'}")


def choose_sides(o):
    paths = list(dict.fromkeys(o.llama_bench))
    benches = [sides.LlamaBench(path, "llama-bench" if len(paths) == 1 else path) for path in paths]
    return [sides.Ours(), *(sides.PEERS[name]() for name in o.peers), *benches]


def measure(o, taking_part, files, busy, title):
    """Rounds, each a dict: name of a side => what it measured."""
    rounds = []
    for number in range(o.rounds):
        found = {}
        for side in pairs.order(taking_part, number):
            print(f"{title}, round {number + 1} of {o.rounds}: {side.name}", file=sys.stderr, flush=True)
            with neighbours.computing(busy):
                found[side.name] = side.run(o, files[side.name])
        rounds.append({side.name: found[side.name] for side in taking_part})
    return rounds


def show(result, title):
    for kind, word in pairs.WORDS.items():
        print(f"\n{title}, {word}")
        models.print_table(pairs.round_table(result["rounds"], kind))
    for number in pairs.noisy(result["rounds"]):
        print(f"noise: reads before and after ours differ by more than 5 % in round {number}")


def compare(o, taking_part):
    """Measures and shows each result: a dict of `shape`, `weights`, `busy` and `rounds`."""
    for shape in o.shapes:
        for weights in o.weights:
            files = {side.name: side.prepare(o, shape, weights) for side in taking_part}
            for busy in o.busy:
                title = f"{shape} {weights}, {pairs.count_neighbours(busy)}"
                result = {"shape": shape, "weights": weights, "busy": busy,
                          "rounds": measure(o, taking_part, files, busy, title)}
                show(result, title)
                yield result


def describe(o, taking_part, results):
    """What the figures depend on besides the programs."""
    options = ("prompt", "decode", "rounds", "threads", "mcpu", "load", "layers", "flags", "llama_bench_flags")
    return {"command": shlex.join(["./dev", "bench", "compare", *sys.argv[1:]]),
            "processor": results[0]["rounds"][0][pairs.OURS]["limits"]["cpu"], "cores": os.cpu_count(),
            **{key: getattr(o, key) for key in options},
            "sides": {side.name: {"version": side.version, "instructions": side.instructions}
                      for side in taking_part}}


def show_description(found):
    print(f"\n{found['command']}")
    print(f"{found['processor']}, {found['cores']} cores; {found['threads']} threads, --mcpu={found['mcpu']}, "
          f"--load={found['load']}; prompt of {found['prompt']} tokens, {found['decode']} decoded after it, "
          f"{found['rounds']} rounds")
    for name, side in found["sides"].items():
        print(f"{name}: {side['version']}; instructions: {side['instructions']}")


def write_json(path, content):
    """All of it or nothing."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.write("\n")
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def main():
    o = parse(sys.argv[1:])
    if o.json:
        check_output(o.json)
    taking_part = choose_sides(o)
    o.folder.mkdir(parents=True, exist_ok=True)
    for side in taking_part:
        side.check(o)
    results = list(compare(o, taking_part))
    description = describe(o, taking_part, results)
    show_description(description)
    print()
    print("\n".join(pairs.markdown(results, sides.NAMES)))
    if o.json:
        write_json(o.json, description | {"results": results})


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:
        sys.exit(f"compare: {error}")
    except KeyboardInterrupt:
        sys.exit("compare: interrupted")
