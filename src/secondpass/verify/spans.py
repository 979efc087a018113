"""Which words of an answer are not supported: those of a claim that its evidence states differently, or not at all."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

from secondpass.types import well_formed
from secondpass.verify.claims.citations import is_marker
from secondpass.verify.claims.markup import code_spans, hidden, inside
from secondpass.verify.facts.check import Facts, read_facts
from secondpass.verify.facts.kinds import KINDS, NAMES, NEGATIONS
from secondpass.verify.facts.negation import denial
from secondpass.verify.signals import Premise
from secondpass.verify.types import Mismatch, Span
from secondpass.verify.words import Token, content_words, tokenize

__all__ = ["find_spans", "placed"]

_HIDDEN = "\ue000"  # stands where a marker or an address is: no span reaches over it
_BREAKS = frozenset(f".;:()[]\u2014\u2013|{_HIDDEN}")
_MARKUP = frozenset("*_`~\\")
_MIN_ROOT, _MAX_ENDING = 5, 4  # letters


def find_spans(
    claim: str | Facts, stretch: str, start: int, premise: Premise, pattern: re.Pattern[str]
) -> tuple[Span, ...]:
    """Return the words of an answer that its evidence does not have, for a claim that is not supported.

    These are the claim's numbers, dates, units, names and denials that the premise states differently or does not
    have, and all other words that it does not have. Where it has them all, what is not supported is the relation
    between them: the claim as a whole. Words of the claim that do not stand in the answer, such as a subject that was
    put in front of it or a decomposer's own, are in no span; nor are citation markers and addresses.

    The time is linear in the length of the texts.

    Args:
        claim: as it was compared with the premise, or what `read_facts` made of it.
        stretch: the part of the answer where it stands, with its markup.
        start: where that begins in the answer, in characters.
        premise: what the claim was compared with.
        pattern: finds citation markers.

    Returns:
        Spans within the stretch, in order; none overlaps another.
    """
    stretch = well_formed(stretch)
    facts = claim if isinstance(claim, Facts) else read_facts(claim)
    words = _Words(facts, tokenize(_legible(stretch, pattern)))
    words.mark_facts((*premise.facts.missing, *premise.facts.mismatches), frozenset(content_words(premise.text)))
    words.mark_additions()
    words.mark_relation()
    return tuple(
        Span(start + first, start + end, kind, stretch[first:end], evidence)
        for first, end, kind, evidence in words.marked()
    )


def placed(mismatch: Mismatch, stretch: str, start: int) -> Mismatch:
    """Return a mismatch with where its words stand in the answer, if they stand there as they are.

    Args:
        mismatch: of a claim.
        stretch: the part of the answer where the claim stands.
        start: where that begins in the answer, in characters.
    """
    words = r"\s+".join(map(re.escape, mismatch.claim.split()))
    found = re.search(rf"(?<!\w){words}(?!\w)", well_formed(stretch)) if words else None
    return mismatch if found is None else replace(mismatch, start=start + found.start(), end=start + found.end())


class _Words:
    """The words of a stretch of an answer, each with its place in the claim, and what is said against it."""

    def __init__(self, facts: Facts, tokens: Sequence[Token]) -> None:
        self._facts, self._tokens = facts, tokens
        self._places = _places(facts.read.tokens, tokens)  # of the claim's tokens in the stretch
        self._owners = {place: at for at, place in self._places.items()}
        self._labels: dict[int, int] = {}  # of tokens of the stretch: which of the findings they belong to
        self._findings: list[tuple[str, str]] = []  # kind and evidence
        self._known: set[int] = set()  # tokens of the stretch whose fact the premise has in whatever form
        self._held: frozenset[str] = frozenset()  # stems of the premise
        self._roots: frozenset[str] = frozenset()  # what these may be derived from

    def mark_facts(self, findings: Sequence[Mismatch], held: frozenset[str]) -> None:
        """Mark the facts that are stated otherwise or not at all; the others count as words that are there.

        Args:
            findings: what came of comparing the claim's facts.
            held: the stems of the premise's words.
        """
        self._held, self._roots = held, frozenset(chain.from_iterable(map(_roots, held)))
        otherwise = {(item.kind, item.claim): item.evidence for item in findings}
        for kind in KINDS:
            if kind is NEGATIONS:
                continue
            for fact in filter(kind.is_checked, kind.of(self._facts)):
                stated = self._facts.read.words(fact.first, fact.end)
                found = [report for report in kind.reports or (kind.name,) if (report, stated) in otherwise]
                if found:
                    self._mark_fact(fact.first, fact.end, found[0], otherwise[found[0], stated])
                    continue
                first = fact.first
                if kind is NAMES and self._is_unread(first, fact.end):
                    first += 1
                    self._mark(range(fact.first, first), NAMES.name, "")
                self._known.update(self._places[at] for at in range(first, fact.end) if at in self._places)
        for item in findings:
            if item.kind == NEGATIONS.name:
                differing = denial(self._facts, read_facts(item.evidence))
                if differing is not None:
                    (first, end), evidence = differing
                    self._mark(range(first, end), NEGATIONS.name, evidence)

    def _is_unread(self, first: int, end: int) -> bool:
        """Return whether a name begins with a word that is not compared, as its sentence does, and is not there."""
        token = self._facts.read.tokens[first]
        return end - first > 1 and token.first and not self._is_there(token)

    def _mark_fact(self, first: int, end: int, kind: str, evidence: str) -> None:
        """Mark what differs of a fact: the year of a date whose day is right, the unit of a quantity."""
        ours = self._facts.read.tokens[first:end]
        if evidence:
            theirs = tokenize(evidence)
            left, right = _in_common(ours, theirs)
            evidence = evidence[theirs[left].start : theirs[len(theirs) - right - 1].end]
        else:
            strange = [at for at, token in enumerate(ours) if token.kind != "word" or not self._is_there(token)]
            left, right = (strange[0], len(ours) - 1 - strange[-1]) if strange else (0, 0)
        self._mark(range(first + left, end - right), kind, evidence)

    def _mark(self, places: range, kind: str, evidence: str) -> None:
        number = len(self._findings)
        self._findings.append((kind, evidence))
        for at in places:
            if at in self._places:
                self._labels.setdefault(self._places[at], number)

    def mark_additions(self) -> None:
        """Mark the longest runs of words that the premise does not have, with the stop words within them."""
        run: list[int] = []
        for place, token in enumerate(self._tokens):
            owned = place in self._owners
            if place in self._labels or token.text in _BREAKS or (token.is_content and not self._is_new(place, token)):
                self._mark_run(run)
                run = []
            elif owned and token.is_content:
                run.append(place)
        self._mark_run(run)

    def _is_new(self, place: int, token: Token) -> bool:
        if place not in self._owners or place in self._known:
            return False
        return not self._is_there(token)

    def _is_there(self, token: Token) -> bool:
        """Return whether the premise has a word, or one with the same root; stop words tell nothing."""
        if not token.is_content:
            return True
        if token.kind == "unspaced":
            return self._held.issuperset(content_words(token.text))
        return token.stem in self._held or token.stem in self._roots or not self._held.isdisjoint(_roots(token.stem))

    def _mark_run(self, run: Sequence[int]) -> None:
        if run:
            self._label(range(run[0], run[-1] + 1), "addition")

    def mark_relation(self) -> None:
        """Mark all of the claim if nothing else of it is marked: its words are there, but do not say this."""
        if not self._labels:
            content = [place for place in self._owners if self._tokens[place].is_content]
            if content:
                self._label(range(min(content), max(content) + 1), "relation")

    def _label(self, places: range, kind: str) -> None:
        self._labels.update(dict.fromkeys(places, len(self._findings)))
        self._findings.append((kind, ""))

    def marked(self) -> Iterator[tuple[int, int, str, str]]:
        """Yield what is marked, in order: where it begins and ends, its kind, and what the premise has there."""
        last = -1  # the place of the last token that was marked
        start = end = 0
        for place in chain(sorted(self._labels), [len(self._tokens)]):
            label = self._labels.get(place)
            between = self._tokens[last + 1 : place]
            if last < 0 or label != self._labels[last] or any(token.text not in _MARKUP for token in between):
                if last >= 0:
                    yield (start, end, *self._findings[self._labels[last]])
                start = self._tokens[place].start if label is not None else 0
            if label is not None:
                end, last = self._tokens[place].end, place


def _legible(stretch: str, pattern: re.Pattern[str]) -> str:
    """Return a stretch of an answer, as long as it is, with its citation markers and addresses blanked."""
    code = code_spans(stretch)
    letters = list(stretch)
    markers = (found.span() for found in pattern.finditer(stretch) if is_marker(found))
    for (first, end), sign in (*((each, "") for each in hidden(stretch)), *((each, _HIDDEN) for each in markers)):
        if first < end and not inside(first, code):
            # A tag may stand within a word or a name; what else is hidden separates.
            letters[first:end] = (sign or (" " if stretch[first] == "<" else _HIDDEN)) + " " * (end - first - 1)
    return "".join(letters)


def _places(claim: Sequence[Token], stretch: Sequence[Token]) -> dict[int, int]:
    """Return which token of a stretch each token of its claim is, as far as it stands there.

    The claim ends as its stretch does, while a subject or a lead-in may have been put in front of it: so they are
    compared from the end. What then is left, as of a decomposer that turns words round, takes what else is the same.
    """
    free: dict[str, list[int]] = {}
    passed: dict[str, list[int]] = {}  # places that are left over, the last one first
    for place, token in enumerate(stretch):
        if token.stem:
            free.setdefault(token.lower, []).append(place)
    found: dict[int, int] = {}
    left: list[int] = []
    end = len(stretch)
    for at in range(len(claim) - 1, -1, -1):
        token = claim[at]
        if not token.stem:
            continue
        places = free.get(token.lower, [])
        while places and places[-1] >= end:
            passed.setdefault(token.lower, []).append(places.pop())
        if places:
            found[at] = end = places.pop()
        else:
            left.append(at)
    for at in reversed(left):
        others = passed.get(claim[at].lower) or free.get(claim[at].lower)
        if others:
            found[at] = others.pop()
    # Signs have the places beside their words: "$5", "20 %".
    for order, step in ((range(len(claim)), 1), (range(len(claim) - 1, -1, -1), -1)):
        for at in order:
            if at not in found and not claim[at].stem and at - step in found:
                place = found[at - step] + step
                while 0 <= place < len(stretch) and stretch[place].text in _MARKUP - {claim[at].text}:
                    place += step
                if 0 <= place < len(stretch) and stretch[place].text == claim[at].text:
                    found[at] = place
    return found


def _roots(stem: str) -> set[str]:
    """Return what a word may be derived from: "erupt" of "eruption"."""
    if not stem.isalpha():
        return set()
    return {stem[:n] for n in range(max(_MIN_ROOT, len(stem) - _MAX_ENDING), len(stem))}


def _in_common(ours: Sequence[Token], theirs: Sequence[Token]) -> tuple[int, int]:
    """Return how many tokens two facts have in common at their beginning and at their end; none if one is all of it."""
    shorter = min(len(ours), len(theirs))
    left = next((at for at in range(shorter) if ours[at].lower != theirs[at].lower), shorter)
    right = next((at for at in range(shorter - left) if ours[-1 - at].lower != theirs[-1 - at].lower), shorter - left)
    return (left, right) if left + right < shorter else (0, 0)
