"""Rules that change one thing in a sentence, so that a model learns to see the change: its twins.

A twin and its sentence share nearly all of their words, so that a model which only counts shared words
can't tell them apart. Each rule is a `Change`: a kind, the label of (sentence, changed sentence), and a
function that returns the changed sentence or None where it does not apply.
"""

import itertools
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from training.paraphrases import active, fronted, in_other_words, part_removed, possessive, rounded, there_is
from training.words import MONTHS, SMALL_NUMBERS

__all__ = ["Change", "Label", "changes", "distractor_names"]

Label = Literal["entailment", "neutral", "contradiction"]
Rule = Callable[[str, random.Random], str | None]

_DEMONYMS = ("an", "ish", "ese", "ic")
_NUMBER = re.compile(r"(?<![\w.,-])\d{1,3}(?:,\d{3})+(?![\w,-])|(?<![\w.,-])\d+(?:\.\d+)?(?![\w-])(?!,\d)")
_NAME = re.compile(r"(?<=[a-z,;] )(?:[A-Z][a-z]+(?:[ -][A-Z][a-z]+){0,3})(?![\w'-])")
_WORD = re.compile(r"[A-Za-z]+")
_AUXILIARY = re.compile(
    r"\b(is|are|was|were|can|could|will|would|should|must|may|might|has been|have been|had been)\b(?! not\b|n't)"
)
_NOT = re.compile(
    r"\b(is|are|was|were|can|could|will|would|should|must|may|might|did|does|do|has|have|had)(?: not|n't)\b"
)
_NO_NAMES = frozenset(
    [
        "It",
        "He",
        "She",
        "They",
        "We",
        "You",
        "I",
        "In",
        "On",
        "At",
        "The",
        "A",
        "An",
        "This",
        "That",
        "These",
        "His",
        "Her",
        "Its",
        "There",
        "As",
        "After",
        *MONTHS,
    ]
)
_UNITS = (
    ("km", "m", "mm"), ("kilometers", "meters", "miles", "feet"), ("kilometres", "metres", "miles"),
    ("seconds", "minutes", "hours", "days", "weeks", "months", "years"), ("bytes", "kilobytes", "megabytes"),
    ("million", "billion", "thousand"), ("kg", "g", "mg"), ("tons", "pounds", "kilograms"), ("percent", "times"),
)  # fmt: skip
_OPPOSITES = (
    ("all", "none"), ("some", "no"), ("always", "never"), ("before", "after"), ("first", "last"), ("more", "less"),
    ("at least", "at most"), ("most", "few"), ("many", "few"), ("increase", "decrease"), ("increased", "decreased"),
    ("higher", "lower"), ("above", "below"), ("north", "south"), ("east", "west"), ("northern", "southern"),
    ("eastern", "western"), ("oldest", "newest"), ("largest", "smallest"), ("longer", "shorter"), ("early", "late"),
    ("begin", "end"), ("began", "ended"), ("won", "lost"), ("joined", "left"), ("bought", "sold"), ("with", "without"),
    ("inside", "outside"), ("up", "down"), ("rose", "fell"), ("opened", "closed"), ("accepted", "rejected"),
    ("true", "false"), ("male", "female"), ("his", "her"), ("he", "she"), ("indoors", "outdoors"), ("return", "raise"),
    ("returns", "raises"), ("maximum", "minimum"), ("open", "closed"), ("often", "rarely"), ("usually", "rarely"),
    ("former", "current"), ("previous", "next"), ("left", "right"), ("public", "private"), ("same", "different"),
)  # fmt: skip
_GENERAL = {
    "man": "person", "woman": "person", "boy": "child", "girl": "child", "men": "people", "women": "people",
    "boys": "children", "girls": "children", "dog": "animal", "dogs": "animals", "cat": "animal", "horse": "animal",
    "car": "vehicle", "truck": "vehicle", "guitar": "instrument", "piano": "instrument", "novel": "book",
    "village": "place", "city": "place", "river": "body of water", "actress": "performer", "actor": "performer",
    "singer": "musician", "guitarist": "musician", "footballer": "athlete", "physician": "doctor", "integer": "number",
}  # fmt: skip
_WEAKER = (
    ("must", "may"),
    ("will", "may"),
    ("will", "might"),
    ("every", "some"),
    ("all", "some"),
    ("always", "sometimes"),
)
_CERTAIN = {"may": "will", "might": "will", "could": "will", "sometimes": "always", "some": "all", "often": "always"}
_DETERMINERS = frozenset(
    ["a", "an", "the", "his", "her", "its", "their", "one", "this", "each", "every", "two", "three", "four", "five"]
)
_STARTERS = frozenset(
    [
        "which",
        "who",
        "that",
        "and",
        "or",
        "but",
        "of",
        "in",
        "on",
        "at",
        "to",
        "for",
        "from",
        "by",
        "with",
        "as",
        "when",
        "where",
        "while",
        "if",
        "because",
    ]
)


@dataclass(frozen=True, slots=True)
class Change:
    """One way to change a sentence.

    Attributes:
        kind: its name.
        label: what the sentence says of the changed one.
        apply: returns the changed sentence, or None where there is nothing to change.
    """

    kind: str
    label: Label
    apply: Rule


def changes(names: Sequence[str]) -> tuple[Change, ...]:
    """Return every change there is.

    Args:
        names: proper names to put in the place of others.
    """
    return (
        Change("number", "contradiction", _other_number),
        Change("month", "contradiction", _other_month),
        Change("unit", "contradiction", _other_unit),
        Change("negation", "contradiction", _negated),
        Change("affirmation", "contradiction", _affirmed),
        Change("opposite", "contradiction", _opposite),
        Change("role", "contradiction", _roles_swapped),
        Change("name", "contradiction", lambda text, rng: _other_name(text, rng, names)),
        Change("certainty", "neutral", _made_certain),
        Change("number written", "entailment", _number_rewritten),
        Change("weakened", "entailment", _weakened),
        Change("everyday hypernym", "entailment", _generalised),
        Change("shortened", "entailment", _shortened),
        Change("other words", "entailment", in_other_words),
        Change("fronted", "entailment", fronted),
        Change("active", "entailment", active),
        Change("possessive", "entailment", possessive),
        Change("there is", "entailment", there_is),
        Change("rounded", "entailment", rounded),
        Change("part removed", "entailment", part_removed),
    )


def distractor_names(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the proper names within texts, each once."""
    names = (name for text in texts for name in _NAME.findall(text))
    # "Canadian" is no name that "Calcutta" could take the place of.
    return tuple(dict.fromkeys(name for name in names if name not in MONTHS and not name.endswith(_DEMONYMS)))


def _replaced(text: str, match: re.Match[str], other: str) -> str:
    whole = match.group()
    if whole[:1].isupper() and not other[:1].isupper() and match.start() == 0:
        other = other[:1].upper() + other[1:]
    changed = text[: match.start()] + other + text[match.end() :]
    head = changed[: match.start()]
    if head.endswith((" a ", " an ", "A ", "An ")):  # "a dog" became "a animal"
        article = "an" if other[:1].lower() in "aeiou" else "a"
        stem = head.rstrip().removesuffix("n") if head.rstrip().endswith(("an", "An")) else head.rstrip()
        changed = stem[:-1] + (article if stem[-1] == "a" else article.capitalize()) + " " + changed[match.start() :]
    return changed


def _pick(matches: Sequence[re.Match[str]], rng: random.Random) -> re.Match[str] | None:
    return rng.choice(matches) if matches else None


def _other_number(text: str, rng: random.Random) -> str | None:
    match = _pick(list(_NUMBER.finditer(text)), rng)
    if match is None:
        matches = [word for word in _WORD.finditer(text) if word.group().lower() in SMALL_NUMBERS[2:]]
        match = _pick(matches, rng)
        if match is None:
            return None
        return _replaced(text, match, rng.choice([word for word in SMALL_NUMBERS[2:] if word != match.group().lower()]))
    whole = match.group()
    value = float(whole.replace(",", ""))
    if "." in whole:
        decimals = len(whole.partition(".")[2])
        other = f"{value * rng.choice((0.5, 0.7, 1.3, 1.6, 2)):.{decimals}f}"
    elif 1200 <= value <= 2100 and "," not in whole:
        other = str(int(value) + rng.choice((-1, 1)) * rng.choice((1, 2, 3, 7, 12, 30)))
    else:
        step = max(1, int(value * rng.choice((0.1, 0.3, 0.5, 1, 2))))
        changed = int(value) + rng.choice((-1, 1)) * step
        changed = changed if changed > 0 else int(value) + step
        other = f"{changed:,}" if "," in whole else str(changed)
    return None if other == whole else _replaced(text, match, other)


def _other_month(text: str, rng: random.Random) -> str | None:
    match = _pick([word for word in _WORD.finditer(text) if word.group() in MONTHS and word.group() != "May"], rng)
    return match and _replaced(text, match, rng.choice([month for month in MONTHS if month != match.group()]))


def _other_unit(text: str, rng: random.Random) -> str | None:
    for word in _WORD.finditer(text):
        family = next((family for family in _UNITS if word.group() in family), None)
        if family and text[: word.start()].rstrip()[-1:].isdigit():
            return _replaced(text, word, rng.choice([unit for unit in family if unit != word.group()]))
    return None


def _other_name(text: str, rng: random.Random, names: Sequence[str]) -> str | None:
    found = [name for name in _NAME.finditer(text) if name.group() not in MONTHS]
    match = _pick([name for name in found if not name.group().endswith(_DEMONYMS)], rng)
    if match is None or not names:
        return None
    n_words = match.group().count(" ")
    for _ in range(20):
        other = rng.choice(names)
        if other.count(" ") == n_words and other not in text and not set(other.split()) & set(match.group().split()):
            return _replaced(text, match, other)
    return None


def _negated(text: str, rng: random.Random) -> str | None:
    match = _AUXILIARY.search(text)
    if match is None or " not " in text:
        return None
    first, _, rest = match.group().partition(" ")
    short = rng.random() < 0.3 and first not in {"may", "might", "will", "can"}
    negated = f"{first}n't" if short else "cannot" if first == "can" else f"{first} not"
    return _replaced(text, match, f"{negated} {rest}".rstrip())


def _affirmed(text: str, rng: random.Random) -> str | None:
    match = _NOT.search(text)
    if match is None or match.group(1) in {"do", "does", "did"}:
        return None
    return _replaced(text, match, match.group(1))


def _opposite(text: str, rng: random.Random) -> str | None:
    found: list[tuple[re.Match[str], str]] = []
    for one, other in _OPPOSITES:
        for word, opposite in ((one, other), (other, one)):
            match = re.search(rf"(?<![\w-]){word}(?![\w-])", text)
            if match:
                found.append((match, opposite))
    if not found:
        return None
    return _replaced(text, *rng.choice(found))


def _roles_swapped(text: str, rng: random.Random) -> str | None:
    """Swap two names of a sentence that has a verb of doing between them."""
    names = [match for match in re.finditer(r"[A-Z][a-z]+(?: [A-Z][a-z]+)*", text) if match.group() not in _NO_NAMES]
    for first, second in itertools.pairwise(names):
        between = text[first.end() : second.start()]
        doing = re.search(r"^ (?:\w+ed|beat|won|sold|taught|led|wrote|met|succeeded|defeated|moved) ", between)
        if doing and "," not in between and " and " not in between and len(between) < 40:
            return text[: first.start()] + second.group() + between + first.group() + text[second.end() :]
    return None


def _made_certain(text: str, rng: random.Random) -> str | None:
    match = _pick([word for word in _WORD.finditer(text) if word.group() in _CERTAIN], rng)
    return match and _replaced(text, match, _CERTAIN[match.group()])


def _number_rewritten(text: str, rng: random.Random) -> str | None:
    for match in _NUMBER.finditer(text):
        whole = match.group()
        if "," in whole:
            return _replaced(text, match, whole.replace(",", ""))
        if whole.isdigit() and 1 < int(whole) <= 12 and not any(month in text for month in MONTHS):
            return _replaced(text, match, SMALL_NUMBERS[int(whole)])
        if whole.isdigit() and int(whole) >= 10_000:
            return _replaced(text, match, f"{int(whole):,}")
    word = _pick([word for word in _WORD.finditer(text) if word.group() in SMALL_NUMBERS[2:]], rng)
    return word and _replaced(text, word, str(SMALL_NUMBERS.index(word.group())))


def _weakened(text: str, rng: random.Random) -> str | None:
    for strong, weak in _WEAKER:
        match = re.search(rf"(?<![\w-]){strong}(?![\w-])", text)
        if match:
            return _replaced(text, match, weak)
    return None


def _generalised(text: str, rng: random.Random) -> str | None:
    match = _pick([word for word in _WORD.finditer(text) if word.group() in _GENERAL], rng)
    if match is None or " not " in text or " no " in text:  # negation turns the direction round
        return None
    return _replaced(text, match, _GENERAL[match.group()])


def _shortened(text: str, rng: random.Random) -> str | None:
    """Cut the sentence's last phrase off, where a comma or a preposition begins it."""
    cuts = [
        match.start()
        for match in re.finditer(
            r",? (?:in|on|at|during|while|when|which|where|because|after|before|by|and|with|for) ", text
        )
        if len(text[: match.start()].split()) >= 4
        and re.search(r"\b(?:is|are|was|were|has|had|\w{3,}ed|\w{3,}s)\b", text[: match.start()])
    ]
    if not cuts or re.search(r"\b(?:not|no|never|only|if|unless|or)\b|n't", text) or text.count('"') % 2:
        return None
    kept = text[: rng.choice(cuts)]
    if (
        kept.split()[-1].lower() in _STARTERS | _DETERMINERS
        or kept.count("(") != kept.count(")")
        or kept.count('"') % 2
    ):
        return None
    return kept.rstrip(",;: ") + "."
