"""The bundled model: its files, what it says, and how well it was trained.

It was trained in JAX by a second description of the model, so the loss that the
training reported is a check of the reference, too.
"""

import json
import pathlib
import random
import re
import sys
import unittest

import jinja2
import numpy as np
import safetensors
import tokenizers

import forward

TINY = pathlib.Path(__file__).resolve().parents[2] / "examples" / "tiny"
sys.path.insert(0, str(TINY))
import conversations  # noqa: E402
import corpus  # noqa: E402
import stories  # noqa: E402
import vocabulary  # noqa: E402


class Tiny(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.config = json.loads((TINY / "config.json").read_text())
        cls.tokenizer = tokenizers.Tokenizer.from_file(str(TINY / "tokenizer.json"))
        cls.model = forward.Model(TINY)

    def reply(self, text, special=True, limit=200):
        """(greedy text, whether it came to an end)"""
        ids = self.tokenizer.encode(text, add_special_tokens=special).ids
        chosen = forward.generate(self.model, ids, limit, stop=self.config["eos_token_id"])[0]
        return self.tokenizer.decode(chosen), chosen[-1] in self.config["eos_token_id"]

    def test_shape(self):
        with safetensors.safe_open(TINY / "model.safetensors", "numpy") as file:
            shapes = {name: file.get_slice(name) for name in file.keys()}
            kinds = {tensor.get_dtype() for tensor in shapes.values()}
            values = sum(int(np.prod(tensor.get_shape())) for tensor in shapes.values())
        self.assertEqual(kinds, {"BF16"})
        self.assertEqual(values, 623744)
        self.assertNotIn("lm_head.weight", shapes)
        self.assertLess(self.config["num_key_value_heads"], self.config["num_attention_heads"])
        self.assertEqual(self.config["vocab_size"], self.tokenizer.get_vocab_size())

    def test_rotary_scaling_acts(self):
        head_dim = self.config["head_dim"]
        plain = self.config["rope_theta"] ** (-np.arange(0, head_dim, 2) / head_dim)
        ratio = self.model.frequencies / plain
        self.assertTrue((ratio == 1).any())
        self.assertTrue(((ratio > 0.2501) & (ratio < 0.9999)).any())
        self.assertTrue(np.isclose(ratio, 0.25).any())

    def test_special_tokens(self):
        self.assertEqual(self.tokenizer.encode("Hi").ids[0], self.config["bos_token_id"])
        ends = [self.tokenizer.id_to_token(i) for i in self.config["eos_token_id"]]
        self.assertEqual(ends, ["<|end_of_text|>", "<|eot_id|>"])

    def test_chat_template_renders_as_the_training_text(self):
        config = json.loads((TINY / "tokenizer_config.json").read_text())
        template = jinja2.Template(config["chat_template"])
        rng = random.Random(6)
        for _ in range(50):
            turns = conversations.conversation(rng)
            messages = [{"role": role, "content": text} for role, text in turns]
            found = template.render(messages=messages, bos_token=config["bos_token"])
            self.assertEqual(found, vocabulary.render(turns))
            found = template.render(messages=messages, bos_token=config["bos_token"], add_generation_prompt=True)
            self.assertEqual(found, vocabulary.render(turns) + vocabulary.OPEN)

    def test_tokenizer_returns_any_text(self):
        rng = random.Random(4)
        texts = [corpus.document(rng) for _ in range(50)]
        texts += ["", "  two  spaces\n\n\n", "déjà vu, 1234567 naïve 日本語 🙂\t\x00", "don't WE'LL"]
        for text in texts:
            ids = self.tokenizer.encode(text, add_special_tokens=False).ids
            self.assertEqual(self.tokenizer.decode(ids, skip_special_tokens=False), text)

    def test_loss_is_what_the_training_reported(self):
        text = (TINY / "README.md").read_text()
        reported = float(re.search(r"([0-9.]+) nats per token", text).group(1))
        source = corpus.batches(self.tokenizer, 9, 16, 256)
        total = 0.0
        for batch in (next(source) for _ in range(2)):
            for row in batch:
                logits = self.model.forward(row[:-1], self.model.new_cache())
                chances = forward.softmax(logits)[np.arange(len(row) - 1), row[1:]]
                total -= np.log(chances).mean() / (2 * 16)
        self.assertAlmostEqual(total, reported, delta=2e-4)

    def test_greedy_story_comes_to_an_end(self):
        story, ended = self.reply("Once upon a time")
        self.assertTrue(ended, story)
        self.assertRegex(story, r"^, .*[.!?\"]$")
        self.assertTrue(60 <= len(story.split()) <= 140, story)
        self.assertTrue(set(re.findall(r"\w+", story)) <= self.words(), story)

    def test_question_about_a_story(self):
        """The answer is in the story above it, which the model has not seen before."""
        rng, right = random.Random(11), 0
        for _ in range(10):
            story = stories.story(rng)
            question, answer = story.facts[0]
            turns = [("user", conversations.request(rng, story)), ("assistant", story.text), ("user", question)]
            text = vocabulary.render(turns) + vocabulary.OPEN
            right += self.reply(text, special=False, limit=30)[0] == answer
        self.assertGreaterEqual(right, 6)

    def words(self):
        rng = random.Random(5)
        return set(re.findall(r"\w+", " ".join(stories.story(rng).text for _ in range(3000))))


if __name__ == "__main__":
    unittest.main()
