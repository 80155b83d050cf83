"""Deals the shares of every parallel loop in perverse ways and demands the same bits.

    python dealt.py MODEL.so

Calls llama_forward of runtime/abi/LlamaABI.h with a team of its own: a prompt of 70 ids, which are
in two blocks of the cache, then one more row. Ways: shares first to last, last to first and in any
order; one thread takes all of them and the others come when it has finished; several threads, each
held up with a share now and then while the others go on. The runtime's logits are what all are
compared with. The model has weights inside and code for one processor.
"""

import ctypes
import json
import pathlib
import platform
import random
import re
import sys
import threading
import time

import numpy as np

import program

ABI = pathlib.Path(__file__).resolve().parents[2] / "runtime/abi"
TAKE = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64)
BARRIER = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
# Linux, for x86-64: the call, ARCH_REQ_XCOMP_PERM, and the number of what AMX keeps in tiles.
ARCH_PRCTL, REQUEST_STATE, TILE_DATA = 158, 0x1023, 18
PROMPT = 70
BLOCK = 64  # positions


def read_fields():
    """Of llama_call, each of 8 bytes: names in their order."""
    text = re.sub(r"/\*.*?\*/", "", (ABI / "LlamaCall.def").read_text(), flags=re.S)
    entries = re.findall(r"^LLAMA_CALL_(\w+)\((.*?)\)$", text.replace(",\n", ","), flags=re.M)
    position = {"SIZE": 0, "ARRAY": 1, "ARRAY2": 1, "BYTES": 1, "FIELD": -1}
    return [re.split(r",\s*", arguments)[position[kind]] for kind, arguments in entries]


class Call(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in read_fields()]


class Header(ctypes.Structure):
    _fields_ = [("magic", ctypes.c_uint64), ("version", ctypes.c_uint32), ("size", ctypes.c_uint32),
                ("weights", ctypes.c_uint64), ("info", ctypes.c_uint64), ("tokenizer", ctypes.c_uint64),
                ("kv_block", ctypes.c_uint64)]


class Model:
    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        header = Header.in_dll(self.library, "llama_header")
        info = json.loads((ctypes.c_char * header.info).in_dll(self.library, "llama_info").raw)
        self.vocab, self.kv_block = info["vocab"], header.kv_block
        self.weights = ctypes.addressof(ctypes.c_char.in_dll(self.library, "llama_weights"))
        self.workspace_bytes = self.library.llama_workspace_bytes
        self.workspace_bytes.restype, self.workspace_bytes.argtypes = ctypes.c_int64, [ctypes.c_int64] * 2
        self.forward = self.library.llama_forward
        self.forward.restype, self.forward.argtypes = None, [ctypes.POINTER(Call)]
        if platform.machine() == "x86_64":  # tile registers are there for who asks; no harm where there are none
            ctypes.CDLL(None).syscall(*(ctypes.c_long(number) for number in (ARCH_PRCTL, REQUEST_STATE, TILE_DATA)))


class Team:
    """Threads that take the shares of a call as `deal` says, which orders them."""

    def __init__(self, threads, deal, naps=None, one_by_one=False):
        self.threads, self.deal, self.naps, self.one_by_one = threads, deal, naps, one_by_one

    def run(self, forward, call):
        self.left, self.done, self.over = [], 0, 0  # shares of each loop; of the phase; phases
        self.changed = threading.Condition()
        members = [threading.Thread(target=self.work, args=(forward, call)) for _ in range(self.threads)]
        for member in members:
            member.start()
            if self.one_by_one:
                member.join()
        for member in members:
            member.join()

    def work(self, forward, call):
        own = {"loop": 0, "phase": 0, "taken": 0, "expected": 0}

        def take(_, shares):
            if self.naps and self.naps.random() < 0.05:  # with the share that it had, or before its next
                time.sleep(0.001)
            with self.changed:
                if own["loop"] == len(self.left):
                    self.left.append(self.deal(list(range(shares))))
                left = self.left[own["loop"]]
                if left:
                    own["taken"] += 1
                    return left.pop()
                own["loop"] += 1
                own["expected"] += shares
                return -1

        def arrive(_, _phase, _layer):
            with self.changed:
                mine, own["phase"] = own["phase"], own["phase"] + 1
                if mine == self.over:
                    self.done += own["taken"]
                    if self.done == own["expected"]:
                        self.done, self.over = 0, self.over + 1
                        self.changed.notify_all()
                own["taken"] = own["expected"] = 0
                self.changed.wait_for(lambda: self.over > mine)

        mine = Call.from_buffer_copy(call)
        callbacks = TAKE(take), BARRIER(arrive)
        mine.take_share, mine.barrier = (ctypes.cast(callback, ctypes.c_void_p).value for callback in callbacks)
        mine.threads = self.threads
        forward(mine)


def aligned(size):
    """An array of zero bytes at a multiple of 64."""
    array = np.zeros(size + 64, np.uint8)
    return array[-array.ctypes.data % 64:][:size]


def evaluate(model, team, prompt, next_id):
    """Logits of all rows of the prompt and of the one after it."""
    cache, tables = aligned(2 * model.kv_block), np.array([1, 0], np.int32)
    results = []
    for ids, first in ((prompt, 0), ([next_id], len(prompt))):
        rows = len(ids)
        arrays = {
            "tokens": np.array(ids, np.int32),
            "positions": np.arange(first, first + rows, dtype=np.int32),
            "sequences": np.zeros(rows, np.int32),
            "block_tables": tables,
            "kv": cache,
            "logit_row_list": np.arange(rows, dtype=np.int32),
            "logits": np.full((rows, model.vocab), np.nan, np.float32),
            "workspace": aligned(model.workspace_bytes(rows, rows)),
        }
        call = Call(struct_size=ctypes.sizeof(Call), rows=rows, prompt_rows=rows if first == 0 else 0,
                    table_count=1, table_stride=2, kv_blocks=2, logit_rows=rows, weights=model.weights)
        for name, array in arrays.items():
            setattr(call, name, array.ctypes.data)
        team.run(model.forward, call)
        results.append(arrays["logits"])
    return np.concatenate(results)


def main():
    model = Model(sys.argv[1])
    prompt = program.random_prompt(PROMPT, model.vocab)
    ids, expected = program.generate(sys.argv[1], prompt, 2)
    rng = random.Random(7)
    teams = {
        "last to first": Team(1, lambda shares: shares),
        "first to last": Team(1, lambda shares: shares[::-1]),
        "any order": Team(1, lambda shares: rng.sample(shares, len(shares))),
        "one takes all": Team(3, lambda shares: rng.sample(shares, len(shares)), one_by_one=True),
        "two in any order": Team(2, lambda shares: rng.sample(shares, len(shares)), naps=rng),
        "five in any order": Team(5, lambda shares: rng.sample(shares, len(shares)), naps=rng),
    }
    wrong = 0
    for name, team in teams.items():
        found = evaluate(model, team, prompt, ids[0])
        rows = np.flatnonzero((found.view(np.uint32) != expected.view(np.uint32)).any(axis=1))
        wrong += len(rows) > 0
        if len(rows):
            print(f"FAILED: {name}: {len(rows)} of {len(found)} rows differ, the first is {rows[0]}")
    print(f"{len(teams)} ways, {wrong} differ; {len(np.unique(expected))} different numbers in {expected.shape}")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
