#!/usr/bin/env python3
"""The runtime's tokenizer against tiktoken, tokenizers and sentencepiece.

usage: differential.py [--tool=build/bin/tokenize-file] [--count=20000] [FILE...]

Small tokenizers are trained here, so that there is always something to compare;
with LLAMA_TEST_DATA the real ones are compared too, and with LLAMA_TEST_SMOLLM2
(a GGUF file) SmolLM2's. With FILE, a tokenizer.json of pieces or a folder with one, that is compared instead.
"""

import argparse
import base64
import collections
import json
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
import time

import gguf
import sentencepiece
import tiktoken
import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers
from tokenizers import pre_tokenizers, processors, trainers

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from texts import make_texts  # noqa: E402

LLAMA3_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+")

failures = 0


def check(name, ok, detail=""):
    global failures
    failures += not ok
    print(f"{'ok  ' if ok else 'FAIL'} {name}{'' if ok else ': ' + detail}", flush=True)


class Tool:
    """tokenize-file on one tokenizer."""

    def __init__(self, path, tokenizer):
        self.path, self.tokenizer = path, tokenizer

    def run(self, mode, records):
        data = b"".join(struct.pack("<I", len(r)) + r for r in records)
        done = subprocess.run([self.path, self.tokenizer, mode], input=data, capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(f"{self.tokenizer}: {mode}: exit {done.returncode}: "
                               f"{done.stderr.decode(errors='replace')}")
        out, results, at = done.stdout, [], 0
        while at < len(out):
            (length,) = struct.unpack_from("<I", out, at)
            results.append(out[at + 4:at + 4 + length])
            at += 4 + length
        assert len(results) == len(records)
        return results

    def encode(self, texts, mode="encode"):
        return [list(struct.unpack(f"<{len(r) // 4}i", r)) for r in self.run(mode, texts)]

    def decode(self, ids, mode="decode"):
        return self.run(mode, [struct.pack(f"<{len(i)}i", *i) for i in ids])


def compare(name, inputs, ours, theirs):
    wrong = [i for i in range(len(inputs)) if ours[i] != theirs[i]]
    detail = ""
    if wrong:
        i = min(wrong, key=lambda k: len(inputs[k]))
        detail = f"{len(wrong)} differ, as {inputs[i]!r}: ours {ours[i]}, expected {theirs[i]}"
    check(f"{name}: {len(inputs)}", not wrong and len(inputs) == len(ours) == len(theirs),
          detail[:2000])


def split_valid(data):
    """Stretches of a byte string: (text, is UTF-8), alternating."""
    parts = []
    while data:
        try:
            text = data.decode("utf-8")
            parts.append((text, True))
            return parts
        except UnicodeDecodeError as error:
            if error.start:
                parts.append((data[:error.start].decode("utf-8"), True))
            bad = data[error.start:error.end]
            if parts and not parts[-1][1]:
                parts[-1] = (parts[-1][0] + bad, False)
            else:
                parts.append((bad, False))
            data = data[error.end:]
    return parts


def random_ids(vocab, count, seed=7):
    rng = random.Random(seed)
    return [[rng.randrange(vocab) for _ in range(rng.randint(0, 12))] for _ in range(count)]


# ------------------------------------------------------------------ references


class TiktokenReference:
    def __init__(self, encoding):
        self.encoding = encoding

    def ordinary(self, text):
        return self.encoding.encode_ordinary(text)

    def special(self, text):
        return self.encoding.encode(text, allowed_special="all", disallowed_special=())

    def piece(self, data):
        return self.encoding._encode_single_piece(data)

    def decode(self, ids):
        return self.encoding.decode(ids, errors="replace").encode("utf-8")


def byte_alphabet():
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [b for b in range(256) if b not in plain]
    return {**{b: chr(b) for b in plain}, **{b: chr(256 + i) for i, b in enumerate(rest)}}


class TokenizersReference:
    def __init__(self, path):
        self.tokenizer = Tokenizer.from_file(path)
        self.plain = Tokenizer.from_file(path)
        self.plain.encode_special_tokens = True
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        data.update(pre_tokenizer=None, added_tokens=[], post_processor=None, normalizer=None)
        self.raw = Tokenizer.from_str(json.dumps(data))
        self.alphabet = byte_alphabet()

    def ordinary(self, text):
        return self.plain.encode(text, add_special_tokens=False).ids

    def special(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def piece(self, data):
        return self.raw.encode("".join(self.alphabet[b] for b in data)).ids

    def decode(self, ids):
        return self.tokenizer.decode(ids, skip_special_tokens=True).encode("utf-8")


def compare_byte_level(name, tool, reference, args, decodable):
    """Everything there is to compare about a byte-level BPE."""
    texts = make_texts(args.count)
    compare(f"{name}: encode", texts, tool.encode(texts),
            [reference.ordinary(t.decode()) for t in texts])
    compare(f"{name}: encode special", texts, tool.encode(texts, "encode-special"),
            [reference.special(t.decode()) for t in texts])
    broken = make_texts(args.count // 4, invalid=True)
    expected = []
    for data in broken:
        ids = []
        for text, valid in split_valid(data):
            ids += reference.ordinary(text) if valid else reference.piece(text)
        expected.append(ids)
    compare(f"{name}: encode invalid UTF-8", broken, tool.encode(broken), expected)
    ids = random_ids(decodable, args.count // 4)
    decoded = tool.decode(ids)
    compare(f"{name}: decode", ids, decoded, [reference.decode(i) for i in ids])
    compare(f"{name}: stream", ids, tool.decode(ids, "stream"), decoded)
    return texts + broken


# ------------------------------------------------------- tokenizers made here


def training_text():
    return [t.decode() for t in make_texts(3000, seed=1)]


def train_bpe(folder, name, pre_tokenizer, ignore_merges=False, alphabet=True, specials=(),
              vocab=1500):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    initial = pre_tokenizers.ByteLevel.alphabet() if alphabet else []
    tokenizer.train_from_iterator(training_text(), trainers.BpeTrainer(
        vocab_size=vocab, initial_alphabet=initial, show_progress=False))
    tokenizer.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in specials])
    tokenizer.add_tokens([AddedToken("<<user>>", normalized=False)])
    os.mkdir(f"{folder}/{name}")
    path = f"{folder}/{name}/tokenizer.json"
    tokenizer.save(path)
    return path


def llama3_split(pattern=LLAMA3_PATTERN):
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def smollm_split():
    return pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False)])


def rewrite_merges_as_strings(path):
    """The older spelling of merges: "a b"."""
    with open(path, encoding="utf-8") as file:
        data = json.load(file)
    assert isinstance(data["model"]["merges"][0], list)
    data["model"]["merges"] = [" ".join(m) for m in data["model"]["merges"]]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(data, file)


def test_trained_tokenizers(args, folder):
    specials = ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>", "<|im_start|>", "<|im_end|>",
                "<|reserved_special_token_1|>", "<|reserved_special_token_10|>"]
    gpt2 = pre_tokenizers.ByteLevel(add_prefix_space=False)
    cases = {
        "trained-llama3": dict(pre_tokenizer=llama3_split(), ignore_merges=True),
        "trained-llama3-merges": dict(pre_tokenizer=llama3_split()),
        "trained-gpt2": dict(pre_tokenizer=gpt2),
        "trained-smollm": dict(pre_tokenizer=smollm_split(), alphabet=False),
    }
    for name, options in cases.items():
        path = train_bpe(folder, name, specials=specials, **options)
        if name == "trained-gpt2":
            rewrite_merges_as_strings(path)
        reference = TokenizersReference(path)
        tool = Tool(args.tool, path)
        texts = compare_byte_level(name, tool, reference, args,
                                   reference.tokenizer.get_vocab_size())
        if name != "trained-smollm":  # which lacks tokens for some bytes
            joined = tool.decode(tool.encode(texts, "encode-special"), "bytes")
            compare(f"{name}: bytes of the tokens are the text", texts, joined, texts)


def write_gguf(json_path, path, pre):
    """A byte-level tokenizer.json as a GGUF file without tensors."""
    with open(json_path, encoding="utf-8") as file:
        data = json.load(file)
    tokens = {i: (token, gguf.TokenType.NORMAL) for token, i in data["model"]["vocab"].items()}
    for added in data["added_tokens"]:
        kind = gguf.TokenType.CONTROL if added["special"] else gguf.TokenType.USER_DEFINED
        tokens[added["id"]] = (added["content"], kind)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list([tokens[i][0] for i in range(len(tokens))])
    writer.add_token_types([tokens[i][1] for i in range(len(tokens))])
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in data["model"]["merges"]])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def drop_bytes(source, path, dropped):
    """A byte-level tokenizer.json without the tokens and merges that hold one of some bytes."""
    with open(source, encoding="utf-8") as file:
        data = json.load(file)
    characters = {byte_alphabet()[byte] for byte in dropped}
    model = data["model"]
    kept = [t for t, _ in sorted(model["vocab"].items(), key=lambda item: item[1]) if not characters & set(t)]
    model["vocab"] = {token: i for i, token in enumerate(kept)}
    model["merges"] = [m for m in model["merges"] if not characters & set("".join(m))]
    for i, added in enumerate(data["added_tokens"]):
        added["id"] = len(kept) + i
    with open(path, "w", encoding="utf-8") as file:
        json.dump(data, file)


def test_bytes_without_tokens(args, folder):
    """GGUF whose vocabulary lacks bytes, as SmolLM2's does: they are left out before merges, as in `tokenizers`.

    llama.cpp leaves them out after merges, and so gives 2 } / where the tokenizer of SmolLM2 gives 2 }/ for b"2}\x14/".
    """
    lacking, source = b"\x04\x06\x13\x14\x16\x1dQ", f"{folder}/fewer-bytes.json"
    drop_bytes(f"{folder}/trained-smollm/tokenizer.json", source, lacking)
    reference = TokenizersReference(source)
    path = f"{folder}/fewer-bytes.gguf"
    write_gguf(source, path, "smollm")
    texts = make_texts(args.count)
    texts += [f"th{c}e 2}}{c}/ {c} {c}the{c}".encode() for c in map(chr, lacking)]
    compare("gguf without some bytes: encode", texts, Tool(args.tool, path).encode(texts),
            [reference.ordinary(t.decode()) for t in texts])


def tiktoken_specials(count):
    names = ["<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>",
             "<|reserved_special_token_1|>", "<|finetune_right_pad_id|>", "<|step_id|>",
             "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>",
             "<|python_tag|>"]
    names += [f"<|reserved_special_token_{i}|>" for i in range(2, 256 - len(names) + 2)]
    return {name: count + i for i, name in enumerate(names)}


def load_tiktoken(path):
    with open(path, "rb") as file:
        lines = [line.split() for line in file]
    ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
    return tiktoken.Encoding("test", pat_str=LLAMA3_PATTERN, mergeable_ranks=ranks,
                             special_tokens=tiktoken_specials(len(ranks)))


def test_trained_tiktoken(args, folder):
    inverse = {c: b for b, c in byte_alphabet().items()}
    vocab = Tokenizer.from_file(f"{folder}/trained-llama3/tokenizer.json").get_vocab(False)
    os.mkdir(f"{folder}/tiktoken")
    path = f"{folder}/tiktoken/tokenizer.model"
    with open(path, "w") as file:
        for token, rank in sorted(vocab.items(), key=lambda item: item[1]):
            data = bytes(inverse[c] for c in token)
            file.write(f"{base64.b64encode(data).decode()} {rank}\n")
    reference = TiktokenReference(load_tiktoken(path))
    compare_byte_level("trained-tiktoken", Tool(args.tool, path), reference, args, len(vocab))


def compare_sentencepiece(name, tool, path, args):
    library = sentencepiece.SentencePieceProcessor(model_file=path)
    texts = make_texts(args.count)
    compare(f"{name}: encode", texts, tool.encode(texts), library.encode([t.decode() for t in texts]))
    broken = make_texts(args.count // 4, invalid=True)
    compare(f"{name}: encode invalid UTF-8", broken, tool.encode(broken),
            [library.encode(t) for t in broken])
    ids = random_ids(library.vocab_size(), args.count // 4)
    ids += library.encode([t.decode() for t in texts[:args.count // 4]])
    decoded = tool.decode(ids)
    compare(f"{name}: decode", ids, decoded, [library.decode(i).encode() for i in ids])
    compare(f"{name}: stream", ids, tool.decode(ids, "stream"), decoded)
    compare(f"{name}: special tokens between texts", texts,
            tool.encode(texts, "encode-special"),
            encode_around_control(library, [t.decode() for t in texts]))


def encode_around_control(library, texts):
    """Control tokens cut a text; each stretch is encoded as if alone."""
    control = {library.id_to_piece(i): i for i in range(library.vocab_size())
               if library.is_control(i)}
    pattern = "|".join(re.escape(c) for c in sorted(control, key=len, reverse=True))
    results = []
    for text in texts:
        ids = []
        for part in re.split(f"({pattern})", text):
            ids += [control[part]] if part in control else library.encode(part)
        results.append(ids)
    return results


def compare_pieces(name, tool, reference, args):
    """A tokenizer.json of Llama 2's kind: what `tokenizers` makes of it, <unk> and byte pieces of spaces too."""
    texts = make_texts(args.count)
    strings = [text.decode() for text in texts]
    ids = [encoding.ids for encoding in reference.encode_batch(strings, add_special_tokens=False)]
    compare(f"{name}: encode special", texts, tool.encode(texts, "encode-special"), ids)
    decoded = tool.decode(ids)
    compare(f"{name}: decode", ids, decoded, [text.encode() for text in reference.decode_batch(ids)])
    compare(f"{name}: stream", ids, tool.decode(ids, "stream"), decoded)
    reference.encode_special_tokens = True
    compare(f"{name}: encode", texts, tool.encode(texts),
            [encoding.ids for encoding in reference.encode_batch(strings, add_special_tokens=False)])
    # A byte that is not of a character is U+FFFD.
    broken = make_texts(args.count // 4, invalid=True)
    strings = ["".join(t if valid else "\ufffd" * len(t) for t, valid in split_valid(data)) for data in broken]
    compare(f"{name}: encode invalid UTF-8", broken, tool.encode(broken),
            [encoding.ids for encoding in reference.encode_batch(strings, add_special_tokens=False)])


def train_sentencepiece(prefix, **options):
    lines = [line for text in training_text() for line in text.split("\n")]
    counts = collections.Counter("".join(lines))  # rare characters are left to byte pieces
    lines = [line for line in lines if all(counts[c] >= 15 and c != "\0" for c in line)]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_prefix=prefix, minloglevel=2, **options)


def mark_unused(source, path):
    """The same model, with every third piece that merges make as one of the type UNUSED."""
    library = sentencepiece.SentencePieceProcessor(model_file=source)
    with open(source, "rb") as file:
        data = file.read()
    out, at, piece = b"", 0, 0
    while at < len(data):
        start, (length, begin) = at, read_varint(data, at + 1)
        at = begin + length
        body = data[begin:at]
        if data[start] == 0x0A:  # a piece: of a type given twice the last counts
            if piece % 3 == 0 and len(library.id_to_piece(piece)) > 1 and b"\x18" not in body[-2:-1]:
                body += b"\x18\x05"
            piece += 1
        out += data[start:start + 1] + write_varint(len(body)) + body
    assert piece == library.vocab_size()
    with open(path, "wb") as file:
        file.write(out)


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def write_varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def write_byte_fallback_json(model_path, path):
    """A sentencepiece BPE model in the form of Llama 2's tokenizer.json."""
    library = sentencepiece.SentencePieceProcessor(model_file=model_path)
    pieces = [library.id_to_piece(i) for i in range(library.vocab_size())]
    vocab = {piece: i for i, piece in enumerate(pieces)}
    merges = []
    for piece, i in vocab.items():
        if library.is_control(i) or library.is_byte(i) or library.is_unknown(i):
            continue
        for cut in range(1, len(piece)):
            if piece[:cut] in vocab and piece[cut:] in vocab:
                merges.append((-library.get_score(i), len(merges), piece[:cut], piece[cut:]))
    merges = [(left, right) for _, _, left, right in sorted(merges)]
    tokenizer = Tokenizer(models.BPE(vocab, merges, byte_fallback=True, fuse_unk=True,
                                     unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
         decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    tokenizer.save(path)
    return tokenizer


def test_trained_sentencepiece(args, folder):
    prefix = f"{folder}/bpe"
    train_sentencepiece(prefix, model_type="bpe", vocab_size=3000, byte_fallback=True,
                        normalization_rule_name="identity", remove_extra_whitespaces=False,
                        user_defined_symbols=["<<user>>", "[INST]"], character_coverage=1.0)
    compare_sentencepiece("trained-spm-bpe", Tool(args.tool, prefix + ".model"), prefix + ".model",
                          args)
    mark_unused(prefix + ".model", f"{folder}/unused.model")
    compare_sentencepiece("trained-spm-unused", Tool(args.tool, f"{folder}/unused.model"), f"{folder}/unused.model",
                          args)
    prefix = f"{folder}/normalizing"  # characters rewritten, double spaces removed, no byte pieces
    train_sentencepiece(prefix, model_type="bpe", vocab_size=3000, character_coverage=1.0)
    compare_sentencepiece("trained-spm-normalizing", Tool(args.tool, prefix + ".model"),
                          prefix + ".model", args)

    # The same model as a tokenizer.json of Llama 2's kind.
    prefix = f"{folder}/plain"
    train_sentencepiece(prefix, model_type="bpe", vocab_size=3000, byte_fallback=True,
                        normalization_rule_name="identity", remove_extra_whitespaces=False,
                        character_coverage=1.0)
    path = f"{folder}/byte-fallback.json"
    reference = write_byte_fallback_json(prefix + ".model", path)
    compare_pieces("trained-byte-fallback", Tool(args.tool, path), reference, args)


# --------------------------------------------------------------- all characters


def pieces_of(lengths, data):
    pieces, at = [], 0
    for length in lengths:
        pieces.append(data[at:at + length])
        at += length
    return pieces


def test_splits(args, folder):
    """Every character between a letter, a digit, a mark and spaces."""
    tool = Tool(args.tool, f"{folder}/trained-gpt2/tokenizer.json")
    splits = {
        "split": pre_tokenizers.Split(Regex(LLAMA3_PATTERN), "isolated"),
        "split-gpt2": pre_tokenizers.ByteLevel(add_prefix_space=False),
        "split-smollm": smollm_split(),
    }
    alphabet = byte_alphabet()
    inverse = {c: b for b, c in alphabet.items()}
    # Numbers since Unicode 17, of which the Digits step knows and the patterns do not.
    newer = {*range(0x11DE0, 0x11DEA), *range(0x16FF4, 0x16FF7)}
    # The planes 4 to 13 are empty: a few of each will do.
    codes = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000 and c not in newer
             and (not 0x40000 <= c < 0xE0000 or c % 251 == 0)]
    chunk = 64
    texts = []
    for start in range(0, len(codes), chunk):
        text = "".join(f"a{c}1{c} .{c}  {c}" for c in map(chr, codes[start:start + chunk]))
        texts.append(text.encode())
    for mode, reference in splits.items():
        ours = [pieces_of(lengths, text)
                for lengths, text in zip(tool.encode(texts, mode), texts)]
        theirs = []
        for text in texts:
            found = [piece for piece, _ in reference.pre_tokenize_str(text.decode())]
            if mode == "split":
                theirs.append([piece.encode() for piece in found])
            else:
                theirs.append([bytes(inverse[c] for c in piece) for piece in found])
        wrong = 0
        first = ""
        for mine, other in zip(ours, theirs):
            if mine != other:
                wrong += 1
                at = next(i for i in range(len(mine)) if mine[i] != other[i])
                first = first or f"{mine[at - 2:at + 3]}, expected {other[at - 2:at + 3]}"
        check(f"{mode}: all {len(codes)} characters", wrong == 0, f"{wrong} chunks differ: {first}")


# ------------------------------------------------------------------- long runs


def test_long_runs(args, folder):
    """10 MB of one thing: the right ids, and time that grows with the length."""
    path = f"{folder}/trained-llama3-merges/tokenizer.json"
    tool = Tool(args.tool, path)
    reference = TokenizersReference(path)
    for unit in ["a", " ", "\n", "ab", "= ", "1"]:
        small, large = (unit * (n // len(unit)) for n in (10 ** 6, 10 ** 7))
        begin = time.monotonic()
        tool.encode([small.encode()])
        middle = time.monotonic()
        ids = tool.encode([large.encode()])
        end = time.monotonic()
        ratio = (end - middle) / (middle - begin)
        check(f"long run of {unit!r}: {end - middle:.2f} s for 10 MB, {ratio:.1f} times 1 MB",
              ratio < 25)
        compare(f"long run of {unit!r}: ids", [small.encode()], tool.encode([small.encode()]),
                [reference.ordinary(small)])
        joined = tool.decode(ids, "bytes")
        check(f"long run of {unit!r}: text", joined == [large.encode()])


# ---------------------------------------------------------------- real tokenizers


def test_real_tokenizers(args, folder):
    data = os.environ.get("LLAMA_TEST_DATA")
    if not data:
        print("skipped: real tokenizers (LLAMA_TEST_DATA is not set)")
        return
    llama3 = f"{data}/tokenizers/llama3"
    reference = TiktokenReference(load_tiktoken(f"{llama3}/tokenizer.model"))
    tool = Tool(args.tool, f"{llama3}/tokenizer.model")
    compare_byte_level("llama3 tiktoken", tool, reference, args, 128000)
    vector = b"This is a test sentence."
    check("llama3: the known vector", tool.encode([vector], "encode-rule")[0] + [128001]
          == [128000, 2028, 374, 264, 1296, 11914, 13, 128001])
    reference = TokenizersReference(f"{llama3}/tokenizer.json")
    tool = Tool(args.tool, llama3)
    compare_byte_level("llama3 tokenizer.json", tool, reference, args, 128256)
    check("llama3 folder: begins with bos", tool.encode([vector], "encode-rule")[0]
          == [128000, 2028, 374, 264, 1296, 11914, 13])
    path = f"{data}/tokenizers/llama2/tokenizer.model"
    compare_sentencepiece("llama2", Tool(args.tool, path), path, args)
    path = f"{folder}/llama2.json"
    reference = write_byte_fallback_json(f"{data}/tokenizers/llama2/tokenizer.model", path)
    compare_pieces("llama2 as tokenizer.json", Tool(args.tool, path), reference, args)


def test_smollm2(args, folder):
    path = os.environ.get("LLAMA_TEST_SMOLLM2")
    if not path:
        print("skipped: SmolLM2 (LLAMA_TEST_SMOLLM2 is not set)")
        return
    from gguf import GGUFReader
    fields = GGUFReader(path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    types = fields["tokenizer.ggml.token_type"].contents()
    merges = [tuple(m.split(" ")) for m in fields["tokenizer.ggml.merges"].contents()]
    tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = smollm_split()
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([t for t, kind in zip(tokens, types) if kind == 3])
    path = f"{folder}/smollm2.json"
    tokenizer.save(path)
    reference = TokenizersReference(path)
    compare_byte_level("smollm2", Tool(args.tool, path), reference, args, len(tokens))
    texts = make_texts(args.count)
    compare("smollm2 GGUF: encode", texts, Tool(args.tool, os.environ["LLAMA_TEST_SMOLLM2"]).encode(texts),
            [reference.ordinary(t.decode()) for t in texts])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", default="build/bin/tokenize-file")
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("files", nargs="*")
    args = parser.parse_args()
    print(f"tiktoken {tiktoken.__version__}, tokenizers {tokenizers.__version__}, "
          f"sentencepiece {sentencepiece.__version__}")
    for path in args.files:
        name = os.path.join(path, "tokenizer.json") if os.path.isdir(path) else path
        compare_pieces(path, Tool(args.tool, path), Tokenizer.from_file(name), args)
    with tempfile.TemporaryDirectory() as folder:
        if args.files:
            return 1 if failures else 0
        test_trained_tokenizers(args, folder)
        test_bytes_without_tokens(args, folder)
        test_trained_tiktoken(args, folder)
        test_trained_sentencepiece(args, folder)
        test_splits(args, folder)
        test_long_runs(args, folder)
        test_real_tokenizers(args, folder)
        test_smollm2(args, folder)
    print(f"{failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
