"""Texts to try tokenizers on, the same ones every time.

make_texts(n) -> n byte strings: words of many scripts, code, emoji, numbers, white
space of every kind, random characters, long runs, look-alikes of special tokens,
and (with invalid=True) bytes that are not UTF-8.
"""

import random

# First and last letter of some scripts' main alphabets.
SCRIPTS = {
    "latin": "az", "upper": "AZ", "latin1": "àÿ", "greek": "αω", "cyrillic": "ая",
    "armenian": "աֆ", "hebrew": "את", "arabic": "اي", "devanagari": "अह",
    "bengali": "অহ", "tamil": "அஹ", "thai": "กฮ", "georgian": "აჰ", "ethiopic": "ሀፚ",
    "khmer": "កឣ", "hiragana": "ぁん", "katakana": "ァン", "hangul": "가힣",
    "han": "一龥", "extension_b": "\U00020000\U0002a6d6", "gothic": "\U00010330\U0001034a",
}
MARKS = "\u0301\u0308\u0327\u064e\u0650\u093e\u0940\u094d\u0e31\u0e34\u200d\ufe0f"
SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2003\u200a\u2028\u2029\u202f\u205f\u3000"
NOT_SPACES = "\x00\x1c\x1f\u180e\u200b\u200c\u2060\ufeff"
EMOJI = ["😀", "👍🏽", "👨‍👩‍👧‍👦", "🇩🇪", "❤️", "1️⃣", "🏳️‍🌈", "🫠"]
NUMBERS = ["0", "7", "12", "345", "6789", "1234567890", "3.14159", "1,000,000", "²³",
           "½", "Ⅻ", "①", "٣٤٥", "१२३", "𝟘𝟙", "〇", "1e-5", "0xFF"]
CONTRACTIONS = ["'s", "'S", "'t", "'re", "'RE", "'Ve", "'ve", "'m", "'ll", "'LL", "'d",
                "'ſ", "’s", "'", "''", "'st", "'x", "' s"]
CODE = ["def f(x):\n    return x + 1\n", "#include <vector>\n\nint main() {\n\treturn 0;\n}\n",
        "for (size_t i = 0; i < n; ++i) {\r\n  a[i] = b[i];\r\n}\r\n",
        "SELECT * FROM t WHERE a='it''s';", "{\"key\": [1, 2, null], \"s\": \"\\u00e9\"}",
        "<div class=\"x\">&nbsp;</div>", "x = y  # comment\n\n\n    pass", "a->b::c<d>()",
        "================\n----------------\n", "https://example.org/a?b=c&d=%20e#f",
        "camelCase snake_case SCREAMING_CASE kebab-case", "\\frac{1}{2}\\int_0^1 x^2\\,dx"]
LOOKALIKES = ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>", "<|eot_id|", "<|eot_id>",
              "<|start_header_id|>user<|end_header_id|>\n\n", "<|<|eot_id|>|>", "<|eot_id|>>",
              "<|reserved_special_token_1|>", "<|reserved_special_token_10|>",
              "<|im_start|>", "<|im_end|>\n", "<|endoftext|>", "<s>", "</s>", "<unk>", "<s",
              "[INST]", "[/INST]", "<0x0A>", "<0x41>", "▁", "▁▁a", "<<user>>", "<<user>", "<||>"]
WORDS = ("the of and to in is that it was for on are with as his they at be this from have "
         "or by one had not but what all were when we there can an your which their said if "
         "will each about how up out them then she many some so these would other into has "
         "more her two like him see time could no make than first been its who now people").split()


def make_word(rng, script=None):
    first, last = SCRIPTS[script or rng.choice(list(SCRIPTS))]
    word = "".join(chr(rng.randint(ord(first), ord(last))) for _ in range(rng.randint(1, 9)))
    return word + (rng.choice(MARKS) if rng.random() < 0.1 else "")


def make_character(rng):
    """Any character: half of them from the first 64 K, no surrogates."""
    while True:
        code = rng.randrange(0x10000 if rng.random() < 0.5 else 0x110000)
        if not 0xD800 <= code < 0xE000:
            return chr(code)


def make_part(rng):
    kind = rng.randrange(16)
    if kind < 3:
        return " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 12)))
    if kind < 6:
        script = rng.choice(list(SCRIPTS))
        return " ".join(make_word(rng, script) for _ in range(rng.randint(1, 6)))
    if kind == 6:
        return "".join(make_word(rng) for _ in range(rng.randint(1, 4)))
    if kind == 7:
        return rng.choice(CODE)
    if kind == 8:
        return rng.choice(EMOJI) * rng.randint(1, 3)
    if kind == 9:
        return rng.choice(NUMBERS) * rng.randint(1, 2)
    if kind == 10:
        return rng.choice(WORDS + ["I", "WE", "é"]) + rng.choice(CONTRACTIONS)
    if kind == 11:
        return "".join(rng.choice(SPACES) for _ in range(rng.randint(1, 6)))
    if kind == 12:
        return "".join(make_character(rng) for _ in range(rng.randint(1, 8)))
    if kind == 13:
        return "".join(chr(rng.randrange(128)) for _ in range(rng.randint(1, 12)))
    if kind == 14:
        return rng.choice(NOT_SPACES) * rng.randint(1, 3)
    return rng.choice(LOOKALIKES)


def make_run(rng):
    """One thing many times, with something before and after it."""
    unit = rng.choice(["a", " ", "\n", "=", "1", "ab", " a", "\r\n", "-", "é", "我", "\t", "A1",
                       "  \n", "ha", "\u3000", "0 ", "'s", "🙂", "\x85"])
    ends = ["", "x", " ", "\n", "1", ".", " x"]
    return rng.choice(ends) + unit * rng.randint(2, 400) + rng.choice(ends)


def break_utf8(rng, text):
    """Bytes of a text with some of them damaged."""
    data = bytearray(text)
    for _ in range(rng.randint(1, 4)):
        at = rng.randint(0, len(data))
        choice = rng.randrange(5)
        if choice == 0:
            data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 5)))
        elif choice == 1:
            data[at:at] = rng.choice([b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
                                      b"\xe2\x82", b"\xf0\x9f\x98", b"\x80", b"\xc3"])
        elif choice == 2:
            del data[at:at + rng.randint(1, 3)]
        elif data:
            data[at % len(data)] = rng.randrange(256)
    return bytes(data)


def make_texts(count, invalid=False, seed=20241121):
    rng = random.Random(seed)
    texts = [b"", b" ", b"\n", b"a"]
    while len(texts) < count:
        if rng.random() < 0.03:
            text = make_run(rng)
        else:
            separators = ["", "", " ", " ", "\n", ", "]
            text = ""
            for _ in range(rng.randint(1, 5)):
                text += make_part(rng) + rng.choice(separators)
        data = text.encode("utf-8")
        texts.append(break_utf8(rng, data) if invalid else data)
    return texts
