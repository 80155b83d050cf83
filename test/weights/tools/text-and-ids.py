"""llama-weights tokenize: ids and texts are those of other people's packages.

    python test/weights/tools/text-and-ids.py BUILD_DIRECTORY
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import gguf
import sentencepiece
import tokenizers

BUILD = ""
ROOT = pathlib.Path(__file__).resolve().parents[3]
TINY = ROOT / "examples" / "tiny"
TEXTS = ["Once upon a time", " two  spaces\n", "caf\u00e9 \u4e00", "", "<|end|>"]


def run(name, *arguments):
    return subprocess.run([os.path.join(BUILD, "bin", name), *map(str, arguments)], capture_output=True, text=True,
                          timeout=300, check=False)


class Tokenize(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def encode(self, path, text, *flags):
        done = run("llama-weights", "tokenize", path, "--encode=" + text, "--json", *flags)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["ids"]

    def decode(self, path, ids, *flags):
        done = run("llama-weights", "tokenize", path, "--decode=" + ",".join(map(str, ids)), "--json", *flags)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["text"]

    def check(self, path, reference):
        for text in TEXTS:
            ids = reference.encode(text, add_special_tokens=False).ids
            self.assertEqual(self.encode(path, text, "--no-bos", "--special"), ids, text)
            if ids:
                self.assertEqual(self.decode(path, ids), reference.decode(ids), text)

    def test_a_folder_a_file_and_a_model(self):
        reference = tokenizers.Tokenizer.from_file(str(TINY / "tokenizer.json"))
        self.check(TINY, reference)
        self.check(TINY / "tokenizer.json", reference)
        model = self.folder / "tiny.so"
        done = run("llama-compile", TINY, "-o", model, "--quiet")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.check(model, reference)
        self.assertEqual(self.encode(model, "Once"), self.encode(TINY, "Once"))

    def make_pieces(self):
        prefix = str(self.folder / "tokenizer")
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["once upon a time there was a fox"] * 9), model_prefix=prefix, minloglevel=2,
            model_type="bpe", vocab_size=300, byte_fallback=True, hard_vocab_limit=False,
            normalization_rule_name="identity", remove_extra_whitespaces=False)
        return sentencepiece.SentencePieceProcessor(model_file=prefix + ".model")

    def test_sentencepiece_and_a_vocabulary_in_gguf(self):
        library = self.make_pieces()
        path = str(self.folder / "only-words.gguf")
        writer = gguf.GGUFWriter(path, "llama")
        pieces = range(library.vocab_size())
        kind = [2 if library.is_unknown(i) else 3 if library.is_control(i) else 6 if library.is_byte(i) else 1
                for i in pieces]
        writer.add_tokenizer_model("llama")
        writer.add_token_list([library.id_to_piece(i) for i in pieces])
        writer.add_token_scores([library.get_score(i) for i in pieces])
        writer.add_token_types(kind)
        writer.add_bos_token_id(library.bos_id())
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.close()
        for text in TEXTS:
            ids = library.encode(text)
            for tokenizer in [self.folder / "tokenizer.model", path]:
                self.assertEqual(self.encode(tokenizer, text, "--no-bos"), ids, text)
                self.assertEqual(self.encode(tokenizer, text), [library.bos_id(), *ids], text)
                if ids:
                    self.assertEqual(self.decode(tokenizer, ids), library.decode(ids), text)

    def test_plain_output_and_files(self):
        file = self.folder / "text.txt"
        file.write_text("Once upon")
        ids = self.encode(TINY, "Once upon")
        done = run("llama-weights", "tokenize", TINY, f"--encode-file={file}")
        self.assertEqual(done.stdout, ",".join(map(str, ids)) + "\n")
        done = run("llama-weights", "tokenize", TINY, "--decode=" + done.stdout.strip())
        self.assertEqual(done.stdout, "Once upon\n")

    def refuse(self, code, message, *arguments):
        done = run("llama-weights", "tokenize", *arguments)
        self.assertEqual((done.returncode, done.stdout), (code, ""))
        self.assertEqual(done.stderr.replace(str(self.folder), "FOLDER"), f"llama-weights: {message}\n")

    def test_mistakes(self):
        one = "tokenize: expected one of --encode, --encode-file and --decode"
        self.refuse(2, one, TINY)
        self.refuse(2, one, TINY, "--encode=a", "--decode=1")
        self.refuse(1, "error: --decode: expected ids below 1024 such as 1,2,3, found '1024'", TINY, "--decode=1,1024")
        self.refuse(1, "error: --decode: expected ids below 1024 such as 1,2,3, found 'x'", TINY, "--decode=x")
        (self.folder / "words.txt").write_text("words")
        self.refuse(1, "error: FOLDER/words.txt: is neither a tokenizer.json nor a sentencepiece model nor a tiktoken "
                    "text", self.folder / "words.txt", "--encode=a")


if __name__ == "__main__":
    BUILD = sys.argv.pop(1) if len(sys.argv) > 1 else str(ROOT / "build")
    unittest.main()
