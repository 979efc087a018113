"""Whether a claim turns a relation round that its evidence has, be it in other words: who owns whom."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, takewhile
from operator import attrgetter
from typing import NamedTuple

from secondpass.verify.claims.irregular import VERBS
from secondpass.verify.words import Token, stem, tokenize, word_set

__all__ = ["reverses"]

# Phrases that have one and the same thing before them, "|" between these and those that have it behind them, "/"
# between phrases, ";" between relations.
_RELATIONS = """
own/acquire/buy/take over/parent of/parent company of/owner of | belong to/subsidiary of/division of;
beat/defeat/win against | lose to;
supervise/manage/superior of | report to/answer to/deputy of/work under;
replace/succeed/succeeds/succeeded/follow/take over from/successor of/successor to | precede/predecessor of;
teach/teacher of | student of/pupil of/learn from/study under;
depend on/require/rely on | prerequisite for/prerequisite of;
cause/lead to/result in | result from/stem from;
supply/supplier of/supplier to | customer of/client of;
employ/hire | work for/employee of;
mother of/father of | son of/daughter of/child of
"""
_LONGEST = 3  # words of a phrase
_MOST = 32  # words of a claim, and places in a sentence
_BEFORE_NOUNS = word_set("the a an my your his her its our their of")
_PASSIVE = word_set("is are was were be been being")
_NEAR = 3  # tokens between "was" and its verb, and between this and "by"
_NOT = word_set("not no never nor neither without unlike nobody nothing")
_ENDS = word_set("and or but who which that while when because after before if as , ; : ( )")
_BEGINS_WHERE = word_set("in on at for with from since during until of")  # what is said of both sides alike

_Stems = frozenset[str]


class _Relation(NamedTuple):
    """What a clause says: of what kind, and what stands on its first side and on its second one."""

    kind: int
    first: _Stems
    second: _Stems


def _phrases() -> dict[tuple[str, ...], tuple[int, bool]]:
    """Return the phrases by their stems, with the relation and whether the first side stands before them."""
    return {
        tuple(map(stem, phrase.split())): (kind, side == 0)
        for kind, both in enumerate(_RELATIONS.split(";"))
        for side, phrases in enumerate(both.split("|"))
        for phrase in phrases.split("/")
    }


_PHRASES = _phrases()


def reverses(claim: str, evidence: str) -> bool:
    """Return whether a claim has both sides of a relation in each other's place, and no sentence has them as it does.

    "Orbis owns Lumen" where "Orbis is a subsidiary of Lumen", and "the strike resulted from the fall in prices" where
    it caused it. Nothing is reversed where either denies. In time linear in the evidence.
    """
    ours = tokenize(claim)
    if len(ours) > _MOST or _denies(ours):
        return False
    said = list(_relations(ours))
    if len(said) != 1:
        return False
    found = False
    for _, group in groupby(tokenize(evidence), key=attrgetter("sentence")):
        sentence = list(group)
        if _denies(sentence):
            continue
        for told in _relations(sentence):
            if told.kind == said[0].kind:
                shared = (said[0].first & said[0].second) | (told.first & told.second)
                first, second = said[0].first - shared, said[0].second - shared
                alike = first & told.first, second & told.second
                if any(alike) and (alike[0] or not told.first) and (alike[1] or not told.second):
                    return False  # it has both sides as they are, or one of them with a pronoun for the other
                found = found or bool(first & told.second and second & told.first)
    return found


def _denies(tokens: Sequence[Token]) -> bool:
    return any(token.lower in _NOT or token.lower.endswith("n't") for token in tokens)


def _relations(tokens: Sequence[Token]) -> Iterator[_Relation]:
    stems = [stem(VERBS.get(token.lower, token.lower)) if token.kind == "word" else token.text for token in tokens]
    left = _MOST
    for at in range(1, len(tokens)):
        for n in range(_LONGEST, 0, -1):
            if n <= len(stems) - at and (relation := _PHRASES.get(tuple(stems[at : at + n]))):
                kind, is_before = relation
                end = at + n
                if n == 1:
                    if tokens[at - 1].lower in _BEFORE_NOUNS or tokens[at - 1].lower.endswith("'s"):
                        break  # "their own"
                    by, is_passive = _voice(tokens, at)
                    if is_passive and not by:
                        break  # it does not say by whom
                    is_before, end = is_before is not is_passive, max(end, by + 1)
                before, after = _content(reversed(tokens[:at]), _ENDS), _content(tokens[end:], _ENDS | _BEGINS_WHERE)
                yield _Relation(kind, *((before, after) if is_before else (after, before)))
                left -= 1
                break
        if not left:
            return


def _voice(tokens: Sequence[Token], verb: int) -> tuple[int, bool]:
    """Return where "by" stands behind a verb, or 0, and whether it is passive: with "was" before, or "by" behind it."""
    by = next((at for at in range(verb + 1, min(verb + 1 + _NEAR, len(tokens))) if tokens[at].lower == "by"), 0)
    was = any(token.lower in _PASSIVE for token in tokens[max(0, verb - _NEAR) : verb])
    return (by, True) if was or by == verb + 1 else (0, False)


def _content(tokens: Iterable[Token], ends: frozenset[str]) -> _Stems:
    clause = takewhile(lambda token: token.lower not in ends, tokens)
    return frozenset(token.stem for token in clause if token.is_content and token.kind == "word")
