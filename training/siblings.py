"""Claims about one of several siblings: plans, pumps, museums, people, trails, drugs, functions.

A catalogue holds the same attributes of each with other values, so that all words of a wrong claim are there.
"""

import random
from collections.abc import Iterator, Sequence

from training.pairs import Label, Pair

__all__ = ["from_siblings"]

# Names of siblings; and for each attribute forms of a statement, and its values: from..to, or one|another.
_SIBLINGS: tuple[tuple[tuple[str, ...], tuple[tuple[tuple[str, ...], str], ...]], ...] = (
    (
        ("the Basic plan", "the Pro plan", "the Team plan", "the Enterprise plan", "the Starter plan"),
        (
            (("{e} costs ${v} a month", "{e} is priced at ${v} a month", "you pay ${v} a month for {e}"), "5..99"),
            (
                (
                    "{e} includes {v} GB of storage",
                    "{e} comes with {v} GB of storage",
                    "with {e} you get {v} GB of storage",
                ),
                "5|10|20|50|100|250|500",
            ),
            (("{e} allows {v} users", "up to {v} users can share {e}", "{e} is for at most {v} users"), "2..60"),
        ),
    ),
    (
        ("pump A20", "pump A35", "pump B10", "pump C7", "pump D48"),
        (
            (
                (
                    "{e} delivers {v} litres a minute",
                    "{e} moves {v} litres every minute",
                    "the flow of {e} is {v} litres a minute",
                ),
                "8..240",
            ),
            (("{e} weighs {v} kg", "the weight of {e} is {v} kg"), "3..80"),
            (("{e} needs servicing every {v} months", "{e} must be serviced every {v} months"), "3..36"),
        ),
    ),
    (
        ("the Harbour Museum", "the Toy Museum", "the Railway Museum", "the Museum of Glass", "the City Museum"),
        (
            (("{e} opened in {v}", "{e} first opened its doors in {v}", "{e} dates from {v}"), "1870..2019"),
            (("{e} is closed on {v}", "on {v} {e} is not open"), "Mondays|Tuesdays|Wednesdays|Sundays|Thursdays"),
            (("{e} stands in {v} Street", "{e} can be found in {v} Street"), "Mill|Castle|Queen|Station|Bridge|Church"),
        ),
    ),
    (
        ("Anna Keller", "Tom Okafor", "Maria Silva", "David Chen", "Ruth Olsen", "Samir Haddad"),
        (
            (
                ("{e} leads the {v} team", "the {v} team is led by {e}", "{e} is the head of the {v} team"),
                "sales|support|design|research|security|finance",
            ),
            (("{e} joined in {v}", "{e} has been there since {v}"), "1998..2024"),
            (
                ("{e} works from {v}", "{e} is based in {v}", "the office of {e} is in {v}"),
                "Leeds|Porto|Austin|Oslo|Lyon|Kyoto",
            ),
        ),
    ),
    (
        ("the red trail", "the blue trail", "the green trail", "the coastal trail", "the forest trail"),
        (
            (("{e} is {v} km long", "{e} has a length of {v} km", "{e} runs for {v} km"), "2..28"),
            (
                ("{e} takes about {v} hours", "allow about {v} hours for {e}", "walking {e} takes around {v} hours"),
                "1..9",
            ),
            (
                ("{e} starts at the {v}", "the start of {e} is at the {v}"),
                "car park|church|station|campsite|lake|old mill",
            ),
        ),
    ),
    (
        ("drug A", "drug B", "the placebo", "the combined treatment", "the older drug"),
        (
            (
                (
                    "{e} lowered blood pressure by {v} mmHg",
                    "blood pressure fell by {v} mmHg with {e}",
                    "with {e}, blood pressure was reduced by {v} mmHg",
                ),
                "1..25",
            ),
            (
                ("{v}% of the patients on {e} had headaches", "headaches occurred in {v}% of patients given {e}"),
                "1..40",
            ),
            (("{e} was given {v}", "patients received {e} {v}"), "once a day|twice a day|every six hours|once a week"),
        ),
    ),
    (
        ("parse()", "load()", "read_all()", "open_file()", "connect()"),
        (
            (
                ("{e} raises {v} if it fails", "on failure {e} raises {v}", "when it fails, {e} raises {v}"),
                "ValueError|KeyError|OSError|TypeError|TimeoutError",
            ),
            (("{e} waits at most {v} seconds", "the timeout of {e} is {v} seconds"), "1|3|5|10|30|60|120"),
            (
                ("{e} returns a {v}", "a {v} is returned by {e}", "the result of {e} is a {v}"),
                "list|tuple|dict|string|generator",
            ),
        ),
    ),
)


def from_siblings(fillers: Sequence[str], rng: random.Random, most: int) -> Iterator[Pair]:
    """Yield groups of pairs about one of several siblings.

    A claim with its value in other words is entailed, one with a sibling's value is contradicted, and about a
    sibling, or an attribute, that the premise does not speak of nothing follows.
    """
    for _ in range(most):
        entities, attributes = rng.choice(_SIBLINGS)
        shown = rng.sample(entities, rng.randint(2, min(4, len(entities) - 1)))
        asked = rng.sample(attributes, rng.randint(1, 2))
        values, statements = {}, []
        for forms, values_ in asked:
            used: set[str] = set()
            for entity in shown:
                value = _value(values_, rng)
                while value in used:
                    value = _value(values_, rng)
                used.add(value)
                values[entity, forms] = value
                statements.append(rng.choice(forms).format(e=entity, v=value))
        if rng.random() < 0.5:
            rng.shuffle(statements)
        if rng.random() < 0.25 and len(statements) > 1:
            text = _capital("; ".join(statements)) + "."
        else:
            text = " ".join(_capital(statement) + "." for statement in statements)
        if fillers and rng.random() < 0.4:
            text = f"{rng.choice(fillers)} {text}" if rng.random() < 0.5 else f"{text} {rng.choice(fillers)}"
        forms, _ = rng.choice(asked)
        one, other = rng.sample(shown, 2)

        def claim(entity: str, value: str, forms: tuple[str, ...] = forms) -> str:
            return _capital(rng.choice(forms).format(e=entity, v=value)) + "."

        def pair(hypothesis: str, label: Label, kind: str, premise: str = text) -> Pair:
            return Pair(premise, hypothesis, label, "made_siblings", premise, kind)

        yield pair(claim(one, values[one, forms]), "entailment", "own value")
        draw = rng.random()
        if draw < 0.6:
            yield pair(claim(one, values[other, forms]), "contradiction", "sibling's value")
        if draw > 0.45:
            absent = rng.choice([entity for entity in entities if entity not in shown])
            yield pair(claim(absent, values[rng.choice(shown), forms]), "neutral", "absent sibling")
        unasked = [attribute for attribute in attributes if attribute not in asked]
        if unasked and draw < 0.25:
            other_forms, other_values = rng.choice(unasked)
            yield pair(claim(one, _value(other_values, rng), other_forms), "neutral", "absent attribute")


def _value(values: str, rng: random.Random) -> str:
    first, ranged, last = values.partition("..")
    return str(rng.randint(int(first), int(last))) if ranged else rng.choice(values.split("|"))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
