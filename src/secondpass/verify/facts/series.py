"""Numbers that a claim gives to another one of a series: "Basic costs 9, Pro 19" told as "Pro costs 9"."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from secondpass.verify.facts.dates import agree
from secondpass.verify.facts.quantities.changes import way_of_change
from secondpass.verify.facts.quantities.numerals import Figures
from secondpass.verify.facts.quantities.quantity import Quantity
from secondpass.verify.facts.text import Facts
from secondpass.verify.words import Token, word_set

__all__ = ["exchanged", "of_another_year"]

_BETWEEN = frozenset({",", ";"}) | word_set("and but while whereas to from with against versus")
_DASHES = frozenset(":-\u2013\u2014,")
_DENYING = word_set("not no never nor neither cannot unlike")
_MOST = 16  # quantities of a claim, and of a sentence
_MIN_SHARED = 0.75  # of the claim's words

Says = Callable[[Quantity, Quantity], bool]


def exchanged(
    claim: Facts, ours: Sequence[Quantity], evidence: Facts, held: Sequence[Quantity], says: Says
) -> Iterator[tuple[Quantity, Quantity]]:
    """Yield the number of a claim that a sentence has for another thing than the claim's, and what it has for that.

    The sentence names things with a number each, and a comma, "and", "while" or "to" between them: "9 euros for Basic
    and 19 for Pro", "from 4 in 2021 to 5 in 2022". Of the words that it has with one of the numbers only, the claim has
    some of another number than its own, and of no third one; of its own, none, or not the one that begins: "Basic costs
    9, Pro 19".

    Args:
        claim: what is claimed, with one number.
        ours: its quantities.
        evidence: where the sentence may be.
        held: its quantities.
        says: whether a quantity of the evidence says what one of the claim says.
    """
    plain = [fact for fact in ours if not fact.is_vague]
    if len(plain) != 1:
        return
    fact, found = plain[0], None
    if any(token.lower in _DENYING or token.lower.endswith("n't") for token in claim.read.tokens):
        return
    words = claim.read.slots.sentence(fact.first) - claim.read.slots.within(fact.first, fact.end)
    for items in _by_sentence(evidence, held):
        own = [at for at, item in enumerate(items) if says(fact, item)]
        if not own:
            continue
        there = evidence.read.slots.sentence(items[0].first)
        at = _meant(_parts(evidence.read.tokens, items), own[0], words)
        is_series = len(own) == 1 and len({item.unit for item in items}) == 1
        if not is_series or at is None or found or len(words & there) < _MIN_SHARED * len(words):
            return  # the number is said of what the claim speaks of, or of something else
        found = items[at]
    if found is not None and not says(fact, found):
        yield fact, found


def of_another_year(
    claim: Facts, ours: Sequence[Quantity], evidence: Facts, held: Sequence[Quantity], says: Says
) -> Iterator[tuple[Quantity, Quantity]]:
    """Yield the number of a claim that a sentence has for another year than the claim's: "5 million (2022: 4 million)".

    Args:
        claim: what is claimed, with one number and one date.
        ours: its quantities.
        evidence: where the sentence may be.
        held: its quantities.
        says: whether a quantity of the evidence says what one of the claim says.
    """
    plain = [fact for fact in ours if not fact.is_vague]
    said = [date for date in claim.found.get("date", ()) if not date.is_span]
    if len(plain) != 1 or len(said) != 1:
        return
    (fact,), (date,) = plain, said
    tokens = evidence.read.tokens
    dates = evidence.found.get("date", ())
    bracketed = {each.first: each for each in dates if each.first and tokens[each.first - 1].text == "("}
    for before, item in pairwise(held):
        other = next((bracketed[at] for at in range(before.end, item.first) if at in bracketed), None)
        if other is None or before.unit != item.unit or not _is_close(tokens, other.end, item.first):
            continue
        is_other = agree(date, other) is True or agree(other, date) is True
        if is_other and says(fact, before) and not says(fact, item):
            yield fact, item
        elif agree(date, other) is False and says(fact, item) and not says(fact, before):
            yield fact, before


def _is_close(tokens: Sequence[Token], first: int, end: int) -> bool:
    """Return whether nothing but a colon or a dash stands between a date and its number."""
    return all(token.text in _DASHES for token in tokens[first:end])


def _meant(parts: Sequence[Sequence[str]], own: int, words: set[str]) -> int | None:
    """Return which part some words are of; None if that is the own one, or can't be told."""
    for named in ([set(part) for part in parts], [set(part[:1]) for part in parts]):
        only = [part - set().union(*(other for other in named if other is not part)) for part in named]
        meant = [at for at, part in enumerate(only) if part & words]
        if own not in meant:
            return meant[0] if len(meant) == 1 else None
    return None


def _by_sentence(evidence: Facts, held: Sequence[Quantity]) -> Iterator[list[Quantity]]:
    sentences: dict[int, list[Quantity]] = {}
    for item in held:
        if not item.is_vague:
            sentences.setdefault(evidence.read.tokens[item.first].sentence, []).append(item)
    yield from sentences.values()


def _parts(tokens: Figures, items: Sequence[Quantity]) -> list[list[str]]:
    """Return the words that belong to each number of a sentence: those before it, or those behind it; or nothing."""
    gaps = [(one.end, other.first) for one, other in pairwise(items)]
    if not 1 < len(items) <= _MOST or any(start > stop for start, stop in gaps):
        return []
    first, end, sentence = items[0].first, items[-1].end, tokens[items[0].first].sentence
    while first and tokens[first - 1].sentence == sentence:
        first -= 1
    while end < len(tokens) and tokens[end].sentence == sentence:
        end += 1
    if all(tokens[start].lower in _BETWEEN for start, stop in gaps if start < stop):
        bounds = [(first, items[0].first), *gaps]
        if any(token.is_content for token in tokens[items[-1].end : end]):
            return []
        if {way_of_change(tokens, item.first) for item in items[:2]} == {"from", "to"}:
            return []  # one thing changed from one number to the other
    elif all(tokens[stop - 1].lower in _BETWEEN for start, stop in gaps if start < stop):
        bounds = [*gaps, (items[-1].end, end)]
    else:
        return []
    return [[token.stem for token in tokens[start:stop] if token.is_content] for start, stop in bounds]
