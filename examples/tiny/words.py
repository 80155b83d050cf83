"""The people, animals, things and places that the stories choose from.

A chosen word never stands alone: a Person knows its pronouns, a Thing its
adjective, a Place its preposition, so that a sentence cannot get them wrong.
"""

from dataclasses import dataclass

GIRLS = "Mia Lily Anna Zoé Sara Nora Ella Ruby Ivy Lucy Emma Maya".split()
BOYS = "Tom Ben Max Leo Sam Jack Finn Noah Björn Hugo Adam Theo".split()
ANIMALS = "fox rabbit bear mouse duck frog turtle squirrel hedgehog owl".split()
ANIMAL_NAMES = "Pip Rusty Momo Hazel Bobo Daisy Pepper Coco Willow Biscuit".split()
PETS = "puppy kitten bird duckling rabbit hedgehog".split()
PET_NAMES = "Spot Fluffy Sunny Patch Muffin Button".split()

COLOURS = "red blue green yellow orange purple white".split()
TOYS = "ball kite drum boat doll car bell hat scarf bucket book lamp".split()
FRUITS = ["apples", "pears", "plums", "berries", "cherries"]
FLOWERS = ["sunflower", "tulip", "rose", "pumpkin", "bean", "carrot"]
BAKED = ["cake", "pie", "bread", "cookies", "muffins"]
TRAITS = ["happy", "kind", "brave", "curious", "quiet", "cheerful", "clever"]
COUNTS = ["two", "three", "four", "five", "six", "seven", "10", "12", "15", "20"]

PLACES = [
    ("in", "park"), ("in", "garden"), ("in", "forest"), ("by", "river"),
    ("by", "lake"), ("on", "beach"), ("on", "hill"), ("in", "meadow"),
    ("on", "farm"), ("near", "old mill"), ("at", "market"), ("behind", "school"),
]
HOMES = [
    "in a small house near the forest", "in a white house on a hill",
    "in a tiny village by the sea", "in a big town", "in a cottage by the river",
    "on a farm with many animals",
]
DENS = ["under an old oak tree", "near a quiet pond", "at the edge of the forest",
        "in a warm little cave", "behind the green hill"]
SPOTS = ["under the bench", "behind a big stone", "in the tall grass",
         "under the old tree", "behind the fence", "next to the well",
         "inside a hollow log", "on top of the wall"]
HIDING_PLACES = SPOTS[1:5] + SPOTS[6:7]  # where somebody small fits
WEATHER = ["sunny", "warm", "windy", "cold", "cloudy", "bright"]


@dataclass(frozen=True)
class Person:
    name: str
    kind: str  # "girl", "boy", or an animal
    she: str
    her: str  # "Tom saw her"
    hers: str  # "her ball"

    @property
    def She(self):
        return self.she.capitalize()

    @property
    def Hers(self):
        return self.hers.capitalize()

    @property
    def is_animal(self):
        return self.kind in ANIMALS


@dataclass(frozen=True)
class Place:
    preposition: str
    noun: str

    def __str__(self):
        return f"the {self.noun}"

    @property
    def at(self):
        return f"{self.preposition} the {self.noun}"


def article(words):
    """"a red ball", "an orange ball"."""
    return ("an " if words[0] in "aeiou" else "a ") + words


def girl(rng):
    return Person(rng.choice(GIRLS), "girl", "she", "her", "her")


def boy(rng):
    return Person(rng.choice(BOYS), "boy", "he", "him", "his")


def child(rng):
    return rng.choice((girl, boy))(rng)


def animal(rng):
    she, her, hers = rng.choice((("she", "her", "her"), ("he", "him", "his")))
    return Person(rng.choice(ANIMAL_NAMES), rng.choice(ANIMALS), she, her, hers)


def other(rng, make, *people):
    """Someone of another name (and, for animals, another kind)."""
    while True:
        candidate = make(rng)
        if all(candidate.name != p.name for p in people) and (
            make is not animal or all(candidate.kind != p.kind for p in people)
        ):
            return candidate


def friend_of(rng, hero):
    """Animals have animal friends, children have children."""
    return other(rng, animal if hero.is_animal else child, hero)


def parent(rng):
    return rng.choice(("mother", "father", "grandma", "grandpa"))


def place(rng):
    return Place(*rng.choice(PLACES))


def toy(rng):
    return f"{rng.choice(COLOURS)} {rng.choice(TOYS)}"
