"""The grammar of the training text: short stories for children.

    story(random.Random(7)).text  =>  "Once upon a time, there was a kind girl ..."

A story has a hero, a plot and an ending. A plot is a function that picks its
people and things once and then, for every step, one of several ways to say it,
so names, pronouns and places agree from the first sentence to the last. Facts
that a reader could be asked about are returned beside the text.
"""

from dataclasses import dataclass, field

import words as w


@dataclass
class Story:
    hero: w.Person
    about: str  # what a listener would ask for: "a red kite"
    sentences: list = field(default_factory=list)
    facts: list = field(default_factory=list)  # (question, answer)

    @property
    def text(self):
        return " ".join(self.sentences)


def opening(rng, hero):
    trait = rng.choice(w.TRAITS)
    if hero.kind in ("girl", "boy"):
        home = rng.choice(w.HOMES)
        age = rng.randint(4, 9)
        return rng.choice((
            [f"Once upon a time, there was {w.article(trait)} {hero.kind} named {hero.name}."],
            [f"Once upon a time, there was {w.article(trait)} {hero.kind} named {hero.name}.",
             f"{hero.She} lived {home}."],
            [f"Once upon a time, a little {hero.kind} named {hero.name} lived {home}."],
            [f"{hero.name} was {w.article(trait)} {hero.kind} who lived {home}."],
            [f"{hero.name} was {age} years old and lived {home}."],
        ))
    den = rng.choice(w.DENS)
    return rng.choice((
        [f"Once upon a time, there was {w.article(trait)} {hero.kind} named {hero.name}.",
         f"{hero.She} lived {den}."],
        [f"Once upon a time, {w.article(trait)} {hero.kind} named {hero.name} lived {den}."],
        [f"{hero.name} was a little {hero.kind} who lived {den}."],
    ))


def one_day(rng):
    weather = rng.choice(w.WEATHER)
    return rng.choice((f"One {weather} day,", f"One {weather} morning,", "One day,",
                       f"On a {weather} afternoon,"))


def ending(rng, *people):
    names = " and ".join(p.name for p in people)
    they = "they" if len(people) > 1 else people[0].she
    were = "were" if len(people) > 1 else "was"
    return rng.choice((
        f"From that day on, {names} {were} never sad again.",
        f"{names} went home with a big smile.",
        f"That night, {names} slept very well.",
        f"It was the best day of the year, and {they} never forgot it.",
        "And they all lived happily ever after.",
    ))


def lost_toy(rng, hero):
    friend = w.friend_of(rng, hero)
    toy, where, spot = w.toy(rng), w.place(rng), rng.choice(w.SPOTS)
    noun = toy.split()[1]
    they_looked = rng.sample(("near the gate", "in the bushes", "by the water",
                              "along the path", "around the corner"), 2)
    return Story(hero, w.article(toy), [
        f"{hero.She} had {w.article(toy)} and took it everywhere.",
        f"{one_day(rng)} {hero.name} played {where.at}, and then the {noun} was gone.",
        rng.choice((f'"Where is my {noun}?" {hero.she} cried.',
                    f"{hero.name} felt very sad and began to cry.")),
        rng.choice((f"{hero.Hers} friend {friend.name} heard {hero.her} and came to help.",
                    f'"Do not worry," said {hero.hers} friend {friend.name}. "I will help you."')),
        f"They looked {they_looked[0]} and {they_looked[1]}, but it was not there.",
        rng.choice((f"At last, {friend.name} found the {noun} {spot}.",
                    f'Then {friend.name} looked {spot}. "Here it is!" {friend.she} said.')),
        rng.choice((f'"Thank you, {friend.name}!" said {hero.name}, and they hugged.',
                    f"{hero.name} was so happy that {hero.she} danced.")),
        ending(rng, hero, friend),
    ], [(f"Who found the {noun}?", f"{friend.name} found the {noun}."),
        (f"Where was the {noun}?", f"The {noun} was {spot}."),
        (f"What did {hero.name} lose?", f"{hero.name} lost {w.article(toy)}.")])


def rescued_pet(rng, hero):
    pet, name, where = rng.choice(w.PETS), rng.choice(w.PET_NAMES), w.place(rng)
    trouble, cure = rng.choice((
        ("It was wet and cold.", "a warm blanket"), ("It was very hungry.", "some bread and milk"),
        ("It had a sore leg.", "a soft bed"), ("It was lost and alone.", "a big hug"),
    ))
    elder = w.parent(rng)
    return Story(hero, w.article(f"little {pet}"), [
        f"{one_day(rng)} {hero.name} walked {where.at} and heard a small sound.",
        rng.choice((f"It was a little {pet}!", f"There was a little {pet} {rng.choice(w.SPOTS)}.")),
        trouble,
        rng.choice((f'"Poor little {pet}," said {hero.name}. "I will take care of you."',
                    f"{hero.name} picked it up and carried it home.")),
        f"{hero.Hers} {elder} gave the {pet} {cure}.",
        rng.choice((f'"Can it stay with us?" asked {hero.name}. "Yes, it can," said {hero.hers} {elder}.',
                    f"Soon the {pet} felt much better.")),
        f"{hero.name} named the {pet} {name}.",
        rng.choice((f"Every day, {hero.name} and {name} played together.",
                    f"{name} followed {hero.name} everywhere and was never lonely again.")),
        ending(rng, hero),
    ], [(f"What was the name of the {pet}?", f"The {pet} was named {name}."),
        (f"What did {hero.name} find?", f"{hero.name} found a little {pet}."),
        (f"Where did {hero.name} walk?", f"{hero.name} walked {where.at}.")])


def shared_fruit(rng, hero):
    friend = w.friend_of(rng, hero)
    fruit, where, count = rng.choice(w.FRUITS), w.place(rng), rng.choice(w.COUNTS)
    return Story(hero, fruit, [
        f"{one_day(rng)} {hero.name} found {count} sweet {fruit} {where.at}.",
        rng.choice((f"{hero.She} put them all in {hero.hers} basket.",
                    f'"I will eat them all," {hero.she} thought.')),
        f"On the way home, {hero.she} met {friend.name}, who looked sad.",
        rng.choice((f'"What is wrong, {friend.name}?" asked {hero.name}. "I am so hungry," said {friend.name}.',
                    f"{friend.name} had nothing to eat that day.")),
        f"{hero.name} gave half of the {fruit} to {friend.name}.",
        rng.choice((f'"Thank you! You are very kind," said {friend.name}.',
                    f"{friend.name} smiled and ate them one by one.")),
        rng.choice(("They sat in the sun and told each other jokes.",
                    f"The {fruit} tasted even better together.")),
        rng.choice((ending(rng, hero, friend), f"{hero.name} learned that it is good to share.")),
    ], [(f"How many {fruit} did {hero.name} find?", f"{hero.name} found {count} {fruit}."),
        (f"Who was hungry?", f"{friend.name} was hungry."),
        (f"Who did {hero.name} meet?", f"{hero.name} met {friend.name}.")])


def kite_in_tree(rng, hero):
    colour, where, elder = rng.choice(w.COLOURS), w.place(rng), w.parent(rng)
    kite = f"{colour} kite"
    return Story(hero, w.article(kite), [
        f"{hero.Hers} {elder} made {hero.her} {w.article(kite)}.",
        f"{one_day(rng)} {hero.name} took it to {where} and ran as fast as {hero.she} could.",
        "The kite flew up, up, up into the sky.",
        rng.choice(("But then a strong wind came, and the kite got stuck in a tall tree.",
                    "Then the wind blew harder, and the string broke. The kite landed in a tree.")),
        rng.choice((f"{hero.name} jumped and jumped, but {hero.she} could not reach it.",
                    f'"Oh no!" said {hero.name}. "It is too high for me."')),
        rng.choice((f"{hero.Hers} {elder} came with a long ladder and climbed up.",
                    f"{hero.Hers} {elder} took a long stick and pulled the kite down.")),
        rng.choice((f'"Here you are," said {hero.hers} {elder}.', f"{hero.name} clapped {hero.hers} hands.")),
        f"{hero.name} held the {kite} tight and said thank you.",
        ending(rng, hero),
    ], [("Who made the kite?", f"{hero.Hers} {elder} made the kite."),
        ("What colour was the kite?", f"The kite was {colour}."),
        ("Where did the kite get stuck?", "The kite got stuck in a tree.")])


def garden(rng, hero):
    plant, elder = rng.choice(w.FLOWERS), w.parent(rng)
    weeks = rng.choice(w.COUNTS[:6])
    return Story(hero, w.article(plant), [
        f"{one_day(rng)} {hero.hers} {elder} gave {hero.name} a tiny seed.",
        rng.choice((f'"What is it?" asked {hero.name}. "Wait and see," said {hero.hers} {elder}.',
                    f'"Plant it and be patient," said {hero.hers} {elder}.')),
        f"{hero.name} dug a hole in the garden and put the seed inside.",
        rng.choice((f"Every morning, {hero.she} gave it water.",
                    f"{hero.She} gave it water and sang to it every day.")),
        rng.choice(("At first, nothing happened.", "Many days passed, but the ground was still brown.")),
        f"After {weeks} weeks, a small green leaf came out.",
        f"It grew and grew until it was a big {plant}!",
        rng.choice((f"{hero.name} was very proud.", f'"I did it!" said {hero.name}.')),
        rng.choice((ending(rng, hero), "Good things need time.")),
    ], [(f"What did {hero.name} plant?", f"{hero.name} planted a seed."),
        ("What did the seed become?", f"The seed became a big {plant}."),
        (f"How many weeks did it take?", f"It took {weeks} weeks.")])


def storm(rng, hero):
    friend = w.friend_of(rng, hero)
    return Story(hero, "a storm", [
        f"{one_day(rng)} {hero.name} and {hero.hers} friend {friend.name} were far from home.",
        rng.choice(("Dark clouds came, and it began to rain.", "The sky turned black, and the wind began to blow.")),
        rng.choice(('"Boom!" went the thunder.', "There was a loud noise and a bright light.")),
        f"{hero.name} was scared, but {friend.name} took {hero.hers} {'paw' if hero.is_animal else 'hand'}.",
        rng.choice((f'"It is only rain," said {friend.name}. "It will stop soon."',
                    f'"Do not be afraid," said {friend.name}. "I am with you."')),
        rng.choice((f"They hid {rng.choice(w.HIDING_PLACES)} and sang a song.",
                    "They found a dry cave and waited inside.")),
        rng.choice(("After a while, the sun came out again.", "Soon the rain stopped, and the birds began to sing.")),
        "A big rainbow stood in the sky.",
        ending(rng, hero, friend),
    ], [("Who was scared?", f"{hero.name} was scared."),
        (f"Who helped {hero.name}?", f"{friend.name} helped {hero.name}."),
        ("What stood in the sky?", "A big rainbow stood in the sky.")])


def hide_and_seek(rng, hero):
    friend, where = w.friend_of(rng, hero), w.place(rng)
    wrong, right = rng.sample(w.HIDING_PLACES, 2)
    return Story(hero, "hide and seek", [
        f"{one_day(rng)} {hero.name} and {friend.name} played hide and seek {where.at}.",
        f"{hero.name} closed {hero.hers} eyes and counted to {rng.choice(('10', '20', 'ten'))}.",
        rng.choice((f"{friend.name} ran away as fast as {friend.she} could.",
                    f"{friend.name} went away without a sound.")),
        rng.choice((f'"I am coming!" called {hero.name}.', f'"Where are you?" called {hero.name}.')),
        f"{hero.She} looked {wrong}, but nobody was there.",
        rng.choice((f"Then {hero.she} heard a little laugh.", f"Then {hero.she} saw something move.")),
        f"{friend.name} was {right}!",
        rng.choice((f'"I found you!" said {hero.name}, and they both laughed.',
                    f'"Now it is my turn," said {friend.name}.')),
        rng.choice((ending(rng, hero, friend), "They played until the sun went down.")),
    ], [(f"Where did {friend.name} hide?", f"{friend.name} was {right}."),
        (f"Who found {friend.name}?", f"{hero.name} found {friend.name}."),
        ("What did they play?", "They played hide and seek.")])


def race(rng, hero):
    friend, where = w.friend_of(rng, hero), w.place(rng)
    return Story(hero, "a race", [
        rng.choice((f'"I am the fastest of all," {friend.name} always said.',
                    f"{hero.name} had a friend named {friend.name} who was very fast.")),
        f"{one_day(rng)} {hero.name} and {friend.name} had a race to {where}.",
        rng.choice((f"{friend.name} ran like the wind.", f"{friend.name} was far ahead.")),
        f"But then {friend.name} fell over a stone and hurt {friend.hers} leg.",
        rng.choice((f"{hero.name} could win now, but {hero.she} stopped.",
                    f"{hero.name} did not run past {friend.her}.")),
        rng.choice((f'"Come, I will help you," said {hero.name}.',
                    f"{hero.name} helped {friend.name} to stand up.")),
        "They walked the last part side by side.",
        rng.choice((f'"You are a true friend," said {friend.name}.', '"We both won!" they said.')),
        rng.choice((ending(rng, hero, friend), f"{friend.name} learned that friends are better than a prize.")),
    ], [("Who fell over a stone?", f"{friend.name} fell over a stone."),
        (f"Who helped {friend.name}?", f"{hero.name} helped {friend.name}."),
        ("Where did they run?", f"They ran to {where}.")])


def baking(rng, hero):
    treat, elder = rng.choice(w.BAKED), w.parent(rng)
    friend = w.other(rng, w.child, hero)
    article = "some" if treat.endswith("s") or treat == "bread" else "a"
    return Story(hero, f"{article} {treat}", [
        f"{one_day(rng)} {hero.name} wanted to bake {article} {treat} for {hero.hers} friend {friend.name}.",
        f"{hero.name} and {hero.hers} {elder} took flour, eggs and milk.",
        rng.choice((f"{hero.name} mixed everything in a big bowl.", f"{hero.She} mixed and mixed until {hero.hers} arms were tired.")),
        rng.choice(("Oh no! The flour fell on the floor, and everything was white.",
                    f"Oh no! {hero.name} dropped an egg, and it broke.")),
        rng.choice((f"{hero.Hers} {elder} only laughed, and they cleaned it up together.",
                    f'"That is all right," said {hero.hers} {elder}. "We can try again."')),
        f"Soon the whole house smelled of {treat}.",
        rng.choice((f"When {friend.name} came, they ate it all." if article == "a" or treat == "bread" else f"When {friend.name} came, they ate them all.",
                    f'"This is so good!" said {friend.name}.')),
        ending(rng, hero, friend),
    ], [(f"What did {hero.name} bake?", f"{hero.name} baked {article} {treat}."),
        (f"Who helped {hero.name}?", f"{hero.Hers} {elder} helped {hero.name}."),
        (f"Who came to eat?", f"{friend.name} came to eat.")])


def bedtime(rng, hero):
    elder = w.parent(rng)
    return Story(hero, "the moon", [
        f"One night, {hero.name} could not sleep.",
        rng.choice((f"{hero.She} turned left and right in {hero.hers} bed.", "The room was dark, and the wind was loud.")),
        f"{hero.Hers} {elder} came in and sat down next to {hero.her}.",
        rng.choice((f'"Look out of the window," said {hero.hers} {elder}.', f'"What do you see?" asked {hero.hers} {elder}.')),
        f"{hero.name} saw the big round moon and many stars.",
        rng.choice(('"The moon watches over us all night," said ' + f"{hero.hers} {elder}.",
                    f"They counted the stars together: one, two, three, four, five.")),
        f"Slowly, {hero.name} closed {hero.hers} eyes.",
        rng.choice((f"{hero.Hers} {elder} gave {hero.her} a kiss and said good night.",
                    "Then everything was quiet.")),
        rng.choice((f"And {hero.name} dreamed of flying to the moon.", f"That night, {hero.name} slept very well.")),
    ], [("Who could not sleep?", f"{hero.name} could not sleep."),
        (f"What did {hero.name} see?", f"{hero.name} saw the big round moon and many stars."),
        (f"Who sat next to {hero.name}?", f"{hero.Hers} {elder} sat next to {hero.name}.")])


FOR_ALL = (lost_toy, shared_fruit, storm, hide_and_seek, race)
FOR_CHILDREN = (rescued_pet, kite_in_tree, garden, baking, bedtime)


def story(rng):
    """One story, hero and all; `rng` is a random.Random."""
    hero = w.animal(rng) if rng.random() < 0.25 else w.child(rng)
    plots = FOR_ALL if hero.is_animal else FOR_ALL + FOR_CHILDREN
    result = rng.choice(plots)(rng, hero)
    result.sentences = opening(rng, hero) + result.sentences
    return result
