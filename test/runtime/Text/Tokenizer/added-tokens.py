#!/usr/bin/env python3
"""Added tokens, normalizers, Metaspace and Unigram: the runtime's tokenizer against the library `tokenizers`.

usage: added-tokens.py [--tool=build/bin/tokenize-file] [--count=3000]

Every tokenizer is made here: a sentencepiece model is trained, and what transformers makes of one is built around it.
"""

import argparse
import itertools
import json
import os
import re
import shutil
import sys
import tempfile

import sentencepiece
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import differential  # noqa: E402
from differential import Tool, compare  # noqa: E402
from texts import make_texts  # noqa: E402

# Overlapping ones, one of which begins another; ones that take white space, or stand alone only.
ADDED = [
    AddedToken("<note>", normalized=False), AddedToken("<note><b>"), AddedToken("<plain>"),
    AddedToken("<lr>", lstrip=True, rstrip=True, normalized=False), AddedToken("the", single_word=True),
    AddedToken(" now", normalized=False, lstrip=True), AddedToken("\n", rstrip=True, normalized=False),
    AddedToken("<|im_start|>", special=True, normalized=False), AddedToken("<|im_start|>x", special=True),
]  # fmt: skip
AROUND = ["", " ", "  ", "a", "é", "\n", "\u3000", "_", "1", "<note>"]


def added_texts(count):
    """Random texts, and every added token between everything that may matter to it."""
    texts = make_texts(count)
    for token, before, after in itertools.product(ADDED, AROUND, AROUND):
        texts.append(f"x{before}{token.content}{after}y".encode())
        texts.append(f"{before}{token.content}{after}".encode())
    return texts


def compare_tokenizer(name, tokenizer, args, folder, decodes=True):
    path = f"{folder}/{name}.json"
    tokenizer.save(path)
    tool = Tool(args.tool, path)
    tokenizer = Tokenizer.from_file(path)
    texts = added_texts(args.count)
    strings = [text.decode() for text in texts]
    ids = [e.ids for e in tokenizer.encode_batch(strings, add_special_tokens=False)]
    compare(f"{name}: special tokens allowed", texts, tool.encode(texts, "encode-special"), ids)
    if decodes:
        compare(f"{name}: decode", ids, tool.decode(ids),
                [text.encode() for text in tokenizer.decode_batch(ids, skip_special_tokens=True)])
    tokenizer.encode_special_tokens = True
    compare(f"{name}: special tokens as text", texts, tool.encode(texts),
            [e.ids for e in tokenizer.encode_batch(strings, add_special_tokens=False)])


def piece_decoder(strips):
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    return decoders.Sequence(steps + [decoders.Strip(" ", 1, 0)] * strips)


def train(folder, kind, byte_fallback):
    prefix = f"{folder}/{kind}-{byte_fallback}"
    differential.train_sentencepiece(
        prefix, model_type=kind, vocab_size=2000, byte_fallback=byte_fallback, character_coverage=1.0,
        normalization_rule_name="identity", remove_extra_whitespaces=False)
    return prefix + ".model"


def test_characters(args, folder):
    """Llama 2's kind, as transformers 4 and 5 save it."""
    path = f"{folder}/plain.json"
    differential.write_byte_fallback_json(train(folder, "bpe", True), path)
    with open(path, encoding="utf-8") as file:
        base = json.load(file)
    spaces = normalizers.Replace(" ", "▁")
    ways = {
        "prepend": (normalizers.Sequence([normalizers.Prepend("▁"), spaces]), None, True),
        "replace": (spaces, None, False),
        "nfkc": (normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase(), normalizers.Replace("of", "OF"),
                                       normalizers.Strip(), normalizers.Prepend("▁"), spaces]), None, True),
        "nfc": (normalizers.NFC(), pre_tokenizers.Metaspace(prepend_scheme="first", split=False), True),
        "nfd": (normalizers.NFD(), pre_tokenizers.Metaspace(prepend_scheme="never", split=False), False),
    }  # fmt: skip
    for scheme, split in itertools.product(["always", "first", "never"], [False, True]):
        metaspace = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=split)
        ways[f"{scheme}-{'split' if split else 'whole'}"] = (None, metaspace, scheme != "never")
    for name, (normalizer, pre_tokenizer, strips) in ways.items():
        base["model"]["unk_token"] = "<unk>" if name == "prepend" else None
        tokenizer = Tokenizer.from_str(json.dumps(base))
        if normalizer:
            tokenizer.normalizer = normalizer
        else:
            data = json.loads(tokenizer.to_str())
            data["normalizer"] = None
            tokenizer = Tokenizer.from_str(json.dumps(data))
        if pre_tokenizer:
            tokenizer.pre_tokenizer = pre_tokenizer
        tokenizer.decoder = piece_decoder(strips)
        tokenizer.add_tokens(ADDED)
        compare_tokenizer(f"characters-{name}", tokenizer, args, folder)


def test_forms(args, folder):
    """Every character of the planes in use, with marks around it, in every normalization form."""
    path = f"{folder}/plain.json"
    codes = [c for c in [*range(0x30000), *range(0xE0000, 0xE0200)] if not 0xD800 <= c < 0xE000]
    texts = ["".join(f"a{chr(c)}\u0327\u0301{chr(c)} " for c in codes[i:i + 32]).encode()
             for i in range(0, len(codes), 32)]  # fmt: skip
    for form in ["NFC", "NFD", "NFKC", "NFKD", "Lowercase"]:
        tokenizer = Tokenizer.from_file(path)
        tokenizer.normalizer = getattr(normalizers, form)()
        tokenizer.save(f"{folder}/{form}.json")
        tool = Tool(args.tool, f"{folder}/{form}.json")
        compare(f"{form}: all characters", texts, tool.encode(texts, "encode-special"),
                [tokenizer.encode(text.decode(), add_special_tokens=False).ids for text in texts])


def test_unigram(args, folder):
    for byte_fallback in [True, False]:
        library = sentencepiece.SentencePieceProcessor(model_file=train(folder, "unigram", byte_fallback))
        vocab = [(library.id_to_piece(i), library.get_score(i)) for i in range(library.vocab_size())]
        tokenizer = Tokenizer(models.Unigram(vocab, unk_id=0, byte_fallback=byte_fallback))
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=not byte_fallback)
        tokenizer.decoder = piece_decoder(True) if byte_fallback else decoders.Metaspace()
        tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
        tokenizer.add_tokens(ADDED)
        compare_tokenizer(f"unigram-{byte_fallback}", tokenizer, args, folder)


def test_byte_level(args, folder):
    path = differential.train_bpe(folder, "bytes", differential.llama3_split())
    for name, normalizer in {"plain": None, "nfc": normalizers.NFC()}.items():
        tokenizer = Tokenizer.from_file(path)
        if normalizer:
            tokenizer.normalizer = normalizer
        tokenizer.add_tokens(ADDED)
        compare_tokenizer(f"byte-level-{name}", tokenizer, args, folder)


def split_around(tokens, encode, text):
    """The ids of a text in which each of `tokens`, {text: id}, stands for itself."""
    pattern = "|".join(re.escape(t) for t in sorted(tokens, key=len, reverse=True))
    parts = re.split(f"({pattern})", text)
    return sum(([tokens[part]] if part in tokens else encode(part) for part in parts), [])


def test_side_files(args, folder):
    """tokenizer.model with tokens that another file adds: one of them special, one not."""
    with open(train(folder, "bpe", True), "rb") as file:
        model = file.read()
    library = sentencepiece.SentencePieceProcessor(model_proto=model)
    count = library.vocab_size()
    plain, special = "<plain>", "<|im_start|>"
    describe = {plain: False, special: True}
    listed = [{"id": count + i, "content": t, "special": s} for i, (t, s) in enumerate(describe.items())]
    files = {
        "added_tokens": {"added_tokens.json": {plain: count, special: count + 1},
                         "special_tokens_map.json": {"additional_special_tokens": [special]}},
        "added_tokens_decoder": {"tokenizer_config.json": {"added_tokens_decoder": {
            str(token["id"]): token for token in listed}}},
        "tokenizer_json": {"tokenizer.json": {  # of a kind that is not supported
            "added_tokens": listed, "normalizer": {"type": "Precompiled"}, "model": {"vocab": {}, "merges": []}}},
    }  # fmt: skip
    texts = added_texts(args.count)
    for name, contents in files.items():
        os.makedirs(f"{folder}/{name}")
        with open(f"{folder}/{name}/tokenizer.model", "wb") as file:
            file.write(model)
        for file_name, data in contents.items():
            with open(f"{folder}/{name}/{file_name}", "w", encoding="utf-8") as file:
                json.dump(data, file)
        tool = Tool(args.tool, f"{folder}/{name}")
        control = {library.id_to_piece(i): i for i in range(count) if library.is_control(i)}
        for mode, tokens in {"encode": {plain: count},
                             "encode-special": {plain: count, special: count + 1, **control}}.items():
            expected = [split_around(tokens, library.encode, text.decode()) for text in texts]
            compare(f"{name}: {mode}", texts, tool.encode(texts, mode), expected)
        compare(f"{name}: decode", [plain, special], tool.decode([[count], [count + 1]]), [plain.encode(), b""])


def make_reference(model_path, folder, scheme, added):
    """What the fast tokenizer of transformers makes of a tokenizer.model with "legacy" false."""
    path = f"{folder}/reference.json"
    differential.write_byte_fallback_json(model_path, path)
    with open(path, encoding="utf-8") as file:
        data = json.load(file)
    data["normalizer"] = None
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=False)
    tokenizer.decoder = piece_decoder(scheme == "first")
    tokenizer.add_tokens(added)
    return tokenizer


def test_space_prefix(args, folder):
    """tokenizer.model whose tokenizer_config.json says "legacy": false, or "add_prefix_space": false."""
    os.makedirs(f"{folder}/prefix")
    differential.train_sentencepiece(
        f"{folder}/prefix/model", model_type="bpe", vocab_size=2000, byte_fallback=True, character_coverage=1.0,
        normalization_rule_name="identity", remove_extra_whitespaces=False, user_defined_symbols=["<<user>>", "[INST]"])
    model_path = f"{folder}/prefix/model.model"
    user = [AddedToken(t, normalized=False) for t in ["<<user>>", "[INST]"]]
    texts = added_texts(args.count)
    strings = [text.decode() for text in texts]
    ways = {"first": {"legacy": False}, "never": {"legacy": True, "add_prefix_space": False},
            "never-either": {"legacy": False, "add_prefix_space": False}}  # fmt: skip
    for name, config in ways.items():
        tokenizer = make_reference(model_path, folder, name.split("-")[0], user + ADDED)
        place = f"{folder}/prefix/{name}"
        os.makedirs(place)
        shutil.copy(model_path, f"{place}/tokenizer.model")
        decoder = {i: {"content": t.content, "special": t.special, "lstrip": t.lstrip, "rstrip": t.rstrip,
                       "single_word": t.single_word, "normalized": t.normalized}
                   for i, t in tokenizer.get_added_tokens_decoder().items()}  # fmt: skip
        with open(f"{place}/tokenizer_config.json", "w", encoding="utf-8") as file:
            json.dump({**config, "added_tokens_decoder": decoder}, file)
        tool = Tool(args.tool, place)
        ids = [e.ids for e in tokenizer.encode_batch(strings, add_special_tokens=False)]
        compare(f"prefix {name}: special tokens allowed", texts, tool.encode(texts, "encode-special"), ids)
        compare(f"prefix {name}: decode", ids, tool.decode(ids),
                [text.encode() for text in tokenizer.decode_batch(ids)])
        tokenizer.encode_special_tokens = True
        compare(f"prefix {name}: special tokens as text", texts, tool.encode(texts),
                [e.ids for e in tokenizer.encode_batch(strings, add_special_tokens=False)])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", default="build/bin/tokenize-file")
    parser.add_argument("--count", type=int, default=3000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for test in [test_characters, test_forms, test_unigram, test_byte_level, test_side_files,
                     test_space_prefix]:
            test(args, folder)
    print(f"{differential.failures} failed")
    return 1 if differential.failures else 0


if __name__ == "__main__":
    sys.exit(main())
