"""What a number is for each of, where the evidence has it for something else: $5 per user, or per claim."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from secondpass.verify.facts.quantities.numerals import Figures
from secondpass.verify.facts.quantities.quantity import Quantity
from secondpass.verify.facts.quantities.units import TIMES
from secondpass.verify.facts.text import Facts
from secondpass.verify.words import stem, word_set

__all__ = ["for_another"]

_EACH = frozenset({"per", "each", "every"})
_MOST, _TO_RATE = 8, 4  # quantities of a claim; tokens from the first of one to "per"
_SAME_START = 4  # letters: "month" and "monthly"
# What may be one and the same thing in other words.
_ALIKE = [
    frozenset(map(stem, word_set(words)))
    for words in (
        "user users seat seats member members person people head capita employee guest adult customer client account "
        "licence license passenger player participant student patient resident household family",
        "item items piece pieces unit units product order orders article parcel package box pair device purchase",
        "claim case incident event damage occurrence time use",
        "year annum annual annually yearly",
        "quarter quarterly months",
        "day daily night nightly",
        "transaction transfer payment trade withdrawal",
        "request call query",
    )
]

Says = Callable[[Quantity, Quantity], bool]


def for_another(
    claim: Facts, ours: Sequence[Quantity], evidence: Facts, held: Sequence[Quantity], says: Says
) -> Iterator[tuple[Quantity, Quantity]]:
    """Yield the numbers of a claim that the evidence has for each of another thing only, both with these things.

    Args:
        claim: what is claimed: "$5 per user".
        ours: its quantities.
        evidence: a text that does not have the claim's thing anywhere, nor what may be the same: "$5 per gigabyte".
        held: its quantities.
        says: whether a quantity of the evidence says what one of the claim says.
    """
    # "Every quarter" by itself is a frequency, and compared as one.
    for fact in [fact for fact in ours if not fact.is_vague and fact.unit.dimension != TIMES.dimension][:_MOST]:
        end, things = _rate(claim.read.tokens, fact)
        if not things:
            continue
        same = [item for item in held if not item.is_vague and says(replace(fact, period=""), replace(item, period=""))]
        rates = [_rate(evidence.read.tokens, item) for item in same]
        if rates and all(theirs for _, theirs in rates) and not _has(evidence.read.tokens, things):
            yield replace(fact, end=end), replace(same[0], end=rates[0][0])


def _rate(tokens: Figures, item: Quantity) -> tuple[int, set[str]]:
    """Return where a quantity ends with all that it is for each of, and the stems of that."""
    at = next((at for at in range(item.first + 1, item.first + _TO_RATE) if _is_rate(tokens, at)), len(tokens))
    things: set[str] = set()
    while _is_rate(tokens, at):
        things.add(_thing(tokens, at + 1))
        at += 2
    return at, things


def _is_rate(tokens: Figures, at: int) -> bool:
    return at + 1 < len(tokens) and tokens[at].lower in _EACH and tokens[at + 1].is_content


def _has(tokens: Figures, things: set[str]) -> bool:
    """Return whether a text has one of some things, or what may be the same."""
    wanted = things.union(*(alike for alike in _ALIKE if not alike.isdisjoint(things)))
    starts = {thing[:_SAME_START] for thing in wanted}
    return any(_thing(tokens, at)[:_SAME_START] in starts for at, token in enumerate(tokens) if token.stem)


def _thing(tokens: Figures, at: int) -> str:
    """Return what a word is called that may be a unit: "kilogram" is a kg."""
    unit = tokens.unit(at)
    return tokens[at].stem if unit is None or unit[0].dimension == "time" else unit[0].name
