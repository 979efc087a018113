"""Premises of many kinds, with what follows from them in other words, what they refute, and what they leave open.

The sentences are our own. ``{a}`` and ``{b}`` are names, ``{n}`` and ``{m}`` numbers with ``m`` the larger, ``{x}`` a
number that is neither, ``{y}`` a year and ``{z}`` a later one.
"""

import random
from collections.abc import Iterator, Sequence

from training.examples import Example
from training.twins import Label

__all__ = ["from_templates"]

_NAMES = ("Anna Berg", "Ravi Patel", "Mary Quinn", "Tom Weber", "Lucia Rossi", "Omar Said", "Kim Lee", "Jan Novak")
_PREMISES: tuple[tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...] = (
    (
        "The company reported revenue of ${m} million for the quarter, up {n} percent from a year earlier.",
        ("Revenue rose by {n} percent.", "Sales were higher than in the same quarter of the year before.", "Quarterly revenue came to ${m} million."),
        ("Revenue fell by {n} percent.", "Revenue was lower than a year earlier.", "Quarterly revenue came to ${x} million.", "Revenue rose by {x} percent."),
        ("The company made a profit.", "The company will hire {n} people.", "Its shares rose after the report."),
    ),
    (
        "Profit dropped to ${n} million from ${m} million as costs went up, the bank said on Tuesday.",
        ("The bank's profit decreased.", "The bank earned less than before.", "Higher costs hurt the bank's profit.", "The bank's profit was ${n} million."),
        ("The bank's profit grew.", "The bank earned more than before.", "The bank made ${x} million in profit."),
        ("The bank will close branches.", "The head of the bank stepped down.", "Its rivals did better."),
    ),
    (
        "{a}, the city's mayor since {y}, said that the new bridge would open in {z}.",
        ("{a} is the mayor.", "The bridge had not opened when {a} spoke.", "{a} became mayor in {y}.", "The opening of the bridge was planned for {z}."),
        ("{b} is the mayor.", "{a} became mayor in {z}.", "The mayor said that the bridge would never open."),
        ("The bridge cost ${n} million.", "{a} was born in the city.", "{b} designed the bridge."),
    ),
    (
        "Police arrested {n} people after a protest in which {m} demonstrators marched to the parliament.",
        ("People were taken into custody.", "{m} people took part in the march.", "There was a demonstration.", "Some protesters walked to the parliament building."),
        ("Nobody was arrested.", "Police arrested {x} people.", "The protest was called off.", "Fewer than {n} people took part in the march."),
        ("Those arrested were students.", "A window was broken.", "The police used tear gas."),
    ),
    (
        "At least {n} people were killed and {m} injured when a train left the rails near the border on Friday.",
        ("There was a train accident.", "A train derailed.", "People died in the accident.", "More people were hurt than were killed."),
        ("Nobody was hurt.", "No one died when the train derailed.", "The accident happened on a Monday.", "A bus fell into a river."),
        ("The driver was speeding.", "It rained on that day.", "The train was new."),
    ),
    (
        "{a} beat {b} in the final and won the tournament for the second time.",
        ("{b} lost the final.", "{a} had won the tournament before.", "{a} was the winner.", "{b} was defeated by {a}."),
        ("{b} won the tournament.", "{a} lost to {b}.", "{a} had never won the tournament before.", "{a} did not reach the final."),
        ("{b} was injured.", "The final lasted {n} hours.", "{a} is {n} years old."),
    ),
    (
        "A man in a red shirt is playing a guitar on a street corner while two children watch.",
        ("A person is making music.", "A man plays an instrument.", "Children are watching a man.", "Someone is outdoors.", "The man is wearing red."),
        ("A man is asleep in bed.", "The man is playing a piano.", "Nobody is watching the man.", "A woman is playing a guitar.", "The man's shirt is green."),
        ("The man is famous.", "The children are his own.", "People gave him money.", "The man is sad."),
    ),
    (
        "Two dogs are running through shallow water on a beach.",
        ("Animals are outside.", "Dogs are on a beach.", "Some dogs run.", "There are two dogs in the water.", "The dogs are getting wet."),
        ("Two cats are running on a beach.", "The dogs are sleeping.", "The dogs are indoors.", "There is only one dog."),
        ("The dogs are chasing a ball.", "The dogs belong to a fisherman.", "It is early in the morning."),
    ),
    (
        "A young woman sits at a table in a cafe, reading a newspaper and drinking coffee.",
        ("A woman is reading.", "A person has a drink.", "Someone is sitting.", "A woman is in a cafe."),
        ("A woman is driving a car.", "The woman is standing in the kitchen.", "A man is reading a book at home.", "The cafe is empty."),
        ("The woman is waiting for a friend.", "The coffee is cold.", "She reads about sports."),
    ),
    (
        "Several boys are kicking a ball on a muddy field in the rain.",
        ("Children are playing outside.", "It is raining.", "Boys play with a ball.", "The weather is bad."),
        ("The boys are swimming in a pool.", "The sun is shining on a dry field.", "Girls are playing chess.", "No one is on the field."),
        ("The boys play for their school.", "They are losing the match.", "Their parents are watching."),
    ),
    (
        "A cyclist in a blue helmet rides down a mountain path past tall pine trees.",
        ("A person is riding a bike.", "Someone is outdoors.", "The rider wears a helmet.", "There are trees by the path."),
        ("The cyclist is not wearing anything on the head.", "A person is riding a horse in a desert.", "The helmet is yellow.", "The bike is parked in a garage."),
        ("The cyclist is in a race.", "The cyclist is tired.", "He bought the bike last year."),
    ),
    (
        "If the argument is missing, the function returns None instead of raising an error.",
        ("A missing argument gives None.", "The function doesn't fail when the argument is missing.", "No exception is raised without the argument."),
        ("The function raises an error if the argument is missing.", "Without the argument, zero is returned.", "A missing argument causes an exception."),
        ("The function is fast.", "The argument must be a string.", "The function was added in version {n}."),
    ),
    (
        "The method closes the file and then deletes it, unless delete was set to False.",
        ("By default the file is removed when it is closed.", "With delete set to False the file is kept.", "The file is closed first."),
        ("The file is never deleted.", "By default the file is kept.", "The file is deleted before it is closed."),
        ("The file is in a temporary folder.", "The method can be called twice.", "Closing may block."),
    ),
    (
        "The limit defaults to {n} seconds and can't be set above {m}.",
        ("The default limit is {n} seconds.", "The highest possible limit is {m} seconds.", "Without a setting, the limit is {n} s.", "A limit above {m} is not allowed."),
        ("The default limit is {x} seconds.", "There is no upper bound.", "The limit can't be changed.", "The limit is {m} seconds by default."),
        ("A limit of zero turns it off.", "The limit is read from a file.", "Most users never change the limit."),
    ),
    (
        "Customers may return unopened goods within {n} days of delivery for a full refund.",
        ("You can send unopened items back for {n} days.", "There is a refund for unopened goods.", "The whole price is paid back."),
        ("Goods can't be returned.", "Unopened goods may be returned within {x} days.", "Only half of the price is paid back.", "Opened goods only may be returned."),
        ("Shipping costs are refunded.", "A receipt is needed.", "Refunds take {m} days."),
    ),
    (
        "Employees who have worked for at least {n} years are entitled to {m} days of paid leave.",
        ("After {n} years, workers get {m} days of paid vacation.", "Paid leave depends on how long someone has worked there.", "Some employees get {m} days of leave."),
        ("Nobody gets paid leave.", "After {n} years, employees get {x} days of leave.", "The leave is unpaid."),
        ("Leave must be taken in summer.", "Managers get more leave.", "The rule is from {y}."),
    ),
    (
        "Adults should take one tablet every {n} hours, and not more than {m} tablets a day; children under 12 must not take it.",
        ("The medicine is not for small children.", "The daily maximum is {m} tablets.", "An adult takes a tablet every {n} hours."),
        ("Children may take the medicine.", "Adults may take as many tablets as they like.", "The daily maximum is {x} tablets."),
        ("The tablets taste of lemon.", "The medicine may cause headaches.", "It should be taken with food."),
    ),
    (
        "The museum, which is free on Sundays, is open from {n} to 18 every day except Monday.",
        ("The museum is closed on Mondays.", "You don't have to pay on Sundays.", "The museum can be visited on a Tuesday.", "There is no entrance fee on Sundays."),
        ("The museum is open on Mondays.", "Visitors must pay on Sundays.", "The museum is closed on all days but Monday."),
        ("The museum has a cafe.", "Tickets cost {m} euros.", "The museum was founded in {y}."),
    ),
    (
        "{a} was born in {y} and moved to Canada with her parents when she was {n} years old.",
        ("{a} has lived in Canada.", "{a}'s parents went to Canada.", "{a} was a child of {n} when her family left for Canada.", "{a} was not born in Canada."),
        ("{a} never left her country.", "{a} moved to Canada on her own.", "{a} was born in {z}.", "{a} was {x} years old when she moved to Canada."),
        ("{a} studied medicine.", "{a} has two brothers.", "{a} works in Toronto."),
    ),
    (
        "{a} wrote the novel in {y}, but it was only published in {z}, after her death.",
        ("The book came out in {z}.", "{a} is the author of the novel.", "{a} was dead when the novel appeared.", "The novel was published later than it was written."),
        ("The novel was published in {y}.", "{b} wrote the novel.", "{a} saw the novel published.", "{a} was alive in {z}."),
        ("The novel is set in Paris.", "The novel won a prize.", "{b} translated the novel."),
    ),
    (
        "Water boils at a lower temperature on high mountains, because the air pressure is lower there.",
        ("Low pressure lowers the boiling point of water.", "On a mountain top, water boils at less heat.", "Air pressure falls with height."),
        ("Water boils at a higher temperature on mountains.", "Air pressure is higher on mountains.", "Pressure has no effect on the boiling point."),
        ("Food takes longer to cook on mountains.", "Water freezes at zero degrees.", "Mountains are cold."),
    ),
    (
        "Most of the {m} members voted for the plan, and only {n} were against it.",
        ("The plan had a majority.", "{n} members voted against the plan.", "More members were for the plan than against it.", "The majority supported the plan."),
        ("The plan was rejected by most members.", "All members voted for the plan.", "{x} members voted against it.", "No one was against the plan."),
        ("The vote was secret.", "The plan starts next year.", "{a} wrote the plan."),
    ),
    (
        "The river, {m} km long, rises in the hills in the north and flows into the lake at {a}'s farm.",
        ("The river ends in a lake.", "The river has a length of {m} kilometres.", "Its source is in the north."),
        ("The river flows into the sea.", "The river is {x} km long.", "The river rises in the south."),
        ("The river is rich in fish.", "The river was dammed in {y}.", "The lake is deep."),
    ),
    (
        "The law, passed in {y}, forbids smoking in restaurants but not in private homes.",
        ("People may not smoke in restaurants.", "Smoking at home is still legal.", "The law was passed in {y}."),
        ("The law allows smoking in restaurants.", "The law forbids smoking in private homes.", "The law was passed in {z}."),
        ("The law is popular.", "Fines are ${n}.", "{a} proposed the law."),
    ),
)  # fmt: skip
_KINDS: tuple[Label, ...] = ("entailment", "contradiction", "neutral")


def from_templates(rng: random.Random, *, times: int, around: Sequence[str] = ()) -> Iterator[Example]:
    """Yield examples: every template so many times, with other names and numbers, and three hypotheses each time.

    Args:
        rng: decides everything that is random.
        times: how often each template is filled.
        around: sentences of other texts; one of them stands before or after every third premise.
    """
    for at, (premise, *hypotheses) in enumerate(_PREMISES):
        for _ in range(times):
            n, m, x = *sorted(rng.sample(range(3, 99), 2)), rng.randint(100, 300)
            a, b = rng.sample(_NAMES, 2)
            y = rng.randint(1890, 1990)
            values = {"n": n, "m": m, "x": x, "a": a, "b": b, "y": y, "z": y + rng.randint(3, 30)}
            filled = premise.format(**values)
            if around and rng.random() < 1 / 3:
                filled = " ".join(rng.sample([filled, rng.choice(around)], 2))
            for label, choices in zip(_KINDS, hypotheses, strict=True):
                yield Example(
                    filled, rng.choice(choices).format(**values), label, "template", "templates", f"template:{at}"
                )
