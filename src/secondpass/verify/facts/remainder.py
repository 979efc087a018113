"""Whether a claim says of those beyond a bound what is said of all others: "free under 27, others pay"."""

import math
from collections.abc import Sequence

from secondpass.verify.facts.quantities.quantity import Quantity
from secondpass.verify.facts.text import Facts
from secondpass.verify.words import Token, word_set

__all__ = ["is_of_the_rest"]

_OTHERS = word_set("others other otherwise rest remaining else")
_BEYOND, _BOUND = word_set("above over below under beyond"), word_set("that this it these those")
_NEAR = 24  # tokens


def is_of_the_rest(claim: Facts, fact: Quantity, evidence: Facts, other: Quantity) -> bool:
    """Return whether a bound of a claim begins where one of the evidence ends, and its words are said of the rest.

    Args:
        claim: what is claimed: "Those who are 27 or older pay".
        fact: its bound.
        evidence: a text: "It is free for those under 27; all others pay", or "those above that age pay".
        other: its bound.
    """
    touches = fact.low == other.high or fact.high == other.low
    if fact.unit != other.unit or not touches or math.isinf(fact.low) == math.isinf(fact.high):
        return False
    tokens, sentence = evidence.read.tokens, evidence.read.tokens[other.first].sentence
    rest = next((at for at in range(other.end, min(other.end + _NEAR, len(tokens))) if _begins(tokens, at)), None)
    if rest is None or tokens[rest].sentence != sentence:
        return False
    words = claim.read.slots.sentence(fact.first) - claim.read.slots.within(fact.first, fact.end)
    before, behind = (
        {token.stem for token in part if token.sentence == sentence} & words
        for part in (tokens[max(other.first - _NEAR, 0) : rest], tokens[rest : rest + _NEAR])
    )
    return len(behind - before) > len(before - behind)


def _begins(tokens: Sequence[Token], at: int) -> bool:
    """Return whether what follows is said of all others: "otherwise", "the rest", "above that amount"."""
    after = tokens[at + 1].lower if at + 1 < len(tokens) else ""
    return tokens[at].lower in _OTHERS or (tokens[at].lower in _BEYOND and after in _BOUND)
