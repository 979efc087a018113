"""Twins about quantities: the same one in other notation, and another one in the notation of the first."""

import random
from collections.abc import Callable, Iterator, Sequence

from training.pairs import Pair
from training.words import MONTHS, SMALL_NUMBERS

__all__ = ["from_notation"]

_FRAMES: dict[str, tuple[tuple[str, str], ...]] = {
    "money": (
        ("The annual licence costs {a}, and support is included.", "The licence costs {b} a year."),
        ("Repairs to the {n} came to {a} in the end.", "The {n} repairs cost {b}."),
        ("A fee of {a} is charged for late returns of the {n}.", "Returning the {n} late costs {b}."),
        ("The council set aside {a} for the {n}.", "{b} was set aside for the {n}."),
        ("Revenue for the quarter rose to {a}.", "Quarterly revenue was {b}."),
    ),
    "span": (
        ("Orders can be cancelled within {a} of delivery.", "Customers have {b} after delivery to cancel."),
        ("The warranty on the {n} lasts {a}.", "The {n} is covered for {b}."),
        ("Backups are kept for {a}, then deleted.", "After {b}, backups are deleted."),
        ("The course takes {a} to complete.", "Completing the course takes {b}."),
        ("Patients were followed for {a}.", "The follow-up lasted {b}."),
    ),
    "share": (
        ("About {a} of the members voted for the {n}.", "Around {b} of members supported the {n}."),
        ("{a} of the samples contained lead.", "Lead was found in {b} of the samples."),
        ("The discount on the {n} is {a}.", "The {n} is discounted by {b}."),
    ),
    "count": (
        ("The stadium holds {a} people.", "The stadium has room for {b} people."),
        ("More than {a} copies of the {n} were sold.", "The {n} sold over {b} copies."),
        ("The library owns {a} books.", "There are {b} books in the library."),
    ),
    "date": (
        ("The bridge was opened on {a} by the mayor.", "The opening of the bridge was on {b}."),
        ("Applications close on {a}.", "The deadline for applications is {b}."),
        ("She was born on {a} in Leeds.", "Her date of birth is {b}."),
    ),
    "clock": (
        ("The office closes at {a} on Fridays.", "On Fridays the office is open until {b}."),
        ("The train to the coast leaves at {a}.", "Departure of the train is at {b}."),
    ),
    "often": (
        ("The filter of the {n} should be replaced {a}.", "Replace the filter {b}."),
        ("Reports are published {a}.", "A report comes out {b}."),
    ),
    "free": (
        ("Parking at the {n} is {a} for guests.", "Guests can park at the {n} {b}."),
        ("Delivery is {a} for orders of the {n}.", "The {n} is delivered {b}."),
    ),
}
_THINGS = (
    "roof",
    "museum",
    "camera",
    "printer",
    "boat",
    "clinic",
    "garden",
    "engine",
    "hall",
    "theatre",
    "pump",
    "novel",
)


def _money(rng: random.Random) -> list[str]:
    if rng.random() < 0.3:
        millions = rng.choice((1.2, 1.5, 2.3, 2.5, 3.1, 4.5, 6.8, 7.5))
        whole = f"{round(millions * 1_000_000):,}"
        return [f"${millions} million", f"${whole}", f"${millions}m", f"{whole} dollars", f"$ {millions} million"]
    value = rng.choice((rng.randint(2, 99) * 10, rng.randint(1, 99) * 100, rng.randint(2, 90) * 1000))
    sign, word = rng.choice((("$", "dollars"), ("€", "euros"), ("£", "pounds")))
    return [f"{sign}{value:,}", f"{sign}{value}", f"{sign}{value:,}.00", f"{value:,} {word}", f"{value} {word}"]


def _span(rng: random.Random) -> list[str]:
    n = rng.randint(2, 6)
    return rng.choice(
        (
            [f"{n} weeks", f"{7 * n} days", f"{SMALL_NUMBERS[n]} weeks"],
            [f"{n} years", f"{12 * n} months", f"{SMALL_NUMBERS[n]} years"],
            [f"{n} hours", f"{60 * n} minutes", f"{SMALL_NUMBERS[n]} hours"],
            [f"{n} days", f"{24 * n} hours", f"{SMALL_NUMBERS[n]} days"],
            ["one year", "12 months", "a year", "twelve months"],
            ["half a year", "six months", "6 months"],
            ["90 minutes", "an hour and a half", "1.5 hours"],
            ["a fortnight", "two weeks", "14 days"],
        )
    )


def _share(rng: random.Random) -> list[str]:
    return rng.choice(
        (
            ["half", "50%", "50 percent", "50 per cent", "50 %"],
            ["a quarter", "25%", "25 percent", "one in four"],
            ["three quarters", "75%", "75 per cent"],
            ["a fifth", "20%", "one in five", "20 percent"],
            ["a third", "one in three", "33%"],
            ["a tenth", "10%", "one in ten", "10 per cent"],
            ["two thirds", "about 67%", "two in three"],
        )
    )


def _count(rng: random.Random) -> list[str]:
    value = rng.randint(2, 99) * rng.choice((100, 1000, 10_000, 100_000))
    forms = [f"{value:,}", str(value)]
    if value % 1000 == 0 and value < 1_000_000:
        forms.append(f"{value // 1000} thousand")
    if value >= 1_000_000:
        forms += [f"{value / 1e6:g} million", f"{value / 1e6:g}m"]
    return forms


def _date(rng: random.Random) -> list[str]:
    day, month, year = rng.randint(1, 28), rng.randrange(12), rng.randint(1890, 2025)
    name = MONTHS[month]
    return [
        f"{day} {name} {year}",
        f"{name} {day}, {year}",
        f"{year}-{month + 1:02}-{day:02}",
        f"{name[:3]} {day}, {year}",
        f"the {day}{_ending(day)} of {name} {year}",
    ]


def _ending(day: int) -> str:
    return {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}.get(day, "th")


def _clock(rng: random.Random) -> list[str]:
    hour = rng.randint(1, 11)
    return [f"{hour} p.m.", f"{hour + 12}:00", f"{hour}:00 pm", f"{hour}pm"]


def _often(rng: random.Random) -> list[str]:
    return rng.choice(
        (
            ["quarterly", "every three months", "four times a year", "once a quarter"],
            ["weekly", "every week", "once a week", "every seven days"],
            ["twice a year", "every six months", "every half year"],
            ["monthly", "every month", "once a month", "twelve times a year"],
            ["every other week", "every two weeks", "once a fortnight"],
            ["yearly", "once a year", "every twelve months", "annually"],
            ["daily", "every day", "once a day"],
        )
    )


def _free(rng: random.Random) -> list[str]:
    return list(
        rng.choice(
            (
                ("free of charge", "at no cost", "without paying", "for free", "without charge"),
                ("charged extra", "at extra cost", "for an additional charge", "for a fee"),
            )
        )
    )


_VALUES: dict[str, Callable[[random.Random], list[str]]] = {
    "money": _money,
    "span": _span,
    "share": _share,
    "count": _count,
    "date": _date,
    "clock": _clock,
    "often": _often,
    "free": _free,
}


def from_notation(fillers: Sequence[str], rng: random.Random, most: int) -> Iterator[Pair]:
    """Yield twins about quantities: the same in other notation, and another one in the notation of the first."""
    for _ in range(most):
        kind = rng.choice(list(_FRAMES))
        frame, claim = rng.choice(_FRAMES[kind])
        forms, other = _VALUES[kind](rng), _VALUES[kind](rng)
        while set(forms) & set(other):
            other = _VALUES[kind](rng)
        thing = rng.choice(_THINGS)
        if rng.random() < 0.3:
            frame, claim = claim, frame
        slots = {"a": (said := rng.choice(forms)), "b": said, "n": thing}
        premise = _capital(frame.format(**slots))
        if rng.random() < 0.6:
            around = rng.sample(list(fillers), rng.randint(1, 3))
            around.insert(rng.randint(0, len(around)), premise)
            premise = " ".join(around)
        written = rng.choice([form for form in forms if form != said] or forms)
        true = _capital(claim.format(a=written, b=written, n=thing))
        wrong = rng.choice(other)
        false = _capital(claim.format(a=wrong, b=wrong, n=thing))
        yield Pair(premise, true, "entailment", "made_notation", premise, kind)
        yield Pair(premise, false, "contradiction", "made_notation", premise, kind)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
