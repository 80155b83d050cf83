"""Tokenizer files as transformers and others leave them: the ids of the libraries that they are for.

    python tokenizer_files.py TOOLS OUT

Small vocabularies, made here. llama-weights tokenize is asked about each; what it says is what a model is given
(test/weights/tools/text-and-ids.py), and test/runtime/Text/Tokenizer compares many more texts.
"""

import json
import os
import shutil
import subprocess
import sys
import unittest

import gguf
import sentencepiece
import tokenizers

SPACE = "\u2581"
PIECES = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), SPACE, "a", "b", SPACE + "a"]
IDS = {piece: i for i, piece in enumerate(PIECES)}
TEXTS = ["a", " a", "  a", "b", "a b", "", " ", "ab\n a", "\u00e9a", "a</s>a", " </s> a", "a<note>a", " <note> <note>b"]


def add_token(content, number, special=True, **more):
    return {"id": number, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": special, **more}


def characters(normalizer, pre_tokenizer, unknown="<unk>", more=()):
    """A tokenizer.json of Llama 2's kind."""
    return {
        "version": "1.0", "truncation": None, "padding": None, "normalizer": normalizer,
        "pre_tokenizer": pre_tokenizer, "post_processor": None,
        "added_tokens": [*(add_token(piece, i) for i, piece in enumerate(PIECES[:3])), *more],
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": SPACE}, "content": " "}, {"type": "ByteFallback"},
            {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
        "model": {"type": "BPE", "dropout": None, "unk_token": unknown, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True, "ignore_merges": False,
                  "vocab": IDS, "merges": [[SPACE, "a"]]},
    }  # fmt: skip


def metaspace(scheme):
    return {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": scheme, "split": False}


def byte_alphabet():
    """The character of each byte in byte-level vocabularies."""
    plain = [b for b in range(256) if 33 <= b <= 126 or 161 <= b <= 172 or 174 <= b <= 255]
    others = [b for b in range(256) if b not in plain]
    return {b: chr(b) for b in plain} | {b: chr(256 + i) for i, b in enumerate(others)}


def bytes_alone(added):
    step = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0", "truncation": None, "padding": None, "normalizer": None, "pre_tokenizer": step,
        "post_processor": None, "decoder": step, "added_tokens": added,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                  "vocab": {character: b for b, character in byte_alphabet().items()}, "merges": []},
    }  # fmt: skip


PREPEND = {"type": "Sequence", "normalizers": [
    {"type": "Prepend", "prepend": SPACE}, {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}]}
NOTE = add_token("<note>", len(PIECES), False)
JSONS = {
    "metaspace-always": characters(None, metaspace("always")),
    "metaspace-first": characters(None, metaspace("first")),
    "metaspace-first-note": characters(None, metaspace("first"), more=[NOTE]),
    "no-unk-token": characters(None, metaspace("never"), unknown=None),
    "plain-added-token": characters(PREPEND, None, more=[NOTE]),
    "overlap-begins": bytes_alone([add_token("<a>", 256), add_token("<a><b>", 257, False, normalized=True)]),
    "overlap-alike": bytes_alone([add_token("<a>", 256), add_token("<a><b>", 257)]),
}  # fmt: skip


class TokenizerFiles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shutil.rmtree(OUT, ignore_errors=True)
        os.makedirs(OUT)

    def put(self, name, data):
        path = os.path.join(OUT, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data if isinstance(data, bytes) else json.dumps(data).encode())
        return path

    def expect(self, name, text, ids, *flags):
        done = subprocess.run([os.path.join(TOOLS, "llama-weights"), "tokenize", os.path.join(OUT, name),
                               "--encode=" + text, "--no-bos", *flags], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=False, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout.strip(), ",".join(map(str, ids)), (name, text, flags))

    def test_tokenizer_json(self):
        for name, data in JSONS.items():
            library = tokenizers.Tokenizer.from_file(self.put(f"{name}/tokenizer.json", data))
            for text in [*TEXTS, "<a><b>", "x<a> <a><b>"]:
                for special in [True, False]:
                    library.encode_special_tokens = not special
                    ids = library.encode(text, add_special_tokens=False).ids
                    self.expect(name, text, ids, *(["--special"] if special else []))

    def make_pieces(self):
        prefix = os.path.join(OUT, "pieces")
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["a b ab a b"] * 9), model_prefix=prefix, minloglevel=2, model_type="bpe",
            vocab_size=300, byte_fallback=True, hard_vocab_limit=False, normalization_rule_name="identity",
            remove_extra_whitespaces=False)
        with open(prefix + ".model", "rb") as file:
            return file.read()

    def test_files_beside_a_sentencepiece_model(self):
        model = self.make_pieces()
        library = sentencepiece.SentencePieceProcessor(model_proto=model)
        count = library.vocab_size()
        mark = add_token("<|im_start|>", count)
        for name, side, data in [
            ("added-tokens", "added_tokens.json", {"<|im_start|>": count}),
            ("added-tokens-decoder", "tokenizer_config.json", {"added_tokens_decoder": {str(count): mark}}),
        ]:
            self.put(f"{name}/tokenizer.model", model)
            self.put(f"{name}/{side}", data)
            for before, after in [("a", "a"), ("", "b a"), (" a b", "")]:
                ids = [*library.encode(before), count, *library.encode(after)]
                self.expect(name, before + "<|im_start|>" + after, ids, "--special")
            self.expect(name, "a b", library.encode("a b"))

    def test_patterns_of_gguf_files(self):
        # llama.cpp: `default` takes three digits at most, `gpt-2` all of them.
        tokens = [*(byte_alphabet()[b] for b in range(256)), "12", "34", "1234"]
        for name, ids in {"default": [256, ord("3"), ord("4")], "gpt-2": [258]}.items():
            path = os.path.join(OUT, f"{name}.gguf")
            writer = gguf.GGUFWriter(path, "llama")
            writer.add_tokenizer_model("gpt2")
            writer.add_tokenizer_pre(name)
            writer.add_token_list(tokens)
            writer.add_token_types([1] * len(tokens))
            writer.add_token_merges(["1 2", "3 4", "12 34"])
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.close()
            self.expect(f"{name}.gguf", "1234", ids)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    TOOLS, OUT = (os.path.abspath(path) for path in sys.argv[1:])
    unittest.main(argv=sys.argv[:1])
