"""The grammar of the chat part of the training text.

    conversation(rng)  =>  [("user", "Tell me a story about a red kite."),
                            ("assistant", "Once upon a time, ..."),
                            ("user", "Who made the kite?"), ("assistant", ...)]

Questions after a story are about that story, so the answers have to be found
in the text above them.
"""

import stories
import words as w

SYSTEM = ["You are a kind storyteller.", "You tell short stories.",
          "You are a helpful assistant.", "Answer with a short story."]
GREETINGS = [
    (["Hello!", "Hi!", "Good morning!"],
     ["Hello! Would you like to hear a story?", "Hi! I can tell you a story."]),
    (["Who are you?", "What are you?"],
     ["I am a very small language model, and I tell stories."]),
    (["What can you do?", "Can you help me?"],
     ["I can tell you a short story. Just say what it should be about."]),
    (["Thank you!", "Thanks!"], ["You are welcome!"]),
]


def request(rng, story):
    hero = story.hero
    who = f"{w.article(hero.kind)} named {hero.name}"
    about = rng.choice((
        who, hero.name, story.about, w.article(hero.kind),
        f"{who} and {story.about}", f"{hero.name} and {story.about}",
    ))
    return rng.choice((
        f"Tell me a story about {about}.", f"Please tell me a story about {about}.",
        f"Can you tell me a story about {about}?", f"Write a short story about {about}.",
        f"I would like to hear a story about {about}.",
    ))


def conversation(rng):
    """A list of (role, text), beginning and ending as a chat would."""
    turns = []
    if rng.random() < 0.3:
        turns.append(("system", rng.choice(SYSTEM)))
    if rng.random() < 0.15:
        questions, answers = rng.choice(GREETINGS)
        turns += [("user", rng.choice(questions)), ("assistant", rng.choice(answers))]
    if turns and turns[-1][0] == "assistant" and rng.random() < 0.3:
        return turns
    story = stories.story(rng)
    anything = rng.random() < 0.15
    ask = rng.choice(("Tell me a story.", "Please tell me a story.")) if anything else request(rng, story)
    turns += [("user", ask), ("assistant", story.text)]
    for question, answer in rng.sample(story.facts, rng.randint(0, 2)):
        turns += [("user", question), ("assistant", answer)]
    return turns
