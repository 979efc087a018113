"""Pairs on scenes that were written for the purpose: true claims in other words, wrong ones made of the scene's own.

A scene is a text of a few sentences with several facts of one type, so that words shared with it tell nothing: roles
change places, the exception stands for the rule, the year belongs to another event. Names and numbers are drawn anew
for each filling; in `SCENES` they are slots.
"""

import json
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from secondpass.verify.claims.replies import as_statement
from training.pairs import Label, Pair
from training.words import MONTHS

__all__ = ["SCENES", "from_scenes", "read_scenes", "slots"]

SCENES = Path(__file__).parent / "data" / "scenes.jsonl"
"""One scene a line: ``scene``, ``true``, ``wrong``, ``open`` and ``asked`` (``question``, ``right``, ``wrong``)."""

_SLOT = re.compile(r"\{([a-z]+\d?)\}")
_FIRST = ("Anna", "Ravi", "Mary", "Tom", "Lucia", "Omar", "Kim", "Jan", "Esther", "Paul", "Ines", "Yusuf", "Clara")
_FIRST += ("Henrik", "Mei", "Samuel", "Dora", "Viktor", "Aisha", "Leo", "Nadia", "Felix", "Greta", "Ivan", "Rosa")
_LAST = ("Berg", "Patel", "Quinn", "Weber", "Rossi", "Said", "Lee", "Novak", "Okafor", "Silva", "Olsen", "Haddad")
_LAST += ("Moreau", "Kowalski", "Tanaka", "Brandt", "Castillo", "Lindqvist", "Mensah", "Doyle", "Petrov", "Marsh")
_COMPANIES = (
    "Norvia",
    "Keltron",
    "Baymark",
    "Solvane",
    "Ardent Foods",
    "Tessel",
    "Hollin & Co",
    "Brightwell",
    "Ostrava",
)
_COMPANIES += ("Quillon", "Merrow", "Pinefield", "Zentara", "Fairlane", "Cobalt Labs", "Dunmore", "Vestara", "Lumen")
_TOWNS = ("Ashford", "Kelby", "Marran", "Osterby", "Tolvik", "Brenning", "Saltash", "Vernholt", "Dalesbury", "Corran")
_TOWNS += ("Wexmoor", "Hallby", "Pinewick", "Lorne", "Estvale", "Rudholm", "Carrow", "Midhaven", "Tarbrook", "Eskdale")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TRUE, _WRONG = 4, 4  # claims of a filling


def slots(rng: random.Random) -> dict[str, str]:
    """Return what stands for each slot: names, rising numbers, years and times, days that differ, rising months."""
    first, last = rng.sample(_FIRST, 3), rng.sample(_LAST, 3)
    found = {slot: f"{first[at]} {last[at]}" for at, slot in enumerate("abc")}
    found |= {f"{slot}1": last[at] for at, slot in enumerate("abc")}
    for slot, values in (("co", _COMPANIES), ("p", _TOWNS), ("d", _DAYS)):
        found |= {f"{slot}{at}": value for at, value in enumerate(rng.sample(values, 3), 1)}
    found |= {f"n{at}": str(n) for at, n in enumerate(sorted(rng.sample(range(2, 91), 3)), 1)}
    found |= {f"k{at}": f"{n * 50:,}" for at, n in enumerate(sorted(rng.sample(range(20, 1800), 3)), 1)}
    found |= {f"y{at}": str(n) for at, n in enumerate(sorted(rng.sample(range(1890, 2025), 3)), 1)}
    found |= {f"m{at}": MONTHS[n] for at, n in enumerate(sorted(rng.sample(range(len(MONTHS)), 3)), 1)}
    times = sorted(rng.sample(range(14, 44), 3))  # half hours
    return found | {f"t{at}": f"{n // 2:02}:{n % 2 * 30:02}" for at, n in enumerate(times, 1)}


def read_scenes(path: Path = SCENES) -> list[dict[str, Any]]:
    """Read the scenes."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def from_scenes(scenes: Sequence[dict[str, Any]], rng: random.Random, fillings: int) -> Iterator[Pair]:
    """Yield pairs on so many fillings of each scene, each filling a group of its own."""
    for number in range(fillings):
        for scene in scenes:
            yield from _on_scene(scene, slots(rng), rng, number)


def _on_scene(scene: dict[str, Any], values: dict[str, str], rng: random.Random, number: int) -> Iterator[Pair]:
    def filled(text: str) -> str:
        return _SLOT.sub(lambda match: values[match.group(1)], text)

    premise = filled(scene["scene"])

    def pair(claim: str, label: Label, kind: str) -> Pair:
        return Pair(premise, claim, label, "made_scenes", f"{number} {premise}", kind)

    right = [(filled(claim), "true") for claim in scene["true"]]
    wrong = [(filled(claim), "wrong") for claim in scene["wrong"]]
    for asked in scene.get("asked", ()):
        question = filled(asked["question"])
        right += [(_answered(question, filled(answer)), "right answer") for answer in asked["right"]]
        wrong += [(_answered(question, filled(answer)), "wrong answer") for answer in asked["wrong"]]
    for claim, kind in rng.sample(right, min(_TRUE, len(right))):
        yield pair(claim, "entailment", kind)
    for claim, kind in rng.sample(wrong, min(_WRONG, len(wrong))):
        yield pair(claim, "not_entailment", kind)
    if scene.get("open"):
        yield pair(filled(rng.choice(scene["open"])), "neutral", "open")


def _answered(question: str, answer: str) -> str:
    """Return a short answer as the verifier reads it."""
    return as_statement(question, answer) or f"{question} {answer}"
