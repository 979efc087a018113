"""Checks of a claim's numbers, dates, names and negations against a text: rules, which no model overrules."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from secondpass.errors import InputError
from secondpass.types import well_formed
from secondpass.verify.facts.kind import Kinds
from secondpass.verify.facts.kinds import KINDS
from secondpass.verify.facts.quantities.numerals import said_once
from secondpass.verify.facts.text import Facts, Text
from secondpass.verify.types import Mismatch

__all__ = ["FEATURES", "FactCheck", "Facts", "check_facts", "facts_of", "read_facts"]

FEATURES = KINDS.features
"""The names of what `FactCheck.features` returns, in its order."""

_ESCAPE = re.compile(r"\\(?=[$%#~&])")  # of Markdown and TeX
# "2024-02-11T03:14:07Z"
_TIMESTAMP = re.compile(
    r"(?<![\w-])(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d)?)(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?(?![\w:])"
)
_SIGNS = re.compile(r"[\W_]+")
_MOST_UNREAD = 32  # of a claim
# What tokenizers and PDFs put blanks into: "12, 000", "1 , 250", "$ 1. 7 million". "1, 250" may be two numbers.
_SPACED_THOUSANDS = re.compile(r"(?<![\d,.])(?<!, )(\d{1,3})(?:, (?=000)| , )(\d{3})(?![\d,]\d| , \d)")
_SPACED_DECIMALS = re.compile(
    r"(?<![\d.])(\d{1,6})\s?\.[ \n](\d{1,4})"
    r"(?= ?(?:million|billion|trillion|thousand|percent|per cent|km|kg|mm|cm|bn|mn)\b|\s?%)"
)
# 5'11": feet and inches; not the minutes and seconds of an angle.
_FEET = re.compile(
    r"(?<![\w.,'\u2019\u2032\u00b0])(?<!\u00b0 )(\d{1,2})['\u2019\u2032] ?(\d{1,2})"
    r"(?:[\"\u201d\u2033]|''|\u2019\u2019)(?!\w)"
)


@dataclass(frozen=True, slots=True)
class FactCheck:
    """How the facts of a claim stand in a text.

    Attributes:
        mismatches: what the text has differently.
        missing: what the text does not have at all; its ``evidence`` is empty.
        lacking: those of the missing ones without which no model can support the claim.
        n_facts: how many numbers, dates and names of the claim were looked for.
        unread: what holds figures in the claim that are not read as a fact (part numbers, names of files, addresses),
            and does not stand in the text, blanks and signs aside. It counts in no feature.
    """

    mismatches: tuple[Mismatch, ...] = ()
    missing: tuple[Mismatch, ...] = ()
    lacking: tuple[Mismatch, ...] = ()
    n_facts: int = 0
    unread: tuple[str, ...] = ()

    def features(self, kinds: Kinds = KINDS) -> Mapping[str, float]:
        """Return counts by kind, and the share of the claim's facts that were found (1.0 if it has none).

        The names are those of `Kinds.features`; for the kinds that come with the package, `FEATURES`.
        """
        values, counted, sought = dict.fromkeys(kinds.features, 0.0), kinds.counted, kinds.sought
        for how, group in (("mismatch", self.mismatches), ("missing", self.missing)):
            for item in group:
                values[f"{counted[item.kind]}_{how}"] += 1.0
        lost = sum(item.kind in sought for item in (*self.missing, *self.mismatches))
        values["facts_found"] = 1.0 - lost / self.n_facts if self.n_facts else 1.0
        return MappingProxyType(values)


def read_facts(text: str, kinds: Kinds = KINDS) -> Facts:
    """Return what a text holds that can be checked, for a text that many claims are checked against.

    It takes time and memory linear in the text. A lone surrogate is read as U+FFFD, and the
    backslash before a sign, as in TeX, as a blank.

    Args:
        text: what is read.
        kinds: what is looked for.

    Raises:
        InputError: it is not a text.
    """
    if not isinstance(text, str):
        raise InputError(f"facts are read from a str, not from {type(text).__name__}")
    text = _TIMESTAMP.sub(r"\1 \2 ", _ESCAPE.sub(" ", well_formed(text)))
    text = _FEET.sub(r"\1 ft \2 in", text)
    text = said_once(text)
    text = _SPACED_DECIMALS.sub(r"\1.\2", _SPACED_THOUSANDS.sub(r"\1,\2", text))
    read = Text(text)
    facts = Facts(read, {}, {}, [])
    for kind in kinds.by_precedence():
        facts.found[kind.name] = found = kind.find(read)
        facts.values[kind.name] = frozenset(value for fact in found for value in kind.values(fact))
        read.taken.update(at for fact in found for at in kind.takes(fact))
    seen = read.markers.union(*_places(facts, kinds))
    figures = (at for at, token in enumerate(read.tokens) if token.kind == "number" and at not in seen)
    words = (read.words(each.start, each.stop) for each in read.tokens.unreadable)
    facts.unread.extend(dict.fromkeys([*map(read.chunk, figures), *words]))
    return facts


def facts_of(text: str, read: dict[str, Facts]) -> Facts:
    """Return the facts of a text that may have been read before.

    Args:
        text: what is read.
        read: the facts of texts that were read, by the text; this one is added.
    """
    if text not in read:
        read[text] = read_facts(text)
    return read[text]


def _places(facts: Facts, kinds: Kinds) -> Iterator[range]:
    """Yield where the figures are that were read."""
    for kind in kinds:
        if kind.reads_figures:
            yield from (range(fact.first, fact.end) for fact in kind.of(facts))


def _bare(text: str) -> str:
    return _SIGNS.sub("", text).lower()


def _unread(claim: Facts, evidence: Facts) -> tuple[str, ...]:
    if not claim.unread:
        return ()
    held = _bare(evidence.text)
    return tuple(chunk for chunk in claim.unread[:_MOST_UNREAD] if _bare(chunk) not in held)


def check_facts(claim: str | Facts, evidence: str | Facts, kinds: Kinds = KINDS) -> FactCheck:
    """Check the numbers, dates, names and negations of a claim against a text.

    A fact is found if the text has it anywhere, be it in another unit, rounded or in words. It is a mismatch only if
    the text has another one where the claim has this one, that is, among the same words; else it is missing.
    Identifiers (paths, code names, addresses) are left out; versions and other numbered things are compared as they
    are written, and only with another number of the same thing.

    Args:
        claim: the claim, or what `read_facts` made of it.
        evidence: the text that it is checked against, or what `read_facts` made of it.
        kinds: what is compared; texts that were read must have been read for these.

    Raises:
        InputError: one of them is not a text.
    """
    claim = claim if isinstance(claim, Facts) else read_facts(claim, kinds)
    evidence = evidence if isinstance(evidence, Facts) else read_facts(evidence, kinds)
    found = {kind.name: list(kind.compare(claim, evidence)) for kind in kinds}
    for kind in kinds:
        if any(found.get(other) for other in kind.deferring):
            found[kind.name] = [replace(item, evidence="") for item in found[kind.name]]
    findings = [item for items in found.values() for item in items]
    missing = {kind: [item for item in found[kind.name] if not item.evidence] for kind in kinds}
    return FactCheck(
        mismatches=tuple(item for item in findings if item.evidence),
        missing=tuple(item for items in missing.values() for item in items),
        lacking=tuple(
            item for kind in kinds if kind.is_hard for item in missing[kind] if kind.is_needed(item.claim, evidence)
        ),
        n_facts=sum(sum(map(kind.is_checked, kind.of(claim))) for kind in kinds if kind.is_sought),
        unread=_unread(claim, evidence),
    )
